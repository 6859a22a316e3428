//! Workbooks, by command and over HTTP.

use std::fs;

use creditgate::demo::loans::Loan;
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::Value;

use super::{desk::Operator, site::Site};
use crate::support::{id, key};

/// A workbook of these records: a sheet for each segment.
fn filled(records: &[Value]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (segment, items) in records[0]["data"].as_object().unwrap() {
        let sheet = workbook.add_worksheet();
        sheet.set_name(format!("210 {segment}")).unwrap();
        sheet.write_string(1, 0, "@key").unwrap();
        for (at, tag) in items.as_object().unwrap().keys().enumerate() {
            let column = at as u16 + 1;
            sheet.write_string(1, column, tag).unwrap();
            for (n, record) in records.iter().enumerate() {
                let row = n as u32 + 2;
                sheet.write_number(row, 0, row).unwrap();
                let value = &record["data"][segment][tag];
                let value = value.as_str().unwrap_or_default();
                sheet.write_string(row, column, value).unwrap();
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

fn wrong(loan: &Loan) -> Value {
    let mut wrong = loan.record();
    wrong["data"]["AcctBsInfSgmt"]["Cy"] = "RMB".into();
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_is_handed_in_and_what_is_wrong_names_its_cell() {
    let site = Site::start().await;
    let desk = site.operator();
    let (good, bad) = (site.loan(1), site.loan(2));
    site.consent(&good).await;
    site.consent(&bad).await;
    let bytes = filled(&[good.record(), wrong(&bad)]);
    fs::write(desk.folder().join("loans.xlsx"), &bytes).unwrap();
    let secrets = [&*bad.borrower.0, &*bad.borrower.1];

    let said = desk.say("submit loans.xlsx --dry-run --findings found.json --lang en");
    let said = said.exits(3).without(&secrets);
    assert!(said.out.contains("2 records, 1 with findings"), "{said:?}");
    let found = fs::read_to_string(desk.folder().join("found.json")).unwrap();
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        (&found[0]["sheet"], &found[0]["row"]),
        (&"210 AcctBsInfSgmt".into(), &4.into())
    );
    let cell = format!(
        "210 AcctBsInfSgmt!{}4",
        found[0]["column"].as_str().unwrap()
    );
    assert!(said.out.contains(&cell), "{said:?}");

    let said = desk
        .run("submit loans.xlsx --lang en")
        .exits(3)
        .without(&secrets);
    assert!(
        said.out.contains(&cell) && said.out.contains("set aside: 1"),
        "{said:?}"
    );
    let kind = workbook::MEDIA_TYPE;
    let own = said.key().to_owned();
    let headers = [("content-type", kind), ("idempotency-key", own.as_str())];
    let path = "/v1/submissions?bureau=pboc";
    let again = site.raw(Method::POST, path, &headers, bytes.into()).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["taken"]),
        (201, &2.into()),
        "{again:?}"
    );
    let records = format!("/v1/submissions/{}/records?state=set_aside", id(&again));
    let records = site.submitter.get(&records).await.unwrap();
    assert_eq!(records.body["records"][0]["findings"][0]["at"], *cell);

    for (body, code) in [
        (b"no workbook".to_vec(), "workbook_broken"),
        (
            filled(&[serde_json::json!({"data": {"NoSgmt": {"A": "1"}}})]),
            "invalid",
        ),
    ] {
        let key = key();
        let headers = [("content-type", kind), ("idempotency-key", key.as_str())];
        let reply = site.raw(Method::POST, path, &headers, body.into()).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.body["code"]),
            (422, &code.into()),
            "{reply:?}"
        );
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_workbook_is_mended_and_checked_again_without_findings() {
    let desk = Operator::alone();
    let made = desk.say("schemas template 410 -o filled.xlsx").exits(0);
    assert!(made.err.contains("filled.xlsx"), "{made:?}");
    let empty = desk.say("submit filled.xlsx --dry-run --lang en").exits(0);
    assert!(
        empty.out.contains("0 records, 0 with findings"),
        "{empty:?}"
    );
    for (line, said) in [
        ("schemas template 999 -o x.xlsx", "no such record type"),
        ("schemas template 410 -o x.txt", ".xlsx"),
        (
            "submit filled.xlsx --dry-run --findings filled.xlsx",
            "itself",
        ),
        (
            "submit filled.xlsx --dry-run --findings x.doc",
            ".csv, .json or .xlsx",
        ),
    ] {
        let refused = desk.say(line).exits(2);
        assert!(refused.err.contains(said), "{line}: {refused:?}");
    }
    let copied = desk
        .say("submit filled.xlsx --dry-run --findings marked.xlsx")
        .exits(0);
    assert!(copied.err.is_empty(), "{copied:?}");
    desk.say("submit marked.xlsx --dry-run").exits(0);
}
