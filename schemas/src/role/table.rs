//! One row of `roles.tsv`.

use super::{Does, Role};
use crate::plan::{NodeId, RecordPlan, What};
use crate::table::{Row, TableError};

/// Reads the role of a record; all that is wrong in its row.
pub(crate) fn parse(
    row: Row<'_, '_>,
    plan: &RecordPlan,
    of_organizations: bool,
) -> Result<Role, Vec<TableError>> {
    let mut cells = Cells {
        row,
        plan,
        errors: Vec::new(),
    };
    let role = Role {
        record: plan.code().into(),
        does: cells.does(),
        family: row.get("family").into(),
        category: row.get("category").into(),
        of_organizations,
        key: cells.items("key"),
        new_key: cells.items("new_key"),
        subject: cells.several("subject"),
        account_type: cells.one("account_type"),
        report_date: cells.one("report_date"),
        report_code: cells.one("report_code"),
        opens: parts(row.get("opens")).map(Into::into).collect(),
        month: cells.one("month"),
        range: cells.several("range"),
        status: cells.items("status"),
        closed: cells
            .pairs("closed")
            .map(|(of, status)| (of.into(), status.into()))
            .collect(),
        segment: cells.one("segment"),
        marks: cells.marks(),
        event: cells.several("event"),
    };
    for column in ["family", "category", "key"] {
        cells.errors.extend(row.need(column).err());
    }
    if (role.does == Does::Rename) == role.new_key.is_empty() {
        cells.fail("new_key", "stands where the record renames, and only there");
    }
    if (role.does == Does::Correct || role.does == Does::DeleteSegments) && role.segment.is_none() {
        cells.fail("segment", "the item that names the segment must stand here");
    }
    if cells.errors.is_empty() {
        Ok(role)
    } else {
        Err(cells.errors)
    }
}

struct Cells<'a, 't> {
    row: Row<'a, 't>,
    plan: &'a RecordPlan,
    errors: Vec<TableError>,
}

impl<'a, 't> Cells<'a, 't> {
    fn does(&mut self) -> Does {
        let name = self.row.get("role");
        let all = [
            Does::Correct,
            Does::Delete,
            Does::DeleteSegments,
            Does::Event,
            Does::Normal,
            Does::Rename,
        ];
        let found = all.into_iter().find(|does| does.name() == name);
        found.unwrap_or_else(|| {
            self.fail(
                "role",
                "normal, delete, rename, correct, delete_segments or event",
            );
            Does::Normal
        })
    }

    /// The items whose paths stand in a cell.
    fn items(&mut self, column: &str) -> Vec<NodeId> {
        let paths = parts(self.row.get(column));
        paths.filter_map(|path| self.item(column, path)).collect()
    }

    fn one(&mut self, column: &str) -> Option<NodeId> {
        self.several::<1>(column).map(|[item]| item)
    }

    fn several<const N: usize>(&mut self, column: &str) -> Option<[NodeId; N]> {
        if self.row.get(column).is_empty() {
            return None;
        }
        let items = self.items(column).try_into();
        items
            .map_err(|_| self.fail(column, &format!("{N} paths with ; between")))
            .ok()
    }

    fn item(&mut self, column: &str, path: &str) -> Option<NodeId> {
        let found = self.find(path);
        let is_item = |id: &NodeId| matches!(self.plan.element(*id).what(), What::Item { .. });
        let item = found.filter(is_item);
        if item.is_none() {
            self.fail(column, &format!("no item {path} outside of groups"));
        }
        item
    }

    /// What stands at a path that goes through no group.
    fn find(&self, path: &str) -> Option<NodeId> {
        let id = self.plan.find(path)?;
        self.plan.outside_groups(id).then_some(id)
    }

    /// `a=b` with `;` between.
    fn pairs(&mut self, column: &str) -> std::vec::IntoIter<(&'t str, &'t str)> {
        let mut pairs = Vec::new();
        for part in parts(self.row.get(column)) {
            match part.split_once('=') {
                Some(pair) => pairs.push(pair),
                None => self.fail(column, "pairs a=b with ; between"),
            }
        }
        pairs.into_iter()
    }

    fn marks(&mut self) -> Vec<(Box<str>, NodeId)> {
        let mut marks = Vec::new();
        for (mark, path) in self.pairs("marks") {
            match self.find(path) {
                Some(segment) => marks.push((mark.into(), segment)),
                None => self.fail("marks", &format!("no segment {path}")),
            }
        }
        marks
    }

    fn fail(&mut self, column: &str, problem: &str) {
        self.errors.push(self.row.error(column, problem));
    }
}

fn parts(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').filter(|part| !part.is_empty())
}
