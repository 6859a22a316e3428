//! The bureau's own list of our inquiries, and what it says of ours.
//!
//! Pure: lines and records in, verdicts out. Steps and database are in
//! `reconcile`.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::{Zeroize as _, Zeroizing};

use super::{State, store::Record};
use crate::platform::{clock::from_micros, ids::InquiryId};

/// How far the bureau's clock and ours may be apart (QR-38: 120 s), and how late
/// a message may be listed, at the edges of the period.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// One line of the list. Holds personal data: no `Debug`.
#[derive(Deserialize)]
pub(crate) struct Line {
    message_id: String,
    institution: String,
    id_number: String,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.id_number.zeroize();
    }
}

/// What the list says of one of our inquiries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// The bureau recorded it.
    Recorded,
    /// The list covers its time and does not name it.
    NotRecorded,
}

/// A disagreement that a person must look into (QR-29).
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, ToSchema)]
pub struct Disagreement {
    /// Line of the list, 1 for the first after the header; none where a line is
    /// missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The inquiry, where it is one of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub inquiry: Option<InquiryId>,
    /// `malformed`, `bureau_only`, `register_only`, `other_subject`, `listed_twice`.
    pub code: &'static str,
}

/// What came of holding a list against the register.
#[derive(Default)]
pub(crate) struct Match {
    /// Unknown inquiries that the list settles.
    pub(crate) settled: Vec<(InquiryId, Verdict)>,
    /// What does not agree.
    pub(crate) disagreements: Vec<Disagreement>,
    /// Lines of this institution.
    pub(crate) lines: usize,
}

/// The columns that a list must have.
const COLUMNS: [&str; 3] = ["message_id", "institution", "id_number"];

/// The lines of a list: CSV with a header, [`COLUMNS`] among its columns. What
/// has no such header is one malformed line: an empty file or an error page
/// must not say that the bureau recorded nothing.
pub(crate) fn read(csv: &[u8]) -> Vec<Result<Line, usize>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(csv);
    let whole = reader.headers().is_ok_and(|header| {
        COLUMNS
            .iter()
            .all(|column| header.iter().any(|name| name == *column))
    });
    if !whole {
        return vec![Err(1)];
    }
    reader
        .into_deserialize()
        .enumerate()
        .map(|(n, line)| line.map_err(|_| n + 1))
        .collect()
}

/// Holds a list against the register.
///
/// `ours` are all inquiries of the institution at the bureau that were
/// dispatched within the period, `number_of` tells a subject's ID number, `None`
/// where it was erased.
pub(crate) fn compare(
    list: Vec<Result<Line, usize>>,
    institution_code: &str,
    period: (Timestamp, Timestamp),
    ours: &[Record],
    mut number_of: impl FnMut(&Record) -> Option<Zeroizing<String>>,
) -> Match {
    let mut result = Match::default();
    let by_message: HashMap<&str, &Record> = ours
        .iter()
        .filter_map(|ours| Some((ours.message_id.as_deref()?, ours)))
        .collect();
    let mut seen: HashMap<&InquiryId, usize> = HashMap::new();
    for (n, line) in list.into_iter().enumerate() {
        let n = n + 1;
        let mut disagree = |inquiry: Option<&Record>, code| {
            result.disagreements.push(Disagreement {
                line: Some(n),
                inquiry: inquiry.map(|record| record.id.clone()),
                code,
            });
        };
        let line = match line {
            Ok(line) if line.institution == institution_code => line,
            Ok(_) => continue,
            Err(_) => {
                disagree(None, "malformed");
                continue;
            }
        };
        result.lines += 1;
        let Some(record) = by_message.get(line.message_id.as_str()) else {
            disagree(None, "bureau_only");
            continue;
        };
        // What cannot be compared any more is taken as it is named.
        if number_of(record).is_some_and(|number| *number != line.id_number) {
            disagree(Some(record), "other_subject");
            continue;
        }
        if seen.insert(&record.id, n).is_some() {
            disagree(Some(record), "listed_twice");
        }
    }
    // A line that cannot be read, or names somebody else, may be the missing one.
    let whole = !result.disagreements.iter().any(|d| d.code != "bureau_only");
    for record in ours {
        let listed = seen.contains_key(&record.id);
        let covered = record
            .dispatched_at
            .map(from_micros)
            .is_some_and(|at| period.0 + MARGIN <= at && at + MARGIN <= period.1);
        match (record.state(), listed) {
            (State::Unknown, true) => {
                result.settled.push((record.id.clone(), Verdict::Recorded));
            }
            (State::Unknown, false) if covered && whole => {
                result
                    .settled
                    .push((record.id.clone(), Verdict::NotRecorded));
            }
            (State::Answered | State::AnsweredUnreadable, false) if covered => {
                result.disagreements.push(Disagreement {
                    line: None,
                    inquiry: Some(record.id.clone()),
                    code: "register_only",
                });
            }
            _ => {}
        }
    }
    result
}
