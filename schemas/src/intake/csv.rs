//! Records as tables: one row a record, and a child table for each repeating group.
//!
//! # Promise
//!
//! The header line names the columns: a tag or Chinese name, bare where only one item outside of
//! groups bears it, else with the path before it (`AcctMthlyBlgInfSgmt/AcctStatus`). `@dispute`,
//! `@corrects` (`submission/seq`) and `@key` are ours. A child table begins with the key of its
//! record and holds rows in the order of the records, so that all tables are read once, side by
//! side, and nothing is kept.
//!
//! # What is not here
//!
//! Other encodings than UTF-8, and groups within groups: send such records as JSON Lines.
//!
//! # Failure
//!
//! A header with faults stops the source, with all of them. A row with faults is one finding or
//! more and the rows after it go on. Child rows whose record does not come are told at the end;
//! [`misplaced`] finds them before anything is taken, where the tables can be read twice.

mod child;
mod layout;
mod order;
mod table;

use std::io::Read;

use child::Child;
pub use layout::Layout;
pub use order::misplaced;
use table::{Column, Table};

use super::finding::{Fault, cannot_stand, character, path_of};
use super::{Corrects, Intake, Meta, Taken};
use crate::plan::{NodeId, RecordPlan};
use crate::record::{Place, Record};
use crate::validate::Finding;

/// Text from anywhere.
pub type Input<'i> = Box<dyn Read + Send + 'i>;

/// Why tables give no record, or none more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// This is wrong with the tables.
    #[error("the tables cannot be taken in: {}", .0.first().map_or("", |f| &f.code))]
    Findings(Vec<Finding>),
    /// They cannot be read.
    #[error("the tables cannot be read")]
    Io(#[from] std::io::Error),
}

/// Reads records of one type from a main table and its child tables.
pub struct Source<'i> {
    plan: &'i RecordPlan,
    main: Table<'i>,
    columns: Vec<Column>,
    /// The column by which child rows find their record.
    key: Option<usize>,
    children: Vec<Child<'i>>,
    raw: Vec<u8>,
    ended: bool,
}

impl<'e> Intake<'e> {
    /// Reads the header lines of a main table and its child tables. A child table goes by the path
    /// or name of its group, such as `RltRepymtInf`.
    ///
    /// # Errors
    ///
    /// All that is wrong with the header lines, or that they cannot be read.
    pub fn csv(
        &self,
        record: &str,
        main: Input<'e>,
        children: Vec<(String, Input<'e>)>,
    ) -> Result<Source<'e>, CsvError> {
        let edition = self.edition;
        let Some(plan) = edition.plan(record) else {
            let (zh, en) = ("不是本版本的记录类型", "no record type of this edition");
            return Err(CsvError::Findings(vec![
                Fault::RecordUnknown.whole("", zh, en),
            ]));
        };
        if edition.is_off(record) {
            return Err(CsvError::Findings(vec![Fault::off(record)]));
        }
        let mut findings = Vec::new();
        let main = Table::open(main)?;
        let columns = table::main_columns(edition, plan, main.header(), &mut findings);
        let item = edition.role(record).and_then(crate::role::Role::key_item);
        let is_key = |column: &Column| match column {
            Column::Key => true,
            Column::Item(id) => Some(*id) == item,
            _ => false,
        };
        let own = columns
            .iter()
            .position(|column| matches!(column, Column::Key));
        let key = own.or_else(|| columns.iter().position(is_key));
        let mut opened: Vec<Child<'e>> = Vec::new();
        for (name, input) in children {
            let child = Child::open(edition, plan, &name, input, &mut findings)?;
            let twice = |c: &Child<'e>| opened.iter().any(|known| known.group == c.group);
            match child {
                Some(child) if twice(&child) => {
                    let path = path_of(plan, child.group.0);
                    let texts = (
                        "该循环组有两个子表；应只有一个".to_owned(),
                        "the group has two child tables; there should be one".to_owned(),
                    );
                    findings.push(Fault::ChildTable.at(plan.code(), path, texts));
                }
                child => opened.extend(child),
            }
        }
        if key.is_none() && !opened.is_empty() {
            let (zh, en) = (
                "有子表时主表应有记录标识列，或名为@key的列",
                "with child tables the main table should have the column of the record key, or @key",
            );
            findings.push(Fault::KeyMissing.whole(plan.code(), zh, en));
        }
        if !findings.is_empty() {
            return Err(CsvError::Findings(findings));
        }
        Ok(Source {
            plan,
            main,
            columns,
            key,
            children: opened,
            raw: Vec::new(),
            ended: false,
        })
    }
}

impl<'i> Source<'i> {
    /// The bytes that the last record came from, rows and cells apart: the same record has the
    /// same bytes however its tables are quoted. Of a row that is no text, its bytes.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Reads the next record; its memory may come from an earlier one of the same plan.
    ///
    /// # Errors
    ///
    /// All that is wrong with a row of which no record can be made; the next call goes on. After
    /// the last row, the child rows whose record did not come. Or that the tables cannot be read,
    /// and then nothing follows.
    pub fn read(&mut self, mut record: Record) -> Option<Result<Taken<'i>, CsvError>> {
        if self.ended {
            return None;
        }
        self.raw.clear();
        match self.main.read() {
            Ok(true) => {}
            Ok(false) => {
                self.ended = true;
                let plan = self.plan;
                let left = self
                    .children
                    .iter_mut()
                    .filter_map(|child| child.left(plan));
                let left: Vec<Finding> = left.collect();
                return (!left.is_empty()).then_some(Err(CsvError::Findings(left)));
            }
            Err(CsvError::Io(error)) => {
                self.ended = true;
                return Some(Err(CsvError::Io(error)));
            }
            Err(error) => {
                self.raw.extend_from_slice(self.main.bytes());
                return Some(Err(error));
            }
        }
        self.plan.clear(&mut record);
        let mut taken = Taken {
            plan: self.plan,
            record,
            meta: Meta::default(),
            findings: Vec::new(),
        };
        self.take_row(&mut taken);
        let Some(key) = self.key.filter(|_| !self.children.is_empty()) else {
            return Some(Ok(taken));
        };
        let key = self.main.row().cell(key);
        for child in &mut self.children {
            if let Err(error) = child.take(key, &mut taken, &mut self.raw) {
                self.ended = true;
                return Some(Err(error));
            }
        }
        Some(Ok(taken))
    }

    fn take_row(&mut self, taken: &mut Taken<'i>) {
        let row = self.main.row();
        if row.len() != self.columns.len() {
            taken
                .findings
                .push(width(self.plan, ".", row.len(), self.columns.len()));
        }
        for (column, cell) in self.columns.iter().zip(row.cells()) {
            keep(&mut self.raw, cell);
            if cell.is_empty() {
                continue;
            }
            match column {
                Column::Item(item) => put(taken, Place::RECORD, *item, (cell, row.odd)),
                Column::Key => {}
                Column::Dispute => taken.meta.dispute = Some(cell.to_owned()),
                Column::Corrects => {
                    let parts = cell.rsplit_once('/');
                    let corrects = parts.and_then(|(submission, seq)| {
                        let (submission, seq) = (submission.to_owned(), seq.parse().ok()?);
                        Some(Corrects { submission, seq })
                    });
                    if corrects.is_none() {
                        let (zh, en) = (
                            "@corrects应为“报送/序号”",
                            "@corrects should be submission/seq",
                        );
                        taken
                            .findings
                            .push(Fault::Meta.whole(self.plan.code(), zh, en));
                    }
                    taken.meta.corrects = corrects;
                }
            }
        }
        self.raw.push(b'\n');
    }
}

impl<'i> Iterator for Source<'i> {
    type Item = Result<Taken<'i>, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read(Record::default())
    }
}

/// Puts a cell that is not blank; `odd` says whether it has to be looked at first.
fn put(taken: &mut Taken<'_>, place: Place, item: NodeId, (cell, odd): (&str, bool)) {
    if odd && cannot_stand(cell) {
        let path = path_of(taken.plan, item.0);
        taken.findings.push(character(taken.plan.code(), path));
        return;
    }
    taken.plan.put(&mut taken.record, place, item, cell);
}

/// Keeps a cell among the bytes of its record; no sound cell holds the character between.
fn keep(raw: &mut Vec<u8>, cell: &str) {
    raw.extend_from_slice(cell.as_bytes());
    raw.push(0x1f);
}

fn width(plan: &RecordPlan, path: &str, cells: usize, columns: usize) -> Finding {
    let texts = (
        format!("该行有{cells}个单元格，表头有{columns}个；应相同"),
        format!("the row has {cells} cells and the header {columns}; they should be as many"),
    );
    Fault::RowWidth.at(plan.code(), path.to_owned(), texts)
}
