//! What the law asks of a record beside its form: negative, restricted and forbidden information.
//!
//! # Promise
//!
//! What counts as negative is a table of conditions (`negative.tsv`), in the language of the
//! rules; what needs a consent of its own (`restricted.tsv`) and what must never be taken in
//! (`forbidden.tsv`) are lists. Each row names its source. An edition in which an item bears a
//! forbidden name does not compile.
//!
//! # What is not here
//!
//! Notices and consents: who keeps them decides whether a record waits.

use crate::expr::TestId;
use crate::plan::NodeId;
use crate::table::{Row, TableError};

/// A way in which a record can be negative.
#[derive(Debug)]
pub struct Negative {
    pub(crate) rule: Box<str>,
    pub(crate) item: NodeId,
    pub(crate) test: TestId,
    pub(crate) zh: Box<str>,
    pub(crate) en: Box<str>,
}

/// An item or segment that needs a consent of its own.
#[derive(Debug)]
pub struct Restricted {
    pub(crate) node: NodeId,
    pub(crate) path: Box<str>,
    pub(crate) category: Box<str>,
    pub(crate) zh: Box<str>,
    pub(crate) en: Box<str>,
}

/// A name that no item may bear.
#[derive(Clone, Debug)]
pub struct Forbidden {
    /// It is looked for anywhere in a name; else it must be one of the name's words.
    part: bool,
    name: Box<str>,
    category: Box<str>,
    zh: Box<str>,
    en: Box<str>,
}

impl Negative {
    /// The rule, such as `NEG-OVERDUE`; several conditions may share one.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The item that shows it.
    #[must_use]
    pub fn item(&self) -> NodeId {
        self.item
    }

    /// What it says, in Chinese and English.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        (&self.zh, &self.en)
    }
}

impl Restricted {
    /// The item or segment.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Its path from the record element.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What the consent must name, such as `income`.
    #[must_use]
    pub fn category(&self) -> &str {
        &self.category
    }

    /// The same in Chinese and English.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        (&self.zh, &self.en)
    }
}

impl Forbidden {
    pub(crate) fn parse(row: Row<'_, '_>) -> Result<Self, TableError> {
        let how = row.need("how")?;
        if !["part", "word"].contains(&how) {
            return Err(row.error("how", "part or word"));
        }
        Ok(Self {
            part: how == "part",
            name: row.need("name")?.to_lowercase().into(),
            category: row.need("category")?.into(),
            zh: row.need("zh")?.into(),
            en: row.need("en")?.into(),
        })
    }

    /// Whether this is what `name` speaks of.
    #[must_use]
    pub fn is_in(&self, name: &str) -> bool {
        if self.part {
            return name.to_lowercase().contains(&*self.name);
        }
        words(name).any(|word| word.eq_ignore_ascii_case(&self.name))
    }

    /// What must not be taken in, such as `genes`.
    #[must_use]
    pub fn category(&self) -> &str {
        &self.category
    }

    /// The same in Chinese and English.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        (&self.zh, &self.en)
    }
}

/// The words of a name: `bloodType`, `blood_type` and `Blood type` have the same two.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphabetic()).flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let mut before = rest.chars().next()?;
            let begins = |(at, c): (usize, char)| {
                let new = c.is_uppercase() && before.is_lowercase();
                before = c;
                new.then_some(at)
            };
            let end = rest.char_indices().find_map(begins).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after;
            Some(word)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_name_falls_into_words_however_it_is_written() {
        for name in [
            "bloodType",
            "blood_type",
            "Blood Type",
            "BLOOD-TYPE",
            "BloodType2",
        ] {
            let found: Vec<String> = words(name).map(str::to_lowercase).collect();
            assert_eq!(found, ["blood", "type"], "case {name}");
        }
        assert!(!words("General").any(|word| word.eq_ignore_ascii_case("gene")));
    }
}
