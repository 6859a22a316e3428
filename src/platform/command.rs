//! Programs that keep a key for us: bytes in, bytes out.
//!
//! # Promise
//!
//! A program gets its input on standard input and nothing else; only what it
//! writes to standard output counts, and only if it ends well and in time. It is
//! stopped when the time is up or the caller goes away. No shell is involved.
//!
//! # Failure
//!
//! [`CommandError`] holds no byte of input or output.

use std::{io, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
};
use zeroize::Zeroizing;

/// More output than this is no key and no signature.
const OUTPUT: u64 = 64 * 1024;

/// Why a program gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// It has no name.
    #[error("the command is empty")]
    Empty,
    /// It ended badly.
    #[error("the command failed: {0}")]
    Failed(std::process::ExitStatus),
    /// It could not be started, written to or read from.
    #[error("the command could not be run")]
    Io(#[from] io::Error),
    /// It wrote more than 64 KiB.
    #[error("the command wrote more than 64 KiB")]
    TooMuch,
    /// It took too long.
    #[error("the command took longer than {} s", .0.as_secs())]
    TooSlow(Duration),
}

/// Runs `command` (program, then arguments) on `input`; returns its output.
///
/// # Errors
///
/// See [`CommandError`].
pub async fn run(
    command: &[String],
    input: &[u8],
    time: Duration,
) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let (program, arguments) = command.split_first().ok_or(CommandError::Empty)?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    tokio::time::timeout(time, talk(child, input))
        .await
        .map_err(|_| CommandError::TooSlow(time))?
}

async fn talk(mut child: Child, input: &[u8]) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let write = async move {
        let Some(mut stdin) = stdin else {
            return Ok(());
        };
        match stdin.write_all(input).await {
            // It may have all it needs before the input ends.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    };
    let read = async move {
        let mut output = Zeroizing::new(Vec::with_capacity(4096));
        if let Some(stdout) = stdout {
            stdout.take(OUTPUT + 1).read_to_end(&mut output).await?;
        }
        Ok::<_, io::Error>(output)
    };
    let ((), output) = tokio::try_join!(write, read)?;
    if output.len() as u64 > OUTPUT {
        return Err(CommandError::TooMuch);
    }
    let status = child.wait().await?;
    if status.success() {
        Ok(output)
    } else {
        Err(CommandError::Failed(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, input: &[u8], time: Duration) -> Result<Vec<u8>, CommandError> {
        let command = ["sh", "-c", script].map(str::to_owned);
        run(&command, input, time)
            .await
            .map(|output| output.to_vec())
    }

    #[tokio::test]
    async fn what_ends_well_and_in_time_counts() {
        let long = Duration::from_secs(60);
        let big = vec![b'x'; 1 << 20];
        assert_eq!(sh("cat", b"in", long).await.unwrap(), b"in");
        assert_eq!(sh("echo early", &big, long).await.unwrap(), b"early\n");
        assert!(matches!(
            sh("cat", &big, long).await,
            Err(CommandError::TooMuch)
        ));
        assert!(matches!(
            sh("echo x; exit 3", b"", long).await,
            Err(CommandError::Failed(_))
        ));
        let short = Duration::from_millis(50);
        assert!(matches!(
            sh("exec sleep 60", b"", short).await,
            Err(CommandError::TooSlow(_))
        ));
        assert!(matches!(
            run(&[], b"", long).await,
            Err(CommandError::Empty)
        ));
        let missing = ["/no/such/program".to_owned()];
        assert!(matches!(
            run(&missing, b"", long).await,
            Err(CommandError::Io(_))
        ));
    }
}
