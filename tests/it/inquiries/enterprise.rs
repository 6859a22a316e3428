//! Inquiries on enterprises: the same rules, other messages.

use creditgate::{authorizations::Purpose, platform::identity::Identity};
use mocks::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::support::{TestGateway, id, inquiry, key, names, state};

/// An enterprise whom the mock answers by the last three digits of `seq`.
fn enterprise(seq: u32) -> Identity {
    let code = mocks::synthetic_credit_code(seq);
    Identity::enterprise(&code, "测试样本有限公司").unwrap()
}

async fn asked(test: &TestGateway, body: &Value) -> creditgate::demo::Reply {
    test.officer.inquire(body, &key(), 30).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorized_inquiry_on_an_enterprise_brings_its_report() {
    let test = TestGateway::start().await;
    let subject = enterprise(1);
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    let reply = asked(&test, &inquiry(&subject, "loan_approval")).await;
    assert_eq!(state(&reply), "answered", "{reply:?}");
    assert_eq!(reply.body["outcome"], "hit");
    let report = test
        .officer
        .get(&format!("/v1/inquiries/{}/report", id(&reply)))
        .await
        .unwrap();
    assert_eq!(report.status, 200, "{report:?}");
    assert_eq!(test.count(&subject), 1);
    let received = test.house.bureau.received();
    let bureau = received[0].inquiry.as_ref().unwrap();
    // Reason 01 of the enterprise list, where the personal list has 02.
    assert_eq!(
        (bureau.id_type.as_str(), bureau.reason.as_str()),
        ("20", "01")
    );
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_is_asked_about_by_each_of_its_numbers() {
    let test = TestGateway::start().await;
    for (id_type, number) in [("10", "9990000000000114"), ("30", "000000019")] {
        let document = creditgate::platform::identity::Document::enterprise(id_type, number);
        let subject = Identity::new(document.unwrap(), "测试样本有限公司").unwrap();
        test.authorize(&subject, &[Purpose::PostLoan]).await;
        let reply = asked(&test, &inquiry(&subject, "post_loan")).await;
        assert_eq!(state(&reply), "answered", "{id_type} {reply:?}");
        assert_eq!(test.count(&subject), 1, "{id_type}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_authorization_of_the_enterprise_itself_nothing_leaves() {
    let test = TestGateway::start().await;
    // The head of the enterprise has signed for itself, and another enterprise.
    let head = test.person("测试甲", &mocks::synthetic_resident_id(1));
    test.authorize(&head, &[Purpose::LoanApproval]).await;
    test.authorize(&enterprise(2), &[Purpose::LoanApproval])
        .await;
    let reply = asked(&test, &inquiry(&enterprise(1), "loan_approval")).await;
    assert_eq!(state(&reply), "refused", "{reply:?}");
    assert!(names(&reply.body, "QR-01"), "{reply:?}");

    // Nor does the paper of the enterprise serve for a document of a person
    // that has the same type, number and name.
    let twin = enterprise(2);
    let date = jiff::civil::date(2026, 3, 2);
    let twin = Identity::person("20", twin.expose_number(), twin.expose_name(), date).unwrap();
    let reply = asked(&test, &inquiry(&twin, "loan_approval")).await;
    assert_eq!(state(&reply), "refused", "{reply:?}");
    assert_eq!(test.house.bureau.count(), 0);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_the_one_kind_is_never_asked_for_about_the_other() {
    let test = TestGateway::start().await;
    let subject = enterprise(1);
    let person = test.person("测试甲", &mocks::synthetic_resident_id(1));
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    test.authorize(&person, &[Purpose::LoanApproval]).await;
    for (subject, product) in [
        (&subject, "personal_report"),
        (&person, "enterprise_report"),
    ] {
        let mut body = inquiry(subject, "loan_approval");
        body["product"] = json!(product);
        let reply = asked(&test, &body).await;
        assert_eq!(reply.status, 422, "{reply:?}");
        assert_eq!(reply.body["code"], "subject_kind", "{reply:?}");
    }
    assert_eq!(test.house.bureau.count(), 0);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_that_the_enterprise_list_has_no_reason_for_is_refused() {
    let test = TestGateway::start().await;
    let subject = enterprise(1);
    test.authorize(&subject, &[Purpose::OfficerCheck, Purpose::CardApproval])
        .await;
    for purpose in ["officer_check", "card_approval"] {
        let reply = asked(&test, &inquiry(&subject, purpose)).await;
        assert_eq!(state(&reply), "refused", "{purpose} {reply:?}");
        assert!(
            names(&reply.body, "unmapped_purpose"),
            "{purpose} {reply:?}"
        );
    }
    assert_eq!(test.house.bureau.count(), 0);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_about_an_enterprise_is_unknown_and_not_repeated() {
    let test = TestGateway::start().await;
    for (seq, (fault, end, cause)) in (1..).zip([
        (Fault::AcceptThenCut, "unknown", "cut"),
        (Fault::Status { code: 503 }, "unknown", "status_5xx"),
        (Fault::OtherSubject, "answered_unreadable", "other_subject"),
        (Fault::Garbage, "answered_unreadable", "wrong_encoding"),
    ]) {
        let subject = enterprise(seq);
        test.authorize(&subject, &[Purpose::LoanApproval]).await;
        test.fault(FaultRule::once(fault)).await;
        let reply = asked(&test, &inquiry(&subject, "loan_approval")).await;
        assert_eq!(state(&reply), end, "{fault:?} {reply:?}");
        assert_eq!(reply.body["cause"], cause, "{fault:?}");
        assert_eq!(reply.body["attempts"], 1, "{fault:?}");
        assert_eq!(test.count(&subject), 1, "{fault:?}");
        if end == "unknown" {
            let again = asked(&test, &inquiry(&subject, "loan_approval")).await;
            assert_eq!(again.body["code"], "unknown_outcome", "{fault:?} {again:?}");
            assert_eq!(test.count(&subject), 1, "{fault:?}");
        }
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bureau_says_of_an_enterprise_is_told_with_meaning_and_cure() {
    let test = TestGateway::start().await;
    for (seq, end, outcome, code, listed) in [
        (901, "answered", json!("hit"), "AAA000", true),
        (903, "answered", json!("no_hit"), "AAA001", true),
        (904, "answered", json!("partial"), "DBO004", true),
        (905, "rejected", json!(null), mocks::UNLISTED_CODE, false),
        // Whether it was recorded is not told: it is not a refusal.
        (908, "unknown", json!(null), "ATO002", true),
        (917, "rejected", json!(null), "DBE007", true),
    ] {
        let subject = enterprise(seq);
        test.authorize(&subject, &[Purpose::LoanApproval]).await;
        let reply = asked(&test, &inquiry(&subject, "loan_approval")).await;
        let found = (state(&reply), &reply.body["outcome"]);
        assert_eq!(found, (end, &outcome), "{seq} {reply:?}");
        let says = &reply.body["bureau_says"];
        assert_eq!(says["code"], code, "{seq} {says}");
        assert_eq!(says["listed"], listed, "{seq} {says}");
        assert_eq!(says["meaning"]["zh"].is_string(), listed, "{seq} {says}");
        assert_eq!(says["cure"]["en"].is_string(), listed, "{seq} {says}");
        assert_eq!(test.count(&subject), 1, "{seq}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_inquiry_on_an_enterprise_is_settled_by_the_list_of_the_bureau() {
    let test = TestGateway::start().await;
    let subject = enterprise(1);
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    let from = test.gateway.clock().now();
    let lost = test.lost(&subject, false).await;
    let until = test.gateway.clock().now() + jiff::SignedDuration::from_mins(1);
    let list = test.house.bureau.inquiry_list(from, until);
    let settled = test.reconcile((from, until), list).await;
    assert_eq!(settled.body["recorded"], json!([lost]), "{settled:?}");
    let view = test.show(&lost).await;
    assert_eq!(
        (&view["state"], &view["outcome"]),
        (&json!("reconciled"), &json!("recorded"))
    );
    test.stop().await;
}
