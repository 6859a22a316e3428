//! The input, read and parsed on a thread of its own, chunk by chunk.
//!
//! What is durable already is read again and skipped: a chain of digests over
//! the records tells whether it is the same.

use std::io::{BufRead, BufReader, Cursor, Read};

use schemas::{
    edition::Edition,
    event::Reported,
    intake::{Intake, MOST_BYTES, Taken, csv::CsvError},
    profile::Profile,
    record::Record,
    validate::Finding,
};
use tokio::sync::mpsc;
use workbook::{Book, Limits, Located, Origin};

use super::SubmitError;
use crate::platform::digest::sha256;

/// Records in a chunk, and so in a transaction: few enough for 20 ms.
pub(super) const CHUNK: usize = 250;

/// Bytes of input in a chunk, at which it ends even with fewer records.
const CHUNK_BYTES: usize = 4 << 20;

/// Text from anywhere.
pub type Input = Box<dyn Read + Send + Sync>;

/// The form of an input.
pub enum Form {
    /// A table of records of one type, and child tables by the names of groups.
    Csv {
        /// The record type.
        record: String,
        /// The main table.
        main: Input,
        /// Child tables.
        children: Vec<(String, Input)>,
    },
    /// Negative events, a JSON object a line.
    Events(Input),
    /// Records, a JSON object a line.
    JsonLines(Input),
    /// A workbook, which is read whole before its first record.
    Workbook(Input),
}

/// One record of the input.
pub(super) struct Parsed {
    pub(super) raw: Vec<u8>,
    pub(super) taken: Result<Taken<'static>, Vec<Finding>>,
    /// The event that it is of, where it is of one.
    pub(super) reported: Option<Reported>,
    /// Its rows, where it comes from a workbook.
    pub(super) origin: Option<Origin>,
}

/// Some records, and the chain over all up to their end.
pub(super) struct Chunk {
    pub(super) records: Vec<Parsed>,
    pub(super) chain: [u8; 32],
}

impl Chunk {
    /// Whether any of its records says that it corrects another one.
    pub(super) fn corrects(&self) -> bool {
        let corrects = |it: &Parsed| {
            let taken = it.taken.as_ref();
            taken.is_ok_and(|taken| taken.meta.corrects.is_some())
        };
        self.records.iter().any(corrects)
    }
}

/// What was read of a record, and what it is of: an event, or rows of a workbook.
struct OneRead {
    taken: Result<Taken<'static>, Vec<Finding>>,
    reported: Option<Reported>,
    origin: Option<Origin>,
}

impl OneRead {
    fn of(taken: Result<Taken<'static>, Vec<Finding>>) -> Self {
        Self {
            taken,
            reported: None,
            origin: None,
        }
    }
}

/// What was durable before.
pub(super) struct Before {
    pub(super) taken: u64,
    pub(super) chain: Vec<u8>,
}

/// What lines are read by.
#[derive(Clone, Copy)]
pub(super) struct By {
    pub(super) edition: &'static Edition,
    /// What the institution may report, where that is restricted.
    pub(super) profile: Option<Profile>,
}

/// Collects records into chunks and gives those on.
struct Collector {
    by: By,
    before: Before,
    chain: [u8; 32],
    read: u64,
    bytes: usize,
    records: Vec<Parsed>,
    to: mpsc::Sender<Result<Chunk, SubmitError>>,
}

/// The reader is not wanted any more.
struct Unwanted;

impl Form {
    /// Its name in the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Csv { .. } => "csv",
            Self::Events(_) => "events",
            Self::JsonLines(_) => "jsonl",
            Self::Workbook(_) => "xlsx",
        }
    }

    /// The record type that it says beforehand.
    #[must_use]
    pub fn record(&self) -> Option<&str> {
        match self {
            Self::Csv { record, .. } => Some(record),
            Self::Events(_) | Self::JsonLines(_) | Self::Workbook(_) => None,
        }
    }
}

impl Before {
    /// Of a submission that has just begun.
    pub(super) fn nothing() -> Self {
        Self {
            taken: 0,
            chain: vec![0; 32],
        }
    }
}

/// Reads an input to its end. The first error is the last thing sent.
pub(super) fn feed(
    by: By,
    form: Form,
    before: Before,
    to: mpsc::Sender<Result<Chunk, SubmitError>>,
) {
    let edition = by.edition;
    let mut collector = Collector {
        by,
        before,
        chain: [0; 32],
        read: 0,
        bytes: 0,
        records: Vec::with_capacity(CHUNK),
        to,
    };
    let read = match form {
        Form::Csv {
            record,
            main,
            children,
        } => tables(edition, &record, main, children, &mut collector),
        Form::Events(input) => lines(input, &mut collector, Collector::take_event),
        Form::JsonLines(input) => lines(input, &mut collector, Collector::take_line),
        Form::Workbook(input) => book(edition, input, &mut collector),
    };
    let ended = match read {
        Ok(Ok(())) => collector.end(),
        Ok(Err(Unwanted)) => return,
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        // Nobody being there any more is an end, too.
        let _ = collector.to.blocking_send(Err(error));
    }
}

fn lines(
    input: Input,
    collector: &mut Collector,
    take: fn(&mut Collector, Vec<u8>) -> Result<(), Unwanted>,
) -> Result<Result<(), Unwanted>, SubmitError> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input
            .by_ref()
            .take(MOST_BYTES as u64 + 2)
            .read_until(b'\n', &mut line)
            .map_err(SubmitError::Input)?;
        if read == 0 {
            return Ok(Ok(()));
        }
        let whole = line.ends_with(b"\n");
        // Some editors write a byte order mark before the first line.
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        if take(collector, text.to_vec()).is_err() {
            return Ok(Err(Unwanted));
        }
        if !whole && read > MOST_BYTES {
            // The rest of a line that is too long is no record of its own.
            skip_line(&mut input).map_err(SubmitError::Input)?;
        }
    }
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        if let Some(at) = buffer.iter().position(|byte| *byte == b'\n') {
            input.consume(at + 1);
            return Ok(());
        }
        let all = buffer.len();
        input.consume(all);
    }
}

fn tables(
    edition: &'static Edition,
    record: &str,
    main: Input,
    children: Vec<(String, Input)>,
    collector: &mut Collector,
) -> Result<Result<(), Unwanted>, SubmitError> {
    let children = children
        .into_iter()
        .map(|(name, input)| (name, input as schemas::intake::csv::Input<'static>))
        .collect();
    let mut source = match Intake::new(edition).csv(record, main, children) {
        Ok(source) => source,
        Err(CsvError::Findings(findings)) => return Err(SubmitError::Header(findings)),
        Err(CsvError::Io(error)) => return Err(SubmitError::Input(error)),
        Err(_) => return Err(SubmitError::NoSuchBureau),
    };
    while let Some(read) = source.read(Record::default()) {
        let taken = match read {
            Ok(taken) => Ok(taken),
            Err(CsvError::Io(error)) => return Err(SubmitError::Input(error)),
            Err(CsvError::Findings(findings)) => Err(findings),
            Err(_) => Err(Vec::new()),
        };
        let taken = Some(OneRead::of(taken));
        if collector.take(source.raw().to_vec(), taken).is_err() {
            return Ok(Err(Unwanted));
        }
    }
    Ok(Ok(()))
}

fn book(
    edition: &'static Edition,
    input: Input,
    collector: &mut Collector,
) -> Result<Result<(), Unwanted>, SubmitError> {
    let limits = Limits::default();
    let mut bytes = Vec::new();
    // One byte more tells that there are too many; the reader says so.
    input
        .take(limits.file + 1)
        .read_to_end(&mut bytes)
        .map_err(SubmitError::Input)?;
    let mut book = Book::open(Cursor::new(bytes), limits)?;
    let read = workbook::read(&mut book, &[edition])?;
    drop(book);
    let mut source =
        read.map_err(|found| SubmitError::Header(found.into_iter().map(placed).collect()))?;
    while let Some(taken) = source.next_record(Record::default()) {
        let read = OneRead {
            origin: Some(source.origin().clone()),
            ..OneRead::of(taken)
        };
        if collector.take(source.raw().to_vec(), Some(read)).is_err() {
            return Ok(Err(Unwanted));
        }
    }
    Ok(Ok(()))
}

/// A finding about a sheet, with its place.
fn placed(located: Located) -> Finding {
    let mut finding = located.finding;
    if let Some(spot) = located.spot {
        finding.path = spot.to_string();
    }
    finding
}

impl Collector {
    /// Whether the next record is not durable yet.
    fn wanted(&self) -> bool {
        self.read >= self.before.taken
    }

    fn take_line(&mut self, raw: Vec<u8>) -> Result<(), Unwanted> {
        let intake = Intake::new(self.by.edition);
        let taken = self.wanted().then(|| OneRead::of(intake.json(&raw)));
        self.take(raw, taken)
    }

    /// One event may become several records; the same one always as many.
    fn take_event(&mut self, raw: Vec<u8>) -> Result<(), Unwanted> {
        let intake = Intake::new(self.by.edition);
        match intake.events(&raw, self.by.profile) {
            Ok(all) => {
                for (taken, reported) in all {
                    let taken = self.wanted().then_some(OneRead {
                        reported: Some(reported),
                        ..OneRead::of(Ok(taken))
                    });
                    self.take(raw.clone(), taken)?;
                }
                Ok(())
            }
            Err(findings) => self.take(raw, Some(OneRead::of(Err(findings)))),
        }
    }

    fn take(&mut self, raw: Vec<u8>, taken: Option<OneRead>) -> Result<(), Unwanted> {
        let wanted = self.wanted();
        let mut linked = self.chain.to_vec();
        linked.extend_from_slice(&sha256(&raw));
        self.chain = sha256(&linked);
        self.read += 1;
        if !wanted {
            if self.read == self.before.taken && self.chain[..] != self.before.chain[..] {
                let _ = self.to.blocking_send(Err(SubmitError::ContentDiffers));
                return Err(Unwanted);
            }
            return Ok(());
        }
        self.bytes += raw.len();
        if let Some(mut one) = taken {
            if let (Some(profile), Ok(taken)) = (self.by.profile, &mut one.taken) {
                let refused = profile.refuses(self.by.edition, taken.plan, &taken.record);
                taken.findings.extend(refused);
            }
            self.records.push(Parsed {
                raw,
                taken: one.taken,
                reported: one.reported,
                origin: one.origin,
            });
        }
        if self.records.len() >= CHUNK || self.bytes >= CHUNK_BYTES {
            return self.give();
        }
        Ok(())
    }

    fn give(&mut self) -> Result<(), Unwanted> {
        let records = std::mem::replace(&mut self.records, Vec::with_capacity(CHUNK));
        self.bytes = 0;
        let chain = self.chain;
        self.to
            .blocking_send(Ok(Chunk { records, chain }))
            .map_err(|_| Unwanted)
    }

    fn end(&mut self) -> Result<(), SubmitError> {
        if self.read < self.before.taken {
            return Err(SubmitError::ContentDiffers);
        }
        if !self.records.is_empty() {
            // Nobody being there any more is an end, too.
            let _ = self.give();
        }
        Ok(())
    }
}
