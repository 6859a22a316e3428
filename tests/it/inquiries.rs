//! `/v1/inquiries`

mod checker;
mod enterprise;
mod faults;
mod line;
mod once;
mod password;
mod unknown;
mod waiting;

use creditgate::authorizations::Purpose;

use crate::support::{TestGateway, inquiry, key, state};

#[tokio::test(flavor = "multi_thread")]
async fn an_authorized_inquiry_brings_a_decoded_report_and_a_receipt() {
    let test = TestGateway::start().await;
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    let asked = test
        .officer
        .inquire(&inquiry(&subject, "loan_approval"), &key(), 20)
        .await
        .unwrap();
    assert_eq!(
        (asked.status.as_u16(), state(&asked)),
        (200, "answered"),
        "{asked:?}"
    );
    let id = asked.body["id"].as_str().unwrap();
    let report = test
        .officer
        .get(&format!("/v1/inquiries/{id}/report"))
        .await
        .unwrap();
    assert_eq!(report.status, 200, "{report:?}");
    assert_eq!(test.house.bureau.count_for(subject.expose_number()), 1);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_authorization_nothing_leaves_and_the_reasons_are_told() {
    let test = TestGateway::start().await;
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    let asked = test
        .officer
        .inquire(&inquiry(&subject, "loan_approval"), &key(), 20)
        .await
        .unwrap();
    assert_eq!(
        (asked.status.as_u16(), state(&asked)),
        (200, "refused"),
        "{asked:?}"
    );
    assert_eq!(asked.body["reasons"][0]["rule"], "QR-01");
    assert_eq!(test.house.bureau.count(), 0);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_laid_out_and_told_apart_from_an_earlier_one() {
    let test = TestGateway::start().await;
    let mut ids = Vec::new();
    for (name, person) in [("测试甲", 1), ("测试甲", 1), ("测试乙", 2)] {
        let subject = test.person(name, &mocks::synthetic_resident_id(person));
        test.authorize(&subject, &[Purpose::LoanApproval]).await;
        let mut body = inquiry(&subject, "loan_approval");
        body["on_fresh"] = "pull".into();
        let asked = test.officer.inquire(&body, &key(), 20).await.unwrap();
        assert_eq!(state(&asked), "answered", "{asked:?}");
        ids.push(asked.body["id"].as_str().unwrap().to_owned());
    }
    let [earlier, later, other] = &ids[..] else {
        unreachable!("three were asked for");
    };
    let officer = &test.officer;
    let get = |path: String| async move { officer.get(&path).await.unwrap() };
    let page = get(format!("/v1/inquiries/{later}/report/page")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        page.body["text"]
            .as_str()
            .unwrap()
            .starts_with("个人信用报告")
    );
    assert_eq!(page.body["page"]["sections"][0]["id"], "head");
    let changes =
        |id: &str, since: &str| format!("/v1/inquiries/{id}/report/changes?since={since}&lang=en");
    let same = get(changes(later, earlier)).await;
    assert_eq!(same.status, 200, "{same:?}");
    assert_eq!(same.body["changes"]["changes"], serde_json::json!([]));
    let refused = get(changes(other, earlier)).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(refused.body["code"], "other_subject");
    test.stop().await;
}
