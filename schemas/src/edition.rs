//! Editions: the tables of one mandated format from one day on.
//!
//! # Promise
//!
//! An edition is compiled whole or not at all: every expression parses, every item, segment,
//! counter, code list and source that is named exists, no row is out of reach. All that is wrong is
//! told at once, by file, line and column.
//!
//! # Overlays
//!
//! An institution may lay a folder of tables over an edition, without a build. Each file in it is
//! optional. In `segments`, `items` and `rules` the rows of a record replace *all* rows that the
//! layers below have for it in that table; `records` rows replace by code, `edition` rows by key,
//! `codes` by list; `errors` rows come before those below. `roles`, `negative` and `restricted` go by
//! record as `items` do; what a layer below forbids stays `forbidden`. What the folder does not speak of stays.
//!
//! # What is not here
//!
//! Which edition a report needs is the caller's question; [`Edition::embedded`] answers it by the
//! report date.

pub(crate) mod check;
mod layer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use jiff::civil::Date;

use crate::codes::Codes;
use crate::duty::Forbidden;
use crate::plan::tree::{Code, markup};
use crate::plan::{Engine, RecordPlan, Sheets, compile};
use crate::role::{self, Role};
use crate::table::{Row, Table, TableError};

use layer::{Layer, Sheet};

/// The tables of one mandated format from one day on.
#[derive(Debug)]
pub struct Edition {
    first_day: Date,
    layers: Vec<Layer>,
    codes: Codes,
    plans: Vec<Arc<RecordPlan>>,
    roles: Vec<Role>,
    forbidden: Vec<Forbidden>,
    official: Vec<Official>,
}

/// What the bureau says of one of its error codes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Official {
    /// The error code.
    pub code: String,
    /// The record type it belongs to, or `all`.
    pub record: String,
    /// The official rule.
    pub rule: String,
    /// What is refused, and who can find the fault.
    pub stage: String,
    /// The rule in Chinese.
    pub zh: String,
    /// The rule in English.
    pub en: String,
}

/// Why tables are no edition.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditionError {
    /// A file cannot be read.
    #[error("cannot read {file}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The tables are wrong in these places.
    #[error("{}", lines(.0))]
    Tables(Vec<TableError>),
}

impl Edition {
    /// The embedded edition of a format that is in force on `day`, the report date:
    /// `pboc-submit-personal`, `pboc-submit-enterprise`, or `pboc-submit` for the records of both.
    ///
    /// `None` for an unknown format, or a day before its first edition.
    #[must_use]
    pub fn embedded(format: &str, day: Date) -> Option<&'static Self> {
        static PERSONAL: LazyLock<Edition> = LazyLock::new(|| {
            // The embedded tables are compiled by a test of this module.
            Edition::of(vec![layer::personal_2020()]).expect("embedded tables compile")
        });
        static ENTERPRISE: LazyLock<Edition> = LazyLock::new(|| {
            // The embedded tables are compiled by a test of this module.
            Edition::of(vec![layer::enterprise_2020()]).expect("embedded tables compile")
        });
        static BOTH: LazyLock<Edition> = LazyLock::new(|| Edition::join(&PERSONAL, &ENTERPRISE));
        let editions: &[&LazyLock<Self>] = match format {
            "pboc-submit" => &[&BOTH],
            "pboc-submit-enterprise" => &[&ENTERPRISE],
            "pboc-submit-personal" => &[&PERSONAL],
            _ => &[],
        };
        let begun = editions
            .iter()
            .map(|edition| &***edition)
            .filter(|e| e.first_day <= day);
        begun.max_by_key(|edition| edition.first_day)
    }

    /// Reads a folder that holds a whole edition.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or all that is wrong with the tables.
    pub fn load(folder: &Path) -> Result<Self, EditionError> {
        Self::of(vec![Layer::read(folder)?])
    }

    /// This edition with a folder laid over it; see the module page for what replaces what.
    ///
    /// # Errors
    ///
    /// As [`Edition::load`].
    pub fn overlay(&self, folder: &Path) -> Result<Self, EditionError> {
        let mut layers = self.layers.clone();
        layers.push(Layer::read(folder)?);
        Self::of(layers)
    }

    /// The first report date that this edition is for.
    #[must_use]
    pub fn first_day(&self) -> Date {
        self.first_day
    }

    /// The plan of a record type, such as `210`.
    #[must_use]
    pub fn plan(&self, code: &str) -> Option<&Arc<RecordPlan>> {
        self.plans.iter().find(|plan| plan.code() == code)
    }

    /// The plans of all records, in the order of the tables.
    pub fn plans(&self) -> impl ExactSizeIterator<Item = &Arc<RecordPlan>> {
        self.plans.iter()
    }

    /// What a record of this type is to its account; `None` for a record without a role, which can
    /// be judged and written but belongs to no account.
    #[must_use]
    pub fn role(&self, code: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.record() == code)
    }

    /// All roles, in the order of the records.
    pub fn roles(&self) -> impl ExactSizeIterator<Item = &Role> {
        self.roles.iter()
    }

    /// What must never be taken in, if `name` speaks of it.
    #[must_use]
    pub fn forbidden(&self, name: &str) -> Option<&Forbidden> {
        self.forbidden
            .iter()
            .find(|forbidden| forbidden.is_in(name))
    }

    /// The code lists.
    #[must_use]
    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    /// What the bureau says of an error code; several rules may share one.
    pub fn official<'e>(&'e self, code: &'e str) -> impl Iterator<Item = &'e Official> {
        self.official
            .iter()
            .filter(move |official| official.code == code)
    }

    /// The records of two editions. Of what stands in both, that of the first counts; nothing can
    /// be laid over it.
    fn join(first: &Self, second: &Self) -> Self {
        let mut codes = second.codes.clone();
        codes.overlay(first.codes.clone());
        let more = |code: &str| first.plan(code).is_none();
        let plans = second.plans.iter().filter(|plan| more(plan.code()));
        let roles = second.roles.iter().filter(|role| more(role.record()));
        Self {
            first_day: first.first_day.max(second.first_day),
            layers: Vec::new(),
            codes,
            plans: first.plans.iter().chain(plans).cloned().collect(),
            roles: first.roles.iter().chain(roles).cloned().collect(),
            forbidden: [&first.forbidden[..], &second.forbidden[..]].concat(),
            official: [&first.official[..], &second.official[..]].concat(),
        }
    }

    fn of(layers: Vec<Layer>) -> Result<Self, EditionError> {
        let mut errors = Vec::new();
        let tables = Tables::parse(&layers, &mut errors);
        let mut codes = Codes::default();
        for layer in &layers {
            if let Some((file, text)) = layer.file(Sheet::Codes) {
                match Codes::parse(file, text) {
                    Ok(upper) => codes.overlay(upper),
                    Err(error) => errors.push(error),
                }
            }
        }
        check::rows(&tables, &mut errors);
        let (first_day, engine) = match tables.engine() {
            Ok(found) => found,
            Err(error) => {
                errors.push(error);
                return Err(EditionError::Tables(errors));
            }
        };
        let forbidden = check::forbidden(&tables, &mut errors);
        let mut settings = tables.rows(Sheet::Edition);
        let of_organizations =
            settings.any(|row| row.get("key") == "subjects" && row.get("value") == "organizations");
        let (mut plans, mut roles) = (Vec::new(), Vec::new());
        for sheets in tables.records() {
            match compile(&sheets, &codes, &engine) {
                Ok(plan) => {
                    for row in tables.rows_of(Sheet::Roles, plan.code()) {
                        match role::parse(row, &plan, of_organizations) {
                            Ok(role) => roles.push(role),
                            Err(wrong) => errors.extend(wrong),
                        }
                    }
                    plans.push(Arc::new(plan));
                }
                Err(wrong) => errors.extend(wrong),
            }
        }
        if !errors.is_empty() {
            return Err(EditionError::Tables(errors));
        }
        let official = tables.rows(Sheet::Errors).map(official).collect();
        drop(settings);
        drop(tables);
        Ok(Self {
            first_day,
            layers,
            codes,
            plans,
            roles,
            forbidden,
            official,
        })
    }
}

/// The tables of all layers, the uppermost first.
struct Tables<'t> {
    tables: Vec<(Sheet, Table<'t>)>,
}

impl<'t> Tables<'t> {
    fn parse(layers: &'t [Layer], errors: &mut Vec<TableError>) -> Self {
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
    fn rows(&self, sheet: Sheet) -> impl Iterator<Item = Row<'_, 't>> {
        self.of(sheet).flat_map(Table::rows)
    }

    fn of(&self, sheet: Sheet) -> impl Iterator<Item = &Table<'t>> {
        self.tables
            .iter()
            .filter(move |(found, _)| *found == sheet)
            .map(|(_, table)| table)
    }

    /// The rows of a record in a sheet, from the uppermost layer that has any.
    fn rows_of(&self, sheet: Sheet, record: &str) -> Vec<Row<'_, 't>> {
        let mut layers = self.of(sheet).map(|table| {
            table
                .rows()
                .filter(|row| row.get("record") == record)
                .collect::<Vec<_>>()
        });
        layers.find(|rows| !rows.is_empty()).unwrap_or_default()
    }

    /// The rows of each record, in the order in which the layers name them from below.
    fn records(&self) -> Vec<Sheets<'_, 't>> {
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

    fn engine(&self) -> Result<(Date, Engine), TableError> {
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
        };
        Ok((first_day, engine))
    }
}

fn official(row: Row<'_, '_>) -> Official {
    Official {
        code: row.get("code").to_owned(),
        record: row.get("record").to_owned(),
        rule: row.get("rule").to_owned(),
        stage: row.get("stage").to_owned(),
        zh: row.get("zh").to_owned(),
        en: row.get("en").to_owned(),
    }
}

fn lines(errors: &[TableError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
