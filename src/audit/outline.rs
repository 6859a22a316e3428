//! What is read back from an entry's bytes: its id and the payloads that it binds.

use std::fmt;

use uuid::Uuid;

use super::entry::EntryError;
use super::hex::hash_from_hex;
use super::json;
use super::merkle::Hash;

/// What a verifier and the store read from an entry's bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outline<'a> {
    /// The id.
    pub id: Uuid,
    /// What it belongs to.
    pub about: Option<&'a str>,
    /// The raw array of bound payloads.
    pub payloads: Option<&'a [u8]>,
}

impl<'a> Outline<'a> {
    /// Checks that the bytes are a canonical entry of a known version.
    ///
    /// # Errors
    ///
    /// The first departure from the form.
    pub fn read(body: &'a [u8]) -> Result<Self, EntryError> {
        let (mut id, mut about, mut payloads, mut version) = (None, None, None, None);
        let mut missing = 4_u8;
        json::check(body, |name, raw| match name {
            b"at" | b"data" | b"institution" | b"kind" => missing -= 1,
            b"id" => id = json::plain_string(raw),
            b"payloads" => payloads = Some(raw),
            b"ref" => about = json::plain_string(raw),
            b"v" => version = Some(raw),
            _ => {}
        })?;
        // Compared bytewise: the usual parser takes other spellings as well.
        let id = id.and_then(|text| text.parse().ok().filter(|id: &Uuid| spells(text, id)));
        match (id, version, missing) {
            (Some(id), Some(b"1"), 0) => Ok(Self {
                id,
                about,
                payloads,
            }),
            _ => Err(EntryError::Fields),
        }
    }

    /// The sealed payloads that the entry binds.
    ///
    /// # Errors
    ///
    /// [`EntryError::Fields`] when they are malformed.
    pub fn bindings(&self) -> Result<Vec<(Place, Hash)>, EntryError> {
        #[derive(serde::Deserialize)]
        struct Bound<'a> {
            at: &'a str,
            sha256: &'a str,
        }
        let Some(raw) = self.payloads else {
            return Ok(Vec::new());
        };
        let bound: Vec<Bound<'_>> = serde_json::from_slice(raw).map_err(|_| EntryError::Fields)?;
        let pair = |b: &Bound<'_>| Some((Place::parse(b.at)?, hash_from_hex(b.sha256)?));
        bound
            .iter()
            .map(pair)
            .collect::<Option<_>>()
            .ok_or(EntryError::Fields)
    }
}

/// Where a sealed payload lies: `table/column/row`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Primary key of the row.
    pub row: String,
}

impl Place {
    /// Reads `table/column/row`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (table, rest) = text.split_once('/')?;
        let (column, row) = rest.split_once('/')?;
        Some(Self {
            table: table.into(),
            column: column.into(),
            row: row.into(),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.table, self.column, self.row)
    }
}

fn spells(text: &str, id: &Uuid) -> bool {
    *id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::audit::entry::{Draft, Kind};

    #[test]
    fn what_is_not_an_entry_is_not_read_as_one() {
        let kind = Kind::new("inquiry.dispatched");
        let good = Draft::new(kind, "demo-bank", Timestamp::UNIX_EPOCH)
            .finish()
            .expect("a good entry");
        let good = std::str::from_utf8(good.body()).expect("text");
        assert!(Outline::read(good.as_bytes()).is_ok());
        let cases = [
            ("no version", good.replace(",\"v\":1", "")),
            ("other version", good.replace("\"v\":1", "\"v\":2")),
            (
                "no kind",
                good.replace("\"kind\":\"inquiry.dispatched\",", ""),
            ),
            ("id not an id", good.replace("\"id\":\"0", "\"id\":\"z")),
            ("id in capitals", good.replace("\"id\":\"", "\"id\":\"A")),
            ("space", good.replace("\"v\":1", "\"v\": 1")),
        ];
        for (name, text) in cases {
            assert!(Outline::read(text.as_bytes()).is_err(), "{name}");
        }
    }
}
