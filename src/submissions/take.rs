//! Pass one: from the input to sealed rows, chunk by chunk.

use tokio::sync::mpsc::{self, error::TryRecvError};
use uuid::Uuid;

use super::{
    SubmissionState, Submissions, SubmitError,
    candidate::Expected,
    entries,
    feed::{self, Before, By, Chunk, Form},
    judge::Judged,
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

    /// Takes in chunk after chunk: while one is being stored, the next is judged.
    async fn receive(
        &self,
        caller: &Caller,
        begins: &Begins,
        known: Option<Submission>,
        organization: &str,
        chunks: &mut mpsc::Receiver<Result<Chunk, SubmitError>>,
    ) -> Result<Submission, SubmitError> {
        let mut begun = known;
        let mut judged: Option<Judged> = None;
        let mut earlier = Expected::new();
        loop {
            let chunk = match chunks.try_recv() {
                Ok(chunk) => Some(chunk),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    // What is judged does not wait for who sends slowly.
                    if let Some(of) = begun.take() {
                        begun = Some(self.store_last(of, judged.take()).await?);
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
                        self.store_last(of, judged).await?;
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
                submission = self.store_last(submission, judged.take()).await?;
            }
            let waiting = judged.as_ref().map(|it| it.after(&submission));
            let of = waiting.as_ref().unwrap_or(&submission).clone();
            let keeper = self.clone();
            // A task of its own: it may have a core of its own.
            let storing = async move { keeper.store_last(submission, judged).await };
            let (stored, next) = tokio::join!(
                tokio::spawn(storing),
                self.judge(&of, organization, chunk, earlier),
            );
            let stored = match stored {
                Ok(stored) => stored?,
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            };
            let next = next?;
            earlier = next.expected.clone();
            judged = Some(next);
            if self.0.is_closing() {
                self.store_last(stored, judged).await?;
                return Err(SubmitError::Closing);
            }
            begun = Some(stored);
        }
        let submission = match begun {
            Some(begun) => begun,
            None => self.begin(caller, begins).await?,
        };
        self.store_last(submission, judged).await
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
