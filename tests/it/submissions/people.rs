//! Who may do what with submissions and files, and who sees them.

use creditgate::{demo::loans::Standing, operators::Role};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    forms::{holds, text},
    site::Site,
};
use crate::support::key;

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_submit_submits_and_only_its_readers_read() {
    let site = Site::start().await;
    let test = &site.test;
    let loan = site.loan(1);
    let id = site.hand_in(&[loan.record()]).await;
    site.test.gateway.submissions().sweep().await.unwrap();
    let (compliance, regulator) = (test.compliance(), test.client(&test.staff.regulator.1));
    let administrator = test.client(&test.staff.administrator.1);
    let paths = [
        "/v1/submissions".to_owned(),
        format!("/v1/submissions/{id}"),
        format!("/v1/submissions/{id}/records"),
        "/v1/files".to_owned(),
    ];
    for path in &paths {
        for reader in [&site.submitter, &compliance, &regulator] {
            assert_eq!(reader.get(path).await.unwrap().status, 200, "{path}");
        }
        for other in [&test.officer, &test.checker(), &administrator] {
            let reply = other.get(path).await.unwrap();
            assert_eq!(
                (reply.status, &reply.body["code"]),
                (StatusCode::FORBIDDEN, &json!("forbidden")),
                "{path}"
            );
        }
    }
    let lines = text(&[loan.record()]);
    for other in [&test.officer, &compliance, &regulator, &administrator] {
        let reply = other.submit(lines.clone(), &key()).await.unwrap();
        assert_eq!(reply.body["code"], "forbidden", "{reply:?}");
    }
    let withdraw = format!("/v1/submissions/{id}/records/1/withdraw");
    for other in [&test.officer, &regulator, &administrator] {
        let reply = other.post(&withdraw, &json!({})).await.unwrap();
        assert_eq!(reply.body["code"], "forbidden", "{reply:?}");
    }
    let nobody = test.client(&"not-a-token".to_owned().into());
    let reply = nobody.submit(lines, &key()).await.unwrap();
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{reply:?}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_institution_sees_nothing_and_changes_nothing() {
    let site = Site::start().await;
    let loan = site.loan(1);
    let id = site.open(&[&loan]).await;
    let held = site
        .hand_in(&[site.later(&loan, 2, Standing::Overdue).update()])
        .await;
    let file = site.last_file("answered").await;
    let file = file["id"].as_str().unwrap();
    let notice = site
        .notice(&site.later(&loan, 1, Standing::Overdue), 1)
        .await;
    let notice = notice.body["id"].as_str().unwrap();
    let stranger = site.stranger(Role::Submitter).await;
    let compliance = site.stranger(Role::Compliance).await;
    for path in [
        format!("/v1/submissions/{id}"),
        format!("/v1/submissions/{id}/records"),
        format!("/v1/files/{file}"),
        format!("/v1/notices/{notice}"),
    ] {
        for other in [&stranger, &compliance] {
            let reply = other.get(&path).await.unwrap();
            assert_eq!(
                (reply.status, &reply.body["code"]),
                (StatusCode::NOT_FOUND, &json!("not_found")),
                "{path}"
            );
        }
    }
    for (path, list) in [("/v1/submissions", "submissions"), ("/v1/files", "files")] {
        let reply = stranger.get(path).await.unwrap();
        assert_eq!(
            (&reply.body[list], reply.status),
            (&json!([]), StatusCode::OK)
        );
    }
    for (path, body) in [
        (
            format!("/v1/submissions/{held}/records/1/withdraw"),
            json!({}),
        ),
        (
            format!("/v1/files/{file}/decide"),
            json!({"decision": "give_up"}),
        ),
    ] {
        let reply = stranger.post(&path, &body).await.unwrap();
        assert_eq!(reply.body["code"], "not_found", "{path}: {reply:?}");
    }
    // Its own account of that number is another account.
    let line = site.later(&loan, 2, Standing::Normal).record();
    let reply = stranger.submit(text(&[line]), &key()).await.unwrap();
    let path = format!("/v1/submissions/{}/records", crate::support::id(&reply));
    let records = stranger.get(&path).await.unwrap();
    assert_eq!(holds(&records.body["records"][0]), ["provide_missing"]);
    let mut line = site.later(&loan, 2, Standing::Normal).record();
    line["corrects"] = json!({"submission": held, "seq": 1});
    let reply = stranger.submit(text(&[line]), &key()).await.unwrap();
    let path = format!("/v1/submissions/{}/records", crate::support::id(&reply));
    let records = stranger.get(&path).await.unwrap();
    let finding = &records.body["records"][0]["findings"][0];
    assert_eq!(finding["code"], "corrects_nothing", "{records:?}");
    assert_eq!(site.record(&held).await["state"], "held");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_is_taken_back_and_what_was_sent_is_not() {
    let site = Site::start().await;
    let (loan, other) = (site.loan(1), site.loan(2));
    let id = site.hand_in(&[loan.record()]).await;
    let path = |id: &str, seq: &str| format!("/v1/submissions/{id}/records/{seq}/withdraw");
    let withdraw = async |id: &str, seq: &str| {
        let reply = site.submitter.post(&path(id, seq), &json!({})).await;
        let reply = reply.unwrap();
        (reply.status.as_u16(), reply.body["code"].clone())
    };
    assert_eq!(withdraw(&id, "1").await, (204, Value::Null));
    assert_eq!(withdraw(&id, "1").await, (409, json!("wrong_state")));
    assert_eq!(withdraw(&id, "2").await, (404, json!("not_found")));
    assert_eq!(withdraw("none", "1").await, (404, json!("not_found")));
    assert_eq!(withdraw(&id, "one").await, (400, json!("path")));
    site.consent(&loan).await;
    site.turns().await;
    assert_eq!(site.record(&id).await["state"], "withdrawn");
    let sent = site.open(&[&other]).await;
    assert_eq!(withdraw(&sent, "1").await, (409, json!("wrong_state")));
    assert_eq!(site.desk().accounts("210"), 1);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_stopped_is_delivered_again_or_given_up_by_who_may() {
    let site = Site::by_https().await;
    let test = &site.test;
    let loan = site.loan(1);
    site.consent(&loan).await;
    site.desk().lie(mocks::Lie::Cut);
    let id = site.hand_in(&[loan.record()]).await;
    let file = site.last_file("stopped").await;
    let path = format!("/v1/files/{}/decide", file["id"].as_str().unwrap());
    let give_up = json!({"decision": "give_up"});
    let compliance = test.compliance();
    let (regulator, administrator) = (
        test.client(&test.staff.regulator.1),
        test.client(&test.staff.administrator.1),
    );
    for other in [&test.officer, &test.checker(), &regulator, &administrator] {
        let reply = other.post(&path, &give_up).await.unwrap();
        assert_eq!(reply.body["code"], "forbidden", "{reply:?}");
    }
    for (body, status, code) in [
        (json!({"decision": "burn"}), 422, "invalid"),
        (json!({}), 422, "invalid"),
    ] {
        let reply = site.submitter.post(&path, &body).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), &reply.body["code"]),
            (status, &json!(code)),
            "{reply:?}"
        );
    }
    // The same bytes again: the bureau knows the name and says so.
    let resend = json!({"decision": "resend"});
    let reply = site.submitter.post(&path, &resend).await.unwrap();
    assert_eq!(reply.status, 204, "{reply:?}");
    let reply = site.submitter.post(&path, &resend).await.unwrap();
    assert_eq!(reply.body["code"], "wrong_state", "{reply:?}");
    let arrived = site.last_file("arrived").await;
    assert_eq!(arrived["attempts"], 2, "{arrived}");
    assert_eq!(arrived["sealed_sha256"], file["sealed_sha256"]);
    let name = file["name"].as_str().unwrap();
    site.until("it came twice", async || {
        site.desk().files()[name].arrivals == 2
    })
    .await;
    let received = &site.desk().files()[name];
    assert_eq!(received.effects, 1);
    assert_eq!(received.digests[0], received.digests[1]);
    // Its feedback was looked at, and is again when a person says so.
    site.turns().await;
    let list = site.submitter.get("/v1/files?state=arrived").await.unwrap();
    assert_eq!(list.body["files"].as_array().unwrap().len(), 1);
    let look_again = json!({"decision": "look_again"});
    let reply = compliance.post(&path, &look_again).await.unwrap();
    assert_eq!(reply.status, 204, "{reply:?}");
    let stopped = site.last_file("stopped").await;
    assert_eq!(stopped["cause"], file["cause"], "it is as cut as before");
    // Given up, its records go into a file of another name, and the bureau says
    // what it makes of what it has already.
    let reply = compliance.post(&path, &give_up).await.unwrap();
    assert_eq!(reply.status, 204, "{reply:?}");
    let record = site.all(&id, "rejected").await.remove(0);
    assert!(!record["answer"][0]["code"].is_null(), "{record}");
    let files = site.files().await;
    assert_eq!(files.len(), 2);
    assert_ne!(files[0]["name"], files[1]["name"]);
    assert_eq!(files[0]["state"], "refused");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_page_by_page_and_a_wrong_page_is_told() {
    let site = Site::start().await;
    let mut ids = Vec::new();
    for number in 1..=5 {
        ids.push(site.hand_in(&[site.loan(number).record()]).await);
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/submissions?limit=2".to_owned());
    loop {
        let page = site.submitter.get(&path).await.unwrap();
        for one in page.body["submissions"].as_array().unwrap() {
            seen.push(one["id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page.body["next"].as_i64() else {
            break;
        };
        path = format!("/v1/submissions?limit=2&cursor={next}");
    }
    seen.reverse();
    assert_eq!(seen, ids);
    for wrong in [
        "/v1/submissions?limit=many",
        "/v1/submissions?cursor=x",
        "/v1/submissions?page=1",
        "/v1/submissions?state=none",
        "/v1/files?state=none",
    ] {
        let reply = site.submitter.get(wrong).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), &reply.body["code"]),
            (400, &json!("query")),
            "{wrong}: {reply:?}"
        );
    }
    let delete = site.raw(Method::DELETE, "/v1/submissions", &[], "".into());
    assert_eq!(delete.await.body["code"], "method_not_allowed");
    site.stop().await;
}
