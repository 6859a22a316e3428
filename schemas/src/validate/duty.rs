//! Negative and restricted information in a record.

use std::sync::LazyLock;

use jiff::civil::Date;

use super::{FileHeader, Pass, Scratch};
use crate::duty::{Negative, Restricted};
use crate::expr::eval::Look;
use crate::plan::RecordPlan;
use crate::record::{Frames, Record};

impl RecordPlan {
    /// The conditions by which a record is negative information about the person; none when it is
    /// not. A value that fails its own kind or list shows nothing.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn negative(&self, record: &Record) -> Vec<&Negative> {
        self.check(record);
        if self.negatives.is_empty() {
            return Vec::new();
        }
        let mut scratch = Scratch::default();
        let mut pass = Pass::begin(self, record, &NO_FILE, &mut scratch);
        pass.values();
        pass.dependent_codes();
        self.negative_in(record, &scratch)
    }

    /// As [`RecordPlan::negative`], from the scratch in which this very record was validated last.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan, or the scratch holds another record.
    #[must_use]
    pub fn negative_judged(&self, record: &Record, scratch: &Scratch) -> Vec<&Negative> {
        self.check(record);
        assert_eq!(
            scratch.cells.len(),
            record.slots.len(),
            "the scratch belongs to another record"
        );
        self.negative_in(record, scratch)
    }

    fn negative_in(&self, record: &Record, scratch: &Scratch) -> Vec<&Negative> {
        let look = Look {
            program: &self.program,
            lists: &self.lists,
            record,
            cells: &scratch.cells,
            header: &NO_FILE,
        };
        let at = Frames::default();
        let holds = |negative: &&Negative| look.test(negative.test, &at) == Some(true);
        self.negatives.iter().filter(holds).collect()
    }

    /// What in the record needs a consent of its own: items that are filled, segments that are there.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn restricted(&self, record: &Record) -> Vec<&Restricted> {
        self.check(record);
        let there = |restricted: &&Restricted| {
            let node = &self.nodes[restricted.node.0 as usize];
            let slot = record.slots[node.slot as usize];
            let filled = || !record.slice(slot).trim_ascii().is_empty();
            !slot.is_absent() && (node.item().is_none() || filled())
        };
        self.restricted.iter().filter(there).collect()
    }
}

/// No condition of `negative.tsv` speaks of the file.
static NO_FILE: LazyLock<FileHeader> = LazyLock::new(|| FileHeader {
    date: Date::MAX,
    record: String::new(),
    org: String::new(),
    template: String::new(),
});
