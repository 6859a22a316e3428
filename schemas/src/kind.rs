//! The kinds of values an item may hold, and whether a text is one of them.
//!
//! # Promise
//!
//! Lengths are counted in characters. A date is a real day of the calendar. What passes is also
//! given as a number, so that nothing parses a value twice.
//!
//! # What is not here
//!
//! Code tables (a condition may choose them, so the plan looks them up) and trimming: a value
//! comes here without the blanks at its ends.

use std::fmt;

use jiff::civil::Date;

/// What an item holds, named as in the items table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Printable ASCII.
    Ascii,
    /// A code of a list, which fixes its length.
    Code,
    /// `yyyy-MM-dd`.
    Date,
    /// An amount with exactly two decimals, perhaps negative; the length counts what is before
    /// the point.
    Decimal2,
    /// Digits as text: leading zeros mean something.
    Digits,
    /// `yyyy-MM`.
    Month,
    /// Any characters but control characters.
    Text,
    /// A whole number without sign; leading zeros do not count for the length.
    Uint,
    /// `yyyy`.
    Year,
}

/// How many characters a value may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Length {
    /// Fixed by the kind.
    Any,
    /// So many characters.
    Exactly(u32),
    /// So many characters, or fewer.
    UpTo(u32),
}

/// Why a value is not one of its kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Wrong characters, form or length.
    Form,
    /// A real date, but none that the format takes.
    Range,
}

/// First and last year that a date may lie in: the centre refuses others as a matter of range.
pub(crate) const YEARS: std::ops::RangeInclusive<i16> = 1901..=2099;

impl Kind {
    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ascii" => Self::Ascii,
            "code" => Self::Code,
            "date" => Self::Date,
            "decimal2" => Self::Decimal2,
            "digits" => Self::Digits,
            "month" => Self::Month,
            "text" => Self::Text,
            "uint" => Self::Uint,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// Its name in the items table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Code => "code",
            Self::Date => "date",
            Self::Decimal2 => "decimal2",
            Self::Digits => "digits",
            Self::Month => "month",
            Self::Text => "text",
            Self::Uint => "uint",
            Self::Year => "year",
        }
    }

    /// Whether values are compared as they are written.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Ascii | Self::Code | Self::Digits | Self::Text)
    }

    /// Whether the form already says how long a value is.
    pub(crate) fn has_own_length(self) -> bool {
        matches!(self, Self::Code | Self::Date | Self::Month | Self::Year)
    }

    /// Judges a trimmed, not empty value. A number comes back in hundredths, a day as yyyymmdd,
    /// a month as yyyymm, a year as yyyy, any other value as 0.
    pub(crate) fn judge(self, length: Length, value: &str) -> Result<i128, Fault> {
        let form = |holds: bool| if holds { Ok(0) } else { Err(Fault::Form) };
        match self {
            Self::Ascii => {
                form(value.bytes().all(|b| matches!(b, b' '..=b'~')) && length.fits(value))
            }
            Self::Code => Ok(0),
            Self::Digits => form(digits(value) && length.fits(value)),
            Self::Text => form(!value.chars().any(char::is_control) && length.fits(value)),
            Self::Uint => {
                let significant = value.trim_start_matches('0');
                form(digits(value) && length.fits(significant))?;
                amount(significant, "")
            }
            Self::Decimal2 => {
                let (sign, plain) = match value.strip_prefix('-') {
                    Some(plain) => (-1, plain),
                    None => (1, value),
                };
                let (whole, cents) = plain.split_once('.').ok_or(Fault::Form)?;
                form(digits(whole) && digits(cents) && cents.len() == 2 && length.fits(whole))?;
                Ok(sign * amount(whole, cents)?)
            }
            Self::Date => {
                let [year, month, day] = parts(value, [4, 2, 2])?;
                Date::new(year, month as i8, day as i8).map_err(|_| Fault::Form)?;
                in_range(
                    year,
                    ((i128::from(year) * 100) + i128::from(month)) * 100 + i128::from(day),
                )
            }
            Self::Month => {
                let [year, month] = parts(value, [4, 2])?;
                form((1..=12).contains(&month))?;
                in_range(year, i128::from(year) * 100 + i128::from(month))
            }
            Self::Year => {
                let [year] = parts(value, [4])?;
                in_range(year, i128::from(year))
            }
        }
    }
}

/// As the items table writes it; empty for [`Length::Any`].
impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Exactly(n) => write!(f, "={n}"),
            Self::UpTo(n) => write!(f, "{n}"),
        }
    }
}

impl Length {
    /// Reads `n` or `=n`; empty is [`Length::Any`].
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('=') {
            Some(exact) => exact.parse().ok().map(Self::Exactly),
            None if text.is_empty() => Some(Self::Any),
            None => text.parse().ok().map(Self::UpTo),
        }
    }

    fn fits(self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(count) => value.chars().count() == count as usize,
            // A character has at least one byte, so most values need no counting.
            Self::UpTo(most) => {
                value.len() <= most as usize || value.chars().count() <= most as usize
            }
        }
    }
}

/// A day as its calendar date, from the number that [`Kind::judge`] gave.
pub(crate) fn day(number: i128) -> Option<Date> {
    let part = |divisor: i128, modulus: i128| i16::try_from(number / divisor % modulus).ok();
    let (year, month, day) = (part(10_000, 10_000)?, part(100, 100)?, part(1, 100)?);
    Date::new(year, month as i8, day as i8).ok()
}

/// The number of a calendar date, as [`Kind::judge`] gives it.
pub(crate) fn day_number(date: Date) -> i128 {
    (i128::from(date.year()) * 100 + i128::from(date.month())) * 100 + i128::from(date.day())
}

fn digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())
}

/// Hundredths; digits are known to be digits, so only their number can be too large.
fn amount(whole: &str, cents: &str) -> Result<i128, Fault> {
    let cents = if cents.is_empty() { "00" } else { cents };
    let digits = || whole.bytes().chain(cents.bytes());
    // Nearly all amounts are small enough for the faster sum.
    if whole.len() <= 17 && cents.len() == 2 {
        let sum = digits().fold(0, |total: u64, b| total * 10 + u64::from(b - b'0'));
        return Ok(i128::from(sum));
    }
    let join = |total: i128, b: u8| total.checked_mul(10)?.checked_add(i128::from(b - b'0'));
    digits().try_fold(0, join).ok_or(Fault::Form)
}

/// Numbers of fixed width with `-` between them.
fn parts<const N: usize>(value: &str, widths: [usize; N]) -> Result<[i16; N], Fault> {
    let mut found = [0; N];
    let mut rest = value.as_bytes();
    for (at, (part, width)) in found.iter_mut().zip(widths).enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b"-").ok_or(Fault::Form)?;
        }
        let (piece, after) = rest.split_at_checked(width).ok_or(Fault::Form)?;
        for byte in piece {
            if !byte.is_ascii_digit() {
                return Err(Fault::Form);
            }
            *part = *part * 10 + i16::from(byte - b'0');
        }
        rest = after;
    }
    if rest.is_empty() {
        Ok(found)
    } else {
        Err(Fault::Form)
    }
}

fn in_range(year: i16, number: i128) -> Result<i128, Fault> {
    if YEARS.contains(&year) {
        Ok(number)
    } else {
        Err(Fault::Range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_judged_by_kind_and_length_in_characters() {
        let (form, range) = (Err(Fault::Form), Err(Fault::Range));
        let cases = [
            ("text", "=3", "𠀀测试", Ok(0)),
            ("text", "2", "𠀀测试", form),
            ("text", "5", "a\tb", form),
            ("ascii", "5", "a b~", Ok(0)),
            ("ascii", "5", "ａ", form),
            ("digits", "=3", "007", Ok(0)),
            ("digits", "=3", "07", form),
            ("uint", "2", "00012", Ok(1200)),
            ("uint", "2", "0", Ok(0)),
            ("uint", "2", "123", form),
            ("uint", "9", "+1", form),
            ("uint", "9", "１", form),
            ("decimal2", "3", "-123.45", Ok(-12345)),
            ("decimal2", "3", "0.07", Ok(7)),
            ("decimal2", "3", "1.5", form),
            ("decimal2", "3", "1234.50", form),
            ("decimal2", "3", ".50", form),
            ("date", "", "2024-02-29", Ok(20_240_229)),
            ("date", "", "2023-02-29", form),
            ("date", "", "2024-2-29", form),
            ("date", "", "2024-02-29-", form),
            ("date", "", "1900-12-31", range),
            ("date", "", "2100-01-01", range),
            ("month", "", "2024-12", Ok(202_412)),
            ("month", "", "2024-13", form),
            ("month", "", "1900-12", range),
            ("year", "", "2015", Ok(2015)),
            ("year", "", "0000", range),
            ("year", "", "15", form),
        ];
        for (kind, length, value, expected) in cases {
            let judged = Kind::named(kind)
                .unwrap()
                .judge(Length::parse(length).unwrap(), value);
            assert_eq!(judged, expected, "case {kind} {length} {value}");
        }
    }

    #[test]
    fn a_day_survives_its_number() {
        let date = Date::new(2024, 2, 29).unwrap();
        assert_eq!(day(day_number(date)), Some(date));
    }
}
