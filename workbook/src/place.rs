//! Where in a workbook a record came from, and which of its cells a finding means.

use std::fmt;
use std::sync::Arc;

use crate::sheet::column_name;

/// A cell, or a row, or a sheet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spot {
    /// The name of the sheet.
    pub sheet: Arc<str>,
    /// The row as spreadsheets show it, counted from 1; 0 for the sheet as a whole.
    pub row: u32,
    /// The column, counted from 0.
    pub column: u16,
}

impl fmt::Display for Spot {
    /// As spreadsheets write it: `410 基础段!C5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sheet)?;
        if self.row > 0 {
            write!(f, "!{}{}", column_name(self.column), self.row)?;
        }
        Ok(())
    }
}

/// The rows of one record.
#[derive(Clone, Debug)]
pub struct Origin {
    pub(crate) sheets: Arc<[Columns]>,
    /// Sheet and row, in the order of the sheets; the first is the record's own.
    pub(crate) rows: Vec<(u16, u32)>,
}

/// Which columns of a sheet hold which items.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) name: Arc<str>,
    /// The path of its segment or group; `.` is the record itself.
    pub(crate) path: String,
    /// Paths of items and their columns.
    pub(crate) items: Vec<(String, u16)>,
}

impl Origin {
    /// The cell that a finding with this path means: that of the item, else the key of the row
    /// that is meant.
    #[must_use]
    pub fn spot(&self, path: &str) -> Spot {
        let (plain, ordinal) = plain(path);
        let around = |it: &Columns| {
            let inside = plain.strip_prefix(&it.path);
            it.path != "." && inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let known = |it: &Columns| it.items.iter().any(|(item, _)| *item == plain);
        // The sheet with the column, else the innermost around it.
        let mut meant: Vec<usize> = (0..self.sheets.len()).collect();
        meant.retain(|at| around(&self.sheets[*at]) || known(&self.sheets[*at]));
        meant.sort_by_key(|at| {
            (
                !known(&self.sheets[*at]),
                usize::MAX - self.sheets[*at].path.len(),
            )
        });
        for at in meant {
            let mut rows = self
                .rows
                .iter()
                .filter(|(sheet, _)| usize::from(*sheet) == at);
            let Some((_, row)) = rows.nth(ordinal.saturating_sub(1)) else {
                continue;
            };
            let columns = &self.sheets[at];
            let column = columns.items.iter().find(|(item, _)| *item == plain);
            return Spot {
                sheet: Arc::clone(&columns.name),
                row: *row,
                column: column.map_or(0, |(_, column)| *column),
            };
        }
        let (sheet, row) = self.rows.first().copied().unwrap_or_default();
        Spot {
            sheet: Arc::clone(&self.sheets[usize::from(sheet)].name),
            row,
            column: 0,
        }
    }
}

/// A path without the numbers of entries, and the last of them; 1 where there is none.
fn plain(path: &str) -> (String, usize) {
    let (mut plain, mut ordinal) = (String::with_capacity(path.len()), 1);
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let (number, after) = after.split_once(']').unwrap_or((after, ""));
        ordinal = number.parse().unwrap_or(1);
        rest = after;
    }
    plain.push_str(rest);
    (plain, ordinal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_means_the_cell_of_its_item_or_the_key_of_its_row() {
        let sheet = |name: &str, path: &str, items: &[(&str, u16)]| Columns {
            name: name.into(),
            path: path.to_owned(),
            items: items
                .iter()
                .map(|(path, at)| ((*path).to_owned(), *at))
                .collect(),
        };
        let origin = Origin {
            sheets: Arc::new([
                sheet("base", "A", &[("A/X", 1), ("A/Y", 2)]),
                sheet("group", "B/G", &[("B/G/Z", 3)]),
                sheet("other", "C", &[("C/X", 1)]),
            ]),
            rows: vec![(0, 5), (1, 7), (1, 9)],
        };
        for (path, spot) in [
            ("A/Y", "base!C5"),
            ("B/G[2]/Z", "group!D9"),
            ("B/G[2]", "group!A9"),
            ("B/G[2]/W", "group!A9"),
            ("C", "base!A5"),
            ("C/X", "base!A5"),
            ("A/none", "base!A5"),
            ("B", "base!A5"),
            (".", "base!A5"),
        ] {
            assert_eq!(origin.spot(path).to_string(), spot, "{path}");
        }
    }
}
