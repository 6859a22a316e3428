//! Keys that end: rotation of the master key, erasure of a subject.

use std::process::Command;

use creditgate::{
    args,
    audit::verify::{Options, verify_database},
    authorizations::Purpose,
    gateway::SealedPayloads,
};
use serde_json::json;

use crate::support::{TestGateway, inquiry, key, state};

#[tokio::test(flavor = "multi_thread")]
async fn after_an_erasure_payload_and_salt_are_gone_and_the_log_verifies() {
    let test = TestGateway::start().await;
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    let asked = test
        .officer
        .inquire(&inquiry(&subject, "loan_approval"), &key(), 20)
        .await
        .unwrap();
    assert_eq!(state(&asked), "answered");
    let compliance = test.client(&test.staff.compliance.1);
    let document = json!({
        "kind": "person",
        "id_type": "10",
        "id_number": subject.expose_number(),
    });
    let body = json!({ "subject": document, "reason": "subject_request" });
    let erased = compliance.post("/v1/subjects/erase", &body).await.unwrap();
    assert!(erased.status.is_success(), "{erased:?}");

    let db = test.gateway.db();
    for (table, sql) in [
        ("answers", "SELECT COUNT(*) FROM answers"),
        ("evidence", "SELECT COUNT(*) FROM evidence"),
        (
            "keys",
            "SELECT COUNT(*) FROM subjects WHERE keys IS NOT NULL OR blind IS NOT NULL",
        ),
    ] {
        let (count,): (i64,) = db.first(sql, args![]).await.unwrap().unwrap();
        assert_eq!(count, 0, "{table}");
    }
    let id = asked.body["id"].as_str().unwrap();
    let report = test
        .officer
        .get(&format!("/v1/inquiries/{id}/report"))
        .await
        .unwrap();
    assert_ne!(report.status, 200);
    // What was done stays known, and proven.
    assert_eq!(
        test.officer
            .get(&format!("/v1/inquiries/{id}"))
            .await
            .unwrap()
            .status,
        200
    );
    test.gateway.log().publish().await.unwrap();
    let payloads = SealedPayloads(db);
    let found = verify_database(db, &Options::default(), Some(&payloads))
        .await
        .unwrap();
    assert!(found.is_good(), "{:?}", found.findings);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_the_old_master_key_opens_nothing() {
    let test = TestGateway::start().await;
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    let asked = test
        .officer
        .inquire(&inquiry(&subject, "loan_approval"), &key(), 20)
        .await
        .unwrap();
    let path = format!(
        "/v1/inquiries/{}/report",
        asked.body["id"].as_str().unwrap()
    );
    let rest = test.stop().await;

    let config = rest.house.config();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_creditgate"))
            .arg("--config")
            .arg(&config)
            .args(arguments)
            .output()
            .unwrap()
    };
    let second = rest.folder.path().join("keys/master-2.key");
    assert!(
        run(&["keys", "master", "--out", second.to_str().unwrap()])
            .status
            .success()
    );
    let old = std::fs::read_to_string(&config).unwrap();
    let both = old.replace(
        "[audit]\n",
        "[[vault.master_keys]]\nversion = 2\nfile = \"keys/master-2.key\"\n\n[audit]\n",
    );
    std::fs::write(&config, &both).unwrap();
    let rotated = run(&["keys", "rotate"]);
    assert!(
        rotated.status.success(),
        "{}",
        String::from_utf8_lossy(&rotated.stderr)
    );

    // With the old key alone nothing opens.
    std::fs::write(&config, &old).unwrap();
    let refused = run(&["serve"]);
    assert!(!refused.status.success());
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("master key"),
        "{refused:?}"
    );

    // With the new one alone everything does.
    let new = old.replace(
        "version = 1\nfile = \"keys/master-1.key\"",
        "version = 2\nfile = \"keys/master-2.key\"",
    );
    assert_ne!(new, old);
    std::fs::write(&config, &new).unwrap();
    let again = TestGateway::again(rest).await;
    assert_eq!(again.officer.get(&path).await.unwrap().status, 200);
    again.stop().await;
}
