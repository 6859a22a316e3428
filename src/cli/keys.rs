//! `creditgate keys`: changing the keys that everything is sealed under.

use std::sync::Arc;

use clap::Subcommand;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{CliError, Common, Exit, out, settings};
use crate::{
    audit::{Appender, Draft, Kind},
    platform::{
        clock::Clock,
        config::Depth,
        db::{self, Db, DbError, Urgency},
        vault::{MasterKeys, Vault},
    },
};

/// Everything is under another master key.
const ROTATED: Kind = Kind::new("keys.rotated");

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Put everything under the newest configured master key
    ///
    /// Configure the new key beside the old one with a higher version, then run
    /// this. Afterwards the old key opens nothing: take it out and destroy it.
    /// Stopped anywhere, the same call goes on.
    Rotate,
}

pub(super) async fn run(
    common: &Common,
    command: &Command,
    clock: Clock,
) -> Result<Exit, CliError> {
    let Command::Rotate = command;
    let config = common.check(Depth::Text)?;
    let address = settings::address(&config)?;
    let _owned = db::own(address.expose_secret()).await?;
    let db = Db::open(address.expose_secret(), Arc::new(Appender)).await?;
    let keys = MasterKeys::load(config.vault.sources()).await?;
    let version = keys.current();
    let vault = Vault::open(db.clone(), keys.clone(), config.vault.cipher, clock.clone()).await?;
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
        .map_err(crate::audit::AuditError::from)?;
    db.write(Urgency::Urgent, |tx| {
        Box::pin(async move {
            tx.append(entry.into());
            Ok::<_, DbError>(())
        })
    })
    .await
    .map_err(crate::audit::AuditError::from)?;
    if common.json {
        out::json(&json!({ "version": version, "subjects": subjects }))?;
    } else {
        out::text(&format!(
            "{subjects} subjects are under master key {version} now; lower versions open nothing"
        ))?;
    }
    Ok(Exit::Done)
}
