//! Files of records and the answers to them: names, headers, lines, read and written.
//!
//! # Promise
//!
//! Every check that needs no central database is made, and all that is wrong is told at once, as
//! [`Finding`]s with the number of the check as their rule. What each check asks, and the bureau's
//! code for it, stands in `schemas/pboc-submit-files/checks.tsv`. Reading and writing stream: a
//! file is never held as a whole.
//!
//! # What is not here
//!
//! Packing and sealing; serial numbers and which file was sent; what is inside a record (its
//! [`RecordPlan`](crate::plan::RecordPlan) knows).

mod answer;
mod answers;
mod check;
mod examine;
mod feedback;
mod header;
mod name;
mod read;
mod reply;
mod write;

pub use answer::{Fault, FeedbackLine};
pub use answers::FeedbackReader;
pub use check::{Asked, asked, record_types};
pub use examine::{Examined, Told, examine};
pub use feedback::{FeedbackHeader, FeedbackName, Flag};
pub use header::Header;
pub use name::FileName;
pub use read::{FileReader, Line};
pub use reply::FeedbackWriter;
pub use write::FileWriter;

use crate::validate::Finding;

/// Records in one file; a remark of a vendor, 100,000 are known to pass (check `file-size`).
pub const MOST_RECORDS: u32 = 1_000_000;

/// The code by which a file is refused whose name was received before
/// (`checks.tsv`, `name-once`).
pub const RECEIVED_BEFORE: &str = "ABF009";

/// Characters in one line, without its end (check `line-length`, ABF008).
pub const MOST_CHARACTERS: usize = 9_999_999;

/// Errors in one answer line (check `fb-line-count`).
pub const MOST_FAULTS: usize = 5;

/// Ends every line, the last one too (checks `line-end`, `file-last-line`).
pub const LINE_END: &[u8] = b"\r\n";

/// Why a file cannot be opened, or written on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file breaks these checks.
    #[error("the file breaks the check {}", first(.0))]
    Findings(Vec<Finding>),
    /// It cannot be read or written.
    #[error("the file cannot be read or written")]
    Io(#[from] std::io::Error),
}

fn first(findings: &[Finding]) -> &str {
    findings.first().map_or("", |finding| &finding.rule)
}

/// The value, or all that is wrong with its text.
fn sound<T>(value: Option<T>, findings: Vec<Finding>) -> Result<T, Vec<Finding>> {
    match value {
        Some(value) if findings.is_empty() => Ok(value),
        _ => Err(findings),
    }
}
