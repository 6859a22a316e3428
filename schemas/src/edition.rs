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
//! record as `items` do; what a layer below forbids stays `forbidden`. `classified` and `readings` go
//! by record too, `conflicts` and `cures` by name. What the folder does not speak of stays.
//!
//! # What is not here
//!
//! Which edition a report needs is the caller's question; [`Edition::embedded`] answers it by the
//! report date.

pub(crate) mod check;
mod layer;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use jiff::civil::Date;

use crate::classified::{Classified, Conflict, Cure};
use crate::codes::Codes;
use crate::duty::Forbidden;
use crate::plan::{RecordPlan, compile};
use crate::role::{self, Role};
use crate::table::{Row, TableError};

use layer::{Layer, Sheet};
use tables::Tables;

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
    classified: Vec<Classified>,
    conflicts: Vec<Conflict>,
    cures: Vec<Cure>,
    off: Vec<String>,
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
    /// How sure its source makes it: `high`, `medium` or `low`.
    pub confidence: String,
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
    /// The formats that editions are embedded of.
    pub const FORMATS: [&str; 2] = ["pboc-submit-personal", "pboc-submit-enterprise"];

    /// The embedded edition of a format that is in force on `day`, the report date.
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
        let editions: &[&LazyLock<Self>] = match format {
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

    /// Whether a record type is not in use, so that none of it may be handed in: what
    /// `edition.tsv` names under `off`.
    #[must_use]
    pub fn is_off(&self, code: &str) -> bool {
        self.off.iter().any(|off| off == code)
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

    /// All that the bureau says of its error codes, in the order of the tables.
    pub fn officials(&self) -> impl ExactSizeIterator<Item = &Official> {
        self.official.iter()
    }

    /// How the rules are judged that are no row of the rules table.
    pub fn classified(&self) -> impl ExactSizeIterator<Item = &Classified> {
        self.classified.iter()
    }

    /// What the sources do not settle.
    pub fn conflicts(&self) -> impl ExactSizeIterator<Item = &Conflict> {
        self.conflicts.iter()
    }

    /// What to do when the bureau refuses a record of this type by a rule that only it can judge.
    #[must_use]
    pub fn cure(&self, record: &str, code: &str) -> Option<&Cure> {
        let known =
            |row: &&Classified| row.code() == code && [record, "all"].contains(&row.record());
        let row = self.classified.iter().find(known)?;
        self.cures.iter().find(|cure| cure.id() == row.by())
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
        let (mut plans, mut roles) = (Vec::new(), Vec::new());
        for sheets in tables.records() {
            match compile(&sheets, &codes, &engine) {
                Ok(plan) => {
                    for row in tables.rows_of(Sheet::Roles, plan.code()) {
                        match role::parse(row, &plan) {
                            Ok(role) => roles.push(role),
                            Err(wrong) => errors.extend(wrong),
                        }
                    }
                    plans.push(Arc::new(plan));
                }
                Err(wrong) => errors.extend(wrong),
            }
        }
        let settled = tables.settled(&mut errors);
        if !errors.is_empty() {
            return Err(EditionError::Tables(errors));
        }
        let official = tables.rows(Sheet::Errors).map(official).collect();
        let off = tables.off().map(str::to_owned).collect();
        drop(tables);
        Ok(Self {
            first_day,
            layers,
            codes,
            plans,
            roles,
            forbidden,
            official,
            classified: settled.classified,
            conflicts: settled.conflicts,
            cures: settled.cures,
            off,
        })
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
        confidence: row.get("confidence").to_owned(),
    }
}

fn lines(errors: &[TableError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
