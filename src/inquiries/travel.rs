//! The way to the bureau and back: permit, dispatch, exchange, keep.
//!
//! # Promise
//!
//! At every moment at most one commit separates what happened from what the
//! database says: an inquiry leaves only after its intent is durable, and is
//! repeated only after it is durable that it was provably not sent.

use std::{sync::Arc, time::Duration};

use contract::{Failure, InquiryRequest};
use secrecy::ExposeSecret as _;
use tokio::{sync::oneshot, time::timeout};

use super::{
    AskError, Inquiries, State, entries,
    intake::{Fresh, Plain, first_commit, json},
    outcome::Ending,
    service::{Claim, Progress},
    store::{self, Record},
};
use crate::{
    audit::subject::SubjectTag,
    authorizations::{
        self, AuthorizationError, Authorizations, Decision, Purpose, Question, Reason,
    },
    bureaus::{
        self, Ask, AuthorizedInquiry, Exchanged, Intent, Line, Moment, NotDispatched, Permit,
    },
    operators::{self, Actor, Role},
    platform::{
        clock::{from_micros, micros},
        db::{DbError, Tx, Urgency},
        fault::{self, Commit},
        identity::Identity,
        vault::SubjectKeys,
    },
};

/// So long an inquiry may wait for the line without being stored as permitted.
const SHORT_WAIT: Duration = Duration::from_millis(200);

/// How often the commit of an outcome is tried again at first.
const KEEP_AGAIN: Duration = Duration::from_millis(100);

/// An inquiry on its way, and all that the way needs.
#[derive(Clone)]
pub(super) struct Journey {
    /// Its key and digest, until it is stored.
    fresh: Option<Fresh>,
    pub(super) record: Record,
    pub(super) actor: Actor,
    pub(super) subject: Identity,
    pub(super) line: Arc<Line>,
    pub(super) keys: SubjectKeys,
}

/// Why a dispatch transaction was given up.
#[derive(Debug, thiserror::Error)]
enum NoDispatch {
    #[error("the dispatch could not be decided")]
    Ask(#[from] AskError),
    /// The database's error; after a commit in doubt, the intent may be durable.
    #[error(transparent)]
    Db(#[from] DbError),
    /// It was withdrawn, or its state was changed by somebody else.
    #[error("the inquiry is no longer waiting")]
    Gone,
    #[error(transparent)]
    Line(#[from] NotDispatched),
    #[error("the decision refuses it now")]
    Refused(Vec<Reason>),
    /// QR-24.
    #[error("the requester is no longer entitled")]
    Requester,
}

impl From<AuthorizationError> for NoDispatch {
    fn from(error: AuthorizationError) -> Self {
        Self::Ask(error.into())
    }
}

const NOT_ENTITLED: Plain = Plain {
    code: "QR-24",
    zh: "查询人已无查询权限（离职、停用或角色变更）",
    en: "who asked is no longer entitled to inquire",
};

impl Journey {
    /// One that is not stored yet.
    pub(super) fn fresh(fresh: Fresh, line: Arc<Line>, keys: SubjectKeys) -> Self {
        Self {
            record: fresh.record.clone(),
            actor: fresh.actor.clone(),
            subject: fresh.subject.clone(),
            fresh: Some(fresh),
            line,
            keys,
        }
    }

    /// One that is stored as permitted.
    pub(super) fn stored(
        record: Record,
        actor: Actor,
        subject: Identity,
        line: Arc<Line>,
        keys: SubjectKeys,
    ) -> Self {
        Self {
            fresh: None,
            record,
            actor,
            subject,
            line,
            keys,
        }
    }

    pub(super) fn tag(&self) -> SubjectTag {
        SubjectTag::of(&self.keys, &self.subject)
    }
}

impl Inquiries {
    /// Carries an inquiry to the bureau and its answer back.
    pub(super) async fn travel(&self, claim: &Claim, mut journey: Journey) -> Result<(), AskError> {
        loop {
            let Some(permit) = self.permit(claim, &mut journey).await? else {
                return Ok(());
            };
            match self.dispatch(claim, &mut journey, permit).await? {
                Step::Ended => return Ok(()),
                Step::Again(delay) => {
                    claim.tell(Progress::Waiting);
                    let stop = timeout(delay, claim.withdrawn.notified()).await.is_ok();
                    if stop && self.stopped(&journey).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Waits for leave to send; `None` where the inquiry ended or the gateway
    /// goes down. What waits for more than a moment is stored as permitted.
    async fn permit(
        &self,
        claim: &Claim,
        journey: &mut Journey,
    ) -> Result<Option<Permit>, AskError> {
        let ask = Ask {
            institution: journey.record.institution.clone(),
            operator: journey.actor.to_string(),
            deadline: from_micros(journey.record.deadline_at),
            attempt: u32::try_from(journey.record.attempts).unwrap_or(u32::MAX),
        };
        let line = Arc::clone(&journey.line);
        loop {
            if journey.fresh.is_none() && self.stopped(journey).await? {
                return Ok(None);
            }
            let mut waiting = std::pin::pin!(line.permit(&ask));
            let granted = match timeout(SHORT_WAIT, &mut waiting).await {
                Ok(granted) => Some(granted),
                Err(_) => {
                    self.store_permitted(journey).await?;
                    claim.tell(Progress::Waiting);
                    tokio::select! {
                        granted = &mut waiting => Some(granted),
                        () = claim.withdrawn.notified() => None,
                    }
                }
            };
            match granted {
                Some(Ok(permit)) => return Ok(Some(permit)),
                Some(Err(no_permit)) => {
                    self.store_permitted(journey).await?;
                    self.end_unsent(journey, State::Permitted, no_permit.code())
                        .await?;
                    return Ok(None);
                }
                None => {}
            }
        }
    }

    /// Whether somebody ended a stored inquiry, or the gateway goes down.
    async fn stopped(&self, journey: &Journey) -> Result<bool, AskError> {
        if self.0.is_closing() {
            return Ok(true);
        }
        let record = &journey.record;
        let now = store::find(&self.0.db, &record.institution, &record.id).await?;
        Ok(now.is_none_or(|now| now.state() != State::Permitted))
    }

    /// Stores an inquiry as permitted, if it is not stored yet.
    async fn store_permitted(&self, journey: &mut Journey) -> Result<(), AskError> {
        let Some(fresh) = journey.fresh.clone() else {
            return Ok(());
        };
        let (keys, at) = (journey.keys.clone(), self.0.clock.now());
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move { first_commit(tx, fresh, State::Permitted, &keys, at).await })
            })
            .await?;
        journey.fresh = None;
        State::Permitted
            .name()
            .clone_into(&mut journey.record.state);
        State::Received.passes(State::Permitted, Commit::After);
        Ok(())
    }

    /// Stores an inquiry as refused, if it is not stored yet; tells whether it
    /// did.
    pub(super) async fn store_refused(
        &self,
        journey: &mut Journey,
        reasons: Option<String>,
    ) -> Result<bool, AskError> {
        let Some(mut fresh) = journey.fresh.take() else {
            return Ok(false);
        };
        fresh.record.reasons = reasons;
        let (keys, at) = (journey.keys.clone(), self.0.clock.now());
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move { first_commit(tx, fresh, State::Refused, &keys, at).await })
            })
            .await?;
        State::Received.passes(State::Refused, Commit::After);
        Ok(true)
    }

    /// One dispatch, and what comes of it.
    async fn dispatch(
        &self,
        claim: &Claim,
        journey: &mut Journey,
        permit: Permit,
    ) -> Result<Step, AskError> {
        let (papers, intended) = (self.0.authorizations.clone(), journey.clone());
        // What the transaction made of the record, known again without a read:
        // nothing that can fail may stand between the commit and the exchange.
        let (told, dispatched) = oneshot::channel();
        let committed = AuthorizedInquiry::commit(permit, move |tx, moment| {
            Box::pin(async move {
                let (intent, record) = intend(tx, &papers, moment, intended).await?;
                // The other end lives until the commit is over.
                let _ = told.send(record);
                Ok(intent)
            })
        });
        let authorized = match committed.await {
            Ok(authorized) => authorized,
            Err(NoDispatch::Db(error)) => {
                return self.in_doubt(journey, dispatched.await.ok(), error).await;
            }
            Err(cause) => return self.not_dispatched(journey, cause).await,
        };
        journey
            .record
            .state()
            .passes(State::Dispatched, Commit::After);
        journey.fresh = None;
        // It is stored: who does not wait for the bureau need not.
        claim.tell(Progress::Waiting);
        if let Ok(record) = dispatched.await {
            journey.record = record;
        }
        let exchanged = bureaus::dispatch(authorized).await;
        fault::point("exchange.ended");
        self.arrived(journey, exchanged).await
    }

    /// Nothing was written and nothing left: refuse, wait, or end.
    async fn not_dispatched(
        &self,
        journey: &mut Journey,
        cause: NoDispatch,
    ) -> Result<Step, AskError> {
        let reasons = match cause {
            NoDispatch::Ask(error) => return Err(error),
            NoDispatch::Db(error) => return Err(error.into()),
            NoDispatch::Gone => return Ok(Step::Ended),
            NoDispatch::Line(NotDispatched::Ownership) => {
                tracing::error!("another server owns the database; nothing was sent");
                return Ok(Step::Ended);
            }
            // The next permit waits for the next day, or says that it is too late.
            NoDispatch::Line(NotDispatched::Quota(_)) => {
                self.store_permitted(journey).await?;
                return Ok(Step::Again(Duration::ZERO));
            }
            NoDispatch::Line(cause) => {
                self.store_permitted(journey).await?;
                self.end_unsent(journey, State::Permitted, cause.code())
                    .await?;
                return Ok(Step::Ended);
            }
            NoDispatch::Refused(reasons) => json(&reasons),
            NoDispatch::Requester => json(&[NOT_ENTITLED]),
        };
        self.end_refused(journey, reasons).await?;
        Ok(Step::Ended)
    }

    /// The commit may or may not have happened; in either case nothing left.
    /// What is dispatched under another receipt than `intended` is not ours: a
    /// later start of the server may have sent it.
    async fn in_doubt(
        &self,
        journey: &mut Journey,
        intended: Option<Record>,
        error: DbError,
    ) -> Result<Step, AskError> {
        tracing::error!(error = %error, inquiry.id = %journey.record.id,
            "a dispatch was not committed for sure; nothing was sent");
        let ours = |stored: &Record| {
            stored.state() == State::Dispatched
                && intended.is_some_and(|intended| intended.receipt == stored.receipt)
        };
        let record = &journey.record;
        match store::find(&self.0.db, &record.institution, &record.id).await? {
            Some(stored) if ours(&stored) => {
                journey.fresh = None;
                journey.record = stored;
                self.again(journey, "commit_in_doubt").await?;
                Ok(Step::Again(KEEP_AGAIN))
            }
            _ => Err(error.into()),
        }
    }

    /// Keeps what became of an exchange.
    async fn arrived(&self, journey: &mut Journey, exchanged: Exchanged) -> Result<Step, AskError> {
        let repeat = match (&exchanged.outcome, exchanged.again_after) {
            (contract::Outcome::Failed(Failure::NotSent { cause }), Some(delay)) => {
                Ok((*cause, delay))
            }
            _ => Err(Ending::of(journey, exchanged.outcome).await?),
        };
        // It is known in memory only: it is tried until it is kept. A process
        // that ends before leaves the inquiry unknown.
        let mut wait = KEEP_AGAIN;
        loop {
            let kept = match &repeat {
                Ok((cause, _)) => self.again(journey, cause).await,
                Err(ending) => self.keep(journey, ending.clone()).await,
            };
            let Err(error) = kept else { break };
            tracing::error!(error = %error, inquiry.id = %journey.record.id,
                "an outcome cannot be kept yet");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(10));
        }
        Ok(match repeat {
            Ok((_, delay)) => Step::Again(delay),
            Err(_) => Step::Ended,
        })
    }
}

/// What comes after a dispatch.
enum Step {
    /// To be dispatched again, after so long.
    Again(Duration),
    /// It ended, or somebody else has it.
    Ended,
}

/// The inside of the dispatch transaction: reads all again, decides again,
/// and moves the inquiry from permitted to dispatched.
async fn intend(
    tx: &mut Tx<'_>,
    papers: &Authorizations,
    moment: Moment,
    journey: Journey,
) -> Result<(Intent, Record), NoDispatch> {
    let Journey {
        fresh,
        mut record,
        actor,
        subject,
        line,
        keys,
    } = journey;
    let Moment {
        at: now,
        epoch,
        serial,
    } = moment;
    let requester = operators::reload(tx, &actor, now).await?;
    if !requester.is_some_and(|caller| {
        caller.institution == record.institution && caller.require(Role::Officer).is_ok()
    }) {
        return Err(NoDispatch::Requester);
    }
    let question = Question {
        institution: record.institution.clone(),
        subject: Some(record.subject.clone()),
        identity: subject.clone(),
        bureau: record.bureau.as_str().into(),
        purpose: Purpose::named(&record.purpose).ok_or(NoDispatch::Gone)?,
        at: now,
    };
    let licence = bureaus::licence(tx, &question.bureau).await?;
    let facts = papers
        .facts_locked(
            tx,
            &record.institution,
            Some(&record.subject),
            licence.into_iter().collect(),
        )
        .await?;
    match authorizations::decide(&question, &facts) {
        Decision::Refused(reasons) => return Err(NoDispatch::Refused(reasons)),
        Decision::Permitted(permission) => {
            record.authorization_id = Some(permission.authorization.to_string());
        }
    }
    let adapter = line.adapter();
    let reason = adapter
        .reason_code(&record.product, &record.purpose)
        .ok_or(NoDispatch::Gone)?
        .to_owned();
    let credentials = line
        .credentials(&record.institution, &actor.to_string())
        .ok_or(NoDispatch::Line(NotDispatched::WrongMember))?;
    record.attempts += 1;
    let draft = entries::change(
        &record,
        State::Dispatched,
        Some(&actor),
        Some(&SubjectTag::of(&keys, &subject)),
        now,
    )
    .word("reason", &reason)
    .number("serial", serial)
    .number("epoch", epoch);
    let (entry, receipt) = entries::finish(draft).map_err(AskError::from)?;
    State::Dispatched.name().clone_into(&mut record.state);
    record.epoch = Some(epoch);
    record.dispatched_at = Some(micros(now));
    record.message_id = Some(adapter.message_id(serial, now));
    record.receipt = receipt;
    if let Some(fresh) = fresh {
        store::insert(tx, &record).await?;
        store::claim_key(tx, &record, &fresh.key, fresh.digest).await?;
    } else if !store::dispatch(tx, &record).await? {
        return Err(NoDispatch::Gone);
    }
    let intent = Intent {
        inquiry: record.id.clone(),
        entry: entry.into(),
        request: InquiryRequest {
            product: record.product.clone(),
            subject_name: subject.expose_name().to_owned().into(),
            id_type: subject.id_type().to_owned(),
            id_number: subject.expose_number().to_owned().into(),
            reason,
            institution_code: credentials.institution_code,
            originator_code: credentials.originator_code,
            user: credentials.user,
            password: credentials.password.expose_secret().to_owned().into(),
            originator_user: credentials.originator_user,
            serial,
            at: now,
        },
    };
    Ok((intent, record))
}
