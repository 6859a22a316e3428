//! The vault: its cipher and its master keys.

use std::path::PathBuf;

use serde::Deserialize;

use crate::platform::vault::{Cipher, MasterSource};

/// The vault, as configuration names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// The cipher of what is sealed from now on: `aes256-gcm` or `sm4-gcm`.
    #[serde(default)]
    pub cipher: Cipher,
    /// The master keys: the highest version wraps, the others only open.
    pub master_keys: Vec<MasterKeyConfig>,
}

/// A master key: 32 bytes, as 64 hexadecimal digits or as Base64.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterKeyConfig {
    /// Its version; a new key has a higher one than all before.
    pub version: u32,
    /// A file that holds it, mode 0600.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// A program, with arguments, that prints it.
    #[serde(default)]
    pub command: Option<Vec<String>>,
}

impl MasterKeyConfig {
    /// Where the key comes from; `None` unless it is exactly one place.
    #[must_use]
    pub fn source(&self) -> Option<MasterSource> {
        match (&self.file, &self.command) {
            (Some(file), None) => Some(MasterSource::File(file.clone())),
            (None, Some(command)) => Some(MasterSource::Command(command.clone())),
            _ => None,
        }
    }
}

impl VaultConfig {
    /// All keys with their versions, for `MasterKeys::load`.
    #[must_use]
    pub fn sources(&self) -> Vec<(u32, MasterSource)> {
        self.master_keys
            .iter()
            .filter_map(|key| Some((key.version, key.source()?)))
            .collect()
    }
}
