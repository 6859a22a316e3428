//! What the bureau answers to a file: its own reading of name, header and lines,
//! and the feedback file that comes of it.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;

use super::{
    database::Database,
    line::{Fault, Record},
    tables::tables,
};
use crate::inbox::bureau_time;

/// A rejected record.
pub(crate) struct Rejected {
    /// Its line in the file; the header is line 1.
    pub(crate) line: usize,
    pub(crate) faults: Vec<Fault>,
    pub(crate) record: String,
}

/// The answer to a file.
pub(crate) enum Answer {
    /// Every record was looked at.
    Judged {
        accepted: usize,
        rejected: Vec<Rejected>,
    },
    /// Name or header is wrong: nothing was loaded.
    Refused(&'static str),
    /// Refused without a feedback file.
    Silent,
}

/// Reads a file by its name and text, and takes its records into the database.
/// `spite` names codes that are given to records of some accounts for no reason.
pub(crate) fn judge(
    name: &str,
    text: &[u8],
    database: &mut Database,
    spite: &dyn Fn(&Record) -> Option<String>,
) -> Answer {
    let Some(record_type) = record_type(name) else {
        return Answer::Silent;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return Answer::Refused("ABF011");
    };
    if text.starts_with('\u{feff}') {
        return Answer::Refused("ABH005");
    }
    let Some(text) = text.strip_suffix("\r\n") else {
        return Answer::Silent;
    };
    let mut lines = text.split("\r\n");
    let header = lines.next().unwrap_or_default();
    match header_fault(header, record_type) {
        Some(code) => return Answer::Refused(code),
        None if !agrees(header, name) => return Answer::Refused("ABF007"),
        None => {}
    }
    let mut accepted = 0;
    let mut rejected = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, line) in lines.enumerate() {
        let result = Record::read(record_type, line).and_then(|record| {
            if let Some(code) = spite(&record) {
                return Err(vec![(code, "0000".to_owned())]);
            }
            if record
                .value("RptDate")
                .is_some_and(|day| *day > *day_of(header))
            {
                return Err(vec![("ABR001".to_owned(), "RptDate".to_owned())]);
            }
            let taken = database.take(record_type, &record, &mut seen);
            taken.map_err(|fault| vec![fault])
        });
        match result {
            Ok(()) => accepted += 1,
            Err(faults) => rejected.push(Rejected {
                line: number + 2,
                faults,
                record: line.to_owned(),
            }),
        }
    }
    Answer::Judged { accepted, rejected }
}

/// The record type of a submission name that is in order.
fn record_type(name: &str) -> Option<&'static str> {
    let bytes = name.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    let organization = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let good = bytes.len() == 30
        && bytes[..14].iter().all(organization)
        && digits(14..30)
        && format!("{}-{}-{}", &name[14..18], &name[18..20], &name[20..22])
            .parse::<jiff::civil::Date>()
            .is_ok()
        && bytes[25] == b'0'
        && bytes[29] == b'0';
    let records = &tables().records;
    good.then(|| records.keys().find(|code| ***code == name[22..25]).copied())?
}

fn header_fault(header: &str, record_type: &str) -> Option<&'static str> {
    let bytes = header.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    if bytes.len() != 50 || !header.is_ascii() {
        return Some("ABH005");
    }
    let template = if record_type == "110" { "10" } else { "  " };
    let good = header.starts_with("A050")
        && digits(4..7)
        && &header[7..12] == "2.0.0"
        && &header[12..14] == template
        && digits(28..42)
        && bytes[42] == b'0'
        && digits(43..50);
    (!good).then_some("ABH005")
}

fn agrees(header: &str, name: &str) -> bool {
    header[14..28] == name[..14] && header[28..36] == name[14..22] && header[4..7] == name[22..25]
}

/// The day of a header, as records write it.
fn day_of(header: &str) -> String {
    format!(
        "{}-{}-{}",
        &header[28..32],
        &header[32..34],
        &header[34..36]
    )
}

impl Answer {
    /// Name and text of the feedback file.
    pub(crate) fn file(&self, name: &str, at: Timestamp) -> Option<(String, String)> {
        let (flag, accepted, rejected, lines) = match self {
            Self::Silent => return None,
            Self::Refused(code) => {
                let fault = vec![((*code).to_owned(), "0000".to_owned())];
                (2, 0, 1, vec![line(None, &fault, None)])
            }
            Self::Judged { accepted, rejected } => {
                let flag = if rejected.is_empty() { 1 } else { 3 };
                let lines = rejected
                    .iter()
                    .map(|it| line(Some(it.line), &it.faults, Some(it.record.as_str())));
                (flag, *accepted, rejected.len(), lines.collect())
            }
        };
        let first = &name[..29];
        let time = bureau_time(at, "%Y%m%d%H%M%S");
        let mut text = format!("A0722.0.0{first}{flag}2.0.0{time}{accepted:07}{rejected:07}\r\n");
        for line in lines {
            text.push_str(&line);
            text.push_str("\r\n");
        }
        Some((format!("{first}{flag}"), text))
    }
}

fn line(number: Option<usize>, faults: &[Fault], record: Option<&str>) -> String {
    let mut line = "<Document><FbInf>".to_owned();
    if let Some(number) = number {
        line.push_str(&format!("<ErrRecId>{number}</ErrRecId>"));
    }
    line.push_str(&format!("<FbErrNum>{}</FbErrNum>", faults.len()));
    for (code, tag) in faults {
        line.push_str(&format!(
            "<ErrInf><FbCode>{code}</FbCode><FbMsg>{tag}</FbMsg></ErrInf>"
        ));
    }
    if let Some(record) = record {
        line.push_str(&format!(
            "<ErrRec>{}</ErrRec>",
            BASE64_STANDARD.encode(record)
        ));
    }
    line.push_str("</FbInf></Document>");
    line
}
