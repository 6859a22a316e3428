//! What the bureau's result codes mean to an inquiry, and what cures them.

use std::sync::LazyLock;

use crate::table::{Table, TableError};
use crate::text::Label;

/// One result code. Meanings are the bureau's, cures are ours.
#[derive(Debug)]
pub struct ResultCode {
    /// The code as it comes.
    pub code: &'static str,
    /// What it makes of the inquiry.
    pub class: Class,
    /// What it means.
    pub meaning: Label<'static>,
    /// What the institution must do.
    pub cure: Label<'static>,
}

/// What an answer is to an inquiry. A code that no table lists is a rejection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// The bureau has nothing on the subject.
    NoHit,
    /// A report from which something was left out.
    Partial,
    /// No report; the bureau refuses.
    Rejected,
    /// A report.
    Report,
}

/// The entry of a result code; nothing when it is not listed.
#[must_use]
pub fn result_code(code: &str) -> Option<&'static ResultCode> {
    CODES.iter().find(|entry| entry.code == code)
}

/// All listed result codes.
#[must_use]
pub fn result_codes() -> &'static [ResultCode] {
    &CODES
}

static CODES: LazyLock<Vec<ResultCode>> = LazyLock::new(|| {
    // The table is part of the program, and a test compiles it.
    compile().expect("result-codes.tsv")
});

fn compile() -> Result<Vec<ResultCode>, TableError> {
    let text = include_str!("../../pboc-query-personal/result-codes.tsv");
    let columns = [
        "code",
        "class",
        "zh",
        "en",
        "zh_cure",
        "en_cure",
        "source",
        "confidence",
    ];
    let table = Table::parse("result-codes.tsv", text, &columns, &[])?;
    let entry = |row: crate::table::Row<'_, 'static>| {
        let class = match row.need("class")? {
            "no_hit" => Class::NoHit,
            "partial" => Class::Partial,
            "rejected" => Class::Rejected,
            "report" => Class::Report,
            _ => return Err(row.error("class", "must be no_hit, partial, rejected or report")),
        };
        Ok(ResultCode {
            code: row.need("code")?,
            class,
            meaning: Label {
                zh: row.need("zh")?,
                en: row.need("en")?,
            },
            cure: Label {
                zh: row.need("zh_cure")?,
                en: row.need("en_cure")?,
            },
        })
    };
    table.rows().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_code_has_a_class_and_a_cure() {
        assert_eq!(result_codes().len(), 24);
        let class = |code| result_code(code).map(|entry| entry.class);
        assert_eq!(class("AAA000"), Some(Class::Report));
        assert_eq!(class("AAA001"), Some(Class::NoHit));
        assert_eq!(class("DBO004"), Some(Class::Partial));
        assert_eq!(class("DBE004"), Some(Class::Rejected));
        assert_eq!(class("XYZ999"), None);
        let rejected = result_codes()
            .iter()
            .filter(|entry| entry.class == Class::Rejected);
        assert_eq!(rejected.count(), 21);
    }
}
