//! The inputs of an import: earlier files with their feedback, and stocks.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader},
    path::PathBuf,
    sync::Arc,
};

use jiff::civil::{Date, DateTime};
use schemas::file::{FileName, Header};

use super::super::{Form, store::submissions::Submission};

/// The tables of a stock.
#[derive(Clone, Debug, Default)]
pub struct StockFiles {
    /// JSON Lines, or a CSV of one record type.
    pub main: PathBuf,
    /// The record type of a CSV.
    pub record: Option<String>,
    /// Child tables of a CSV, by the names of groups.
    pub children: Vec<(String, PathBuf)>,
}

/// One input.
pub(super) struct Source {
    /// The name of its file.
    pub(super) name: String,
    /// What names it for ever: the mandated name, or the digest of a stock.
    pub(super) key: String,
    /// SHA-256 of the text.
    pub(super) sha256: [u8; 32],
    /// Its place in time: yyyyMMddHHmmss.
    pub(super) stamp: i64,
    pub(super) what: What,
    /// The submission that an earlier call made of it.
    pub(super) known: Option<Submission>,
    /// It has a finding as a whole: nothing of it is taken.
    pub(super) bad: bool,
}

pub(super) enum What {
    Earlier(Arc<Earlier>),
    Stock(StockFiles),
}

/// An earlier submission file.
pub(super) struct Earlier {
    pub(super) path: PathBuf,
    pub(super) name: FileName,
    pub(super) header: Header,
    pub(super) verdict: Verdict,
}

/// What the bureau said of a file.
#[derive(Default)]
pub(super) struct Verdict {
    /// SHA-256 of the feedback as it came; none where there is none.
    pub(super) sha256: Option<[u8; 32]>,
    /// When the bureau made it.
    pub(super) at: Option<DateTime>,
    /// The code that refused all of it.
    pub(super) refused: Option<String>,
    /// Rejected lines, with the digest of the record that came back.
    pub(super) rejected: HashMap<u32, [u8; 32]>,
}

impl StockFiles {
    /// Begins to read it.
    pub(super) fn open(&self) -> io::Result<Form> {
        let input = |path: &PathBuf| -> io::Result<super::super::Input> {
            Ok(Box::new(BufReader::new(File::open(path)?)))
        };
        let main = input(&self.main)?;
        let Some(record) = &self.record else {
            return Ok(Form::JsonLines(main));
        };
        let children = self.children.iter();
        let children = children.map(|(group, path)| Ok((group.clone(), input(path)?)));
        Ok(Form::Csv {
            record: record.clone(),
            main,
            children: children.collect::<io::Result<_>>()?,
        })
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.main]
            .into_iter()
            .chain(self.children.iter().map(|(_, path)| path))
    }
}

impl Source {
    /// `earlier` or `stock`; also the origin of its submission.
    pub(super) fn kind(&self) -> &'static str {
        match self.what {
            What::Earlier(_) => "earlier",
            What::Stock(_) => "stock",
        }
    }

    /// A file that is taken as accepted though nobody said so.
    pub(super) fn is_assumed(&self) -> bool {
        match &self.what {
            What::Earlier(earlier) => earlier.verdict.sha256.is_none(),
            What::Stock(_) => false,
        }
    }
}

/// A moment as a number that compares: yyyyMMddHHmmss.
pub(super) fn stamp(at: DateTime) -> i64 {
    let text = at.strftime("%Y%m%d%H%M%S").to_string();
    text.parse().unwrap_or(0)
}

/// The end of a day.
pub(super) fn end_of(day: Date) -> i64 {
    stamp(day.at(23, 59, 59, 0))
}
