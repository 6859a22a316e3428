//! How fast records 210 come in: CSV with child tables, validated and written,
//! from memory to memory, at 100,000 and 1,000,000 records.

mod support;

use std::{
    io::{self, Read},
    sync::mpsc::{TrySendError, sync_channel},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use jiff::civil::date;
use schemas::{
    edition::Edition,
    intake::{
        Intake, Names, Taken,
        csv::{Input, Layout, Source},
    },
    plan::RecordPlan,
    record::Record,
    validate::{FileHeader, Scratch},
};
use support::{Table, grouped, megabytes, rate, size};

/// Record 210 in four shapes.
const RECORDS: [&str; 4] = [
    include_str!("../schemas/testdata/pboc-submit-personal/210.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-c1.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-d1-special.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-r2.xml"),
];

/// Records that go from one thread to the other at once.
const BATCH: usize = 256;

fn main() -> anyhow::Result<()> {
    let edition =
        Edition::embedded("pboc-submit-personal", date(2024, 6, 1)).context("no edition")?;
    let plan = edition.plan("210").context("no record 210")?;
    let intake = Intake::new(edition);
    let mut table = Table::new(
        "Records 210 from CSV, validated and written (target: 150,000 records/s)",
        &["records", "threads", "records/s", "XML MB/s", "peak memory"],
    );
    for records in [size(100_000, 1_000), size(1_000_000, 2_000)] {
        for threads in [1, 2] {
            let source = || source(&intake, plan, records);
            let (bytes, time) = if threads == 1 {
                alone(source()?)?
            } else {
                together(source()?)?
            };
            table.row([
                grouped(records as u64),
                threads.to_string(),
                rate(records, time),
                megabytes(bytes, time),
                peak().map_or("?".to_owned(), |kib| format!("{} MB", kib / 1024)),
            ]);
        }
    }
    table.print();
    Ok(())
}

/// Reads, judges and writes on one thread.
fn alone(mut source: Source<'static>) -> anyhow::Result<(usize, Duration)> {
    let began = Instant::now();
    let mut work = Work::new();
    let mut record = Record::default();
    while let Some(taken) = source.read(record) {
        let mut taken = taken?;
        work.take(&mut taken)?;
        record = taken.record;
    }
    Ok((work.bytes, began.elapsed()))
}

/// Reads on one thread, judges and writes on another and, where that is behind, on the first.
fn together(mut source: Source<'static>) -> anyhow::Result<(usize, Duration)> {
    let began = Instant::now();
    let (send, receive) = sync_channel::<Vec<Taken<'static>>>(4);
    let (give_back, used) = sync_channel::<Vec<Record>>(8);
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let mut work = Work::new();
            for mut batch in receive {
                for taken in &mut batch {
                    work.take(taken)?;
                }
                // Where nobody waits for the memory, it is let go.
                let _ = give_back.try_send(batch.into_iter().map(|taken| taken.record).collect());
            }
            anyhow::Ok(work.bytes)
        });
        let mut work = Work::new();
        let mut memory: Vec<Record> = Vec::new();
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(taken) = {
            if memory.is_empty() {
                memory = used.try_recv().unwrap_or_default();
            }
            source.read(memory.pop().unwrap_or_default())
        } {
            batch.push(taken?);
            if batch.len() == BATCH {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                match send.try_send(full) {
                    Ok(()) => {}
                    // The other is behind: this thread takes its share.
                    Err(TrySendError::Full(mut full)) => {
                        full.iter_mut().try_for_each(|taken| work.take(taken))?;
                        memory.extend(full.into_iter().map(|taken| taken.record));
                    }
                    Err(error) => return Err(error).context("the worker ended"),
                }
            }
        }
        send.send(batch).context("the worker ended")?;
        drop(send);
        let bytes = worker.join().map_err(|_| anyhow::anyhow!("panicked"))??;
        Ok((work.bytes + bytes, began.elapsed()))
    })
}

struct Work {
    header: FileHeader,
    scratch: Scratch,
    line: Vec<u8>,
    bytes: usize,
}

impl Work {
    fn new() -> Self {
        Self {
            header: FileHeader {
                date: date(2025, 12, 31),
                record: "210".to_owned(),
                org: "T99999999H0001".to_owned(),
                template: "  ".to_owned(),
            },
            scratch: Scratch::default(),
            line: Vec::new(),
            bytes: 0,
        }
    }

    fn take(&mut self, taken: &mut Taken<'_>) -> anyhow::Result<()> {
        let findings = taken.judge(&self.header, &mut self.scratch);
        ensure!(findings.is_empty(), "a sample does not pass: {findings:?}");
        self.line.clear();
        taken.plan.write(&taken.record, &mut self.line)?;
        self.bytes += self.line.len();
        Ok(())
    }
}

/// The samples again and again as tables that are made while they are read.
fn source(
    intake: &Intake<'static>,
    plan: &RecordPlan,
    records: usize,
) -> anyhow::Result<Source<'static>> {
    let layout = Layout::new(plan);
    let mut samples = Vec::new();
    for line in RECORDS {
        samples.push(plan.read(line.trim_end().as_bytes())?);
    }
    let header = format!("@key,{}\n", layout.columns(Names::Tag).join(","));
    let rows = samples
        .iter()
        .map(|record| vec![cells(&layout.row(record))]);
    let main = feed(header, rows.collect(), records);
    let mut children = Vec::new();
    for (at, (path, columns)) in layout.groups(Names::Tag).into_iter().enumerate() {
        let header = format!("@key,{}\n", columns.join(","));
        let rows = |record| {
            layout
                .rows(record, at)
                .iter()
                .map(|row| cells(row))
                .collect()
        };
        let rows: Vec<Vec<String>> = samples.iter().map(rows).collect();
        children.push((path, feed(header, rows, records)));
    }
    Ok(intake.csv("210", main, children)?)
}

/// The cells after the key; no sample holds a comma or a quotation mark.
fn cells(row: &[&str]) -> String {
    format!(",{}\n", row.join(","))
}

fn feed(header: String, rows: Vec<Vec<String>>, records: usize) -> Input<'static> {
    Box::new(Feed {
        rows,
        next: 0,
        records,
        text: header.into_bytes(),
        read: 0,
    })
}

/// Rows of the samples, in turn, each with the number of its record before it.
struct Feed {
    rows: Vec<Vec<String>>,
    next: usize,
    records: usize,
    text: Vec<u8>,
    read: usize,
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.text.len() {
            self.text.clear();
            self.read = 0;
            while self.text.len() < buffer.len() && self.next < self.records {
                for row in &self.rows[self.next % self.rows.len()] {
                    self.text
                        .extend_from_slice(self.next.to_string().as_bytes());
                    self.text.extend_from_slice(row.as_bytes());
                }
                self.next += 1;
            }
        }
        let part = &self.text[self.read..];
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        self.read += length;
        Ok(length)
    }
}

/// The most memory that this process ever had, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
