//! A log in its database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::runtime::Handle;

use super::scan::{Binding, Columns, Slots};
use super::{
    Anchor, Anchors, Finding, Options, Payload, Payloads, Report, Source, Trust, Verification,
    anchor, verify_tree,
};
use crate::args;
use crate::audit::error::AuditError;
use crate::audit::hex::bytes_from_hex;
use crate::audit::key::VerifierKey;
use crate::audit::merkle::{Frontier, Hash};
use crate::audit::note::Note;
use crate::audit::reader::{Head, Reader};
use crate::audit::tile::{TILE_WIDTH, Tile};
use crate::platform::db::Db;

pub(super) async fn verify(
    db: &Db,
    options: &Options,
    payloads: Option<&dyn Payloads>,
) -> Result<Report, AuditError> {
    let reader = Reader::new(db);
    let head = reader.head().await?;
    let mut bad = Vec::new();
    let stored = head
        .vkey
        .as_deref()
        .map(str::parse::<VerifierKey>)
        .transpose();
    let stored = stored.unwrap_or_else(|cause| {
        let place = "audit_head.vkey".to_owned();
        bad.push(Finding::BadCheckpoint {
            place,
            cause: cause.to_string(),
        });
        None
    });
    let (key, trust) = match &options.vkey {
        Some(key) => (Some(key.clone()), Trust::Key(key.to_string())),
        None => (stored, Trust::SelfConsistent),
    };
    let mut anchors = Anchors(vec![Anchor::head(head.size, head.root)]);
    let mut signed = 0;
    for (size, text) in reader.all_checkpoints().await? {
        let place = format!("audit_checkpoints/{size}");
        match opened(&place, &text, size, key.as_ref()) {
            Ok(anchor) => {
                signed = signed.max(anchor.size());
                anchors.0.push(anchor);
            }
            Err(finding) => bad.push(finding),
        }
    }
    for (place, note) in &options.since {
        let opened = key.as_ref().ok_or_else(|| no_key(place));
        match opened.and_then(|key| anchor(place, note, key)) {
            Ok(anchor) => anchors.0.push(anchor.brought()),
            Err(finding) => bad.push(finding),
        }
    }
    let (size, present) = extent(db).await?;
    if !head_fits(&head) || present > head.size {
        bad.push(Finding::AlteredHead);
    }
    let mut verified = walk(db, size, anchors, Arc::clone(&options.progress)).await?;
    if let Some(payloads) = payloads {
        let bindings = std::mem::take(&mut verified.scan.bindings);
        let bindings = bindings
            .into_iter()
            .filter(|b| !verified.altered.contains(&b.index));
        bad.extend(check_payloads(bindings, payloads).await?);
    }
    verified.findings.extend(bad);
    Ok(Report {
        origin: key.map(|key| key.name().to_owned()).unwrap_or_default(),
        size,
        signed,
        root: verified.root,
        trust,
        since: verified.since,
        findings: verified.findings.into_iter().collect(),
    })
}

fn opened(
    place: &str,
    text: &str,
    size: u64,
    key: Option<&VerifierKey>,
) -> Result<Anchor, Finding> {
    let bad = |cause: &str| Finding::BadCheckpoint {
        place: place.into(),
        cause: cause.into(),
    };
    let key = key.ok_or_else(|| no_key(place))?;
    let note: Note = text.parse().map_err(|cause| bad(&format!("{cause}")))?;
    let anchor = anchor(place, &note, key)?;
    if anchor.size() == size {
        Ok(anchor)
    } else {
        Err(bad("it is of another size than its row"))
    }
}

fn no_key(place: &str) -> Finding {
    let cause = "no key to check it with".to_owned();
    Finding::BadCheckpoint {
        place: place.to_owned(),
        cause,
    }
}

/// A frontier that gives the root is the frontier of that tree.
fn head_fits(head: &Head) -> bool {
    let frontier = bytes_from_hex(&head.frontier)
        .and_then(|bytes| Frontier::from_bytes(head.size, &bytes).ok());
    frontier.is_some_and(|frontier| frontier.root() == head.root)
}

/// Entries to walk over, and the largest index plus one. A forged index must
/// not make the walk endless, so only those count that the number of rows makes likely.
async fn extent(db: &Db) -> Result<(u64, u64), AuditError> {
    let sql = "SELECT MAX(idx), COUNT(idx) FROM audit_entries";
    let row = db.first::<(Option<i64>, i64)>(sql, args![]).await?;
    let (largest, count) = row.unwrap_or((None, 0));
    let likely = 2 * count + TILE_WIDTH as i64;
    let sql = "SELECT MAX(idx) FROM audit_entries WHERE idx < $1";
    let row = db.first::<(Option<i64>,)>(sql, args![likely]).await?;
    let end = |largest: Option<i64>| largest.map_or(0, |largest| largest as u64 + 1);
    Ok((end(row.and_then(|(largest,)| largest)), end(largest)))
}

async fn walk(
    db: &Db,
    size: u64,
    anchors: Anchors,
    progress: Arc<AtomicU64>,
) -> Result<Verification, AuditError> {
    let source = Database {
        db: db.clone(),
        runtime: Handle::current(),
    };
    let work = move || verify_tree(&source, size, &anchors, &progress);
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(std::io::Error::other(error).into()),
    }
}

/// Of several bindings of one place the last holds: the payload was replaced.
async fn check_payloads(
    bindings: impl Iterator<Item = Binding>,
    payloads: &dyn Payloads,
) -> Result<Vec<Finding>, AuditError> {
    let last: BTreeMap<_, _> = bindings.map(|b| (b.place, (b.index, b.digest))).collect();
    let mut findings = Vec::new();
    for (at, (index, digest)) in last {
        let place = at.to_string();
        match payloads.look(&at).await? {
            Payload::Erased => {}
            Payload::Missing => findings.push(Finding::MissingPayload { place, index }),
            Payload::Present(found) if found == digest => {}
            Payload::Present(_) => findings.push(Finding::AlteredPayload { place, index }),
        }
    }
    Ok(findings)
}

struct Database {
    db: Db,
    runtime: Handle,
}

impl Source for Database {
    fn entries(&self, tile: Tile, slots: &mut Slots) -> Result<(), AuditError> {
        type Row = (i64, String, Vec<u8>, Vec<u8>, Option<String>);
        let from = (tile.index * TILE_WIDTH) as i64;
        let sql = "SELECT idx, id, leaf, body, about FROM audit_entries
                   WHERE idx >= $1 AND idx < $2 ORDER BY idx";
        let args = args![from, from + i64::from(tile.width)];
        let rows: Vec<Row> = self.runtime.block_on(self.db.all(sql, args))?;
        slots.entries.resize(usize::from(tile.width), None);
        slots.columns.resize_with(usize::from(tile.width), || None);
        for (index, id, leaf, body, about) in rows {
            let slot = (index - from) as usize;
            let start = slots.bytes.len();
            slots.bytes.extend_from_slice(&body);
            slots.entries[slot] = Some(start..slots.bytes.len());
            slots.columns[slot] = Some(Columns { id, leaf, about });
        }
        Ok(())
    }

    fn hashes(&self, tile: Tile) -> Result<Option<Vec<Hash>>, AuditError> {
        self.runtime.block_on(Reader::new(&self.db).tile(tile))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::audit::appender::Appender;
    use crate::audit::log::Log;
    use crate::audit::outline::Place;
    use crate::audit::testing::{HandMade, append, append_many, draft, entry, key};
    use crate::audit::verify::verify_database;
    use crate::platform::db::{Args, BoxFuture, Urgency};
    use crate::testing::databases;

    fn trusting() -> Options {
        Options {
            vkey: Some(key(1).verifier().clone()),
            ..Options::default()
        }
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
                "UPDATE audit_head SET root = SUBSTR(root, 2, 63) || SUBSTR(root, 1, 1), size = 700",
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
}
