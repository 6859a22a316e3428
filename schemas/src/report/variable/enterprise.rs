//! The collected variables of enterprises: credit.
//!
//! "First" is the first performance record of an account, which is the latest.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::Figure::{self, Count, Mark, Months, Wan, Years};
use super::enterprise_public as public;
use super::facts::{
    added, amount_of, class_rank, date_of, made_on, months_between, number, number_of, ratio,
    rounded, sum, text_of, within,
};
use crate::report::tree::{Report, Unit};

/// The figure of this name.
pub(super) fn figure<'r>(report: &'r Report, name: &str) -> Option<Figure<'r>> {
    let item = |code| number(report, code);
    let two = |first, second| sum([item(first), item(second)].into_iter());
    match name {
        "E_ABNORM_RATIO" => ratio(two("EB01AJ03", "EB01AJ04")?, item("EB01AJ01")?),
        "E_AGE_YEAR" => years_since(report, "EC010R01"),
        "E_BAD_BAL" => two("EB01AJ04", "EB01AJ07").map(Wan),
        "E_BANK_MAX_SHARE" => ratio(largest_lender(report)?, debt(report)?),
        "E_BORROW_NEW_REPAY_OLD" => {
            let open = loans(report).filter(is_open);
            let again = open.filter(|loan| matches!(text_of(*loan, "ED01AD10"), "2" | "3" | "4"));
            Some(Count(count(again)))
        }
        "E_CLASS_BAD_CNT" => Some(Count(of_class(report, is_open, 3..=5))),
        "E_CLASS_WATCH_CNT" => Some(Count(of_class(report, is_open, 2..=2))),
        "E_CLASS_WORST" => worst_class(report, is_open),
        "E_DEBT_TREND_6M" => debt_trend(report),
        "E_DUE_12M" => due_within_a_year(report).map(Wan),
        "E_DUE_30D_BILLS" => added(report, &["ED050J02"]).map(Wan),
        "E_EXTEND_CNT" => Some(Count(count(
            loans(report).filter(is_open).filter(is_extended),
        ))),
        "E_FIRST_CREDIT_YEAR" => years_since(report, "EB01AR01"),
        "E_GUARANTEED_SHARE" => share(report, |loan| text_of(loan, "ED01AD08") == "1"),
        "E_GUAR_BAL" => item("EB01AJ05").map(Wan),
        "E_HIST_PRIN_OVD" => past_overdue_principal(report).map(Wan),
        "E_LIMIT_TOTAL" => two("EB040J01", "EB040J04").map(Wan),
        "E_LIMIT_UTIL" => limit_utilization(report),
        "E_LOAN_BAL" => item("EB01AJ01").map(Wan),
        "E_LOAN_BAL_NO_DISC" => {
            let discounts = cell(report, "4", "0")?;
            item("EB01AJ01")?.checked_sub(discounts).map(Wan)
        }
        "E_NEW_LOAN_AMT_3M" => new_loans(report, 3).map(Wan),
        "E_NEW_LOAN_AMT_6M" => new_loans(report, 6).map(Wan),
        "E_NEW_LOAN_AMT_12M" => new_loans(report, 12).map(Wan),
        "E_NEW_LOAN_CNT_3Y" => new_loan_count(report).map(Count),
        "E_NONBANK_SHARE" => share(report, |loan| {
            let lender = text_of(loan, "ED01AD04");
            !matches!(lender, "11" | "12" | "13" | "14" | "15" | "16")
        }),
        "E_OPEN_EXPOSURE" => exposure(report).map(Wan),
        "E_ORG_EVER" => item("EB01AS01").map(Count),
        "E_ORG_OPEN" => item("EB01AS02").map(Count),
        "E_OVD_AMT" => item("EB02AJ03").map(Wan),
        "E_OVD_HIST_MONTHS" => overdue_months(report).map(Count),
        "E_OVD_INT" => item("EB02AJ05").map(Wan),
        "E_OVD_MON_MAX_24M" => most_months_overdue(report, 24),
        "E_OVD_MON_MAX_60M" => most_months_overdue(report, 60),
        "E_OVD_MON_NOW" => {
            let open = loans(report).filter(is_open);
            open.filter_map(|loan| number_of(loan, "ED01BS02"))
                .max()
                .map(Months)
        }
        "E_OVD_PRIN" => item("EB02AJ04").map(Wan),
        "E_RECOVERY_BAL" => item("EB01AJ02").map(Wan),
        "E_RECOVERY_CNT" => two("EB02AS01", "EB02AS02").map(Count),
        "E_REL_BAD_CNT" => {
            let bad = |class: &str| class_rank(class).is_some_and(|rank| rank >= 3);
            let duties = ["ED070D08", "ED080D04"].into_iter();
            let classes = duties.flat_map(|code| report.items(code));
            Some(Count(count(classes.filter(|class| bad(class.raw())))))
        }
        "E_REL_BAL" => duties(report).map(Wan),
        "E_REL_RATIO" => ratio(duties(report)?, item("EB01AJ01")?),
        "E_SETTLED_BAD_CNT" => Some(Count(of_class(report, is_settled, 3..=5))),
        "E_SETTLED_WORST" => worst_class(report, is_settled),
        "E_ST_SHARE" => ratio(cell(report, "2", "0")?, cell(report, "0", "0")?),
        "E_TOTAL_DEBT" => debt(report)?.checked_add(exposure(report)?).map(Wan),
        "E_UNPAID_INT" => added(report, &["ED030J01"]).map(Wan),
        "E_WATCH_BAL" => two("EB01AJ03", "EB01AJ06").map(Wan),
        name => public::figure(report, name),
    }
}

fn loans(report: &Report) -> impl Iterator<Item = Unit<'_>> {
    report.units("ED01")
}

/// Loans and guarantees.
fn accounts(report: &Report) -> impl Iterator<Item = Unit<'_>> {
    loans(report).chain(report.units("ED04"))
}

fn activity<'r>(account: &Unit<'r>) -> &'r str {
    let code = if account.code() == "ED01" {
        "ED01AD01"
    } else {
        "ED04BD01"
    };
    text_of(*account, code)
}

fn is_open(account: &Unit<'_>) -> bool {
    activity(account) == "1"
}

fn is_settled(account: &Unit<'_>) -> bool {
    activity(account) == "2"
}

/// The first performance record of a loan.
fn first<'r>(loan: Unit<'r>) -> Option<Unit<'r>> {
    records(loan).next()
}

/// All performance records of a loan.
fn records(loan: Unit<'_>) -> impl Iterator<Item = Unit<'_>> {
    let performances = loan.units().filter(|unit| unit.code() == "ED01B");
    performances
        .flat_map(Unit::units)
        .filter(|unit| unit.code() == "ED01BH")
}

/// The balance of the first record; none where there is no record.
fn balance(loan: Unit<'_>) -> Option<i64> {
    first(loan).map_or(Some(0), |record| amount_of(record, "ED01BJ01"))
}

fn class_of(account: Unit<'_>) -> Option<u8> {
    let class = match account.code() {
        "ED01" => text_of(first(account)?, "ED01BD01"),
        _ => text_of(account, "ED04BD02"),
    };
    class_rank(class)
}

fn of_class(
    report: &Report,
    wanted: impl Fn(&Unit<'_>) -> bool,
    ranks: std::ops::RangeInclusive<u8>,
) -> i64 {
    let fits = |account: &Unit<'_>| class_of(*account).is_some_and(|rank| ranks.contains(&rank));
    count(
        accounts(report)
            .filter(|account| wanted(account))
            .filter(fits),
    )
}

fn worst_class<'r>(report: &'r Report, wanted: impl Fn(&Unit<'_>) -> bool) -> Option<Figure<'r>> {
    let wanted = accounts(report).filter(|account| wanted(account));
    let rank = wanted.filter_map(class_of).max()?;
    let classes = ["1", "2", "3", "4", "5"];
    classes.get(usize::from(rank) - 1).map(|class| Mark(class))
}

fn years_since<'r>(report: &'r Report, code: &str) -> Option<Figure<'r>> {
    let made = i64::from(made_on(report)?.year());
    let since = report.first(code)?.year()?;
    Some(Years(made - i64::from(since)))
}

/// A balance of the grid of open loans; zero where the grid lacks it.
fn cell(report: &Report, class: &str, quality: &str) -> Option<i64> {
    let mut rows = report.units("EB02AH");
    let row =
        rows.find(|row| text_of(*row, "EB02AD01") == class && text_of(*row, "EB02AD02") == quality);
    row.map_or(Some(0), |row| amount_of(row, "EB02AJ06"))
}

/// Balance of open loans, those being recovered among them.
fn debt(report: &Report) -> Option<i64> {
    sum(loans(report).filter(is_open).map(balance))
}

fn share<'r>(report: &'r Report, wanted: impl Fn(Unit<'_>) -> bool) -> Option<Figure<'r>> {
    let part = loans(report).filter(is_open).filter(|loan| wanted(*loan));
    ratio(sum(part.map(balance))?, debt(report)?)
}

fn largest_lender(report: &Report) -> Option<i64> {
    let mut lenders: BTreeMap<&str, i64> = BTreeMap::new();
    for loan in loans(report).filter(is_open) {
        let owed = lenders.entry(text_of(loan, "ED01AI02")).or_default();
        *owed = owed.checked_add(balance(loan)?)?;
    }
    lenders.into_values().max()
}

/// What open guarantees leave uncovered by their margin.
fn exposure(report: &Report) -> Option<i64> {
    let mut total = 0i128;
    for guarantee in report.units("ED04").filter(is_open) {
        let balance = i128::from(amount_of(guarantee, "ED04BJ01")?);
        let margin = match text_of(guarantee, "ED04AQ01") {
            "" => 0,
            _ => guarantee.item("ED04AQ01")?.hundredths()?,
        };
        // Hundredths of a percent: ten thousand are the whole.
        total = total.checked_add(balance.checked_mul(10_000 - i128::from(margin))?)?;
    }
    rounded(total, 10_000)
}

fn limit_utilization(report: &Report) -> Option<Figure<'_>> {
    let capped = report
        .first("EB040D01")
        .is_some_and(|item| item.raw() == "1");
    if capped && report.first("ED060J03").is_none() {
        return None;
    }
    let item = |code| number(report, code);
    let used = sum([item("EB040J02"), item("EB040J05")].into_iter())?;
    ratio(used, sum([item("EB040J01"), item("EB040J04")].into_iter())?)
}

/// The most months overdue in a record of the window.
fn most_months_overdue(report: &Report, months: i64) -> Option<Figure<'_>> {
    let made = made_on(report)?;
    let rows = report.units("ED01BH");
    let rows = rows.filter(|row| within(made, date_of(*row, "ED01BR01"), months));
    rows.filter_map(|row| number_of(row, "ED01BS02"))
        .max()
        .map(Months)
}

/// Among the 24 latest months of the debt history, those with something overdue.
fn overdue_months(report: &Report) -> Option<i64> {
    let mut months = Vec::new();
    for row in report.units("EB02CH") {
        months.push((date_of(row, "EB02CR01")?, amount_of(row, "EB02CJ04")?));
    }
    months.sort_unstable_by(|a, b| b.cmp(a));
    let overdue = months.iter().take(24).filter(|(_, overdue)| *overdue > 0);
    Some(count(overdue))
}

fn debt_trend(report: &Report) -> Option<Figure<'_>> {
    let mut months = BTreeMap::new();
    for row in report.units("EB02CH") {
        months.insert(date_of(row, "EB02CR01")?, number_of(row, "EB02CJ01")?);
    }
    let (latest, now) = months.last_key_value()?;
    let before = months
        .iter()
        .find(|(month, _)| months_between(*latest, **month) == 6)?
        .1;
    ratio(now.checked_sub(*before)?, *before)
}

/// Overdue principal of all records of settled loans, and of claims with nothing
/// left.
fn past_overdue_principal(report: &Report) -> Option<i64> {
    let mut total = 0i64;
    for loan in loans(report) {
        let claim = text_of(loan, "ED01AD02") == "C1" && balance(loan)? == 0;
        if is_settled(&loan) || claim {
            let records = records(loan).map(|record| amount_of(record, "ED01BJ05"));
            total = total.checked_add(sum(records)?)?;
        }
    }
    Some(total)
}

/// The kind of a transaction has no public list: its text must say so.
fn is_extended(loan: &Unit<'_>) -> bool {
    loan.all("ED01CQ01").any(|text| text.raw().contains("展期"))
}

fn new_loan_count(report: &Report) -> Option<i64> {
    let made = made_on(report)?;
    let since = made.checked_sub(1095.days()).ok()?;
    let recent = |loan: &Unit<'_>| {
        let opened = date_of(*loan, "ED01AR01");
        text_of(*loan, "ED01AD02") != "D2" && is_between(opened, since, made)
    };
    Some(count(loans(report).filter(recent)))
}

fn new_loans(report: &Report, months: i64) -> Option<i64> {
    let made = made_on(report)?;
    let recent = loans(report).filter(|loan| within(made, date_of(*loan, "ED01AR01"), months));
    sum(recent.map(|loan| amount_of(loan, "ED01AJ01")))
}

/// Amounts of open loans and guarantees that end between the day of the report
/// and the same day a year later.
fn due_within_a_year(report: &Report) -> Option<i64> {
    let made = made_on(report)?;
    let end = made.checked_add(12.months()).ok()?;
    let due = |account: Unit<'_>| {
        let (end_code, amount) = match account.code() {
            "ED01" => ("ED01AR02", "ED01AJ01"),
            _ => ("ED04AR02", "ED04AJ01"),
        };
        let is_due = is_between(date_of(account, end_code), made, end);
        if is_due {
            amount_of(account, amount)
        } else {
            Some(0)
        }
    };
    sum(accounts(report).filter(is_open).map(due))
}

fn is_between(day: Option<Date>, first: Date, last: Date) -> bool {
    day.is_some_and(|day| first <= day && day <= last)
}

fn duties(report: &Report) -> Option<i64> {
    added(report, &["ED070J02", "ED080J02", "ED090J02"])
}

fn count(things: impl Iterator) -> i64 {
    things.count() as i64
}
