//! What faces show of submissions, records and files.

use schemas::{
    edition::Edition,
    validate::{Finding, Severity},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use workbook::Origin;

use super::{
    FileState, RecordState, SubmissionState, gate,
    store::{files::FileRow, records::Outline, submissions::Submission},
};
use crate::{ledger::Hold, platform::clock::from_micros};

/// One thing that is wrong with a record. It quotes no value.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
pub struct RecordFinding {
    /// The official rule where one is known, else the code.
    pub rule: String,
    /// Where, from the record element; `.` is the record as a whole.
    pub path: String,
    /// The cell of a workbook, such as `410 基础段!C5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The bureau's error code, or one of ours in lower case.
    pub code: String,
    /// Whether it stops the record; otherwise it warns.
    pub stops: bool,
    /// What is wrong and what would be right, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// One of the bureau's reasons for rejecting a record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
pub struct Answer {
    /// The bureau's error code, also one that no table knows.
    pub code: String,
    /// The tag that it names; `0000` is several or all.
    pub tag: String,
    /// The rule behind the code, in Chinese, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
    /// The same in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

/// A submission.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubmissionView {
    /// Its identifier.
    pub id: String,
    /// The bureau reported to.
    pub bureau: String,
    /// `handed_in` by somebody; or imported as `earlier`, a file that the bureau
    /// answered before this gateway, or as a `stock` of accounts.
    pub origin: &'static str,
    /// `receiving` until all its records are durable.
    pub state: SubmissionState,
    /// Records taken in durably.
    pub taken: i64,
    /// How many of its records are in each state.
    pub records: Vec<Count>,
    /// When it came.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// When all its records were durable.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// The audit entry of its last change.
    pub receipt: String,
}

/// How many records are in a state.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Count {
    /// The state.
    pub state: RecordState,
    /// How many.
    pub count: i64,
}

/// A record of a submission, without its content.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecordView {
    /// Its place in the input, counted from 1.
    pub seq: i64,
    /// Its type.
    pub record: String,
    /// Where it stands.
    pub state: RecordState,
    /// The day that it tells of.
    pub report_date: Option<String>,
    /// What it waits for.
    pub holds: Vec<Hold>,
    /// What is wrong with it.
    pub findings: Vec<RecordFinding>,
    /// Why the bureau rejected it.
    pub answer: Vec<Answer>,
    /// Its line in its file.
    pub line: Option<i64>,
    /// The record that it corrects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrects: Option<RecordName>,
    /// The record that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_by: Option<RecordName>,
}

/// A record, as others name it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct RecordName {
    /// Its submission.
    pub submission: String,
    /// Its place in there, counted from 1.
    pub seq: i64,
}

/// A mandated file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileView {
    /// Its identifier.
    pub id: String,
    /// The bureau.
    pub bureau: String,
    /// The type of its records.
    pub record: String,
    /// Its mandated name, without an ending.
    pub name: String,
    /// Where it stands.
    pub state: FileState,
    /// How many records it holds.
    pub records: i64,
    /// Accepted records, once answered.
    pub accepted: Option<i64>,
    /// Rejected records, once answered.
    pub rejected: Option<i64>,
    /// Deliveries begun.
    pub attempts: i64,
    /// Why it waits for a person, or the code that refused it.
    pub cause: Option<String>,
    /// SHA-256 of the sealed bytes, hexadecimal.
    pub sealed_sha256: Option<String>,
    /// When its name was reserved.
    #[schema(format = DateTime)]
    pub reserved_at: String,
    /// When it was delivered first.
    #[schema(format = DateTime)]
    pub sent_at: Option<String>,
    /// When it was known to have arrived.
    #[schema(format = DateTime)]
    pub arrived_at: Option<String>,
    /// When it was answered or refused.
    #[schema(format = DateTime)]
    pub answered_at: Option<String>,
    /// The audit entry of its last change.
    pub receipt: String,
}

impl SubmissionView {
    /// Of a submission and the counts of its records.
    #[must_use]
    pub fn of(row: &Submission, counts: &[(String, i64)]) -> Self {
        let count = |(state, count): &(String, i64)| {
            RecordState::named(state).map(|state| Count {
                state,
                count: *count,
            })
        };
        Self {
            id: row.id.clone(),
            bureau: row.bureau.clone(),
            origin: match row.format.as_str() {
                "earlier" => "earlier",
                "stock" => "stock",
                _ => "handed_in",
            },
            state: row.state(),
            taken: row.taken,
            records: counts.iter().filter_map(count).collect(),
            received_at: from_micros(row.received_at).to_string(),
            ended_at: row.ended_at.map(time),
            receipt: row.receipt.clone(),
        }
    }
}

impl RecordView {
    /// Of a record, with the texts of the tables.
    #[must_use]
    pub fn of(row: &Outline, edition: Option<&Edition>) -> Self {
        let answer: Vec<Answer> = stored(row.answer.as_deref());
        let answer = answer
            .into_iter()
            .map(|one| explained(one, &row.record, edition))
            .collect();
        Self {
            seq: row.seq,
            record: row.record.clone(),
            state: RecordState::named(&row.state).unwrap_or(RecordState::SetAside),
            report_date: row.report_date.clone(),
            holds: gate::explained(row.holds.as_deref()),
            findings: stored(row.findings.as_deref()),
            answer,
            line: row.line,
            corrects: row.corrects.as_deref().and_then(RecordName::read),
            corrected_by: row.corrected_by.as_deref().and_then(RecordName::read),
        }
    }
}

impl RecordName {
    /// As the database tells it: `submission/seq`.
    fn read(text: &str) -> Option<Self> {
        let (submission, seq) = text.split_once('/')?;
        Some(Self {
            submission: submission.to_owned(),
            seq: seq.parse().ok()?,
        })
    }
}

impl From<&FileRow> for FileView {
    fn from(row: &FileRow) -> Self {
        Self {
            id: row.id.clone(),
            bureau: row.bureau.to_string(),
            record: row.record.clone(),
            name: row.name.clone(),
            state: row.state(),
            records: row.records,
            accepted: row.accepted,
            rejected: row.rejected,
            attempts: row.attempts,
            cause: row.cause.clone(),
            sealed_sha256: row.sealed_sha256.as_deref().map(super::take::hex),
            reserved_at: from_micros(row.reserved_at).to_string(),
            sent_at: row.sent_at.map(time),
            arrived_at: row.arrived_at.map(time),
            answered_at: row.answered_at.map(time),
            receipt: row.receipt.clone(),
        }
    }
}

impl From<&Finding> for RecordFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            path: finding.path.clone(),
            at: None,
            code: finding.code.clone(),
            stops: finding.severity == Severity::Error,
            zh: finding.zh.clone(),
            en: finding.en.clone(),
        }
    }
}

/// Findings as the database keeps them.
pub(super) fn findings_json(findings: &[Finding]) -> Option<String> {
    findings_json_in(findings, None)
}

/// The same, of a record that came from a workbook.
pub(super) fn findings_json_in(findings: &[Finding], origin: Option<&Origin>) -> Option<String> {
    let kept = findings.iter().map(|finding| RecordFinding {
        at: origin.map(|origin| origin.spot(&finding.path).to_string()),
        ..RecordFinding::from(finding)
    });
    let kept: Vec<RecordFinding> = kept.collect();
    (!kept.is_empty())
        .then(|| serde_json::to_string(&kept).ok())
        .flatten()
}

/// An answer to a record of that type, with the texts of the tables.
pub(super) fn explained(mut answer: Answer, record: &str, edition: Option<&Edition>) -> Answer {
    let texts = edition.and_then(|edition| {
        let mut known = edition.official(&answer.code);
        let texts = known.find(|it| it.record == record || it.record == "all");
        texts.map(|official| (official.zh.clone(), official.en.clone()))
    });
    (answer.zh, answer.en) = texts.unzip();
    answer
}

pub(super) fn stored<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Vec<T> {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

pub(super) fn time(micros: i64) -> String {
    from_micros(micros).to_string()
}
