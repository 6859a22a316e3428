//! What all of `/v1` has in common, and the resources beside inquiries.

use creditgate::{authorizations::Purpose, demo::Client};
use serde_json::{Value, json};

use crate::support::{TestGateway, inquiry, key};

fn document(number: &str) -> Value {
    json!({"kind": "person", "id_type": "10", "id_number": number})
}

async fn post(client: &Client, path: &str, body: Value) -> (u16, Value) {
    let reply = client.post(path, &body).await.unwrap();
    (reply.status.as_u16(), reply.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_kept_and_defects_told_without_values() {
    let test = TestGateway::start().await;
    let number = mocks::synthetic_resident_id(1);
    let compliance = test.client(&test.staff.compliance.1);
    let administrator = test.client(&test.staff.administrator.1);
    let cases = [
        (&test.officer, "/v1/subjects/erase", "forbidden"),
        (&test.officer, "/v1/operators", "forbidden"),
        (&administrator, "/v1/register/search", "forbidden"),
        (&compliance, "/v1/subjects/erase", "invalid"),
        (&administrator, "/v1/operators", "invalid"),
        (&compliance, "/v1/none", "not_found"),
        (&compliance, "/v1/bureaus", "method_not_allowed"),
    ];
    for (client, path, code) in cases {
        let (_, body) = match code {
            "forbidden" if path == "/v1/subjects/erase" => {
                let body = json!({"subject": document(&number), "reason": "subject_request"});
                post(client, path, body).await
            }
            "forbidden" if path == "/v1/operators" => {
                post(client, path, json!({"label": "a", "person": "b"})).await
            }
            "forbidden" => post(client, path, json!({})).await,
            _ => post(client, path, json!({"subject": number})).await,
        };
        assert_eq!(body["code"], code, "{path}: {body}");
        assert!(!body.to_string().contains(&number), "{path}");
    }
    let unreadable = [
        ("/v1/inquiries/%FF", "path"),
        ("/v1/inquiries/x/report?lang=zh&lang=en", "query"),
    ];
    for (path, code) in unreadable {
        let reply = test.officer.get(path).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), &reply.body["code"]),
            (400, &code.into()),
            "{path}"
        );
    }
    let described = test.officer.get("/v1/openapi.json").await.unwrap();
    assert_eq!(described.body["openapi"], "3.1.0");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inquiry_is_found_by_subject_and_its_subject_erased() {
    let test = TestGateway::start().await;
    let number = mocks::synthetic_resident_id(1);
    let subject = test.person("测试甲", &number);
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    let body = inquiry(&subject, "loan_approval");
    let asked = test.officer.inquire(&body, &key(), 20).await.unwrap();
    let id = asked.body["id"].clone();
    let compliance = test.client(&test.staff.compliance.1);
    let search = json!({"subject": document(&number), "state": ["answered"]});
    let (status, found) = post(&compliance, "/v1/register/search", search.clone()).await;
    assert_eq!(
        (status, &found["inquiries"][0]["id"]),
        (200, &id),
        "{found}"
    );
    let (_, papers) = post(
        &compliance,
        "/v1/authorizations/search",
        json!({"subject": document(&number)}),
    )
    .await;
    assert_eq!(
        papers["authorizations"][0]["has_original"], true,
        "{papers}"
    );
    let erase = json!({"subject": document(&number), "reason": "subject_request"});
    let (status, erased) = post(&compliance, "/v1/subjects/erase", erase.clone()).await;
    assert_eq!(
        (status, &erased["log_emptied"]),
        (200, &json!(true)),
        "{erased}"
    );
    assert_eq!(post(&compliance, "/v1/subjects/erase", erase).await.0, 404);
    let (_, found) = post(&compliance, "/v1/register/search", search).await;
    assert_eq!(
        found["inquiries"],
        json!([]),
        "nobody finds an erased subject"
    );
    let (_, found) = post(&compliance, "/v1/register/search", json!({})).await;
    assert_eq!(found["inquiries"][0]["id"], id, "that it happened remains");
    let path = format!("/v1/inquiries/{}/report", id.as_str().unwrap());
    let report = test.officer.get(&path).await.unwrap();
    assert_ne!(report.status, 200, "{report:?}");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_explained_recorded_and_withdrawn() {
    let test = TestGateway::start().await;
    let number = mocks::synthetic_resident_id(2);
    let person = json!({
        "kind": "person", "id_type": "10", "id_number": number, "name": "测试乙",
    });
    let compliance = test.client(&test.staff.compliance.1);
    let question = json!({"subject": person, "bureau": "pboc", "purpose": "loan_approval"});
    let (_, told) = post(&test.officer, "/v1/explain", question.clone()).await;
    assert_eq!(
        (&told["permitted"], &told["reasons"][0]["rule"]),
        (&json!(false), &json!("QR-01"))
    );
    let begin = json!({"subject": person, "from": "2026-01-01T00:00:00+08:00"});
    assert_eq!(post(&compliance, "/v1/memberships", begin).await.0, 201);
    let version = json!({
        "version": "9", "text_sha256": "0".repeat(64), "first_day": "2020-01-01", "material": true,
    });
    let path = "/v1/policies/privacy/versions";
    assert_eq!(post(&compliance, path, version.clone()).await.0, 201);
    assert_eq!(post(&compliance, path, version).await.0, 200);
    let now = test.gateway.clock().now();
    let form = json!({
        "external_ref": "FORM-9", "kind": "inquire", "subject": person, "signer": person,
        "bureaus": ["pboc"], "purposes": ["loan_approval"], "categories": ["credit"],
        "signed_at": now.to_string(), "policy": {"policy": "privacy", "version": "9"},
        "evidence": "c2lnbmVk",
    });
    let (status, made) = post(&compliance, "/v1/authorizations", form.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(post(&compliance, "/v1/authorizations", form).await.0, 200);
    let (_, told) = post(&test.officer, "/v1/explain", question.clone()).await;
    assert_eq!(told["permitted"], true, "{told}");
    let path = format!(
        "/v1/authorizations/{}/withdraw",
        made["id"].as_str().unwrap()
    );
    let (_, gone) = post(&compliance, &path, json!({})).await;
    assert_eq!(gone["withdrawn"], true);
    let (_, told) = post(&test.officer, "/v1/explain", question).await;
    assert_eq!(told["permitted"], false, "{told}");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_gets_a_role_a_token_and_loses_them() {
    let test = TestGateway::start().await;
    let administrator = test.client(&test.staff.administrator.1);
    let new = json!({"label": "officer-9", "person": "demo-bank.9"});
    let (status, made) = post(&administrator, "/v1/operators", new.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        post(&administrator, "/v1/operators", new).await.1["code"],
        "taken"
    );
    let own = format!("/v1/operators/{}", made["id"].as_str().unwrap());
    let grant = |role: &str| json!({"change": "grant", "role": role});
    assert_eq!(
        post(&administrator, &format!("{own}/roles"), grant("officer"))
            .await
            .0,
        204
    );
    let (_, refused) = post(&administrator, &format!("{own}/roles"), grant("submitter")).await;
    assert_eq!(refused["code"], "exclusive_roles");
    let expires = json!({"expires_at": "2099-01-01T00:00:00Z"});
    let (_, token) = post(&administrator, &format!("{own}/tokens"), expires).await;
    let officer = test.client(&token["token"].as_str().unwrap().to_owned().into());
    assert_eq!(officer.get("/v1/bureaus").await.unwrap().status, 200);
    let ended = json!({"standing": "ended"});
    assert_eq!(
        post(&administrator, &format!("{own}/standing"), ended)
            .await
            .0,
        204
    );
    assert_eq!(officer.get("/v1/bureaus").await.unwrap().status, 401);
    let client = json!({"label": "m", "role": "officer", "key_sha256": "ab".repeat(32)});
    let (status, made) = post(&administrator, "/v1/clients", client).await;
    assert_eq!(status, 201, "{made}");
    let revoke = format!("/v1/clients/{}/revoke", made["id"].as_str().unwrap());
    assert_eq!(post(&administrator, &revoke, json!({})).await.0, 204);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_takes_good_rows_and_tells_what_is_wrong_with_others() {
    let test = TestGateway::start().await;
    let compliance = test.client(&test.staff.compliance.1);
    let header = creditgate::authorizations::COLUMNS.join(",");
    let reply = compliance
        .post_csv("/v1/authorizations/import", "a,b\n".into())
        .await
        .unwrap();
    assert_eq!(
        (reply.status.as_u16(), &reply.body["code"]),
        (422, &json!("invalid"))
    );
    let bad = format!("{header}\n{}\n", ",".repeat(15));
    let reply = compliance
        .post_csv("/v1/authorizations/import", bad)
        .await
        .unwrap();
    assert_eq!(reply.body["taken"]["set_aside"], 1, "{reply:?}");
    assert_eq!(reply.body["findings"][0]["line"], 2, "{reply:?}");
    test.stop().await;
}
