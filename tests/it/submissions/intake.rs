//! `/v1/submissions`: what is taken in, and what is wrong with it.

use creditgate::demo::{Reply, loans::Standing};
use reqwest::{Method, StatusCode};
use schemas::{
    edition::Edition,
    intake::{Intake, Names, to_json},
};
use serde_json::{Value, json};

use super::{
    forms::{findings, holds, table, text},
    site::Site,
};
use crate::support::{databases, id, key};

const LINES: &str = "/v1/submissions?bureau=pboc";
const TABLE: &str = "/v1/submissions?bureau=pboc&record=210";

async fn post(
    site: &Site,
    path: &str,
    kind: &str,
    key: &str,
    body: impl Into<reqwest::Body>,
) -> Reply {
    let headers = [("content-type", kind), ("idempotency-key", key)];
    site.raw(Method::POST, path, &headers, body.into()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_submission_and_other_content_under_it_is_refused() {
    let site = Site::start().await;
    let (loan, other) = (site.loan(1), site.loan(2));
    let key = key();
    let lines = text(&[loan.record(), other.record()]);
    let first = site.submitter.submit(lines.clone(), &key).await.unwrap();
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    let again = site.submitter.submit(lines.clone(), &key).await.unwrap();
    assert_eq!((id(&again), again.status), (id(&first), first.status));
    assert_eq!(again.body["taken"], 2);
    let others = [
        ("other records", text(&[other.record(), loan.record()])),
        ("fewer", text(&[loan.record()])),
        ("more", format!("{lines}{}", text(&[site.loan(3).record()]))),
        ("none", String::new()),
    ];
    for (what, body) in others {
        let reply = site.submitter.submit(body, &key).await.unwrap();
        assert_eq!(reply.status, 422, "{what}: {reply:?}");
        assert_eq!(reply.body["code"], "idempotency_key_reused", "{what}");
    }
    let csv = table(&[loan.record()]);
    let reply = post(&site, TABLE, "text/csv", &key, csv).await;
    assert_eq!(reply.body["code"], "idempotency_key_reused", "{reply:?}");
    let page = site.submitter.get("/v1/submissions").await.unwrap();
    assert_eq!(page.body["submissions"].as_array().unwrap().len(), 1);
    // It survives the process, and another's key is another's.
    let Site { test, .. } = site;
    let test = test.restart().await;
    let submitter = test.client(&test.staff.submitter.1);
    let again = submitter.submit(lines.clone(), &key).await.unwrap();
    assert_eq!(id(&again), id(&first));
    let (_, colleague) = test
        .hire("demo-submitter-2", creditgate::operators::Role::Submitter)
        .await;
    let other = colleague.submit(lines, &key).await.unwrap();
    assert_ne!(id(&other), id(&first));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_the_same_as_its_lines() {
    let site = Site::start().await;
    let loans = [
        site.loan(1),
        site.later(&site.loan(2), 3, Standing::Overdue),
    ];
    site.consent(&loans[0]).await;
    let csv = table(&[loans[0].record(), loans[1].record()]);
    let reply = post(&site, TABLE, "text/csv; charset=utf-8", &key(), csv).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let records = site.records(&id(&reply)).await;
    assert_eq!(findings(&records[0]), [""; 0], "{}", records[0]);
    let waits = ["notice_missing", "provide_missing"];
    assert_eq!(holds(&records[1]), waits, "{}", records[1]);
    site.until("the first is accepted", async || {
        let page = "?state=accepted";
        let path = format!("/v1/submissions/{}/records{page}", id(&reply));
        let accepted = site.submitter.get(&path).await.unwrap();
        accepted.body["records"].as_array().unwrap().len() == 1
    })
    .await;
    site.stop().await;
}

/// The same line, with the Chinese names of the dictionary.
fn in_chinese(line: &Value) -> Value {
    let day = jiff::civil::date(2026, 11, 1);
    let edition = Edition::embedded("pboc-submit-personal", day).unwrap();
    let taken = Intake::new(edition).json(line.to_string().as_bytes());
    let taken = taken.unwrap();
    let text = to_json(taken.plan, &taken.record, Names::Chinese);
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_may_be_those_of_the_dictionary_in_chinese() {
    let site = Site::start().await;
    let loan = site.loan(1);
    site.consent(&loan).await;
    let line = in_chinese(&loan.record());
    assert!(line["data"]["基础段"].is_object(), "{line}");
    let id = site.hand_in(&[line]).await;
    site.all(&id, "accepted").await;
    let at_bureau = site.desk().account("210", &loan.code());
    assert!(at_bureau.is_some());
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_cut_goes_on_where_it_was_cut() {
    for database in databases().await {
        let site = Site::on(database).await;
        let lines: Vec<Value> = (1..=300).map(|n| site.loan(n).record()).collect();
        let (all, key) = (text(&lines), key());
        let cut = all.len() * 95 / 100;
        // It promises all of it, and goes away before the end.
        let head = format!(
            "POST {LINES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/x-ndjson\r\nIdempotency-Key: {key}\r\n\
             Content-Length: {}\r\n\r\n{}",
            site.token(),
            all.len(),
            &all[..cut]
        );
        let connection = site.say(head.as_bytes()).await;
        site.until("what came is durable", async || {
            let page = site.submitter.get("/v1/submissions").await.unwrap();
            page.body["submissions"][0]["taken"] == 250
        })
        .await;
        let page = site.submitter.get("/v1/submissions").await.unwrap();
        let begun = &page.body["submissions"][0];
        assert_eq!(begun["state"], "receiving", "{page:?}");
        let other = site.submitter.submit(all.clone(), &key).await.unwrap();
        assert_eq!(
            (other.status, &other.body["code"]),
            (StatusCode::CONFLICT, &json!("busy"))
        );
        drop(connection);
        let mut whole = other;
        while whole.body["code"] == "busy" {
            whole = site.submitter.submit(all.clone(), &key).await.unwrap();
        }
        assert_eq!(whole.status, 201, "{whole:?}");
        assert_eq!(
            (&whole.body["id"], &whole.body["taken"]),
            (&begun["id"], &json!(300))
        );
        let records = site.records(&id(&whole)).await;
        let seqs: Vec<i64> = records
            .iter()
            .map(|it| it["seq"].as_i64().unwrap())
            .collect();
        assert_eq!(seqs, (1..=300).collect::<Vec<_>>());
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_still_sending_gets_its_answer_all_the_same() {
    let site = Site::start().await;
    let key = key();
    let first = text(&[site.loan(1).record()]);
    site.submitter.submit(first, &key).await.unwrap();
    // More than any buffer on the way holds.
    let large = text(&[site.loan(2).record()]).repeat(8_000);
    let (officer, checker) = (&site.test.officer, site.test.checker());
    for (who, status, code) in [
        (officer, 403, "forbidden"),
        (&checker, 403, "forbidden"),
        (&site.submitter, 422, "idempotency_key_reused"),
    ] {
        let reply = who.submit(large.clone(), &key).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), &reply.body["code"]),
            (status, &json!(code))
        );
    }
    let table = post(&site, TABLE, "text/csv", "head", large.clone()).await;
    assert_eq!(table.body["code"], "invalid", "{table:?}");
    let other = post(&site, "/v1/submissions?bureau=none", "text/csv", "k", large).await;
    assert_eq!(other.body["code"], "query", "{other:?}");
    site.stop().await;
}
