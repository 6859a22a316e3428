//! Where secrets stand, and how they are read.
//!
//! # Promise
//!
//! A file with a secret is read only if nobody but its owner can read it. What
//! was read is wiped when dropped and does not show in `Debug`.
//!
//! # Failure
//!
//! [`SecretError`] names the place, never the content.

use std::{
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Why a secret cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read the file.
    #[error("{} is open to others; its mode must be 0600", .0.display())]
    Mode(PathBuf),
    /// Not UTF-8, or empty.
    #[error("{0} holds no text")]
    Text(String),
    /// The variable is not set.
    #[error("the variable {0} is not set")]
    Variable(String),
}

/// Where a secret stands: `{ file = "…" }`, `{ env = "…" }` or `{ value = "…" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// In a variable of the environment.
    Env(String),
    /// In a file with mode 0600; white space at its end does not count.
    File(PathBuf),
    /// Here. A production profile refuses it.
    #[serde(deserialize_with = "secret")]
    Value(SecretString),
}

impl SecretSource {
    /// Reads the secret.
    ///
    /// # Errors
    ///
    /// See [`SecretError`].
    pub fn read(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Env(name) => match std::env::var(name) {
                Ok(text) if !text.is_empty() => Ok(text.into()),
                Ok(_) | Err(std::env::VarError::NotUnicode(_)) => {
                    Err(SecretError::Text(format!("the variable {name}")))
                }
                Err(std::env::VarError::NotPresent) => Err(SecretError::Variable(name.clone())),
            },
            Self::File(path) => {
                let bytes = read_private(path)?;
                match std::str::from_utf8(&bytes).map(str::trim_end) {
                    Ok(text) if !text.is_empty() => Ok(text.into()),
                    _ => Err(SecretError::Text(path.display().to_string())),
                }
            }
            Self::Value(text) => Ok(text.clone()),
        }
    }
}

/// The bytes of a file that only its owner can read. For small files, at start
/// or reload.
///
/// # Errors
///
/// [`SecretError::File`] or [`SecretError::Mode`].
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let failed = |source| SecretError::File {
        path: path.to_owned(),
        source,
    };
    let facts = std::fs::metadata(path).map_err(failed)?;
    if facts.permissions().mode() & 0o077 != 0 {
        return Err(SecretError::Mode(path.to_owned()));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(failed)
}

/// The 32 bytes that 64 hexadecimal digits or Base64 spell, with or without
/// white space around.
#[must_use]
pub fn key_bytes(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim_ascii();
    let mut bytes = Zeroizing::new([0; 32]);
    if text.len() == 64 {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
        }
    } else {
        let decoded = Zeroizing::new(BASE64.decode(text).ok()?);
        (decoded.len() == bytes.len()).then(|| bytes.copy_from_slice(&decoded))?;
    }
    Some(bytes)
}

fn secret<'de, D: Deserializer<'de>>(input: D) -> Result<SecretString, D::Error> {
    String::deserialize(input).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        secret: SecretSource,
    }

    #[test]
    fn a_secret_is_read_from_a_file_of_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "p4ss word \n").unwrap();
        let text = format!("secret = {{ file = {:?} }}", path.to_str().unwrap());
        let source = toml::from_str::<Holder>(&text).unwrap().secret;
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let read = source.read();
            assert_eq!(read.is_ok(), good, "mode {mode:o}");
            if let Ok(read) = read {
                assert_eq!(read.expose_secret(), "p4ss word");
            }
        }
        let missing = SecretSource::File(folder.path().join("missing")).read();
        assert!(matches!(missing, Err(SecretError::File { .. })));
        let unset = SecretSource::Env("CREDITGATE_NO_SUCH_VARIABLE".to_owned()).read();
        assert!(matches!(unset, Err(SecretError::Variable(_))));
    }

    #[test]
    fn a_value_in_place_does_not_show() {
        let source = toml::from_str::<Holder>("secret = { value = \"p4ss\" }").unwrap();
        assert!(!format!("{:?}", source.secret).contains("p4ss"));
        assert_eq!(source.secret.read().unwrap().expose_secret(), "p4ss");
    }

    #[test]
    fn a_key_is_read_in_either_spelling_and_in_no_other() {
        let hex = "00".repeat(31) + "fF\n";
        let base64 = BASE64.encode([&[0u8; 31][..], &[255]].concat());
        let key = key_bytes(hex.as_bytes()).unwrap();
        assert_eq!((key[30], key[31]), (0, 255));
        assert_eq!(key_bytes(base64.as_bytes()), Some(key));
        for wrong in ["", "00", &"0g".repeat(32), &BASE64.encode([0; 31])] {
            assert_eq!(key_bytes(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
