//! Signed notes: text with Ed25519 signatures of known keys, after C2SP signed-note.
//!
//! # Promise
//!
//! Text leaves a note only by [`Note::open`], which takes the key that must have
//! signed it. Signature lines of other keys, such as those of witnesses, are
//! kept byte for byte and never trusted by themselves.
//!
//! Sources: <https://c2sp.org/signed-note>, <https://c2sp.org/tlog-cosignature>.

use std::fmt;
use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::signature::{ED25519, UnparsedPublicKey};
use thiserror::Error;

use super::key::{KeyKind, VerifierKey, is_key_name};

/// A text with its signatures, none of them checked yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// Name of the key.
    pub name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Note {
    /// A note with one signature.
    pub(super) fn new(text: &str, key: &VerifierKey, signature: &[u8]) -> Result<Self, NoteError> {
        check_text(text)?;
        let line = Signature {
            name: key.name.clone(),
            id: key.id,
            bytes: signature.to_vec(),
        };
        Ok(Self {
            text: text.to_owned(),
            signatures: vec![line],
        })
    }

    /// The text, if `key` signed it.
    ///
    /// # Errors
    ///
    /// [`NoteError::Unsigned`] when no line names the key,
    /// [`NoteError::Signature`] when a line that names it does not hold.
    pub fn open(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        let mut signed = false;
        for line in self.lines_of(key) {
            let (prefix, signature) = match key.kind {
                KeyKind::Log => (String::new(), line.bytes.as_slice()),
                KeyKind::Witness => {
                    let (time, signature) =
                        line.bytes.split_first_chunk().ok_or(NoteError::Signature)?;
                    let seconds = u64::from_be_bytes(*time);
                    (format!("cosignature/v1\ntime {seconds}\n"), signature)
                }
            };
            let message = [prefix.as_bytes(), self.text.as_bytes()].concat();
            UnparsedPublicKey::new(&ED25519, key.public)
                .verify(&message, signature)
                .map_err(|_| NoteError::Signature)?;
            signed = true;
        }
        if signed {
            Ok(&self.text)
        } else {
            Err(NoteError::Unsigned)
        }
    }

    /// The text, though nobody vouches for it: only to say what an unsigned note claims.
    #[must_use]
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// All signature lines, in order.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds the lines of another note over the same text, such as a witness's.
    ///
    /// # Errors
    ///
    /// [`NoteError::Text`] when the texts differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), NoteError> {
        if self.text != other.text {
            return Err(NoteError::Text);
        }
        for line in &other.signatures {
            if !self.signatures.contains(line) {
                self.signatures.push(line.clone());
            }
        }
        Ok(())
    }

    fn lines_of<'a>(&'a self, key: &'a VerifierKey) -> impl Iterator<Item = &'a Signature> {
        self.signatures
            .iter()
            .filter(|line| line.name == key.name && line.id == key.id)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let bytes = [line.id.to_be_bytes().as_slice(), &line.bytes].concat();
            writeln!(f, "\u{2014} {} {}", line.name, BASE64.encode(bytes))?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Text);
        }
        let at = note.rfind("\n\n").ok_or(NoteError::Unsigned)?;
        let (text, lines) = (&note[..=at], &note[at + 2..]);
        check_text(text)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Unsigned)?;
        let signatures = lines
            .split('\n')
            .map(parse_line)
            .collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or(NoteError::Signature)?;
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }
}

/// More than sixteen post-quantum signatures need; the standard asks for a limit.
const MAX_NOTE_BYTES: usize = 1 << 20;

fn parse_line(line: &str) -> Option<Signature> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = BASE64.decode(signature).ok()?;
    let (id, bytes) = bytes.split_first_chunk()?;
    if !is_key_name(name) || bytes.is_empty() {
        return None;
    }
    Some(Signature {
        name: name.to_owned(),
        id: u32::from_be_bytes(*id),
        bytes: bytes.to_vec(),
    })
}

fn check_text(text: &str) -> Result<(), NoteError> {
    let clean = !text.contains(|c: char| c < ' ' && c != '\n');
    if clean && text.ends_with('\n') {
        Ok(())
    } else {
        Err(NoteError::Text)
    }
}

/// Why a note or a key is refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NoteError {
    /// Not a key in the note format, or its id does not fit.
    #[error("this is not a signed-note key")]
    Key,
    /// A name that a signature line cannot carry.
    #[error("a key name must not be empty nor hold spaces or plus signs")]
    KeyName,
    /// No randomness for a new key.
    #[error("the random source failed")]
    Random,
    /// A signature line is malformed, or a known key's signature does not hold.
    #[error("a signature on the note does not hold")]
    Signature,
    /// The text cannot stand in a note.
    #[error("the note's text is malformed")]
    Text,
    /// The expected key has not signed.
    #[error("the note is not signed by the expected key")]
    Unsigned,
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;

    use super::*;
    use crate::audit::key::LogKey;

    /// The example of Go's `golang.org/x/mod/sumdb/note`, made by its authors.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SAYING: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn key() -> LogKey {
        LogKey::from_seed("log.example/institution", &[7; 32]).expect("a good name")
    }

    #[test]
    fn a_note_that_go_signed_opens() {
        let peter: VerifierKey = PETER.parse().expect("a key");
        assert_eq!(peter.to_string(), PETER);
        let note: Note = SAYING.parse().expect("a note");
        assert_eq!(note.to_string(), SAYING);
        assert_eq!(note.open(&peter).map(|text| text.lines().count()), Ok(2));
        let changed: Note = SAYING.replace("answer", "anzwer").parse().expect("a note");
        assert_eq!(changed.open(&peter), Err(NoteError::Signature));
        assert_eq!(changed.open(key().verifier()), Err(NoteError::Unsigned));
    }

    #[test]
    fn we_sign_as_go_signs() {
        let secret =
            "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        let key = LogKey::parse(&secret.into()).expect("a key");
        assert_eq!(key.verifier().to_string(), PETER);
        let (text, _) = SAYING.rsplit_once("\n\n").expect("a note");
        let note = key.sign(&format!("{text}\n")).expect("text");
        assert_eq!(note.to_string(), SAYING);
    }

    #[test]
    fn a_witness_line_is_kept_and_checked_by_its_own_key() {
        let mut note = key()
            .sign("log.example/institution\n1\nroot\n")
            .expect("text");
        let witness = SigningKey::from_bytes(&[9; 32]);
        let public = witness.verifying_key().to_bytes();
        let verifier = VerifierKey::new("witness.example/w1", KeyKind::Witness, public);
        let verifier = verifier.expect("a good name");
        let message = format!("cosignature/v1\ntime 1700000000\n{}", note.text);
        let signature = witness.sign(message.as_bytes()).to_bytes();
        let bytes = [1_700_000_000_u64.to_be_bytes().as_slice(), &signature].concat();
        let line = Signature {
            name: verifier.name.clone(),
            id: verifier.id,
            bytes,
        };
        let cosigned = Note {
            text: note.text.clone(),
            signatures: vec![line],
        };
        assert_eq!(note.open(&verifier), Err(NoteError::Unsigned));
        note.merge(&cosigned).expect("the same text");
        note.merge(&cosigned).expect("the same text");
        assert_eq!(note.signatures().len(), 2);
        let note: Note = note.to_string().parse().expect("own text");
        assert!(note.open(&verifier).is_ok() && note.open(key().verifier()).is_ok());
        assert_eq!(verifier.to_string().parse(), Ok(verifier));
    }

    #[test]
    fn a_malformed_note_is_refused() {
        let good = key().sign("a\n").expect("text").to_string();
        let cases = [
            ("no signature", "a\n\n".to_owned()),
            ("no blank line", good.replace("\n\n", "\n")),
            ("cut", good[..good.len() - 1].to_owned()),
            ("control character", good.replace("a\n", "a\t\n")),
            ("hyphen for dash", good.replace('\u{2014}', "-")),
            ("bad base64", good.replace("=\n", "!\n")),
        ];
        for (name, text) in cases {
            assert!(text.parse::<Note>().is_err(), "{name}");
        }
        assert!(key().sign("no newline").is_err());
    }

    proptest! {
        #[test]
        fn a_note_with_one_changed_byte_does_not_open(at in any::<usize>(), bit in 0_u8..8) {
            let key = key();
            let mut bytes = key.sign("origin\n12\nroot\n").expect("text").to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let opened = String::from_utf8(bytes).ok().and_then(|text| {
                text.parse::<Note>().ok()?.open(key.verifier()).ok().map(str::to_owned)
            });
            prop_assert_eq!(opened, None);
        }
    }
}
