//! Workbooks out and in again.

mod cells;
mod hostile;
mod mutated;
mod round;

use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;

use rust_xlsxwriter::{Format, Workbook};
use schemas::edition::Edition;
use schemas::plan::RecordPlan;
use schemas::record::Record;
use schemas::validate::{FileHeader, Finding, Scratch, Severity};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::error::BookError;
use crate::finding::Located;
use crate::package::Limits;
use crate::{Book, read};

/// Both editions, the personal one first.
fn editions() -> [&'static Edition; 2] {
    ["pboc-submit-personal", "pboc-submit-enterprise"]
        .map(|format| Edition::embedded(format, jiff::civil::Date::MAX).unwrap())
}

fn plan(code: &str) -> &'static Arc<RecordPlan> {
    editions().into_iter().find_map(|it| it.plan(code)).unwrap()
}

fn sample_of(code: &str) -> Record {
    plan(code)
        .read(crate::sample(code).unwrap().as_bytes())
        .unwrap()
}

/// A workbook with the sample of a record type.
fn filled(code: &str) -> Vec<u8> {
    crate::template::filled(plan(code), &[sample_of(code)], schemas::text::Language::Zh).unwrap()
}

fn header(record: &str) -> FileHeader {
    FileHeader {
        date: "2026-11-24".parse().unwrap(),
        record: record.to_owned(),
        org: "T99999999H0001".to_owned(),
        template: if ["110", "310"].contains(&record) {
            "10"
        } else {
            "  "
        }
        .to_owned(),
    }
}

/// A path and a value.
type Pair = (String, Option<String>);

/// What reading a workbook came to: records and all findings that stop one.
#[derive(Debug)]
struct Taken {
    records: Vec<(&'static str, Vec<Pair>)>,
    findings: Vec<Located>,
}

impl Taken {
    /// Cell and code of each finding.
    fn told(&self) -> Vec<String> {
        let told = |it: &Located| {
            let spot = it
                .spot
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            format!("{spot} {}", it.finding.code)
        };
        self.findings.iter().map(told).collect()
    }
}

fn take(bytes: &[u8]) -> Taken {
    try_take(bytes, Limits::default()).unwrap()
}

fn try_take(bytes: &[u8], limits: Limits) -> Result<Taken, BookError> {
    let mut book = Book::open(Cursor::new(bytes), limits)?;
    let mut taken = Taken {
        records: Vec::new(),
        findings: Vec::new(),
    };
    let mut source = match read(&mut book, &editions())? {
        Ok(source) => source,
        Err(findings) => {
            taken.findings = findings;
            return Ok(taken);
        }
    };
    let mut scratch = Scratch::default();
    let mut seq = 0;
    while let Some(next) = source.next_record(Record::default()) {
        seq += 1;
        let findings: Vec<Finding> = match next {
            Ok(mut record) => {
                let findings = record.judge(&header(record.plan.code()), &mut scratch);
                let values = record.plan.values(&record.record).into_iter();
                let values = values.map(|(path, value)| (path, value.map(str::to_owned)));
                taken.records.push((record.plan.code(), values.collect()));
                findings
            }
            Err(findings) => findings,
        };
        let stopping = findings
            .into_iter()
            .filter(|it| it.severity == Severity::Error);
        taken.findings.extend(stopping.map(|finding| Located {
            seq: Some(seq),
            spot: Some(source.origin().spot(&finding.path)),
            finding,
        }));
    }
    Ok(taken)
}

/// A cell of a test.
#[derive(Clone, Debug, PartialEq)]
enum Put {
    Bool(bool),
    Day(f64),
    Formula(&'static str),
    Number(f64),
    Text(String),
}

impl From<&str> for Put {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A workbook as rows of texts, to be changed and written again.
#[derive(Clone, Debug)]
struct Sheets(Vec<(String, Vec<Vec<Put>>)>);

impl Sheets {
    fn of(bytes: &[u8]) -> Self {
        let mut book = Book::open(Cursor::new(bytes), Limits::default()).unwrap();
        let names: Vec<String> = book.names().map(str::to_owned).collect();
        let mut sheets = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            let (mut rows, mut row) = (book.rows(index).unwrap(), crate::sheet::Row::default());
            let mut all: Vec<Vec<Put>> = Vec::new();
            while rows.read(&mut row).unwrap() {
                all.resize(row.number as usize, Vec::new());
                let last = all.last_mut().unwrap();
                for cell in &row.cells {
                    last.resize(usize::from(cell.column) + 1, Put::from(""));
                    let content = row.content(cell);
                    last[usize::from(cell.column)] = match cell.holds {
                        crate::cell::Holds::Bool => Put::Bool(content == "1"),
                        crate::cell::Holds::Day => Put::Day(content.parse().unwrap()),
                        crate::cell::Holds::Number => Put::Number(content.parse().unwrap()),
                        _ => Put::from(content),
                    };
                }
            }
            sheets.push((name, all));
        }
        Self(sheets)
    }

    /// The cell in a sheet, as in `410 基础段!C3`.
    fn cell(&mut self, spot: &str) -> &mut Put {
        let (sheet, cell) = spot.rsplit_once('!').unwrap();
        let letters = cell.find(|c: char| c.is_ascii_digit()).unwrap();
        let value = |b: u8| usize::from(b - b'A') + 1;
        let column = cell[..letters].bytes().fold(0, |n, b| n * 26 + value(b)) - 1;
        let row: usize = cell[letters..].parse().unwrap();
        let (_, rows) = self.0.iter_mut().find(|(name, _)| name == sheet).unwrap();
        if rows.len() < row {
            rows.resize(row, Vec::new());
        }
        let row = &mut rows[row - 1];
        if row.len() <= column {
            row.resize(column + 1, Put::from(""));
        }
        &mut row[column]
    }

    fn with(mut self, spot: &str, put: impl Into<Put>) -> Self {
        *self.cell(spot) = put.into();
        self
    }

    fn written(&self) -> Vec<u8> {
        let mut workbook = Workbook::new();
        let day = Format::new().set_num_format("yyyy-mm-dd");
        for (name, rows) in &self.0 {
            let sheet = workbook.add_worksheet();
            sheet.set_name(name).unwrap();
            for (row, cells) in rows.iter().enumerate() {
                for (column, put) in cells.iter().enumerate() {
                    let (row, column) = (row as u32, column as u16);
                    match put {
                        Put::Bool(value) => sheet.write_boolean(row, column, *value),
                        Put::Day(days) => sheet.write_number_with_format(row, column, *days, &day),
                        Put::Formula(text) => sheet.write_formula(row, column, *text),
                        Put::Number(number) => sheet.write_number(row, column, *number),
                        Put::Text(text) if text.is_empty() => continue,
                        Put::Text(text) => sheet.write_string(row, column, text),
                    }
                    .unwrap();
                }
            }
        }
        workbook.save_to_buffer().unwrap()
    }

    fn take(&self) -> Taken {
        take(&self.written())
    }
}

/// The parts of a workbook.
fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut parts = Vec::new();
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        part.read_to_end(&mut content).unwrap();
        parts.push((part.name().unwrap().into_owned(), content));
    }
    parts
}

/// A workbook of parts.
fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let how = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in parts {
        writer.start_file(name.as_str(), how).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workbook with one part changed.
fn changed(bytes: &[u8], part: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut parts = parts(bytes);
    let (_, content) = parts.iter_mut().find(|(name, _)| name == part).unwrap();
    *content = change(std::str::from_utf8(content).unwrap()).into_bytes();
    packed(&parts)
}
