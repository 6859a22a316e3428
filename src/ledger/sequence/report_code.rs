//! The code of the reporting point, where a record does not give it.

use schemas::role::Does;

use crate::ledger::{Account, Told};

/// A first report counts as of a new account for fewer days after its opening
/// than these (rule I2100A11, BLE008).
const NEW_DAYS: i32 = 30;

/// The code of the reporting point (报告时点说明代码) of a record that follows
/// this account. None where records of the type have none, or it cannot be told.
///
/// - 210, list `NtrDcAcctRptDateCode`: 10 new, 31 a first report of an account
///   that is not new; 20 closed that day, 32 a closing that the month's record
///   tells; 30 the month's record; 40 overdue amounts recovered, without a
///   month. Collection accounts (C1) have but 10, 20 and 40 (BLR002, BLR006,
///   BLR012); quasi-credit cards (R3) no 40 (BLR008). When both 20 and 32 could
///   be meant (medium confidence), the day of closing decides.
/// - 110, 310: 10 first, 20 after. 220, 420: 10, 20 expired, 30. 230, 440: 10,
///   20 closed, 30 where the liability is told, else 50.
/// - 410: 10 first, 20 closed; which of the others is meant it does not tell.
#[must_use]
pub fn report_code(account: &Account, told: &Told) -> Option<&'static str> {
    if told.does != Does::Normal {
        return None;
    }
    let first = !account.standing.is_accepted();
    match &*told.record {
        "110" | "310" => Some(if first { "10" } else { "20" }),
        "210" if first => Some(first_of_account(told)),
        "210" => later(account, told),
        "220" | "230" | "410" | "420" | "440" if first => Some("10"),
        "220" | "230" | "410" | "420" | "440" if told.closes => Some("20"),
        "220" | "420" => Some("30"),
        "230" | "440" => Some(if told.has_status { "30" } else { "50" }),
        _ => None,
    }
}

fn first_of_account(told: &Told) -> &'static str {
    let is_old = told
        .opened_on
        .zip(told.report_date)
        .and_then(|(opened, day)| day.since(opened).ok())
        .is_some_and(|since| since.get_days() >= NEW_DAYS);
    if is_old && told.account_type.as_deref() != Some("C1") {
        "31"
    } else {
        "10"
    }
}

fn later(account: &Account, told: &Told) -> Option<&'static str> {
    let kind = told.account_type.as_ref().or(account.account_type.as_ref());
    let kind = kind.map(String::as_str);
    let that_day = told.closed_on.is_some() && told.closed_on == told.report_date;
    if told.closes {
        return Some(if kind == Some("C1") || that_day {
            "20"
        } else {
            "32"
        });
    }
    match (told.month, kind) {
        (Some(_), Some("C1")) | (None, Some("R3")) => None,
        (Some(_), _) => Some("30"),
        (None, _) => Some("40"),
    }
}
