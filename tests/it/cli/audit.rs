//! `creditgate audit`, on a log that was made here.

use std::{fs, path::Path, sync::Arc};

use creditgate::{
    audit::{Appender, Draft, Kind, Log, key::LogKey},
    platform::{
        clock::Clock,
        db::{Db, DbError, Urgency},
    },
};
use serde_json::Value;

use super::{complaint, expect};

/// A folder with the development configuration, and its database with a log of
/// some entries; gives the log's public key.
async fn house(folder: &Path, entries: usize) -> String {
    let config = include_str!("../../../config/development.toml");
    fs::write(folder.join("creditgate.toml"), config).unwrap();
    fs::create_dir_all(folder.join("dev-data")).unwrap();
    let address = format!("sqlite:{}", folder.join("dev-data/creditgate.db").display());
    let db = Db::open(&address, Arc::new(Appender)).await.unwrap();
    let random = ring::rand::SystemRandom::new();
    let (key, _) = LogKey::generate("log.test/a", &random).unwrap();
    let log = Log::open(db.clone(), key, Vec::new()).await.unwrap();
    append(&db, entries).await;
    log.sign().await.unwrap();
    log.vkey()
}

async fn append(db: &Db, entries: usize) {
    let now = Clock::system().now();
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            for _ in 0..entries {
                let draft = Draft::new(Kind::new("test.happened"), "demo-bank", now);
                tx.append(draft.about("thing-1").finish().unwrap().into());
            }
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
}

/// Changes one byte near the end of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 10;
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_a_file_are_verified_without_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let vkey = house(folder, 300).await;
    expect(folder, 0, "audit export --out log");
    fs::remove_file(folder.join("creditgate.toml")).unwrap();
    for place in ["log", "dev-data/creditgate.db"] {
        let said = expect(folder, 0, &format!("audit verify {place}"));
        assert!(said.contains("self-consistent only"), "{said}");
        let said = expect(folder, 0, &format!("audit verify --vkey {vkey} {place}"));
        assert!(said.contains("300 entries"), "{said}");
        assert!(
            said.contains("signed by the key that you brought"),
            "{said}"
        );
        let line = format!("audit verify --vkey log/log.vkey --since log {place} --json");
        let report: Value = serde_json::from_str(&expect(folder, 0, &line)).unwrap();
        assert_eq!(report["good"], true);
        assert_eq!(report["trust"], "key");
        assert_eq!(report["since"], serde_json::json!([300]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_folder_is_named_and_exits_with_5() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    house(folder, 300).await;
    expect(folder, 0, "audit export --out log");
    damage(&folder.join("log/tile/entries/000"));
    let said = expect(folder, 5, "audit verify log");
    assert!(said.contains("✗ entry 255 was changed"), "{said}");
    assert!(said.contains("✗ not verified: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    house(folder, 3).await;
    expect(folder, 0, "audit export --out log");
    let (other, _) = LogKey::generate("log.test/a", &ring::rand::SystemRandom::new()).unwrap();
    expect(
        folder,
        5,
        &format!("audit verify --vkey {} log", other.verifier()),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_is_found_by_a_checkpoint_that_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    house(folder, 5).await;
    expect(folder, 0, "audit export --out log");
    let other = tempfile::tempdir().unwrap();
    house(other.path(), 3).await;
    expect(other.path(), 0, "audit export --out log");
    let kept = folder.join("log/checkpoint");
    let line = format!("audit verify --since {} log", kept.display());
    expect(other.path(), 5, &line);
}

#[test]
fn verifying_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let said = complaint(folder.path(), 1, "audit verify no-such.db");
    assert!(said.contains("cannot read no-such.db: "), "{said}");
    assert!(!folder.path().join("no-such.db").exists());
}

#[test]
fn what_is_no_bundle_is_not_proven() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b.json"), "{}").unwrap();
    expect(folder.path(), 5, "audit verify-bundle b.json");
    expect(folder.path(), 1, "audit verify-bundle none.json");
}
