//! A second person: who may check, what that does, what happens without one.

use creditgate::{
    demo::Plan,
    inquiries::State,
    operators::{self, Role},
    platform::clock::Clock,
};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::{TestGateway, databases, local, names, state};

const HELD: &str = "guarantor_check";

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_cannot_check_under_any_account_and_another_can() {
    for database in databases().await {
        let plan = Plan {
            database,
            ..Plan::new(Clock::system())
        };
        let test = TestGateway::start_with(plan).await;
        let (subject, _) = test.subject(1).await;
        let id = test.begin_for(&subject, HELD).await;
        test.reaches(&id, State::OnHold).await;
        // The officer may check others' inquiries, but not this one.
        let (db, now) = (test.gateway.db(), test.gateway.clock().now());
        let by = local(Role::Administrator);
        operators::grant(db, &by, &test.staff.officer.0, Role::Checker, now)
            .await
            .unwrap();
        let (_, other_account) = test.hire("demo-officer", Role::Checker).await;
        for (who, client) in [
            ("same account", &test.officer),
            ("same person", &other_account),
        ] {
            for (action, body) in [
                ("release", json!({})),
                ("decline", json!({"reason": "other"})),
            ] {
                let reply = test.act(client, &id, action, &body).await;
                assert_eq!(reply.status, 403, "{who} {action} {reply:?}");
                assert_eq!(reply.body["code"], "same_person", "{who} {action}");
            }
        }
        assert_eq!(test.show(&id).await["state"], "on_hold");
        assert_eq!(test.count(&subject), 0);
        let released = test.act(&test.checker(), &id, "release", &json!({})).await;
        assert!(released.status.is_success(), "{released:?}");
        let view = test.reaches(&id, State::Answered).await;
        assert_eq!(
            view["checker"],
            format!("operator/{}", test.staff.checker.0)
        );
        assert_eq!(test.count(&subject), 1);
        let twice = test.act(&test.checker(), &id, "release", &json!({})).await;
        assert_eq!(twice.body["code"], "wrong_state", "{twice:?}");
        assert_eq!(test.count(&subject), 1);
        test.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_checkers_at_once_release_it_once() {
    let test = TestGateway::start().await;
    let (_, second) = test.hire("demo-checker-2", Role::Checker).await;
    for seq in 1..=5 {
        let (subject, _) = test.subject(seq).await;
        let id = test.begin_for(&subject, HELD).await;
        let (first, none) = (test.checker(), json!({}));
        let (one, two) = tokio::join!(
            test.act(&first, &id, "release", &none),
            test.act(&second, &id, "release", &none),
        );
        let released = [&one, &two]
            .iter()
            .filter(|reply| reply.status.is_success())
            .count();
        assert_eq!(released, 1, "{one:?} {two:?}");
        test.reaches(&id, State::Answered).await;
        assert_eq!(test.count(&subject), 1);
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_withdrawn_while_on_hold_refuses_after_the_release() {
    for database in databases().await {
        let plan = Plan {
            database,
            ..Plan::new(Clock::system())
        };
        let test = TestGateway::start_with(plan).await;
        let (subject, paper) = test.subject(1).await;
        let id = test.begin_for(&subject, HELD).await;
        test.reaches(&id, State::OnHold).await;
        test.withdraw_paper(&paper).await;
        let released = test.act(&test.checker(), &id, "release", &json!({})).await;
        assert!(released.status.is_success(), "{released:?}");
        let view = test.reaches(&id, State::Refused).await;
        assert!(names(&view, "QR-03"), "{view}");
        assert_eq!(test.count(&subject), 0);
        test.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declined_withdrawn_or_not_checked_in_time_never_leaves() {
    let clock = Clock::standing(Clock::system().now());
    let test = TestGateway::start_with(Plan::new(clock.clone())).await;
    let (subject, _) = test.subject(1).await;
    let declined = test.begin_for(&subject, HELD).await;
    let reply = test
        .act(
            &test.checker(),
            &declined,
            "decline",
            &json!({"reason": "evidence"}),
        )
        .await;
    assert_eq!(state(&reply), "refused", "{reply:?}");
    assert!(names(&reply.body, "declined_evidence"), "{reply:?}");

    let withdrawn = test.begin_for(&subject, HELD).await;
    let reply = test
        .act(&test.officer, &withdrawn, "withdraw", &json!({}))
        .await;
    assert_eq!(state(&reply), "withdrawn", "{reply:?}");

    let forgotten = test.begin_for(&subject, HELD).await;
    clock.set(clock.now() + SignedDuration::from_hours(23));
    test.gateway.inquiries().sweep().await.unwrap();
    assert_eq!(test.show(&forgotten).await["state"], "on_hold");
    clock.set(clock.now() + SignedDuration::from_hours(1));
    test.gateway.inquiries().sweep().await.unwrap();
    let view = test.show(&forgotten).await;
    assert_eq!(view["state"], "refused");
    assert!(names(&view, "not_checked"), "{view}");

    for id in [declined, withdrawn, forgotten] {
        let late = test.act(&test.checker(), &id, "release", &json!({})).await;
        assert_eq!(
            (late.status.as_u16(), &late.body["code"]),
            (409, &"wrong_state".into())
        );
    }
    assert_eq!(test.count(&subject), 0);
    test.stop().await;
}
