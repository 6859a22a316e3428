//! The line under an inquiry: quota, breaker, certificate.

use creditgate::{
    demo::Plan,
    platform::{
        certs::{CertificateAuthority, Existing, Validity},
        clock::Clock,
    },
};
use jiff::SignedDuration;
use mocks::{Fault, FaultRule};
use serde_json::Value;

use crate::support::{TestGateway, databases, state, until};

async fn bureau(test: &TestGateway) -> Value {
    let reply = test.officer.get("/v1/bureaus").await.unwrap();
    reply.body["bureaus"][0].clone()
}

fn operator_limit(bureau: &Value) -> Value {
    let limits = bureau["limits"].as_array().unwrap();
    limits
        .iter()
        .find(|limit| limit["scope"] == "operator")
        .unwrap()
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_survives_a_restart() {
    for database in databases().await {
        let plan = Plan {
            database,
            ..Plan::new(Clock::system())
        }
        .edit("burst = 20, per_day = 500", "burst = 20, per_day = 2");
        let test = TestGateway::start_with(plan).await;
        let (first, _) = test.subject(1).await;
        let (second, _) = test.subject(2).await;
        let (third, _) = test.subject(3).await;
        assert_eq!(state(&test.ask(&first).await), "answered");
        let test = test.restart().await;
        assert_eq!(operator_limit(&bureau(&test).await)["used_today"], 1);
        assert_eq!(state(&test.ask(&second).await), "answered");
        let over = test.ask(&third).await;
        assert_eq!(
            (state(&over), &over.body["cause"]),
            ("unsent", &"quota_used_up".into()),
            "{over:?}"
        );
        assert_eq!(operator_limit(&bureau(&test).await)["left_today"], 0);
        assert_eq!(test.count(&third), 0);
        test.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_breaker_opens_on_a_failing_line_and_closes_when_it_answers() {
    let plan = Plan::new(Clock::system())
        .edit("failures_in_a_row = 5", "failures_in_a_row = 3")
        .edit("open_seconds = 5", "open_seconds = 1")
        .edit("attempts = 2", "attempts = 0");
    let test = TestGateway::start_with(plan).await;
    assert_eq!(bureau(&test).await["breaker"], "closed");
    test.fault(FaultRule::always(Fault::AcceptThenCut)).await;
    for seq in 1..=3 {
        let (subject, _) = test.subject(seq).await;
        assert_eq!(state(&test.ask(&subject).await), "unknown");
    }
    assert_eq!(bureau(&test).await["breaker"], "open");
    until("it may be probed", async || {
        bureau(&test).await["breaker"] == "half_open"
    })
    .await;
    test.house.bureau.clear_faults().await;
    let (subject, _) = test.subject(4).await;
    assert_eq!(state(&test.ask(&subject).await), "answered");
    assert_eq!(bureau(&test).await["breaker"], "closed");
    assert_eq!(test.house.bureau.count(), 4);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_replaced_on_disk_serves_the_next_call() {
    let plan = Plan::new(Clock::system()).edit("attempts = 2", "attempts = 0");
    let test = TestGateway::start_with(plan).await;
    let now = Clock::system().now();
    let validity = Validity {
        from: now - SignedDuration::from_hours(1),
        until: now + SignedDuration::from_hours(24 * 90),
    };
    let stranger = CertificateAuthority::generate("stranger", validity).unwrap();
    let certs = test.house.folder.join("certs");
    let replace = |authority: &CertificateAuthority| {
        let identity = authority.client("demo line", validity).unwrap();
        let (chain, key) = (certs.join("line.pem"), certs.join("line-key.pem"));
        identity.write(&chain, &key, Existing::Replace).unwrap();
    };
    let expires = async || bureau(&test).await["transport"]["certificate_expires_at"].clone();
    let (first, _) = test.subject(1).await;
    assert_eq!(state(&test.ask(&first).await), "answered");
    let before = expires().await;

    // The line of before is still open; the next call takes the new one all the same.
    replace(&stranger);
    let (second, _) = test.subject(2).await;
    let refused = test.ask(&second).await;
    assert_eq!(state(&refused), "unsent", "{refused:?}");
    assert_eq!(test.count(&second), 0);

    replace(&test.house.authority);
    let (third, _) = test.subject(3).await;
    assert_eq!(state(&test.ask(&third).await), "answered");
    assert_ne!(expires().await, before);
    test.stop().await;
}
