//! A report laid out for people: what a console page, a print and a terminal
//! show in their own ways.
//!
//! # Promise
//!
//! Everything filled is on the page, in the bureau's order of reading: fields,
//! tables, and months as a grid of years. What is doubtful is marked where it
//! stands, and [`Page::notes`] tells what the reader has to know of the report,
//! what is odd, and what is not known at all.
//!
//! # What is not here
//!
//! Fonts, colors and paper.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::confidence::Confidence;
use super::item::{Doubt, Item};
use super::tree::Report;
use crate::text::{Label, Language};

mod blocks;
mod notes;
mod text;

/// A report in one language, ready to be shown.
#[derive(Serialize)]
pub struct Page<'r> {
    /// What it is: `个人信用报告`.
    pub title: &'static str,
    /// The bureau's number of the report.
    pub number: Option<&'r str>,
    /// When it was made, China time.
    pub made: Option<String>,
    /// In the order of reading.
    pub sections: Vec<PageSection<'r>>,
    /// Derived figures that the report tells.
    pub figures: Vec<PageFigure>,
    /// For the end of the page.
    pub notes: Vec<Note>,
    /// Of what it is made.
    #[serde(skip)]
    language: Language,
}

/// A part of the page, with its number in the title.
#[derive(Serialize)]
pub struct PageSection<'r> {
    /// Stable name: `cards`.
    pub id: &'static str,
    /// Number and title.
    pub title: String,
    /// What stands in it.
    pub blocks: Vec<Block<'r>>,
    /// The sections inside it.
    pub sections: Vec<PageSection<'r>>,
}

/// A derived figure.
#[derive(Serialize)]
pub struct PageFigure {
    /// Name of the variable.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// The figure with its unit.
    pub text: String,
    /// How well its definition is founded.
    pub confidence: Confidence,
}

/// A piece of a page.
#[derive(Serialize)]
#[serde(rename_all = "lowercase", tag = "block")]
pub enum Block<'r> {
    /// Labels with values.
    Fields {
        /// In the order of the report.
        fields: Vec<Field<'r>>,
    },
    /// Months as a grid of years.
    Grid(Grid<'r>),
    /// Blocks of one thing: an account, a segment.
    Group {
        /// Its name, and its number where there are several.
        heading: String,
        /// What stands in it.
        blocks: Vec<Block<'r>>,
    },
    /// Rows and columns.
    Table(Table<'r>),
}

/// A label with its value.
#[derive(Serialize)]
pub struct Field<'r> {
    /// Code of the item.
    pub code: &'static str,
    /// Its label.
    pub label: &'static str,
    /// Its value.
    #[serde(flatten)]
    pub cell: Cell<'r>,
}

/// A value.
#[derive(Clone, Serialize)]
pub struct Cell<'r> {
    /// As a reader expects it.
    pub text: Cow<'r, str>,
    /// Why not to rely on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// Rows and columns.
#[derive(Serialize)]
pub struct Table<'r> {
    /// What the rows are.
    pub heading: String,
    /// Titles of the columns.
    pub columns: Vec<String>,
    /// As many cells as columns each; empty where nothing was told.
    pub rows: Vec<Vec<Cell<'r>>>,
}

/// Months, the latest year first.
#[derive(Serialize)]
pub struct Grid<'r> {
    /// What the marks are, and from when to when.
    pub heading: String,
    /// A year and its twelve months.
    pub years: Vec<(i16, [Option<GridMonth<'r>>; 12])>,
    /// Whether any month has an amount.
    pub amounts: bool,
}

/// A month of a grid.
#[derive(Clone, Serialize)]
pub struct GridMonth<'r> {
    /// The bureau's mark: `N`, `1`, `*`.
    pub mark: &'r str,
    /// What it means.
    pub meaning: &'r str,
    /// What was overdue, where that is told.
    pub amount: Option<Cow<'r, str>>,
}

/// Something to tell below a page.
#[derive(Serialize)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// In words.
    pub text: String,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NoteKind {
    /// How such reports are to be read.
    Reading,
    /// Items whose values are marked as doubtful.
    Doubt,
    /// What is odd about this report.
    Remark,
    /// What the dictionary does not know, as it came.
    Unknown,
}

impl Report {
    /// The report laid out in a language.
    #[must_use]
    pub fn page(&self, language: Language) -> Page<'_> {
        let head = &self.dictionary.head;
        let item = |code| self.root().filled(code);
        let sections = self.sections();
        let sections = sections
            .iter()
            .map(|section| blocks::section(section, language));
        Page {
            title: Label {
                zh: &head.title.0,
                en: &head.title.1,
            }
            .text(language),
            number: item(head.number).map(|item| item.raw()),
            made: item(head.made).map(|item| item.text(language).into_owned()),
            sections: sections.collect(),
            figures: self.figures(language),
            notes: notes::notes(self, language),
            language,
        }
    }

    fn figures(&self, language: Language) -> Vec<PageFigure> {
        let told = self.variables().into_iter().filter_map(|variable| {
            Some(PageFigure {
                name: variable.name,
                label: variable.label.text(language),
                text: variable.value?.text(language),
                confidence: variable.confidence,
            })
        });
        told.collect()
    }
}

impl<'r> Cell<'r> {
    fn new(item: Item<'r>, language: Language) -> Self {
        Self {
            text: item.text(language),
            doubt: item.doubt(),
        }
    }

    fn empty() -> Self {
        Self {
            text: Cow::Borrowed(""),
            doubt: None,
        }
    }
}

impl fmt::Debug for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("title", &self.title)
            .field("sections", &self.sections.len())
            .field("notes", &self.notes.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
