//! What people do to an inquiry that waits: release, decline, withdraw.

use std::time::Duration;

use serde::Serialize;

use super::{
    AskError, Inquiries, State, entries,
    intake::{Plain, json},
    service::Progress,
    store::{self, Change, Record},
    travel::Journey,
};
use crate::{
    audit::{merkle::sha256, subject::SubjectTag},
    operators::{self, Actor, Caller, PersonKey, Role},
    platform::{clock::from_micros, db::Urgency, fault::Commit, ids::InquiryId, vault::VaultError},
};

/// So long a task may take to let go of an inquiry that it has stored.
const LET_GO: Duration = Duration::from_secs(5);

/// Why a checker declines, as a code that the caller chooses.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The business does not justify it.
    Business,
    /// The evidence does not convince.
    Evidence,
    /// Anything else.
    Other,
}

impl DeclineReason {
    fn plain(self) -> Plain {
        match self {
            Self::Business => Plain {
                code: "declined_business",
                zh: "复核未通过：业务不足以支持本次查询",
                en: "declined by the checker: the business does not justify it",
            },
            Self::Evidence => Plain {
                code: "declined_evidence",
                zh: "复核未通过：授权凭证不足采信",
                en: "declined by the checker: the evidence does not convince",
            },
            Self::Other => Plain {
                code: "declined_other",
                zh: "复核未通过",
                en: "declined by the checker",
            },
        }
    }
}

impl Inquiries {
    /// Releases an inquiry that is on hold; it is decided again at dispatch.
    ///
    /// # Errors
    ///
    /// [`AskError::SamePerson`] where the checker asked for it (QR-26);
    /// [`AskError::WrongState`] where it is not on hold.
    pub async fn release(&self, caller: &Caller, id: &InquiryId) -> Result<(), AskError> {
        let record = self.checked(caller, id).await?;
        self.settle_hold(caller, &record, State::Permitted, None)
            .await?;
        self.resume(id).await
    }

    /// Declines an inquiry that is on hold.
    ///
    /// # Errors
    ///
    /// As [`Inquiries::release`].
    pub async fn decline(
        &self,
        caller: &Caller,
        id: &InquiryId,
        reason: DeclineReason,
    ) -> Result<(), AskError> {
        let record = self.checked(caller, id).await?;
        self.settle_hold(caller, &record, State::Refused, json(&[reason.plain()]))
            .await
    }

    /// Takes an inquiry back before it is dispatched.
    ///
    /// # Errors
    ///
    /// [`AskError::WrongState`] where it is too late or over.
    pub async fn withdraw(&self, caller: &Caller, id: &InquiryId) -> Result<(), AskError> {
        caller.require(Role::Officer)?;
        let record = self.of(caller, id).await?;
        let from = record.state();
        if !from.may_become(State::Withdrawn) {
            return Err(AskError::WrongState(from));
        }
        self.change(caller, &record, from, State::Withdrawn, Change::default())
            .await?;
        self.0.wake(id);
        Ok(())
    }

    /// An inquiry of the caller's institution.
    pub(super) async fn of(&self, caller: &Caller, id: &InquiryId) -> Result<Record, AskError> {
        store::find(&self.0.db, &caller.institution, id)
            .await?
            .ok_or(AskError::NotFound)
    }

    /// An inquiry that this caller may check.
    async fn checked(&self, caller: &Caller, id: &InquiryId) -> Result<Record, AskError> {
        caller.require(Role::Checker)?;
        let record = self.of(caller, id).await?;
        if record.state() != State::OnHold {
            return Err(AskError::WrongState(record.state()));
        }
        another_human(caller, &record.requester, &record.requester_person)?;
        Ok(record)
    }

    async fn settle_hold(
        &self,
        caller: &Caller,
        record: &Record,
        to: State,
        reasons: Option<String>,
    ) -> Result<(), AskError> {
        let now = self.0.clock.now();
        // The time on hold is not the inquiry's: it waits for the line anew.
        let wait = from_micros(record.deadline_at).duration_since(record.received());
        let change = Change {
            deadline_at: now.checked_add(wait).ok(),
            checker: Some((caller.actor.stored(), person(caller), now)),
            reasons,
            ..Change::default()
        };
        self.change(caller, record, State::OnHold, to, change).await
    }

    /// Changes a waiting inquiry in a person's name.
    async fn change(
        &self,
        caller: &Caller,
        record: &Record,
        from: State,
        to: State,
        mut change: Change,
    ) -> Result<(), AskError> {
        let now = self.0.clock.now();
        let keys = self.0.vault.keys_read(&record.subject).await?;
        let identity = self.0.vault.identity_read(&record.subject).await?;
        let tag = SubjectTag::of(&keys, &identity);
        let mut draft = entries::change(record, to, Some(&caller.actor), Some(&tag), now);
        if let Some(reasons) = &change.reasons {
            draft = draft.digest("reasons_sha256", &sha256(reasons.as_bytes()));
        }
        let (entry, receipt) = entries::finish(draft)?;
        change.receipt = receipt;
        change.ended_at = to.is_settled().then_some(now);
        let (id, by) = (record.id.clone(), caller.clone());
        let role = match to {
            State::Withdrawn => Role::Officer,
            _ => Role::Checker,
        };
        let moved = self
            .0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    operators::confirm::<AskError>(tx, &by, &[role], now).await?;
                    let moved = store::advance(tx, &id, from, to, change).await?;
                    if moved {
                        tx.append(entry.into());
                    }
                    Ok::<_, AskError>(moved)
                })
            })
            .await?;
        if !moved {
            let now = self.of(caller, &record.id).await?;
            return Err(AskError::WrongState(now.state()));
        }
        from.passes(to, Commit::After);
        Ok(())
    }

    /// Starts the task of a stored, permitted inquiry; none where one runs.
    pub(super) async fn resume(&self, id: &InquiryId) -> Result<(), AskError> {
        // The task that put it on hold may be about to let go of it; how that
        // one ended tells nothing here.
        let _ = self.0.asked(id).wait(LET_GO).await;
        self.set_out(id);
        Ok(())
    }

    /// Starts the task of a stored inquiry that has none, without waiting.
    pub(super) fn set_out(&self, id: &InquiryId) {
        let Some(claim) = self.0.claim(id) else {
            return;
        };
        let inquiries = self.clone();
        tokio::spawn(async move {
            claim.tell(Progress::Waiting);
            let id = claim.id.clone();
            if let Err(error) = inquiries.resumed(&claim).await {
                tracing::error!(error = %error, inquiry.id = %id, "a waiting inquiry stopped");
                claim.tell(Progress::Failed(std::sync::Arc::new(error)));
            }
        });
    }

    async fn resumed(&self, claim: &super::service::Claim) -> Result<(), AskError> {
        let inner = &self.0;
        let Some(record) = store::by_id(&inner.db, &claim.id).await? else {
            return Err(AskError::NotFound);
        };
        if record.state() != State::Permitted {
            return Ok(());
        }
        let bureau = record.bureau.as_str().into();
        let Some(line) = inner.lines.line(&bureau) else {
            return self
                .settle_alone(&record, State::Unsent, "no_such_bureau")
                .await;
        };
        let subject = match inner.vault.identity_read(&record.subject).await {
            Err(VaultError::Erased | VaultError::Unknown) => {
                return self
                    .settle_alone(&record, State::Unsent, "subject_erased")
                    .await;
            }
            read => read?,
        };
        let keys = inner.vault.keys_read(&record.subject).await?;
        let actor = Actor::from_stored(&record.requester).ok_or(AskError::NotFound)?;
        let line = std::sync::Arc::clone(line);
        self.travel(claim, Journey::stored(record, actor, subject, line, keys))
            .await
    }
}

/// The person behind a caller; a machine client stands for itself.
pub(super) fn person(caller: &Caller) -> String {
    caller
        .person
        .as_ref()
        .map_or_else(|| caller.actor.stored(), |p| p.as_str().to_owned())
}

/// Goes on only where the caller is not the human that acted before (QR-26).
pub(super) fn another_human(caller: &Caller, actor: &str, person: &str) -> Result<(), AskError> {
    let actor = Actor::from_stored(actor).ok_or(AskError::SamePerson)?;
    // A machine's own name in the person column is no person key.
    let person = PersonKey::parse(person).ok();
    if caller.is_same_human(&actor, person.as_ref()) {
        return Err(AskError::SamePerson);
    }
    Ok(())
}
