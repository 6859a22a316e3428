//! What the bureau answers when nothing is broken.

use std::{io::Read as _, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::read::GzDecoder;
use mocks::{Encoding, Member, PERSONAS, Says, User, synthetic_resident_id};
use sm2::{
    SecretKey,
    dsa::SigningKey,
    elliptic_curve::Generate as _,
    pkcs8::{EncodePublicKey as _, LineEnding},
};
use sm3::{Digest as _, Sm3};

use crate::client::{INSTITUTION, Request, Town, client, element};

/// The report in a reply, and whether it came compressed.
fn report(body: &[u8]) -> (String, bool) {
    let encoded = element(std::str::from_utf8(body).unwrap(), "ReportMessage");
    let bytes = BASE64_STANDARD.decode(encoded).unwrap();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return (String::from_utf8(bytes).unwrap(), false);
    }
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    (text, true)
}

#[tokio::test]
async fn every_persona_is_answered_as_the_table_says() {
    let town = Town::start(|_| {}).await;
    let client = town.client();
    for persona in PERSONAS {
        let id_number = persona.id_number();
        let request = Request::about(&id_number).with("Name", persona.name);
        let (status, body) = town.ask(&client, &request).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        let code = match persona.says {
            Says::NoHit => "AAA001",
            Says::Partial => "DBO004",
            Says::Refusal(code) => code,
            Says::Report { .. } => "AAA000",
        };
        assert_eq!(
            (status, element(text, "ResultCode").as_str()),
            (200, code),
            "{}",
            persona.name
        );
        if matches!(persona.says, Says::Partial | Says::Report { .. }) {
            let (report, _) = report(&body);
            assert!(report.contains(&id_number) && report.contains(persona.name));
            assert_eq!(element(text, "ReportName"), "2026031600000001.xml");
        } else {
            assert_eq!(element(text, "ReportMessage"), "");
        }
        assert!(text.contains(&format!(
            "B2.0.0B0000000000001{INSTITUTION}20260316120000D10220260316000000010000000000&#13;"
        )));
        assert_eq!(town.bureau.count_for(&id_number), 1);
    }
    assert_eq!(town.bureau.count(), PERSONAS.len());
}

#[tokio::test]
async fn reports_come_in_both_encodings_and_in_the_size_asked_for() {
    let cases = [
        (Encoding::Base64, [false, false]),
        (Encoding::Base64Gzip, [true, true]),
        (Encoding::Alternating, [false, true]),
    ];
    for (encoding, expected) in cases {
        let town = Town::start(|config| {
            config.encoding = encoding;
            config.least_report_bytes = 150_000;
        })
        .await;
        let client = town.client();
        for zipped in expected {
            let request = Request::about(&synthetic_resident_id(1));
            let (_, body) = town.ask(&client, &request).await.unwrap();
            let (report, was_zipped) = report(&body);
            assert_eq!(was_zipped, zipped, "{encoding:?}");
            assert!((150_000..151_000).contains(&report.len()), "{encoding:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_field_gets_the_code_of_its_check() {
    let town = Town::start(|_| {}).await;
    let good = Request::about(&synthetic_resident_id(1));
    for (field, value, code) in [
        ("QueryOrgCode", "Z99990000H0002", "DBO001"),
        ("UserCode", "", "DBE015"),
        ("Password", "secret", "DBE015"),
        ("OriginateOrgCode", "short", "DBE009"),
        ("OriginateUserCode", "", "DBE016"),
        ("Name", "", "DBE002"),
        ("IDType", "0", "DBE003"),
        ("IDNum", "999999197001010019", "DBE004"), // wrong check digit
        ("IDNum", "110000199001010011", "DBE004"), // an area that exists
        ("QueryReason", "04", "DBE001"),
        ("ServiceCode", "FW_QYXYBG_0043", "DBE014"),
    ] {
        assert_eq!(
            town.code(&good.clone().with(field, value)).await,
            code,
            "{field}={value}"
        );
    }
    assert_eq!(
        town.code(&Request {
            sender: "z".repeat(14),
            ..good
        })
        .await,
        "MOCK01"
    );
}

#[tokio::test]
async fn members_are_known_by_code_user_password_key_and_agency() {
    let key = |pem: &SecretKey| pem.public_key().to_public_key_pem(LineEnding::LF).unwrap();
    let (ours, other) = (SecretKey::generate(), SecretKey::generate());
    let signer =
        |key: &SecretKey| Some(Arc::new(SigningKey::new("1234567812345678", key).unwrap()));
    let member = |code: &str, acts_for: &[&str]| Member {
        code: code.to_owned(),
        users: vec![User {
            code: "user".to_owned(),
            password: "口令".to_owned(),
        }],
        signing_key_pem: Some(key(&ours)),
        acts_for: acts_for.iter().map(|&code| code.to_owned()).collect(),
    };
    let town = Town::start(|config| {
        config.members = vec![
            member(INSTITUTION, &["Z99990000H0002"]),
            member("Z99990000H0002", &[]),
            member("Z99990000H0003", &[]),
        ];
    })
    .await;
    let digest: String = Sm3::digest("口令".as_bytes())
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let mut good = Request::about(&synthetic_resident_id(1)).with("Password", &digest);
    good.sign = signer(&ours);

    for (case, request, code) in [
        ("right", good.clone(), "AAA000"),
        (
            "lower case",
            good.clone().with("Password", &digest.to_lowercase()),
            "AAA000",
        ),
        (
            "agency",
            good.clone().with("OriginateOrgCode", "Z99990000H0002"),
            "AAA000",
        ),
        (
            "no agency",
            good.clone().with("OriginateOrgCode", "Z99990000H0003"),
            "DBO002",
        ),
        (
            "stranger",
            good.clone().with("OriginateOrgCode", "Z99990000H0004"),
            "DBE009",
        ),
        (
            "password",
            good.clone().with("Password", &"0".repeat(64)),
            "DBE015",
        ),
        ("user", good.clone().with("UserCode", "nobody"), "DBE015"),
        (
            "other user",
            good.clone().with("OriginateUserCode", "nobody"),
            "DBE016",
        ),
        (
            "other key",
            Request {
                sign: signer(&other),
                ..good.clone()
            },
            "MOCK03",
        ),
        (
            "unsigned",
            Request {
                sign: None,
                ..good.clone()
            },
            "MOCK03",
        ),
    ] {
        assert_eq!(town.code(&request).await, code, "{case}");
    }
}

#[tokio::test]
async fn only_a_client_certificate_of_our_authority_is_let_in() {
    let town = Town::start(|_| {}).await;
    let root = &town.authority.pem;
    let request = Request::about(&synthetic_resident_id(1));
    for (case, client) in [
        ("none", client(root, None)),
        (
            "foreign",
            client(root, Some(&town.foreign.issue("gateway", 4000))),
        ),
        (
            "expired",
            client(root, Some(&town.authority.issue("gateway", 2000))),
        ),
    ] {
        assert!(town.ask(&client, &request).await.is_err(), "{case}");
    }
    assert!(town.bureau.received().is_empty());
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_counted_but_not_listed() {
    let town = Town::start(|_| {}).await;
    let client = town.client();
    let url = town.url();
    for (case, request, status) in [
        ("method", client.get(&url), 405),
        ("path", client.post(format!("{url}/other")), 404),
        (
            "type",
            client.post(&url).header("Content-Type", "application/json"),
            415,
        ),
        (
            "envelope",
            client
                .post(&url)
                .header("Content-Type", "text/xml")
                .body("<a/>"),
            500,
        ),
    ] {
        assert_eq!(
            request.send().await.unwrap().status().as_u16(),
            status,
            "{case}"
        );
    }
    assert_eq!(town.bureau.count(), 4);
    assert!(
        town.bureau
            .received()
            .iter()
            .all(|received| !received.listed)
    );
}
