//! Whether a record may follow what the bureau has of its account.
//!
//! # Promise
//!
//! Everything that speaks against it, at once, with the code that the bureau
//! would answer where one is known (rules that need its database). The account
//! may be the one accepted, or what it will be once the records before are
//! ([`Account::after`]).
//!
//! # What is not here
//!
//! Rules on values that the ledger does not keep: those the bureau judges.

mod codes;
mod report_code;
#[cfg(test)]
mod tests;

use schemas::{
    role::Does,
    validate::{Finding, Severity},
};

use self::codes::{Known, Rules, rules};
use super::{Account, Standing, Told};

pub use report_code::report_code;

/// Everything that speaks against a record of this account.
#[must_use]
pub fn judge(account: &Account, told: &Told) -> Vec<Finding> {
    let mut judging = Judging {
        account,
        told,
        rules: rules(&told.record),
        findings: Vec::new(),
    };
    match told.does {
        Does::Normal => judging.normal(),
        _ if !account.standing.is_accepted() => judging.say(
            judging.rules.absent,
            "该账户从未被征信机构接收（或已删除），不能更正、删除、变更标识或登记特殊事件",
            "the bureau never accepted the account, or deleted it: it cannot be corrected, deleted, \
             renamed or noted; report it first",
        ),
        Does::Correct => judging.correct(),
        Does::Event => judging.event(),
        Does::Delete | Does::DeleteSegments | Does::Rename => {}
    }
    judging.findings
}

/// That a record gives its account a key which another account of the bureau has.
#[must_use]
pub fn renamed_onto_another(record: &str) -> Finding {
    finding(
        record,
        rules(record).taken,
        "新标识已被另一账户使用，应为未使用过的标识",
        "the new identifier belongs to another account; it should be one that is not in use",
    )
}

struct Judging<'a> {
    account: &'a Account,
    told: &'a Told,
    rules: &'static Rules,
    findings: Vec<Finding>,
}

impl Judging<'_> {
    fn normal(&mut self) {
        match self.account.standing {
            Standing::Deleted | Standing::New => self.first(),
            Standing::Open => {
                self.kind();
                self.again();
                self.times();
            }
            Standing::Closed => {
                self.kind();
                self.say(
                    self.rules.closed,
                    "该账户已结清、关闭或到期，其后不再接收记录；如结清有误，应先更正或删除结清记录",
                    "the account is closed and takes no further record; if the closing was wrong, \
                     correct or delete it first",
                );
            }
            Standing::Transferred => self.say(
                codes::TRANSFERRED,
                "该账户已转出（特殊事件 21），其后不再接收记录；如转出有误，应先撤销该事件",
                "the account was transferred out (special event 21) and takes no further record; \
                 if that was wrong, take the event back first",
            ),
        }
    }

    /// Of an account that the bureau does not have.
    fn first(&mut self) {
        if self.told.report_code.is_some() && !self.told.opens {
            self.say(
                self.rules.not_opened,
                "该账户尚未被征信机构接收，报告时点说明代码应为首次上报",
                "the bureau does not have the account yet; the code of the reporting point should \
                 be that of a first report",
            );
        }
    }

    /// Of an account that the bureau has.
    fn again(&mut self) {
        if self.told.opens {
            self.say(
                self.rules.opened_twice,
                "该账户已被征信机构接收，不能再次开户；报告时点说明代码不应为首次上报",
                "the bureau has the account already, it cannot be opened twice; the code of the \
                 reporting point should not be that of a first report",
            );
        }
    }

    fn kind(&mut self) {
        let told = self.told.account_type.as_ref();
        let known = self.account.account_type.as_ref();
        if told.zip(known).is_some_and(|(told, known)| told != known) {
            self.say(
                self.rules.kind,
                "账户类型应与已接收的一致",
                "the account type should be the one that was accepted",
            );
        }
    }

    fn times(&mut self) {
        let (day, last) = (self.told.report_date, self.account.reported_on);
        let older = day.zip(last).is_some_and(|(day, last)| day < last);
        if older && self.told.closes {
            self.say(
                self.rules.closes_late,
                "结清（关闭、到期）记录的信息报告日期不应早于已接收的记录",
                "a record that closes should not be older than what was accepted",
            );
        }
        if older && self.rules.older.is_some() {
            self.say(
                self.rules.older,
                "信息报告日期不应早于已接收的记录",
                "the report date should not be before that of what was accepted",
            );
        }
        let month = self.told.month.is_some() && self.told.month == self.account.month;
        let known = day.zip(self.account.month_on);
        if month && known.is_some_and(|(day, accepted)| day <= accepted) {
            self.say(
                self.rules.month,
                "该月份已以相同或更晚的信息报告日期接收；如内容有误，应报送更正",
                "the month was accepted with the same or a later report date; if it is wrong, send \
                 a correction",
            );
        }
    }

    fn correct(&mut self) {
        self.kind();
        let (day, last) = (self.told.report_date, self.account.reported_on);
        let newer = day.zip(last).is_some_and(|(day, last)| day > last);
        let known = match self.told.segment.as_deref() {
            Some("H") => self.rules.month_after_closing,
            Some("J") => self.rules.debt_after_closing,
            _ => None,
        };
        if newer && self.account.standing == Standing::Closed && known.is_some() {
            self.say(
                known,
                "账户已结清，更正的信息报告日期不应晚于最近接收的记录",
                "the account is closed; the report date of the correction should not be after the \
                 latest accepted one",
            );
        }
    }

    fn event(&mut self) {
        let Some((kind, takes_effect)) = &self.told.event else {
            return;
        };
        let of = |wanted: &str| {
            let known = self.account.account_type.as_deref();
            known.is_none_or(|known| known == wanted)
        };
        let standing = self.account.standing;
        match (kind.as_str(), takes_effect) {
            ("11", true) if !of("R2") => self.say(
                codes::NO_STATEMENT,
                "只有贷记卡账户可登记未出单事件（11）",
                "only a credit card account can have the event that no statement was issued (11)",
            ),
            ("12", true) if !of("R2") || standing != Standing::Closed => self.say(
                codes::RESTART,
                "只有已销户的贷记卡账户可登记重启事件（12）",
                "only a credit card account that is closed can be restarted (event 12)",
            ),
            ("21", true) if !of("D1") || standing != Standing::Open => self.say(
                codes::TRANSFER,
                "只有未结清的非循环贷账户可登记转出事件（21）",
                "only an open term loan can be transferred out (event 21)",
            ),
            ("21", false) if standing != Standing::Transferred => self.say(
                codes::NO_EVENT,
                "没有可撤销的生效事件",
                "there is no effective event that could be taken back",
            ),
            _ => {}
        }
    }

    fn say(&mut self, known: Option<Known>, zh: &str, en: &str) {
        let one = finding(&self.told.record, known, zh, en);
        self.findings.push(one);
    }
}

/// A finding under the bureau's code; under our own where none is known.
fn finding(record: &str, known: Option<Known>, zh: &str, en: &str) -> Finding {
    let known = known.unwrap_or(codes::OWN);
    let tag = known.path.rsplit('/').next().unwrap_or(known.path);
    Finding {
        rule: known.rule.to_owned(),
        record: record.to_owned(),
        path: known.path.to_owned(),
        tag: if tag == "." { "0000" } else { tag }.to_owned(),
        code: known.code.to_owned(),
        severity: Severity::Error,
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}
