//! A value of a report: as it came, and as it is to be understood.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::{Date, DateTime};
use serde::Serialize;

use super::confidence::Confidence;
use super::dictionary::Form;
use super::tree::Report;
use super::value::{self, Kind};
use crate::text::{Label, Language};

/// An item of a report. `Debug` shows its path only.
#[derive(Clone, Copy)]
pub struct Item<'r> {
    pub(super) report: &'r Report,
    pub(super) index: usize,
}

/// Why the meaning of a value is not to be relied on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Sources explain the code otherwise; both meanings are given.
    Disputed,
    /// The code list does not have it.
    NotListed,
    /// The code list is a standard that is not here, or is not public.
    NotPublic,
    /// What the code list or the item means is from memory or inferred.
    Unsure,
}

impl Doubt {
    /// In words.
    #[must_use]
    pub fn label(self) -> Label<'static> {
        let (zh, en) = match self {
            Self::Disputed => ("含义有两说", "its meaning is disputed"),
            Self::NotListed => ("代码不在代码表中", "not in its code list"),
            Self::NotPublic => ("代码含义未公开", "its meaning is not public"),
            Self::Unsure => ("含义未经证实", "its meaning is not confirmed"),
        };
        Label { zh, en }
    }
}

impl<'r> Item<'r> {
    /// Its code: `PD01AD01`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        &self.report.element(self.index).code
    }

    pub(super) fn element(&self) -> u16 {
        self.report.nodes[self.index].element
    }

    /// Its label.
    #[must_use]
    pub fn label(&self) -> Label<'static> {
        self.report.element(self.index).label()
    }

    /// Where it stands.
    #[must_use]
    pub fn path(&self) -> String {
        self.report.path(self.index)
    }

    /// What kind of value it holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.report.element(self.index).form {
            Form::Item { kind, .. } => kind,
            // Items are only made of nodes that are items.
            Form::Unit { .. } => Kind::Text,
        }
    }

    /// The value as it came, blanks around it taken off.
    #[must_use]
    pub fn raw(&self) -> &'r str {
        self.report.text(self.report.nodes[self.index].value)
    }

    /// Whether it says something: not empty, and not `--`, which stands for
    /// "does not apply or not known".
    #[must_use]
    pub fn is_filled(&self) -> bool {
        value::says_something(self.raw())
    }

    /// What the code means; nothing without a list, or when the list lacks it.
    #[must_use]
    pub fn meaning(&self) -> Option<Label<'static>> {
        let list = self.report.list(self.index).ok()??;
        let meaning = list.codes.meaning(self.raw())?;
        Some(Label {
            zh: meaning.zh,
            en: meaning.en,
        })
    }

    /// What makes its meaning doubtful.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        if !self.is_filled() {
            return None;
        }
        let list = match self.report.list(self.index) {
            Ok(None) => {
                let sure = self.report.element(self.index).confidence > Confidence::Low;
                return (!sure).then_some(Doubt::Unsure);
            }
            Ok(Some(list)) => list,
            Err(()) => return Some(Doubt::NotPublic),
        };
        let raw = self.raw();
        if list.disputed.iter().any(|code| code == raw) {
            Some(Doubt::Disputed)
        } else if list.codes.contains(raw) {
            (list.confidence == Confidence::Low).then_some(Doubt::Unsure)
        } else if list.open {
            Some(Doubt::NotPublic)
        } else {
            Some(Doubt::NotListed)
        }
    }

    /// The value of an amount (yuan, or ten thousands of yuan, as its kind says)
    /// or another whole number.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        let whole = matches!(self.kind(), Kind::Amount | Kind::Integer | Kind::Wan);
        whole.then(|| value::number(self.raw()))?
    }

    /// The value of a decimal number, in hundredths.
    #[must_use]
    pub fn hundredths(&self) -> Option<i64> {
        (self.kind() == Kind::Decimal).then(|| value::hundredths(self.raw()))?
    }

    /// The year of a year or a date.
    #[must_use]
    pub fn year(&self) -> Option<i16> {
        match self.kind() {
            Kind::Year => value::year(self.raw()),
            _ => self.date().map(Date::year),
        }
    }

    /// The day of a date, or the first day of a month.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        match self.kind() {
            Kind::Date => value::date(self.raw()),
            Kind::DateTime => value::date_time(self.raw()).map(DateTime::date),
            Kind::Month => value::month(self.raw()),
            Kind::MonthOrDate => value::month_or_date(self.raw()),
            _ => None,
        }
    }

    /// The second of a date and time, China time.
    #[must_use]
    pub fn date_time(&self) -> Option<DateTime> {
        (self.kind() == Kind::DateTime).then(|| value::date_time(self.raw()))?
    }

    /// The value for a reader: the meaning of a code, a date with dots, an
    /// amount with separators; whatever cannot be read so, as it came.
    #[must_use]
    pub fn text(&self, language: Language) -> Cow<'r, str> {
        let raw = self.raw();
        match self.kind() {
            Kind::Code | Kind::Text => match self.meaning().map(|label| label.text(language)) {
                Some(text) if !text.is_empty() => Cow::Borrowed(text),
                _ => Cow::Borrowed(raw),
            },
            Kind::Amount | Kind::Wan => match self.number() {
                Some(amount) => Cow::Owned(separated(amount)),
                None => Cow::Borrowed(raw),
            },
            Kind::Decimal => match (self.hundredths(), raw.split_once('.')) {
                (Some(hundredths), Some((_, rest))) => {
                    let sign = if hundredths < 0 { "-" } else { "" };
                    let whole = separated((hundredths / 100).saturating_abs());
                    Cow::Owned(format!("{sign}{whole}.{rest}"))
                }
                (Some(hundredths), None) => Cow::Owned(separated(hundredths / 100)),
                (None, _) => Cow::Borrowed(raw),
            },
            Kind::Date | Kind::Month | Kind::MonthOrDate if self.date().is_some() => {
                Cow::Owned(raw.replace('-', "."))
            }
            Kind::DateTime if self.date().is_some() => {
                Cow::Owned(raw.replace('-', ".").replace('T', " "))
            }
            _ => Cow::Borrowed(raw),
        }
    }
}

impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Item").field(&self.path()).finish()
    }
}

/// A number in groups of three.
pub(super) fn separated(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut out = if amount < 0 {
        String::from("-")
    } else {
        String::new()
    };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_by_three() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (-1_234_567, "-1,234,567"),
        ];
        for (amount, expected) in cases {
            assert_eq!(separated(amount), expected);
        }
    }
}
