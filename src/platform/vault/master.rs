//! Master keys: under them all other keys are wrapped.
//!
//! # Promise
//!
//! A keyring holds several versions at once; the highest wraps what is new, the
//! others only open. A key comes from a file that only its owner can read, or
//! from a command's standard output; both hold 32 bytes as 64 hexadecimal
//! digits or as Base64. No key shows in an error or in `Debug`.

use std::{
    collections::BTreeMap, fmt, io, os::unix::fs::PermissionsExt as _, path::PathBuf,
    process::Stdio, time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::cipher::{Cipher, CipherError, Key, Place, version};

/// How long a command may take to print a key.
const COMMAND_TIME: Duration = Duration::from_secs(10);

/// Why a master key cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// The command failed, or took longer than ten seconds.
    #[error("the command for a master key failed: {reason}")]
    Command {
        /// What went wrong; nothing of its output.
        reason: String,
    },
    /// Two keys of one version, or none at all.
    #[error("master keys need one version each, and at least one is needed")]
    Keyring,
    /// The file cannot be read.
    #[error("cannot read the master key file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Not 32 bytes in hexadecimal or Base64.
    #[error("a master key is 32 bytes, as 64 hexadecimal digits or as Base64")]
    Format,
    /// Others than its owner may read the file.
    #[error("the master key file {} is open to others; its mode must be 0600", .0.display())]
    Mode(PathBuf),
    /// No random bytes for a new key.
    #[error(transparent)]
    Random(#[from] CipherError),
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
        let text = text.trim_ascii();
        let bytes = Zeroizing::new(match text.len() {
            64 => unhex(text).ok_or(MasterError::Format)?,
            _ => BASE64.decode(text).map_err(|_| MasterError::Format)?,
        });
        Key::from_slice(&bytes).map(Self).ok_or(MasterError::Format)
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
            Self::Command(command) => MasterKey::parse(&output(command).await?),
            Self::File(path) => {
                let failed = |source| MasterError::File {
                    path: path.clone(),
                    source,
                };
                let mode = tokio::fs::metadata(path)
                    .await
                    .map_err(failed)?
                    .permissions()
                    .mode();
                if mode & 0o077 != 0 {
                    return Err(MasterError::Mode(path.clone()));
                }
                let text = Zeroizing::new(tokio::fs::read(path).await.map_err(failed)?);
                MasterKey::parse(&text)
            }
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

async fn output(command: &[String]) -> Result<Zeroizing<Vec<u8>>, MasterError> {
    let failed = |reason: String| MasterError::Command { reason };
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| failed("it is empty".into()))?;
    let run = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let done = tokio::time::timeout(COMMAND_TIME, run)
        .await
        .map_err(|_| failed("it took longer than ten seconds".into()))?
        .map_err(|error| failed(error.to_string()))?;
    let stdout = Zeroizing::new(done.stdout);
    if done.status.success() {
        Ok(stdout)
    } else {
        Err(failed(done.status.to_string()))
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_key_is_read_in_either_spelling_and_in_no_other() {
        let hex = "00".repeat(31) + "fF";
        let base64 = BASE64.encode([&[0u8; 31][..], &[255]].concat());
        let a = MasterKey::parse(hex.as_bytes()).unwrap();
        let b = MasterKey::parse(format!("{base64}\n").as_bytes()).unwrap();
        assert_eq!(a.0.expose(), b.0.expose());
        assert_eq!(*a.to_text(), "00".repeat(31) + "ff\n");
        for wrong in ["", "00", &"0g".repeat(32), &BASE64.encode([0; 31])] {
            assert!(matches!(
                MasterKey::parse(wrong.as_bytes()),
                Err(MasterError::Format)
            ));
        }
    }

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
    async fn a_file_open_to_others_is_refused_and_a_command_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let text = MasterKey::generate().unwrap().to_text();
        fs::write(&path, text.as_bytes()).unwrap();
        let source = MasterSource::File(path.clone());
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(source.load().await.is_ok(), good, "mode {mode:o}");
        }
        let command = |words: &[&str]| {
            MasterSource::Command(words.iter().map(|word| (*word).to_owned()).collect())
        };
        let loaded = command(&["cat", path.to_str().unwrap()]).load().await;
        assert_eq!(*loaded.unwrap().to_text(), *text);
        for wrong in [&["false"][..], &["/no/such/program"], &["echo", "x"], &[]] {
            assert!(command(wrong).load().await.is_err(), "{wrong:?}");
        }
    }
}
