//! Our purposes and the reason codes of the personal list.
//!
//! Other lists number reasons differently, so a purpose is mapped per bureau
//! and product; an unmapped purpose is refused by whoever asks here.

use std::sync::LazyLock;

use crate::table::{Table, TableError};
use crate::text::Label;

/// The bureau's reason for one of our purposes.
#[derive(Debug)]
pub struct Reason {
    /// Our purpose: `loan_approval`.
    pub purpose: &'static str,
    /// Code in the list `QUERY_REASON`.
    pub code: &'static str,
    /// The bureau's name of the reason.
    pub label: Label<'static>,
}

/// The reason for a purpose in a personal inquiry (D101); nothing when the
/// purpose has none.
#[must_use]
pub fn reason(purpose: &str) -> Option<&'static Reason> {
    REASONS.iter().find(|reason| reason.purpose == purpose)
}

/// All mapped purposes.
#[must_use]
pub fn reasons() -> &'static [Reason] {
    &REASONS
}

static REASONS: LazyLock<Vec<Reason>> = LazyLock::new(|| {
    // The table is part of the program, and a test compiles it.
    compile().expect("purposes.tsv")
});

fn compile() -> Result<Vec<Reason>, TableError> {
    let text = include_str!("../../pboc-query-personal/purposes.tsv");
    let columns = ["purpose", "reason", "zh", "en", "source", "confidence"];
    let table = Table::parse("purposes.tsv", text, &columns, &[])?;
    let reason = |row: crate::table::Row<'_, 'static>| {
        Ok(Reason {
            purpose: row.need("purpose")?,
            code: row.need("reason")?,
            label: Label {
                zh: row.need("zh")?,
                en: row.need("en")?,
            },
        })
    };
    table.rows().map(reason).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_purpose_has_one_reason_of_the_list() {
        let dictionary = crate::report::Dictionary::embedded("pboc-query-personal").unwrap();
        let list = dictionary.list("QUERY_REASON").unwrap();
        assert!(reasons().iter().all(|reason| list.contains(reason.code)));
        let purposes: BTreeSet<_> = reasons().iter().map(|reason| reason.purpose).collect();
        let codes: BTreeSet<_> = reasons().iter().map(|reason| reason.code).collect();
        assert_eq!((purposes.len(), codes.len()), (13, 13));
        assert_eq!(reason("loan_approval").unwrap().code, "02");
        assert!(reason("curiosity").is_none());
    }
}
