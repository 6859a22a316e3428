//! Figures derived from a report.
//!
//! `variables.tsv` says in words what each one is, with its source and how sure
//! it is; the function here of the same name computes it. None is a score: the
//! bureau's own totals are used where it gives any.
//!
//! # Promise
//!
//! A figure is nothing where the report does not tell it, also where a value
//! that it rests on cannot be read: a sum that leaves something out would pass
//! for the whole.
//!
//! Ratios are rounded half up to a ten-thousandth, amounts to whole units.
//! Within n months means that the month is at most n before that of the report,
//! unless the table says that days count.

use serde::Serialize;

use super::confidence::Confidence;
use super::tree::Report;
use crate::text::{Label, Language};

mod enterprise;
mod enterprise_public;
mod facts;
mod own;
mod personal;
mod personal_history;

pub(super) use facts::{class_rank, mark_rank};

/// One derived figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variable<'r> {
    /// Stable name: `total_balance`.
    pub name: &'static str,
    /// What kind of figure it is: `amount`, `wan`; see [`Figure`].
    pub kind: &'static str,
    /// Label.
    pub label: Label<'static>,
    /// The figure; nothing when the report does not tell it.
    pub value: Option<Figure<'r>>,
    /// How well its definition is founded.
    pub confidence: Confidence,
}

/// The value of a variable.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Figure<'r> {
    /// Whole yuan.
    Amount(i64),
    /// A number of things.
    Count(i64),
    /// Yes or no.
    Flag(bool),
    /// Hundredths of the unit of a financial statement, which no source tells.
    Hundredths(i64),
    /// A code of the bureau's list: a repayment mark, a class.
    Mark(&'r str),
    /// Calendar months.
    Months(i64),
    /// Ten-thousandths of the whole.
    Ratio(i64),
    /// The bureau's score.
    Score(i64),
    /// Whole ten thousands of yuan (万元).
    Wan(i64),
    /// Calendar years.
    Years(i64),
}

impl Figure<'_> {
    /// For a reader: `1,060 万元`, `12.34%`.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        use super::item::separated;
        let pick = |zh: &str, en: &str| match language {
            Language::En => en.to_owned(),
            Language::Zh => zh.to_owned(),
        };
        // Two decimals of a number in hundredths.
        let decimal = |hundredths: i64| {
            let sign = if hundredths < 0 { "-" } else { "" };
            let (whole, rest) = (
                hundredths.unsigned_abs() / 100,
                hundredths.unsigned_abs() % 100,
            );
            format!("{sign}{}.{rest:02}", separated(whole as i64))
        };
        match *self {
            Self::Amount(n) => pick("", "CNY ") + &separated(n) + &pick(" 元", ""),
            Self::Count(n) | Self::Score(n) => separated(n),
            Self::Flag(true) => pick("是", "yes"),
            Self::Flag(false) => pick("否", "no"),
            Self::Hundredths(n) => decimal(n),
            Self::Mark(mark) => mark.to_owned(),
            Self::Months(n) => separated(n) + &pick(" 个月", " months"),
            Self::Ratio(n) => decimal(n) + "%",
            Self::Wan(n) => pick("", "CNY ") + &separated(n) + &pick(" 万元", " × 10,000"),
            Self::Years(n) => separated(n) + &pick(" 年", " years"),
        }
    }
}

impl Report {
    /// All figures, in the order of the table.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable<'_>> {
        let rows = self.dictionary.variables.iter();
        let variable = |row: &'static super::dictionary::VariableRow| Variable {
            name: &row.name,
            kind: &row.kind,
            label: Label {
                zh: &row.zh,
                en: &row.en,
            },
            value: self.variable(&row.name),
            confidence: row.confidence,
        };
        rows.map(variable).collect()
    }

    /// One figure by name. A name that is not here gives nothing; a test holds
    /// the tables against the functions.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Figure<'_>> {
        match name.get(..2) {
            Some("E_") => enterprise::figure(self, name),
            Some("P_") => personal::figure(self, name),
            _ => own::figure(self, name),
        }
    }
}

#[cfg(test)]
mod tests;
