//! Records as institutions send them in: JSON Lines and CSV, in the dictionary's own names.
//!
//! # Promise
//!
//! A name is a tag or the Chinese name of the tables, at its place in the record. What is unknown,
//! misplaced, written twice or forbidden is told as a [`Finding`] with its path, all at once, and
//! the rest of the record is taken, so that its other faults are found too. A value is taken as it
//! is written, without the blanks around it; a blank value is none. Both forms stream: nothing is
//! held but the record at hand.
//!
//! What follows from the rest of a record may be left out: its type, the counters of groups, and
//! tags that must be there and may be empty. [`Taken::judge`] puts them.
//!
//! # What is not here
//!
//! Judging values: [`Taken::judge`] asks the plan. Codes of reporting points: who keeps the
//! accounts derives them, before judging.
//!
//! # Failure
//!
//! No finding quotes a value, nor a name that could be one: a file without its header line is full
//! of persons.

pub mod csv;
mod export;
mod finding;
mod json;
mod name;

pub use export::{Names, to_json};

use crate::edition::Edition;
use crate::plan::{NodeId, RecordPlan};
use crate::record::{Place, Record};
use crate::validate::{FileHeader, Finding, Scratch};

/// Takes in the records of one edition.
#[derive(Clone, Copy, Debug)]
pub struct Intake<'e> {
    edition: &'e Edition,
}

/// A record that was taken in.
#[derive(Debug)]
pub struct Taken<'e> {
    /// The plan of the record.
    pub plan: &'e RecordPlan,
    /// What was said.
    pub record: Record,
    /// What was said about it.
    pub meta: Meta,
    /// What could not be taken in; none of it may be sent.
    pub findings: Vec<Finding>,
}

/// What an institution says about a record, beside its content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Meta {
    /// The dispute by which it is marked.
    pub dispute: Option<String>,
    /// The rejected record that it corrects.
    pub corrects: Option<Corrects>,
}

/// A record of an earlier submission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Corrects {
    /// The submission.
    pub submission: String,
    /// Which of its records.
    pub seq: u64,
}

/// More bytes than this are no record: four for each character that the bureau takes in a line.
pub const MOST_BYTES: usize = 40_000_000;

impl<'e> Intake<'e> {
    /// Takes in records of this edition.
    #[must_use]
    pub fn new(edition: &'e Edition) -> Self {
        Self { edition }
    }

    /// Reads one line of JSON Lines:
    /// `{"record":"210","dispute":"D-1","corrects":{"submission":"…","seq":7},"data":{…}}`, where
    /// `data` holds segments as objects, groups as arrays of objects, and items as strings or
    /// numbers. `dispute` and `corrects` may be left out.
    ///
    /// # Errors
    ///
    /// All that is wrong with a line of which no record can be made.
    pub fn json(&self, line: &[u8]) -> Result<Taken<'e>, Vec<Finding>> {
        json::read(self.edition, line)
    }

    /// Puts a value into a record that is being taken in, or tells that it cannot stand there. A
    /// blank value is none.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`].
    pub fn put(&self, taken: &mut Taken<'_>, place: Place, item: NodeId, value: &str) {
        let value = value.trim_ascii();
        if value.is_empty() {
            return;
        }
        if finding::cannot_stand(value) {
            let path = taken.plan.element(item).path();
            let finding = finding::character(taken.plan.code(), path);
            taken.findings.push(finding);
            return;
        }
        taken.plan.put(&mut taken.record, place, item, value);
    }

    /// What to say of a name that stands for nothing inside an element of the plan. `place` says
    /// in Chinese and English where it was met.
    #[must_use]
    pub fn stray(
        &self,
        plan: &RecordPlan,
        inside: NodeId,
        name: &str,
        place: (&str, &str),
    ) -> Finding {
        name::stray(self.edition, plan, inside.0, name, place)
    }

    /// The edition.
    #[must_use]
    pub fn edition(&self) -> &'e Edition {
        self.edition
    }
}

impl Taken<'_> {
    /// Puts what may be left out and gives all findings: those of the intake and those of the
    /// plan. May be asked again after the record has changed.
    #[must_use]
    pub fn judge(&mut self, header: &FileHeader, scratch: &mut Scratch) -> Vec<Finding> {
        let judged = self
            .plan
            .complete_and_validate(&mut self.record, header, scratch);
        let mut findings = self.findings.clone();
        findings.extend(judged);
        findings
    }
}
