//! The tables of all layers of an edition, and which of their rows count.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::layer::{Layer, Sheet};
use crate::classified::{Classified, Conflict, Cure};
use crate::plan::tree::{Code, markup};
use crate::plan::{Engine, Sheets};
use crate::table::{Row, Table, TableError};

/// The tables of all layers, the uppermost first.
pub(super) struct Tables<'t> {
    tables: Vec<(Sheet, Table<'t>)>,
}

impl<'t> Tables<'t> {
    pub(super) fn parse(layers: &'t [Layer], errors: &mut Vec<TableError>) -> Self {
        let mut tables = Vec::new();
        for layer in layers.iter().rev() {
            for sheet in Sheet::ALL {
                let Some((file, text)) = layer.file(sheet) else {
                    continue;
                };
                let (required, optional) = sheet.columns();
                match Table::parse(file, text, required, optional) {
                    Ok(table) => tables.push((sheet, table)),
                    Err(error) => errors.push(error),
                }
            }
        }
        Self { tables }
    }

    /// All rows of a sheet, the uppermost layer first.
    pub(super) fn rows(&self, sheet: Sheet) -> impl Iterator<Item = Row<'_, 't>> {
        self.of(sheet).flat_map(Table::rows)
    }

    pub(super) fn of(&self, sheet: Sheet) -> impl Iterator<Item = &Table<'t>> {
        self.tables
            .iter()
            .filter(move |(found, _)| *found == sheet)
            .map(|(_, table)| table)
    }

    /// The rows of a record in a sheet, from the uppermost layer that has any.
    pub(super) fn rows_of(&self, sheet: Sheet, record: &str) -> Vec<Row<'_, 't>> {
        let mut layers = self.of(sheet).map(|table| {
            table
                .rows()
                .filter(|row| row.get("record") == record)
                .collect::<Vec<_>>()
        });
        layers.find(|rows| !rows.is_empty()).unwrap_or_default()
    }

    /// The rows of each record, in the order in which the layers name them from below.
    pub(super) fn records(&self) -> Vec<Sheets<'_, 't>> {
        let mut order: Vec<&str> = Vec::new();
        let mut record: BTreeMap<&str, Row<'_, 't>> = BTreeMap::new();
        let layers: Vec<_> = self.of(Sheet::Records).collect();
        for row in layers.iter().rev().flat_map(|table| table.rows()) {
            if record.insert(row.get("code"), row).is_none() {
                order.push(row.get("code"));
            }
        }
        let sheets = |code: &&str| {
            let mut rules = self.rows_of(Sheet::Rules, code);
            rules.extend(self.rows_of(Sheet::Rules, "all"));
            for row in self.rows_of(Sheet::Readings, code) {
                if self.setting(row.get("conflict")) == row.get("reading") {
                    rules.retain(|below| {
                        let same = ["rule", "code"].map(|it| below.get(it) == row.get(it));
                        below.get("conflict") == row.get("conflict") || same != [true; 2]
                    });
                    rules.push(row);
                }
            }
            let official = |row: &Row<'_, 't>| [*code, "all"].contains(&row.get("record"));
            Sheets {
                record: record[code],
                segments: self.rows_of(Sheet::Segments, code),
                items: self.rows_of(Sheet::Items, code),
                rules,
                negative: self.rows_of(Sheet::Negative, code),
                restricted: self.rows_of(Sheet::Restricted, code),
                errors: self.rows(Sheet::Errors).filter(official).collect(),
            }
        };
        order.iter().map(sheets).collect()
    }

    /// What `edition.tsv` says under a key; empty where it does not speak of it.
    pub(super) fn setting(&self, key: &str) -> &'t str {
        let row = self.rows(Sheet::Edition).find(|row| row.get("key") == key);
        row.map_or("", |row| row.get("value"))
    }

    /// The record types that are not in use.
    pub(super) fn off(&self) -> impl Iterator<Item = &'t str> {
        self.setting("off")
            .split(';')
            .filter(|code| !code.is_empty())
    }

    /// What is said of the rules that are no row of the rules table.
    pub(super) fn settled(&self, errors: &mut Vec<TableError>) -> Settled {
        let mut settled = Settled::default();
        for row in self.first(Sheet::Cures, "cure") {
            take(Cure::parse(row), &mut settled.cures, errors);
        }
        for row in self.first(Sheet::Conflicts, "conflict") {
            let chosen = self.setting(row.get("conflict"));
            take(Conflict::parse(row, chosen), &mut settled.conflicts, errors);
        }
        let mut records: Vec<&str> = Vec::new();
        for row in self.rows(Sheet::Classified) {
            if !records.contains(&row.get("record")) {
                records.push(row.get("record"));
            }
        }
        for row in { records }
            .into_iter()
            .flat_map(|it| self.rows_of(Sheet::Classified, it))
        {
            let parsed = Classified::parse(row, &settled.cures, &settled.conflicts);
            take(parsed, &mut settled.classified, errors);
        }
        settled
    }

    /// The uppermost row of each name in a column.
    fn first(&self, sheet: Sheet, column: &str) -> Vec<Row<'_, 't>> {
        let mut rows: Vec<Row<'_, 't>> = Vec::new();
        for row in self.rows(sheet) {
            if !rows
                .iter()
                .any(|known| known.get(column) == row.get(column))
            {
                rows.push(row);
            }
        }
        rows
    }

    pub(super) fn engine(&self) -> Result<(Date, Engine), TableError> {
        let key = |key: &str| {
            let row = self.rows(Sheet::Edition).find(|row| row.get("key") == key);
            row.ok_or_else(|| TableError {
                file: "edition.tsv".to_owned(),
                line: 1,
                column: "key".to_owned(),
                problem: format!("no row {key}"),
            })
        };
        let day = key("first_day")?;
        let first_day = day.get("value").parse();
        let first_day = first_day.map_err(|_| day.error("value", "a day as yyyy-MM-dd"))?;
        let root = key("root")?.need("value")?;
        let engine = Engine {
            root: root.into(),
            markup: markup(root),
            unknown: Code::parse(key("unknown_code")?.need("value")?),
            range: Code::parse(key("range_code")?.need("value")?),
            counter: Code::parse(key("counter_code")?.need("value")?),
            type_tag: key("type_item").map_or("", |row| row.get("value")).into(),
            country_list: key("country_list")?.need("value")?.into(),
            strict: self.setting("stricter_texts") == "refuse",
        };
        Ok((first_day, engine))
    }
}

/// See [`Tables::settled`].
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) classified: Vec<Classified>,
    pub(super) conflicts: Vec<Conflict>,
    pub(super) cures: Vec<Cure>,
}

fn take<T>(parsed: Result<T, TableError>, good: &mut Vec<T>, errors: &mut Vec<TableError>) {
    match parsed {
        Ok(row) => good.push(row),
        Err(error) => errors.push(error),
    }
}
