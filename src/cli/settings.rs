//! What commands take from the configuration, and `creditgate config`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Subcommand;
use secrecy::{ExposeSecret as _, SecretString};

use super::{CliError, Common, Exit, out};
use crate::{
    audit::Appender,
    gateway,
    platform::{
        clock::Clock,
        config::{self, Config, Depth, client::ClientConfig},
        db::{self, Db, Ownership},
        vault::{MasterKeys, Vault},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tell everything that is wrong with the configuration, with lines
    Check,
}

pub(super) fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    let Command::Check = command;
    match common.check(Depth::Files) {
        Ok(_) if common.json => out::json(&Vec::<()>::new())?,
        Ok(_) => out::text(&format!("✓ {} is good", common.config.display()))?,
        Err(CliError::Config(_, findings)) if common.json => {
            out::json(&findings)?;
            return Ok(Exit::Usage);
        }
        Err(error) => return Err(error),
    }
    Ok(Exit::Done)
}

impl Common {
    /// The whole configuration, checked as deep as that.
    pub(super) fn check(&self, depth: Depth) -> Result<Config, CliError> {
        let now = Clock::system().now();
        config::check(&self.config, depth, &gateway::vocabulary(), now)
            .map_err(|findings| CliError::Config(self.config.clone(), findings))
    }

    /// How to find the gateway; the rest of the file may be missing.
    pub(super) fn client(&self) -> Result<ClientConfig, CliError> {
        let text = fs::read_to_string(&self.config).map_err(|source| CliError::Read {
            path: self.config.clone(),
            source,
        })?;
        let folder = self.config.parent().unwrap_or(Path::new(""));
        Ok(ClientConfig::read(&text, folder)?)
    }

    /// The configured database, to read beside whoever owns it.
    pub(super) async fn database(&self) -> Result<Db, CliError> {
        let address = address(&self.check(Depth::Text)?)?;
        Ok(Db::open_to_read(address.expose_secret(), Arc::new(Appender)).await?)
    }
}

/// A database that this command owns, and its vault.
pub(super) struct Owned {
    pub(super) db: Db,
    pub(super) masters: MasterKeys,
    pub(super) vault: Vault,
    _ownership: Ownership,
}

/// Takes the configured database, which nobody may be serving.
pub(super) async fn own(common: &Common, clock: Clock) -> Result<Owned, CliError> {
    let config = common.check(Depth::Text)?;
    let address = address(&config)?;
    let ownership = db::own(address.expose_secret()).await?;
    let db = Db::open(address.expose_secret(), Arc::new(Appender)).await?;
    let masters = MasterKeys::load(config.vault.sources()).await?;
    let vault = Vault::open(db.clone(), masters.clone(), config.vault.cipher, clock).await?;
    Ok(Owned {
        db,
        masters,
        vault,
        _ownership: ownership,
    })
}

/// The address of the configured database, with its password.
pub(super) fn address(config: &Config) -> Result<SecretString, CliError> {
    Ok(config.database.full_address()?)
}

/// An SQLite file, to read beside whoever owns it.
pub(super) async fn sqlite(path: &PathBuf) -> Result<Db, CliError> {
    // Opening names neither the file nor the reason well.
    fs::File::open(path).map_err(|source| CliError::Read {
        path: path.clone(),
        source,
    })?;
    let address = format!("sqlite:{}", path.display());
    Ok(Db::open_to_read(&address, Arc::new(Appender)).await?)
}
