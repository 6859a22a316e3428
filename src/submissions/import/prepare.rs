//! The inputs, opened and put in the order of time, each with its feedback.

use std::{
    collections::{HashMap, HashSet},
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use schemas::file::{FeedbackName, FeedbackReader, FileError, FileName, FileReader, Flag, Header};

use super::super::{
    SubmissionState, SubmitError,
    store::{
        files::{self, FileRow},
        imports,
        submissions::{self, Submission},
    },
    take::hex,
    write::blocking,
};
use super::{
    Importer, Tell, Wanted,
    findings::ImportFinding,
    packed,
    read::Part,
    source::{Earlier, Source, StockFiles, Verdict, What, end_of, stamp},
};
use crate::{
    bureaus::{FileFacts, Seal},
    platform::{clock::china_date, digest::sha256},
};

/// Feedback files by the name of the file that they answer, without its last
/// character.
type Answers = HashMap<String, Vec<(PathBuf, FeedbackName)>>;

impl Importer {
    /// Opens all inputs, and tells what is wrong with any as a whole.
    pub(super) async fn prepare(
        &self,
        wanted: &Wanted,
        tell: Tell<'_>,
    ) -> Result<Vec<Source>, SubmitError> {
        let mut answers = Answers::new();
        for path in &wanted.feedback {
            match FeedbackName::parse(&shown(path)) {
                Ok(name) => {
                    let of = answers.entry(name.stem().to_owned()).or_default();
                    of.push((path.clone(), name));
                }
                Err(findings) => findings
                    .into_iter()
                    .for_each(|it| tell(ImportFinding::of_file(&shown(path), None, it))),
            }
        }
        let mut all = Vec::new();
        let mut keys = HashSet::new();
        for path in &wanted.files {
            let name = shown(path);
            let found = self
                .earlier(path, wanted.assume_accepted, &mut answers)
                .await?;
            match found {
                Ok(source) if !keys.insert(source.key.clone()) => {
                    tell(ImportFinding::ours(&name, None, "file_twice"));
                }
                Ok(source) => all.push(source),
                Err(findings) => findings.into_iter().for_each(&mut *tell),
            }
        }
        for (path, _) in answers.into_values().flatten() {
            let code = "feedback_without_file";
            tell(ImportFinding::ours(&shown(&path), None, code));
        }
        for stock in &wanted.stock {
            match self.stock(stock, all.is_empty()).await? {
                Ok(source) => all.push(source),
                Err(finding) => tell(finding),
            }
        }
        all.sort_by(|a, b| (a.stamp, &a.key).cmp(&(b.stamp, &b.key)));
        Ok(all)
    }

    /// The last place of an input that is durable.
    pub(super) async fn last_place(&self, of: &Submission) -> Result<i64, SubmitError> {
        Ok(imports::last_place(&self.db, of.no).await?)
    }

    /// What an earlier call made of an input.
    async fn known(&self, key: &str) -> Result<Option<Submission>, SubmitError> {
        Ok(submissions::by_key(&self.db, &self.institution, super::CLIENT, key).await?)
    }

    async fn earlier(
        &self,
        path: &Path,
        assume: bool,
        answers: &mut Answers,
    ) -> Result<Result<Source, Vec<ImportFinding>>, SubmitError> {
        let shown = shown(path);
        let wrong = |code: &str| Ok(Err(vec![ImportFinding::ours(&shown, None, code)]));
        let name = match FileName::parse(&shown) {
            Ok(name) => name,
            Err(findings) => {
                let of = |it| ImportFinding::of_file(&shown, None, it);
                return Ok(Err(findings.into_iter().map(of).collect()));
            }
        };
        let answered = answers.remove(&name.stem()).unwrap_or_default();
        if name.org() != self.organization {
            return wrong("organization_differs");
        }
        let (at, seal, of) = (path.to_owned(), self.seal.clone(), name.clone());
        let opened = blocking(move || Ok(head(&at, seal.as_ref(), &of))).await?;
        let (header, sha256) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let seal = self.seal.as_ref();
                return Ok(Err(ImportFinding::of_error(&shown, seal, error)));
            }
        };
        let key = name.to_string();
        let known = self.known(&key).await?;
        let row = files::by_name(&self.db, &key).await?;
        match (&known, &row) {
            (None, Some(_)) => return wrong("file_is_own"),
            (Some(_), Some(row)) if row.plain_sha256.as_deref() != Some(&sha256[..]) => {
                return wrong("file_differs");
            }
            _ => {}
        }
        let is_done = |it: &Submission| it.state() == SubmissionState::Taken;
        let verdict = if known.as_ref().is_some_and(is_done) {
            // It was held against its feedback then.
            let cause = row.as_ref().and_then(|row| row.cause.as_deref());
            let assumed = cause == Some(super::begin::ASSUMED);
            Verdict {
                sha256: (!assumed).then_some([0; 32]),
                ..Verdict::default()
            }
        } else {
            match &answered[..] {
                [] if assume => Verdict::default(),
                [] => return wrong("no_feedback"),
                [(path, of)] => match self.verdict(path, of, header.count).await? {
                    Ok(verdict) => verdict,
                    Err(findings) => return Ok(Err(findings)),
                },
                _ => return wrong("feedback_twice"),
            }
        };
        let is_other = |row: &FileRow| {
            let assumed = row.cause.as_deref() == Some(super::begin::ASSUMED);
            let rejected = verdict.rejected.len() as i64;
            verdict.refused.is_none()
                && (assumed != verdict.sha256.is_none()
                    || row.rejected.is_some_and(|before| before != rejected))
        };
        if known.as_ref().is_some_and(|it| !is_done(it)) && row.as_ref().is_some_and(is_other) {
            return wrong("file_differs");
        }
        Ok(Ok(Source {
            name: shown,
            key,
            sha256,
            stamp: stamp(header.time),
            what: What::Earlier(Arc::new(Earlier {
                path: path.to_owned(),
                name,
                header,
                verdict,
            })),
            known,
            bad: false,
        }))
    }

    async fn verdict(
        &self,
        path: &Path,
        name: &FeedbackName,
        sent: u32,
    ) -> Result<Result<Verdict, Vec<ImportFinding>>, SubmitError> {
        let (at, seal, of) = (path.to_owned(), self.seal.clone(), name.clone());
        let read = blocking(move || Ok(verdict(&at, seal.as_ref(), &of, sent))).await?;
        Ok(read.map_err(|error| ImportFinding::of_error(&shown(path), self.seal.as_ref(), error)))
    }

    async fn stock(
        &self,
        stock: &StockFiles,
        is_alone: bool,
    ) -> Result<Result<Source, ImportFinding>, SubmitError> {
        let name = shown(&stock.main);
        let tables = stock.clone();
        let digested = blocking(move || Ok(digest(&tables))).await?;
        let Ok(sha256) = digested else {
            return Ok(Err(ImportFinding::ours(&name, None, "unreadable")));
        };
        let key = format!("sha256-{}", hex(&sha256));
        let today = china_date(self.clock.now());
        let mut source = Source {
            known: self.known(&key).await?,
            name,
            key,
            sha256,
            stamp: end_of(today),
            what: What::Stock(stock.clone()),
            bad: false,
        };
        if !is_alone {
            // Its day says which files come after it.
            let mut last = None;
            let mut parts = source.read(self, 0, today).await?;
            while let Some(part) = parts.recv().await {
                let Part::Rows(rows) = part? else { continue };
                let goods = rows.iter().filter_map(|row| row.good.as_deref());
                last = last.max(goods.filter_map(|good| good.report_date()).max());
            }
            source.stamp = end_of(last.unwrap_or(today));
        }
        Ok(Ok(source))
    }
}

/// The header of an earlier file, and the digest of its text.
fn head(
    path: &Path,
    seal: Option<&Seal>,
    name: &FileName,
) -> Result<(Header, [u8; 32]), FileError> {
    let text = BufReader::new(packed::open(path, seal)?);
    let header = FileReader::open(name, text)?.header().clone();
    Ok((header, packed::digest(packed::open(path, seal)?)?))
}

/// What a feedback file says, all of it.
fn verdict(
    path: &Path,
    seal: Option<&Seal>,
    name: &FeedbackName,
    sent: u32,
) -> Result<Verdict, FileError> {
    let text = BufReader::new(packed::open(path, seal)?);
    let mut reader = FeedbackReader::open(name, Some(sent), text)?;
    let mut verdict = Verdict {
        sha256: Some(FileFacts::of(path)?.sha256),
        at: Some(reader.header().time),
        ..Verdict::default()
    };
    while let Some(line) = reader.read()? {
        if name.flag() == Flag::Refused {
            verdict.refused = line.faults.into_iter().next().map(|fault| fault.code);
        } else if let (Some(number), Some(record)) = (line.line, line.record) {
            verdict.rejected.insert(number, sha256(&record));
        }
    }
    Ok(verdict)
}

/// The digest of all tables of a stock in their order.
fn digest(stock: &StockFiles) -> std::io::Result<[u8; 32]> {
    let mut all = Vec::new();
    for path in stock.paths() {
        all.extend(packed::digest(std::fs::File::open(path)?.take(u64::MAX))?);
    }
    // The type is part of the content: of a CSV nothing else tells it.
    all.extend(stock.record.iter().flat_map(|record| record.bytes()));
    Ok(sha256(&all))
}

/// The name of a file, without its folder.
fn shown(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.unwrap_or_default().into_owned()
}
