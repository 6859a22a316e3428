//! `creditgate audit`: the log verified, exported, proven in part.
//!
//! It reads only; verifying and exporting need no running gateway and do not
//! disturb one. What a verifier
//! brings, key and older checkpoints, decides how much a good result says.

mod verdict;

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use clap::Subcommand;
use serde_json::json;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    inquiry, out, settings,
};
use crate::{
    audit::{
        evidence::verify_bundle,
        export::export,
        key::VerifierKey,
        note::Note,
        verify::{Options, Report, verify_database, verify_folder},
    },
    gateway::SealedPayloads,
    platform::certs::{Existing, write_secret},
};

/// How often the progress bar looks at the count.
const LOOK: Duration = Duration::from_millis(100);

/// No checkpoint, key or bundle is longer.
const LONGEST_BYTES: u64 = 256 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Have the gateway gather the evidence of an inquiry in a file
    Bundle(Bundle),
    /// Write the log as a folder that strangers verify with their own tools
    Export(Export),
    /// Verify the whole log; without configuration where a folder or file is given
    Verify(Verify),
    /// Verify a file of evidence, with nothing but itself and what you bring
    VerifyBundle(VerifyBundle),
}

#[derive(Debug, clap::Args)]
pub(super) struct Bundle {
    /// The inquiry's identifier.
    inquiry: String,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    token: Token,
}

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The folder; one that exists is continued.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    brought: Brought,
    /// A folder of an export, or an SQLite file; else the configured database.
    #[arg(value_name = "DB or FOLDER")]
    log: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct VerifyBundle {
    /// The file of evidence.
    file: PathBuf,
    #[command(flatten)]
    brought: Brought,
}

/// What the verifier brings.
#[derive(Debug, clap::Args)]
pub(super) struct Brought {
    /// The log's public key, or a file with it; else the log vouches for itself.
    #[arg(long, value_name = "K")]
    vkey: Option<String>,
    /// A checkpoint kept from earlier, or a folder of them; may be repeated.
    #[arg(long, value_name = "CHECKPOINT")]
    since: Vec<PathBuf>,
}

pub(super) async fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    match command {
        Command::Bundle(args) => bundle(common, args).await,
        Command::Export(args) => {
            let db = common.database().await?;
            let done = export(&db, &args.out).await?;
            if common.json {
                out::json(&json!({ "size": done.size, "before": done.before }))?;
            } else {
                out::text(&format!(
                    "{} entries in {}, {} of them new",
                    done.size,
                    args.out.display(),
                    done.size.saturating_sub(done.before)
                ))?;
            }
            Ok(Exit::Done)
        }
        Command::Verify(args) => {
            let options = Options {
                vkey: args.brought.key()?,
                since: args.brought.checkpoints()?,
                ..Options::default()
            };
            verdict::log(common, &verify(common, args, options).await?)
        }
        Command::VerifyBundle(args) => {
            let vkey = args.brought.key()?;
            let since = args.brought.checkpoints()?;
            if since.len() > 1 {
                return Err(CliError::Usage("a bundle is held against one checkpoint"));
            }
            let bytes = read(&args.file)?;
            let since = since.first().map(|(_, note)| note);
            verdict::bundle(common, &verify_bundle(&bytes, vkey.as_ref(), since))
        }
    }
}

async fn verify(common: &Common, args: &Verify, options: Options) -> Result<Report, CliError> {
    let progress = show(Arc::clone(&options.progress));
    let report = match &args.log {
        Some(path) if path.is_dir() => {
            let path = path.clone();
            tokio::task::spawn_blocking(move || verify_folder(&path, &options))
                .await
                .map_err(|stopped| CliError::Start(io::Error::other(stopped)))?
        }
        other => {
            let db = match other {
                Some(path) => settings::sqlite(path).await?,
                None => common.database().await?,
            };
            verify_database(&db, &options, Some(&SealedPayloads(&db))).await
        }
    };
    progress.abort();
    Ok(report?)
}

/// Shows the count until it is stopped.
fn show(count: Arc<AtomicU64>) -> tokio::task::AbortHandle {
    let shown = out::spinner("verifying entries");
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            shown.set_position(count.load(Ordering::Relaxed));
        }
    })
    .abort_handle()
}

async fn bundle(common: &Common, args: &Bundle) -> Result<Exit, CliError> {
    let path = inquiry::path(&args.inquiry, "/bundle")?;
    let client = Client::new(&common.client()?, &args.token)?;
    let answer = client.send(Call::get(&path)).await?;
    // It tells whom it is about, to whoever holds it.
    write_secret(&args.out, &answer.body, Existing::Keep)?;
    if common.json {
        out::json(&json!({ "file": args.out }))?;
    } else {
        out::text(&args.out.display().to_string())?;
    }
    Ok(Exit::Done)
}

impl Brought {
    fn key(&self) -> Result<Option<VerifierKey>, CliError> {
        let Some(text) = &self.vkey else {
            return Ok(None);
        };
        // A key is never the name of a file: its last part is Base64 of 33 bytes.
        if let Ok(key) = VerifierKey::from_str(text) {
            return Ok(Some(key));
        }
        let text = String::from_utf8(read(Path::new(text))?).unwrap_or_default();
        VerifierKey::from_str(text.trim())
            .map(Some)
            .map_err(|_| CliError::Usage("--vkey is neither a public key nor a file with one"))
    }

    /// The checkpoints, each with the file it is from; a folder stands for its
    /// newest one.
    fn checkpoints(&self) -> Result<Vec<(String, Note)>, CliError> {
        let mut notes = Vec::new();
        for path in &self.since {
            let path = if path.is_dir() {
                path.join("checkpoint")
            } else {
                path.clone()
            };
            let text = String::from_utf8(read(&path)?).unwrap_or_default();
            let note = Note::from_str(&text)
                .map_err(|_| CliError::Usage("--since names a file that is no checkpoint"))?;
            notes.push((path.display().to_string(), note));
        }
        Ok(notes)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::Read {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(failed)?.len() > LONGEST_BYTES {
        return Err(failed(io::ErrorKind::FileTooLarge.into()));
    }
    fs::read(path).map_err(failed)
}
