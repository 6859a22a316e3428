//! Who gets past which listener.

use creditgate::{
    audit::Reader,
    demo::INSTITUTION,
    operators::{self, Caller, NewClient, Role},
    platform::{
        certs::{CertificateAuthority, Identity, Validity, spki_sha256_hex},
        clock::Clock,
        ids::ClientId,
    },
};
use jiff::SignedDuration;
use reqwest::{Certificate, Response};

use crate::support::{TestGateway, inquiry, key};

/// Hours around now during which a certificate is good.
fn valid(from: i64, until: i64) -> Validity {
    let now = Clock::system().now();
    Validity {
        from: now + SignedDuration::from_hours(from),
        until: now + SignedDuration::from_hours(until),
    }
}

/// A machine that shows a certificate, or none.
fn machine(test: &TestGateway, identity: Option<&Identity>) -> reqwest::Client {
    let ca = Certificate::from_pem(test.house.authority.certificate_pem().as_bytes()).unwrap();
    let mut builder = reqwest::Client::builder().tls_certs_only([ca]).no_proxy();
    if let Some(identity) = identity {
        let pem = format!("{}{}", identity.certificate_pem, *identity.key_pem);
        builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

async fn show(test: &TestGateway, client: &reqwest::Client) -> reqwest::Result<Response> {
    let url = format!(
        "https://127.0.0.1:{}/v1/inquiries/none",
        test.addresses.machines.port()
    );
    client.get(url).send().await
}

fn administrator() -> Caller {
    Caller::local(INSTITUTION.into(), [Role::Administrator])
}

async fn register(test: &TestGateway, identity: &Identity, role: Role) -> ClientId {
    let hex = spki_sha256_hex(identity.certificate_pem.as_bytes()).unwrap();
    let mut key_sha256 = [0; 32];
    for (byte, pair) in key_sha256.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    }
    let new = NewClient {
        key_sha256,
        label: format!("machine-{}", role.name()),
        role,
    };
    let now = Clock::system().now();
    operators::register_client(test.gateway.db(), &administrator(), new, now)
        .await
        .unwrap()
}

/// How many entries of a kind the log has.
async fn entries(test: &TestGateway, kind: &str) -> usize {
    let head = Reader::new(test.gateway.db()).head().await.unwrap();
    let rows: Vec<(Vec<u8>,)> = test
        .gateway
        .db()
        .all(
            "SELECT body FROM audit_entries WHERE idx IS NOT NULL",
            creditgate::args![],
        )
        .await
        .unwrap();
    assert_eq!(rows.len() as u64, head.size);
    let wanted = format!("\"kind\":\"{kind}\"");
    rows.iter()
        .filter(|(body,)| String::from_utf8_lossy(body).contains(&wanted))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_of_the_authority_no_handshake_succeeds() {
    let test = TestGateway::start().await;
    let stranger = CertificateAuthority::generate("stranger", valid(-1, 1)).unwrap();
    let foreign = stranger.client("foreign", valid(-1, 1)).unwrap();
    let expired = test
        .house
        .authority
        .client("expired", valid(-48, -24))
        .unwrap();
    let early = test.house.authority.client("early", valid(24, 48)).unwrap();
    for (name, identity) in [
        ("none", None),
        ("foreign", Some(&foreign)),
        ("expired", Some(&expired)),
        ("not valid yet", Some(&early)),
    ] {
        let error = show(&test, &machine(&test, identity)).await.unwrap_err();
        assert!(
            error.is_connect() || error.is_request(),
            "{name}: {error:?}"
        );
        assert!(error.status().is_none(), "{name}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_mapped_to_nobody_is_refused_and_noted() {
    let test = TestGateway::start().await;
    let unmapped = test
        .house
        .authority
        .client("unmapped", valid(-1, 1))
        .unwrap();
    let before = entries(&test, "access.denied").await;
    let reply = show(&test, &machine(&test, Some(&unmapped))).await.unwrap();
    assert_eq!(reply.status(), 403);
    assert_eq!(entries(&test, "access.denied").await, before + 1);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_of_another_role_is_refused_and_noted() {
    let test = TestGateway::start().await;
    let reader = test.house.authority.client("reader", valid(-1, 1)).unwrap();
    register(&test, &reader, Role::Regulator).await;
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    let before = entries(&test, "access.denied").await;
    let url = format!(
        "https://127.0.0.1:{}/v1/inquiries",
        test.addresses.machines.port()
    );
    let reply = machine(&test, Some(&reader))
        .post(url)
        .header("Idempotency-Key", key())
        .json(&inquiry(&subject, "loan_approval"))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 403);
    assert_eq!(entries(&test, "access.denied").await, before + 1);
    assert_eq!(test.house.bureau.count(), 0);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_may_submit_hands_records_in_and_no_other() {
    let test = TestGateway::start().await;
    for (role, status, code) in [
        (Role::Submitter, 201, serde_json::Value::Null),
        (Role::Officer, 403, "forbidden".into()),
    ] {
        let identity = test.house.authority.client(role.name(), valid(-1, 1));
        let identity = identity.unwrap();
        register(&test, &identity, role).await;
        let port = test.addresses.machines.port();
        let url = format!("https://127.0.0.1:{port}/v1/submissions?bureau=pboc");
        let sent = machine(&test, Some(&identity))
            .post(url)
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", "month-end")
            .body("{\"record\":\"214\",\"data\":{\"DelRecCode\":\"A-1\"}}\n");
        let reply = sent.send().await.unwrap();
        assert_eq!(reply.status().as_u16(), status, "{role:?}");
        let body: serde_json::Value = reply.json().await.unwrap();
        assert_eq!(body["code"], code, "{role:?}: {body}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_bites_on_an_open_connection() {
    let test = TestGateway::start().await;
    let identity = test
        .house
        .authority
        .client("officer machine", valid(-1, 1))
        .unwrap();
    let id = register(&test, &identity, Role::Officer).await;
    let client = machine(&test, Some(&identity));
    // Known: the resource is not there, but the caller is.
    let known = show(&test, &client).await.unwrap();
    assert_eq!(known.status(), 404);
    known.bytes().await.unwrap();
    let now = Clock::system().now();
    operators::revoke_client(test.gateway.db(), &administrator(), &id, now)
        .await
        .unwrap();
    assert_eq!(show(&test, &client).await.unwrap().status(), 403);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_peoples_listener_asks_for_no_certificate_and_knows_only_tokens() {
    let test = TestGateway::start().await;
    let client = machine(&test, None);
    let url = format!(
        "https://127.0.0.1:{}/v1/bureaus",
        test.addresses.people.port()
    );
    let anonymous = client.get(&url).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    let wrong = client.get(&url).bearer_auth("0000").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert_eq!(test.officer.get("/v1/bureaus").await.unwrap().status, 200);
    // A token is nothing on the machines' listener, a certificate nothing here.
    let mapped = test.house.authority.client("mapped", valid(-1, 1)).unwrap();
    register(&test, &mapped, Role::Officer).await;
    let shown = machine(&test, Some(&mapped))
        .get(&url)
        .send()
        .await
        .unwrap();
    assert_eq!(shown.status(), 401);
    test.stop().await;
}
