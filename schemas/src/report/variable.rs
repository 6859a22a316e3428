//! Figures derived from a report.
//!
//! `variables.tsv` says in words what each one is; the function here of the
//! same name computes it. They are our own definitions, no score: the bureau's
//! own totals are used where it gives any.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::item::Item;
use super::tree::{Report, Unit};
use crate::text::Label;

/// One derived figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variable<'r> {
    /// Stable name: `total_balance`.
    pub name: &'static str,
    /// Label.
    pub label: Label<'static>,
    /// The figure; nothing when the report does not tell it.
    pub value: Option<Figure<'r>>,
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
    /// A repayment mark of the bureau's list.
    Mark(&'r str),
    /// Calendar months.
    Months(i64),
}

impl Report {
    /// All figures, in the order of the table.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable<'_>> {
        let rows = self.dictionary.variables.iter();
        let variable = |row: &'static super::dictionary::VariableRow| Variable {
            name: &row.name,
            label: Label {
                zh: &row.zh,
                en: &row.en,
            },
            value: figure(self, &row.name),
        };
        rows.map(variable).collect()
    }

    /// One figure by name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Figure<'_>> {
        figure(self, name)
    }
}

/// The figure of this name. A name that is not here gives nothing; a test
/// holds the table against this list.
fn figure<'r>(report: &'r Report, name: &str) -> Option<Figure<'r>> {
    match name {
        "accounts_overdue_now" => Some(Figure::Count(accounts_overdue_now(report))),
        "approval_inquirers_1m" => approval_inquirers(report, 1),
        "approval_inquirers_3m" => approval_inquirers(report, 3),
        "approval_inquirers_6m" => approval_inquirers(report, 6),
        "average_monthly_due" => Some(sum(report, &["PC02EJ03", "PC02FJ03", "PC02GJ03"])),
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
        "overdue_total_now" => Some(sum(report, &["PD01CJ06", "PD01CJ11"])),
        "recovery_present" => Some(Figure::Flag(recovery_present(report))),
        "total_balance" => Some(sum(
            report,
            &["PC02EJ02", "PC02FJ02", "PC02GJ02", "PC02HJ04", "PC02IJ04"],
        )),
        "total_credit_limit" => Some(sum(
            report,
            &["PC02EJ01", "PC02FJ01", "PC02GJ01", "PC02HJ01", "PC02IJ01"],
        )),
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
    let years = i64::from(made.year()) - i64::from(first.year());
    Some(Figure::Months(
        years * 12 + i64::from(made.month()) - i64::from(first.month()),
    ))
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
        .max_by_key(|mark| severity(mark))
        .map(Figure::Mark)
}

/// From best to worst, as `variables.tsv` says.
fn severity(mark: &str) -> u8 {
    match mark.as_bytes() {
        [months @ b'1'..=b'7'] => months - b'0',
        b"D" | b"G" | b"Z" => 8,
        b"B" => 9,
        _ => 0,
    }
}

fn sum<'r>(report: &'r Report, codes: &[&str]) -> Figure<'r> {
    let items = codes.iter().flat_map(|code| report.items(code));
    let amounts = items.filter_map(|item| item.number());
    Figure::Amount(amounts.fold(0, i64::saturating_add))
}

fn made_on(report: &Report) -> Option<Date> {
    report.first("PA01AR01")?.date()
}

fn text_of<'r>(unit: Unit<'r>, code: &str) -> &'r str {
    unit.item(code).map_or("", |item| item.raw())
}

fn count(units: impl Iterator) -> i64 {
    units.count() as i64
}

/// Reasons of `QUERY_REASON` that ask for an approval: loan, card, financing,
/// limit.
const APPROVALS: [&str; 4] = ["02", "03", "24", "26"];

#[cfg(test)]
mod tests {
    use super::super::decode::tests::{NEGATIVE, NORMAL, THIN, decode};
    use super::Figure::{Amount, Count, Flag, Mark, Months};
    use super::*;

    #[test]
    fn the_figures_of_the_samples_are_those_counted_by_hand() {
        let (thin, normal, negative) = (
            decode(THIN).unwrap(),
            decode(NORMAL).unwrap(),
            decode(NEGATIVE).unwrap(),
        );
        let cases = [
            (
                "open_accounts_d1",
                Some(Count(0)),
                Some(Count(1)),
                Some(Count(1)),
            ),
            (
                "open_accounts_r4",
                Some(Count(0)),
                Some(Count(1)),
                Some(Count(1)),
            ),
            (
                "open_accounts_r1",
                Some(Count(0)),
                Some(Count(1)),
                Some(Count(0)),
            ),
            (
                "open_accounts_r2",
                Some(Count(0)),
                Some(Count(1)),
                Some(Count(1)),
            ),
            (
                "open_accounts_r3",
                Some(Count(0)),
                Some(Count(0)),
                Some(Count(1)),
            ),
            (
                "total_credit_limit",
                Some(Amount(0)),
                Some(Amount(900_000)),
                Some(Amount(88_000)),
            ),
            (
                "total_balance",
                Some(Amount(0)),
                Some(Amount(728_655)),
                Some(Amount(66_600)),
            ),
            (
                "average_monthly_due",
                Some(Amount(0)),
                Some(Amount(5_488)),
                Some(Amount(18_710)),
            ),
            (
                "accounts_overdue_now",
                Some(Count(0)),
                Some(Count(0)),
                Some(Count(4)),
            ),
            (
                "overdue_total_now",
                Some(Amount(0)),
                Some(Amount(0)),
                Some(Amount(52_150)),
            ),
            ("worst_status_24m", None, Some(Mark("1")), Some(Mark("B"))),
            ("worst_status_60m", None, Some(Mark("1")), Some(Mark("B"))),
            (
                "longest_overdue_months_5y",
                Some(Months(0)),
                Some(Months(1)),
                Some(Months(7)),
            ),
            (
                "approval_inquirers_1m",
                Some(Count(0)),
                Some(Count(1)),
                Some(Count(4)),
            ),
            (
                "approval_inquirers_3m",
                Some(Count(0)),
                Some(Count(2)),
                Some(Count(4)),
            ),
            (
                "approval_inquirers_6m",
                Some(Count(0)),
                Some(Count(2)),
                Some(Count(4)),
            ),
            (
                "months_since_first_credit",
                None,
                Some(Months(121)),
                Some(Months(124)),
            ),
            (
                "recovery_present",
                Some(Flag(false)),
                Some(Flag(false)),
                Some(Flag(true)),
            ),
            (
                "bad_debt_present",
                Some(Flag(false)),
                Some(Flag(false)),
                Some(Flag(true)),
            ),
            (
                "open_disputes",
                Some(Count(0)),
                Some(Count(0)),
                Some(Count(2)),
            ),
            (
                "fraud_alert",
                Some(Flag(false)),
                Some(Flag(false)),
                Some(Flag(true)),
            ),
        ];
        for (name, of_thin, of_normal, of_negative) in cases {
            assert_eq!(thin.variable(name), of_thin, "thin: {name}");
            assert_eq!(normal.variable(name), of_normal, "normal: {name}");
            assert_eq!(negative.variable(name), of_negative, "negative: {name}");
        }
        let names: Vec<_> = thin
            .variables()
            .iter()
            .map(|variable| variable.name)
            .collect();
        assert_eq!(
            names,
            cases.map(|case| case.0),
            "the table and the functions"
        );
    }

    #[test]
    fn worse_marks_weigh_more() {
        let order = ["N", "1", "2", "3", "4", "5", "6", "7", "D", "B"];
        assert!(order.is_sorted_by_key(|mark| severity(mark)));
        assert!(
            ["*", "C", "M", "A", "#", "/"]
                .iter()
                .all(|mark| severity(mark) == 0)
        );
        assert_eq!(severity("D"), severity("G"));
        assert_eq!(severity("D"), severity("Z"));
    }
}
