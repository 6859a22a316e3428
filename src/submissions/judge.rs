//! Whether a record may follow what the bureau has of its account.
//!
//! Pure: an account as the ledger knows it, what a record tells, and out come
//! findings with the codes that the bureau would answer (`rules.tsv`, rules that
//! need its database).

use jiff::civil::Date;
use schemas::{
    plan::RecordPlan,
    record::Record,
    role::{Does, Role},
    validate::{Finding, Severity},
};

use super::store::accounts::Account;

/// What a record tells, as far as its account is concerned.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) does: Does,
    pub(super) account_type: Option<String>,
    pub(super) report_date: Option<Date>,
    pub(super) report_code: Option<String>,
    pub(super) month: Option<String>,
    pub(super) closes: bool,
    pub(super) opens: bool,
}

impl Told {
    /// Reads it from a record.
    pub(super) fn of(role: &Role, plan: &RecordPlan, record: &Record, known: Option<&str>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            does: role.does(),
            account_type: owned(role.account_type(plan, record)),
            report_date: role.report_date(plan, record),
            report_code: owned(role.report_code(plan, record)),
            month: owned(role.month(plan, record)),
            closes: role.closes(plan, record, known),
            opens: role.opens(plan, record),
        }
    }

    /// The state of the account once this is accepted; none where it stays.
    pub(super) fn next_state(&self, now: &str) -> &'static str {
        match (self.does, now) {
            (Does::Delete, _) => "deleted",
            (Does::Normal, _) if self.closes => "closed",
            (Does::Normal, _) => "open",
            (_, "closed") => "closed",
            (_, "deleted") => "deleted",
            _ => "open",
        }
    }
}

/// The code of the reporting point of a record 210 that tells none: 10 first
/// report, 20 closing at any day, 32 closing at the end of a month, 31 first
/// report at the end of a month, 30 the month's end (list `NtrDcAcctRptDateCode`).
/// None where the records of the type have no such code or another list.
pub(super) fn report_code(record: &str, state: &str, told: &Told) -> Option<&'static str> {
    let month_end = told
        .report_date
        .is_some_and(|day| day == day.last_of_month());
    match (record, state) {
        ("110", "new" | "deleted") => Some("10"),
        ("110", _) => Some("20"),
        ("210", "new" | "deleted") if told.month.is_some() => Some("31"),
        ("210", "new" | "deleted") => Some("10"),
        ("210", _) if told.closes && told.month.is_some() && month_end => Some("32"),
        ("210", _) if told.closes => Some("20"),
        ("210", _) => Some("30"),
        _ => None,
    }
}

/// Everything that speaks against this record following that state. `state` may
/// be what the account will be once a record before this one is accepted.
pub(super) fn sequence(
    record: &str,
    state: &str,
    account: Option<&Account>,
    told: &Told,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wrong = |code: &str, tag: &str, zh: &str, en: &str| {
        findings.push(finding(record, code, tag, zh, en));
    };
    let known = !matches!(state, "new" | "deleted");
    if told.does == Does::Normal {
        if known && told.opens {
            wrong(
                "ledger_opened_twice",
                "RptDateCode",
                "该账户已被征信中心接收，报告时点说明代码不应再为首次上报",
                "the bureau has the account already; the code of the reporting point should not \
                 say that it is reported first",
            );
        }
        if !known && told.report_code.is_some() && !told.opens {
            wrong(
                "ledger_not_opened",
                "RptDateCode",
                "该账户尚未被征信中心接收，应先首次上报",
                "the bureau does not have the account yet; it should be reported first",
            );
        }
        if state == "closed" {
            wrong(
                "BLR020",
                "0000",
                "该账户已结清或关闭，不应再有后续记录",
                "the account is closed; no further record should follow",
            );
        }
        if let (Some(account), Some(told_type)) = (account, &told.account_type)
            && account
                .account_type
                .as_ref()
                .is_some_and(|known| known != told_type)
        {
            wrong(
                "BLR019",
                "AcctType",
                "账户类型应与已接收的一致",
                "the account type should be the one accepted before",
            );
        }
        if let Some(account) = account.filter(|_| known) {
            judge_times(account, told, &mut wrong);
        }
    } else if !known {
        let (code, tag) = match record {
            "211" => ("BIE001", "OdBnesCode"),
            "212" => ("BMR007", "ModRecCode"),
            "213" => ("BSR000", "DelRecCode"),
            "214" => ("BTE000", "DelRecCode"),
            "215" => ("BQR001", "AcctCode"),
            "114" => ("BDE000", "0000"),
            _ => ("ledger_unknown_account", "0000"),
        };
        wrong(
            code,
            tag,
            "该账户从未被征信中心接收，不能更正、删除或变更",
            "the bureau never accepted the account; it cannot be corrected, deleted or changed",
        );
    }
    findings
}

fn judge_times(account: &Account, told: &Told, wrong: &mut impl FnMut(&str, &str, &str, &str)) {
    // Both are written so that texts compare as days do.
    let day = told.report_date.map(|day| day.to_string());
    let earlier = match (&day, &account.reported_on) {
        (Some(day), Some(last)) => day < last,
        _ => false,
    };
    if told.closes && earlier {
        wrong(
            "BLR021",
            "RptDate",
            "结清记录的信息报告日期不应早于已接收的记录",
            "a closing record should not be older than what was accepted",
        );
    }
    if let (Some(month), Some(last)) = (&told.month, &account.month)
        && month == last
        && day <= account.reported_on
    {
        wrong(
            "BLR027",
            "Month",
            "该月份已以相同或更晚的信息报告日期接收过",
            "the month was accepted with the same or a later report date",
        );
    }
}

/// A finding of ours on a record as a whole or one of its items.
pub(super) fn finding(record: &str, code: &str, tag: &str, zh: &str, en: &str) -> Finding {
    Finding {
        rule: code.to_owned(),
        record: record.to_owned(),
        path: if tag == "0000" { "." } else { tag }.to_owned(),
        tag: tag.to_owned(),
        code: code.to_owned(),
        severity: Severity::Error,
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}
