//! Inquiries whose task is gone while the gateway runs.

use std::time::Duration;

use creditgate::{
    args,
    authorizations::Purpose,
    platform::{
        db::{DbError, Urgency},
        ids::InquiryId,
    },
};

use crate::support::{TestGateway, inquiry, key, state};

/// Asks, and gives the inquiry's identifier and the state that it came to.
async fn ask(test: &TestGateway, subject: &creditgate::platform::identity::Identity) -> InquiryId {
    let asked = test
        .officer
        .inquire(&inquiry(subject, "loan_approval"), &key(), 20)
        .await
        .unwrap();
    asked.body["id"].as_str().unwrap().into()
}

/// Puts an inquiry where a task that failed would have left it.
async fn leave(test: &TestGateway, id: &InquiryId, state: &'static str) {
    let id = id.clone();
    let left = test.gateway.db().write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            tx.execute(
                "UPDATE inquiries SET state = $1, ended_at = NULL WHERE id = $2",
                args![state, &id],
            )
            .await
        })
    });
    assert!(matches!(left.await, Ok::<u64, DbError>(1)));
}

async fn after_a_sweep(test: &TestGateway, id: &InquiryId) -> String {
    let inquiries = test.gateway.inquiries();
    inquiries.sweep().await.unwrap();
    inquiries
        .join(id)
        .wait(Duration::from_secs(20))
        .await
        .unwrap();
    let reply = test.officer.get(&format!("/v1/inquiries/{id}")).await;
    state(&reply.unwrap()).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dispatched_and_lost_its_task_is_unknown_and_not_sent_again() {
    let test = TestGateway::start().await;
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    let id = ask(&test, &subject).await;
    leave(&test, &id, "dispatched").await;
    assert_eq!(after_a_sweep(&test, &id).await, "unknown");
    assert_eq!(test.house.bureau.count(), 1);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_permitted_and_lost_its_task_goes_on_its_way_once() {
    let test = TestGateway::start().await;
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    let id = ask(&test, &subject).await;
    assert_eq!(test.house.bureau.count(), 0);
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    leave(&test, &id, "permitted").await;
    assert_eq!(after_a_sweep(&test, &id).await, "answered");
    assert_eq!(test.house.bureau.count(), 1);
    test.stop().await;
}
