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
