//! `creditgate erasures`: what was erased, kept outside with the backups and
//! applied again after one was restored.

use std::{fs, path::PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::{CliError, Common, Exit, out, settings};
use crate::{
    platform::{clock::Clock, vault::Erasure},
    retention,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Erase again what a restored backup brought back
    Apply {
        /// A file that `export` wrote
        file: PathBuf,
    },
    /// Write the list of erasures; it names nobody
    Export {
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(super) async fn run(
    common: &Common,
    command: &Command,
    clock: Clock,
) -> Result<Exit, CliError> {
    let owned = settings::own(common, clock.clone()).await?;
    let count = match command {
        Command::Apply { file } => {
            let text = fs::read(file).map_err(|source| CliError::Read {
                path: file.clone(),
                source,
            })?;
            let erasures: Vec<Erasure> = serde_json::from_slice(&text)
                .map_err(|_| CliError::Usage("the file is not a list of erasures"))?;
            retention::reapply(&owned.db, &owned.vault, erasures, clock.now()).await?
        }
        Command::Export { out } => {
            let erasures = owned.vault.erasures().await?;
            let text = serde_json::to_vec_pretty(&erasures)
                .map_err(|error| CliError::Output(error.into()))?;
            fs::write(out, text).map_err(|source| CliError::Write {
                path: out.clone(),
                source,
            })?;
            erasures.len()
        }
    };
    if common.json {
        out::json(&json!({ "erasures": count }))?;
    } else {
        out::text(&format!("{count} erasures"))?;
    }
    Ok(Exit::Done)
}
