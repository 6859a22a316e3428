//! All rows of a sheet, kept compactly and found by their key.

use schemas::plan::NodeId;

use super::head::Column;
use crate::cell::{self, Cell};
use crate::error::BookError;
use crate::finding::Fault;
use crate::layout::Layout;
use crate::package::Limits;
use crate::sheet::Row;

/// What may still be kept of a workbook.
pub(super) struct Bounds {
    limits: Limits,
    cells: u64,
    text: u64,
}

/// The rows of one sheet.
pub(super) struct Table {
    /// Which sheet of the layout it is.
    pub(super) sheet: usize,
    pub(super) node: NodeId,
    pub(super) is_group: bool,
    columns: Vec<(u16, Column)>,
    rows: Vec<Kept>,
    cells: Vec<Cell>,
    text: String,
    /// The rows by key; those of one key in the order of the sheet.
    order: Vec<u32>,
}

struct Kept {
    number: u32,
    /// Where the key stands in the text; its fault stands for a key that cannot be taken.
    key: (u32, u32),
    fault: Option<Fault>,
    /// Its first cell.
    first: u32,
}

impl Bounds {
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            cells: limits.cells,
            text: limits.text,
        }
    }

    fn take(&mut self, cells: usize, text: usize) -> Result<(), BookError> {
        let too_large = |what, limit| BookError::TooLarge { what, limit };
        let cells = self.cells.checked_sub(cells as u64);
        self.cells = cells.ok_or(too_large("cells", self.limits.cells))?;
        let text = self.text.checked_sub(text as u64);
        self.text = text.ok_or(too_large("bytes in its cells", self.limits.text))?;
        Ok(())
    }
}

impl Table {
    pub(super) fn new(layout: &Layout<'_>, sheet: usize, columns: Vec<(u16, Column)>) -> Self {
        Self {
            sheet,
            node: layout.sheets[sheet].node,
            is_group: layout.sheets[sheet].is_group,
            columns,
            rows: Vec::new(),
            cells: Vec::new(),
            text: String::new(),
            order: Vec::new(),
        }
    }

    /// Keeps a row. Cells in columns that have no tag are kept as what they are: content that
    /// belongs nowhere is told, not dropped.
    pub(super) fn push(&mut self, row: &Row, bounds: &mut Bounds) -> Result<(), BookError> {
        // A row and its place in the order cost about two cells.
        bounds.take(row.cells.len() + 2, row.text.len())?;
        let start = self.text.len() as u32;
        let mut kept = Kept {
            number: row.number,
            key: (start, start),
            fault: None,
            first: self.cells.len() as u32,
        };
        if let Some(cell) = row.at(0) {
            match cell::key(cell.holds, row.content(cell)) {
                Ok(key) => {
                    self.text.push_str(&key);
                    kept.key.1 = self.text.len() as u32;
                }
                Err(fault) => kept.fault = Some(fault),
            }
        }
        for cell in row.cells.iter().filter(|cell| cell.column > 0) {
            let start = self.text.len() as u32;
            self.text.push_str(row.content(cell));
            self.cells.push(Cell {
                start,
                end: self.text.len() as u32,
                ..*cell
            });
        }
        self.rows.push(kept);
        Ok(())
    }

    pub(super) fn sort(&mut self) {
        let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
        order.sort_by(|a, b| self.key(*a as usize).cmp(self.key(*b as usize)));
        self.order = order;
        self.cells.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row as spreadsheets show it.
    pub(super) fn number(&self, row: usize) -> u32 {
        self.rows[row].number
    }

    /// The key of a row; empty where it has none.
    pub(super) fn key(&self, row: usize) -> &str {
        let (start, end) = self.rows[row].key;
        &self.text[start as usize..end as usize]
    }

    /// Why the key of a row cannot be taken.
    pub(super) fn key_fault(&self, row: usize) -> Option<Fault> {
        self.rows[row].fault
    }

    /// The rows with this key.
    pub(super) fn with_key(&self, key: &str) -> &[u32] {
        let from = self
            .order
            .partition_point(|row| self.key(*row as usize) < key);
        let same = self.order[from..].partition_point(|row| self.key(*row as usize) == key);
        &self.order[from..from + same]
    }

    /// The cells of a row after the key, with their content.
    pub(super) fn cells(&self, row: usize) -> impl Iterator<Item = (&Cell, &str)> {
        let from = self.rows[row].first as usize;
        let next = self.rows.get(row + 1);
        let to = next.map_or(self.cells.len(), |next| next.first as usize);
        let content = |cell: &Cell| &self.text[cell.start as usize..cell.end as usize];
        self.cells[from..to]
            .iter()
            .map(move |cell| (cell, content(cell)))
    }

    /// What a column holds.
    pub(super) fn column(&self, column: u16) -> Option<Column> {
        let found = self.columns.binary_search_by_key(&column, |(at, _)| *at);
        found.ok().map(|at| self.columns[at].1)
    }
}
