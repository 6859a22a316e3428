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
