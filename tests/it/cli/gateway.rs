//! The commands against a whole gateway: what they send is what it reads.

use std::{fs, path::Path};

use creditgate::{
    authorizations::Purpose,
    platform::{
        certs::{Existing, write_secret},
        clock::china_date,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{configure, expect};
use crate::support::{TestGateway, inquiry};

/// A folder of an officer's machine: configuration, authority, tokens, request.
fn machine(test: &TestGateway, folder: &Path, request: &Value) {
    configure(folder, &test.addresses.people.to_string());
    let ca = test.house.authority.certificate_pem();
    fs::write(folder.join("ca.pem"), ca).unwrap();
    let token = |name: &str, token: &SecretString| {
        let bytes = token.expose_secret().as_bytes();
        write_secret(&folder.join(name), bytes, Existing::Keep).unwrap();
    };
    token("officer", &test.staff.officer.1);
    token("compliance", &test.staff.compliance.1);
    fs::write(folder.join("request.json"), request.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_asks_and_compliance_proves_it() {
    let test = TestGateway::start().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    machine(&test, folder, &inquiry(&subject, "loan_approval"));

    let line = "explain request.json --token-file officer --lang en";
    let said = expect(folder, 3, line);
    assert!(said.contains("✗ QR-01 "), "{said}");
    let said = expect(folder, 3, "inquire request.json --token-file officer");
    assert!(said.contains("✗ QR-01 "), "{said}");
    assert_eq!(test.house.bureau.count(), 0);

    test.authorize(&subject, &[Purpose::LoanApproval]).await;
    expect(folder, 0, line);
    let line = "inquire request.json --token-file officer --key once";
    let said = expect(folder, 0, line);
    for part in ["状态: answered", "回执: ", "信息概要", "衍生变量"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let again = expect(folder, 0, &format!("{line} --json"));
    let again: Value = serde_json::from_str(&again).unwrap();
    assert!(again["report"]["sections"].is_array());
    assert_eq!(test.house.bureau.count(), 1);
    let id = again["id"].as_str().unwrap();

    // Under another key the report at hand is offered, and nobody is asked.
    expect(folder, 3, "inquire request.json --token-file officer");
    assert_eq!(test.house.bureau.count(), 1);
    let search = "register --state answered --bureau pboc --token-file compliance";
    let found = expect(folder, 0, &format!("{search} --json"));
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found[0]["id"], id);
    assert!(expect(folder, 0, &format!("{search} --csv")).contains(id));

    let bundle = |out: &str, who: &str| format!("audit bundle {id} --out {out} --token-file {who}");
    expect(folder, 0, &bundle("b.json", "compliance"));
    expect(folder, 0, "audit verify-bundle b.json");
    expect(folder, 3, &bundle("c.json", "officer"));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_takes_originals_from_a_folder() {
    let test = TestGateway::start().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    machine(&test, folder, &inquiry(&subject, "loan_approval"));
    fs::create_dir(folder.join("originals")).unwrap();
    fs::write(folder.join("originals/a.pdf"), "signed original").unwrap();
    let day = china_date(test.gateway.clock().now()).yesterday().unwrap();
    let row = |reference: &str, file: &str| {
        let number = subject.expose_number();
        format!(
            "{reference},inquire,person,10,{number},测试甲,pboc,loan_approval,,\
             {day}T10:00:00+08:00,{day},2036-01-05,privacy-policy,2026-01,1,{file}\n"
        )
    };
    let columns = creditgate::authorizations::COLUMNS.join(",");
    let (good, bad) = (row("ref-1", "a.pdf"), row("ref-2", "none.pdf"));
    fs::write(folder.join("in.csv"), format!("{columns}\n{good}{bad}")).unwrap();
    let line = "authorizations import in.csv --originals originals --token-file compliance --json";
    let told: Value = serde_json::from_str(&expect(folder, 3, line)).unwrap();
    assert_eq!(told["taken"]["rows"], 2, "{told}");
    assert_eq!(told["taken"]["recorded"], 1, "{told}");
    assert_eq!(told["findings"][0]["line"], 3, "{told}");
    test.stop().await;
}
