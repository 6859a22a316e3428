//! Changes of the password that inquiries are made with.

use std::{fs, os::unix::fs::PermissionsExt as _};

use creditgate::{
    demo::{BUREAU, Plan},
    platform::clock::Clock,
};
use mocks::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::support::{TestGateway, state};

const NEXT: &str = "Next-Pass<9&";

/// A house whose institution has a next password, and whose passwords last.
fn plan() -> Plan {
    Plan::new(Clock::system()).edit(
        "password = { file = \"keys/demo-bank.password\" }",
        "password = { file = \"keys/demo-bank.password\" }\n\
         next_password = \"keys/demo-bank.next\"\n\
         password_days = 90\n\
         password_set_on = \"2026-01-05\"",
    )
}

/// Puts the next password where the configuration says.
fn prepare(test: &TestGateway, text: &str) {
    let path = test.house.folder.join("keys/demo-bank.next");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn kept(test: &TestGateway) -> String {
    fs::read_to_string(test.house.folder.join("keys/demo-bank.password")).unwrap()
}

async fn change(test: &TestGateway) -> (u16, Value) {
    let administrator = test.client(&test.staff.administrator.1);
    let path = format!("/v1/bureaus/{BUREAU}/password");
    let reply = administrator.post(&path, &json!({})).await.unwrap();
    (reply.status.as_u16(), reply.body)
}

async fn status(test: &TestGateway) -> Value {
    let reply = test.officer.get("/v1/bureaus").await.unwrap();
    reply.body["bureaus"][0]["password"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_serves_at_once_and_after_a_restart() {
    let test = TestGateway::start_with(plan()).await;
    let before = status(&test).await;
    assert_eq!(before["set_on"], "2026-01-05", "{before}");
    assert!(
        before["days_left"].is_i64() && before["fate"].is_null(),
        "{before}"
    );
    prepare(&test, NEXT);
    let (code, changed) = change(&test).await;
    assert_eq!(
        (code, &changed["fate"]),
        (200, &json!("changed")),
        "{changed}"
    );
    assert_eq!(
        (&changed["code"], &changed["in_place"]),
        (&json!("AAA003"), &json!(true))
    );
    assert_eq!(kept(&test), NEXT);
    assert!(!test.house.folder.join("keys/demo-bank.next").exists());
    let after = status(&test).await;
    assert_eq!(
        (&after["fate"], &after["days_left"]),
        (&json!("changed"), &json!(90)),
        "{after}"
    );

    // The mock admits the new password only.
    let (subject, _) = test.subject(1).await;
    assert_eq!(state(&test.ask(&subject).await), "answered");
    let test = test.restart().await;
    let (subject, _) = test.subject(2).await;
    assert_eq!(state(&test.ask(&subject).await), "answered");
    let entries: Vec<(Vec<u8>,)> = test
        .gateway
        .db()
        .all("SELECT body FROM audit_entries", creditgate::args![])
        .await
        .unwrap();
    let text: String = entries
        .iter()
        .map(|(body,)| std::str::from_utf8(body).unwrap())
        .collect();
    assert!(text.contains("bureau.password_change_sent"));
    assert!(text.contains("bureau.password_change_ended"));
    assert!(!text.contains(NEXT) && !text.contains("Next-Pass"));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bureau_refuses_or_cannot_get_leaves_the_old_password() {
    let test = TestGateway::start_with(plan()).await;
    let old = kept(&test);
    for (next, status, key, expected) in [
        ("short", 200, "fate", "unchanged"),
        ("longer-than-sixteen-letters", 422, "code", "password_unfit"),
        ("口令", 422, "code", "password_unfit"),
        (old.as_str(), 422, "code", "password_unfit"),
    ] {
        prepare(&test, next);
        let (code, body) = change(&test).await;
        assert_eq!((code, &body[key]), (status, &json!(expected)), "{body}");
        assert!(!body.to_string().contains(next), "{body}");
        assert_eq!(kept(&test), old);
    }
    prepare(&test, NEXT);
    test.fault(FaultRule::always(Fault::RefuseConnection)).await;
    let (_, body) = change(&test).await;
    assert_eq!(
        (&body["fate"], &body["code"]),
        (&json!("unchanged"), &json!("connect"))
    );
    test.house.bureau.clear_faults().await;
    let (subject, _) = test.subject(1).await;
    assert_eq!(state(&test.ask(&subject).await), "answered");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_leaves_it_unknown_and_says_what_to_do() {
    let test = TestGateway::start_with(plan()).await;
    let old = kept(&test);
    prepare(&test, NEXT);
    test.fault(FaultRule::once(Fault::AcceptThenCut)).await;
    let (_, body) = change(&test).await;
    assert_eq!(
        (&body["fate"], &body["code"]),
        (&json!("unknown"), &json!("cut")),
        "{body}"
    );
    assert!(
        body["to_do"][0].as_str().unwrap().contains("核实"),
        "{body}"
    );
    // Sent once; nothing was taken up, and it shows until the next change.
    assert_eq!(test.house.bureau.count(), 1);
    assert_eq!(kept(&test), old);
    assert_eq!(status(&test).await["fate"], "unknown");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_changes_a_password_that_is_configured() {
    let test = TestGateway::start_with(plan()).await;
    let path = format!("/v1/bureaus/{BUREAU}/password");
    let reply = test.officer.post(&path, &json!({})).await.unwrap();
    assert_eq!(reply.status, 403, "{reply:?}");
    let (code, body) = change(&test).await;
    assert_eq!(
        (code, &body["code"]),
        (422, &json!("next_password_unreadable")),
        "{body}"
    );
    assert_eq!(test.house.bureau.count(), 0);
    test.stop().await;
    let test = TestGateway::start().await;
    let (code, body) = change(&test).await;
    assert_eq!(
        (code, &body["code"]),
        (422, &json!("next_password_not_configured")),
        "{body}"
    );
    test.stop().await;
}
