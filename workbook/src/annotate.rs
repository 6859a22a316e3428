//! A copy of a workbook with its findings: cells colored and noted, values untouched.
//!
//! # Promise
//!
//! Every cell of every sheet comes back with its value and its kind; a formula comes back as the
//! text of it, so that nothing but its writer makes a value of it. Sheets for records get the
//! names, notes and drop-downs of the template. A sheet of all findings stands first. The copy is
//! read as the workbook was: mended, it can be handed in.
//!
//! # What is not here
//!
//! Formats, widths, charts and whatever else a workbook holds beside cells.
//!
//! # Failure
//!
//! As reading. Rows are written through files without a name in the folder for temporary files,
//! which hold what the workbook holds and are gone when the program ends.

use std::collections::BTreeMap;
use std::io::{BufRead, Seek, Write};

use rust_xlsxwriter::{Color, Format, Note, Worksheet};
use schemas::edition::Edition;
use schemas::plan::{Element, What};
use schemas::text::Language;
use schemas::validate::Severity;

use crate::book::Book;
use crate::cell::{Cell, Holds};
use crate::dress::{CodeSheet, Formats, dress, pick};
use crate::error::BookError;
use crate::finding::Located;
use crate::layout::{Beside, HEADER, KEY, Layout};
use crate::report;
use crate::sheet::{Row, Rows};
use crate::template::new_workbook;

/// Cells that get a note; those beyond are only colored, and stand in the sheet of findings.
const NOTES: usize = 5_000;

/// What is said of the cells of a sheet, by row and column.
type Marks<'f> = BTreeMap<(u32, u16), Vec<&'f Located>>;

/// Writes a copy of a workbook with these findings.
///
/// # Errors
///
/// As reading, or that the copy cannot be written.
pub fn annotate(
    book: &mut Book<'_>,
    editions: &[&Edition],
    findings: &[Located],
    language: Language,
    into: impl Write + Seek + Send,
) -> Result<(), BookError> {
    let names: Vec<String> = book.names().map(str::to_owned).collect();
    let layouts = layouts(editions, &names);
    let codes = CodeSheet::of(&layouts, language);
    let formats = Formats::new();
    let mut workbook = new_workbook()?;
    report::write(&mut workbook, findings, &formats, language)?;
    let mut noted = 0;
    for (index, name) in names.iter().enumerate() {
        if matches!(Beside::of(name), Some(Beside::Codes | Beside::Findings)) {
            continue;
        }
        let mut marks = Marks::new();
        for it in findings {
            if let Some(spot) = it.spot.as_ref().filter(|spot| *spot.sheet == **name) {
                let place = (spot.row.saturating_sub(1), spot.column);
                marks.entry(place).or_default().push(it);
            }
        }
        let is_1904 = book.is_1904();
        let columns = columns(book, index, &layouts, name)?;
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        if !columns.is_empty() {
            dress(sheet, &columns, (&codes, language))?;
        }
        for (place, said) in &marks {
            if noted < NOTES {
                noted += 1;
                let note = Note::new(told(said, language))
                    .add_author_prefix(false)
                    .set_width(360)
                    .set_height(140);
                sheet.insert_note(place.0, place.1, &note)?;
            }
        }
        copy(
            &mut book.rows(index)?,
            sheet,
            &mut marks,
            (&formats, is_1904),
        )?;
    }
    codes.write(&mut workbook, &formats, language)?;
    workbook.save_to_writer(into)?;
    Ok(())
}

/// The record types that the sheets are of.
fn layouts<'e>(editions: &[&'e Edition], names: &[String]) -> Vec<Layout<'e>> {
    let mut layouts: Vec<Layout<'e>> = Vec::new();
    for name in names {
        let code = name.split(' ').next().unwrap_or_default();
        let plan = editions.iter().find_map(|edition| edition.plan(code));
        if let Some(plan) = plan
            && !layouts.iter().any(|known| known.plan.code() == code)
        {
            layouts.push(Layout::new(plan));
        }
    }
    layouts
}

/// Which columns of a sheet for records hold which items.
fn columns<'p>(
    book: &mut Book<'_>,
    index: usize,
    layouts: &[Layout<'p>],
    name: &str,
) -> Result<Vec<(Element<'p>, u16)>, BookError> {
    let mut found = Vec::new();
    let sheet = |layout: &'_ Layout<'p>| {
        let at = layout.find(name)?;
        Some((layout.plan, layout.sheets[at].node))
    };
    let Some((plan, node)) = layouts.iter().find_map(sheet) else {
        return Ok(found);
    };
    let (mut rows, mut row) = (book.rows(index)?, Row::default());
    while rows.read(&mut row)? && row.number <= HEADER {
        if row.number < HEADER {
            continue;
        }
        for cell in &row.cells {
            let tag = row.content(cell).trim();
            let mut children = plan.element(node).children();
            let item =
                children.find(|it| it.tag() == tag && matches!(it.what(), What::Item { .. }));
            found.extend(item.map(|item| (item, cell.column)));
        }
    }
    Ok(found)
}

/// What a note says.
fn told(said: &[&Located], language: Language) -> String {
    let lines = said.iter().map(|it| {
        let text = pick(language, &it.finding.zh, &it.finding.en);
        format!("{}: {text}", it.finding.code)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    text.chars().take(4_000).collect()
}

fn copy(
    rows: &mut Rows<'_, impl BufRead>,
    sheet: &mut Worksheet,
    marks: &mut Marks<'_>,
    (formats, is_1904): (&Formats, bool),
) -> Result<(), BookError> {
    let mut row = Row::default();
    let mut more = rows.read(&mut row)?;
    while more || !marks.is_empty() {
        let read = more.then(|| row.number - 1);
        let marked = marks.first_key_value().map(|((row, _), _)| *row);
        // Rows go out in order, those with marks alone among them.
        let at = match (read, marked) {
            (Some(read), Some(marked)) => read.min(marked),
            (Some(row), None) | (None, Some(row)) => row,
            (None, None) => break,
        };
        let cells: &[Cell] = if read == Some(at) { &row.cells } else { &[] };
        let mut cells = cells.iter().peekable();
        loop {
            let mark = marks.first_key_value().map(|(place, _)| *place);
            let mark = mark.filter(|(row, _)| *row == at).map(|(_, column)| column);
            let column = match (cells.peek().map(|cell| cell.column), mark) {
                (Some(cell), Some(mark)) => cell.min(mark),
                (Some(column), None) | (None, Some(column)) => column,
                (None, None) => break,
            };
            let said = (mark == Some(column)).then(|| marks.pop_first()).flatten();
            let color = said.map(|(_, said)| color(&said));
            match cells.next_if(|cell| cell.column == column) {
                Some(cell) => {
                    let place = (at, column);
                    let content = row.content(cell);
                    write(
                        sheet,
                        place,
                        (cell.holds, content),
                        (formats, is_1904, color),
                    )?;
                }
                None => {
                    let format = colored(&formats.text, color);
                    sheet.write_blank(at, column, &format)?;
                }
            }
        }
        if read == Some(at) {
            more = rows.read(&mut row)?;
        }
    }
    Ok(())
}

fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    (holds, content): (Holds, &str),
    (formats, is_1904, color): (&Formats, bool, Option<Color>),
) -> Result<(), BookError> {
    let number = content.parse::<f64>().ok().filter(|it| it.is_finite());
    // A number with more digits than a spreadsheet keeps stays as it was written.
    let number = number.filter(|it| content.len() <= 15 || format!("{it}") == content);
    let tag = row + 1 == HEADER && content.starts_with(|c: char| c.is_ascii_alphabetic());
    let text = if tag || content == KEY {
        &formats.tag
    } else {
        &formats.text
    };
    match (holds, number) {
        (Holds::Bool, _) => {
            let format = colored(&formats.number, color);
            sheet.write_boolean_with_format(row, column, content == "1", &format)?
        }
        (Holds::Day, Some(days)) => {
            let days = if is_1904 { days + 1462.0 } else { days };
            let format = colored(&formats.day, color);
            sheet.write_number_with_format(row, column, days, &format)?
        }
        (Holds::Number, Some(number)) => {
            let format = colored(&formats.number, color);
            sheet.write_number_with_format(row, column, number, &format)?
        }
        _ => {
            let format = colored(text, color);
            sheet.write_string_with_format(row, column, content, &format)?
        }
    };
    Ok(())
}

fn color(said: &[&Located]) -> Color {
    let stops = said.iter().any(|it| it.finding.severity == Severity::Error);
    Color::RGB(if stops { 0xff_c7_ce } else { 0xff_eb_9c })
}

fn colored(format: &Format, color: Option<Color>) -> Format {
    match color {
        Some(color) => format.clone().set_background_color(color),
        None => format.clone(),
    }
}
