//! Keys of signed notes, in the spelling of C2SP signed-note and Go's `sumdb/note`.

use std::fmt;
use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::rand::SecureRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::merkle::sha256;
use super::note::{Note, NoteError};

/// What a key signs; the identifier byte of the standard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyKind {
    /// A log's Ed25519 signature over the text (`0x01`).
    Log,
    /// A witness's Ed25519 cosignature over a time and the text (`0x04`).
    Witness,
}

/// A public key with the name that it signs under: `<name>+<id>+<base64>`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifierKey {
    pub(super) name: String,
    pub(super) id: u32,
    pub(super) kind: KeyKind,
    pub(super) public: [u8; 32],
}

impl VerifierKey {
    /// Names a public key.
    ///
    /// # Errors
    ///
    /// [`NoteError::KeyName`] when the name is empty or holds spaces or `+`.
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::KeyName);
        }
        Ok(Self {
            name: name.to_owned(),
            id: key_id(name, kind, &public),
            kind,
            public,
        })
    }

    /// The name; for a log also the origin of its checkpoints.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = [&[self.kind.byte()], self.public.as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, BASE64.encode(body))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, id, kind, public) = parse_key(text)?;
        let key = Self::new(name, kind, *public)?;
        if format!("{:08x}", key.id) == id {
            Ok(key)
        } else {
            Err(NoteError::Key)
        }
    }
}

/// The private key of a log: `PRIVATE+KEY+<name>+<id>+<base64>`, as Go's `sumdb/note` writes it.
pub struct LogKey {
    verifier: VerifierKey,
    pair: Ed25519KeyPair,
}

impl LogKey {
    /// Makes a new key and its text, which is to be kept secret.
    ///
    /// # Errors
    ///
    /// [`NoteError::KeyName`], or [`NoteError::Random`] when the source fails.
    pub fn generate(
        name: &str,
        random: &dyn SecureRandom,
    ) -> Result<(Self, SecretString), NoteError> {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(seed.as_mut()).map_err(|_| NoteError::Random)?;
        let key = Self::from_seed(name, &seed)?;
        let body = Zeroizing::new([&[KeyKind::Log.byte()], seed.as_slice()].concat());
        let body = Zeroizing::new(BASE64.encode(body.as_slice()));
        let text = format!(
            "PRIVATE+KEY+{name}+{:08x}+{}",
            key.verifier.id,
            body.as_str()
        );
        Ok((key, SecretString::from(text)))
    }

    /// Reads the text of a key.
    ///
    /// # Errors
    ///
    /// [`NoteError::Key`] when it is not a log's private key.
    pub fn parse(text: &SecretString) -> Result<Self, NoteError> {
        let text = text.expose_secret().trim_end_matches('\n');
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or(NoteError::Key)?;
        let (name, id, kind, seed) = parse_key(rest)?;
        let key = Self::from_seed(name, &seed)?;
        if kind == KeyKind::Log && format!("{:08x}", key.verifier.id) == id {
            Ok(key)
        } else {
            Err(NoteError::Key)
        }
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text, which must end with a newline.
    ///
    /// # Errors
    ///
    /// [`NoteError::Text`] when the text cannot stand in a note.
    pub fn sign(&self, text: &str) -> Result<Note, NoteError> {
        Note::new(
            text,
            &self.verifier,
            self.pair.sign(text.as_bytes()).as_ref(),
        )
    }

    pub(super) fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Key)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| NoteError::Key)?;
        Ok(Self {
            verifier: VerifierKey::new(name, KeyKind::Log, public)?,
            pair,
        })
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogKey")
            .field(&self.verifier.name)
            .finish_non_exhaustive()
    }
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// A public key, or the seed of a private one.
type KeyBytes = Zeroizing<[u8; 32]>;

/// Splits `<name>+<id>+<base64>`; the base64 itself may hold `+`.
fn parse_key(text: &str) -> Result<(&str, &str, KeyKind, KeyBytes), NoteError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::Key);
    };
    let body = Zeroizing::new(BASE64.decode(body).map_err(|_| NoteError::Key)?);
    let kind = match body.first() {
        Some(0x01) => KeyKind::Log,
        Some(0x04) => KeyKind::Witness,
        _ => return Err(NoteError::Key),
    };
    let key = body[1..].try_into().map_err(|_| NoteError::Key)?;
    Ok((name, id, kind, Zeroizing::new(key)))
}

fn key_id(name: &str, kind: KeyKind, public: &[u8]) -> u32 {
    let hash = sha256(&[name.as_bytes(), b"\n", &[kind.byte()], public].concat());
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

pub(super) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_text_and_from_no_other() {
        let random = ring::rand::SystemRandom::new();
        let (key, text) = LogKey::generate("log.example", &random).expect("random");
        let again = LogKey::parse(&text).expect("own text");
        assert_eq!(again.verifier(), key.verifier());
        assert!(!format!("{key:?}").contains(text.expose_secret()));
        let other = text.expose_secret().replace("log.example", "log.exemple");
        assert_eq!(LogKey::parse(&other.into()).err(), Some(NoteError::Key));
        let public = key.verifier().to_string();
        assert_eq!(public.parse::<VerifierKey>().as_ref(), Ok(key.verifier()));
        assert_eq!(LogKey::parse(&public.into()).err(), Some(NoteError::Key));
        for name in ["", "a b", "a+b", "a\u{3000}b"] {
            assert_eq!(
                LogKey::from_seed(name, &[1; 32]).err(),
                Some(NoteError::KeyName)
            );
        }
    }
}
