//! A large log: proofs from its database, verification of its folder.

use std::{fs, path::Path, sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use creditgate::{
    audit::{
        Appender, Log, export,
        key::VerifierKey,
        merkle::leaf_hash,
        proof::verify_inclusion,
        tile::{Tile, bundle_entries},
        verify::{Options, verify_folder},
    },
    platform::db::{Db, DbError, Urgency},
};

use crate::{
    entries, key,
    support::{self, Database, Table, Times, grouped, ms, rate, size},
};

/// Entries in one transaction while the log is built.
const BATCH: usize = 4_096;

/// A log with its database and key.
pub(crate) struct Built {
    db: Db,
    log: Log,
    vkey: VerifierKey,
    /// Some of its entries.
    ids: Vec<String>,
}

/// Builds a signed log of `count` entries.
pub(crate) async fn build(database: &Database, count: usize) -> anyhow::Result<Built> {
    let db = Db::open(&database.address, Arc::new(Appender)).await?;
    let log = Log::open(db.clone(), key()?, Vec::new()).await?;
    let (mut left, mut ids) = (count, Vec::new());
    while left > 0 {
        let batch = entries(left.min(BATCH))?;
        left -= batch.len();
        ids.extend(batch.iter().step_by(97).map(|entry| entry.id.clone()));
        db.write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                batch.into_iter().for_each(|entry| tx.append(entry));
                Ok::<_, DbError>(())
            })
        })
        .await?;
    }
    let (checkpoint, _) = log.sign().await?;
    ensure!(checkpoint.size == count as u64, "the log has another size");
    let vkey = log.vkey().parse()?;
    Ok(Built { db, log, vkey, ids })
}

/// Proves entries from all over the log, each proof verified beside the clock.
pub(crate) async fn proofs(
    database: &Database,
    built: &Built,
    count: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let reader = built.log.reader();
    let head = reader.head().await?;
    let (mut proving, mut reading) = (Times::default(), Times::default());
    let wanted = size(2_000, 50);
    // A prime step goes through the sample without a pattern.
    for id in built.ids.iter().cycle().step_by(7_919).take(wanted) {
        let began = Instant::now();
        let entry = reader.entry(id).await?.context("an entry is missing")?;
        reading.push(began.elapsed());
        let index = entry.index.context("an entry has no place")?;
        let began = Instant::now();
        let proof = reader.inclusion(index, head.size).await?;
        proving.push(began.elapsed());
        verify_inclusion(&entry.leaf, index, head.size, &proof, &head.root)?;
    }
    table.row([
        database.name.to_owned(),
        grouped(count as u64),
        ms(proving.p50()),
        ms(proving.p99()),
        ms(reading.p50()),
    ]);
    Ok(())
}

/// Exports the log and verifies the folder under its key.
pub(crate) async fn folder(built: &Built, table: &mut Table) -> anyhow::Result<()> {
    let folder = support::folder()?;
    export(&built.db, folder.path()).await?;
    let options = Options {
        vkey: Some(built.vkey.clone()),
        ..Options::default()
    };
    let began = Instant::now();
    let report = verify_folder(folder.path(), &options)?;
    let verified = began.elapsed();
    ensure!(report.is_good(), "the log is wrong: {:?}", report.findings);
    let began = Instant::now();
    let count = hash_all(folder.path(), report.size)?;
    let hashed = began.elapsed();
    table.row([
        grouped(report.size),
        rate(count, verified),
        format!("{:.2}", verified.as_secs_f64()),
        rate(count, hashed),
    ]);
    Ok(())
}

fn hash_all(folder: &Path, size: u64) -> anyhow::Result<usize> {
    let mut count = 0;
    for tile in Tile::level_of_tree(0, size) {
        let bundle = fs::read(folder.join(tile.entries_path()))?;
        for entry in bundle_entries(&bundle) {
            std::hint::black_box(leaf_hash(entry?));
            count += 1;
        }
    }
    Ok(count)
}
