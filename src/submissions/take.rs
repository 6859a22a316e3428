//! Pass one: from the input to sealed rows, chunk by chunk.

use std::sync::Arc;

use tokio::{
    sync::mpsc::{self, error::TryRecvError},
    task::JoinError,
};
use uuid::Uuid;

use super::{
    SubmissionState, Submissions, SubmitError,
    candidate::Expected,
    entries,
    feed::{self, Before, By, Chunk, Form},
    judge::{Judged, Looked},
    keep::Packed,
    service::Inner,
    store::submissions::{self, New, Submission},
};
use crate::{
    operators::{Caller, Role},
    platform::{
        clock::micros,
        db::Urgency,
        ids::{BureauId, InstitutionId},
        vault::Blind,
    },
};

/// Chunks that are parsed ahead.
const AHEAD: usize = 2;

/// Chunks that may not be stored yet when the ledger is asked of the next one.
const EARLIER: usize = 3;

/// What was read and is not stored yet.
#[derive(Default)]
struct Ahead {
    looked: Option<Looked>,
    judged: Option<Judged>,
    packed: Option<Packed>,
    /// What the last chunks will have made of their accounts, the latest first.
    earlier: Vec<Arc<Expected>>,
}

impl Ahead {
    fn records(&self) -> i64 {
        let looked = self.looked.as_ref().map_or(0, |it| it.candidates.len());
        let judged = self.judged.as_ref().map_or(0, |it| it.candidates.len());
        let packed = self.packed.as_ref().map_or(0, |it| it.rows.len());
        (looked + judged + packed) as i64
    }
}

/// What a task gave; its panic goes on here.
fn whole<T>(result: Result<Result<T, SubmitError>, JoinError>) -> Result<T, SubmitError> {
    match result.map_err(JoinError::try_into_panic) {
        Ok(value) => value,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime ends.
        Err(Err(_)) => Err(SubmitError::Closing),
    }
}

/// What a submission begins with, and keeps.
struct Begins {
    bureau: String,
    client: String,
    format: String,
    key: String,
    record: Option<String>,
}

impl Begins {
    /// Whether a submission under that key began so.
    fn is(&self, known: &Submission) -> bool {
        known.bureau == self.bureau && known.format == self.format && known.record == self.record
    }
}

impl Submissions {
    /// Takes in a submission, or goes on with one that was cut: the same client
    /// sends the same content under the same key.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`]; what was durable before it stays.
    pub async fn submit(
        &self,
        caller: &Caller,
        bureau: &BureauId,
        key: &str,
        form: Form,
    ) -> Result<Submission, SubmitError> {
        caller.require(Role::Submitter)?;
        let inner = &self.0;
        let reporter = inner.reporter(&caller.institution, bureau)?;
        let (organization, profile) = (reporter.organization_code.clone(), reporter.profile);
        let edition = Inner::edition(self.today())?;
        if form.record().is_some_and(|it| edition.plan(it).is_none()) {
            return Err(SubmitError::NoSuchRecord);
        }
        let client = caller.actor.stored();
        let _claim = inner.claim(format!("{}/{client}/{key}", caller.institution))?;
        let known = submissions::by_key(self.db(), &caller.institution, &client, key).await?;
        let begins = Begins {
            bureau: bureau.to_string(),
            client,
            format: form.name().to_owned(),
            key: key.to_owned(),
            record: form.record().map(str::to_owned),
        };
        if known.as_ref().is_some_and(|known| !begins.is(known)) {
            return Err(SubmitError::ContentDiffers);
        }
        let before = known.as_ref().map_or_else(Before::nothing, |known| Before {
            taken: known.taken as u64,
            chain: known.chain_sha256.clone(),
        });
        let (to, mut chunks) = mpsc::channel(AHEAD);
        let by = By { edition, profile };
        let reader = tokio::task::spawn_blocking(move || feed::feed(by, form, before, to));
        let received = self.receive(caller, &begins, known, &organization, &mut chunks);
        let mut submission = received.await?;
        if let Err(error) = reader.await {
            std::panic::resume_unwind(error.into_panic());
        }
        if submission.state() == SubmissionState::Receiving {
            submission = self.end(submission).await?;
        }
        Ok(submission)
    }

    /// Takes in chunk after chunk, four at once: while one is stored, the next is
    /// sealed, the one after that judged, and the ledger asked of a fourth.
    async fn receive(
        &self,
        caller: &Caller,
        begins: &Begins,
        known: Option<Submission>,
        organization: &str,
        chunks: &mut mpsc::Receiver<Result<Chunk, SubmitError>>,
    ) -> Result<Submission, SubmitError> {
        let mut begun = known;
        let mut ahead = Ahead::default();
        loop {
            let chunk = match chunks.try_recv() {
                Ok(chunk) => Some(chunk),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    // What is read does not wait for who sends slowly.
                    if let Some(of) = begun.take() {
                        begun = Some(self.store_all(of, organization, &mut ahead).await?);
                    }
                    chunks.recv().await
                }
            };
            let chunk = match chunk {
                None => break,
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => {
                    // What has a bad head is not begun.
                    if let Some(of) = begun {
                        self.store_all(of, organization, &mut ahead).await?;
                    }
                    return Err(error);
                }
            };
            let mut submission = match begun {
                Some(begun) => begun,
                None => self.begin(caller, begins).await?,
            };
            if submission.state() == SubmissionState::Taken {
                return Err(SubmitError::ContentDiffers);
            }
            // A correction may name a record that is only now being stored.
            if chunk.corrects() {
                submission = self.store_all(submission, organization, &mut ahead).await?;
            }
            submission = self
                .step(submission, organization, &mut ahead, Some(chunk))
                .await?;
            if self.0.is_closing() {
                self.store_all(submission, organization, &mut ahead).await?;
                return Err(SubmitError::Closing);
            }
            begun = Some(submission);
        }
        let submission = match begun {
            Some(begun) => begun,
            None => self.begin(caller, begins).await?,
        };
        self.store_all(submission, organization, &mut ahead).await
    }

    /// Moves all chunks on by one, and begins with the next; the submission as it
    /// is stored.
    async fn step(
        &self,
        of: Submission,
        organization: &str,
        ahead: &mut Ahead,
        chunk: Option<Chunk>,
    ) -> Result<Submission, SubmitError> {
        let (before, no) = (of.clone(), of.no);
        let sealed = of.taken + ahead.packed.as_ref().map_or(0, |it| it.rows.len() as i64);
        let taken = of.taken + ahead.records();
        let (packed, judged) = (ahead.packed.take(), ahead.judged.take());
        let (looked, earlier) = (ahead.looked.take(), ahead.earlier.clone());
        let (store, pack, judge) = (self.clone(), self.clone(), self.clone());
        let (own, reporter) = (of.clone(), organization.to_owned());
        // Tasks of their own: they may have a core of their own.
        let stored = tokio::spawn(async move {
            match packed {
                Some(packed) => store.store(of, packed).await,
                None => Ok(of),
            }
        });
        let packed = tokio::spawn(async move {
            match judged {
                Some(judged) => pack.pack(no, sealed, judged).await.map(Some),
                None => Ok(None),
            }
        });
        let judged = tokio::spawn(async move {
            match looked {
                Some(looked) => judge
                    .judge(&own, &reporter, looked, earlier)
                    .await
                    .map(Some),
                None => Ok(None),
            }
        });
        let looked = async {
            match chunk {
                Some(chunk) => self.look_up(&before, taken, chunk).await.map(Some),
                None => Ok(None),
            }
        };
        let (stored, packed, judged, looked) = tokio::join!(stored, packed, judged, looked);
        let stored = whole(stored)?;
        ahead.packed = whole(packed)?;
        ahead.judged = whole(judged)?;
        ahead.looked = looked?;
        if let Some(judged) = &ahead.judged {
            ahead.earlier.insert(0, Arc::clone(&judged.expected));
            ahead.earlier.truncate(EARLIER);
        }
        Ok(stored)
    }

    /// Stores all that was read.
    async fn store_all(
        &self,
        mut of: Submission,
        organization: &str,
        ahead: &mut Ahead,
    ) -> Result<Submission, SubmitError> {
        while ahead.records() > 0 {
            of = self.step(of, organization, ahead, None).await?;
        }
        ahead.earlier.clear();
        Ok(of)
    }

    async fn begin(&self, caller: &Caller, begins: &Begins) -> Result<Submission, SubmitError> {
        let at = self.0.parts.clock.now();
        let (client, key) = (begins.client.clone(), begins.key.clone());
        let person = caller.person.as_ref().map(|it| it.as_str().to_owned());
        let person = person.unwrap_or_else(|| client.clone());
        let mut row = Submission {
            no: 0,
            id: Uuid::now_v7().to_string(),
            institution: caller.institution.clone(),
            bureau: begins.bureau.clone(),
            submitter: client.clone(),
            format: begins.format.clone(),
            record: begins.record.clone(),
            state: SubmissionState::Receiving.name().to_owned(),
            taken: 0,
            chain_sha256: Before::nothing().chain,
            set_aside: 0,
            received_at: micros(at),
            ended_at: None,
            receipt: String::new(),
        };
        let draft = entries::of_submission(entries::RECEIVING, &row, at).actor(&caller.actor);
        let (entry, receipt) = entries::finish(draft)?;
        row.receipt = receipt;
        let _numbers = self.0.numbers.lock().await;
        let write = self.db().write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                row.no = submissions::next_no(tx).await?;
                let new = New {
                    client: &client,
                    key: &key,
                    person: &person,
                };
                submissions::insert(tx, &row, &new).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(row)
            })
        });
        write.await
    }

    async fn end(&self, before: Submission) -> Result<Submission, SubmitError> {
        let at = self.0.parts.clock.now();
        let mut after = before.clone();
        SubmissionState::Taken.name().clone_into(&mut after.state);
        after.ended_at = Some(micros(at));
        let draft =
            entries::of_submission(entries::TAKEN, &after, at).number("set_aside", after.set_aside);
        let (entry, receipt) = entries::finish(draft)?;
        after.receipt = receipt;
        let write = self.db().write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                submissions::advance(tx, &before, &after).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(after)
            })
        });
        let after = write.await?;
        self.stir();
        Ok(after)
    }
}

/// What an account is found by: its bureau's key within the institution.
pub(super) fn account_text(
    institution: &InstitutionId,
    bureau: &BureauId,
    family: &str,
    key: &str,
) -> Vec<u8> {
    format!("account\n{institution}\n{bureau}\n{family}\n{key}").into_bytes()
}

pub(super) fn digests(
    blind: &Blind,
    institution: &InstitutionId,
    bureau: &BureauId,
    family: &str,
    key: &str,
) -> Vec<[u8; 32]> {
    blind
        .all(&account_text(institution, bureau, family, key))
        .collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    crate::audit::hex::Hex(bytes).to_string()
}
