//! From a request to its first stored state: refused, on hold, or on its way.

use std::sync::Arc;

use contract::About;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    AskError, Inquiries, State, entries,
    request::{OnFresh, Request},
    service::{Claim, Progress},
    store::{self, Record},
    travel::Journey,
};
use crate::{
    audit::{merkle::sha256, subject::SubjectTag},
    authorizations::{self, Decision, Question},
    bureaus,
    operators::{Actor, Caller, Role},
    platform::{
        clock::micros,
        db::{Tx, Urgency},
        fault::Commit,
        identity::{Identity, SubjectKind},
        ids::SubjectId,
        vault::{SubjectKeys, VaultError},
    },
};

/// A reason that is not one of the decision's rules.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Plain {
    /// Stable code.
    pub(super) code: &'static str,
    /// In Chinese.
    pub(super) zh: &'static str,
    /// In English.
    pub(super) en: &'static str,
}

const UNMAPPED: Plain = Plain {
    code: "unmapped_purpose",
    zh: "该征信机构的此产品没有与该用途对应的查询原因",
    en: "the bureau has no reason code for this purpose and product",
};

const NEEDS_CHECKER: Plain = Plain {
    code: "purpose_needs_checker",
    zh: "该用途须经另一人复核",
    en: "this purpose needs a second person to check it",
};

/// An inquiry that is not stored yet, and all that its first commit needs.
#[derive(Clone)]
pub(super) struct Fresh {
    pub(super) record: Record,
    pub(super) actor: Actor,
    pub(super) subject: Identity,
    pub(super) key: String,
    pub(super) digest: [u8; 32],
}

impl Inquiries {
    /// Decides a request for the first time, and carries it as far as it goes.
    pub(super) async fn take_in(
        &self,
        claim: &Claim,
        caller: &Caller,
        request: Request,
        key: &str,
    ) -> Result<(), AskError> {
        caller.require(Role::Officer)?;
        let inner = &self.0;
        let line = inner
            .lines
            .line(&request.bureau)
            .ok_or(AskError::NoSuchProduct)?;
        let adapter = line.adapter();
        let mut products = adapter.capabilities().products.iter();
        let product = products
            .find(|product| product.name == request.product)
            .ok_or(AskError::NoSuchProduct)?;
        if product.about != about(request.subject.kind()) {
            return Err(AskError::OtherKind);
        }
        let now = inner.clock.now();
        let (found, licences) = tokio::try_join!(
            async { Ok::<_, AskError>(inner.vault.find(&request.subject).await?) },
            async { Ok(bureaus::licences(&inner.db).await?) },
        )?;
        let question = Question {
            institution: caller.institution.clone(),
            subject: found.clone(),
            identity: request.subject.clone(),
            bureau: request.bureau.clone(),
            purpose: request.purpose,
            at: now,
        };
        let facts = inner
            .authorizations
            .facts(&caller.institution, found.as_ref(), licences)
            .await?;
        let mut record = new_record(claim, caller, &request, found.as_ref(), now);
        record.deadline_at = micros(self.deadline(now, request.wait_seconds));
        let (permission, state, reasons) = match authorizations::decide(&question, &facts) {
            Decision::Refused(reasons) => (None, State::Refused, json(&reasons)),
            Decision::Permitted(permission) => {
                let hold = inner
                    .config
                    .checker_purposes
                    .iter()
                    .any(|p| p == request.purpose.name());
                if adapter
                    .reason_code(&request.product, request.purpose.name())
                    .is_none()
                {
                    (None, State::Refused, json(&[UNMAPPED]))
                } else if hold {
                    (Some(permission), State::OnHold, json(&[NEEDS_CHECKER]))
                } else {
                    (Some(permission), State::Permitted, None)
                }
            }
        };
        record.authorization_id = permission.map(|p| p.authorization.to_string());
        record.reasons = reasons;
        if state != State::Refused
            && let Some(lost) = store::unknown_like(&inner.db, &record).await?
        {
            return Err(AskError::Unknown(lost));
        }
        if state != State::Refused && request.on_fresh == OnFresh::Offer {
            let since =
                now - SignedDuration::from_hours(24 * i64::from(inner.config.fresh_report_days));
            if let Some(earlier) = store::latest_answer(&inner.db, &record, since).await? {
                return Err(AskError::Fresh(earlier.id));
            }
        }
        let fresh = Fresh {
            record,
            actor: caller.actor.clone(),
            subject: request.subject.clone(),
            key: key.to_owned(),
            digest: [0; 32],
        };
        let Some(subject) = found.filter(|_| state == State::Permitted) else {
            self.store(claim, fresh, request, state).await?;
            return Ok(());
        };
        let keys = inner.vault.keys_read(&subject).await?;
        let digest = request.digest(keys.expose_salt());
        let fresh = Fresh { digest, ..fresh };
        self.travel(claim, Journey::fresh(fresh, Arc::clone(line), keys))
            .await
    }

    /// Until when an inquiry that comes now may wait for the line.
    fn deadline(&self, now: Timestamp, wait_seconds: Option<u32>) -> Timestamp {
        let config = &self.0.config;
        let seconds = wait_seconds
            .unwrap_or(config.wait_seconds)
            .min(config.longest_wait_seconds);
        now.checked_add(SignedDuration::from_secs(seconds.into()))
            .unwrap_or(Timestamp::MAX)
    }

    /// Stores a new inquiry that goes no further now.
    async fn store(
        &self,
        claim: &Claim,
        mut fresh: Fresh,
        request: Request,
        state: State,
    ) -> Result<(), AskError> {
        let (vault, clock) = (self.0.vault.clone(), self.0.clock.clone());
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let subject = match vault.enroll(tx, &request.subject).await {
                        Ok(subject) => subject,
                        // Known under another name: QR-07 refused it, of that subject.
                        Err(VaultError::OtherName) => fresh.record.subject.clone(),
                        Err(error) => return Err(error.into()),
                    };
                    let keys = vault.keys(tx, &subject).await?;
                    fresh.digest = request.digest(keys.expose_salt());
                    fresh.record.subject = subject;
                    first_commit(tx, fresh, state, &keys, clock.now()).await
                })
            })
            .await?;
        State::Received.passes(state, Commit::After);
        claim.tell(if state.waits() {
            Progress::Waiting
        } else {
            Progress::Ended
        });
        Ok(())
    }
}

/// What a product about such a subject is about.
fn about(kind: SubjectKind) -> About {
    match kind {
        SubjectKind::Enterprise => About::Enterprise,
        SubjectKind::Person => About::Person,
    }
}

/// Inserts a new inquiry in its first stored state, with its key and its entry.
pub(super) async fn first_commit(
    tx: &mut Tx<'_>,
    mut fresh: Fresh,
    state: State,
    keys: &SubjectKeys,
    at: Timestamp,
) -> Result<(), AskError> {
    let tag = SubjectTag::of(keys, &fresh.subject);
    let draft = entries::change(&fresh.record, state, Some(&fresh.actor), Some(&tag), at);
    let draft = match &fresh.record.reasons {
        Some(reasons) => draft.digest("reasons_sha256", &sha256(reasons.as_bytes())),
        None => draft,
    };
    let (entry, receipt) = entries::finish(draft)?;
    fresh.record.state = state.name().to_owned();
    fresh.record.receipt = receipt;
    if state.is_settled() {
        fresh.record.ended_at = Some(micros(at));
    }
    store::insert(tx, &fresh.record).await?;
    store::claim_key(tx, &fresh.record, &fresh.key, fresh.digest).await?;
    tx.append(entry.into());
    Ok(())
}

fn new_record(
    claim: &Claim,
    caller: &Caller,
    request: &Request,
    subject: Option<&SubjectId>,
    now: Timestamp,
) -> Record {
    let person = caller
        .person
        .as_ref()
        .map(|person| person.as_str().to_owned());
    Record {
        id: claim.id.clone(),
        institution: caller.institution.clone(),
        subject: subject.cloned().unwrap_or_else(|| SubjectId::from("")),
        bureau: request.bureau.to_string(),
        product: request.product.clone(),
        purpose: request.purpose.name().to_owned(),
        business_ref: request.business_ref.clone(),
        requester: caller.actor.stored(),
        requester_person: person.unwrap_or_else(|| caller.actor.stored()),
        state: State::Received.name().to_owned(),
        received_at: micros(now),
        deadline_at: micros(now),
        authorization_id: None,
        reasons: None,
        checker: None,
        checker_person: None,
        checked_at: None,
        attempts: 0,
        epoch: None,
        dispatched_at: None,
        message_id: None,
        ended_at: None,
        outcome: None,
        bureau_code: None,
        cause: None,
        asks_again_for: None,
        receipt: String::new(),
    }
}

/// Reasons as the database keeps them. They hold rule ids, codes and texts of
/// the program only, so they can always be written.
pub(super) fn json<T: serde::Serialize + ?Sized>(reasons: &T) -> Option<String> {
    serde_json::to_string(reasons).ok()
}
