//! The tables of a submission, and the body that they make.

use std::{
    fs::File,
    io::{self, BufReader, Read as _},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Bytes;
use http_body::{Body, Frame};
use jiff::civil::date;
use schemas::{
    edition::Edition,
    intake::{
        Intake, Names,
        csv::{CsvError, Input, misplaced},
        to_json,
    },
    record::Record,
    validate::Finding,
};
use tokio::sync::mpsc;
use workbook::MEDIA_TYPE;

use super::{super::CliError, extension};

/// Bytes of a part, and parts that wait to be sent.
const PART: usize = 1 << 18;
const AHEAD: usize = 4;

/// The files of one submission.
#[derive(Clone)]
pub(super) struct Table {
    main: PathBuf,
    form: Form,
    /// The record type; of a CSV only.
    record: Option<String>,
    children: Vec<(String, PathBuf)>,
}

/// What a file is, by its name.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    Csv,
    JsonLines,
    Workbook,
}

/// What reads the parts of a body from a thread.
pub(in crate::cli) struct Parts(pub(in crate::cli) mpsc::Receiver<io::Result<Bytes>>);

impl Table {
    pub(super) fn of(
        main: &Path,
        record: Option<&str>,
        children: &[String],
    ) -> Result<Self, CliError> {
        let form = match extension(main).as_str() {
            "csv" => Form::Csv,
            "jsonl" | "ndjson" => Form::JsonLines,
            "xlsx" => Form::Workbook,
            _ => {
                return Err(CliError::Usage(
                    "a file is named .jsonl, .ndjson, .csv or .xlsx",
                ));
            }
        };
        if form == Form::Csv && record.is_none() {
            return Err(CliError::Usage(
                "a CSV needs --record, such as --record 210",
            ));
        }
        let children = children.iter().map(|text| {
            let parts = text.split_once('=');
            let parts = parts.filter(|(group, file)| !group.is_empty() && !file.is_empty());
            parts
                .map(|(group, file)| (group.to_owned(), PathBuf::from(file)))
                .ok_or(CliError::Usage("a child table is GROUP=FILE"))
        });
        Ok(Self {
            main: main.to_owned(),
            form,
            record: record.filter(|_| form == Form::Csv).map(str::to_owned),
            children: children.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let children = self.children.iter().map(|(_, path)| path.as_path());
        [self.main.as_path()].into_iter().chain(children)
    }

    pub(super) fn main(&self) -> &Path {
        &self.main
    }

    pub(super) fn record(&self) -> Option<&str> {
        self.record.as_deref()
    }

    pub(super) fn is_workbook(&self) -> bool {
        self.form == Form::Workbook
    }

    /// The record type that goes beside the body: several tables are sent as
    /// JSON Lines, which name it themselves.
    pub(super) fn content_record(&self) -> Option<&str> {
        self.record().filter(|_| self.children.is_empty())
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self.content_record() {
            Some(_) => "text/csv",
            None if self.is_workbook() => MEDIA_TYPE,
            None => "application/x-ndjson",
        }
    }

    /// The body, read while it is sent.
    pub(super) fn body(&self) -> reqwest::Body {
        let (to, parts) = mpsc::channel(AHEAD);
        let table = self.clone();
        tokio::task::spawn_blocking(move || {
            let sent = match &table.record {
                Some(record) if !table.children.is_empty() => table.join(record, &to),
                _ => copy(&table.main, &to),
            };
            if let Err(error) = sent {
                // Nobody being there any more is an end, too.
                let _ = to.blocking_send(Err(error));
            }
        });
        reqwest::Body::wrap(Parts(parts))
    }

    /// Refuses child tables that are not in the order of their records: a record
    /// before such a row would go without its entries.
    pub(super) fn in_order(&self) -> io::Result<()> {
        let Some(record) = self.record().filter(|_| !self.children.is_empty()) else {
            return Ok(());
        };
        let (main, children) = self.open()?;
        let found = misplaced(&Intake::new(edition()?), record, main, children);
        match found.map_err(unreadable)?.first() {
            Some(finding) => Err(wrong(finding)),
            None => Ok(()),
        }
    }

    fn open(&self) -> io::Result<(Input<'static>, Vec<(String, Input<'static>)>)> {
        let children = self.children.iter().map(|(group, path)| {
            let input: Input<'static> = Box::new(File::open(path)?);
            Ok((group.clone(), input))
        });
        let children = children.collect::<io::Result<Vec<_>>>()?;
        Ok((Box::new(BufReader::new(File::open(&self.main)?)), children))
    }

    /// Sends the tables as JSON Lines, joined.
    fn join(&self, record: &str, to: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
        let (main, children) = self.open()?;
        let tables = Intake::new(edition()?).csv(record, main, children);
        let mut source = tables.map_err(unreadable)?;
        let mut part = Vec::with_capacity(PART);
        while let Some(read) = source.read(Record::default()) {
            let taken = read.map_err(unreadable)?;
            if let Some(finding) = taken.findings.first() {
                return Err(wrong(finding));
            }
            part.extend_from_slice(to_json(taken.plan, &taken.record, Names::Tag).as_bytes());
            part.push(b'\n');
            if part.len() >= PART && give(&mut part, to) {
                return Ok(());
            }
        }
        give(&mut part, to);
        Ok(())
    }
}

/// The tables of the format in force: those of today, as far as this program
/// knows them.
pub(super) fn edition() -> io::Result<&'static Edition> {
    Edition::embedded("pboc-submit", date(9999, 12, 31))
        .ok_or_else(|| io::Error::other("the program holds no tables of the format"))
}

/// The tables of all formats in force, as [`edition`].
pub(super) fn editions() -> io::Result<[&'static Edition; 2]> {
    let enterprise = Edition::embedded("pboc-submit-enterprise", date(9999, 12, 31));
    let none = || io::Error::other("the program holds no tables of the format");
    Ok([edition()?, enterprise.ok_or_else(none)?])
}

fn unreadable(error: CsvError) -> io::Error {
    match error {
        CsvError::Io(error) => error,
        CsvError::Findings(findings) => findings
            .first()
            .map_or_else(|| io::Error::other("the tables cannot be read"), wrong),
        error => io::Error::other(error),
    }
}

fn wrong(finding: &Finding) -> io::Error {
    io::Error::other(format!(
        "{} {}: {}; see submit --dry-run",
        finding.code, finding.path, finding.en
    ))
}

/// Sends what is there; tells whether nobody wants it any more.
fn give(part: &mut Vec<u8>, to: &mpsc::Sender<io::Result<Bytes>>) -> bool {
    if part.is_empty() {
        return false;
    }
    let full = std::mem::replace(part, Vec::with_capacity(PART));
    to.blocking_send(Ok(Bytes::from(full))).is_err()
}

fn copy(path: &Path, to: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut file = File::open(path)?;
    loop {
        let mut part = Vec::with_capacity(PART);
        file.by_ref().take(PART as u64).read_to_end(&mut part)?;
        if part.is_empty() || give(&mut part, to) {
            return Ok(());
        }
    }
}

impl Body for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(context)
            .map(|part| part.map(|part| part.map(Frame::data)))
    }
}
