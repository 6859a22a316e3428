//! Synthetic loans for submissions: records 210 by the thousand.
//!
//! # Promise
//!
//! The same numbers give the same loans. A good one passes every rule of the
//! tables that needs no central database; what is wrong with a bad one is one
//! thing only.

use jiff::civil::Date;
use serde_json::{Value, json};

/// The reporting organization of the demo, and so the beginning of its codes.
pub const ORGANIZATION: &str = "T99999999H0001";

/// How a loan stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Paid off and closed in the month.
    Closed,
    /// Paid as agreed.
    Normal,
    /// One instalment is overdue.
    Overdue,
}

/// A loan to a person, as it stands at the end of a month.
#[derive(Clone, Debug)]
pub struct Loan {
    /// Its number; the account code is made of it.
    pub number: u32,
    /// Number and name of the borrower's resident identity card.
    pub borrower: (String, String),
    /// The last day of the month that is told of.
    pub month_end: Date,
    /// How it stands then.
    pub standing: Standing,
}

impl Loan {
    /// The account code (账户标识码).
    #[must_use]
    pub fn code(&self) -> String {
        format!("{ORGANIZATION}DK{:07}", self.number)
    }

    /// The record as a line of JSON Lines. The code of the reporting point is
    /// left out: the gateway knows whether the bureau has the account.
    #[must_use]
    pub fn record(&self) -> Value {
        json!({"record": "210", "data": {
            "AcctBsSgmt": self.base(), "AcctBsInfSgmt": self.terms(),
            "AcctMthlyBlgInfSgmt": self.month(),
        }})
    }

    /// The record of a later month: it repeats no terms.
    #[must_use]
    pub fn update(&self) -> Value {
        json!({"record": "210", "data": {
            "AcctBsSgmt": self.base(), "AcctMthlyBlgInfSgmt": self.month(),
        }})
    }

    /// The correction of what was accepted for the month (record 212).
    #[must_use]
    pub fn correction(&self) -> Value {
        json!({"record": "212", "data": {
            "BsSgmt": {
                "ModRecCode": self.code(), "RptDate": self.month_end.to_string(),
                "AcctType": "D1", "MdfcSgmtCode": "H",
            },
            "MdfcSgmt": {"AcctMthlyBlgInfSgmt": self.month()},
        }})
    }

    fn base(&self) -> Value {
        json!({
            "AcctType": "D1", "AcctCode": self.code(), "RptDate": self.month_end.to_string(),
            "Name": self.borrower.1, "IDType": "10", "IDNum": self.borrower.0,
            "MngmtOrgCode": ORGANIZATION,
        })
    }

    fn terms(&self) -> Value {
        let opened = self
            .month_end
            .first_of_month()
            .saturating_add(jiff::Span::new().months(-6));
        let due = opened.saturating_add(jiff::Span::new().years(2));
        json!({
            "BusiLines": "1", "BusiDtlLines": "91", "OpenDate": opened.to_string(), "Cy": "CNY",
            "LoanAmt": "240000", "Flag": "0", "DueDate": due.to_string(), "RepayMode": "11",
            "RepayFreqcy": "03", "RepayPrd": "24", "ApplyBusiDist": "110101", "GuarMode": "4",
            "OthRepyGuarWay": "0", "AssetTrandFlag": "0", "FundSou": "1", "LoanForm": "1",
        })
    }

    fn month(&self) -> Value {
        let due_day = self
            .month_end
            .first_of_month()
            .saturating_add(jiff::Span::new().days(19));
        let before = due_day.saturating_add(jiff::Span::new().months(-1));
        let (status, balance, paid, repayment) = match self.standing {
            Standing::Closed => ("3", "0", "180000", "C"),
            Standing::Normal => ("1", "180000", "10900", "N"),
            Standing::Overdue => ("2", "190000", "0", "1"),
        };
        let overdue = self.standing == Standing::Overdue;
        let closed = self.standing == Standing::Closed;
        json!({
            "Month": self.month_end.strftime("%Y-%m").to_string(), "SettDate": due_day.to_string(),
            "AcctStatus": status, "AcctBal": balance,
            "RemRepPrd": if closed { "0" } else { "18" },
            "FiveCate": "1", "FiveCateAdjDate": before.to_string(), "RpyStatus": repayment,
            "OverdPrd": if overdue { "1" } else { "0" },
            "TotOverd": if overdue { "10900" } else { "0" },
            "OverdPrinc": if overdue { "10000" } else { "0" },
            "Oved31_60Princ": "0", "Oved61_90Princ": "0", "Oved91_180Princ": "0",
            "OvedPrinc180": "0", "CurRpyAmt": "10900", "ActRpyAmt": paid,
            "LatRpyDate": if overdue { before.to_string() } else { due_day.to_string() },
            "CloseDate": if closed { due_day.to_string() } else { String::new() },
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use schemas::{edition::Edition, validate::FileHeader};

    use super::*;

    fn loan(standing: Standing) -> Loan {
        Loan {
            number: 7,
            borrower: (mocks::synthetic_resident_id(1), "测试甲".to_owned()),
            month_end: date(2026, 10, 31),
            standing,
        }
    }

    fn xml(value: &Value) -> String {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(tag, inner)| format!("<{tag}>{}</{tag}>", xml(inner)))
                .collect(),
            Value::String(text) => text.clone(),
            _ => String::new(),
        }
    }

    /// The codes of what is wrong with a record at that reporting point.
    fn wrong(line: &Value, point: &str) -> Vec<String> {
        let code = line["record"].as_str().unwrap();
        let mut data = line["data"].clone();
        let base = if code == "210" {
            "AcctBsSgmt"
        } else {
            "BsSgmt"
        };
        data[base]["InfRecType"] = code.into();
        if code == "210" {
            data[base]["RptDateCode"] = point.into();
        }
        let edition = Edition::embedded("pboc-submit-personal", date(2026, 11, 1)).unwrap();
        let plan = edition.plan(code).unwrap();
        let root = if code == "210" {
            "InAcctInf"
        } else {
            "InAcctMdfc"
        };
        let text = format!("<Document><{root}>{}</{root}></Document>", xml(&data));
        let record = plan.read(text.as_bytes()).unwrap();
        let header = FileHeader {
            date: date(2026, 11, 2),
            record: code.to_owned(),
            org: ORGANIZATION.to_owned(),
            template: "  ".to_owned(),
        };
        let findings = plan.validate(&record, &header);
        findings
            .into_iter()
            .map(|it| format!("{} {}", it.code, it.path))
            .collect()
    }

    #[test]
    fn loans_pass_every_rule_however_they_stand() {
        for (standing, first, later) in [
            (Standing::Normal, "31", "30"),
            (Standing::Overdue, "31", "30"),
            (Standing::Closed, "31", "32"),
        ] {
            let loan = loan(standing);
            if standing != Standing::Closed {
                assert_eq!(wrong(&loan.record(), first), [""; 0], "{standing:?}");
            }
            assert_eq!(wrong(&loan.update(), later), [""; 0], "{standing:?}");
            assert_eq!(wrong(&loan.correction(), ""), [""; 0], "{standing:?}");
        }
    }
}
