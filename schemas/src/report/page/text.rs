//! A page as plain text, for a terminal.

use zeroize::Zeroizing;

use super::{Block, Cell, Grid, Page, PageSection, Table};
use crate::report::confidence::Confidence;
use crate::report::tree::Report;
use crate::text::Language;

/// A table that is wider is written row by row.
const WIDTH: usize = 120;

impl Report {
    /// The report as plain text, everything filled in it.
    #[must_use]
    pub fn render(&self, language: Language) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(self.source.len() * 2));
        self.page(language).write(&mut out);
        out
    }
}

impl Page<'_> {
    /// Appends the page as plain text. Control characters are blanks in it.
    pub fn write(&self, out: &mut String) {
        let head = [Some(self.title), self.number, self.made.as_deref()];
        let head: Vec<_> = head.into_iter().flatten().collect();
        line(out, 0, &head.join("  "));
        for section in &self.sections {
            self.section(out, section, 0);
        }
        let pick = |zh, en| match self.language {
            Language::En => en,
            Language::Zh => zh,
        };
        if !self.figures.is_empty() {
            line(out, 0, pick("衍生变量", "Variables"));
        }
        for figure in &self.figures {
            let unsure = figure.confidence == Confidence::Low;
            let mark = if unsure { " [?]" } else { "" };
            line(out, 1, &format!("{}: {}{mark}", figure.label, figure.text));
        }
        if !self.notes.is_empty() {
            line(out, 0, pick("说明", "Notes"));
        }
        for note in &self.notes {
            line(out, 1, &format!("- {}", note.text));
        }
    }

    fn section(&self, out: &mut String, section: &PageSection<'_>, depth: usize) {
        line(out, depth, &section.title);
        for block in &section.blocks {
            self.block(out, block, depth + 1);
        }
        for section in &section.sections {
            self.section(out, section, depth + 1);
        }
    }

    fn block(&self, out: &mut String, block: &Block<'_>, depth: usize) {
        match block {
            Block::Fields { fields } => {
                for field in fields {
                    let text = format!("{}: {}", field.label, self.cell(&field.cell));
                    line(out, depth, &text);
                }
            }
            Block::Grid(grid) => write_grid(out, grid, depth),
            Block::Group { heading, blocks } => {
                line(out, depth, &format!("[{heading}]"));
                for block in blocks {
                    self.block(out, block, depth + 1);
                }
            }
            Block::Table(table) => self.table(out, table, depth),
        }
    }

    /// A value, and a mark where it is doubtful.
    fn cell(&self, cell: &Cell<'_>) -> String {
        match cell.doubt {
            None => cell.text.to_string(),
            Some(_) => format!("{} [?]", cell.text),
        }
    }

    fn table(&self, out: &mut String, table: &Table<'_>, depth: usize) {
        line(out, depth, &format!("[{}]", table.heading));
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| self.cell(cell)).collect())
            .collect();
        let widest = |place: usize| {
            let cells = rows.iter().filter_map(|row| row.get(place));
            let cells = cells.map(|cell| width(cell));
            cells
                .chain([width(&table.columns[place])])
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..table.columns.len()).map(widest).collect();
        if widths.iter().map(|width| width + 2).sum::<usize>() + depth * 2 <= WIDTH {
            write_row(out, depth + 1, &table.columns, &widths);
            for row in &rows {
                write_row(out, depth + 1, row, &widths);
            }
            return;
        }
        for (place, row) in rows.iter().enumerate() {
            let named = table.columns.iter().zip(row);
            let said = named.filter(|(_, cell)| !cell.is_empty());
            let said: Vec<_> = said
                .map(|(label, cell)| format!("{label}: {cell}"))
                .collect();
            line(
                out,
                depth + 1,
                &format!("{}) {}", place + 1, said.join("; ")),
            );
        }
    }
}

fn write_row(out: &mut String, depth: usize, cells: &[String], widths: &[usize]) {
    let mut row = String::new();
    for (cell, column) in cells.iter().zip(widths) {
        row.push_str(cell);
        row.extend(std::iter::repeat_n(' ', column + 2 - width(cell)));
    }
    line(out, depth, row.trim_end());
}

fn write_grid(out: &mut String, grid: &Grid<'_>, depth: usize) {
    line(out, depth, &format!("[{}]", grid.heading));
    let amount = |month: &Option<super::GridMonth<'_>>| {
        let amount = month.as_ref().and_then(|month| month.amount.as_deref());
        amount.unwrap_or("").to_owned()
    };
    let amounts = grid
        .years
        .iter()
        .flat_map(|(_, months)| months.iter().map(amount));
    let wide = if grid.amounts {
        amounts.map(|text| width(&text)).max().unwrap_or(0).max(2)
    } else {
        2
    };
    let widths = std::iter::once(4).chain(std::iter::repeat_n(wide, 12));
    let widths: Vec<usize> = widths.collect();
    let row = |first: String, cells: Vec<String>| {
        let mut row = vec![first];
        row.extend(cells);
        row
    };
    let head = row(
        String::new(),
        (1..=12).map(|month| month.to_string()).collect(),
    );
    write_row(out, depth + 1, &head, &widths);
    for (year, months) in &grid.years {
        let mark = |month: &Option<super::GridMonth<'_>>| {
            month
                .as_ref()
                .map_or(String::new(), |month| month.mark.to_owned())
        };
        let marks = row(year.to_string(), months.iter().map(mark).collect());
        write_row(out, depth + 1, &marks, &widths);
        if grid.amounts {
            let amounts = row(String::new(), months.iter().map(amount).collect());
            write_row(out, depth + 1, &amounts, &widths);
        }
    }
    let legend = legend(grid);
    if !legend.is_empty() {
        line(out, depth + 1, &legend);
    }
}

/// Each mark once, with its meaning.
fn legend(grid: &Grid<'_>) -> String {
    let mut marks: Vec<(&str, &str)> = Vec::new();
    for month in grid
        .years
        .iter()
        .flat_map(|(_, months)| months.iter().flatten())
    {
        if !month.meaning.is_empty() && !marks.contains(&(month.mark, month.meaning)) {
            marks.push((month.mark, month.meaning));
        }
    }
    let marks = marks
        .iter()
        .map(|(mark, meaning)| format!("{mark} {meaning}"));
    marks.collect::<Vec<_>>().join("; ")
}

/// Columns of a terminal that a text takes: most of what is not ASCII here is
/// two wide.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if c < '\u{1100}' { 1 } else { 2 })
        .sum()
}

fn line(out: &mut String, depth: usize, text: &str) {
    // A terminal obeys control characters, and a line end would forge a line.
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    out.extend(std::iter::repeat_n("  ", depth));
    out.extend(text.chars().map(plain));
    out.push('\n');
}
