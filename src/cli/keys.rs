//! `creditgate keys`: changing the keys that everything is sealed under.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Subcommand;
use ring::rand::SystemRandom;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{CliError, Common, Exit, out, settings};
use crate::{
    audit::{AuditError, Draft, Kind, key::LogKey},
    ledger::index::Accounts,
    platform::{
        certs::{Existing, write_secret},
        clock::Clock,
        db::{DbError, Urgency},
        vault::{Blinded, MasterKey},
    },
};

/// Everything is under another master key.
const ROTATED: Kind = Kind::new("keys.rotated");

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a master key for the vault
    Master {
        /// The file; only its owner may read it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Make the key that signs the audit log, and print its public half
    Log {
        /// The name that checkpoints are signed under; it never changes
        #[arg(long)]
        origin: String,
        /// The file; only its owner may read it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Put everything under the newest configured master key
    ///
    /// Configure the new key beside the old one with a higher version, then run
    /// this. Afterwards the old key opens nothing: take it out and destroy it.
    /// Stopped anywhere, the same call goes on.
    Rotate,
    /// Find all subjects and accounts under a new key of the blind index; the old
    /// is destroyed
    RotateBlind,
}

pub(super) async fn run(
    common: &Common,
    command: &Command,
    clock: Clock,
) -> Result<Exit, CliError> {
    match command {
        Command::Log { origin, out } => log_key(common, origin, out),
        Command::Master { out } => {
            write_secret(
                out,
                MasterKey::generate()?.to_text().as_bytes(),
                Existing::Keep,
            )?;
            Ok(Exit::Done)
        }
        Command::Rotate => rotate(common, clock).await,
        Command::RotateBlind => rotate_blind(common, clock).await,
    }
}

fn log_key(common: &Common, origin: &str, file: &Path) -> Result<Exit, CliError> {
    let (key, text) = LogKey::generate(origin, &SystemRandom::new()).map_err(AuditError::from)?;
    write_secret(file, text.expose_secret().as_bytes(), Existing::Keep)?;
    let vkey = key.verifier().to_string();
    if common.json {
        out::json(&json!({ "vkey": vkey }))?;
    } else {
        out::text(&vkey)?;
    }
    Ok(Exit::Done)
}

async fn rotate_blind(common: &Common, clock: Clock) -> Result<Exit, CliError> {
    let owned = settings::own(common, clock).await?;
    let progress = out::spinner("subjects");
    let accounts: Arc<dyn Blinded> = Arc::new(Accounts(owned.vault.clone()));
    let subjects = owned
        .vault
        .rotate_blind(&[accounts], |done| progress.set_position(done))
        .await?;
    progress.finish_and_clear();
    if common.json {
        out::json(&json!({ "subjects": subjects }))?;
    } else {
        out::text(&format!(
            "{subjects} subjects, and their accounts, are found by a new key; the old one is gone"
        ))?;
    }
    Ok(Exit::Done)
}

async fn rotate(common: &Common, clock: Clock) -> Result<Exit, CliError> {
    let owned = settings::own(common, clock.clone()).await?;
    let (db, keys, vault) = (&owned.db, owned.masters.clone(), &owned.vault);
    let version = keys.current();
    let progress = out::spinner("subjects");
    let subjects = vault
        .rotate_master(keys, |done| progress.set_position(done))
        .await?;
    progress.finish_and_clear();
    let entry = Draft::new(ROTATED, "gateway", clock.now())
        .actor("local")
        .number("subjects", subjects)
        .number("version", u64::from(version))
        .finish()
        .map_err(AuditError::from)?;
    db.write(Urgency::Urgent, |tx| {
        Box::pin(async move {
            tx.append(entry.into());
            Ok::<_, DbError>(())
        })
    })
    .await
    .map_err(AuditError::from)?;
    if common.json {
        out::json(&json!({ "version": version, "subjects": subjects }))?;
    } else {
        out::text(&format!(
            "{subjects} subjects are under master key {version} now; lower versions open nothing"
        ))?;
    }
    Ok(Exit::Done)
}
