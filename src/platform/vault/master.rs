//! Master keys: under them all other keys are wrapped.
//!
//! # Promise
//!
//! A keyring holds several versions at once; the highest wraps what is new, the
//! others only open. A key comes from a file that only its owner can read, or
//! from a command's standard output; both hold 32 bytes as 64 hexadecimal
//! digits or as Base64. No key shows in an error or in `Debug`.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use zeroize::Zeroizing;

use super::cipher::{Cipher, CipherError, Key, Place, version};
use crate::platform::{
    command::{self, CommandError},
    secret::{self, SecretError},
};

/// How long a command may take to print a key.
const COMMAND_TIME: Duration = Duration::from_secs(10);

/// Why a master key cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// The command failed, or took longer than ten seconds.
    #[error("the command for a master key gave none")]
    Command(#[from] CommandError),
    /// Two keys of one version, or none at all.
    #[error("master keys need one version each, and at least one is needed")]
    Keyring,
    /// Not 32 bytes in hexadecimal or Base64.
    #[error("a master key is 32 bytes, as 64 hexadecimal digits or as Base64")]
    Format,
    /// No random bytes for a new key.
    #[error(transparent)]
    Random(#[from] CipherError),
    /// The file cannot be read, or is open to others.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// One master key.
#[derive(Clone, Debug)]
pub struct MasterKey(Key);

impl MasterKey {
    /// A new random key.
    ///
    /// # Errors
    ///
    /// [`MasterError::Random`].
    pub fn generate() -> Result<Self, MasterError> {
        Ok(Self(Key::random()?))
    }

    /// Reads 64 hexadecimal digits or Base64 of 32 bytes, with or without a
    /// line end.
    ///
    /// # Errors
    ///
    /// [`MasterError::Format`].
    pub fn parse(text: &[u8]) -> Result<Self, MasterError> {
        let bytes = secret::key_bytes(text).ok_or(MasterError::Format)?;
        Key::from_slice(&bytes[..])
            .map(Self)
            .ok_or(MasterError::Format)
    }

    /// The text that [`MasterKey::parse`] reads, with a line end: for a file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in self.0.expose() {
            for digit in [byte >> 4, byte & 15] {
                // A half byte is a hexadecimal digit.
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        text.push('\n');
        text
    }
}

/// Where a master key comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MasterSource {
    /// A program with its arguments; the key is its standard output.
    Command(Vec<String>),
    /// A file with mode 0600 or stricter.
    File(PathBuf),
}

impl MasterSource {
    /// Reads the key.
    ///
    /// # Errors
    ///
    /// See [`MasterError`].
    pub async fn load(&self) -> Result<MasterKey, MasterError> {
        match self {
            Self::Command(command) => {
                MasterKey::parse(&command::run(command, b"", COMMAND_TIME).await?)
            }
            Self::File(path) => MasterKey::parse(&secret::read_private(path)?),
        }
    }
}

/// Several versions of the master key.
#[derive(Clone)]
pub struct MasterKeys {
    keys: BTreeMap<u32, Key>,
    current: u32,
}

impl MasterKeys {
    /// A keyring; the highest version is the current one.
    ///
    /// # Errors
    ///
    /// [`MasterError::Keyring`].
    pub fn new(keys: impl IntoIterator<Item = (u32, MasterKey)>) -> Result<Self, MasterError> {
        let mut ring = BTreeMap::new();
        for (version, MasterKey(key)) in keys {
            if ring.insert(version, key).is_some() {
                return Err(MasterError::Keyring);
            }
        }
        let (&current, _) = ring.last_key_value().ok_or(MasterError::Keyring)?;
        Ok(Self {
            keys: ring,
            current,
        })
    }

    /// Loads a keyring from its sources.
    ///
    /// # Errors
    ///
    /// See [`MasterError`].
    pub async fn load(
        sources: impl IntoIterator<Item = (u32, MasterSource)>,
    ) -> Result<Self, MasterError> {
        let mut keys = Vec::new();
        for (version, source) in sources {
            keys.push((version, source.load().await?));
        }
        Self::new(keys)
    }

    /// The version that wraps what is new.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.current
    }

    /// Whether it holds this version.
    #[must_use]
    pub fn holds(&self, version: u32) -> bool {
        self.keys.contains_key(&version)
    }

    pub(super) fn wrap(
        &self,
        cipher: Cipher,
        place: &Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        self.keys
            .get(&self.current)
            .ok_or(CipherError::Unreadable)?
            .seal(cipher, self.current, place, plain)
    }

    pub(super) fn unwrap(
        &self,
        place: &Place<'_>,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        version(wrapped)
            .and_then(|version| self.keys.get(&version))
            .ok_or(CipherError::Unreadable)?
            .open(place, wrapped)
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys")
            .field("versions", &self.keys.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::platform::certs::{Existing, write_secret};

    #[test]
    fn the_highest_version_is_current_and_each_stands_once() {
        let key = || MasterKey::generate().unwrap();
        let ring = MasterKeys::new([(2, key()), (10, key()), (9, key())]).unwrap();
        assert_eq!(ring.current(), 10);
        assert!(ring.holds(2) && !ring.holds(3));
        assert!(MasterKeys::new([(1, key()), (1, key())]).is_err());
        assert!(MasterKeys::new([]).is_err());
    }

    #[tokio::test]
    async fn a_key_written_to_a_file_is_the_key_that_a_file_or_a_command_gives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let text = MasterKey::generate().unwrap().to_text();
        write_secret(&path, text.as_bytes(), Existing::Keep).unwrap();
        let command = |words: &[&str]| {
            MasterSource::Command(words.iter().map(|word| (*word).to_owned()).collect())
        };
        for source in [
            command(&["cat", path.to_str().unwrap()]),
            MasterSource::File(path.clone()),
        ] {
            assert_eq!(*source.load().await.unwrap().to_text(), *text);
        }
        for wrong in [&["false"][..], &["/no/such/program"], &["echo", "x"], &[]] {
            assert!(command(wrong).load().await.is_err(), "{wrong:?}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            MasterSource::File(path).load().await,
            Err(MasterError::Secret(SecretError::Mode(_)))
        ));
    }
}
