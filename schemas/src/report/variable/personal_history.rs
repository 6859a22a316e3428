//! The collected variables of persons: the history month by month.

use jiff::civil::Date;

use super::facts::{amount_of, date_of, made_on, months_between, text_of, within};
use crate::report::tree::{Report, Unit};

/// The highest number of installments overdue in a month of the window; nothing
/// without a month.
pub(super) fn worst(report: &Report, months: i64) -> Option<i64> {
    months_of(report, months)?
        .map(|month| installments(month))
        .max()
}

/// Months of the window with 1 to 7 installments overdue, over all accounts.
pub(super) fn months_overdue(report: &Report, months: i64) -> Option<i64> {
    let overdue =
        |month: &Unit<'_>| matches!(mark(*month), "1" | "2" | "3" | "4" | "5" | "6" | "7");
    Some(months_of(report, months)?.filter(overdue).count() as i64)
}

/// The longest run of months overdue in the window, of one account.
pub(super) fn longest_run(report: &Report, months: i64) -> Option<i64> {
    let made = made_on(report)?;
    let of_account = |account: Unit<'_>| {
        let inside = rows(account).filter(|row| within(made, month_of(*row), months));
        let overdue = inside.filter(|row| installments(*row) > 0);
        let mut overdue: Vec<Date> = overdue.filter_map(month_of).collect();
        overdue.sort_unstable();
        overdue.dedup();
        let (mut longest, mut run) = (0, 0);
        let mut before = None;
        for month in overdue {
            let follows = before.is_some_and(|before| months_between(month, before) == 1);
            run = if follows { run + 1 } else { 1 };
            longest = longest.max(run);
            before = Some(month);
        }
        longest
    };
    Some(report.units("PD01").map(of_account).max().unwrap_or(0))
}

/// The largest amount overdue in a month of the window; a month without an
/// amount has none overdue. Nothing without a month.
pub(super) fn highest(report: &Report, months: i64) -> Option<i64> {
    let mut highest = None;
    for month in months_of(report, months)? {
        highest = highest.max(Some(amount_of(month, "PD01EJ01")?));
    }
    highest
}

/// Extensions in the window.
pub(super) fn extensions(report: &Report, months: i64) -> Option<i64> {
    let made = made_on(report)?;
    let wanted = |trade: &Unit<'_>| {
        text_of(*trade, "PD01FD01") == "1" && within(made, date_of(*trade, "PD01FR01"), months)
    };
    Some(report.units("PD01FH").filter(wanted).count() as i64)
}

fn months_of(report: &Report, months: i64) -> Option<impl Iterator<Item = Unit<'_>>> {
    let made = made_on(report)?;
    let rows = report.units("PD01EH");
    Some(rows.filter(move |row| within(made, month_of(*row), months)))
}

/// The months of one account.
fn rows(account: Unit<'_>) -> impl Iterator<Item = Unit<'_>> {
    let histories = account.units().filter(|unit| unit.code() == "PD01E");
    histories
        .flat_map(Unit::units)
        .filter(|unit| unit.code() == "PD01EH")
}

fn month_of(row: Unit<'_>) -> Option<Date> {
    date_of(row, "PD01ER03")
}

fn mark(row: Unit<'_>) -> &str {
    text_of(row, "PD01ED01")
}

/// Installments overdue by a mark; bad debt and an abnormal end count as 7,
/// payment by a guarantor or with assets as 3.
fn installments(row: Unit<'_>) -> i64 {
    match mark(row).as_bytes() {
        [digit @ b'1'..=b'7'] => i64::from(digit - b'0'),
        b"B" | b"G" => 7,
        b"D" | b"Z" => 3,
        _ => 0,
    }
}
