//! Tab-separated tables with a header line: the one shape in which formats are written down.
//!
//! # Promise
//!
//! A cell is found by the name of its column, never by its place. Every error names file, line
//! and column, so that the author of an overlay can go there. Nothing is copied: a [`Row`]
//! lends the text it was read from.
//!
//! # What is not here
//!
//! Quoting: a cell holds neither a tab nor a line end, and every other character stands for itself.
//!
//! # Failure
//!
//! A missing or unknown column, or a row with too few or too many cells, fails the whole table.

use std::fmt;

/// What is wrong in a table, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}, line {line}{}: {problem}", Column(.column))]
#[non_exhaustive]
pub struct TableError {
    /// The file as it was named to [`Table::parse`].
    pub file: String,
    /// Counted from 1; the header is line 1.
    pub line: usize,
    /// The column, or empty where the whole line is meant.
    pub column: String,
    /// What is wrong, in words.
    pub problem: String,
}

/// A table read from text that outlives it.
#[derive(Clone, Debug)]
pub struct Table<'t> {
    file: &'t str,
    columns: Vec<&'t str>,
    cells: Vec<&'t str>,
    lines: Vec<usize>,
}

/// One row of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Row<'a, 't> {
    table: &'a Table<'t>,
    index: usize,
}

impl<'t> Table<'t> {
    /// Reads `text`; `file` only names it in errors.
    ///
    /// Every column of `required` must be there, in any order; beside them only those of
    /// `optional` may be, so that no column stands unread. Empty lines are passed over.
    ///
    /// # Errors
    ///
    /// The first place where the text is not such a table.
    pub fn parse(
        file: &'t str,
        text: &'t str,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Self, TableError> {
        let fail = |line: usize, column: &str, problem: &str| TableError {
            file: file.to_owned(),
            line,
            column: column.to_owned(),
            problem: problem.to_owned(),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().enumerate();
        let header = lines.next().map_or("", |(_, header)| header);
        let columns: Vec<&str> = header.split('\t').collect();
        for (place, column) in columns.iter().enumerate() {
            if columns[..place].contains(column) {
                return Err(fail(1, column, "the column stands twice"));
            }
            if !required.contains(column) && !optional.contains(column) {
                return Err(fail(1, column, "unknown column"));
            }
        }
        if let Some(missing) = required.iter().find(|name| !columns.contains(name)) {
            return Err(fail(1, missing, "the column is missing"));
        }
        let mut table = Self {
            file,
            columns,
            cells: Vec::new(),
            lines: Vec::new(),
        };
        for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
            table.cells.extend(line.split('\t'));
            table.lines.push(index + 1);
            let (width, expected) = (line.split('\t').count(), table.columns.len());
            if width != expected {
                let problem = format!("{width} cells where the header has {expected}");
                return Err(fail(index + 1, "", &problem));
            }
        }
        Ok(table)
    }

    /// The rows below the header, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_, 't>> {
        (0..self.lines.len()).map(|index| Row { table: self, index })
    }
}

impl<'t> Row<'_, 't> {
    /// The cell under `column`, blanks at both ends taken off; empty where the table lacks it.
    #[must_use]
    pub fn get(&self, column: &str) -> &'t str {
        let width = self.table.columns.len();
        let place = self.table.columns.iter().position(|name| *name == column);
        place.map_or("", |place| {
            self.table.cells[self.index * width + place].trim()
        })
    }

    /// Like [`Row::get`], but an empty cell is an error.
    ///
    /// # Errors
    ///
    /// When the cell is empty.
    pub fn need(&self, column: &str) -> Result<&'t str, TableError> {
        match self.get(column) {
            "" => Err(self.error(column, "must not be empty")),
            cell => Ok(cell),
        }
    }

    /// The line of this row in its file, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.table.lines[self.index]
    }

    /// An error about the cell under `column` of this row.
    #[must_use]
    pub fn error(&self, column: &str, problem: impl fmt::Display) -> TableError {
        TableError {
            file: self.table.file.to_owned(),
            line: self.line(),
            column: column.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// Writes `, column x`, or nothing for a whole line.
struct Column<'a>(&'a str);

impl fmt::Display for Column<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, ", column {}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_the_name_of_their_column() {
        let text = "\u{feff}b\ta\r\n1\t 2 \r\n\r\n3\t\r\n";
        let table = Table::parse("t.tsv", text, &["a", "b"], &["c"]).unwrap();
        let rows: Vec<_> = table
            .rows()
            .map(|row| (row.get("a"), row.get("b"), row.line()))
            .collect();
        assert_eq!(rows, [("2", "1", 2), ("", "3", 4)]);
        assert_eq!(table.rows().next().unwrap().get("c"), "");
    }

    #[test]
    fn an_error_names_file_line_and_column() {
        let cases = [
            (
                "unknown column",
                "a\tx\n",
                "t.tsv, line 1, column x: unknown column",
            ),
            (
                "missing column",
                "c\n",
                "t.tsv, line 1, column a: the column is missing",
            ),
            (
                "column twice",
                "a\ta\n",
                "t.tsv, line 1, column a: the column stands twice",
            ),
            ("empty text", "", "t.tsv, line 1: unknown column"),
            (
                "short row",
                "a\tc\n1\t2\n\n1\n",
                "t.tsv, line 4: 1 cells where the header has 2",
            ),
            (
                "long row",
                "a\n1\t2\n",
                "t.tsv, line 2: 2 cells where the header has 1",
            ),
        ];
        for (name, text, expected) in cases {
            let error = Table::parse("t.tsv", text, &["a"], &["c"]).unwrap_err();
            assert_eq!(error.to_string(), expected, "case {name}");
        }
        let table = Table::parse("t.tsv", "a\tc\n\tx\n", &["a", "c"], &[]).unwrap();
        let error = table.rows().next().unwrap().need("a").unwrap_err();
        assert_eq!(
            error.to_string(),
            "t.tsv, line 2, column a: must not be empty"
        );
    }
}
