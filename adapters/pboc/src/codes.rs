//! The bureau's code lists, as this dialect needs them.

use std::sync::LazyLock;

/// Service of the personal report (S2, S5; high).
pub(crate) const PERSONAL_SERVICE: &str = "FW_GRXYBG_0074";

/// What a result code means for an inquiry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Class {
    /// A report comes with it.
    Answered,
    /// The answer to another operation.
    Foreign,
    /// No such subject.
    NoHit,
    /// A shortened report comes with it.
    Partial,
    /// The inquiry was refused.
    Rejected,
}

/// A listed result code.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) code: &'static str,
    pub(crate) class: Class,
    /// Chinese, then English.
    pub(crate) meaning: [&'static str; 2],
    /// Chinese, then English.
    pub(crate) cure: [&'static str; 2],
}

/// The entry of a result code, if it is listed.
pub(crate) fn result(code: &str) -> Option<&'static Entry> {
    RESULTS.iter().find(|entry| entry.code == code)
}

/// The reason code of one of the gateway's purposes.
pub(crate) fn reason(purpose: &str) -> Option<&'static str> {
    rows(PURPOSES)
        .find(|row| row[0] == purpose)
        .map(|row| row[1])
}

/// Whether table QUERY_REASON has the code.
pub(crate) fn is_reason(code: &str) -> bool {
    REASONS.contains(&code)
}

/// Whether table ID_TYPE has the code.
pub(crate) fn is_id_type(code: &str) -> bool {
    ID_TYPES.contains(&code)
}

static RESULTS: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    rows(include_str!("result-codes.tsv"))
        .filter_map(|row| {
            let class = match row[1] {
                "answered" => Class::Answered,
                "foreign" => Class::Foreign,
                "no_hit" => Class::NoHit,
                "partial" => Class::Partial,
                "rejected" => Class::Rejected,
                _ => return None,
            };
            Some(Entry {
                code: row[0],
                class,
                meaning: [row[2], row[3]],
                cure: [row[4], row[5]],
            })
        })
        .collect()
});

const PURPOSES: &str = "purpose\treason\nloan_approval\t02\ncard_approval\t03\npost_loan\t01\nguarantee_approval\t08\nin_guarantee\t21\nofficer_check\t22\n";
const REASONS: [&str; 15] = [
    "01", "02", "03", "08", "19", "22", "23", "25", "09", "16", "18", "20", "21", "24", "26",
];
const ID_TYPES: [&str; 12] = ["10", "1", "2", "5", "6", "8", "9", "A", "B", "C", "X", "20"];

/// Rows below the heading.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}
