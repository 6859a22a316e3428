//! A cell, and what value of an item it holds.
//!
//! A spreadsheet keeps a number as 15 digits: leading zeros and the digits beyond are gone before
//! anybody could see it. What cannot be told from the cell alone is refused, never guessed.

use std::borrow::Cow;

use jiff::civil::{Date, date};
use schemas::kind::{Kind, Length};
use schemas::plan::{Element, What};

use crate::code;
use crate::finding::Fault;

/// A cell with content; where it begins and ends in the text of its row or sheet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cell {
    /// Counted from 0.
    pub(crate) column: u16,
    pub(crate) holds: Holds,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Holds {
    /// True or false.
    Bool,
    /// A number that is shown as a day or a time.
    Day,
    /// An error such as `#N/A`.
    Error,
    /// A formula; its content begins with `=`.
    Formula,
    Number,
    Text,
}

/// The digits that a spreadsheet keeps of a number.
const DIGITS: usize = 15;

/// The value of an item in a cell with this content.
pub(crate) fn value<'c>(
    item: Element<'_>,
    holds: Holds,
    content: &'c str,
    is_1904: bool,
) -> Result<Cow<'c, str>, Fault> {
    let What::Item { kind, length } = item.what() else {
        return Ok(Cow::Borrowed(content));
    };
    match holds {
        Holds::Bool | Holds::Error => Err(Fault::Value),
        Holds::Formula => Err(Fault::Formula),
        Holds::Text if kind == Kind::Code => code::of_text(item, content.trim()).map(Cow::Borrowed),
        Holds::Text => Ok(Cow::Borrowed(content.trim())),
        Holds::Day => of_day(kind, content, is_1904).map(Cow::Owned),
        Holds::Number => of_number(item, kind, length, content).map(Cow::Owned),
    }
}

/// A key that joins sheets: text, or a whole number as it is shown.
pub(crate) fn key(holds: Holds, content: &str) -> Result<Cow<'_, str>, Fault> {
    match holds {
        Holds::Text => Ok(Cow::Borrowed(content.trim())),
        Holds::Number => whole(content).map(Cow::Owned).ok_or(Fault::Number),
        Holds::Formula => Err(Fault::Formula),
        Holds::Bool | Holds::Day | Holds::Error => Err(Fault::Value),
    }
}

fn of_number(
    item: Element<'_>,
    kind: Kind,
    length: Length,
    content: &str,
) -> Result<String, Fault> {
    match kind {
        Kind::Date | Kind::Month => Err(Fault::DayNumber),
        Kind::Decimal2 => decimal(content).ok_or(Fault::Digits),
        Kind::Uint => whole(content).ok_or(Fault::Digits),
        Kind::Year => whole(content)
            .filter(|it| it.len() == 4)
            .ok_or(Fault::DayNumber),
        Kind::Code => {
            let code = whole(content).ok_or(Fault::Number)?;
            // Beside 1 there must be no 01 that may have been meant.
            let same = |it: &str| it.trim_start_matches('0') == code.trim_start_matches('0');
            let mut alike: Vec<&str> = item
                .codes()
                .map(|it| it.code)
                .filter(|it| same(it))
                .collect();
            alike.sort_unstable();
            alike.dedup();
            match alike[..] {
                [only] if only == code => Ok(code),
                _ => Err(Fault::Number),
            }
        }
        // Of a number with all its digits none can have been lost.
        Kind::Ascii | Kind::Digits | Kind::Text => match (length, whole(content)) {
            (Length::Exactly(n), Some(whole))
                if whole.len() == n as usize && !whole.starts_with('-') =>
            {
                Ok(whole)
            }
            _ => Err(Fault::Number),
        },
    }
}

fn of_day(kind: Kind, content: &str, is_1904: bool) -> Result<String, Fault> {
    let day = day(content, is_1904).ok_or(Fault::Day)?;
    match kind {
        Kind::Date => Ok(day.to_string()),
        // Spreadsheets make 2024-05 the first day of that month.
        Kind::Month if day.day() == 1 => Ok(day.strftime("%Y-%m").to_string()),
        _ => Err(Fault::Day),
    }
}

/// The day that a whole number of days stands for. Before 1900-03-01 spreadsheets disagree: one
/// of them has a February 29th in 1900.
fn day(content: &str, is_1904: bool) -> Option<Date> {
    let serial: f64 = content.parse().ok()?;
    if serial.fract() != 0.0 || !(0.0..3_000_000.0).contains(&serial) {
        return None;
    }
    let (first, least) = if is_1904 {
        (date(1904, 1, 1), 0.0)
    } else {
        (date(1899, 12, 30), 61.0)
    };
    let days = jiff::Span::new().days(serial as i64);
    (serial >= least)
        .then(|| first.checked_add(days).ok())
        .flatten()
}

/// A whole number of at most 15 digits, as it is shown.
pub(crate) fn whole(content: &str) -> Option<String> {
    let number: f64 = content.trim().parse().ok()?;
    let most = 10_f64.powi(DIGITS as i32);
    if number.fract() != 0.0 || number.abs() >= most || digits(content) > DIGITS {
        return None;
    }
    Some(format!("{}", number as i64))
}

/// An amount with two decimals, of at most 15 digits in all. Sums come with a grain of binary
/// dust behind the digits that are kept.
fn decimal(content: &str) -> Option<String> {
    let number: f64 = content.trim().parse().ok()?;
    if !number.is_finite() || number.abs() >= 1e13 {
        return None;
    }
    let amount = format!("{number:.2}");
    let again: f64 = amount.parse().ok()?;
    let dust = number.abs().max(1.0) * 1e-14;
    ((number - again).abs() <= dust).then_some(amount)
}

/// Digits of a number as written, zeros at both ends aside.
fn digits(content: &str) -> usize {
    let mantissa = content.trim().split(['e', 'E']).next().unwrap_or_default();
    let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    all.trim_matches('0').len()
}

#[cfg(test)]
mod tests {
    use schemas::edition::Edition;

    use super::*;

    #[test]
    fn a_cell_is_taken_as_what_it_shows_or_not_at_all() {
        let edition = Edition::embedded("pboc-submit-enterprise", Date::MAX).unwrap();
        let plan = edition.plan("410").unwrap();
        let of = |path: &str, holds, content: &str| {
            let item = plan.element(plan.find(path).unwrap());
            value(item, holds, content, false).map(Cow::into_owned)
        };
        let (code, day, org) = (
            "AcctBsSgmt/AcctCode",
            "AcctBsSgmt/RptDate",
            "AcctBsSgmt/MngmtOrgCode",
        );
        let (amount, line) = ("AcctBsInfSgmt/LoanAmt", "AcctBsInfSgmt/BusiLines");
        let currency = "AcctBsInfSgmt/Cy";
        let ok = |text: &str| Ok(text.to_owned());
        let cases = [
            ("text", of(code, Holds::Text, " 0012 "), ok("0012")),
            (
                "identifier as a number",
                of(code, Holds::Number, "12"),
                Err(Fault::Number),
            ),
            (
                "too many digits",
                of(org, Holds::Number, "12345678901234567"),
                Err(Fault::Number),
            ),
            (
                "all its digits",
                of(org, Holds::Number, "12345678901234"),
                ok("12345678901234"),
            ),
            (
                "one digit short",
                of(org, Holds::Number, "1234567890123"),
                Err(Fault::Number),
            ),
            ("day", of(day, Holds::Day, "45322"), ok("2024-01-31")),
            (
                "day with a time",
                of(day, Holds::Day, "45322.5"),
                Err(Fault::Day),
            ),
            (
                "day without its format",
                of(day, Holds::Number, "45322"),
                Err(Fault::DayNumber),
            ),
            (
                "the day that was not",
                of(day, Holds::Day, "60"),
                Err(Fault::Day),
            ),
            (
                "day as text",
                of(day, Holds::Text, "2024-01-31"),
                ok("2024-01-31"),
            ),
            (
                "day where a name belongs",
                of(code, Holds::Day, "45322"),
                Err(Fault::Day),
            ),
            (
                "whole amount",
                of(amount, Holds::Number, "1200000"),
                ok("1200000"),
            ),
            (
                "amount as 1.2E6",
                of(amount, Holds::Number, "1.2E6"),
                ok("1200000"),
            ),
            (
                "amount with cents",
                of(amount, Holds::Number, "12.5"),
                Err(Fault::Digits),
            ),
            (
                "amount beyond 15 digits",
                of(amount, Holds::Number, "1234567890123456"),
                Err(Fault::Digits),
            ),
            ("code", of(line, Holds::Text, "13"), ok("13")),
            ("code as a number", of(line, Holds::Number, "13"), ok("13")),
            (
                "code of no list, for the plan to tell",
                of(line, Holds::Text, "97"),
                ok("97"),
            ),
            (
                "code under another's name",
                of(currency, Holds::Text, "CNY 美元"),
                Err(Fault::Code),
            ),
            (
                "code with its name",
                of(currency, Holds::Text, "CNY 人民币元"),
                ok("CNY"),
            ),
            (
                "formula",
                of(amount, Holds::Formula, "=1+1"),
                Err(Fault::Formula),
            ),
            ("true", of(amount, Holds::Bool, "1"), Err(Fault::Value)),
        ];
        for (name, found, expected) in cases {
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn amounts_keep_their_cents_and_lose_only_dust() {
        for (content, amount) in [
            ("12", Some("12.00")),
            ("-12.3", Some("-12.30")),
            ("0.30000000000000004", Some("0.30")),
            ("1234567890123.45", Some("1234567890123.45")),
            ("12.345", None),
            ("12345678901234.5", None),
            ("NaN", None),
            ("inf", None),
        ] {
            assert_eq!(decimal(content).as_deref(), amount, "{content}");
        }
    }

    #[test]
    fn days_are_counted_from_either_beginning() {
        assert_eq!(day("45322", false), Some(date(2024, 1, 31)));
        assert_eq!(day("43860", true), Some(date(2024, 1, 31)));
        assert_eq!(day("61", false), Some(date(1900, 3, 1)));
        assert_eq!(day("-1", true), None);
        assert_eq!(day("1e300", false), None);
    }
}
