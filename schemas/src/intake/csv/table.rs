//! One table, read row by row; and what its columns stand for.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::{CsvError, Input};
use crate::edition::Edition;
use crate::intake::MOST_BYTES;
use crate::intake::finding::{Fault, may_be_odd, path_of};
use crate::intake::name::{bears, child, narrow, places, plain, stray};
use crate::plan::tree::Shape;
use crate::plan::{NodeId, RecordPlan};
use crate::validate::Finding;

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Corrects,
    Dispute,
    Item(NodeId),
    Key,
}

/// A table with a header line.
pub(super) struct Table<'i> {
    reader: Reader<Limited<'i>>,
    left: Arc<AtomicU64>,
    header: Vec<String>,
    row: ByteRecord,
    /// The cells of the row, one after the other, once they are known to be text.
    text: String,
    odd: bool,
}

/// A row that is text.
#[derive(Clone, Copy)]
pub(super) struct Row<'t> {
    cells: &'t ByteRecord,
    text: &'t str,
    /// Whether a cell may hold a character that XML forbids.
    pub(super) odd: bool,
}

impl<'i> Table<'i> {
    /// Reads the header line.
    pub(super) fn open(input: Input<'i>) -> Result<Self, CsvError> {
        let left = Arc::new(AtomicU64::new(MOST_BYTES as u64));
        let input = Limited {
            input,
            left: Arc::clone(&left),
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(input);
        let mut table = Self {
            reader,
            left,
            header: Vec::new(),
            row: ByteRecord::new(),
            text: String::new(),
            odd: false,
        };
        table.read()?;
        let clean = |cell: &str| cell.trim_start_matches('\u{feff}').trim().to_owned();
        table.header = table.row().cells().map(clean).collect();
        Ok(table)
    }

    /// The cells of the header line, blanks and a byte order mark taken off.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Reads the next row; false after the last.
    pub(super) fn read(&mut self) -> Result<bool, CsvError> {
        self.left.store(MOST_BYTES as u64, Ordering::Relaxed);
        self.text.clear();
        let more = self.reader.read_byte_record(&mut self.row);
        let more = more.map_err(|error| match error.into_kind() {
            ErrorKind::Io(error) => CsvError::Io(error),
            _ => self.broken(Fault::Column, ("不是CSV", "is not CSV")),
        })?;
        // Each cell is text when all of it is and no character reaches over a border.
        let bytes = self.row.as_slice();
        let text = std::str::from_utf8(bytes).ok();
        let ends = || (0..self.row.len()).filter_map(|cell| self.row.range(cell));
        let text = text.filter(|text| ends().all(|cell| text.is_char_boundary(cell.end)));
        let Some(text) = text else {
            let texts = (
                "不是UTF-8；应以UTF-8保存",
                "is not UTF-8; the table should be saved as UTF-8",
            );
            return Err(self.broken(Fault::Utf8, texts));
        };
        self.text.push_str(text);
        // All of it at once and without stopping: the processor does that in wide steps.
        self.odd = bytes.iter().fold(false, |odd, b| odd | may_be_odd(*b));
        Ok(more)
    }

    fn broken(&self, fault: Fault, (zh, en): (&str, &str)) -> CsvError {
        let line = self.number();
        let (zh, en) = (format!("第{line}行{zh}"), format!("line {line} {en}"));
        CsvError::Findings(vec![fault.whole("", &zh, &en)])
    }

    /// The bytes of the row read last, text or not.
    pub(super) fn bytes(&self) -> &[u8] {
        self.row.as_slice()
    }

    /// The row read last.
    pub(super) fn row(&self) -> Row<'_> {
        Row {
            cells: &self.row,
            text: &self.text,
            odd: self.odd,
        }
    }

    /// The line of the table in which it begins; the header is line 1.
    pub(super) fn number(&self) -> u64 {
        self.row.position().map_or(0, csv::Position::line)
    }
}

impl<'t> Row<'t> {
    /// How many cells there are.
    pub(super) fn len(self) -> usize {
        self.cells.len()
    }

    /// A cell, blanks taken off; empty where the row has none.
    pub(super) fn cell(self, at: usize) -> &'t str {
        let range = self.cells.range(at);
        let cell = range.and_then(|range| self.text.get(range));
        cell.unwrap_or_default().trim_ascii()
    }

    /// All cells, blanks taken off.
    pub(super) fn cells(self) -> impl Iterator<Item = &'t str> {
        (0..self.len()).map(move |at| self.cell(at))
    }
}

/// Stops a row that does not end: a quotation mark that is never closed makes the rest of the
/// table one cell.
struct Limited<'i> {
    input: Input<'i>,
    /// How many bytes the row at hand may still take.
    left: Arc<AtomicU64>,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            let problem = "a row does not end: is a quotation mark left open?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let read = self.input.read(buffer)?;
        let left = left.saturating_sub(read as u64);
        self.left.store(left, Ordering::Relaxed);
        Ok(read)
    }
}

/// What the columns of a main table hold.
pub(super) fn main_columns(
    edition: &Edition,
    plan: &RecordPlan,
    header: &[String],
    findings: &mut Vec<Finding>,
) -> Vec<Column> {
    let mut columns = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let column = match name.as_str() {
            "@corrects" => Some(Column::Corrects),
            "@dispute" => Some(Column::Dispute),
            "@key" => Some(Column::Key),
            name => main_item(edition, plan, name, at + 1, findings).map(Column::Item),
        };
        columns.extend(column);
    }
    repeated(plan, header, &columns, findings);
    columns
}

/// What the columns of the table of a group hold, after the first.
pub(super) fn child_columns(
    edition: &Edition,
    plan: &RecordPlan,
    group: NodeId,
    header: &[String],
    findings: &mut Vec<Finding>,
) -> Vec<Column> {
    let mut columns = Vec::new();
    let mut hint = 0;
    for (at, name) in header.iter().enumerate().skip(1) {
        let found = child(plan, group.0, name, &mut hint);
        let found = found
            .or_else(|| below(plan, name).filter(|n| plan.nodes[*n as usize].parent == group.0));
        match found {
            Some(item) if plan.nodes[item as usize].item().is_some() => {
                columns.push(Column::Item(NodeId(item)));
            }
            _ => {
                let (zh, en) = (format!("第{}列", at + 1), format!("column {}", at + 1));
                findings.push(stray(edition, plan, group.0, name, (&zh, &en)));
            }
        }
    }
    repeated(plan, &header[1.min(header.len())..], &columns, findings);
    columns
}

/// The group that a name or path stands for.
pub(super) fn group(plan: &RecordPlan, name: &str) -> Option<NodeId> {
    let is_group = |index: &u16| {
        let node = &plan.nodes[*index as usize];
        node.level == 0 && matches!(node.shape, Shape::Group(_))
    };
    if name.contains('/') {
        return below(plan, name).filter(is_group).map(NodeId);
    }
    let bearing = |index: &u16| bears(plan, *index, name);
    let mut found = (0..plan.nodes.len() as u16)
        .filter(is_group)
        .filter(bearing);
    found.next().filter(|_| found.next().is_none()).map(NodeId)
}

fn main_item(
    edition: &Edition,
    plan: &RecordPlan,
    name: &str,
    column: usize,
    findings: &mut Vec<Finding>,
) -> Option<NodeId> {
    let (zh, en) = (format!("第{column}列"), format!("column {column}"));
    let outside = |index: &u16| {
        let id = NodeId(*index);
        plan.outside_groups(id) && plan.nodes[*index as usize].item().is_some()
    };
    let bearing = |index: &u16| bears(plan, *index, name);
    let all = (0..plan.nodes.len() as u16).filter(outside).filter(bearing);
    let found: Vec<u16> = all.collect();
    match found[..] {
        [item] => return Some(NodeId(item)),
        [] => {
            if let Some(item) = below(plan, name).filter(outside) {
                return Some(NodeId(item));
            }
            let last = name.rsplit('/').next().unwrap_or(name);
            findings.push(stray(edition, plan, 0, last, (&zh, &en)));
        }
        _ => {
            let all = found.iter().map(|item| path_of(plan, *item));
            let all = all.collect::<Vec<_>>().join(", ");
            let texts = (
                format!("{zh}的名称不唯一；应写明段：{all}"),
                format!(
                    "the name of {en} is not unique; its segment should stand before it: {all}"
                ),
            );
            findings.push(Fault::NameAmbiguous.at(plan.code(), ".".to_owned(), texts));
        }
    }
    None
}

/// What stands at a path of tags or Chinese names; a Chinese name may hold a `/` itself.
fn below(plan: &RecordPlan, path: &str) -> Option<u16> {
    let path: String = narrow(path).collect();
    below_node(plan, 0, &path)
}

fn below_node(plan: &RecordPlan, node: u16, path: &str) -> Option<u16> {
    let mut children = plan.nodes[node as usize].children.iter();
    children.find_map(|&child| {
        let node = &plan.nodes[child as usize];
        let zh: String = narrow(&node.zh).collect();
        [&*node.tag, &zh].into_iter().find_map(|name| {
            let rest = path.strip_prefix(name)?;
            if rest.is_empty() {
                return Some(child);
            }
            below_node(plan, child, rest.strip_prefix('/')?)
        })
    })
}

/// Columns that hold the same.
fn repeated(plan: &RecordPlan, header: &[String], columns: &[Column], findings: &mut Vec<Finding>) {
    let mut seen: Vec<String> = Vec::new();
    for column in columns {
        let what = match column {
            Column::Item(item) => path_of(plan, item.0),
            other => format!("@{other:?}").to_lowercase(),
        };
        if seen.contains(&what) {
            let texts = (
                "两列是同一数据项；应只有一列".to_owned(),
                "two columns hold the same; there should be one".to_owned(),
            );
            findings.push(Fault::NameRepeated.at(plan.code(), what, texts));
        } else {
            seen.push(what);
        }
    }
    if header.is_empty() {
        let (zh, en) = ("表头没有列", "the header line has no columns");
        findings.push(Fault::Column.whole(plan.code(), zh, en));
    }
}

/// A name of a table that can be shown, and where it should have led.
pub(super) fn no_group(plan: &RecordPlan, name: &str) -> Finding {
    let groups = (0..plan.nodes.len() as u16)
        .filter(|index| matches!(plan.nodes[*index as usize].shape, Shape::Group(_)));
    let groups = groups.map(|index| path_of(plan, index));
    let (name, all) = (plain(name), groups.collect::<Vec<_>>().join(", "));
    let many = if places(plan, name).len() > 1 {
        "不唯一"
    } else {
        "不是循环组"
    };
    let texts = (
        format!("子表{name}{many}；应为：{all}"),
        format!(
            "the child table {name} is no group of this record, or of several; it should be one of: {all}"
        ),
    );
    Fault::ChildTable.at(plan.code(), ".".to_owned(), texts)
}
