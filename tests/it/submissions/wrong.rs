//! `/v1/submissions`: what is wrong with a request or with records, each defect
//! with its code and place.

use reqwest::Method;
use serde_json::json;

use super::{
    forms::{findings, holds, text},
    site::Site,
};
use crate::support::{id, key};

const LINES: &str = "/v1/submissions?bureau=pboc";
const TABLE: &str = "/v1/submissions?bureau=pboc&record=210";

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_request_is_a_problem_with_a_code_and_nothing_is_begun() {
    let site = Site::start().await;
    let good = text(&[site.loan(1).record()]);
    let (lines, csv) = ("application/x-ndjson", "text/csv");
    let head = "AcctBsSgmt/AcctCode,NoSuchItem\n";
    let cases = [
        (
            "no key",
            LINES,
            lines,
            "",
            &*good,
            400,
            "idempotency_key_missing",
        ),
        (
            "a key of two lines",
            LINES,
            lines,
            "钥",
            &good,
            400,
            "idempotency_key_missing",
        ),
        (
            "no bureau",
            "/v1/submissions",
            lines,
            "k",
            &good,
            400,
            "query",
        ),
        (
            "a word too many",
            "/v1/submissions?bureau=pboc&x=1",
            lines,
            "k",
            &good,
            400,
            "query",
        ),
        (
            "no such bureau",
            "/v1/submissions?bureau=none",
            lines,
            "k",
            &good,
            422,
            "no_such_bureau",
        ),
        (
            "another type",
            LINES,
            "application/json",
            "k",
            &good,
            415,
            "media_type",
        ),
        (
            "a table without its type",
            LINES,
            csv,
            "k",
            head,
            400,
            "query",
        ),
        ("lines with a type", TABLE, lines, "k", &good, 400, "query"),
        (
            "no such record",
            "/v1/submissions?bureau=pboc&record=999",
            csv,
            "k-999",
            "a\n",
            422,
            "no_such_record",
        ),
        (
            "columns that nobody knows",
            TABLE,
            csv,
            "k-head",
            head,
            422,
            "invalid",
        ),
    ];
    for (what, path, kind, key, body, status, code) in cases {
        let headers = [("content-type", kind), ("idempotency-key", key)];
        let headers = &headers[..if key.is_empty() { 1 } else { 2 }];
        let body = body.to_owned().into();
        let reply = site.raw(Method::POST, path, headers, body).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.body["code"]),
            (status, &json!(code)),
            "{what}: {reply:?}"
        );
        assert!(!reply.body.to_string().contains("9999"), "{what}: no value");
        if code == "invalid" {
            let findings = reply.body["findings"].as_array().unwrap();
            assert!(!findings.is_empty(), "{what}: {reply:?}");
            assert!(findings.iter().all(|it| it["at"].is_string()), "{reply:?}");
        }
    }
    let packed = [
        ("content-type", lines),
        ("idempotency-key", "k"),
        ("content-encoding", "gzip"),
    ];
    let reply = site.raw(Method::POST, LINES, &packed, good.into()).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.body["code"]),
        (415, &json!("media_type"))
    );
    let page = site.submitter.get("/v1/submissions").await.unwrap();
    assert_eq!(page.body["submissions"], json!([]), "nothing was begun");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_findings_of_all_records_are_listed_by_page_with_place_and_code() {
    let site = Site::start().await;
    let mut lines: Vec<String> = Vec::new();
    for number in 1..=5 {
        let loan = site.loan(number);
        site.consent(&loan).await;
        let mut line = loan.record();
        line["data"]["AcctBsInfSgmt"]["Cy"] = "RMB".into();
        line["data"]["AcctBsInfSgmt"]["LoanAmt"] = "much".into();
        // A name that is none may be anything, also what nobody may read.
        line["data"]["AcctBsSgmt"][&loan.borrower.0] = "1".into();
        lines.push(format!("{line}\n"));
    }
    lines.push("{\"record\":\"210\",\"data\":\n".to_owned());
    lines.push("{\"record\":\"777\",\"data\":{}}\n".to_owned());
    lines.push("[1]\n".to_owned());
    lines.push(format!("{}\n", site.loan(6).record()));
    let reply = site.submitter.submit(lines.concat(), &key()).await.unwrap();
    assert_eq!(reply.status, 201, "{reply:?}");
    let count = json!([{"state": "held", "count": 1}, {"state": "set_aside", "count": 8}]);
    assert_eq!(reply.body["records"], count);
    let path = format!("/v1/submissions/{}/records", id(&reply));
    let (mut seen, mut cursor) = (Vec::new(), 0);
    loop {
        let page = format!("{path}?state=set_aside&limit=3&cursor={cursor}");
        let page = site.submitter.get(&page).await.unwrap();
        let records = page.body["records"].as_array().unwrap();
        assert!(records.len() <= 3);
        seen.extend(records.clone());
        match page.body["next"].as_i64() {
            Some(next) => cursor = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 8);
    for record in &seen[..5] {
        let found = |code: &str, path: &str| {
            let list = record["findings"].as_array().unwrap();
            list.iter()
                .any(|it| it["code"] == code && it["path"] == path)
        };
        assert!(found("ABE001", "AcctBsInfSgmt/Cy"), "{record}");
        assert!(found("ABE001", "AcctBsInfSgmt/LoanAmt"), "{record}");
        assert!(found("intake_name_unknown", "AcctBsSgmt"), "{record}");
        for finding in record["findings"].as_array().unwrap() {
            let said = finding.to_string();
            for value in ["much", "RMB", "999999"] {
                assert!(!said.contains(value), "{said}");
            }
        }
    }
    let code = |n: usize| findings(&seen[n])[0].to_owned();
    assert_eq!(
        [code(5), code(6), code(7)],
        [
            "intake_not_json",
            "intake_record_unknown",
            "intake_not_json"
        ]
    );
    // What is held tells what it waits for.
    let held = site.submitter.get(&format!("{path}?state=held")).await;
    let held = held.unwrap();
    assert_eq!(holds(&held.body["records"][0]), ["provide_missing"]);
    let unknown = site.submitter.get(&format!("{path}?state=none")).await;
    assert_eq!(unknown.unwrap().body["code"], "query");
    site.stop().await;
}
