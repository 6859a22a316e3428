//! What seals an institution's files and opens its feedback: our codec under
//! its key, or the bureau's own component as two programs. All of it blocks.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use contract::{Adapter, Codec, CodecError, Packing};

use super::durable::{FileFacts, Pending};
use crate::platform::{
    command::{self, CommandError},
    config::bureau::SealConfig,
    secret::{self, SecretError},
};

/// How long a program may take to print a key.
const KEY_TIME: Duration = Duration::from_secs(10);

/// How often an ending program is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// Why files of an institution cannot be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key is none.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The program for the key failed.
    #[error("the command for the key gave none")]
    Command(#[from] CommandError),
    /// The key's file cannot be read, or is open to others.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Seals and opens; the key shows nowhere.
#[derive(Clone, Debug)]
pub struct Seal(By);

#[derive(Clone, Debug)]
enum By {
    Codec(Arc<dyn Codec>),
    Component {
        seal: Arc<[String]>,
        open: Arc<[String]>,
        time: Duration,
    },
}

impl Seal {
    /// Reads the key, where there is one.
    ///
    /// # Errors
    ///
    /// See [`SealError`].
    pub async fn load(config: &SealConfig, adapter: &dyn Adapter) -> Result<Self, SealError> {
        let key = match config {
            SealConfig::Command { command } => command::run(command, b"", KEY_TIME).await?,
            SealConfig::Component {
                seal,
                open,
                timeout_seconds,
            } => {
                return Ok(Self(By::Component {
                    seal: seal.as_slice().into(),
                    open: open.as_slice().into(),
                    time: Duration::from_secs(*timeout_seconds),
                }));
            }
            SealConfig::File { file } => {
                let file = file.clone();
                match tokio::task::spawn_blocking(move || secret::read_private(&file)).await {
                    Ok(key) => key?,
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                }
            }
        };
        Ok(Self(By::Codec(adapter.codec(&key)?)))
    }

    /// Files by our own codec, as tests and the opening of old files want them.
    #[must_use]
    pub fn by_codec(codec: Arc<dyn Codec>) -> Self {
        Self(By::Codec(codec))
    }

    /// Begins the sealed file `path`, which is there only when it is finished.
    ///
    /// # Errors
    ///
    /// Those of making the file or of starting the program.
    pub fn begin(&self, path: &Path) -> io::Result<Sealing> {
        let (pending, file) = Pending::create(path, 0o600)?;
        let out = file.try_clone()?;
        let to = match &self.0 {
            By::Codec(codec) => Target::Codec(codec.pack(Box::new(out))),
            By::Component { seal, time, .. } => {
                let (program, child) = Program::start(seal, Stdio::piped(), out.into(), *time)?;
                let input = child.stdin.ok_or(io::ErrorKind::BrokenPipe)?;
                Target::Program(program, Some(input))
            }
        };
        Ok(Sealing { to, file, pending })
    }

    /// Opens the sealed file `path` and reads its text. A defect of its bytes,
    /// or a component that fails, is an error of kind `InvalidData`; whoever
    /// reads sets the limit on how much.
    ///
    /// # Errors
    ///
    /// Those of opening the file or of starting the program.
    pub fn open(&self, path: &Path) -> io::Result<Opened> {
        let file = File::open(path)?;
        Ok(Opened(match &self.0 {
            By::Codec(codec) => Origin::Codec(codec.unpack(Box::new(file))),
            By::Component { open, time, .. } => {
                let (program, child) = Program::start(open, file.into(), Stdio::piped(), *time)?;
                let output = child.stdout.ok_or(io::ErrorKind::BrokenPipe)?;
                Origin::Program(program, output)
            }
        }))
    }

    /// The bureau's code for a defect of the bytes that [`Opened`] told.
    #[must_use]
    pub fn defect(&self, error: &io::Error) -> Option<&'static str> {
        match &self.0 {
            By::Codec(codec) => codec.defect(error),
            By::Component { .. } => None,
        }
    }
}

/// A file being sealed: the text is written to it.
pub struct Sealing {
    to: Target,
    file: File,
    pending: Pending,
}

enum Target {
    Codec(Box<dyn Packing>),
    Program(Program, Option<std::process::ChildStdin>),
}

impl Sealing {
    /// Ends the file, makes it durable and gives it its name.
    ///
    /// # Errors
    ///
    /// Those of writing, and a program that failed or took too long. The file
    /// is not there then, unless a power cut took the time between.
    pub fn finish(self) -> io::Result<FileFacts> {
        match self.to {
            Target::Codec(packing) => packing.finish()?,
            Target::Program(mut program, input) => {
                drop(input);
                program.end()?;
            }
        }
        let facts = FileFacts::of(self.pending.draft())?;
        if facts.size_bytes == 0 {
            return Err(io::Error::other("the sealing component wrote nothing"));
        }
        self.pending.commit(&self.file)?;
        Ok(facts)
    }
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            Target::Codec(packing) => packing.write(bytes),
            Target::Program(_, Some(input)) => input.write(bytes),
            Target::Program(_, None) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text of a sealed file.
pub struct Opened(Origin);

enum Origin {
    Codec(Box<dyn Read + Send>),
    Program(Program, std::process::ChildStdout),
}

impl Read for Opened {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Origin::Codec(text) => text.read(into),
            Origin::Program(program, output) => match output.read(into)? {
                // Only a good end says that this was all.
                0 if !into.is_empty() => program
                    .end()
                    .map(|()| 0)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
                read => Ok(read),
            },
        }
    }
}

/// A running program; it is stopped when its time is up or this is dropped.
struct Program {
    child: Arc<Mutex<Child>>,
    /// Dropped or told, the watch ends.
    watch: Option<mpsc::SyncSender<()>>,
    ended: bool,
}

/// The ends of its pipes.
struct Pipes {
    stdin: Option<std::process::ChildStdin>,
    stdout: Option<std::process::ChildStdout>,
}

impl Program {
    fn start(
        command: &[String],
        stdin: Stdio,
        stdout: Stdio,
        time: Duration,
    ) -> io::Result<(Self, Pipes)> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::NotFound)?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::null())
            .spawn()?;
        let pipes = Pipes {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
        };
        let child = Arc::new(Mutex::new(child));
        let (watch, over) = mpsc::sync_channel(1);
        let watched = Arc::clone(&child);
        std::thread::spawn(move || {
            if over.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                // It may have ended by itself meanwhile.
                let _ = lock(&watched).kill();
            }
        });
        let program = Self {
            child,
            watch: Some(watch),
            ended: false,
        };
        Ok((program, pipes))
    }

    /// Waits for its good end.
    fn end(&mut self) -> io::Result<()> {
        let status = loop {
            // Not `wait`: that would keep the lock from the watch.
            if let Some(status) = lock(&self.child).try_wait()? {
                break status;
            }
            std::thread::sleep(GLANCE);
        };
        self.ended = true;
        self.watch = None;
        if ExitStatus::success(&status) {
            Ok(())
        } else {
            Err(io::Error::other(format!(
                "the sealing component failed or took too long: {status}"
            )))
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.ended {
            let mut child = lock(&self.child);
            // Both fail only where it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing").finish_non_exhaustive()
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}
