//! What is handed in: synthetic records of synthetic people.

use creditgate::{
    authorizations::NewAuthorization,
    demo::{
        consent_to_provide,
        loans::{Loan, ORGANIZATION, Standing},
        person,
    },
    platform::clock::{Clock, china_date},
};
use jiff::{ToSpan as _, civil::Date};
use mocks::synthetic_resident_id;
use serde_json::{Value, json};

/// The number of the first borrower.
const FIRST: u32 = 300;

/// How many people borrow.
const BORROWERS: u32 = 10;

/// The only name that anybody has.
pub(super) const NAME: &str = "测试甲";

/// The loan that the bureau rejects.
pub(super) const REJECTED: u32 = 4;

/// What lets the records of all borrowers be provided.
pub(super) fn papers() -> Vec<NewAuthorization> {
    let now = Clock::system().now();
    let consent = |n| {
        let subject = person(NAME, &synthetic_resident_id(FIRST + n), now).unwrap();
        consent_to_provide(&subject, now)
    };
    (0..BORROWERS).map(consent).collect()
}

/// A loan at the end of the last month.
pub(super) fn loan(number: u32) -> Loan {
    Loan {
        number,
        borrower: (
            synthetic_resident_id(FIRST + number % BORROWERS),
            NAME.to_owned(),
        ),
        month_end: month_end(1),
        standing: Standing::Normal,
    }
}

/// One of which an instalment is overdue: it waits for a notice.
pub(super) fn overdue(number: u32) -> Loan {
    Loan {
        standing: Standing::Overdue,
        ..loan(number)
    }
}

/// Two loans, of which the bureau rejects one where it was told to.
pub(super) fn two() -> Vec<Value> {
    vec![loan(1).record(), loan(REJECTED).record()]
}

/// One of each kind: a person, loans that pass, one with a finding, one that
/// waits for a notice, one that is rejected, and one that waits for another
/// record of its account.
pub(super) fn one_of_each() -> Vec<Value> {
    let early = Loan {
        month_end: month_end(2),
        ..loan(1)
    };
    vec![
        basics(1),
        early.record(),
        with_finding(2),
        overdue(3).record(),
        loan(REJECTED).record(),
        loan(5).record(),
        loan(1).update(),
    ]
}

/// How the records of [`one_of_each`] end.
pub(super) const ENDS: [&str; 7] = [
    "accepted",
    "accepted",
    "set_aside",
    "held",
    "rejected",
    "accepted",
    "accepted",
];

/// So many loans: every twentieth has a finding, every thirtieth another one
/// waits for a notice.
pub(super) fn many(count: u32) -> Vec<Value> {
    let record = |number: u32| match number {
        number if number.is_multiple_of(20) => with_finding(number),
        number if number % 30 == 15 => overdue(number).record(),
        number => loan(number).record(),
    };
    (1..=count).map(record).collect()
}

/// The correction of the record with this place.
pub(super) fn correction(submission: &str, seq: u64) -> Value {
    let mut record = loan(REJECTED).record();
    record["corrects"] = json!({"submission": submission, "seq": seq});
    record
}

fn with_finding(number: u32) -> Value {
    let mut record = loan(number).record();
    record["data"]["AcctBsInfSgmt"]["Cy"] = "RMB".into();
    record
}

/// The last day of a month, so many before this one.
fn month_end(before: i64) -> Date {
    let first = china_date(Clock::system().now()).first_of_month();
    first
        .saturating_sub((before - 1).months())
        .yesterday()
        .unwrap()
}

/// The basic information of a borrower (record 110).
fn basics(number: u32) -> Value {
    let (id, name) = loan(number).borrower;
    let day = month_end(1).to_string();
    let born = format!("{}-{}-{}", &id[6..10], &id[10..12], &id[12..14]);
    json!({"record": "110", "data": {
        "BsSgmt": {
            "Name": name, "IDType": "10", "IDNum": id,
            "InfSurcCode": format!("{ORGANIZATION}{number:06}"), "RptDate": day,
            "Cimoc": ORGANIZATION, "CustomerType": "11",
        },
        "FcsInfSgmt": {
            "Sex": "1", "DOB": born, "Nation": "CHN", "HouseAdd": "示例市示例区一号路1号",
            "HhDist": "110101", "CellPhone": "10000000001", "Email": "test@example.invalid",
            "FcsInfoUpDate": day,
        },
        "SpsInfSgmt": {"MariStatus": "10", "SpsInfoUpDate": day},
        "EduInfSgmt": {"EduLevel": "20", "AcaDegree": "4", "EduInfoUpDate": day},
        "OctpnInfSgmt": {
            "EmpStatus": "17", "CpnName": "示例公司甲", "CpnType": "20", "Industry": "J",
            "CpnAddr": "示例市示例区二号路2号", "CpnPc": "100000", "CpnDist": "110101",
            "CpnTEL": "010-00000000", "Occupation": "3", "Title": "3", "TechTitle": "0",
            "WorkStartDate": "2015", "OctpnInfoUpDate": day,
        },
        "RedncInfSgmt": {
            "ResiStatus": "1", "ResiAddr": "示例市示例区三号路3号", "ResiPc": "100000",
            "ResiDist": "110101", "HomeTel": "", "ResiInfoUpDate": day,
        },
        "MlgInfSgmt": {
            "MailAddr": "示例市示例区三号路3号", "MailPc": "100000", "MailDist": "110101",
            "MlgInfoUpDate": day,
        },
    }})
}
