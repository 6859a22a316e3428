//! Every fault of the bureau and the way to it, and the state it leads to.

use creditgate::demo::{Plan, Reply};
use creditgate::platform::clock::Clock;
use mocks::{Fault, FaultRule};
use serde_json::json;

use crate::support::{TestGateway, id, inquiry, key, state};

/// A gateway whose line fails often and is asked all the same, soon again.
fn patient() -> Plan {
    Plan::new(Clock::system())
        .edit("failures_in_a_row = 5", "failures_in_a_row = 1000")
        .edit("window = 20", "window = 1000")
        .edit("first_delay_ms = 200", "first_delay_ms = 20")
        .edit("budget_percent = 10", "budget_percent = 100")
}

fn told(reply: &Reply) -> (&str, &str) {
    (
        state(reply),
        reply.body["cause"].as_str().unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_reached_the_bureau_is_repeated_and_then_unsent() {
    let test = TestGateway::start_with(patient()).await;
    for (seq, (fault, cause)) in (1..).zip([
        (Fault::RefuseConnection, "connect"),
        (Fault::ResetConnection, "connect"),
        (Fault::ExpiredCertificate, "handshake"),
        (Fault::WrongAuthority, "handshake"),
        (Fault::WrongName, "handshake"),
        (Fault::RefuseCertificate, "certificate_refused"),
    ]) {
        let (subject, _) = test.subject(seq).await;
        test.fault(FaultRule::always(fault)).await;
        let reply = test.ask(&subject).await;
        assert_eq!(told(&reply), ("unsent", cause), "{fault:?}");
        assert_eq!(
            reply.body["attempts"], 3,
            "{fault:?}: the first and two more"
        );
        assert_eq!(test.count(&subject), 0, "{fault:?}");
        test.house.bureau.clear_faults().await;
    }
    assert_eq!(test.house.bureau.count(), 0);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_goes_out_once_when_the_line_is_back() {
    let test = TestGateway::start_with(patient()).await;
    for (seq, fault) in (1..).zip([
        Fault::ResetConnection,
        Fault::WrongName,
        Fault::WrongAuthority,
        Fault::RefuseCertificate,
    ]) {
        let (subject, _) = test.subject(seq).await;
        test.fault(FaultRule::times(fault, 2)).await;
        let reply = test.ask(&subject).await;
        assert_eq!(state(&reply), "answered", "{fault:?} {reply:?}");
        assert_eq!(reply.body["attempts"], 3, "{fault:?}");
        assert_eq!(test.count(&subject), 1, "{fault:?}");
        test.house.bureau.clear_faults().await;
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_reached_the_bureau_is_never_repeated() {
    let test = TestGateway::start_with(patient()).await;
    let cut_reply = Fault::CutReply { after_bytes: 100 };
    for (seq, (fault, end, cause)) in (1..).zip([
        (Fault::AcceptThenCut, "unknown", "cut"),
        (cut_reply, "unknown", "truncated"),
        (Fault::Truncated, "unknown", "truncated"),
        (Fault::Redirect, "unknown", "status_3xx"),
        (Fault::Status { code: 503 }, "unknown", "status_5xx"),
        (Fault::Garbage, "answered_unreadable", "wrong_encoding"),
        (Fault::WrongLength, "answered_unreadable", "cut_short"),
        (Fault::OtherSubject, "answered_unreadable", "other_subject"),
    ]) {
        let (subject, _) = test.subject(seq).await;
        test.fault(FaultRule::always(fault)).await;
        let reply = test.ask(&subject).await;
        assert_eq!(told(&reply), (end, cause), "{fault:?}");
        assert_eq!(reply.body["attempts"], 1, "{fault:?}");
        assert_eq!(test.count(&subject), 1, "{fault:?}");
        let report = test
            .officer
            .get(&format!("/v1/inquiries/{}/report", id(&reply)))
            .await
            .unwrap();
        assert_eq!(report.status, 409, "{fault:?}");
        test.house.bureau.clear_faults().await;
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bureau_says_is_told_with_meaning_and_cure() {
    let test = TestGateway::start_with(patient()).await;
    for (seq, end, outcome, code, listed) in [
        (901, "answered", json!("hit"), "AAA000", true),
        (902, "answered", json!("hit"), "AAA000", true),
        (903, "answered", json!("no_hit"), "AAA001", true),
        (904, "answered", json!("partial"), "DBO004", true),
        (905, "rejected", json!(null), mocks::UNLISTED_CODE, false),
        (914, "rejected", json!(null), "DBE004", true),
    ] {
        let (subject, _) = test.subject(seq).await;
        let reply = test.ask(&subject).await;
        assert_eq!(
            (state(&reply), &reply.body["outcome"]),
            (end, &outcome),
            "{seq} {reply:?}"
        );
        let says = &reply.body["bureau_says"];
        assert_eq!(
            (&says["code"], &says["listed"]),
            (&json!(code), &json!(listed)),
            "{seq}"
        );
        assert_eq!(says["meaning"]["zh"].is_string(), listed, "{seq} {says}");
        assert_eq!(says["cure"]["en"].is_string(), listed, "{seq} {says}");
        assert_eq!(reply.body["cause"] == "unclassified", !listed, "{seq}");
        assert_eq!(test.count(&subject), 1, "{seq}");
    }
    let (subject, _) = test.subject(1).await;
    test.fault(FaultRule::always(Fault::UnknownCode)).await;
    let reply = test.ask(&subject).await;
    assert_eq!(told(&reply), ("rejected", "unclassified"));
    assert_eq!(test.count(&subject), 1);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_answer_is_kept_and_reading_it_again_sends_nothing() {
    let test = TestGateway::start().await;
    let (subject, _) = test.subject(1).await;
    test.fault(FaultRule::once(Fault::Garbage)).await;
    let unreadable = id(&test.ask(&subject).await);
    let compliance = test.compliance();
    let still = test
        .act(&compliance, &unreadable, "reread", &json!({}))
        .await;
    assert_eq!(
        (still.status.as_u16(), &still.body["code"]),
        (409, &json!("unreadable"))
    );
    assert_eq!(test.show(&unreadable).await["state"], "answered_unreadable");
    let readable = id(&test
        .officer
        .inquire(&inquiry(&subject, "loan_approval"), &key(), 30)
        .await
        .unwrap());
    let wrong = test.act(&compliance, &readable, "reread", &json!({})).await;
    assert_eq!(wrong.body["code"], "wrong_state", "{wrong:?}");
    assert_eq!(test.count(&subject), 2);
    test.stop().await;
}
