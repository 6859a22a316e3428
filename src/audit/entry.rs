//! Entries: what the log says happened, without saying to whom.
//!
//! # Promise
//!
//! An [`Entry`] is canonical JSON of at most 65,535 bytes whose values came
//! through typed setters. There is no setter for free text: what is not an
//! identifier, a code, a digest, a count or a time cannot get in. Runtime words
//! are held to a narrow alphabet, and a run of digits that could be an identity
//! number, a card or a telephone number is refused.
//!
//! # Failure
//!
//! A setter never fails; [`Draft::finish`] reports the first thing that was
//! wrong. Without an entry the act it describes must not begin.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use thiserror::Error;
use uuid::Uuid;

use super::hex::Hex;
use super::json::{JsonError, Value};
use super::merkle::{Hash, leaf_hash};
use super::outline::Place;
use super::subject::SubjectTag;
use super::tile::MAX_ENTRY_BYTES;
use crate::platform::db::NewEntry;

/// The format that entries of this version name in `v`.
pub const ENTRY_VERSION: i64 = 1;

/// What happened, as a stable dotted name: `inquiry.dispatched`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Kind(&'static str);

impl Kind {
    /// Names a kind. Meant for constants, where a bad name does not compile.
    ///
    /// # Panics
    ///
    /// When the name is not of lower-case words joined by dots.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let mut n = 0;
        let mut word = false;
        while n < bytes.len() {
            match bytes[n] {
                b'a'..=b'z' | b'_' => word = true,
                b'.' if word => word = false,
                _ => panic!("a kind is lower-case words joined by dots"),
            }
            n += 1;
        }
        assert!(word, "a kind is lower-case words joined by dots");
        Self(name)
    }

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// An entry in the making.
#[derive(Clone, Debug)]
#[must_use]
pub struct Draft {
    fields: BTreeMap<String, Value>,
    data: BTreeMap<String, Value>,
    payloads: Vec<Value>,
    error: Option<EntryError>,
}

impl Draft {
    /// Begins an entry of an institution, about something that happens at `at`.
    pub fn new(kind: Kind, institution: impl fmt::Display, at: Timestamp) -> Self {
        let fields = [
            ("at".to_owned(), Value::Integer(at.as_microsecond())),
            ("kind".to_owned(), Value::String(kind.as_str().to_owned())),
            ("v".to_owned(), Value::Integer(ENTRY_VERSION)),
        ];
        let draft = Self {
            fields: fields.into(),
            data: BTreeMap::new(),
            payloads: Vec::new(),
            error: None,
        };
        draft.field("institution", &institution)
    }

    /// Who did it: an operator or a machine client.
    pub fn actor(self, id: impl fmt::Display) -> Self {
        self.field("actor", &id)
    }

    /// What it belongs to, such as the inquiry; evidence is gathered by it.
    pub fn about(self, id: impl fmt::Display) -> Self {
        self.field("ref", &id)
    }

    /// Whom it concerns.
    pub fn subject(mut self, tag: &SubjectTag) -> Self {
        self.fields
            .insert("subject".to_owned(), Value::String(tag.to_hex()));
        self
    }

    /// Binds a sealed payload by the SHA-256 of its ciphertext.
    pub fn payload(mut self, place: &Place, sha256: &Hash) -> Self {
        let text = place.to_string();
        let parts = [&place.table, &place.column, &place.row];
        if !parts
            .into_iter()
            .all(|part| is_word(part) && !part.contains('/'))
        {
            self.error
                .get_or_insert(EntryError::Word { field: "payloads" });
        }
        let members = [
            ("at".to_owned(), Value::String(text)),
            ("sha256".to_owned(), Value::String(Hex(sha256).to_string())),
        ];
        self.payloads.push(Value::Object(members.into()));
        self
    }

    /// A code that the program itself knows.
    pub fn code(self, name: &'static str, code: &'static str) -> Self {
        self.word(name, code)
    }

    /// An identifier or a foreign code, such as a bureau's: letters, digits and `._:/-`.
    pub fn word(self, name: &'static str, word: impl fmt::Display) -> Self {
        let word = word.to_string();
        if is_word(&word) {
            self.put(name, Value::String(word))
        } else {
            self.fail(EntryError::Word { field: name })
        }
    }

    /// Several words, such as the ids of the rules that refused.
    pub fn words(
        mut self,
        name: &'static str,
        words: impl IntoIterator<Item = impl fmt::Display>,
    ) -> Self {
        let mut items = Vec::new();
        for word in words {
            let word = word.to_string();
            if !is_word(&word) {
                self.error.get_or_insert(EntryError::Word { field: name });
            }
            items.push(Value::String(word));
        }
        self.put(name, Value::Array(items))
    }

    /// A digest.
    pub fn digest(self, name: &'static str, digest: &Hash) -> Self {
        self.put(name, Value::String(Hex(digest).to_string()))
    }

    /// Several digests, such as the chunk roots of a submission.
    pub fn digests<'a>(
        self,
        name: &'static str,
        digests: impl IntoIterator<Item = &'a Hash>,
    ) -> Self {
        let items = digests
            .into_iter()
            .map(|digest| Value::String(Hex(digest).to_string()));
        let items = items.collect();
        self.put(name, Value::Array(items))
    }

    /// A count or another number within ±(2^53 - 1).
    pub fn number(self, name: &'static str, number: impl TryInto<i64>) -> Self {
        match number.try_into() {
            Ok(number) => self.put(name, Value::Integer(number)),
            Err(_) => self.fail(EntryError::Json(JsonError::Integer)),
        }
    }

    /// A time, as UTC microseconds since 1970.
    pub fn time(self, name: &'static str, at: Timestamp) -> Self {
        self.put(name, Value::Integer(at.as_microsecond()))
    }

    /// A yes or no.
    pub fn flag(self, name: &'static str, flag: bool) -> Self {
        self.put(name, Value::Bool(flag))
    }

    /// Seals the entry under a new id.
    ///
    /// # Errors
    ///
    /// The first thing that was wrong in any setter, or [`EntryError::TooLong`].
    pub fn finish(mut self) -> Result<Entry, EntryError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        // Of one process, later ids sort after earlier ones.
        let id = Uuid::now_v7();
        self.fields
            .insert("id".to_owned(), Value::String(id.to_string()));
        self.fields
            .insert("data".to_owned(), Value::Object(self.data));
        if !self.payloads.is_empty() {
            self.fields
                .insert("payloads".to_owned(), Value::Array(self.payloads));
        }
        let mut body = String::with_capacity(384);
        Value::Object(self.fields).write(&mut body)?;
        if body.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong);
        }
        let body = body.into_bytes();
        Ok(Entry {
            id,
            leaf: leaf_hash(&body),
            body,
        })
    }

    fn field(mut self, name: &'static str, id: &dyn fmt::Display) -> Self {
        let word = id.to_string();
        if !is_word(&word) {
            return self.fail(EntryError::Word { field: name });
        }
        self.fields.insert(name.to_owned(), Value::String(word));
        self
    }

    fn put(mut self, name: &'static str, value: Value) -> Self {
        if self.data.insert(name.to_owned(), value).is_some() {
            return self.fail(EntryError::Twice { field: name });
        }
        self
    }

    fn fail(mut self, error: EntryError) -> Self {
        self.error.get_or_insert(error);
        self
    }
}

/// One finished entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    id: Uuid,
    leaf: Hash,
    body: Vec<u8>,
}

impl Entry {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// What the requester gets at once; index and proof follow.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        Receipt {
            entry: self.id.to_string(),
            leaf: Hex(&self.leaf).to_string(),
        }
    }
}

impl From<Entry> for NewEntry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id.to_string(),
            leaf: entry.leaf,
            body: entry.body,
        }
    }
}

/// Names an entry before it has an index.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// The entry's id.
    pub entry: String,
    /// Its RFC 6962 leaf hash, hexadecimal.
    pub leaf: String,
}

/// Whether a text is an identifier or a code, and nothing else: 1 to 128 of
/// letters, digits and `._:/-`, without a run of digits that could be personal.
#[must_use]
pub fn is_word(text: &str) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"._:/-".contains(b);
    let narrow = (1..=128).contains(&text.len()) && text.as_bytes().iter().all(allowed);
    narrow
        && !without_uuid(text)
            .split(|c: char| !c.is_ascii_digit())
            .any(is_personal)
}

/// What stands before a UUID: in one of its groups, digits can form a telephone
/// number by chance.
fn without_uuid(text: &str) -> &str {
    if Uuid::try_parse(text).is_ok() {
        return "";
    }
    // A hyphenated one, set off from what it follows.
    text.len()
        .checked_sub(36)
        .and_then(|at| text.split_at_checked(at))
        .filter(|(before, uuid)| {
            !before.ends_with(|c: char| c.is_ascii_alphanumeric()) && Uuid::try_parse(uuid).is_ok()
        })
        .map_or(text, |(before, _)| before)
}

/// Whether a run of digits has the length of an identity number (15, 17 before
/// an X, 18), a card (16 to 19) or a report (22), or the form of a mobile number.
fn is_personal(digits: &str) -> bool {
    let mobile = digits
        .strip_prefix("86")
        .filter(|rest| rest.len() == 11)
        .unwrap_or(digits);
    digits.len() >= 15 || (mobile.len() == 11 && mobile.starts_with('1'))
}

/// Why an entry cannot be made, or read.
#[derive(Clone, Copy, Debug, Eq, Error, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum EntryError {
    /// A required member is missing or malformed.
    #[error("not an entry: a required member is missing or malformed")]
    Fields,
    /// Not canonical JSON.
    #[error("not canonical JSON: {0}")]
    Json(#[from] JsonError),
    /// Longer than a bundle can carry.
    #[error("an entry may hold at most 65,535 bytes")]
    TooLong,
    /// One name set twice.
    #[error("the field {field} was set twice")]
    Twice {
        /// Its name.
        field: &'static str,
    },
    /// A text that is no identifier or code, or could be personal.
    #[error("the field {field} takes identifiers and codes only")]
    Word {
        /// Its name.
        field: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::merkle::sha256;
    use crate::audit::outline::Outline;

    const DISPATCHED: Kind = Kind::new("inquiry.dispatched");

    fn draft() -> Draft {
        Draft::new(DISPATCHED, "demo-bank", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_entry_is_canonical_and_names_what_it_binds() {
        let place = Place {
            table: "reports".into(),
            column: "body".into(),
            row: "r-1".into(),
        };
        let inquiry = Uuid::now_v7();
        let entry = draft()
            .actor("operator-7")
            .about(inquiry)
            .subject(&SubjectTag::new(
                &[1; 32],
                &sha256(b"10\n99999919900101001X\n"),
            ))
            .payload(&place, &[0xab; 32])
            .word("bureau", "pboc")
            .words("rules", ["QR-01", "QR-05"])
            .number("bytes", 4_096_u32)
            .time("valid_until", Timestamp::UNIX_EPOCH)
            .flag("fresh", false)
            .digest("request", &[1; 32])
            .finish()
            .expect("a good entry");
        let outline = Outline::read(entry.body()).expect("canonical");
        assert_eq!(outline.id, entry.id());
        assert_eq!(outline.about, Some(inquiry.to_string().as_str()));
        assert_eq!(outline.bindings(), Ok(vec![(place, [0xab; 32])]));
        let text = std::str::from_utf8(entry.body()).expect("text");
        assert!(text.starts_with(r#"{"actor":"operator-7","at":0,"data":{"bureau":"pboc","#));
        assert!(!text.contains("999999"), "{text}");
        assert_eq!(
            entry.receipt().leaf,
            Hex(&leaf_hash(entry.body())).to_string()
        );
    }

    #[test]
    fn nothing_that_could_be_personal_or_free_text_gets_in() {
        let cases = [
            ("identity number", "999999199001010014", false),
            ("identity number with X", "99999919900101001X", false),
            ("old identity number", "999999900101001", false),
            ("hidden behind a dash", "id-999999199001010014", false),
            ("mobile number", "13800000000", false),
            ("mobile number with country", "8613800000000", false),
            ("card", "6222000000000000", false),
            ("report number", "2026010100000000000001", false),
            ("name", "测试甲", false),
            ("words", "the bureau said", false),
            ("mail", "a@example.com", false),
            ("empty", "", false),
            ("bureau code", "DBO004", true),
            ("institution code", "B1061100000001", true),
            ("date", "2026-01-01", true),
            (
                "uuid with digits only in a group",
                "01900000-0000-7000-8000-123456789012",
                true,
            ),
            (
                "the same after a prefix",
                "paper-01900000-0000-7000-8000-13800000000a",
                true,
            ),
            (
                "a number before a uuid",
                "13800000000-01900000-0000-7000-8000-123456789012",
                false,
            ),
            (
                "a uuid that is not set off",
                "1380000000001900000-0000-7000-8000-13800000000a",
                false,
            ),
        ];
        for (name, text, good) in cases {
            assert_eq!(draft().word("code", text).finish().is_ok(), good, "{name}");
            assert_eq!(
                draft().actor(text).finish().is_ok(),
                good,
                "{name} as actor"
            );
            assert_eq!(
                draft().words("codes", [text]).finish().is_ok(),
                good,
                "{name} in a list"
            );
        }
    }

    #[test]
    fn a_mistake_in_a_setter_is_reported_at_the_end() {
        let twice = draft().flag("a", true).flag("a", true).finish();
        assert_eq!(twice, Err(EntryError::Twice { field: "a" }));
        let large = draft().number("n", i64::MAX).finish();
        assert_eq!(large, Err(EntryError::Json(JsonError::Integer)));
        let large = draft().number("n", u64::MAX).finish();
        assert_eq!(large, Err(EntryError::Json(JsonError::Integer)));
        let name = draft().flag("Upper", true).finish();
        assert_eq!(name, Err(EntryError::Json(JsonError::Name)));
        let long = draft().digests("roots", &vec![[0; 32]; 1_000]).finish();
        assert_eq!(long, Err(EntryError::TooLong));
    }
}
