//! Certificates and keys, judged by OpenSSL.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use super::{complaint, expect};

fn openssl(folder: &Path, line: &str) -> (bool, String) {
    let output = Command::new("openssl")
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn openssl_trusts_each_certificate_for_its_use_only() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    expect(folder, 0, "certs ca --name root --out ca");
    expect(
        folder,
        0,
        "certs server --ca ca --name bureau.test --name 127.0.0.1 --out bureau.test",
    );
    expect(folder, 0, "certs client --ca ca --name loans --out client");
    let cases = [
        (
            "-purpose sslserver -verify_hostname bureau.test",
            "bureau.test",
            true,
        ),
        (
            "-purpose sslserver -verify_ip 127.0.0.1",
            "bureau.test",
            true,
        ),
        (
            "-purpose sslserver -verify_hostname other.test",
            "bureau.test",
            false,
        ),
        ("-purpose sslclient", "bureau.test", false),
        ("-purpose sslclient", "client", true),
        ("-purpose sslserver", "client", false),
        ("-purpose sslclient -attime 4000000000", "client", false),
    ];
    for (use_, name, expected) in cases {
        let (good, said) = openssl(folder, &format!("verify -CAfile ca.pem {use_} {name}.pem"));
        assert_eq!(good, expected, "{name} {use_}: {said}");
    }
}

#[test]
fn a_client_is_known_by_the_digest_that_openssl_finds() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    expect(folder, 0, "certs ca --name root --out ca");
    let made = expect(
        folder,
        0,
        "--json certs client --ca ca --name loans --out client",
    );
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let (good, key) = openssl(folder, "x509 -in client.pem -noout -pubkey");
    assert!(good);
    fs::write(folder.join("key.pem"), key).unwrap();
    openssl(folder, "pkey -pubin -in key.pem -outform DER -out key.der");
    let (_, digest) = openssl(folder, "dgst -sha256 -r key.der");
    assert_eq!(made["key_sha256"], digest.split(' ').next().unwrap());
}

#[test]
fn an_sm2_pair_signs_and_verifies_in_openssl() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    expect(folder, 0, "certs sm2 --out signing");
    fs::write(folder.join("text"), "text").unwrap();
    let id = "-rawin -digest sm3 -pkeyopt distid:1234567812345678";
    let (good, said) = openssl(
        folder,
        &format!("pkeyutl -sign {id} -inkey signing-key.pem -in text -out signature"),
    );
    assert!(good, "{said}");
    let (good, said) = openssl(
        folder,
        &format!("pkeyutl -verify {id} -pubin -inkey signing.pem -in text -sigfile signature"),
    );
    assert!(good, "{said}");
}

#[test]
fn a_key_is_for_its_owner_and_stays_unless_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = folder.join("ca-key.pem");
    expect(folder, 0, "certs ca --name root --out ca");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let first = fs::read(&key).unwrap();
    let said = complaint(folder, 1, "certs ca --name root --out ca");
    assert!(
        said.starts_with("creditgate: cannot write ca-key.pem: "),
        "{said}"
    );
    assert_eq!(fs::read(&key).unwrap(), first);
    expect(folder, 0, "certs ca --name root --out ca --replace");
    assert_ne!(fs::read(&key).unwrap(), first);
}
