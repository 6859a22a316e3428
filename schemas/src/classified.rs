//! How each official rule is judged that is no row of the rules table, and what nobody settled.
//!
//! # Promise
//!
//! Every rule of the bureau is in one of five classes ([`Class`]); what only the bureau can judge
//! names its cure, what is not settled names the conflict. Where two readings are known the edition
//! says which of them holds (`edition.tsv`, under the name of the conflict).
//!
//! # What is not here
//!
//! The rules that are judged: see [`RecordPlan`](crate::plan::RecordPlan).

use serde::Serialize;

use crate::file;
use crate::table::{Row, TableError};

/// Who can judge a rule.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Class {
    /// A row of the tables, executed as it stands.
    Data,
    /// A row, or a check of files, that needs a named function.
    Predicate,
    /// Only the bureau: it needs what the bureau has stored.
    Database,
    /// Whoever has the other records of the file.
    File,
    /// Nobody: the sources disagree, or do not say.
    Unsettled,
    /// No table says who.
    Unclassified,
}

/// A rule that is no row of the rules table.
#[derive(Debug)]
pub struct Classified {
    rule: Box<str>,
    record: Box<str>,
    code: Box<str>,
    tags: Box<str>,
    class: Class,
    by: Box<str>,
    zh: Box<str>,
    en: Box<str>,
    confidence: Box<str>,
}

/// What the sources do not settle.
#[derive(Debug)]
pub struct Conflict {
    id: Box<str>,
    readings: Vec<Box<str>>,
    chosen: Option<Box<str>>,
    zh: Box<str>,
    en: Box<str>,
    confidence: Box<str>,
}

/// What to do when the bureau refuses by a rule that only it can judge.
#[derive(Debug)]
pub struct Cure {
    id: Box<str>,
    zh: Box<str>,
    en: Box<str>,
}

impl Classified {
    pub(crate) fn parse(
        row: Row<'_, '_>,
        cures: &[Cure],
        conflicts: &[Conflict],
    ) -> Result<Self, TableError> {
        let by = row.get("by");
        let (class, known) = match row.need("kind")? {
            "data" => (Class::Data, true),
            "database" => (Class::Database, cures.iter().any(|cure| &*cure.id == by)),
            "file" => (Class::File, file::asked().any(|asked| asked.check == by)),
            "unsettled" => (
                Class::Unsettled,
                conflicts.iter().any(|conflict| &*conflict.id == by),
            ),
            _ => return Err(row.error("kind", "data, database, file or unsettled")),
        };
        if !known {
            return Err(row.error("by", "no such cure, check or conflict"));
        }
        Ok(Self {
            rule: row.need("rule")?.into(),
            record: row.need("record")?.into(),
            code: row.get("code").into(),
            tags: row.get("tags").into(),
            class,
            by: by.into(),
            zh: row.get("zh").into(),
            en: row.get("en").into(),
            confidence: row.get("confidence").into(),
        })
    }

    /// The official rule.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The record type, or `all`.
    #[must_use]
    pub fn record(&self) -> &str {
        &self.record
    }

    /// The bureau's error code; empty where the rule stands for others that have their own.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What the bureau's answer names, where that is known.
    #[must_use]
    pub fn tags(&self) -> &str {
        &self.tags
    }

    /// Who can judge it.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// The code that the tables answer with instead, the cure, the check of files, or the conflict.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// The rule in Chinese and English; empty where the official text says it.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        (&self.zh, &self.en)
    }

    /// `high`, `medium` or `low`; empty where the official rule has its own.
    #[must_use]
    pub fn confidence(&self) -> &str {
        &self.confidence
    }
}

impl Conflict {
    pub(crate) fn parse(row: Row<'_, '_>, chosen: &str) -> Result<Self, TableError> {
        let readings = row.get("readings").split(';').filter(|it| !it.is_empty());
        let readings: Vec<Box<str>> = readings.map(Into::into).collect();
        if !readings.is_empty() && !readings.iter().any(|reading| &**reading == chosen) {
            return Err(row.error(
                "readings",
                format!("edition.tsv chooses none of them: {chosen:?}"),
            ));
        }
        Ok(Self {
            id: row.need("conflict")?.into(),
            chosen: (!readings.is_empty()).then(|| chosen.into()),
            readings,
            zh: row.need("zh")?.into(),
            en: row.need("en")?.into(),
            confidence: row.get("confidence").into(),
        })
    }

    /// Its name, such as `dropped_checks`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The readings that an edition may choose from; none where no row depends on it.
    pub fn readings(&self) -> impl ExactSizeIterator<Item = &str> {
        self.readings.iter().map(|reading| &**reading)
    }

    /// The reading that this edition chose.
    #[must_use]
    pub fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    /// What is not settled, in Chinese and English.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        (&self.zh, &self.en)
    }

    /// How sure it is that the sources leave it open: `high`, `medium` or `low`.
    #[must_use]
    pub fn confidence(&self) -> &str {
        &self.confidence
    }
}

impl Cure {
    pub(crate) fn parse(row: Row<'_, '_>) -> Result<Self, TableError> {
        Ok(Self {
            id: row.need("cure")?.into(),
            zh: row.need("zh")?.into(),
            en: row.need("en")?.into(),
        })
    }

    /// Its name, such as `unknown_code`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What to do, in Chinese and English.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        (&self.zh, &self.en)
    }
}
