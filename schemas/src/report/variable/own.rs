//! Our own definitions for persons, older than the collected ones.

use std::collections::BTreeSet;

use jiff::ToSpan as _;

use super::Figure;
use super::facts::{added, made_on, mark_rank, months_between, text_of};
use crate::report::item::Item;
use crate::report::tree::{Report, Unit};

/// The figure of this name. A name that is not here gives nothing; a test
/// holds the table against this list.
pub(super) fn figure<'r>(report: &'r Report, name: &str) -> Option<Figure<'r>> {
    match name {
        "accounts_overdue_now" => Some(Figure::Count(accounts_overdue_now(report))),
        "approval_inquirers_1m" => approval_inquirers(report, 1),
        "approval_inquirers_3m" => approval_inquirers(report, 3),
        "approval_inquirers_6m" => approval_inquirers(report, 6),
        "average_monthly_due" => sum(report, &["PC02EJ03", "PC02FJ03", "PC02GJ03"]),
        "bad_debt_present" => Some(Figure::Flag(bad_debt_present(report))),
        "fraud_alert" => Some(Figure::Flag(
            report.items("PA01DQ01").any(|i| i.raw() == "1"),
        )),
        "longest_overdue_months_5y" => Some(longest_overdue_months_5y(report)),
        "months_since_first_credit" => months_since_first_credit(report),
        "open_accounts_d1" => Some(open_accounts(report, "D1")),
        "open_accounts_r1" => Some(open_accounts(report, "R1")),
        "open_accounts_r2" => Some(open_accounts(report, "R2")),
        "open_accounts_r3" => Some(open_accounts(report, "R3")),
        "open_accounts_r4" => Some(open_accounts(report, "R4")),
        "open_disputes" => report.first("PA01ES01")?.number().map(Figure::Count),
        "overdue_total_now" => sum(report, &["PD01CJ06", "PD01CJ11"]),
        "recovery_present" => Some(Figure::Flag(recovery_present(report))),
        "total_balance" => sum(
            report,
            &["PC02EJ02", "PC02FJ02", "PC02GJ02", "PC02HJ04", "PC02IJ04"],
        ),
        "total_credit_limit" => sum(
            report,
            &["PC02EJ01", "PC02FJ01", "PC02GJ01", "PC02HJ01", "PC02IJ01"],
        ),
        "worst_status_24m" => worst_status(report, &["PD01DD01"]),
        "worst_status_60m" => worst_status(report, &["PD01DD01", "PD01ED01"]),
        _ => None,
    }
}

fn accounts_overdue_now(report: &Report) -> i64 {
    let above_zero = |account: &Unit<'_>| {
        let codes = ["PD01CS02", "PD01CJ06", "PD01CJ11"];
        codes
            .iter()
            .any(|code| account.all(code).any(|item| item.number() > Some(0)))
    };
    count(report.units("PD01").filter(above_zero))
}

/// Distinct institutions that asked for an approval in the months before the
/// report. Other institutions are masked by the bureau: type and the two
/// letters together tell them apart as well as can be told.
fn approval_inquirers(report: &Report, months: i64) -> Option<Figure<'_>> {
    let made = made_on(report)?;
    let first = made.checked_sub(months.months()).ok()?;
    let recent = |query: &Unit<'_>| {
        let day = query.item("PH010R01").and_then(|item| item.date());
        let reason = text_of(*query, "PH010Q03");
        day.is_some_and(|day| first <= day && day <= made) && APPROVALS.contains(&reason)
    };
    let queries = report.units("PH01").filter(recent);
    let who = queries.map(|query| [text_of(query, "PH010D01"), text_of(query, "PH010Q02")]);
    let inquirers: BTreeSet<_> = who.collect();
    Some(Figure::Count(inquirers.len() as i64))
}

fn bad_debt_present(report: &Report) -> bool {
    let is_bad = |account: Unit<'_>| {
        let status = text_of(account, "PD01BD01");
        match text_of(account, "PD01AD01") {
            "D1" | "R1" | "R4" => status == "4",
            "R2" | "R3" => status == "5",
            _ => false,
        }
    };
    report.items("PC02CS01").any(|item| item.number() > Some(0)) || report.units("PD01").any(is_bad)
}

fn longest_overdue_months_5y(report: &Report) -> Figure<'_> {
    let months = report.items("PC02DS04").filter_map(|item| item.number());
    Figure::Months(months.max().unwrap_or(0))
}

fn months_since_first_credit(report: &Report) -> Option<Figure<'_>> {
    let made = made_on(report)?;
    let earliest = |code| report.items(code).filter_map(|item| item.date()).min();
    let first = earliest("PC02AR01").or_else(|| earliest("PD01AR01"))?;
    Some(Figure::Months(months_between(made, first)))
}

/// Accounts of a type that live: the bureau fills the latest status of an
/// account that is closed, bad debt, transferred out or not activated.
fn open_accounts<'r>(report: &'r Report, account_type: &str) -> Figure<'r> {
    let lives = |account: &Unit<'_>| {
        let status = account.item("PD01BD01").filter(Item::is_filled);
        text_of(*account, "PD01AD01") == account_type && status.is_none()
    };
    Figure::Count(count(report.units("PD01").filter(lives)))
}

fn recovery_present(report: &Report) -> bool {
    report.items("PC02BS01").any(|item| item.number() > Some(0))
        || report.items("PD01AD01").any(|item| item.raw() == "C1")
}

fn worst_status<'r>(report: &'r Report, codes: &[&str]) -> Option<Figure<'r>> {
    let marks = codes
        .iter()
        .flat_map(|code| report.items(code))
        .filter(Item::is_filled);
    marks
        .map(|item| item.raw())
        .max_by_key(|mark| mark_rank(mark).unwrap_or(0))
        .map(Figure::Mark)
}

fn sum<'r>(report: &'r Report, codes: &[&str]) -> Option<Figure<'r>> {
    added(report, codes).map(Figure::Amount)
}

fn count(units: impl Iterator) -> i64 {
    units.count() as i64
}

/// Reasons of `QUERY_REASON` that ask for an approval: loan, card, financing,
/// limit.
const APPROVALS: [&str; 4] = ["02", "03", "24", "26"];
