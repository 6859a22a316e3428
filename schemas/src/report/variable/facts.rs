//! What variables are made of.

use jiff::civil::Date;

use super::Figure;
use crate::report::item::Item;
use crate::report::tree::{Report, Unit};

/// The day of the report.
pub(super) fn made_on(report: &Report) -> Option<Date> {
    Some(report.made()?.date())
}

/// The first item below that says something, as it came; else nothing at all.
pub(super) fn text_of<'r>(unit: Unit<'r>, code: &str) -> &'r str {
    let item = unit.all(code).find(Item::is_filled);
    item.map_or("", |item| item.raw())
}

/// The first number below that says something.
pub(super) fn number_of(unit: Unit<'_>, code: &str) -> Option<i64> {
    unit.all(code).find(Item::is_filled)?.number()
}

/// Like [`number_of`], and zero where nothing says anything: nothing only
/// where what stands there is no number.
pub(super) fn amount_of(unit: Unit<'_>, code: &str) -> Option<i64> {
    let item = unit.all(code).find(Item::is_filled);
    item.map_or(Some(0), |item| item.number())
}

/// The first number of the report with this code.
pub(super) fn number(report: &Report, code: &str) -> Option<i64> {
    report.first(code)?.number()
}

/// The day of the first item below that says something.
pub(super) fn date_of(unit: Unit<'_>, code: &str) -> Option<Date> {
    unit.all(code).find(Item::is_filled)?.date()
}

/// All items with these codes added up; nothing where one is no number.
pub(super) fn added(report: &Report, codes: &[&str]) -> Option<i64> {
    let items = codes.iter().flat_map(|code| report.items(code));
    sum(items.filter(Item::is_filled).map(|item| item.number()))
}

/// The sum; nothing where a part is nothing, or it is beyond all bounds.
pub(super) fn sum(parts: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    let mut total = 0i64;
    for part in parts {
        total = total.checked_add(part?)?;
    }
    Some(total)
}

/// Calendar months from the month of `earlier` to that of `later`.
pub(super) fn months_between(later: Date, earlier: Date) -> i64 {
    let years = i64::from(later.year()) - i64::from(earlier.year());
    years * 12 + i64::from(later.month()) - i64::from(earlier.month())
}

/// Whether the month of `date` is that of `made` or at most so many before.
pub(super) fn within(made: Date, date: Option<Date>, months: i64) -> bool {
    date.is_some_and(|date| (0..=months).contains(&months_between(made, date)))
}

/// A share of the whole; nothing of an empty whole.
pub(super) fn ratio<'r>(part: i64, whole: i64) -> Option<Figure<'r>> {
    if whole <= 0 {
        return None;
    }
    rounded(i128::from(part) * 10_000, whole).map(Figure::Ratio)
}

/// A quotient rounded half up.
pub(super) fn rounded(number: i128, divisor: i64) -> Option<i64> {
    let divisor = i128::from(divisor);
    let doubled = number.checked_mul(2)?.checked_add(divisor)?;
    doubled.checked_div_euclid(divisor * 2)?.try_into().ok()
}

/// How bad a repayment mark is: those without default, 1 to 7, then D, Z and G,
/// then B. Nothing for a mark that says nothing.
pub(in crate::report) fn mark_rank(mark: &str) -> Option<u8> {
    match mark.as_bytes() {
        [months @ b'1'..=b'7'] => Some(months - b'0'),
        b"D" | b"G" | b"Z" => Some(8),
        b"B" => Some(9),
        b"N" | b"*" | b"M" | b"C" | b"A" => Some(0),
        _ => None,
    }
}

/// How bad a class of the five grades is, 1 to 5; a default (6) is a loss.
/// Nothing for what is not classified.
pub(in crate::report) fn class_rank(class: &str) -> Option<u8> {
    match class.as_bytes() {
        [class @ b'1'..=b'5'] => Some(class - b'0'),
        b"6" => Some(5),
        _ => None,
    }
}
