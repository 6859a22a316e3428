//! Configuration, read from files as people write them.

use std::fs;

use super::*;
use crate::platform::{
    certs::{CertificateAuthority, Existing, Sm2KeyPair, Validity, write_secret},
    vault::MasterKey,
};

const WORDS: Vocabulary<'static> = Vocabulary {
    adapters: &["pboc"],
    purposes: &["guarantor_check", "loan_approval", "officer_check"],
};

const DEMO: &str = include_str!("../../../config/demo.toml");
const DEVELOPMENT: &str = include_str!("../../../config/development.toml");
const PRODUCTION: &str = include_str!("../../../config/production.toml");

fn now() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

fn judge(text: &str, folder: &Path, depth: Depth) -> Result<Config, Vec<ConfigFinding>> {
    check_text(text, folder, depth, &WORDS, now())
}

/// Line, path and code of everything that is wrong with a text.
fn found(text: &str) -> Vec<(usize, String, &'static str)> {
    let findings = judge(text, Path::new("/base"), Depth::Text).unwrap_err();
    (findings.into_iter())
        .map(|finding| (finding.line, finding.path, finding.code))
        .collect()
}

fn line_of(text: &str, part: &str) -> usize {
    1 + text.lines().position(|line| line.contains(part)).unwrap()
}

#[test]
fn the_profiles_in_the_repository_are_complete() {
    for (name, text) in [
        ("demo", DEMO),
        ("development", DEVELOPMENT),
        ("production", PRODUCTION),
    ] {
        let config = judge(text, Path::new("/base"), Depth::Text);
        let config = config.unwrap_or_else(|findings| panic!("{name}: {findings:#?}"));
        assert_eq!(format!("{:?}", config.profile).to_lowercase(), name);
        assert!(
            !format!("{config:?}").contains("development only"),
            "{name}"
        );
    }
}

#[test]
fn relative_paths_begin_at_the_folder_of_the_file() {
    let config = judge(DEMO, Path::new("/base"), Depth::Text).unwrap();
    assert_eq!(config.database.address, "sqlite:/base/data/creditgate.db");
    assert_eq!(config.audit.sinks[0].folder, Path::new("/base/outside"));
    assert_eq!(config.data_folder(), Some("/base/data".into()));
    let config = judge(PRODUCTION, Path::new("/base"), Depth::Text).unwrap();
    assert_eq!(
        config.audit.key,
        Path::new("/etc/creditgate/secrets/log.key")
    );
}

#[test]
fn all_defects_of_form_are_found_at_once_with_their_lines() {
    let text = DEMO
        .replace("checkpoint_seconds = 5", "checkpoint_secs = 5")
        .replace("origin = ", "# origin = ")
        .replace("cipher = \"aes256-gcm\"", "cipher = \"rot13\"")
        .replace("address = \"127.0.0.1:8444\"", "address = \"people\"")
        .replace("concurrency = 8", "concurrency = \"eight\"")
        .replace(
            "password = { file = \"keys/demo-bank.password\" }",
            "password = 12345",
        )
        .replace("kind = \"statutory\"", "kind = \"verbal\"")
        .replace("format = \"pretty\"", "format = true");
    let at = |part: &str| line_of(&text, part);
    let path = |path: &str| path.to_owned();
    let mut expected = vec![
        (at("cipher ="), path("vault.cipher"), "wrong_value"),
        (at("[audit]"), path("audit.origin"), "missing_key"),
        (
            at("checkpoint_secs"),
            path("audit.checkpoint_secs"),
            "unknown_key",
        ),
        (
            at("address = \"people\""),
            path("listeners.people.address"),
            "wrong_value",
        ),
        (
            at("kind = \"verbal\""),
            path("bureaus[0].licence.kind"),
            "wrong_value",
        ),
        (
            at("concurrency"),
            path("bureaus[0].limits.concurrency"),
            "wrong_value",
        ),
        (
            at("password = 12345"),
            path("bureaus[0].members[0].password"),
            "wrong_value",
        ),
        (at("format = true"), path("logging.format"), "wrong_value"),
    ];
    expected.sort();
    assert_eq!(found(&text), expected);
}

#[test]
fn the_month_of_the_calendar_alarm_is_a_month() {
    let text = |month: u8| format!("{DEMO}\n[calendar]\nnext_year_from_month = {month}\n");
    let good = judge(&text(11), Path::new("/base"), Depth::Text).unwrap();
    assert_eq!(good.calendar.next_year_from_month, 11);
    for month in [0, 13] {
        let text = text(month);
        let at = line_of(&text, "next_year_from_month");
        let path = "calendar.next_year_from_month".to_owned();
        assert_eq!(found(&text), [(at, path, "range")], "{month}");
    }
}

#[test]
fn a_value_is_never_repeated() {
    let text = DEMO
        .replace("{ file = \"keys/demo-bank.password\" }", "\"p4ssword\"")
        .replace(
            "{ file = \"keys/demo-platform.password\" }",
            "{ value = [\"p4ssword\"] }",
        );
    let findings = judge(&text, Path::new("/base"), Depth::Text).unwrap_err();
    assert!(!findings.is_empty());
    assert!(
        !format!("{findings:?}").contains("p4ssword"),
        "{findings:#?}"
    );
}

#[test]
fn meaning_is_judged_beside_form() {
    let text = DEMO
        .replace("filter = \"info\"", "filter = \"loud=very\"\ncolor = true")
        .replace("id = \"demo-platform\"", "id = \"demo-bank\"")
        .replace(
            "institution = \"demo-platform\"",
            "institution = \"nobody\"",
        )
        .replace("adapter = \"pboc\"", "adapter = \"telex\"")
        .replace("[\"guarantor_check\"]", "[\"curiosity\"]")
        .replace("127.0.0.1:9470", "127.0.0.1:8443")
        .replace("version = 1\n", "version = 1\ncommand = [\"x\"]\n")
        .replace("origin = \"", "origin = \"a b");
    let codes: Vec<_> = found(&text)
        .into_iter()
        .map(|(_, path, code)| (path, code))
        .collect();
    let expected = [
        ("vault.master_keys[0]", "master_key"),
        ("audit.origin", "origin"),
        ("listeners.operations.address", "twice"),
        ("institutions[1].id", "twice"),
        ("bureaus[0].adapter", "unknown_adapter"),
        ("bureaus[0].members[1].institution", "unknown_institution"),
        (
            "bureaus[0].submission.members[1].institution",
            "unknown_institution",
        ),
        ("inquiries.checker_purposes[0]", "unknown_purpose"),
        ("logging.filter", "filter"),
        ("logging.color", "unknown_key"),
    ];
    assert_eq!(codes, expected.map(|(path, code)| (path.to_owned(), code)));
}

#[test]
fn production_refuses_what_the_demo_may() {
    let text = DEMO
        .replace("profile = \"demo\"", "profile = \"production\"")
        .replace("127.0.0.1:9470", "0.0.0.0:9470")
        .replace(
            "{ file = \"keys/demo-bank.password\" }",
            "{ value = \"x\" }",
        );
    let start = text.find("[[audit.sinks]]").unwrap();
    let end = text.find("[listeners.machines]").unwrap();
    let text = [&text[..start], &text[end..]].concat();
    let codes: Vec<_> = found(&text).into_iter().map(|(_, _, code)| code).collect();
    assert_eq!(
        codes,
        [
            "no_sink",
            "demo_name",
            "plain_transport",
            "mock",
            "secret_in_place"
        ]
    );
    let plain = PRODUCTION.replace("?sslmode=verify-full&", "?");
    assert_eq!(found(&plain)[0].2, "plain_transport");
    let password = PRODUCTION.replace("creditgate@", "creditgate:x@");
    assert_eq!(found(&password)[0].2, "password_in_address");
    let ended = DEVELOPMENT.replace("2036-12-31", "2026-11-23");
    assert_eq!(found(&ended)[0].2, "plain_transport");
}

#[test]
fn every_error_of_syntax_has_its_line() {
    let text = DEMO
        .replace("profile = \"demo\"", "profile = demo\"")
        .replace("version = 1", "version =");
    let found = found(&text);
    let lines: Vec<_> = found.iter().map(|(line, _, _)| *line).collect();
    assert!(found.iter().all(|(_, _, code)| *code == "syntax"));
    assert!(lines.contains(&line_of(&text, "profile =")), "{lines:?}");
    assert!(lines.contains(&line_of(&text, "version =")), "{lines:?}");
}

/// A folder with all that the demo's configuration names.
fn furnished() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in [
        "data",
        "keys",
        "certs",
        "outside",
        "exchange/out",
        "exchange/in",
    ] {
        fs::create_dir_all(at(name)).unwrap();
    }
    let validity = Validity {
        from: "2026-01-01T00:00:00Z".parse().unwrap(),
        until: "2027-01-01T00:00:00Z".parse().unwrap(),
    };
    let authority = CertificateAuthority::generate("creditgate demo", validity).unwrap();
    fs::write(at("certs/ca.pem"), authority.certificate_pem()).unwrap();
    let gateway = authority.server(&["localhost"], validity).unwrap();
    let line = authority.client("line", validity).unwrap();
    for (name, identity) in [("gateway", gateway), ("line", line)] {
        let (certificate, key) = (format!("certs/{name}.pem"), format!("certs/{name}-key.pem"));
        identity
            .write(&at(&certificate), &at(&key), Existing::Keep)
            .unwrap();
    }
    let secret = |name: &str, text: &[u8]| {
        write_secret(&at(name), text, Existing::Keep).unwrap();
    };
    secret(
        "keys/master-1.key",
        MasterKey::generate().unwrap().to_text().as_bytes(),
    );
    secret("keys/log.key", b"PRIVATE+KEY+x");
    for house in ["demo-bank", "demo-platform"] {
        secret(&format!("keys/{house}.password"), b"correct horse\n");
        let pair = Sm2KeyPair::generate().unwrap();
        secret(
            &format!("keys/{house}-sm2.pem"),
            pair.private_pem.as_bytes(),
        );
        secret(&format!("keys/{house}-file.key"), b"demo0123456789ab\n");
    }
    folder
}

#[test]
fn the_files_of_the_demo_are_good() {
    let folder = furnished();
    let config = folder.path().join("creditgate.toml");
    fs::write(&config, DEMO).unwrap();
    check(&config, Depth::Files, &WORDS, now()).unwrap();
    let missing = check(&folder.path().join("none"), Depth::Files, &WORDS, now());
    assert_eq!(missing.unwrap_err()[0].code, "unreadable");
}

#[test]
fn every_file_is_judged_at_once() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = furnished();
    let at = |name: &str| folder.path().join(name);
    fs::remove_file(at("certs/line.pem")).unwrap();
    fs::copy(at("certs/line-key.pem"), at("certs/gateway-key.pem")).unwrap();
    fs::write(at("keys/master-1.key"), "short").unwrap();
    fs::write(at("keys/log.key"), "").unwrap();
    fs::write(at("keys/demo-bank-sm2.pem"), "x").unwrap();
    fs::write(at("keys/demo-bank.password"), "\n").unwrap();
    fs::set_permissions(
        at("keys/demo-platform.password"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    fs::remove_dir(at("outside")).unwrap();
    fs::write(at("keys/demo-bank-file.key"), "fifteen letters").unwrap();
    let findings = judge(DEMO, folder.path(), Depth::Files).unwrap_err();
    let found: Vec<_> = findings.iter().map(|f| (f.path.as_str(), f.code)).collect();
    assert_eq!(
        found,
        [
            ("vault.master_keys[0].file", "wrong_file"),
            ("audit.key", "wrong_file"),
            ("audit.sinks[0].folder", "unreadable"),
            ("listeners.machines.key", "key_mismatch"),
            ("listeners.people.key", "key_mismatch"),
            ("bureaus[0].transport.certificate", "unreadable"),
            ("bureaus[0].members[0].password", "wrong_file"),
            ("bureaus[0].members[0].signer.file", "wrong_file"),
            ("bureaus[0].members[1].password.file", "file_mode"),
            ("bureaus[0].submission.members[0].seal.file", "wrong_file"),
        ]
    );
    let late = "2027-06-01T00:00:00Z".parse().unwrap();
    let folder = furnished();
    let findings = check_text(DEMO, folder.path(), Depth::Files, &WORDS, late).unwrap_err();
    assert!(
        findings.iter().all(|f| f.code == "out_of_date"),
        "{findings:#?}"
    );
    assert_eq!(findings.len(), 6);
}

#[test]
fn production_refuses_demo_keys_default_passwords_and_keys_beside_the_data() {
    let folder = furnished();
    let at = |name: &str| folder.path().join(name);
    fs::rename(at("keys/master-1.key"), at("data/master-1.key")).unwrap();
    std::os::unix::fs::symlink(at("data/master-1.key"), at("keys/master-1.key")).unwrap();
    fs::write(at("keys/demo-bank.password"), "ChangeMe\n").unwrap();
    let text = DEMO.replace("profile = \"demo\"", "profile = \"production\"");
    let findings = judge(&text, folder.path(), Depth::Files).unwrap_err();
    let codes: std::collections::BTreeSet<_> = findings.iter().map(|f| f.code).collect();
    let expected = [
        "default_password",
        "demo_key",
        "demo_name",
        "in_data_folder",
        "mock",
    ];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), expected);
    let inside: Vec<_> = findings
        .iter()
        .filter(|f| f.code == "in_data_folder")
        .collect();
    assert_eq!(inside.len(), 1);
    assert_eq!(inside[0].path, "vault.master_keys[0].file");
}

/// The demo's configuration with another section about submission.
fn submitting(section: &str) -> String {
    let start = DEMO.find("[bureaus.submission]").unwrap();
    let end = DEMO.find("[inquiries]").unwrap();
    [&DEMO[..start], section, &DEMO[end..]].concat()
}

#[test]
fn submission_is_judged_at_once() {
    let text = submitting(
        r#"
        [bureaus.submission]
        transport = { kind = "exchange", out = "same", in = "same" }
        transfer_seconds = 0
        [[bureaus.submission.members]]
        institution = "nobody"
        organization_code = "t99999999h0001"
        seal = { kind = "command", command = [] }
        [[bureaus.submission.members]]
        institution = "demo-bank"
        organization_code = "T99999999H0001"
        seal = { kind = "component", seal = [], open = [], timeout_seconds = 0 }
        [[bureaus.submission.members]]
        institution = "demo-bank"
        organization_code = "T99999999H0001"
        seal = { kind = "file", file = "x" }
        "#,
    );
    let at = |path: &str| format!("bureaus[0].submission.{path}");
    let mut places: Vec<_> = found(&text).into_iter().map(|(_, path, _)| path).collect();
    places.sort();
    assert_eq!(
        places,
        [
            at("members[0].institution"),
            at("members[0].organization_code"),
            at("members[0].seal.command"),
            at("members[1].seal.open"),
            at("members[1].seal.seal"),
            at("members[1].seal.timeout_seconds"),
            at("members[2].institution"),
            at("members[2].organization_code"),
            at("transfer_seconds"),
            at("transport.in"),
        ]
    );
    let text = submitting(
        r#"
        [bureaus.submission]
        transport = { kind = "https", address = "nowhere", base_path = "x/", protection = { kind = "plain_in_vpn", reason = "", owner = "", until = "2020-01-01" } }
        "#,
    );
    let mut places: Vec<_> = found(&text).into_iter().map(|(_, path, _)| path).collect();
    places.sort();
    assert_eq!(
        places,
        [
            at("transport.address"),
            at("transport.base_path"),
            at("transport.protection"),
            at("transport.protection.owner"),
            at("transport.protection.reason"),
        ]
    );
}

#[test]
fn the_folders_of_an_exchange_are_relative_to_the_file_and_must_exist() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = furnished();
    let text = submitting(
        "[bureaus.submission]\ntransport = { kind = \"exchange\", out = \"out\", in = \"in\" }\n",
    );
    let findings = judge(&text, folder.path(), Depth::Files).unwrap_err();
    let places: Vec<_> = findings.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(
        places,
        [
            "bureaus[0].submission.transport.in",
            "bureaus[0].submission.transport.out"
        ]
    );
    for name in ["out", "in"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    judge(&text, folder.path(), Depth::Files).unwrap();
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path().join("in"), open).unwrap();
    judge(&text, folder.path(), Depth::Files).unwrap();
    let text = text.replace("profile = \"demo\"", "profile = \"production\"");
    let findings = judge(&text, folder.path(), Depth::Files).unwrap_err();
    let modes: Vec<_> = findings.iter().filter(|f| f.code == "file_mode").collect();
    assert_eq!(modes.len(), 1);
    assert_eq!(modes[0].path, "bureaus[0].submission.transport.in");
}

#[test]
fn production_knows_a_file_key_that_no_bureau_gave() {
    for (key, demo) in [
        ("demo0123456789ab", true),
        ("DEMO9f1c2b7a6e5d", true),
        ("1234567812345678", true),
        ("1234567890123456", true),
        ("0123456789ABCDEF", true),
        ("aaaaaaaaaaaaaaaa", true),
        ("k7Rt0qWz5mXv2Lp9", false),
    ] {
        assert_eq!(is_demo_key(key.as_bytes()), demo, "{key}");
    }
    let production = DEMO.replace("profile = \"demo\"", "profile = \"production\"");
    let findings = judge(&production, furnished().path(), Depth::Files).unwrap_err();
    assert!(findings.iter().any(|f| {
        f.path == "bureaus[0].submission.members[1].seal.file" && f.code == "demo_key"
    }));
}
