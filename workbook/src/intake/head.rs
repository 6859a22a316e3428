//! Which sheet is what, and what its columns hold.

use std::io::BufRead;

use schemas::edition::Edition;
use schemas::intake::Intake;
use schemas::plan::{NodeId, RecordPlan, What};

use super::located;
use crate::error::BookError;
use crate::finding::{Fault, Located};
use crate::layout::{Beside, CORRECTS, DISPUTE, HEADER, KEY, Layout};
use crate::place::Spot;
use crate::sheet::{Row, Rows};

/// What a column holds; the first is the key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Column {
    Corrects,
    Dispute,
    Item(NodeId),
}

/// What a sheet is by its name.
pub(super) enum Meant<'e> {
    /// It holds no records.
    Beside,
    /// It is not ours; the record type that it may have meant.
    Nothing(Fault, String),
    Sheet {
        edition: &'e Edition,
        plan: &'e RecordPlan,
        sheet: usize,
    },
}

/// The columns of a sheet.
pub(super) struct Head {
    pub(super) columns: Vec<(u16, Column)>,
}

impl Head {
    /// The paths of the items.
    pub(super) fn paths(&self, plan: &RecordPlan) -> Vec<(String, u16)> {
        let columns = self.columns.iter();
        let item = |(at, column): &(u16, Column)| match column {
            Column::Item(item) => Some((plan.element(*item).path(), *at)),
            _ => None,
        };
        columns.filter_map(item).collect()
    }
}

pub(super) fn meant<'e>(editions: &[&'e Edition], name: &str) -> Meant<'e> {
    if Beside::of(name).is_some() {
        return Meant::Beside;
    }
    let code = name.split(' ').next().unwrap_or_default();
    let known = editions
        .iter()
        .find_map(|edition| Some((*edition, &**edition.plan(code)?)));
    let Some((edition, plan)) = known else {
        return Meant::Nothing(Fault::Record, String::new());
    };
    match Layout::new(plan).find(name) {
        Some(sheet) => Meant::Sheet {
            edition,
            plan,
            sheet,
        },
        None => Meant::Nothing(Fault::Sheet, code.to_owned()),
    }
}

/// Reads the header of a sheet; `None` where there is none, or with findings.
pub(super) fn read(
    rows: &mut Rows<'_, impl BufRead>,
    intake: &Intake<'_>,
    layout: &Layout<'_>,
    sheet: usize,
    spot: &Spot,
    findings: &mut Vec<Located>,
) -> Result<Option<Head>, BookError> {
    let plan = layout.plan;
    let mut row = Row::default();
    let mut last = 0;
    while last < HEADER {
        if !rows.read(&mut row)? {
            // An empty sheet holds no record.
            if last > 0 {
                findings.push(located(
                    at(spot, HEADER, 0),
                    Fault::Column.whole(plan.code()),
                ));
            }
            return Ok(None);
        }
        last = row.number;
    }
    if last != HEADER {
        findings.push(located(
            at(spot, HEADER, 0),
            Fault::Column.whole(plan.code()),
        ));
        return Ok(None);
    }
    let (mut columns, before) = (Vec::new(), findings.len());
    if row.at(0).is_none_or(|cell| row.content(cell).trim() != KEY) {
        findings.push(located(at(spot, HEADER, 0), Fault::Key.whole(plan.code())));
    }
    let node = layout.sheets[sheet].node;
    for cell in row.cells.iter().filter(|cell| cell.column > 0) {
        let (name, place) = (row.content(cell).trim(), at(spot, HEADER, cell.column));
        let mut children = plan.element(node).children();
        let item = children.find(|it| it.tag() == name && matches!(it.what(), What::Item { .. }));
        let column = match (name, item) {
            (_, Some(item)) => Column::Item(item.id()),
            (DISPUTE, None) if sheet == 0 => Column::Dispute,
            (CORRECTS, None) if sheet == 0 => Column::Corrects,
            _ => {
                let finding = intake.stray(plan, node, name, ("该列", "the column"));
                findings.push(located(place, finding));
                continue;
            }
        };
        if columns.iter().any(|(_, known)| *known == column) {
            findings.push(located(place, Fault::Repeated.whole(plan.code())));
        }
        columns.push((cell.column, column));
    }
    Ok((findings.len() == before).then_some(Head { columns }))
}

fn at(spot: &Spot, row: u32, column: u16) -> Spot {
    Spot {
        row,
        column,
        ..spot.clone()
    }
}
