//! At most once, whatever the client does.

use std::time::Duration;

use creditgate::{
    demo::Plan,
    inquiries::State,
    platform::{clock::Clock, db::Db},
};
use mocks::{Fault, FaultRule};
use tokio::task::JoinSet;

use crate::support::{TestGateway, databases, id, inquiry, key, state, until};

fn on(database: Option<String>) -> Plan {
    Plan {
        database,
        ..Plan::new(Clock::system())
    }
}

async fn only_inquiry(db: &Db) -> Option<String> {
    let rows: Vec<(String,)> = db
        .all("SELECT id FROM inquiries", creditgate::args![])
        .await
        .unwrap();
    assert!(rows.len() < 2);
    rows.into_iter().next().map(|(id,)| id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_cuts_nothing() {
    for database in databases().await {
        let test = TestGateway::start_with(on(database)).await;
        let (subject, _) = test.subject(1).await;
        test.fault(FaultRule::always(Fault::Slow {
            before_ms: 300,
            each_kib_ms: 0,
        }))
        .await;
        // Its connection stands before it asks.
        test.officer.get("/v1/bureaus").await.unwrap();
        let body = inquiry(&subject, "loan_approval");
        let (key, gone) = (key(), Duration::from_millis(10));
        let asking = test.officer.inquire(&body, &key, 30);
        assert!(
            tokio::time::timeout(gone, asking).await.is_err(),
            "it was to be cut"
        );
        let db = test.gateway.db();
        until("the inquiry is stored", async || {
            only_inquiry(db).await.is_some()
        })
        .await;
        let first = only_inquiry(db).await.unwrap();
        let view = test.reaches(&first, State::Answered).await;
        assert_eq!(view["outcome"], "hit");
        assert_eq!(test.count(&subject), 1);
        // The client comes back with its key.
        let again = test.officer.inquire(&body, &key, 30).await.unwrap();
        assert_eq!((state(&again), id(&again)), ("answered", first));
        assert_eq!(test.count(&subject), 1);
        test.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_posts_with_one_key_are_one_inquiry_and_other_content_is_refused() {
    for database in databases().await {
        let test = TestGateway::start_with(on(database)).await;
        let (subject, _) = test.subject(1).await;
        let (other, _) = test.subject(2).await;
        let key = key();
        let body = inquiry(&subject, "loan_approval");
        let mut posts = JoinSet::new();
        for _ in 0..20 {
            let (officer, body, key) = (test.officer.clone(), body.clone(), key.clone());
            posts.spawn(async move { officer.inquire(&body, &key, 30).await.unwrap() });
        }
        let replies = posts.join_all().await;
        let first = id(&replies[0]);
        for reply in &replies {
            assert_eq!(
                (id(reply), state(reply)),
                (first.clone(), "answered"),
                "{reply:?}"
            );
        }
        assert_eq!(test.count(&subject), 1);
        let mut another_reference = body.clone();
        another_reference["business_ref"] = "LOAN-2".into();
        let mut pull = body.clone();
        pull["on_fresh"] = "pull".into();
        let others = [
            inquiry(&other, "loan_approval"),
            inquiry(&subject, "guarantor_check"),
            another_reference,
            pull,
        ];
        for changed in &others {
            let reply = test.officer.inquire(changed, &key, 30).await.unwrap();
            assert_eq!(reply.status, 422, "{changed} {reply:?}");
            assert_eq!(reply.body["code"], "idempotency_key_reused");
        }
        // The key survives the process.
        let test = test.restart().await;
        let again = test.officer.inquire(&body, &key, 30).await.unwrap();
        assert_eq!((id(&again), state(&again)), (first, "answered"));
        let reply = test.officer.inquire(&others[0], &key, 30).await.unwrap();
        assert_eq!(reply.body["code"], "idempotency_key_reused", "{reply:?}");
        assert_eq!(test.house.bureau.count(), 1);
        test.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_flight_with_other_content_is_refused() {
    let test = TestGateway::start().await;
    let (subject, _) = test.subject(1).await;
    let (other, _) = test.subject(2).await;
    test.fault(FaultRule::always(Fault::Slow {
        before_ms: 500,
        each_kib_ms: 0,
    }))
    .await;
    let key = key();
    let begun = test
        .officer
        .inquire(&inquiry(&subject, "loan_approval"), &key, 0)
        .await
        .unwrap();
    let reply = test
        .officer
        .inquire(&inquiry(&other, "loan_approval"), &key, 0)
        .await
        .unwrap();
    assert_eq!(reply.body["code"], "idempotency_key_reused", "{reply:?}");
    test.reaches(&id(&begun), State::Answered).await;
    assert_eq!((test.count(&subject), test.count(&other)), (1, 0));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_down_waits_for_an_exchange_and_keeps_its_answer() {
    let test = TestGateway::start().await;
    let (subject, _) = test.subject(1).await;
    test.fault(FaultRule::always(Fault::Slow {
        before_ms: 1500,
        each_kib_ms: 0,
    }))
    .await;
    let id = test.begin(&subject).await;
    test.reaches(&id, State::Dispatched).await;
    let test = test.restart().await;
    let view = test.show(&id).await;
    assert_eq!(
        (&view["state"], &view["outcome"]),
        (&"answered".into(), &"hit".into()),
        "{view}"
    );
    assert_eq!(test.count(&subject), 1);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_report_is_offered_before_a_new_one_is_pulled() {
    let test = TestGateway::start().await;
    let (subject, _) = test.subject(1).await;
    let first = id(&test.ask(&subject).await);
    let offered = test.ask(&subject).await;
    assert_eq!(
        (offered.status.as_u16(), &offered.body["code"]),
        (409, &"fresh_report".into())
    );
    assert_eq!(offered.body["location"], format!("/v1/inquiries/{first}"));
    assert_eq!(test.count(&subject), 1);
    let mut pull = inquiry(&subject, "loan_approval");
    pull["on_fresh"] = "pull".into();
    let pulled = test.officer.inquire(&pull, &key(), 30).await.unwrap();
    assert_eq!(state(&pulled), "answered", "{pulled:?}");
    assert_ne!(id(&pulled), first);
    assert_eq!(test.count(&subject), 2);
    test.stop().await;
}
