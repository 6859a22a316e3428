//! The collected variables of persons: accounts, cards, classes, inquiries.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::Figure::{self, Amount, Count, Flag, Mark, Months, Score};
use super::facts::{
    added, amount_of, class_rank, date_of, made_on, months_between, number, number_of, ratio,
    rounded, sum, text_of, within,
};
use super::personal_history as history;
use crate::report::tree::{Report, Unit};

/// The figure of this name.
pub(super) fn figure<'r>(report: &'r Report, name: &str) -> Option<Figure<'r>> {
    // A number at the end is one of months: P_INQ_LOAN_12M.
    let (stem, months) = match name.rsplit_once('_') {
        Some((stem, months)) => (stem, months.strip_suffix('M').and_then(|n| n.parse().ok())),
        None => (name, None),
    };
    match (stem, months, name) {
        ("P_NEW_LOAN_CNT", Some(months), _) => new_loans(report, months).map(|n| Count(n.0)),
        ("P_NEW_LOAN_AMT", Some(months), _) => new_loans(report, months)?.1.map(Amount),
        ("P_OVD_MAX", Some(months), _) => history::worst(report, months).map(Count),
        ("P_OVD_CNT", Some(months), _) => history::months_overdue(report, months).map(Count),
        ("P_OVD_CONSEC", Some(months), _) => history::longest_run(report, months).map(Months),
        ("P_OVD_AMT_MAX", Some(months), _) => history::highest(report, months).map(Amount),
        ("P_EXTEND_CNT", Some(months), _) => history::extensions(report, months).map(Count),
        ("P_INQ_LOAN", Some(months), _) => {
            queries(report, months, |query| reason(query) == "02").map(Count)
        }
        ("P_INQ_PREV3", Some(months), _) => {
            let reasons = ["02", "03", "24"];
            queries(report, months, |query| reasons.contains(&reason(query))).map(Count)
        }
        ("P_INQ_SLOAN", Some(months), _) => queries(report, months, |query| {
            reason(query) == "02" && text_of(query, "PH010D01") == "51"
        })
        .map(Count),
        ("P_INQ_ORG", Some(months), _) => inquirers(report, months).map(Count),
        (_, _, name) => plain(report, name),
    }
}

fn plain<'r>(report: &'r Report, name: &str) -> Option<Figure<'r>> {
    let item = |code| number(report, code);
    match name {
        "P_AVG_DUE_6M" => average_due(report).map(Amount),
        "P_BAD_CNT" => match report.first("PC02CS01") {
            Some(count) => count.number().map(Count),
            None => Some(Count(count(accounts(report).filter(is_bad_debt)))),
        },
        "P_CARD_CNT_ACT" => {
            let cards = accounts(report).filter(|account| kind(account) == "R2");
            let active = cards.filter(|card| !matches!(status(*card), "4" | "6"));
            Some(Count(count(active)))
        }
        "P_CARD_MAX_LIMIT" => item("PC02HJ02").map(Amount),
        "P_CARD_USED" => added(report, &["PC02HJ04", "PC02IJ04"]).map(Amount),
        "P_CARD_UTIL" => card_utilization(report),
        "P_CLASS_BAD_CNT" => Some(Count(loans_of_class(report, 3..=5))),
        "P_CLASS_WATCH_CNT" => Some(Count(loans_of_class(report, 2..=2))),
        "P_CLASS_WORST" => worst_class(report),
        "P_FIRST_CARD_MON" => age(report, |account| kind(account) == "R2").map(Months),
        "P_FIRST_LOAN_MON" => first_loan(report).map(Months),
        "P_INQ_NO_BOOK" => {
            let asked = queries(report, 2, |query| reason(query) == "02")?;
            Some(Flag(asked > 8 && new_loans(report, 2)?.0 == 0))
        }
        "P_INQ_SELF_1M" => item("PC05BS05").map(Count),
        "P_INQ_SUMM_1M" => {
            let sums = [item("PC05BS03"), item("PC05BS04")];
            sum(sums.into_iter()).map(Count)
        }
        "P_LIMIT_SUM" => {
            let cards = accounts(report).filter(is_card);
            let used = cards.filter(|card| !matches!(status(*card), "4" | "6"));
            sum(used.map(|card| amount_of(card, "PD01AJ02"))).map(Amount)
        }
        "P_LOAN_BAL" => {
            let open = accounts(report).filter(is_loan).filter(is_open);
            sum(open.map(balance)).map(Amount)
        }
        "P_LOAN_CNT_ALL" => Some(Count(count(accounts(report).filter(is_loan)))),
        "P_LOAN_CNT_OPEN" => {
            let open = accounts(report).filter(is_loan).filter(is_open);
            Some(Count(count(open)))
        }
        "P_MON_DUE" => monthly_due(report).map(Amount),
        "P_ORG_CNT_OPEN" => {
            let open = accounts(report).filter(is_open);
            let who: BTreeSet<_> = open.map(|account| text_of(account, "PD01AI02")).collect();
            Some(Count(count(who.into_iter().filter(|who| !who.is_empty()))))
        }
        "P_OVD_NOW_AMT" => added(report, &["PD01CJ06"]).map(Amount),
        "P_OVD_NOW_CNT" => overdue(report).map(|all| Count(all.len() as i64)),
        "P_OVD_NOW_PAID" => unpaid(report).map(Amount),
        "P_OVD_SUMM_CNT" => added(report, &["PC02DS02"]).map(Count),
        "P_PUB_CNT" => added(report, &["PC040S02"]).map(Count),
        "P_RECOVERY_CNT" => match report.first("PC02BS01") {
            Some(count) => count.number().map(Count),
            None => Some(Count(count(accounts(report).filter(|a| kind(a) == "C1")))),
        },
        "P_REL_BAD_CNT" => {
            let bad = report.units("PD03").filter(|duty| {
                class_rank(text_of(*duty, "PD03AD05")).is_some_and(|class| class >= 3)
            });
            Some(Count(count(bad)))
        }
        "P_REL_BAL" => duties(report).map(Amount),
        "P_SCORE" => report.first("PC010Q01")?.raw().parse().ok().map(Score),
        "P_SPEC_ASSET_CNT" => {
            let kinds = report.items("PD01FD01");
            Some(Count(count(
                kinds.filter(|kind| matches!(kind.raw(), "2" | "3")),
            )))
        }
        "P_THIN_FILE" => {
            let made = made_on(report)?;
            let opened = accounts(report).filter_map(|account| date_of(account, "PD01AR01"));
            let oldest = opened.map(|opened| months_between(made, opened)).max();
            Some(Flag(oldest.unwrap_or(0) < 6))
        }
        _ => None,
    }
}

fn accounts(report: &Report) -> impl Iterator<Item = Unit<'_>> {
    report.units("PD01")
}

fn kind<'r>(account: &Unit<'r>) -> &'r str {
    text_of(*account, "PD01AD01")
}

fn is_loan(account: &Unit<'_>) -> bool {
    matches!(kind(account), "D1" | "R1" | "R4")
}

fn is_card(account: &Unit<'_>) -> bool {
    matches!(kind(account), "R2" | "R3")
}

/// The latest status, or that of the month.
fn status(account: Unit<'_>) -> &str {
    match text_of(account, "PD01BD01") {
        "" => text_of(account, "PD01CD01"),
        latest => latest,
    }
}

/// Neither settled (loans), closed (cards) nor ended (claims).
fn is_open(account: &Unit<'_>) -> bool {
    let ends = match kind(account) {
        "R2" | "R3" => "4",
        "C1" => "2",
        _ => "3",
    };
    status(*account) != ends
}

fn is_bad_debt(account: &Unit<'_>) -> bool {
    match status(*account) {
        "4" => is_loan(account),
        "5" => is_card(account),
        _ => false,
    }
}

/// The largest age in months of such accounts.
fn age(report: &Report, wanted: impl Fn(&Unit<'_>) -> bool) -> Option<i64> {
    let made = made_on(report)?;
    let opened = accounts(report)
        .filter(wanted)
        .filter_map(|account| date_of(account, "PD01AR01"));
    opened.map(|opened| months_between(made, opened)).max()
}

fn first_loan(report: &Report) -> Option<i64> {
    let made = made_on(report)?;
    let cue = |cue: Unit<'_>| {
        let is_loan = matches!(text_of(cue, "PC02AD01"), "11" | "12" | "19");
        is_loan.then(|| date_of(cue, "PC02AR01"))?
    };
    let first = report.units("PC02AH").filter_map(cue).min();
    age(report, is_loan).or_else(|| Some(months_between(made, first?)))
}

/// How many loans were opened, and for how much.
fn new_loans(report: &Report, months: i64) -> Option<(i64, Option<i64>)> {
    let made = made_on(report)?;
    let recent = |account: &Unit<'_>| within(made, date_of(*account, "PD01AR01"), months);
    let loans: Vec<_> = accounts(report).filter(is_loan).filter(recent).collect();
    let amounts = loans.iter().map(|loan| amount_of(*loan, "PD01AJ01"));
    Some((loans.len() as i64, sum(amounts)))
}

/// The smaller of the latest balance and that of the month, or the one there is.
fn balance(account: Unit<'_>) -> Option<i64> {
    let [latest, monthly] = ["PD01BJ01", "PD01CJ01"].map(|code| text_of(account, code));
    let [latest_value, monthly_value] =
        ["PD01BJ01", "PD01CJ01"].map(|code| amount_of(account, code));
    match (latest, monthly) {
        ("", _) => monthly_value,
        (_, "") => latest_value,
        _ => Some(latest_value?.min(monthly_value?)),
    }
}

fn card_utilization(report: &Report) -> Option<Figure<'_>> {
    let used = added(report, &["PC02HJ04", "PC02IJ04"])?;
    let average = added(report, &["PC02HJ05", "PC02IJ05"])?;
    match added(report, &["PC02HJ01", "PC02IJ01"])? {
        0 => Some(Figure::Ratio(0)),
        limit => ratio(used.max(average), limit),
    }
}

/// Due each month: loans by what is due or their balance over the months left,
/// cards by what is due or a tenth of their average use.
fn monthly_due(report: &Report) -> Option<i64> {
    let due = |account: Unit<'_>| {
        let due = amount_of(account, "PD01CJ04")?.checked_mul(100)?;
        let other = if is_loan(&account) {
            let balance = i128::from(amount_of(account, "PD01CJ01")?) * 100;
            rounded(balance, months_left(account))?
        } else {
            amount_of(account, "PD01CJ12")?.checked_mul(10)?
        };
        Some(due.max(other))
    };
    let wanted = |account: &Unit<'_>| is_loan(account) || is_card(account);
    let total = sum(accounts(report).filter(wanted).map(due))?;
    rounded(i128::from(total), 100)
}

/// Installments left where they are monthly, else months until it is due; at
/// least one.
fn months_left(account: Unit<'_>) -> i64 {
    let until_due = || {
        let (month, due) = (date_of(account, "PD01CR01")?, date_of(account, "PD01AR02")?);
        Some(months_between(due, month))
    };
    let left = match text_of(account, "PD01AD06") {
        "03" => number_of(account, "PD01CS01").or_else(until_due),
        _ => until_due(),
    };
    left.unwrap_or(1).max(1)
}

fn average_due(report: &Report) -> Option<i64> {
    let loans = added(report, &["PC02EJ03", "PC02FJ03", "PC02GJ03"])?;
    let cards = added(report, &["PC02HJ05", "PC02IJ05"])?;
    loans.checked_add(rounded(i128::from(cards), 10)?)
}

/// Accounts with something overdue, and how much.
fn overdue(report: &Report) -> Option<Vec<(Unit<'_>, i64)>> {
    let mut all = Vec::new();
    for account in accounts(report) {
        let amount = amount_of(account, "PD01CJ06")?;
        if amount > 0 {
            all.push((account, amount));
        }
    }
    Some(all)
}

/// What is overdue where the latest repayment is smaller.
fn unpaid(report: &Report) -> Option<i64> {
    let all = overdue(report)?.into_iter();
    sum(all.map(|(account, amount)| {
        let paid = match text_of(account, "PD01BJ02") {
            "" => amount_of(account, "PD01CJ05")?,
            _ => amount_of(account, "PD01BJ02")?,
        };
        Some(if paid < amount { amount } else { 0 })
    }))
}

/// The worse of the latest class and that of the month, with its code.
fn class_of(account: Unit<'_>) -> Option<(u8, &str)> {
    let classes = ["PD01BD03", "PD01CD02"].map(|code| text_of(account, code));
    let ranked = classes
        .into_iter()
        .filter_map(|class| Some((class_rank(class)?, class)));
    ranked.max()
}

fn loans_of_class(report: &Report, ranks: std::ops::RangeInclusive<u8>) -> i64 {
    let loans = accounts(report).filter(is_loan);
    let fits = |loan: &Unit<'_>| class_of(*loan).is_some_and(|class| ranks.contains(&class.0));
    count(loans.filter(fits))
}

fn worst_class(report: &Report) -> Option<Figure<'_>> {
    let open = accounts(report).filter(is_loan).filter(is_open);
    Some(Mark(open.filter_map(class_of).max()?.1))
}

/// Balance of what the subject has to repay for others. What it is for
/// organizations stands in its own currency, and has no sum with yuan.
fn duties(report: &Report) -> Option<i64> {
    sum(report.units("PD03").map(|duty| {
        let foreign =
            text_of(duty, "PD03AD08") == "2" && !matches!(text_of(duty, "PD03AD04"), "CNY" | "");
        if foreign {
            None
        } else {
            amount_of(duty, "PD03AJ02")
        }
    }))
}

fn reason(query: Unit<'_>) -> &str {
    text_of(query, "PH010Q03")
}

/// Queries since the same day so many months ago.
fn queries(report: &Report, months: i64, wanted: impl Fn(Unit<'_>) -> bool) -> Option<i64> {
    let (first, made) = since(report, months)?;
    let recent = |query: &Unit<'_>| {
        date_of(*query, "PH010R01").is_some_and(|day| first <= day && day <= made)
    };
    let recent = report.units("PH01").filter(recent);
    Some(count(recent.filter(|query| wanted(*query))))
}

/// Institutions with a query for a decision after the same day so many months
/// ago.
fn inquirers(report: &Report, months: i64) -> Option<i64> {
    let (first, made) = since(report, months)?;
    let wanted = |query: &Unit<'_>| {
        let day = date_of(*query, "PH010R01");
        DECISIONS.contains(&reason(*query)) && day.is_some_and(|day| first < day && day <= made)
    };
    let who = report.units("PH01").filter(wanted);
    let who: BTreeSet<_> = who.map(|query| text_of(query, "PH010Q02")).collect();
    Some(who.len() as i64)
}

fn since(report: &Report, months: i64) -> Option<(Date, Date)> {
    let made = made_on(report)?;
    Some((made.checked_sub(months.months()).ok()?, made))
}

fn count(things: impl Iterator) -> i64 {
    things.count() as i64
}

/// Reasons of `QUERY_REASON` behind which somebody decides on credit.
const DECISIONS: [&str; 8] = ["02", "03", "08", "20", "22", "24", "25", "26"];
