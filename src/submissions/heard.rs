//! What faces show of the bureau's answer to a file.

use schemas::edition::Edition;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    FileView, RecordState,
    cure::{self, Both},
    store::{
        answers::{Answered, Heard},
        files::FileRow,
    },
    take::hex,
    view::{Answer, explained, stored, time},
};

/// What the bureau said of a file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FeedbackView {
    /// The file.
    pub file: FileView,
    /// The feedback files that were looked at, the latest first.
    pub feedback: Vec<HeardView>,
    /// Records that the bureau rejected, in the order of their lines.
    pub rejected: Vec<RejectedView>,
    /// The cursor of the next page.
    pub next: Option<i64>,
}

/// A feedback file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeardView {
    /// Its name.
    pub name: String,
    /// SHA-256 of its sealed bytes, hexadecimal.
    pub sealed_sha256: String,
    /// `taken`, or why not: `disagrees`, `late`, `not_sent`; `taking` while it
    /// is applied, `again` when it is to be looked at again.
    pub outcome: String,
    /// When it was looked at.
    #[schema(format = DateTime)]
    pub taken_at: String,
}

/// A record that the bureau rejected.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RejectedView {
    /// Its line in the file; the header is line 1.
    pub line: i64,
    /// The submission that it came in: a correction names it.
    pub submission: String,
    /// Its place there.
    pub seq: i64,
    /// Its type.
    pub record: String,
    /// `rejected` until a correction took its place or a person took it back.
    pub state: RecordState,
    /// Why, and what to do.
    pub reasons: Vec<Reason>,
}

/// One of the bureau's reasons, and its cure.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reason {
    /// The code, and the rule behind it.
    #[serde(flatten)]
    pub answer: Answer,
    /// What to do.
    pub cure: Both,
}

impl FeedbackView {
    /// Of a file and what was heard of it, with the texts of the tables.
    #[must_use]
    pub fn of(
        file: &FileRow,
        heard: Vec<Heard>,
        rejected: Vec<Answered>,
        next: Option<i64>,
        edition: Option<&Edition>,
    ) -> Self {
        let one = |row: Answered| RejectedView::of(row, edition);
        Self {
            file: FileView::from(file),
            feedback: heard.into_iter().map(HeardView::from).collect(),
            rejected: rejected.into_iter().map(one).collect(),
            next,
        }
    }
}

impl From<Heard> for HeardView {
    fn from(row: Heard) -> Self {
        Self {
            sealed_sha256: hex(&row.sealed_sha256),
            taken_at: time(row.taken_at),
            name: row.name,
            outcome: row.outcome,
        }
    }
}

impl RejectedView {
    fn of(row: Answered, edition: Option<&Edition>) -> Self {
        let answers: Vec<Answer> = stored(Some(&row.answer));
        let reason = |answer: Answer| Reason {
            cure: cure::of(edition, &row.record, &answer.code, &answer.tag),
            answer: explained(answer, &row.record, edition),
        };
        let reasons = answers.into_iter().map(reason).collect();
        Self {
            line: row.line,
            submission: row.submission,
            seq: row.seq,
            state: RecordState::named(&row.state).unwrap_or(RecordState::Rejected),
            record: row.record,
            reasons,
        }
    }
}
