//! How the way of files to each bureau stands, for `GET /v1/bureaus`.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::{FileState, Submissions, SubmitError, view::time};
use crate::{args, platform::ids::InstitutionId};

/// How the files of the caller's institution reach a bureau, and how that goes.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct FileWayView {
    /// `exchange` or `https`.
    pub way: String,
    /// `folders`, `mtls`, `tls` or `plain_in_vpn`.
    pub protection: String,
    /// The last day of a way without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The code under which the institution reports.
    pub organization_code: String,
    /// Files that are not known to have arrived.
    pub waiting: i64,
    /// The most deliveries that one of them took so far: a number that grows is
    /// a way that does not carry.
    pub attempts: i64,
    /// Files that arrived and have no answer yet.
    pub unanswered: i64,
    /// Files that stopped for a person.
    pub stopped: i64,
    /// When a file was first delivered last.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// When the bureau last took one.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<String>,
    /// When it last answered one.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<String>,
}

#[derive(FromRow)]
struct Way {
    bureau: String,
    way: String,
    protection: String,
    exception_until: Option<String>,
    organization_code: String,
}

#[derive(FromRow)]
struct Files {
    bureau: String,
    state: String,
    count: i64,
    attempts: i64,
    sent_at: Option<i64>,
    arrived_at: Option<i64>,
    answered_at: Option<i64>,
}

impl Submissions {
    /// How the ways of an institution's files stand, by bureau.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn file_ways(
        &self,
        institution: &InstitutionId,
    ) -> Result<BTreeMap<String, FileWayView>, SubmitError> {
        let ways: Vec<Way> = self
            .db()
            .all(
                "SELECT bureau, way, protection, exception_until, organization_code \
                 FROM submission_ways WHERE institution = $1",
                args![institution],
            )
            .await?;
        // What was imported never went this way.
        let files: Vec<Files> = self
            .db()
            .all(
                "SELECT bureau, state, COUNT(*) AS count, MAX(attempts) AS attempts, \
                 MAX(sent_at) AS sent_at, MAX(arrived_at) AS arrived_at, \
                 MAX(answered_at) AS answered_at FROM submission_files \
                 WHERE institution = $1 AND (attempts > 0 OR state IN ('reserved', 'written')) \
                 GROUP BY bureau, state",
                args![institution],
            )
            .await?;
        let mut all = BTreeMap::new();
        for way in ways {
            let bureau = way.bureau.clone();
            let of = files.iter().filter(|files| files.bureau == bureau);
            let view = way.view(of);
            all.insert(bureau, view);
        }
        Ok(all)
    }
}

impl Way {
    fn view<'f>(self, files: impl Iterator<Item = &'f Files>) -> FileWayView {
        let mut view = FileWayView {
            way: self.way,
            protection: self.protection,
            until: self.exception_until,
            organization_code: self.organization_code,
            ..FileWayView::default()
        };
        let (mut sent, mut arrived, mut answered) = (None, None, None);
        for of in files {
            match FileState::named(&of.state) {
                Some(FileState::Arrived) => view.unanswered += of.count,
                Some(FileState::Stopped) => view.stopped += of.count,
                Some(FileState::Answered | FileState::Refused) => {}
                _ => {
                    view.waiting += of.count;
                    view.attempts = view.attempts.max(of.attempts);
                }
            }
            sent = sent.max(of.sent_at);
            arrived = arrived.max(of.arrived_at);
            answered = answered.max(of.answered_at);
        }
        view.sent_at = sent.map(time);
        view.arrived_at = arrived.map(time);
        view.answered_at = answered.map(time);
        view
    }
}
