//! What the gateway adds to an inquiry, and how many it carries.
//!
//! Client, mock bureau, gateway and SQLite share this one process and its
//! cores; PostgreSQL is a process of its own on the same machine. The same
//! message, made and signed by the adapter, goes to the mock directly and
//! through the gateway, in turns, beside a sync of the disk. No subscriber takes
//! the logs; the checkpoints are signed as always.

#[path = "inquiry/direct.rs"]
mod direct;
#[path = "inquiry/stage.rs"]
mod stage;
mod support;

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::task::{JoinSet, block_in_place};

use stage::{Size, Stage};
use support::{Database, Disk, Table, Times, grouped, ms, ms_between, rate, size};

/// Callers of a saturated gateway.
const CALLERS: usize = 32;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok()
        .context("another TLS provider is installed")?;
    let folder = support::folder()?;
    let (pairs, warm, loads) = (size(1_000, 10), size(100, 2), size(4_000, 64));
    let mut latency = Table::new(
        format!("Added to an inquiry ({pairs} pairs in turns; milliseconds)"),
        &[
            "database",
            "report",
            "direct p50",
            "p99",
            "gateway p50",
            "p99",
            "added p50",
            "added p99",
            "fdatasync p50",
            "target",
            "verdict",
        ],
    );
    let mut saturated = Table::new(
        format!("Saturated by {CALLERS} callers ({loads} inquiries)"),
        &[
            "database",
            "report",
            "direct/s",
            "gateway/s",
            "gateway p50 ms",
            "p99 ms",
        ],
    );
    for database in Database::all(folder.path()).await? {
        let stage = Arc::new(Stage::set(&database).await?);
        let mut disk = Disk::new(folder.path())?;
        for report in [Size::FOUR_KB, Size::HUNDRED_FIFTY_KB] {
            stage.authorize(report, warm + pairs + loads).await?;
            let [direct, gateway, syncs] = in_turns(&stage, &mut disk, report, warm, pairs).await?;
            let added = ms_between(direct.p50(), gateway.p50());
            let target = 1.3 * 2.0 * ms_between(Duration::ZERO, syncs.p50()) + 1.0;
            latency.row([
                database.name.to_owned(),
                report.name.to_owned(),
                ms(direct.p50()),
                ms(direct.p99()),
                ms(gateway.p50()),
                ms(gateway.p99()),
                format!("{added:.2}"),
                format!("{:.2}", ms_between(direct.p99(), gateway.p99())),
                ms(syncs.p50()),
                format!("{target:.2}"),
                if added <= target {
                    "met".to_owned()
                } else {
                    format!("missed by {:.2}", added - target)
                },
            ]);
            let subjects = warm + pairs..warm + pairs + loads;
            let (plainly, _) = load(&stage, Way::Direct, report, subjects.clone()).await?;
            let (through, times) = load(&stage, Way::Gateway, report, subjects).await?;
            saturated.row([
                database.name.to_owned(),
                report.name.to_owned(),
                rate(loads, plainly),
                rate(loads, through),
                ms(times.p50()),
                ms(times.p99()),
            ]);
        }
        let requests = stage.received();
        let stage = Arc::into_inner(stage).context("a caller still holds the stage")?;
        stage.strike().await?;
        eprintln!(
            "{}: the mock was asked {} times",
            database.name,
            grouped(requests as u64)
        );
        database.remove().await?;
    }
    latency.print();
    saturated.print();
    Ok(())
}

/// Direct, through the gateway, and a sync, again and again.
async fn in_turns(
    stage: &Stage,
    disk: &mut Disk,
    report: Size,
    warm: usize,
    pairs: usize,
) -> anyhow::Result<[Times; 3]> {
    let mut all: [Times; 3] = Default::default();
    for turn in 0..warm + pairs {
        let subject = stage.subject(report, turn)?;
        let began = Instant::now();
        stage.direct.inquire(&subject).await?;
        let direct = began.elapsed();
        let began = Instant::now();
        stage.inquire(&subject).await?;
        let gateway = began.elapsed();
        let sync = block_in_place(|| disk.sync())?;
        if turn >= warm {
            for (times, time) in all.iter_mut().zip([direct, gateway, sync]) {
                times.push(time);
            }
        }
    }
    Ok(all)
}

/// Which way an inquiry goes.
#[derive(Clone, Copy)]
enum Way {
    Direct,
    Gateway,
}

/// All callers at once, each with the next subject as soon as it has its answer.
async fn load(
    stage: &Arc<Stage>,
    way: Way,
    report: Size,
    subjects: Range<usize>,
) -> anyhow::Result<(Duration, Times)> {
    let next = Arc::new(AtomicUsize::new(subjects.start));
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (stage, next) = (Arc::clone(stage), Arc::clone(&next));
        callers.spawn(async move {
            let mut times = Times::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= subjects.end {
                    return anyhow::Ok(times);
                }
                let subject = stage.subject(report, number)?;
                let began = Instant::now();
                match way {
                    Way::Direct => stage.direct.inquire(&subject).await?,
                    Way::Gateway => stage.inquire(&subject).await?,
                }
                times.push(began.elapsed());
            }
        });
    }
    let mut all = Times::default();
    while let Some(times) = callers.join_next().await {
        all.extend(times??);
    }
    Ok((began.elapsed(), all))
}
