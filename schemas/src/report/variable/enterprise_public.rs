//! The collected variables of enterprises: public records and statements.

use super::Figure::{self, Count, Flag, Hundredths, Wan};
use super::facts::{added, amount_of, number, ratio, sum, text_of};
use crate::report::tree::{Report, Unit};

/// The figure of this name. `E_INQ` has none: the report holds no queries.
/// `E_INDUSTRY_SENS` has none: it asks for a list of the house. `E_BANK_TO_SALES`
/// has none: the unit of statements is not told.
pub(super) fn figure<'r>(report: &'r Report, name: &str) -> Option<Figure<'r>> {
    match name {
        "E_CASE_AMT" => case_amount(report).map(Wan),
        "E_FIN_LEVERAGE" => leverage(report),
        "E_FIN_NET_PROFIT" => of_statements(report, ["EG04", "EG04BJ17"], ["EG03", "EG03BJ43"]),
        "E_FIN_OP_CASH" => of_statements(report, ["EG06", "EG06BJ10"], ["EG05", "EG05BJ10"]),
        "E_PUB_CNT" => {
            let codes = ["EB01BS02", "EB01BS03", "EB01BS04", "EB01BS05"];
            sum(codes.into_iter().map(|code| number(report, code))).map(Count)
        }
        "E_RISK_CASE_CNT" => Some(Count(risk_cases(report))),
        "E_STATUS_ABN" => Some(Flag(report.first("EC010D05")?.raw() != "1")),
        "E_TAX_ARREARS" => added(report, &["EF010J01"]).map(Wan),
        _ => None,
    }
}

/// What is enforced and not yet collected. Who of the parties to a lawsuit the
/// subject is has no public list: with the amount of one, nothing can be told.
fn case_amount(report: &Report) -> Option<i64> {
    if added(report, &["EF020J01"])? != 0 {
        return None;
    }
    let left =
        |case: Unit<'_>| amount_of(case, "EF030J01")?.checked_sub(amount_of(case, "EF030J02")?);
    sum(report.units("EF03").map(left))
}

/// Lawsuits and enforcements for credit, and enforcements against a defaulter on
/// the courts' lists; each counts once.
fn risk_cases(report: &Report) -> i64 {
    let names = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
    let lawsuits = report.units("EF02");
    let lawsuits = lawsuits.filter(|case| names(text_of(*case, "EF020Q02"), &CREDIT));
    let enforcements = report.units("EF03").filter(|case| {
        names(text_of(*case, "EF030Q02"), &CREDIT)
            || names(text_of(*case, "EF030Q04"), &["失信", "限制"])
    });
    (lawsuits.count() + enforcements.count()) as i64
}

fn leverage(report: &Report) -> Option<Figure<'_>> {
    let forms = [
        ("EG02", "EG02BJ53", "EG02BJ31"),
        ("EG01", "EG01BJ68", "EG01BJ44"),
    ];
    let (unit, debts, assets) = *forms
        .iter()
        .find(|form| report.units(form.0).next().is_some())?;
    let sheet = latest(report, unit)?;
    let value = |code| sheet.item(code)?.hundredths();
    ratio(value(debts)?, value(assets)?)
}

/// An item of the newer form, or else of the older one; only where balance
/// sheet, income statement and cash flow of the form agree in year, kind and
/// scope.
fn of_statements<'r>(report: &'r Report, new: [&str; 2], old: [&str; 2]) -> Option<Figure<'r>> {
    let is_new = report.units(new[0]).next().is_some();
    let ([unit, code], form) = if is_new {
        (new, ["EG02", "EG04", "EG06"])
    } else {
        (old, ["EG01", "EG03", "EG05"])
    };
    let mut heads = Vec::new();
    for unit in form {
        if report.units(unit).next().is_some() {
            heads.push(head(latest(report, unit)?));
        }
    }
    if heads.windows(2).any(|pair| pair[0] != pair[1]) {
        return None;
    }
    latest(report, unit)?
        .item(code)?
        .hundredths()
        .map(Hundredths)
}

/// The statement of the latest year; nothing where there are several of that
/// year, since which covers all of it has no public list.
fn latest<'r>(report: &'r Report, unit: &str) -> Option<Unit<'r>> {
    let year = |statement: &Unit<'_>| head(*statement)[0].parse::<u16>().ok();
    let last = report
        .units(unit)
        .filter_map(|statement| year(&statement))
        .max()?;
    let mut all = report
        .units(unit)
        .filter(|statement| year(statement) == Some(last));
    let one = all.next()?;
    all.next().is_none().then_some(one)
}

/// Year, kind and scope of a statement.
fn head(statement: Unit<'_>) -> [&str; 3] {
    ["AR01", "AD02", "AD03"].map(|item| text_of(statement, &format!("{}{item}", statement.code())))
}

/// Words in the cause of a case about credit.
const CREDIT: [&str; 8] = [
    "借款",
    "贷款",
    "担保",
    "保证",
    "融资租赁",
    "保理",
    "信用证",
    "票据",
];
