use std::fs;
use std::sync::Mutex;

use tempfile::TempDir;

use super::*;
use crate::args;
use crate::audit::appender::Appender;
use crate::audit::entry::EntryError;
use crate::audit::json::JsonError;
use crate::audit::log::Log;
use crate::audit::testing::{HandMade, append, append_many, draft, entry, key};
use crate::platform::db::{Args, Urgency};
use crate::testing::databases;

fn written(log: &HandMade) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    log.write(folder.path());
    folder
}

fn trusting() -> Options {
    Options {
        vkey: Some(key(1).verifier().clone()),
        ..Options::default()
    }
}

/// What is found after one file was changed.
fn found(folder: &Path, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<Finding> {
    let file = folder.join(path);
    let before = fs::read(&file).unwrap();
    let mut bytes = before.clone();
    change(&mut bytes);
    fs::write(&file, bytes).unwrap();
    let findings = verify_folder(folder, &trusting()).unwrap().findings;
    fs::write(file, before).unwrap();
    findings
}

fn flip(at: usize) -> impl FnOnce(&mut Vec<u8>) {
    move |bytes| bytes[at] ^= 1
}

fn altered_tile(path: &str) -> Vec<Finding> {
    vec![Finding::AlteredTile {
        path: path.to_owned(),
    }]
}

#[test]
fn a_whole_folder_is_good_and_says_how_far_it_can_be_trusted() {
    for size in [0, 1, 255, 256, 257, 700] {
        let log = HandMade::new(size);
        let folder = written(&log);
        let report = verify_folder(folder.path(), &trusting()).unwrap();
        assert_eq!(report.findings, [], "size {size}");
        assert_eq!((report.size, report.signed), (size, size));
        assert_eq!(report.root, log.root(size as usize));
        assert_eq!(report.trust, Trust::Key(key(1).verifier().to_string()));
        let report = verify_folder(folder.path(), &Options::default()).unwrap();
        assert_eq!(
            (report.is_good(), report.trust),
            (true, Trust::SelfConsistent)
        );
        let other = Options {
            vkey: Some(key(2).verifier().clone()),
            ..Options::default()
        };
        let report = verify_folder(folder.path(), &other).unwrap();
        assert!(
            matches!(report.findings[..], [Finding::BadCheckpoint { .. }]),
            "size {size}"
        );
    }
}

#[test]
fn one_changed_byte_is_named_where_it_is() {
    let log = HandMade::new(700);
    let folder = written(&log);
    let offset = |n: usize| {
        log.bodies[n / 256 * 256..n]
            .iter()
            .map(|b| b.len() + 2)
            .sum::<usize>()
    };
    let changed = |index: u64| vec![Finding::AlteredEntry { index }];
    let cases = [
        (
            "first entry",
            "tile/entries/000",
            offset(0) + 20,
            changed(0),
        ),
        (
            "an entry",
            "tile/entries/001",
            offset(300) + 50,
            changed(300),
        ),
        (
            "last entry",
            "tile/entries/002.p/188",
            offset(699) + 50,
            changed(699),
        ),
        (
            "a full tile",
            "tile/0/001",
            32 * 7,
            altered_tile("tile/0/001"),
        ),
        (
            "a partial tile",
            "tile/0/002.p/188",
            9,
            altered_tile("tile/0/002.p/188"),
        ),
        (
            "an upper tile",
            "tile/1/000.p/2",
            40,
            altered_tile("tile/1/000.p/2"),
        ),
        (
            "the length of an entry",
            "tile/entries/001",
            offset(300) + 1,
            vec![Finding::AlteredBundle {
                path: "tile/entries/001".into(),
            }],
        ),
    ];
    for (name, path, at, expected) in cases {
        assert_eq!(found(folder.path(), path, flip(at)), expected, "{name}");
    }
    for at in [0, 25, 30, 60, 120] {
        let findings = found(folder.path(), "checkpoint", flip(at));
        assert!(
            matches!(findings[..], [Finding::BadCheckpoint { .. }]),
            "{at}: {findings:?}"
        );
    }
}

#[test]
fn several_changes_are_all_named() {
    let log = HandMade::new(700);
    let folder = written(&log);
    let tile = folder.path().join("tile/1/000.p/2");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[0] ^= 1;
    fs::write(tile, bytes).unwrap();
    let findings = found(folder.path(), "tile/entries/002.p/188", flip(9));
    let entry = Finding::AlteredEntry { index: 512 };
    assert_eq!(
        findings,
        [
            entry,
            Finding::AlteredTile {
                path: "tile/1/000.p/2".into()
            }
        ]
    );
}

#[test]
fn a_tree_of_three_tile_levels_names_changes_at_each() {
    let log = HandMade::new(66_000);
    let folder = written(&log);
    let path = folder.path();
    assert_eq!(verify_folder(path, &trusting()).unwrap().findings, []);
    let findings = found(path, "tile/entries/003", flip(60));
    assert_eq!(findings, [Finding::AlteredEntry { index: 768 }]);
    for tile in [
        "tile/1/000",
        "tile/1/001.p/1",
        "tile/2/000.p/1",
        "tile/0/200",
    ] {
        assert_eq!(found(path, tile, flip(5)), altered_tile(tile));
    }
}

#[test]
fn what_is_missing_is_named() {
    let log = HandMade::new(700);
    let missing = |path: &str| Finding::MissingTile {
        path: path.to_owned(),
    };
    let cut = Finding::CutTail {
        present: 512,
        promised: 700,
        place: "checkpoint".into(),
    };
    let cases = [
        ("a tile", "tile/0/000", vec![missing("tile/0/000")]),
        (
            "a partial tile",
            "tile/0/002.p/188",
            vec![missing("tile/0/002.p/188")],
        ),
        (
            "an upper tile",
            "tile/1/000.p/2",
            vec![missing("tile/1/000.p/2")],
        ),
        (
            "a bundle within",
            "tile/entries/001",
            vec![Finding::MissingEntries {
                first: 256,
                last: 511,
            }],
        ),
        ("the last bundle", "tile/entries/002.p/188", vec![cut]),
    ];
    for (name, path, expected) in cases {
        let folder = written(&log);
        fs::remove_file(folder.path().join(path)).unwrap();
        let report = verify_folder(folder.path(), &trusting()).unwrap();
        assert_eq!(report.findings, expected, "{name}");
    }
}

#[test]
fn a_history_signed_anew_with_the_true_key_fails_against_an_older_checkpoint() {
    let mut log = HandMade::new(700);
    let since = |size: usize, log: &HandMade| ("regulator".to_owned(), log.checkpoint(size));
    let with = |since| Options {
        since: vec![since],
        ..trusting()
    };
    let old = with(since(300, &log));
    let folder = written(&log);
    let report = verify_folder(folder.path(), &old).unwrap();
    assert_eq!((report.findings, report.since), (vec![], vec![300]));

    log.bodies[299] = entry(1_000_000).body().to_vec();
    let folder = written(&log);
    assert!(
        verify_folder(folder.path(), &trusting()).unwrap().is_good(),
        "whole by itself"
    );
    let rewritten = |place: &str| Finding::Rewritten {
        size: 300,
        place: place.into(),
    };
    let report = verify_folder(folder.path(), &old).unwrap();
    assert_eq!(
        (report.findings, report.since),
        (vec![rewritten("regulator")], vec![])
    );

    // An older checkpoint that lies in the folder itself tells as well.
    fs::create_dir(folder.path().join("checkpoints")).unwrap();
    let kept = &old.since[0].1;
    fs::write(folder.path().join("checkpoints/300"), kept.to_string()).unwrap();
    let report = verify_folder(folder.path(), &trusting()).unwrap();
    assert_eq!(report.findings, [rewritten("checkpoints/300")]);

    let older = written(&HandMade {
        bodies: log.bodies[..200].to_vec(),
    });
    let report = verify_folder(older.path(), &old).unwrap();
    let cut = Finding::CutTail {
        present: 200,
        promised: 300,
        place: "regulator".into(),
    };
    assert_eq!(report.findings, [cut]);
}

#[test]
fn a_changed_history_under_an_old_checkpoint_is_rewritten() {
    let mut log = HandMade::new(700);
    let signed = log.checkpoint(700).to_string();
    log.bodies[5] = entry(1_000_000).body().to_vec();
    let folder = written(&log);
    fs::write(folder.path().join("checkpoint"), signed).unwrap();
    let report = verify_folder(folder.path(), &trusting()).unwrap();
    assert_eq!(
        report.findings,
        [Finding::Rewritten {
            size: 700,
            place: "checkpoint".into()
        }]
    );
}

#[test]
fn entries_that_should_never_have_been_logged_are_named() {
    let mut log = HandMade::new(300);
    log.bodies[7].push(b' ');
    log.bodies[280] = log.bodies[9].clone();
    let id = serde_json::from_slice::<serde_json::Value>(&log.bodies[9]).unwrap()["id"].clone();
    let folder = written(&log);
    let report = verify_folder(folder.path(), &trusting()).unwrap();
    let cause = EntryError::Json(JsonError::Syntax);
    let expected = [
        Finding::DuplicateId {
            id: id.as_str().unwrap().to_owned(),
        },
        Finding::NotCanonical { index: 7, cause },
    ];
    assert_eq!(report.findings, expected);
}

#[test]
fn a_forged_size_does_not_make_the_walk_endless() {
    let folder = written(&HandMade::new(10));
    let huge = Checkpoint::sign(&key(1), u64::MAX, &[0; 32])
        .unwrap()
        .to_string();
    fs::write(folder.path().join("checkpoint"), huge).unwrap();
    let report = verify_folder(folder.path(), &trusting()).unwrap();
    let place = "checkpoint".to_owned();
    assert_eq!(
        report.findings,
        [Finding::CutTail {
            present: 10,
            promised: u64::MAX,
            place
        }]
    );
}

async fn run(db: &Db, sql: &'static str, args: Args) -> u64 {
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move { tx.execute(sql, args).await })
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_change_in_a_database_is_named_where_it_is() {
    let column = |index, column| Finding::AlteredColumn { index, column };
    let cut = |present| Finding::CutTail {
        present,
        promised: 700,
        place: "audit_checkpoints/700".into(),
    };
    let tile = |path: &str| Finding::AlteredTile { path: path.into() };
    let body = || entry(1_000_000).body().to_vec();
    let bytes = || vec![7_u8; 8_192];
    type Case = (&'static str, &'static str, Args, Vec<Finding>);
    let cases: Vec<Case> = vec![
        (
            "an entry",
            "UPDATE audit_entries SET body = $1 WHERE idx = 5",
            args![body()],
            vec![Finding::AlteredEntry { index: 5 }],
        ),
        (
            "an entry at the edge",
            "UPDATE audit_entries SET body = $1 WHERE idx = 699",
            args![body()],
            vec![Finding::AlteredEntry { index: 699 }],
        ),
        (
            "a leaf",
            "UPDATE audit_entries SET leaf = $1 WHERE idx = 5",
            args![[7; 32]],
            vec![column(5, "leaf")],
        ),
        (
            "a leaf at the edge",
            "UPDATE audit_entries SET leaf = $1 WHERE idx = 699",
            args![[7; 32]],
            vec![tile("tile/0/002.p/188")],
        ),
        (
            "a reference",
            "UPDATE audit_entries SET about = 'other' WHERE idx = 5",
            args![],
            vec![column(5, "about")],
        ),
        (
            "an id",
            "UPDATE audit_entries SET id = 'other' WHERE idx = 5",
            args![],
            vec![column(5, "id")],
        ),
        (
            "a tile",
            "UPDATE audit_tiles SET hashes = $1 WHERE n = 1",
            args![bytes()],
            vec![tile("tile/0/001")],
        ),
        (
            "a tile's root",
            "UPDATE audit_tiles SET root = $1 WHERE n = 1",
            args![[7; 32]],
            vec![tile("tile/1/000.p/2")],
        ),
        (
            "the root of the head",
            "UPDATE audit_head SET root = REPLACE(root, SUBSTR(root, 1, 1), '0'), size = 700",
            args![],
            vec![Finding::AlteredHead],
        ),
        (
            "the frontier",
            "UPDATE audit_head SET frontier = ''",
            args![],
            vec![Finding::AlteredHead],
        ),
        (
            "a checkpoint put at another size",
            "UPDATE audit_checkpoints SET size = 699 WHERE size = 700",
            args![],
            vec![Finding::BadCheckpoint {
                place: "audit_checkpoints/699".into(),
                cause: "it is of another size than its row".into(),
            }],
        ),
        (
            "the tail",
            "DELETE FROM audit_entries WHERE idx = 699",
            args![],
            vec![cut(699)],
        ),
        (
            "an entry within",
            "DELETE FROM audit_entries WHERE idx = 300",
            args![],
            vec![Finding::MissingEntries {
                first: 300,
                last: 300,
            }],
        ),
        (
            "an index moved far away",
            "UPDATE audit_entries SET idx = 900000000000 WHERE idx = 300",
            args![],
            vec![
                Finding::MissingEntries {
                    first: 300,
                    last: 300,
                },
                Finding::AlteredHead,
            ],
        ),
    ];
    for test in databases(Arc::new(Appender)).await {
        let db = &test.db;
        let log = Log::open(db.clone(), key(1), vec![]).await.unwrap();
        append_many(db, 300).await;
        log.sign().await.unwrap();
        append_many(db, 400).await;
        log.sign().await.unwrap();
        for sql in [
            "CREATE TABLE kept_entries AS SELECT * FROM audit_entries",
            "CREATE TABLE kept_tiles AS SELECT * FROM audit_tiles",
            "CREATE TABLE kept_head AS SELECT * FROM audit_head",
            "CREATE TABLE kept_checkpoints AS SELECT * FROM audit_checkpoints",
        ] {
            run(db, sql, args![]).await;
        }
        for (name, sql, args, expected) in &cases {
            assert!(run(db, sql, args.clone()).await > 0, "{name}");
            let report = verify_database(db, &trusting(), None).await.unwrap();
            assert_eq!(report.findings, *expected, "{name} on {}", test.name);
            for sql in [
                "DELETE FROM audit_entries",
                "DELETE FROM audit_tiles",
                "DELETE FROM audit_head",
                "DELETE FROM audit_checkpoints",
                "INSERT INTO audit_entries SELECT * FROM kept_entries",
                "INSERT INTO audit_tiles SELECT * FROM kept_tiles",
                "INSERT INTO audit_head SELECT * FROM kept_head",
                "INSERT INTO audit_checkpoints SELECT * FROM kept_checkpoints",
            ] {
                run(db, sql, args![]).await;
            }
        }
        let report = verify_database(db, &trusting(), None).await.unwrap();
        assert_eq!(
            (report.findings, report.signed),
            (vec![], 700),
            "{}",
            test.name
        );
    }
}

#[tokio::test]
async fn a_rewritten_database_is_told_by_the_checkpoint_it_gave_out() {
    for test in databases(Arc::new(Appender)).await {
        let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
        append_many(&test.db, 40).await;
        log.sign().await.unwrap();
        let other = HandMade::new(30).checkpoint(30);
        let given = Options {
            since: vec![("regulator".into(), other)],
            ..trusting()
        };
        let report = verify_database(&test.db, &given, None).await.unwrap();
        let place = "regulator".to_owned();
        assert_eq!(
            report.findings,
            [Finding::Rewritten { size: 30, place }],
            "{}",
            test.name
        );
    }
}

/// One payload whose state a test sets.
struct Vault(Mutex<Payload>);

impl Payloads for Vault {
    fn look<'p>(&'p self, place: &'p Place) -> BoxFuture<'p, Result<Payload, AuditError>> {
        assert_eq!(place.to_string(), "reports/body/r-1");
        let state = *self.0.lock().unwrap();
        Box::pin(async move { Ok(state) })
    }
}

#[tokio::test]
async fn a_changed_payload_is_named_and_an_erased_one_is_not() {
    let place = Place {
        table: "reports".into(),
        column: "body".into(),
        row: "r-1".into(),
    };
    for test in databases(Arc::new(Appender)).await {
        let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
        let bind = |digest| draft().payload(&place, &digest).finish().unwrap();
        // The payload was replaced once: only the last binding holds.
        append(&test.db, vec![entry(0), bind([1; 32]), bind([2; 32])]).await;
        log.sign().await.unwrap();
        let vault = Vault(Mutex::new(Payload::Erased));
        let (at, index) = ("reports/body/r-1".to_owned(), 2);
        let altered = Finding::AlteredPayload {
            place: at.clone(),
            index,
        };
        let cases = [
            (Payload::Erased, vec![]),
            (Payload::Present([2; 32]), vec![]),
            (Payload::Present([1; 32]), vec![altered]),
            (
                Payload::Missing,
                vec![Finding::MissingPayload { place: at, index }],
            ),
        ];
        for (state, expected) in cases {
            *vault.0.lock().unwrap() = state;
            let report = verify_database(&test.db, &trusting(), Some(&vault))
                .await
                .unwrap();
            assert_eq!(report.findings, expected, "{state:?} on {}", test.name);
        }
    }
}
