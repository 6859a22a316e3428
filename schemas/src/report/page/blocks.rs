//! From units to blocks.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Block, Cell, Field, Grid, GridMonth, PageSection, Table};
use crate::report::dictionary::{Form, Level};
use crate::report::item::Item;
use crate::report::section::Section;
use crate::report::tree::Unit;
use crate::report::value::Kind;
use crate::text::Language;

pub(super) fn section<'r>(section: &Section<'r>, language: Language) -> PageSection<'r> {
    let inner = section.sections.iter();
    PageSection {
        id: section.id,
        title: section.title(language),
        blocks: alike(section.units.iter().copied(), language),
        sections: inner.map(|inner| self::section(inner, language)).collect(),
    }
}

/// Blocks of units in their order; neighbors of one kind go together.
fn alike<'r>(units: impl Iterator<Item = Unit<'r>>, language: Language) -> Vec<Block<'r>> {
    let mut blocks = Vec::new();
    let mut likes: Vec<Unit<'r>> = Vec::new();
    for unit in units.filter(|unit| unit.is_filled()) {
        if likes.last().is_some_and(|last| last.code() != unit.code()) {
            several(&mut blocks, &likes, language);
            likes.clear();
        }
        likes.push(unit);
    }
    several(&mut blocks, &likes, language);
    blocks
}

/// Units of one kind: a table or a grid where they are rows, else each by itself.
fn several<'r>(blocks: &mut Vec<Block<'r>>, units: &[Unit<'r>], language: Language) {
    let Some(first) = units.first() else {
        return;
    };
    let flat = units.iter().all(|unit| unit.units().next().is_none());
    let block = match first.level() {
        _ if !flat => None,
        Level::Cross => cross(units, language).or_else(|| Some(table(units, language))),
        Level::Month => grid(units, language).or_else(|| Some(table(units, language))),
        Level::Row => Some(table(units, language)),
        Level::Plain => (units.len() > 1).then(|| table(units, language)),
    };
    match block {
        Some(block) => blocks.push(block),
        None => blocks.extend(units.iter().map(|unit| group(*unit, language))),
    }
}

fn group<'r>(unit: Unit<'r>, language: Language) -> Block<'r> {
    let label = unit.label().text(language);
    let heading = match unit.nth() {
        Some(nth) => format!("{label} {nth}"),
        None => label.to_owned(),
    };
    let mut blocks = Vec::new();
    let fields: Vec<_> = unit
        .items()
        .filter(|item| !item.raw().is_empty())
        .map(|item| Field {
            code: item.code(),
            label: item.label().text(language),
            cell: Cell::new(item, language),
        })
        .collect();
    if !fields.is_empty() {
        blocks.push(Block::Fields { fields });
    }
    let marks = unit.items().filter(|item| item.kind() == Kind::Marks);
    blocks.extend(marks.filter_map(|item| marks_grid(unit, item, language)));
    blocks.extend(alike(unit.units(), language));
    Block::Group { heading, blocks }
}

/// Items of a unit of this kind, in their order.
fn columns<'r>(unit: Unit<'r>) -> &'static [u16] {
    match &unit.report.dictionary.at(unit.element()).form {
        Form::Unit { children, .. } => children,
        Form::Item { .. } => &[],
    }
}

fn label(unit: Unit<'_>, item: u16, language: Language) -> &'static str {
    unit.report.dictionary.at(item).label().text(language)
}

/// The cell of an item; of several with one code, all of them.
fn cell<'r>(unit: Unit<'r>, element: u16, language: Language) -> Cell<'r> {
    let mut cell = Cell::empty();
    let items = unit.items().filter(|item| item.element() == element);
    for item in items.filter(|item| !item.raw().is_empty()) {
        let next = Cell::new(item, language);
        if cell.text.is_empty() {
            cell = next;
        } else {
            cell.text = format!("{} / {}", cell.text, next.text).into();
            cell.doubt = cell.doubt.or(next.doubt);
        }
    }
    cell
}

fn table<'r>(units: &[Unit<'r>], language: Language) -> Block<'r> {
    let said = |element: &u16| {
        let says = |unit: &Unit<'_>| {
            let mut items = unit.items();
            items.any(|item| item.element() == *element && !item.raw().is_empty())
        };
        units.iter().any(says)
    };
    let columns: Vec<u16> = columns(units[0]).iter().copied().filter(said).collect();
    let row = |unit: &Unit<'r>| {
        let cells = columns.iter().map(|item| cell(*unit, *item, language));
        cells.collect()
    };
    let heads = columns
        .iter()
        .map(|item| label(units[0], *item, language).to_owned());
    Block::Table(Table {
        heading: units[0].label().text(language).to_owned(),
        columns: heads.collect(),
        rows: units.iter().map(row).collect(),
    })
}

/// A table with two sides, or nothing where two rows want one place.
fn cross<'r>(units: &[Unit<'r>], language: Language) -> Option<Block<'r>> {
    let [down, across, values @ ..] = columns(units[0]) else {
        return None;
    };
    if units.len() > CROSS_ROWS {
        return None;
    }
    let (mut rows, mut heads): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut places = BTreeMap::new();
    for unit in units {
        let side = |element| {
            let mut items = unit.items().filter(|item| item.element() == element);
            let item = items.next().filter(Item::is_filled)?;
            items.next().is_none().then_some(item)
        };
        let (down, across) = (side(*down)?, side(*across)?);
        let place = |list: &mut Vec<&'r str>, item: Item<'r>| {
            let found = list.iter().position(|one| *one == item.raw());
            found.unwrap_or_else(|| {
                list.push(item.raw());
                list.len() - 1
            })
        };
        let at = (place(&mut rows, down), place(&mut heads, across));
        if places.insert(at, (unit, down, across)).is_some() {
            return None;
        }
    }
    // A grid with more holes than this is no grid.
    if rows.len() * heads.len() > units.len() * 4 {
        return None;
    }
    let mut columns = vec![label(units[0], *down, language).to_owned()];
    for at in 0..heads.len() {
        let across = places.iter().find(|(place, _)| place.1 == at)?.1.2;
        for value in values {
            let value = label(units[0], *value, language);
            columns.push(format!("{} {value}", across.text(language)));
        }
    }
    let mut table = Vec::new();
    for row in 0..rows.len() {
        let down = places.iter().find(|(place, _)| place.0 == row)?.1.1;
        let mut cells = vec![Cell::new(down, language)];
        for at in 0..heads.len() {
            let unit = places.get(&(row, at)).map(|found| found.0);
            cells.extend(
                values.iter().map(|value| {
                    unit.map_or_else(Cell::empty, |unit| cell(*unit, *value, language))
                }),
            );
        }
        table.push(cells);
    }
    Some(Block::Table(Table {
        heading: units[0].label().text(language).to_owned(),
        columns,
        rows: table,
    }))
}

/// Months as a grid, or nothing where one has no place of its own there.
fn grid<'r>(units: &[Unit<'r>], language: Language) -> Option<Block<'r>> {
    let mut years: BTreeMap<i16, [Option<GridMonth<'r>>; 12]> = BTreeMap::new();
    let mut amounts = false;
    let mut span = None;
    for unit in units {
        let (mut month, mut mark, mut amount) = (None, None, None);
        for item in unit.items().filter(|item| !item.raw().is_empty()) {
            let place = match item.kind() {
                Kind::Amount => &mut amount,
                Kind::Code => &mut mark,
                Kind::Month => &mut month,
                _ => return None,
            };
            if place.replace(item).is_some() {
                return None;
            }
        }
        let (month, mark) = (month?.date()?, mark?);
        let place = usize::try_from(month.month()).ok()? - 1;
        let meaning = mark.meaning().map_or("", |label| label.text(language));
        let amount = amount.map(|item| item.text(language));
        amounts |= amount
            .as_ref()
            .is_some_and(|text| !matches!(&**text, "0" | "--"));
        let new = GridMonth {
            mark: mark.raw(),
            meaning,
            amount,
        };
        let year = years.entry(month.year()).or_default();
        if year[place].replace(new).is_some() {
            return None;
        }
        let (first, last) = span.unwrap_or((month, month));
        span = Some((month.min(first), month.max(last)));
    }
    let (first, last) = span?;
    let label = units[0].label().text(language);
    Some(Block::Grid(Grid {
        heading: heading(label, first, last),
        years: years.into_iter().rev().collect(),
        amounts,
    }))
}

/// Marks in one value, up to the month beside it.
fn marks_grid<'r>(unit: Unit<'r>, marks: Item<'r>, language: Language) -> Option<Block<'r>> {
    let mut items = unit.items().filter(|item| item.kind() == Kind::Month);
    let last = items.find_map(|item| item.date())?;
    let raw = marks.raw();
    if !marks.is_filled() || raw.chars().count() > MARKS {
        return None;
    }
    let mut years: BTreeMap<i16, [Option<GridMonth<'r>>; 12]> = BTreeMap::new();
    let mut first = last;
    for (before, (at, mark)) in raw.char_indices().rev().enumerate() {
        let month = last
            .checked_sub(i64::try_from(before).ok()?.months())
            .ok()?;
        let place = usize::try_from(month.month()).ok()? - 1;
        years.entry(month.year()).or_default()[place] = Some(GridMonth {
            mark: &raw[at..at + mark.len_utf8()],
            meaning: "",
            amount: None,
        });
        first = month;
    }
    Some(Block::Grid(Grid {
        heading: heading(marks.label().text(language), first, last),
        years: years.into_iter().rev().collect(),
        amounts: false,
    }))
}

fn heading(label: &str, first: Date, last: Date) -> String {
    let month = |date: Date| format!("{}.{:02}", date.year(), date.month());
    format!("{label} {} – {}", month(first), month(last))
}

/// More months in one value than the bureau ever sends.
const MARKS: usize = 120;

/// More rows than any grid of the bureau has; they would take long to place.
const CROSS_ROWS: usize = 200;
