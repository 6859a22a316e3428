//! Records in spreadsheets (Office Open XML, `.xlsx`): templates out, filled workbooks in, findings
//! back as a marked copy that can be mended and handed in again.
//!
//! # Promise
//!
//! A sheet for each segment and repeating group of a record type, joined by the key in their first
//! column. Nothing is guessed: a number where an identifier belongs, a formula, a date without its
//! format, a code under another name are each told, with sheet, row and column, and the value is
//! not taken. Reading is bounded whatever the file says of itself: its size, what it inflates to,
//! its parts, depth, rows, cells and text ([`Limits`]).
//!
//! # What is not here
//!
//! Judging values: the plan does that, as for every other form. Old `.xls` files, passwords, and
//! whatever a workbook holds beside cells.
//!
//! # Failure
//!
//! [`BookError`] for what is no workbook, findings for what is none of ours; no text quotes a value.

mod annotate;
mod book;
mod cell;
mod code;
mod dress;
mod error;
mod finding;
mod format;
mod intake;
mod layout;
mod package;
mod place;
mod report;
mod samples;
mod sheet;
mod template;
#[cfg(test)]
mod tests;
mod xml;

pub use annotate::annotate;
pub use book::Book;
pub use error::BookError;
pub use finding::Located;
pub use intake::{Source, read};
pub use package::Limits;
pub use place::{Origin, Spot};
pub use report::{to_csv, to_json};
pub use samples::sample;
pub use template::template;

/// The media type of a workbook.
pub const MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
