//! The submissions of this process: what is received, what waits for its turn.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::{SignedDuration, civil::Date};
use schemas::{edition::Edition, file::Header, validate::FileHeader};

use super::{
    FileState, RecordState, SubmitError,
    store::{self, files::FileRow, records::Outline, submissions::Submission},
};
use crate::{
    authorizations::Authorizations,
    bureaus::Lines,
    platform::{
        clock::{Clock, china_date},
        config::bureau::{BureauConfig, ReporterConfig},
        db::Db,
        ids::{BureauId, InstitutionId},
        vault::Vault,
    },
};

/// The format of what goes to the PBOC, about persons and about organizations.
const FORMAT: &str = "pboc-submit";

/// The service; clones share it.
#[derive(Clone)]
pub struct Submissions(pub(super) Arc<Inner>);

/// What the service is put together from.
pub struct Parts {
    /// What subjects allow.
    pub authorizations: Authorizations,
    /// The bureaus, as configuration names them.
    pub bureaus: Vec<BureauConfig>,
    /// The clock.
    pub clock: Clock,
    /// The database.
    pub db: Db,
    /// Where sealed files wait.
    pub folder: PathBuf,
    /// The lines to bureaus.
    pub lines: Lines,
    /// How long before sending a notice must have been delivered.
    pub notice_lead: SignedDuration,
    /// The vault.
    pub vault: Vault,
}

/// What the steps need.
pub(super) struct Inner {
    pub(super) parts: Parts,
    /// Submissions that are being received, by client and key.
    receiving: Mutex<HashSet<String>>,
    /// Numbers of rows are given one after another.
    pub(super) numbers: tokio::sync::Mutex<()>,
    /// One at a time writes, delivers and reads.
    pub(super) turn: tokio::sync::Mutex<()>,
    closing: AtomicBool,
    /// Something happened that held records may have waited for.
    pub(super) stirred: AtomicBool,
}

/// A submission that is being received; dropped at its end.
pub(super) struct Claim {
    inner: Arc<Inner>,
    name: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut receiving = self.inner.receiving();
        receiving.remove(&self.name);
    }
}

impl Submissions {
    /// Puts the service together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            receiving: Mutex::default(),
            numbers: tokio::sync::Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            closing: AtomicBool::new(false),
            stirred: AtomicBool::new(true),
        }))
    }

    /// Says that something happened for which held records may have waited: a
    /// notice, an authorization, the end of a dispute.
    pub fn stir(&self) {
        self.0.stirred.store(true, Ordering::SeqCst);
    }

    /// Takes no more, and waits until the step under way has ended.
    pub async fn drain(&self) {
        self.0.closing.store(true, Ordering::SeqCst);
        drop(self.0.turn.lock().await);
    }

    /// A submission of an institution.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn find(
        &self,
        institution: &InstitutionId,
        id: &str,
    ) -> Result<Option<Submission>, SubmitError> {
        Ok(store::submissions::find(self.db(), institution, id).await?)
    }

    /// How many records of a submission are in each state.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn counts(&self, of: &Submission) -> Result<Vec<(String, i64)>, SubmitError> {
        Ok(store::submissions::counts(self.db(), of.no).await?)
    }

    /// Submissions of an institution, the latest first, before `before`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn page(
        &self,
        institution: &InstitutionId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Submission>, SubmitError> {
        let before = before.unwrap_or(i64::MAX);
        Ok(store::submissions::page(self.db(), institution, before, limit).await?)
    }

    /// Records of a submission in their order, after `after`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn records(
        &self,
        of: &Submission,
        state: Option<RecordState>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Outline>, SubmitError> {
        Ok(store::records::page(self.db(), of.no, state, after, limit).await?)
    }

    /// Files of an institution, the latest first, before `before`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn files(
        &self,
        institution: &InstitutionId,
        state: Option<FileState>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<FileRow>, SubmitError> {
        let before = before.unwrap_or(i64::MAX);
        Ok(store::files::page(self.db(), institution, state, before, limit).await?)
    }

    /// A file of an institution.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn file(
        &self,
        institution: &InstitutionId,
        id: &str,
    ) -> Result<Option<FileRow>, SubmitError> {
        Ok(store::files::find(self.db(), institution, id).await?)
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.parts.db
    }

    pub(super) fn today(&self) -> Date {
        china_date(self.0.parts.clock.now())
    }
}

impl Inner {
    fn receiving(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.receiving
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Claims a key; one at a time receives under it.
    pub(super) fn claim(self: &Arc<Self>, name: String) -> Result<Claim, SubmitError> {
        if self.is_closing() {
            return Err(SubmitError::Closing);
        }
        if !self.receiving().insert(name.clone()) {
            return Err(SubmitError::Busy);
        }
        Ok(Claim {
            inner: Arc::clone(self),
            name,
        })
    }

    /// How an institution reports to a bureau.
    pub(super) fn reporter(
        &self,
        institution: &InstitutionId,
        bureau: &BureauId,
    ) -> Result<&ReporterConfig, SubmitError> {
        let bureaus = &self.parts.bureaus;
        let bureau = bureaus.iter().find(|known| known.id == bureau.as_str());
        bureau
            .and_then(|bureau| bureau.submission.as_ref())
            .and_then(|submission| {
                let mut members = submission.members.iter();
                members.find(|member| member.institution == institution.as_str())
            })
            .ok_or(SubmitError::NoSuchBureau)
    }

    /// The tables in force on a day.
    pub(super) fn edition(day: Date) -> Result<&'static Edition, SubmitError> {
        Edition::embedded(FORMAT, day).ok_or(SubmitError::NoSuchBureau)
    }

    /// What a record of that type is judged against.
    pub(super) fn header(record: &str, organization: &str, day: Date) -> FileHeader {
        FileHeader {
            date: day,
            record: record.to_owned(),
            org: organization.to_owned(),
            template: Header::template_of(record).to_owned(),
        }
    }

    /// Where sealed files wait.
    pub(super) fn outbox(&self) -> PathBuf {
        self.parts.folder.join("outbox")
    }

    /// Where fetched feedback files are kept.
    pub(super) fn inbox(&self) -> PathBuf {
        self.parts.folder.join("inbox")
    }
}
