//! The ways out of `unknown`: the bureau's own list, and two persons.

use creditgate::{demo::Plan, inquiries::State, operators::Role, platform::clock::Clock};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::{TestGateway, databases, id, reason};

/// A gateway at a standing clock.
async fn standing(database: Option<String>) -> (TestGateway, Clock) {
    let clock = Clock::standing(Clock::system().now());
    let plan = Plan {
        database,
        ..Plan::new(clock.clone())
    };
    (TestGateway::start_with(plan).await, clock)
}

/// An hour before the clock until now.
fn last_hour(clock: &Clock) -> (Timestamp, Timestamp) {
    (clock.now() - SignedDuration::from_hours(1), clock.now())
}

fn later(clock: &Clock, minutes: i64) {
    clock.set(clock.now() + SignedDuration::from_mins(minutes));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bureaus_list_settles_what_is_unknown() {
    for database in databases().await {
        let (test, clock) = standing(database).await;
        let (recorded, _) = test.subject(1).await;
        let (unlisted, _) = test.subject(2).await;
        let recorded_id = test.lost(&recorded, false).await;
        let unlisted_id = test.lost(&unlisted, true).await;
        later(&clock, 9);
        let period = last_hour(&clock);
        let list = test.house.bureau.inquiry_list(period.0, period.1);
        let early = test.reconcile(period, list).await;
        assert_eq!(early.body["recorded"], json!([recorded_id]), "{early:?}");
        assert_eq!(
            early.body["not_recorded"],
            json!([]),
            "within the margin of clocks"
        );
        assert_eq!(test.show(&unlisted_id).await["state"], "unknown");

        later(&clock, 2);
        let period = last_hour(&clock);
        let list = test.house.bureau.inquiry_list(period.0, period.1);
        let settled = test.reconcile(period, list).await;
        assert_eq!(
            settled.body["not_recorded"],
            json!([unlisted_id]),
            "{settled:?}"
        );
        for (id, outcome) in [(&recorded_id, "recorded"), (&unlisted_id, "not_recorded")] {
            let view = test.show(id).await;
            assert_eq!(
                (&view["state"], &view["outcome"]),
                (&json!("reconciled"), &json!(outcome))
            );
            assert!(
                test.entries(id)
                    .await
                    .contains(&"inquiry.reconciled".to_owned())
            );
        }
        assert_eq!((test.count(&recorded), test.count(&unlisted)), (1, 1));
        test.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_read_settles_nothing_as_not_recorded() {
    let (test, clock) = standing(None).await;
    let (subject, _) = test.subject(1).await;
    let lost = test.lost(&subject, true).await;
    later(&clock, 30);
    let period = last_hour(&clock);
    let header = "message_id,time,institution,user,subject_name,id_type,id_number,reason,result\n";
    for (name, list) in [
        ("empty", String::new()),
        (
            "an error page",
            "<html><body>503</body></html>\n".to_owned(),
        ),
        ("other columns", "message_id,institution\n".to_owned()),
        ("a cut line", format!("{header}20261124")),
        ("bytes", format!("{header}\u{0}\n")),
    ] {
        let reply = test.reconcile(period, list).await;
        assert_eq!(reply.body["recorded"], json!([]), "{name} {reply:?}");
        assert_eq!(reply.body["not_recorded"], json!([]), "{name} {reply:?}");
        assert_eq!(
            reply.body["disagreements"][0]["code"], "malformed",
            "{name} {reply:?}"
        );
        assert_eq!(test.show(&lost).await["state"], "unknown", "{name}");
    }
    // The header alone is a list of nothing.
    let reply = test.reconcile(period, header.to_owned()).await;
    assert_eq!(reply.body["not_recorded"], json!([lost]), "{reply:?}");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_is_not_over_covers_nothing_of_now() {
    let (test, clock) = standing(None).await;
    let (subject, _) = test.subject(1).await;
    let lost = test.lost(&subject, true).await;
    later(&clock, 1);
    let (from, now) = last_hour(&clock);
    let period = (from, now + SignedDuration::from_hours(12));
    let list = test.house.bureau.inquiry_list(period.0, period.1);
    let reply = test.reconcile(period, list).await;
    assert_eq!(reply.body["not_recorded"], json!([]), "{reply:?}");
    assert_eq!(test.show(&lost).await["state"], "unknown");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_names_another_subject_is_a_disagreement() {
    let (test, clock) = standing(None).await;
    let (subject, _) = test.subject(1).await;
    let lost = test.lost(&subject, false).await;
    later(&clock, 30);
    let period = last_hour(&clock);
    let list = test.house.bureau.inquiry_list(period.0, period.1);
    let changed = list.replace(subject.expose_number(), &mocks::synthetic_resident_id(2));
    let reply = test.reconcile(period, changed).await;
    assert_eq!(reply.body["recorded"], json!([]), "{reply:?}");
    assert_eq!(reply.body["not_recorded"], json!([]), "{reply:?}");
    let disagreement = json!([{"line": 1, "inquiry": lost, "code": "other_subject"}]);
    assert_eq!(reply.body["disagreements"], disagreement);
    assert_eq!(test.show(&lost).await["state"], "unknown");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_persons_may_ask_again_and_accept_a_second_mark() {
    for database in databases().await {
        let (test, _) = standing(database).await;
        let (subject, _) = test.subject(1).await;
        let lost = test.lost(&subject, false).await;
        let (_, same_person) = test.hire("demo-officer", Role::Checker).await;
        let checker = test.checker();
        let unproposed = test
            .act(&checker, &lost, "second-ask/agree", &json!({}))
            .await;
        assert_eq!(unproposed.status, 404, "{unproposed:?}");
        let proposed = test
            .act(&test.officer, &lost, "second-ask", &reason())
            .await;
        assert_eq!(proposed.status, 204, "{proposed:?}");
        let twice = test
            .act(&test.officer, &lost, "second-ask", &reason())
            .await;
        assert_eq!(twice.status, 409, "{twice:?}");
        let alone = test
            .act(&test.officer, &lost, "second-ask/agree", &json!({}))
            .await;
        assert_eq!(alone.status, 403, "{alone:?}");
        let same = test
            .act(&same_person, &lost, "second-ask/agree", &json!({}))
            .await;
        assert_eq!(
            (same.status.as_u16(), &same.body["code"]),
            (403, &json!("same_person"))
        );
        assert_eq!(test.count(&subject), 1);

        let (_, other) = test.hire("demo-checker-2", Role::Checker).await;
        let none = json!({});
        let (agreed, meanwhile) = tokio::join!(
            test.act(&checker, &lost, "second-ask/agree", &none),
            test.act(&other, &lost, "second-ask/agree", &none),
        );
        let successor = id(&agreed);
        assert_eq!(id(&meanwhile), successor, "{agreed:?} {meanwhile:?}");
        let view = test.reaches(&successor, State::Answered).await;
        assert_eq!(view["asks_again_for"], lost);
        let again = test
            .act(&checker, &lost, "second-ask/agree", &json!({}))
            .await;
        assert_eq!(id(&again), successor, "{again:?}");
        assert_eq!(test.count(&subject), 2);
        assert_eq!(test.show(&lost).await["state"], "unknown");
        let kinds = test.entries(&lost).await;
        for kind in ["inquiry.second_ask_proposed", "inquiry.second_ask_agreed"] {
            assert_eq!(
                kinds.iter().filter(|k| *k == kind).count(),
                1,
                "{kind} in {kinds:?}"
            );
        }
        test.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_is_decided_like_any_other_and_not_where_the_list_told() {
    let (test, clock) = standing(None).await;
    let (subject, paper) = test.subject(1).await;
    let (settled, _) = test.subject(2).await;
    let lost = test.lost(&subject, false).await;
    let told = test.lost(&settled, false).await;
    for id in [&lost, &told] {
        let proposed = test.act(&test.officer, id, "second-ask", &reason()).await;
        assert_eq!(proposed.status, 204, "{proposed:?}");
    }
    let period = (
        last_hour(&clock).0,
        clock.now() + SignedDuration::from_secs(1),
    );
    let list = test.house.bureau.inquiry_list(period.0, period.1);
    let only: String = list
        .lines()
        .filter(|line| !line.contains(subject.expose_number()))
        .map(|l| format!("{l}\n"))
        .collect();
    let reply = test.reconcile(period, only).await;
    assert_eq!(reply.body["recorded"], json!([told]), "{reply:?}");
    let late = test
        .act(&test.checker(), &told, "second-ask/agree", &json!({}))
        .await;
    assert_eq!(
        (late.status.as_u16(), &late.body["code"]),
        (409, &json!("wrong_state"))
    );

    test.withdraw_paper(&paper).await;
    let agreed = test
        .act(&test.checker(), &lost, "second-ask/agree", &json!({}))
        .await;
    test.reaches(&id(&agreed), State::Refused).await;
    assert_eq!((test.count(&subject), test.count(&settled)), (1, 1));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_officer_alone_makes_no_second_mark_for_the_same_business() {
    let (test, _) = standing(None).await;
    let (subject, _) = test.subject(1).await;
    let lost = test.lost(&subject, false).await;
    let mut body = crate::support::inquiry(&subject, "loan_approval");
    for on_fresh in ["offer", "pull"] {
        body["on_fresh"] = json!(on_fresh);
        let refused = test
            .officer
            .inquire(&body, &crate::support::key(), 30)
            .await
            .unwrap();
        assert_eq!(refused.status, 409, "{refused:?}");
        assert_eq!(refused.body["code"], "unknown_outcome");
        assert_eq!(
            refused.body["location"],
            json!(format!("/v1/inquiries/{lost}"))
        );
    }
    assert_eq!(test.count(&subject), 1);
    // Another business of the same subject is another matter.
    body["business_ref"] = json!("LOAN-2");
    let other = test
        .officer
        .inquire(&body, &crate::support::key(), 30)
        .await
        .unwrap();
    assert_eq!(other.body["state"], "answered", "{other:?}");
    test.stop().await;
}
