//! Reports of a bureau, read by dictionary.
//!
//! # Promise
//!
//! [`Dictionary::decode`] turns a report into a tree of units and items with
//! labels in two languages, decoded codes, dates and amounts. Nothing that came
//! is dropped: what the dictionary does not know is kept with its path, and what
//! is missing, too much or ill-typed becomes a [`Remark`], since a report that
//! was paid for with a mark on a person must stay readable. [`Report::sections`]
//! gives the order a loan officer knows, [`Report::variables`] derived figures.
//!
//! [`compare`] puts a report beside an earlier one; [`Report::page`] lays it out
//! for people.
//!
//! # What is not here
//!
//! No judgment on the subject, and no XML writing. Values are the bureau's;
//! dates and times are those of China (+08:00).
//!
//! # Failure
//!
//! [`DecodeError`] when the bytes are no report at all. It holds no part of
//! them, and neither does any `Debug`.

mod check;
mod compare;
mod compile;
mod confidence;
mod decode;
mod dictionary;
mod item;
mod page;
mod remark;
mod section;
mod tree;
mod value;
mod variable;
mod view;

pub use compare::{
    Area, Change, ChangeKind, CompareError, Comparison, ComparisonView, Difference, Direction,
    compare,
};
pub use confidence::Confidence;
pub use decode::DecodeError;
pub use dictionary::Dictionary;
pub use item::{Doubt, Item};
pub use page::{
    Block, Cell, Field, Grid, GridMonth, Note, NoteKind, Page, PageFigure, PageSection, Table,
};
pub use remark::{Remark, RemarkKind};
pub use section::Section;
pub use tree::{Child, Report, Unit, Unknown};
pub use value::Kind;
pub use variable::{Figure, Variable};
pub use view::View;
