//! The dispatch transaction, and what becomes of an exchange.

use std::time::Duration;

use contract::{Failure, Outcome};
use mocks::{Fault, FaultRule};

use super::*;
use crate::{args, platform::db::Sealer};

/// Rows that a dispatch leaves behind.
async fn traces(db: &Db) -> i64 {
    let row: Option<(i64,)> = db
        .first("SELECT COUNT(*) FROM quota_counts", args![])
        .await
        .unwrap();
    row.unwrap().0
}

#[tokio::test]
async fn an_authorized_inquiry_goes_out_once_and_comes_back_decoded() {
    for test in test_databases().await {
        let house = House::new(|_| {}).await;
        let line = house.line(&test.db).await;
        let exchanged = inquire(&line).await;
        assert!(
            matches!(&exchanged.outcome, Outcome::Answered(answer) if !answer.partial),
            "{} {:?}",
            test.name,
            exchanged.outcome
        );
        assert_eq!(exchanged.again_after, None);
        assert_eq!(house.bureau.count(), 1, "{}", test.name);
        let received = house.bureau.received();
        let asked = received[0].inquiry.as_ref().unwrap();
        assert_eq!(asked.institution, "Z99990000H0001");
        assert_eq!(line.gate.in_flight(), 0, "the place is given back");
    }
}

#[tokio::test]
async fn every_fault_of_the_bureau_becomes_what_the_table_says() {
    let not_sent = |cause| Failure::NotSent { cause };
    let unknown = |cause| Failure::Unknown { cause };
    let test = any_database().await;
    for (fault, expected, arrived) in [
        (Fault::RefuseConnection, not_sent("connect"), 0),
        (Fault::ResetConnection, not_sent("connect"), 0),
        (Fault::WrongName, not_sent("handshake"), 0),
        (Fault::RefuseCertificate, not_sent("certificate_refused"), 0),
        (Fault::AcceptThenCut, unknown("cut"), 1),
        (Fault::CutReply { after_bytes: 10 }, unknown("truncated"), 1),
        (Fault::Truncated, unknown("truncated"), 1),
        (Fault::Status { code: 503 }, unknown("status_5xx"), 1),
        (Fault::Redirect, unknown("status_3xx"), 1),
    ] {
        let house = House::new(|_| {}).await;
        house
            .bureau
            .set_fault(FaultRule::always(fault))
            .await
            .unwrap();
        let exchanged = inquire(&house.line(&test.db).await).await;
        let Outcome::Failed(failure) = exchanged.outcome else {
            panic!("{fault:?} became {:?}", exchanged.outcome);
        };
        assert_eq!(failure, expected, "{fault:?}");
        assert_eq!(house.bureau.count(), arrived, "{fault:?}");
        let may_repeat = matches!(failure, Failure::NotSent { .. });
        assert_eq!(exchanged.again_after.is_some(), may_repeat, "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_refused_in_the_transaction_leaves_no_trace_and_nothing_leaves() {
    for test in test_databases().await {
        let house = House::new(|config| config.limits.operator.per_day = Some(5)).await;
        let line = house.line(&test.db).await;
        let permit = async || line.permit(&ask(&line)).await.unwrap();
        let decided = commit(permit().await, |_| Err(Refused::Decided)).await;
        assert!(matches!(decided, Err(Refused::Decided)), "{}", test.name);
        let other = commit(permit().await, |mut request| {
            request.institution_code = "Z99990000H0002".to_owned();
            Ok(request)
        });
        let other = other.await.unwrap_err();
        assert!(
            matches!(other, Refused::Line(NotDispatched::WrongMember)),
            "{}",
            test.name
        );
        let long = commit(permit().await, |mut request| {
            request.subject_name = Zeroizing::new("测".repeat(500));
            Ok(request)
        });
        let long = long.await.unwrap_err();
        assert!(
            matches!(long, Refused::Line(NotDispatched::Request(_))),
            "{}",
            test.name
        );
        let late = permit().await;
        house.clock.set(at("2026-03-16T03:00:00.000001Z"));
        let late = commit(late, Ok).await.unwrap_err();
        assert!(
            matches!(late, Refused::Line(NotDispatched::Late)),
            "{}",
            test.name
        );
        assert_eq!(traces(&test.db).await, 0, "{}", test.name);
        assert_eq!(house.bureau.count(), 0, "{}", test.name);
    }
}

#[tokio::test]
async fn who_lost_the_database_sends_nothing() {
    for test in test_databases().await {
        let house = House::new(|_| {}).await;
        let line = house.line(&test.db).await;
        let permit = line.permit(&ask(&line)).await.unwrap();
        let heir = house.line(&test.db).await;
        let refused = commit(permit, Ok).await.unwrap_err();
        assert!(
            matches!(refused, Refused::Line(NotDispatched::Ownership)),
            "{}",
            test.name
        );
        assert!(matches!(inquire(&heir).await.outcome, Outcome::Answered(_)));
        assert_eq!(house.bureau.count(), 1, "{}", test.name);
    }
}

/// Fails the commit of every transaction with an entry.
struct Fail;

impl Sealer for Fail {
    fn seal<'t>(
        &'t self,
        _: &'t mut Tx<'_>,
        entries: Vec<NewEntry>,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        // Those of the registry may pass.
        let ours = entries.iter().any(|entry| entry.id == "entry");
        Box::pin(async move {
            if ours {
                Err(DbError::Refused("no log".to_owned()))
            } else {
                Ok(())
            }
        })
    }
}

#[tokio::test]
async fn without_a_durable_intent_nothing_leaves() {
    for test in databases(Arc::new(Fail)).await {
        let house = House::new(|_| {}).await;
        let line = house.line(&test.db).await;
        let permit = line.permit(&ask(&line)).await.unwrap();
        let failed = commit(permit, Ok).await.unwrap_err();
        assert!(matches!(failed, Refused::Db(_)), "{} {failed:?}", test.name);
        assert_eq!(traces(&test.db).await, 0, "{}", test.name);
        assert_eq!(house.bureau.received().len(), 0, "{}", test.name);
    }
}

#[tokio::test]
async fn an_intent_that_waited_too_long_does_not_leave() {
    let (test, house) = (any_database().await, House::new(|_| {}).await);
    let line = house.line(&test.db).await;
    let permit = line.permit(&ask(&line)).await.unwrap();
    let authorized = commit(permit, Ok).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    let exchanged = dispatch(authorized).await;
    assert!(matches!(
        exchanged.outcome,
        Outcome::Failed(Failure::NotSent { cause: "stale" })
    ));
    assert_eq!(house.bureau.received().len(), 0);
}

#[tokio::test]
async fn a_quota_survives_a_restart() {
    for test in test_databases().await {
        let house = House::new(|config| config.limits.institution.per_day = Some(2)).await;
        for _ in 0..2 {
            inquire(&house.line(&test.db).await).await;
        }
        let line = house.line(&test.db).await;
        let refused = line.permit(&ask(&line)).await.unwrap_err();
        assert_eq!(refused.code(), "quota_used_up", "{}", test.name);
        assert_eq!(refused.again_at(), Some(at("2026-03-16T16:00:00Z")));
        house.clock.set(at("2026-03-16T16:00:00Z"));
        inquire(&line).await;
        assert_eq!(house.bureau.count(), 3, "{}", test.name);
    }
}

#[tokio::test]
async fn two_that_hold_permits_share_what_is_left_of_a_quota() {
    for test in test_databases().await {
        let house = House::new(|config| config.limits.institution.per_day = Some(1)).await;
        let line = house.line(&test.db).await;
        let (one, two) = (
            line.permit(&ask(&line)).await,
            line.permit(&ask(&line)).await,
        );
        assert!(commit(one.unwrap(), Ok).await.is_ok());
        let refused = commit(two.unwrap(), Ok).await.unwrap_err();
        assert!(
            matches!(refused, Refused::Line(NotDispatched::Quota(_))),
            "{}",
            test.name
        );
    }
}

#[tokio::test]
async fn the_breaker_opens_on_a_dead_bureau_and_closes_when_it_lives() {
    let test = any_database().await;
    let house = House::new(|config| config.breaker.failures_in_a_row = 3).await;
    let line = house.line(&test.db).await;
    house
        .bureau
        .set_fault(FaultRule::always(Fault::RefuseConnection))
        .await
        .unwrap();
    for _ in 0..3 {
        inquire(&line).await;
    }
    let hurried = Ask {
        deadline: line.clock.now() + jiff::SignedDuration::from_secs(5),
        ..ask(&line)
    };
    assert_eq!(
        line.permit(&hurried).await.unwrap_err().code(),
        "line_failing"
    );
    house.bureau.clear_faults().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    assert!(matches!(inquire(&line).await.outcome, Outcome::Answered(_)));
    assert_eq!(line.gate.breaker_name(), "closed");
}

#[tokio::test]
async fn repetitions_end_with_the_third_attempt() {
    let (test, house) = (any_database().await, House::new(|_| {}).await);
    let line = house.line(&test.db).await;
    house
        .bureau
        .set_fault(FaultRule::always(Fault::RefuseConnection))
        .await
        .unwrap();
    for (attempt, again) in [(0, true), (1, true), (2, false)] {
        let ask = Ask {
            attempt,
            ..ask(&line)
        };
        let permit = line.permit(&ask).await.unwrap();
        let exchanged = dispatch(commit(permit, Ok).await.unwrap()).await;
        assert_eq!(exchanged.again_after.is_some(), again, "{attempt}");
    }
}

#[tokio::test]
async fn an_institution_without_a_key_signs_nothing_and_sends_nothing() {
    let test = any_database().await;
    let house = House::new(|config| config.members[0].signer = None).await;
    let line = house.line(&test.db).await;
    let exchanged = inquire(&line).await;
    assert!(matches!(
        exchanged.outcome,
        Outcome::Failed(Failure::NotSent { cause: "no_signer" })
    ));
    assert_eq!(line.gate.breaker_name(), "closed");
    assert_eq!(house.bureau.received().len(), 0);
}
