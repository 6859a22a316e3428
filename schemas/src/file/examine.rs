//! Anybody's submission file, judged as the centre judges it before it loads anything.
//!
//! # Promise
//!
//! Name, header, line ends and every record are judged, and all that is wrong is told in the order
//! of the file. What the texts forbid while the centre's pre-check tool is known to let it pass
//! (column `tool` of `checks.tsv`, codes with `~` in the tables) warns. Memory does not grow with
//! the file, and no finding quotes it.
//!
//! # What is not here
//!
//! Opening what is packed or sealed, and what only the centre's database can know.
//!
//! # Failure
//!
//! A file that cannot be read ends the examination with the reader's own error; what was found
//! before has been told.

mod crew;
mod line;

use std::io::{self, BufRead};
use std::num::NonZero;

use jiff::civil::Date;

use super::check::{Check, Measure, is_version};
use super::header::{self, VERSION};
use super::name;
use super::read::{Ended, append_line};
use super::{Flag, MOST_RECORDS};
use crate::edition::Edition;
use crate::validate::{FileHeader, Finding, Severity};

use crew::Body;
use line::Against;

/// What is wrong with a record, or with the file as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Told<'f> {
    /// Which record, the first is 1; absent for the file as a whole.
    pub record: Option<u32>,
    /// Its line, without line end; empty for the file as a whole, and for a line beyond all limits.
    pub line: &'f [u8],
    /// All that is wrong with it.
    pub findings: &'f [Finding],
}

impl Told<'_> {
    /// The findings that the centre refuses for.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        let errors = |finding: &&Finding| finding.severity == Severity::Error;
        self.findings.iter().filter(errors)
    }
}

/// What an examination came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Examined {
    /// The name without its last character, where it is one.
    pub stem: Option<String>,
    /// The record type: the header's, else that of the name.
    pub record: Option<String>,
    /// The version in the header; the one in use where there is none.
    pub version: String,
    /// Records in the file.
    pub records: u32,
    /// Those that the centre would reject.
    pub rejected: u32,
    /// Findings that only warn.
    pub warnings: u64,
    /// What the centre answers; absent where it refuses the file without a feedback file.
    pub flag: Option<Flag>,
}

impl Examined {
    /// Whether the centre would take the file and all its records.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.flag == Some(Flag::Accepted)
    }
}

/// Examines a file of this name, on so many threads beside the caller's, and tells what is wrong.
///
/// # Errors
///
/// That the file cannot be read, or those of `tell`.
pub fn examine(
    name: &str,
    mut input: impl BufRead,
    today: Date,
    threads: NonZero<usize>,
    tell: &mut dyn FnMut(Told<'_>) -> io::Result<()>,
) -> io::Result<Examined> {
    let mut findings = Vec::new();
    let named = name::parts(name, Measure::Tool, &mut findings);
    if let Some(date) = named.as_ref().and_then(|named| named.date) {
        name::check_today(date, today, &mut findings);
    }
    let unnamed = has_error(&findings);
    let about_name = findings.len();
    let mut first = Vec::new();
    // The mandated header is far shorter; a first line beyond this is none.
    let ended = append_line(&mut input, &mut first, MOST_HEADER)?;
    let mut head = None;
    if ended == Ended::Whole {
        let text = std::str::from_utf8(&first).unwrap_or_default();
        head = header::parts(text, Measure::Tool, &mut findings);
    } else {
        findings.push(Check::HeaderLine.finding());
    }
    if let Some(head) = &head {
        header::check_version(&head.version, Measure::Tool, &mut findings);
        if let Some(named) = &named {
            same(head, named, &mut findings);
        }
    }
    let mut examined = Examined {
        stem: named.as_ref().map(|named| named.stem.clone()),
        record: None,
        version: VERSION.to_owned(),
        records: 0,
        rejected: 0,
        warnings: warnings(&findings),
        flag: Some(Flag::Accepted),
    };
    if has_error(&findings[about_name..]) {
        examined.flag = Some(Flag::Refused);
    }
    if let Some(head) = head.as_ref().filter(|head| is_version(&head.version)) {
        examined.version.clone_from(&head.version);
    }
    if !findings.is_empty() {
        tell(file(&findings))?;
    }
    let mut unanswered = unnamed;
    if ended == Ended::Whole {
        let header = for_records(head.as_ref(), named.as_ref(), today);
        examined.record = header.as_ref().map(|header| header.record.clone());
        let against = header.and_then(Against::of);
        let body = Body::default().read(&mut input, against.as_ref(), threads, tell)?;
        (examined.records, examined.rejected) = (body.records, body.rejected);
        examined.warnings += body.warnings;
        let count = head.and_then(|head| head.count);
        let findings = end(&body, count);
        unanswered |= body.too_long || has_error(&findings);
        examined.warnings += warnings(&findings);
        if !findings.is_empty() {
            tell(file(&findings))?;
        }
        if examined.flag == Some(Flag::Accepted) && body.rejected > 0 {
            examined.flag = Some(Flag::Rejected);
        }
    }
    if unanswered {
        examined.flag = None;
    }
    Ok(examined)
}

/// Bytes that a first line may have to be looked at.
const MOST_HEADER: u64 = 4096;

/// Whether header and name agree (ABF007), as far as each can be read.
fn same(head: &header::Parts, named: &name::Parts, findings: &mut Vec<Finding>) {
    Check::SameOrg.unless(head.org == named.org, findings);
    if let (Some(time), Some(date)) = (head.time, named.date) {
        Check::SameDate.unless(time.date() == date, findings);
    }
    Check::SameRecord.unless(head.record == named.record, findings);
}

/// What the records are judged against: the header as far as it can be read, else the name.
fn for_records(
    head: Option<&header::Parts>,
    named: Option<&name::Parts>,
    today: Date,
) -> Option<FileHeader> {
    let is_known = |record: &&str| super::check::is_record_type(record);
    let record = head.map(|head| head.record.as_str()).filter(is_known);
    let record = record.or(named.map(|named| named.record.as_str()).filter(is_known))?;
    let date = head.and_then(|head| head.time.map(|time| time.date()));
    let date = date.or(named.and_then(|named| named.date));
    let org = head.map(|head| &head.org).or(named.map(|named| &named.org));
    let template = head.map(|head| head.template.clone());
    Some(FileHeader {
        date: date.unwrap_or(today),
        record: record.to_owned(),
        org: org.cloned().unwrap_or_default(),
        template: template.unwrap_or_else(|| super::Header::template_of(record).to_owned()),
    })
}

/// What is wrong with the file as a whole, after its last line.
fn end(body: &Body, count: Option<u32>) -> Vec<Finding> {
    let mut findings = Vec::new();
    Check::FileLastLine.unless(!body.cut, &mut findings);
    Check::FileSize.unless(body.records <= MOST_RECORDS, &mut findings);
    Check::FileEmptyBody.unless(body.records > 0, &mut findings);
    let counted = count.is_none_or(|count| count == body.records);
    Check::HeaderCountTrue.unless(counted, &mut findings);
    findings
}

fn file(findings: &[Finding]) -> Told<'_> {
    Told {
        record: None,
        line: &[],
        findings,
    }
}

fn has_error(findings: &[Finding]) -> bool {
    { findings.iter() }.any(|finding| finding.severity == Severity::Error)
}

fn warnings(findings: &[Finding]) -> u64 {
    let warns = |finding: &&Finding| finding.severity == Severity::Warning;
    findings.iter().filter(warns).count() as u64
}

/// The plan of a record type in the edition of a day, or the first that there is: the centre
/// refuses an earlier day by other checks.
fn plan(record: &str, day: Date) -> Option<std::sync::Arc<crate::plan::RecordPlan>> {
    let editions = Edition::FORMATS.iter().filter_map(|format| {
        Edition::embedded(format, day).or_else(|| Edition::embedded(format, Date::MAX))
    });
    { editions }.find_map(|edition| edition.plan(record).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_type_that_a_file_may_hold_can_be_judged() {
        let days = ["1901-01-01", "2024-06-01", "2099-12-31"];
        for day in days.map(|day| day.parse().unwrap()) {
            for (code, ..) in crate::file::record_types() {
                assert!(plan(code, day).is_some(), "{code} on {day}");
            }
        }
    }
}
