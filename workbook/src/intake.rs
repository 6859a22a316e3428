//! Records out of a filled workbook.
//!
//! # Promise
//!
//! Rows stand in any order and are joined by their key; the first sheet of a record type tells
//! which records there are, and in which order. All cells are kept while the records are given, as
//! compact as [`Limits`](crate::Limits) allow. Sheets of several record types may stand together.
//!
//! # Failure
//!
//! What is wrong with a sheet or its header is told for the whole workbook, all at once, and
//! nothing is taken. What is wrong with a row is told with its record; rows whose record is not
//! there come at the end, each as one that cannot be taken. Nothing is dropped.

mod head;
mod table;

use std::io::BufRead;
use std::sync::Arc;

use schemas::edition::Edition;
use schemas::intake::{Corrects, Intake, Meta, Taken};
use schemas::plan::{NodeId, RecordPlan};
use schemas::record::{Place, Record};
use schemas::validate::Finding;

use crate::book::Book;
use crate::cell;
use crate::error::BookError;
use crate::finding::{Fault, Located};
use crate::layout::Layout;
use crate::place::{Columns, Origin, Spot};
use crate::sheet::{Row, Rows};
use head::{Column, Meant};
use table::{Bounds, Table};

/// The records of a workbook, one after the other.
pub struct Source<'e> {
    groups: Vec<Group<'e>>,
    /// Which group is being read, and how many of its records and then of its strays were.
    at: (usize, usize, usize),
    is_1904: bool,
    raw: Vec<u8>,
    origin: Origin,
}

/// The sheets of one record type.
struct Group<'e> {
    intake: Intake<'e>,
    plan: &'e RecordPlan,
    tables: Vec<Table>,
    columns: Arc<[Columns]>,
    /// Table and row of what belongs to no record.
    strays: Vec<(usize, usize)>,
}

/// Reads a workbook. Each record type is looked up in the editions in their order. Where findings
/// are given instead of a source, nothing can be taken.
///
/// # Errors
///
/// Why it is no workbook.
pub fn read<'e>(
    book: &mut Book<'_>,
    editions: &[&'e Edition],
) -> Result<Result<Source<'e>, Vec<Located>>, BookError> {
    let limits = book.limits();
    let mut bounds = Bounds::of(&limits);
    let names: Vec<String> = book.names().map(str::to_owned).collect();
    let mut findings = Vec::new();
    let mut groups: Vec<(Group<'e>, Layout<'e>)> = Vec::new();
    let mut columns: Vec<Vec<Columns>> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let spot = Spot {
            sheet: name.as_str().into(),
            row: 0,
            column: 0,
        };
        let (edition, plan, sheet) = match head::meant(editions, name) {
            Meant::Beside => continue,
            Meant::Sheet {
                edition,
                plan,
                sheet,
            } => (edition, plan, sheet),
            Meant::Nothing(fault, record) => {
                let mut rows = book.rows(index)?;
                if rows.read(&mut Row::default())? {
                    findings.push(located(spot, fault.whole(&record)));
                }
                continue;
            }
        };
        let at = groups
            .iter()
            .position(|(group, _)| group.plan.code() == plan.code());
        let at = at.unwrap_or_else(|| {
            let group = Group {
                intake: Intake::new(edition),
                plan,
                tables: Vec::new(),
                columns: Arc::new([]),
                strays: Vec::new(),
            };
            groups.push((group, Layout::new(plan)));
            columns.push(Vec::new());
            groups.len() - 1
        });
        let (group, layout) = &mut groups[at];
        if group.tables.iter().any(|table| table.sheet == sheet) {
            findings.push(located(spot, Fault::Repeated.whole(plan.code())));
            continue;
        }
        let mut rows = book.rows(index)?;
        let head = head::read(
            &mut rows,
            &group.intake,
            layout,
            sheet,
            &spot,
            &mut findings,
        )?;
        let Some(head) = head else { continue };
        columns[at].push(Columns {
            name: Arc::clone(&spot.sheet),
            path: plan.element(layout.sheets[sheet].node).path(),
            items: head.paths(plan),
        });
        let table = Table::new(layout, sheet, head.columns);
        let table = fill(&mut rows, table, &mut bounds)?;
        group.tables.push(table);
    }
    if !findings.is_empty() {
        return Ok(Err(findings));
    }
    let mut ready = Vec::new();
    for ((mut group, layout), mut columns) in groups.into_iter().zip(columns) {
        if group.tables.iter().all(Table::is_empty) {
            continue;
        }
        group.order(&layout, &mut columns);
        group.columns = columns.into();
        ready.push(group);
    }
    Ok(Ok(Source {
        groups: ready,
        at: (0, 0, 0),
        is_1904: book.is_1904(),
        raw: Vec::new(),
        origin: Origin {
            sheets: Arc::new([]),
            rows: Vec::new(),
        },
    }))
}

fn fill(
    rows: &mut Rows<'_, impl BufRead>,
    mut table: Table,
    bounds: &mut Bounds,
) -> Result<Table, BookError> {
    let mut row = Row::default();
    while rows.read(&mut row)? {
        table.push(&row, bounds)?;
    }
    table.sort();
    Ok(table)
}

fn located(spot: Spot, finding: Finding) -> Located {
    Located {
        seq: None,
        spot: Some(spot),
        finding,
    }
}

impl Group<'_> {
    /// Puts the first sheet first, an empty one where it is missing, and finds the rows that
    /// belong to no record.
    fn order(&mut self, layout: &Layout<'_>, columns: &mut Vec<Columns>) {
        if let Some(first) = self.tables.iter().position(|table| table.sheet == 0) {
            let (table, named) = (self.tables.remove(first), columns.remove(first));
            self.tables.insert(0, table);
            columns.insert(0, named);
        } else {
            self.tables.insert(0, Table::new(layout, 0, Vec::new()));
            columns.insert(
                0,
                Columns {
                    name: layout.sheets[0].name(schemas::text::Language::Zh).into(),
                    path: ".".to_owned(),
                    items: Vec::new(),
                },
            );
        }
        let (first, others) = self.tables.split_at_mut(1);
        for (at, table) in others.iter().enumerate() {
            for row in 0..table.len() {
                let key = table.key(row);
                if key.is_empty() || first[0].with_key(key).is_empty() {
                    self.strays.push((at + 1, row));
                }
            }
        }
    }

    /// Puts the cells of a row into a record.
    fn put(
        &self,
        (table, row): (&Table, usize),
        place: Place,
        taken: &mut Taken<'_>,
        (is_1904, raw): (bool, &mut Vec<u8>),
    ) {
        for (cell, content) in table.cells(row) {
            raw.extend_from_slice(&cell.column.to_le_bytes());
            raw.extend_from_slice(content.as_bytes());
            raw.push(0x1f);
            match table.column(cell.column) {
                Some(Column::Item(item)) => {
                    let element = self.plan.element(item);
                    match cell::value(element, cell.holds, content, is_1904) {
                        Ok(value) => self.intake.put(taken, place, item, &value),
                        Err(fault) => taken.findings.push(fault.at(self.plan.code(), element)),
                    }
                }
                Some(Column::Dispute) => taken.meta.dispute = Some(content.trim().to_owned()),
                Some(Column::Corrects) => match corrects(content.trim()) {
                    Some(corrects) => taken.meta.corrects = Some(corrects),
                    None => {
                        let finding = Fault::Value.finding(self.plan.code(), ".".to_owned(), "");
                        taken.findings.push(finding);
                    }
                },
                None => {
                    let element = self.plan.element(table.node);
                    taken
                        .findings
                        .push(Fault::Beyond.at(self.plan.code(), element));
                }
            }
        }
        raw.push(b'\n');
    }
}

fn corrects(text: &str) -> Option<Corrects> {
    let (submission, seq) = text.rsplit_once('/')?;
    Some(Corrects {
        submission: submission.to_owned(),
        seq: seq.parse().ok()?,
    })
}

impl<'e> Source<'e> {
    /// Where the record read last stands.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The bytes that the record read last came from: its rows, cell by cell. The same record has
    /// the same bytes however the workbook was packed.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Reads the next record; its memory may come from an earlier one of the same plan. Findings
    /// instead of a record are those on a row that belongs to none.
    pub fn next_record(&mut self, mut record: Record) -> Option<Result<Taken<'e>, Vec<Finding>>> {
        self.raw.clear();
        let Self {
            groups,
            at,
            is_1904,
            raw,
            origin,
        } = self;
        loop {
            let group = groups.get(at.0)?;
            let own = &group.tables[0];
            origin.sheets = Arc::clone(&group.columns);
            origin.rows.clear();
            if at.1 == own.len() {
                let Some(&(table, row)) = group.strays.get(at.2) else {
                    *at = (at.0 + 1, 0, 0);
                    continue;
                };
                at.2 += 1;
                let table_of = &group.tables[table];
                origin.rows.push((table as u16, table_of.number(row)));
                for (_, content) in table_of.cells(row) {
                    raw.extend_from_slice(content.as_bytes());
                    raw.push(0x1f);
                }
                let key = table_of.key(row);
                let fault = if key.is_empty() {
                    Fault::KeyMissing
                } else {
                    Fault::Orphan
                };
                return Some(Err(vec![fault.whole(group.plan.code())]));
            }
            let row = at.1;
            at.1 += 1;
            group.plan.clear(&mut record);
            let mut taken = Taken {
                plan: group.plan,
                record,
                meta: Meta::default(),
                findings: Vec::new(),
            };
            group.take(row, &mut taken, origin, (*is_1904, raw));
            return Some(Ok(taken));
        }
    }
}

impl Group<'_> {
    /// Takes a row of the first sheet, and those of the others that have its key.
    fn take(
        &self,
        row: usize,
        taken: &mut Taken<'_>,
        origin: &mut Origin,
        (is_1904, raw): (bool, &mut Vec<u8>),
    ) {
        let (own, code) = (&self.tables[0], self.plan.code());
        origin.rows.push((0, own.number(row)));
        let key = own.key(row);
        self.put((own, row), Place::RECORD, taken, (is_1904, raw));
        match own.key_fault(row) {
            Some(fault) => taken.findings.push(fault.whole(code)),
            None if key.is_empty() => taken.findings.push(Fault::KeyMissing.whole(code)),
            None => {}
        }
        if key.is_empty() {
            return;
        }
        let same = own.with_key(key);
        if same.first() != Some(&(row as u32)) {
            // The rows of the others went to the first record of this key.
            taken.findings.push(Fault::KeyRepeated.whole(code));
            return;
        }
        for (at, table) in self.tables.iter().enumerate().skip(1) {
            let element = self.plan.element(table.node);
            for (n, row) in table.with_key(key).iter().enumerate() {
                let row = *row as usize;
                origin.rows.push((at as u16, table.number(row)));
                let before = taken.findings.len();
                if table.is_group {
                    let group: NodeId = element.id();
                    let place = taken.plan.open(&mut taken.record, Place::RECORD, group);
                    self.put((table, row), place, taken, (is_1904, raw));
                    numbered(&mut taken.findings[before..], &element.path(), n + 1);
                } else if n == 0 {
                    self.put((table, row), Place::RECORD, taken, (is_1904, raw));
                } else {
                    let path = format!("{}[{}]", element.path(), n + 1);
                    taken
                        .findings
                        .push(Fault::KeyRepeated.finding(code, path, element.tag()));
                }
            }
        }
    }
}

/// Says in the paths of findings which entry of the group they are about.
fn numbered(findings: &mut [Finding], group: &str, ordinal: usize) {
    for finding in findings {
        if let Some(rest) = finding.path.strip_prefix(group) {
            finding.path = format!("{group}[{ordinal}]{rest}");
        }
    }
}
