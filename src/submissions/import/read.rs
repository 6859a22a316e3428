//! An input, read and parsed on a thread of its own, part by part.

use std::{io::BufReader, sync::Arc};

use jiff::civil::Date;
use schemas::{
    edition::Edition,
    file::{FileReader, Line},
    validate::Scratch,
};
use tokio::sync::mpsc;

use super::super::{
    SubmitError,
    feed::{self, Before, By, CHUNK, Chunk},
    service::Inner,
};
use super::{
    Importer,
    findings::ImportFinding,
    packed,
    row::Row,
    source::{Earlier, Source, StockFiles, What},
};
use crate::{bureaus::Seal, platform::digest::sha256};

/// Parts that are read ahead.
const AHEAD: usize = 2;

/// Bytes at which a part ends even with fewer records.
const PART_BYTES: usize = 4 << 20;

/// Some of an input.
pub(super) enum Part {
    /// It has a finding as a whole, and nothing of it counts.
    Broken(Vec<ImportFinding>),
    /// So many lines were rejected by the bureau.
    Rejected(u64),
    /// Records after the place asked for.
    Rows(Vec<Row>),
}

type To = mpsc::Sender<Result<Part, SubmitError>>;

/// The reader is not wanted any more.
struct Unwanted;

impl Source {
    /// Begins to read it, after a place.
    pub(super) async fn read(
        &self,
        importer: &Importer,
        after: i64,
        today: Date,
    ) -> Result<mpsc::Receiver<Result<Part, SubmitError>>, SubmitError> {
        let (to, parts) = mpsc::channel(AHEAD);
        match &self.what {
            What::Earlier(earlier) => {
                let edition = Inner::edition(earlier.name.date())?;
                let lines = Lines {
                    edition,
                    file: self.name.clone(),
                    seal: importer.seal.clone(),
                    after,
                    today,
                    to,
                };
                let earlier = Arc::clone(earlier);
                tokio::task::spawn_blocking(move || lines.run(&earlier));
            }
            What::Stock(stock) => {
                let organization = importer.organization.clone();
                let edition = Inner::edition(today)?;
                let of = (self.name.clone(), stock);
                stocked(of, edition, (organization, today), after, to)?;
            }
        }
        Ok(parts)
    }
}

/// Reads an earlier file.
struct Lines {
    edition: &'static Edition,
    file: String,
    seal: Option<Seal>,
    after: i64,
    today: Date,
    to: To,
}

impl Lines {
    fn run(&self, earlier: &Earlier) {
        // Nobody being there any more is an end, too.
        let _ = self.all(earlier);
    }

    fn all(&self, earlier: &Earlier) -> Result<(), Unwanted> {
        let seal = self.seal.as_ref();
        let broken = |error| self.broken(ImportFinding::of_error(&self.file, seal, error));
        let text = match packed::open(&earlier.path, seal) {
            Ok(text) => BufReader::new(text),
            Err(error) => return broken(error.into()),
        };
        let mut reader = match FileReader::open(&earlier.name, text) {
            Ok(reader) => reader,
            Err(error) => return broken(error),
        };
        let verdict = &earlier.verdict;
        let mut rejected = 0;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        loop {
            let line = match reader.read() {
                Ok(None) => break,
                Ok(Some(line)) => line,
                Err(error) => return broken(error),
            };
            let place = i64::from(line.number);
            if let Some(returned) = verdict.rejected.get(&line.number) {
                if sha256(line.bytes) != *returned {
                    let what = self.check("fb-line-record", place);
                    return self.broken(vec![what]);
                }
                rejected += 1;
                continue;
            }
            if place <= self.after || verdict.refused.is_some() {
                continue;
            }
            bytes += line.bytes.len();
            let row = self.row(&earlier.header.record, line);
            let ends = row.good.as_ref().is_some_and(|good| good.renames());
            rows.push(row);
            if ends || rows.len() == CHUNK || bytes >= PART_BYTES {
                bytes = 0;
                self.give(Part::Rows(std::mem::take(&mut rows)))?;
            }
        }
        let mut ended = reader.end();
        // A file without records was accepted as it is.
        ended.retain(|finding| finding.rule != "file-empty-body");
        if !ended.is_empty() {
            let of = |finding| ImportFinding::of_file(&self.file, None, finding);
            return self.broken(ended.into_iter().map(of).collect());
        }
        if !rows.is_empty() {
            self.give(Part::Rows(rows))?;
        }
        self.give(Part::Rejected(rejected))
    }

    fn row(&self, code: &str, line: Line<'_>) -> Row {
        let place = i64::from(line.number);
        Row::of_line(place, code, line.bytes.to_vec(), self.edition, self.today)
    }

    /// What a check of the tables asks, as a finding.
    fn check(&self, check: &str, line: i64) -> ImportFinding {
        let mut finding = ImportFinding::ours(&self.file, Some(line), check);
        if let Some(asked) = schemas::file::asked().find(|asked| asked.check == check) {
            (finding.zh, finding.en) = (asked.zh.to_owned(), asked.en.to_owned());
        }
        finding
    }

    fn broken(&self, findings: Vec<ImportFinding>) -> Result<(), Unwanted> {
        self.give(Part::Broken(findings))
    }

    fn give(&self, part: Part) -> Result<(), Unwanted> {
        self.to.blocking_send(Ok(part)).map_err(|_| Unwanted)
    }
}

/// Reads a stock by the intake of submissions.
fn stocked(
    (file, stock): (String, &StockFiles),
    edition: &'static Edition,
    (organization, today): (String, Date),
    after: i64,
    to: To,
) -> Result<(), SubmitError> {
    let form = stock.open().map_err(SubmitError::Io)?;
    let (fed, mut chunks) = mpsc::channel(AHEAD);
    // What the bureau has already is not asked whether it may be reported.
    let by = By {
        edition,
        profile: None,
    };
    tokio::task::spawn_blocking(move || feed::feed(by, form, Before::nothing(), fed));
    tokio::task::spawn_blocking(move || {
        let mut scratch = Scratch::default();
        let mut place = 0;
        while let Some(chunk) = chunks.blocking_recv() {
            let part = match chunk {
                Err(SubmitError::Header(findings)) => {
                    let of = |it| ImportFinding::of_record(&file, None, it);
                    Ok(Part::Broken(findings.into_iter().map(of).collect()))
                }
                chunk => chunk.map(|Chunk { records, .. }| {
                    let rows = records.into_iter().filter_map(|parsed| {
                        place += 1;
                        let by = (organization.as_str(), today);
                        (place > after)
                            .then(|| Row::of_stock(place, parsed, edition, by, &mut scratch))
                    });
                    Part::Rows(rows.collect())
                }),
            };
            if to.blocking_send(part).is_err() {
                return;
            }
        }
    });
    Ok(())
}
