//! The values of items: dates, months, numbers.

use jiff::civil::{Date, DateTime, Time};
use serde::Serialize;

/// What kind of value an item holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Whole yuan.
    Amount,
    /// A code, with or without a public list.
    Code,
    /// A day, yyyy-MM-dd.
    Date,
    /// A second, yyyy-MM-ddThh:mm:ss, China time.
    DateTime,
    /// A number with up to two decimals.
    Decimal,
    /// A whole number.
    Integer,
    /// Marks of months, one character each; the last is that of the month
    /// beside it.
    Marks,
    /// A month, yyyy-MM.
    Month,
    /// A month or a day: two revisions are known.
    #[serde(rename = "month_or_date")]
    MonthOrDate,
    /// Free text.
    Text,
    /// Whole ten thousands of yuan (万元).
    Wan,
    /// A year, yyyy.
    Year,
}

impl Kind {
    /// The kind that the tables call so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "amount" => Self::Amount,
            "code" => Self::Code,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "decimal" => Self::Decimal,
            "integer" => Self::Integer,
            "marks" => Self::Marks,
            "month" => Self::Month,
            "month_or_date" => Self::MonthOrDate,
            "text" => Self::Text,
            "wan" => Self::Wan,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// Whether a filled value is of this kind.
    pub(super) fn fits(self, value: &str) -> bool {
        match self {
            Self::Amount | Self::Integer | Self::Wan => number(value).is_some(),
            Self::Code | Self::Marks | Self::Text => true,
            Self::Date => date(value).is_some(),
            Self::DateTime => date_time(value).is_some(),
            Self::Decimal => hundredths(value).is_some(),
            Self::Month => month(value).is_some(),
            Self::MonthOrDate => month_or_date(value).is_some(),
            Self::Year => year(value).is_some(),
        }
    }
}

/// Whether a value says something: neither empty, nor the hyphens that stand
/// for "does not apply or not known", nor the month zero for the same.
pub(super) fn says_something(value: &str) -> bool {
    !matches!(value, "" | "--" | "0000-00")
}

/// A whole number, perhaps below zero.
pub(super) fn number(value: &str) -> Option<i64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let all = digits.bytes().all(|b| b.is_ascii_digit());
    all.then(|| value.parse().ok()).flatten()
}

/// A number with up to two decimals, in hundredths.
pub(super) fn hundredths(value: &str) -> Option<i64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(rest) || rest.len() > 2 {
        return None;
    }
    let rest: i64 = if rest.len() == 1 {
        rest.parse::<i64>().ok()? * 10
    } else {
        rest.parse().ok()?
    };
    let sum = whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(rest)?;
    Some(if value.starts_with('-') { -sum } else { sum })
}

/// A month as its first day, or a day.
pub(super) fn month_or_date(value: &str) -> Option<Date> {
    month(value).or_else(|| date(value))
}

/// A year.
pub(super) fn year(value: &str) -> Option<i16> {
    if value.len() == 4 {
        digits(value)
    } else {
        None
    }
}

/// A day of the calendar.
pub(super) fn date(value: &str) -> Option<Date> {
    let [year, month, day] = parts(value, [4, 2, 2], '-')?;
    Date::new(year, small(month)?, small(day)?).ok()
}

/// A month, as its first day.
pub(super) fn month(value: &str) -> Option<Date> {
    let [year, month] = parts(value, [4, 2], '-')?;
    Date::new(year, small(month)?, 1).ok()
}

/// A second of the calendar.
pub(super) fn date_time(value: &str) -> Option<DateTime> {
    let (day, time) = value.split_once('T')?;
    let [hour, minute, second] = parts(time, [2, 2, 2], ':')?;
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(date(day)?.to_datetime(time))
}

/// Numbers of exactly these widths with a separator between.
fn parts<const N: usize>(value: &str, widths: [usize; N], separator: char) -> Option<[i16; N]> {
    let mut out = [0; N];
    let mut rest = value;
    for (place, width) in widths.into_iter().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(separator)?;
        }
        out[place] = digits(rest.get(..width)?)?;
        rest = &rest[width..];
    }
    rest.is_empty().then_some(out)
}

/// Up to four digits.
fn digits(text: &str) -> Option<i16> {
    text.bytes().try_fold(0i16, |n, b| {
        let digit = b.is_ascii_digit().then(|| i16::from(b - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })
}

fn small(n: i16) -> Option<i8> {
    n.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_in_hundredths() {
        let cases = [
            ("0", Some(0)),
            ("-150.00", Some(-15_000)),
            ("-0.05", Some(-5)),
            ("7.1", Some(710)),
            ("99999999999999999999", None),
        ];
        for (value, expected) in cases {
            assert_eq!(hundredths(value), expected, "case {value}");
        }
    }

    #[test]
    fn a_value_fits_its_kind_or_not() {
        let cases = [
            (Kind::Amount, "0", true),
            (Kind::Amount, "-12", true),
            (Kind::Amount, "999999999999999", true),
            (Kind::Amount, "12.5", false),
            (Kind::Amount, "1,000", false),
            (Kind::Amount, "-", false),
            (Kind::Amount, "+1", false),
            (Kind::Amount, "99999999999999999999", false),
            (Kind::Date, "2024-02-29", true),
            (Kind::Date, "2023-02-29", false),
            (Kind::Date, "2024-2-29", false),
            (Kind::Date, "2024-02-290", false),
            (Kind::Date, "测试", false),
            (Kind::Month, "2026-12", true),
            (Kind::Month, "2026-13", false),
            (Kind::DateTime, "2026-03-16T09:30:01", true),
            (Kind::DateTime, "2026-03-16T24:00:00", false),
            (Kind::DateTime, "2026-03-16 09:30:01", false),
            (Kind::Decimal, "-150.00", true),
            (Kind::Decimal, "7.1", true),
            (Kind::Decimal, "70", true),
            (Kind::Decimal, "7.188", false),
            (Kind::Decimal, ".5", false),
            (Kind::Decimal, "5.", false),
            (Kind::Decimal, "--5", false),
            (Kind::MonthOrDate, "2025-02", true),
            (Kind::MonthOrDate, "2025-02-28", true),
            (Kind::MonthOrDate, "2025", false),
            (Kind::Wan, "1060", true),
            (Kind::Wan, "1060.5", false),
            (Kind::Year, "2026", true),
            (Kind::Year, "26", false),
        ];
        for (kind, value, fits) in cases {
            assert_eq!(kind.fits(value), fits, "case {value}");
        }
        assert!(!says_something("--") && !says_something("") && !says_something("0000-00"));
    }
}
