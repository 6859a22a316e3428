//! The table of one group, beside the main table.

use super::table::{Column, Table, child_columns, group, no_group};
use super::{CsvError, Input, keep, put, width};
use crate::edition::Edition;
use crate::intake::Taken;
use crate::intake::finding::{Fault, path_of};
use crate::plan::{NodeId, RecordPlan};
use crate::record::Place;
use crate::validate::Finding;

/// The table of one group. Its next row waits until its record comes.
pub(super) struct Child<'i> {
    pub(super) group: NodeId,
    table: Table<'i>,
    columns: Vec<Column>,
    waiting: bool,
}

impl<'i> Child<'i> {
    /// Reads the header line and the first row; `None` with a finding where no table of a group.
    pub(super) fn open(
        edition: &Edition,
        plan: &RecordPlan,
        name: &str,
        input: Input<'i>,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Self>, CsvError> {
        let Some(group) = group(plan, name) else {
            findings.push(no_group(plan, name));
            return Ok(None);
        };
        let mut table = Table::open(input)?;
        let columns = child_columns(edition, plan, group, table.header(), findings);
        let waiting = table.read()?;
        Ok(Some(Self {
            group,
            table,
            columns,
            waiting,
        }))
    }

    /// The key of the row that waits.
    pub(super) fn key(&self) -> Option<&str> {
        self.waiting.then(|| self.table.row().cell(0))
    }

    /// Reads on.
    pub(super) fn pass(&mut self) -> Result<(), CsvError> {
        self.waiting = self.table.read()?;
        Ok(())
    }

    /// Takes the rows of a record.
    pub(super) fn take(
        &mut self,
        key: &str,
        taken: &mut Taken<'_>,
        raw: &mut Vec<u8>,
    ) -> Result<(), CsvError> {
        while self.key() == Some(key) {
            let row = self.table.row();
            if row.len() != self.columns.len() + 1 {
                let path = path_of(taken.plan, self.group.0);
                let (cells, columns) = (row.len(), self.columns.len() + 1);
                taken
                    .findings
                    .push(width(taken.plan, &path, cells, columns));
            }
            let plan = taken.plan;
            let place = plan.open(&mut taken.record, Place::RECORD, self.group);
            for (column, cell) in self.columns.iter().zip(row.cells().skip(1)) {
                keep(raw, cell);
                if let (Column::Item(item), false) = (column, cell.is_empty()) {
                    put(taken, place, *item, (cell, row.odd));
                }
            }
            raw.push(b'\n');
            match self.table.read() {
                Ok(more) => self.waiting = more,
                // The row cannot be read and so belongs to no record that is known: this one has
                // to be looked at.
                Err(CsvError::Findings(found)) => {
                    taken.findings.extend(found);
                    self.waiting = self.table.read()?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The finding about a row whose record did not come.
    pub(super) fn left(&mut self, plan: &RecordPlan) -> Option<Finding> {
        self.waiting.then(|| self.orphan(plan))
    }

    /// What to say of the row that waits.
    pub(super) fn orphan(&self, plan: &RecordPlan) -> Finding {
        let row = self.table.number();
        let path = path_of(plan, self.group.0);
        let texts = (
            format!("子表第{row}行起没有对应的记录；子表各行应与主表记录的顺序一致"),
            format!(
                "from line {row} on the child table has no record; its rows should be in the \
                 order of the records"
            ),
        );
        Fault::ChildOrphan.at(plan.code(), path, texts)
    }
}
