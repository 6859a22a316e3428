//! Checkpoints: the size and root of a log, signed, after C2SP tlog-checkpoint.
//!
//! Source: <https://c2sp.org/tlog-checkpoint>.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::key::{LogKey, VerifierKey};
use super::merkle::Hash;
use super::note::{Note, NoteError};

/// What one checkpoint states of a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// Entries in the tree.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Signs the statement that the log of `key` has this root at this size.
    ///
    /// # Errors
    ///
    /// Those of [`LogKey::sign`].
    pub fn sign(key: &LogKey, size: u64, root: &Hash) -> Result<Note, NoteError> {
        key.sign(&format!(
            "{}\n{size}\n{}\n",
            key.verifier().name(),
            BASE64.encode(root)
        ))
    }

    /// Reads a checkpoint that the log of `key` has signed.
    ///
    /// # Errors
    ///
    /// Those of [`Note::open`]; [`NoteError::Text`] when it is no checkpoint or
    /// names another log.
    pub fn open(note: &Note, key: &VerifierKey) -> Result<Self, NoteError> {
        let checkpoint: Self = note.open(key)?.parse()?;
        if checkpoint.origin == key.name() {
            Ok(checkpoint)
        } else {
            Err(NoteError::Text)
        }
    }

    /// Reads what a checkpoint claims, though nobody vouches for it.
    ///
    /// # Errors
    ///
    /// [`NoteError::Text`] when it is no checkpoint.
    pub fn unverified(note: &Note) -> Result<Self, NoteError> {
        note.unverified_text().parse()
    }
}

impl FromStr for Checkpoint {
    type Err = NoteError;

    /// Reads the note's text; extension lines are allowed and ignored.
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let lines = text.strip_suffix('\n').ok_or(NoteError::Text)?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Text);
        };
        let number = size.parse::<u64>().map_err(|_| NoteError::Text)?;
        let root = BASE64
            .decode(root)
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        let root = root.ok_or(NoteError::Text)?;
        let well_formed = !origin.is_empty() && number.to_string() == size;
        if !well_formed || lines.any(str::is_empty) {
            return Err(NoteError::Text);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: number,
            root,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::merkle::empty_root;

    #[test]
    fn the_text_of_a_checkpoint_has_one_spelling() {
        let root = BASE64.encode(empty_root());
        let cases = [
            ("plain", format!("log\n0\n{root}\n"), true),
            ("extension line", format!("log\n7\n{root}\nextra\n"), true),
            ("empty extension line", format!("log\n7\n{root}\n\n"), false),
            ("no origin", format!("\n7\n{root}\n"), false),
            ("leading zero", format!("log\n07\n{root}\n"), false),
            ("plus sign", format!("log\n+7\n{root}\n"), false),
            ("short root", format!("log\n7\n{}\n", &root[4..]), false),
            ("no newline", format!("log\n7\n{root}"), false),
            ("two lines", "log\n7\n".to_owned(), false),
        ];
        for (name, text, good) in cases {
            assert_eq!(text.parse::<Checkpoint>().is_ok(), good, "{name}");
        }
    }

    #[test]
    fn a_checkpoint_opens_only_under_the_key_of_its_log() {
        let random = ring::rand::SystemRandom::new();
        let key = |name| LogKey::generate(name, &random).expect("random").0;
        let (ours, other) = (key("log.example/a"), key("log.example/b"));
        let note = Checkpoint::sign(&ours, 3, &empty_root()).expect("a good text");
        let opened = Checkpoint::open(&note, ours.verifier()).expect("our key");
        assert_eq!((opened.size, opened.root), (3, empty_root()));
        assert_eq!(
            Checkpoint::open(&note, other.verifier()),
            Err(NoteError::Unsigned)
        );
        let foreign = other.sign(note.unverified_text()).expect("a good text");
        assert_eq!(
            Checkpoint::open(&foreign, other.verifier()),
            Err(NoteError::Text)
        );
    }
}
