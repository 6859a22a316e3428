//! How fast a month goes the whole way: from CSV to a delivered file, gated,
//! through the ledger, compressed, sealed and audited; at 100,000 and at
//! 1,000,000 records. And what inquiries feel of it meanwhile.
//!
//! Client, mock bureau and gateway share this one process; the file goes to a
//! folder that nobody reads.

#[path = "inquiry/direct.rs"]
mod direct;
#[path = "submission/loans.rs"]
mod loans;
#[path = "submission/longest.rs"]
mod longest;
#[path = "inquiry/stage.rs"]
mod stage;
mod support;

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use creditgate::{
    demo::INSTITUTION,
    operators::{Caller, Role},
    platform::ids::BureauId,
    submissions::{FileRow, FileState, Form},
};
use flate2::{Compression, write::GzEncoder};
use tokio::task::spawn_blocking;

use loans::Loans;
use longest::Seen;
use stage::{Size, Stage};
use support::{Database, Table, Times, grouped, megabytes, ms, ms_between, rate, size};

/// Between two inquiries.
const PAUSE: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok()
        .context("another TLS provider is installed")?;
    let writes = Seen::install()?;
    let mut way = Table::new(
        "Records 210 the whole way (target: 20,000 records/s, 128 MB)",
        &[
            "database",
            "records",
            "taken in/s",
            "written and delivered/s",
            "whole way/s",
            "text MB/s",
            "deflate alone/s",
            "memory before",
            "peak",
            "database bytes/record",
        ],
    );
    let mut felt = Table::new(
        format!("Inquiries meanwhile, one in {PAUSE:?} (4 KB; milliseconds)"),
        &[
            "database",
            "records",
            "quiet p50",
            "p99",
            "meanwhile p50",
            "p99",
            "added p99",
            "inquiries",
            "longest write",
            "over 20 ms",
            "largest WAL",
        ],
    );
    for records in sizes() {
        let folder = support::folder()?;
        for database in Database::all(folder.path()).await? {
            let stage = Arc::new(Stage::set(&database).await?);
            let loans = Loans::new(stage.gateway(), 8_000_000, records)?;
            loans.opened(stage.gateway()).await?;
            eprintln!("{}: the ledger knows {records} accounts", database.name);
            let file = file_of(&database);
            let before = file.as_deref().map_or(0, bytes_of);
            let memory = forget_peak();
            let went = go(&stage, loans).await?;
            let grown = file.as_deref().map_or(0, bytes_of).saturating_sub(before);
            let peak = megabytes_of("VmHWM:");
            let alone = spawn_blocking({
                let (stage, file) = (Arc::clone(&stage), went.file.clone());
                move || deflate_alone(&stage, &file)
            })
            .await??;
            way.row([
                database.name.to_owned(),
                grouped(records.into()),
                rate(records as usize, went.taken),
                rate(records as usize, went.whole - went.taken),
                rate(records as usize, went.whole),
                megabytes(alone.0, went.whole),
                rate(records as usize, alone.1),
                memory,
                peak,
                (grown / u64::from(records)).to_string(),
            ]);
            Arc::into_inner(stage)
                .context("somebody still holds the stage")?
                .strike()
                .await?;
            database.remove().await?;
        }
    }
    way.print();
    let records = sizes().into_iter().max().unwrap_or_default();
    let folder = support::folder()?;
    for database in Database::all(folder.path()).await? {
        felt.row(meanwhile(&database, records, &writes).await?);
        database.remove().await?;
    }
    felt.print();
    Ok(())
}

/// How many records: those that the command line names, else the mission's.
fn sizes() -> Vec<u32> {
    let named: Vec<u32> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    if named.is_empty() {
        vec![size(100_000, 600), size(1_000_000, 1_200)]
    } else {
        named
    }
}

/// How long it took, and the file of it.
struct Went {
    taken: Duration,
    whole: Duration,
    file: FileRow,
}

/// One submission from its input to the delivered file.
async fn go(stage: &Stage, loans: Loans) -> anyhow::Result<Went> {
    let submissions = stage.gateway().submissions();
    let by = Caller::local(INSTITUTION.into(), [Role::Submitter]);
    let form = Form::Csv {
        record: "210".to_owned(),
        main: Box::new(loans.csv()),
        children: Vec::new(),
    };
    let began = Instant::now();
    let key = format!("bench-{}", loans.first);
    let of = submissions
        .submit(&by, &BureauId::from("pboc"), &key, form)
        .await?;
    let taken = began.elapsed();
    ensure!(of.set_aside == 0, "{} are set aside", of.set_aside);
    loop {
        submissions.sweep().await?;
        let files = submissions
            .files(&INSTITUTION.into(), Some(FileState::Delivered), None, 1)
            .await?;
        if let Some(file) = files.into_iter().next() {
            let whole = began.elapsed();
            ensure!(file.records == of.taken, "{} are filed", file.records);
            return Ok(Went { taken, whole, file });
        }
    }
}

/// The bytes of a file's text, and how long it takes to compress them only.
fn deflate_alone(stage: &Stage, file: &FileRow) -> anyhow::Result<(usize, Duration)> {
    let line = stage.gateway().lines().line(&"pboc".into());
    let line = line.context("no line")?;
    let seal = line.files().and_then(|it| it.seal(&INSTITUTION.into()));
    let mut text = seal.context("no seal")?.open(&stage.delivered(file))?;
    let mut encoder = GzEncoder::new(io::sink(), Compression::default());
    let (mut buffer, mut bytes, mut time) = (vec![0; 1 << 20], 0, Duration::ZERO);
    loop {
        let read = text.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        let began = Instant::now();
        encoder.write_all(&buffer[..read])?;
        time += began.elapsed();
        bytes += read;
    }
    Ok((bytes, time))
}

/// What inquiries feel of a submission.
async fn meanwhile(
    database: &Database,
    records: u32,
    writes: &Seen,
) -> anyhow::Result<[String; 11]> {
    let stage = Arc::new(Stage::set(database).await?);
    let quiet = size(600, 5);
    stage.authorize(Size::FOUR_KB, size(6_000, 100)).await?;
    let loans = Loans::new(stage.gateway(), 8_000_000, records)?;
    loans.opened(stage.gateway()).await?;
    let before = inquire(&stage, 0, |n| n < quiet).await?;
    writes.reset();
    let largest = watch(file_of(database));
    let submitting = Arc::new(AtomicBool::new(true));
    let inquiries = tokio::spawn({
        let (stage, submitting) = (Arc::clone(&stage), Arc::clone(&submitting));
        async move { inquire(&stage, quiet, |_| submitting.load(Ordering::SeqCst)).await }
    });
    go(&stage, loans).await?;
    submitting.store(false, Ordering::SeqCst);
    let during = inquiries.await??;
    let wal = largest.stop().await?;
    let [write, over] = writes.tell();
    Arc::into_inner(stage)
        .context("somebody still holds the stage")?
        .strike()
        .await?;
    Ok([
        database.name.to_owned(),
        grouped(records.into()),
        ms(before.p50()),
        ms(before.p99()),
        ms(during.p50()),
        ms(during.p99()),
        format!("{:.2}", ms_between(before.p99(), during.p99())),
        during.len().to_string(),
        write,
        over,
        format!("{} MB", wal >> 20),
    ])
}

/// Inquiries one after another, with a pause between, as long as `on` says.
async fn inquire(stage: &Stage, first: usize, on: impl Fn(usize) -> bool) -> anyhow::Result<Times> {
    let mut times = Times::default();
    for n in 0.. {
        if !on(n) {
            break;
        }
        let subject = stage.subject(Size::FOUR_KB, first + n)?;
        let began = Instant::now();
        stage.inquire(&subject).await?;
        times.push(began.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(times)
}

/// Looks at the size of the write-ahead log, again and again.
struct Watch {
    largest: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

fn watch(database: Option<PathBuf>) -> Watch {
    let largest = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&largest);
    let task = tokio::spawn(async move {
        let Some(file) = database else { return };
        let wal = PathBuf::from(format!("{}-wal", file.display()));
        loop {
            seen.fetch_max(bytes_of(&wal), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    Watch { largest, task }
}

impl Watch {
    async fn stop(self) -> anyhow::Result<u64> {
        self.task.abort();
        // It was told to end.
        let _ = self.task.await;
        Ok(self.largest.load(Ordering::Relaxed))
    }
}

/// The file of a SQLite database.
fn file_of(database: &Database) -> Option<PathBuf> {
    database.address.strip_prefix("sqlite:").map(PathBuf::from)
}

fn bytes_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |it| it.len())
}

/// Forgets what memory was used before; the memory that is used now.
fn forget_peak() -> String {
    // Where the system does not let it, the peak is of the whole process.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    megabytes_of("VmRSS:")
}

/// A size of this process.
fn megabytes_of(what: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map_or("?".to_owned(), |kib| format!("{} MB", kib / 1024))
}
