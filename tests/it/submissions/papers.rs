//! `/v1/notices` and `/v1/disputes`: their forms, and what is wrong with them.

use creditgate::{
    demo::{Client, loans::Standing},
    operators::Role,
};
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::{
    forms::{account, subject},
    site::Site,
};

/// The body with another value at a pointer; null takes it away.
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(last)),
        value => drop(parent.insert(last.to_owned(), value)),
    }
    body
}

/// Posts a body that has one defect, and wants it told with its place.
async fn refused(who: &Client, path: &str, body: &Value, at: &str, secrets: &[&str]) {
    let reply = who.post(path, body).await.unwrap();
    let code = (reply.status.as_u16(), reply.body["code"].as_str().unwrap());
    assert_eq!(code, (422, "invalid"), "{at}: {reply:?}");
    let list = reply.body["findings"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let told = list
        .iter()
        .any(|it| it["at"].as_str().unwrap().starts_with(at));
    assert!(told, "{at}: {reply:?}");
    for secret in secrets {
        assert!(!reply.body.to_string().contains(secret), "{at}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_recorded_once_shown_without_anything_personal_and_told_of_its_defects() {
    let site = Site::start().await;
    let loan = site.later(&site.loan(1), 1, Standing::Overdue);
    let good = site.notice_body(&loan, 100);
    let tomorrow = (site.now() + 24.hours()).to_string();
    let number = loan.borrower.0.as_str();
    let cases = [
        ("/due_period", json!("2026-13"), "/due_period"),
        ("/due_period", json!("October"), "/due_period"),
        ("/channel", json!("pigeon"), "/channel"),
        ("/delivered_at", json!("yesterday"), "/delivered_at"),
        ("/delivered_at", json!(tomorrow), "/delivered_at"),
        ("/proof", json!("%%%"), "/proof"),
        ("/proof", json!(""), "/proof"),
        ("/account/key", json!([]), "/account/key"),
        ("/account/key", json!([" "]), "/account/key"),
        ("/account/record", json!("two one zero"), "/account/record"),
        (
            "/subject/id_number",
            json!("999999199001010017"),
            "/subject",
        ),
        ("/subject/name", json!(""), "/subject"),
    ];
    for (pointer, value, at) in cases {
        let body = with(&good, pointer, value);
        refused(
            &site.submitter,
            "/v1/notices",
            &body,
            at,
            &[number, "测试甲"],
        )
        .await;
    }
    // All defects at once.
    let body = with(&with(&good, "/channel", json!("x")), "/proof", json!("%"));
    let reply = site.submitter.post("/v1/notices", &body).await.unwrap();
    assert_eq!(reply.body["findings"].as_array().unwrap().len(), 2);
    for (body, what) in [
        (with(&good, "/channel", Value::Null), "a field is missing"),
        (with(&good, "/urgent", json!(true)), "a field too many"),
    ] {
        let reply = site.submitter.post("/v1/notices", &body).await.unwrap();
        assert!(reply.status.is_client_error(), "{what}: {reply:?}");
        assert!(reply.body["code"].is_string(), "{what}: {reply:?}");
        assert!(!reply.body.to_string().contains(number), "{what}");
    }

    let first = site.notice(&loan, 100).await;
    let again = site.submitter.post("/v1/notices", &good).await.unwrap();
    // The clock went on a little: it was delivered at another moment.
    assert_eq!(again.status, 201, "{again:?}");
    let again = site.submitter.post("/v1/notices", &good).await.unwrap();
    assert_eq!(
        (again.status.as_u16(), &again.body["recorded"]),
        (200, &json!(false))
    );
    let path = format!("/v1/notices/{}", first.body["id"].as_str().unwrap());
    let shown = site.submitter.get(&path).await.unwrap();
    assert_eq!(shown.body["channel"], "sms");
    assert_eq!(shown.body["has_proof"], true);
    assert_eq!(shown.body["run"], Value::Null);
    for secret in [number, "测试甲", &loan.code()] {
        assert!(!shown.body.to_string().contains(secret), "{shown:?}");
    }

    // The account is another's: nobody is told whose.
    let other = site.loan(2);
    let stolen = with(&good, "/subject", subject(&other));
    let reply = site.submitter.post("/v1/notices", &stolen).await.unwrap();
    assert_eq!(
        (reply.status.as_u16(), &reply.body["code"]),
        (404, &json!("not_found"))
    );
    // It is the document that says who somebody is.
    let renamed = with(&good, "/subject/name", json!("测试丙"));
    let reply = site.submitter.post("/v1/notices", &renamed).await.unwrap();
    assert_eq!(
        (reply.status.as_u16(), &reply.body["recorded"]),
        (200, &json!(false))
    );
    for role in [
        Role::Officer,
        Role::Checker,
        Role::Administrator,
        Role::Regulator,
    ] {
        let (_, who) = site
            .test
            .hire(&format!("notices-{}", role.name()), role)
            .await;
        let reply = who.post("/v1/notices", &good).await.unwrap();
        assert_eq!(reply.body["code"], "forbidden", "{role:?}");
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_opened_once_listed_and_closed_by_compliance_only() {
    let site = Site::start().await;
    let (loan, other) = (site.loan(1), site.loan(2));
    site.open(&[&loan]).await;
    let compliance = site.test.compliance();
    let number = loan.borrower.0.as_str();
    let document = json!({"kind": "person", "id_type": "10", "id_number": number});
    let good = json!({"number": "D-2026-1", "subject": document, "account": account(&loan)});
    let cases = [
        ("/number", json!(""), "/number"),
        ("/number", json!("D 1"), "/number"),
        // A number that could be a person's must not stand in records and entries.
        ("/number", json!(number), "/number"),
        ("/account/key", json!([]), "/account/key"),
        (
            "/subject/id_number",
            json!("999999199001010017"),
            "/subject",
        ),
    ];
    for (pointer, value, at) in cases {
        let body = with(&good, pointer, value);
        refused(&compliance, "/v1/disputes", &body, at, &[number]).await;
    }
    let opened = compliance.post("/v1/disputes", &good).await.unwrap();
    assert_eq!(
        (opened.status.as_u16(), &opened.body["opened"]),
        (201, &json!(true))
    );
    let again = compliance.post("/v1/disputes", &good).await.unwrap();
    assert_eq!(
        (again.status.as_u16(), &again.body["id"]),
        (200, &opened.body["id"])
    );
    // The number stands for another account, or the account is another's.
    let mut unknown = good.clone();
    unknown["number"] = "D-2026-2".into();
    unknown["account"] = account(&other);
    let reply = compliance.post("/v1/disputes", &unknown).await.unwrap();
    assert_eq!(reply.body["code"], "not_found", "{reply:?}");
    site.open(&[&other]).await;
    let theirs = with(&good, "/account", account(&other));
    let reply = compliance.post("/v1/disputes", &theirs).await.unwrap();
    assert!(
        ["conflict", "not_found"].contains(&reply.body["code"].as_str().unwrap()),
        "{reply:?}"
    );
    let list = compliance.get("/v1/disputes").await.unwrap();
    let disputes = list.body["disputes"].as_array().unwrap();
    assert_eq!(disputes.len(), 1, "{list:?}");
    assert_eq!(disputes[0]["number"], "D-2026-1");
    for secret in [number, &loan.code()] {
        assert!(!list.body.to_string().contains(secret), "{list:?}");
    }
    let close = format!("/v1/disputes/{}/close", opened.body["id"].as_str().unwrap());
    for (path, body) in [("/v1/disputes", &good), (&*close, &json!({}))] {
        let reply = site.submitter.post(path, body).await.unwrap();
        assert_eq!(reply.body["code"], "forbidden", "{path}: {reply:?}");
    }
    let stranger = site.stranger(Role::Compliance).await;
    let reply = stranger.post(&close, &json!({})).await.unwrap();
    assert_eq!(reply.body["code"], "not_found", "{reply:?}");
    let list = stranger.get("/v1/disputes").await.unwrap();
    assert_eq!(list.body["disputes"], json!([]));
    let closed = compliance.post(&close, &json!({})).await.unwrap();
    assert_eq!(closed.body["closed"], true, "{closed:?}");
    let closed = compliance.post(&close, &json!({})).await.unwrap();
    assert_eq!(closed.body["closed"], false, "{closed:?}");
    let list = compliance.get("/v1/disputes").await.unwrap();
    assert_eq!(list.body["disputes"], json!([]));
    site.stop().await;
}
