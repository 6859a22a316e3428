//! Asking again after an unknown outcome: two persons decide, and accept that
//! the subject's record may carry a second mark.

use sqlx::FromRow;

use super::{
    AskError, Inquiries, State, entries,
    hold::{another_human, person},
    store::{self, Record},
};
use crate::{
    args,
    audit::{
        entry::{Kind, is_word},
        subject::SubjectTag,
    },
    operators::{Caller, Role},
    platform::{
        clock::micros,
        db::{DbError, Urgency},
        fault::Commit,
        ids::InquiryId,
    },
};

/// An officer proposed to ask again.
const PROPOSED: Kind = Kind::new("inquiry.second_ask_proposed");

/// Another person agreed.
const AGREED: Kind = Kind::new("inquiry.second_ask_agreed");

#[derive(FromRow)]
struct Proposal {
    proposer: String,
    proposer_person: String,
    successor: Option<String>,
}

impl Inquiries {
    /// Proposes to ask again; `reason_ref` names the decision's file, and is no
    /// free text.
    ///
    /// # Errors
    ///
    /// [`AskError::WrongState`] where the inquiry is not unknown, or was
    /// proposed before.
    pub async fn propose_again(
        &self,
        caller: &Caller,
        id: &InquiryId,
        reason_ref: &str,
    ) -> Result<(), AskError> {
        caller.require(Role::Officer)?;
        let record = self.unknown(caller, id).await?;
        if !is_word(reason_ref) {
            return Err(AskError::Reference);
        }
        let now = self.0.clock.now();
        let draft =
            entries::note(PROPOSED, &record, &caller.actor, now).word("reason_ref", reason_ref);
        let (entry, _) = entries::finish(draft)?;
        let (actor, human) = (caller.actor.stored(), person(caller));
        let (id, reason_ref) = (id.clone(), reason_ref.to_owned());
        let made = self
            .0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let made = tx
                        .execute(
                            "INSERT INTO second_asks \
                             (inquiry, proposer, proposer_person, reason, proposed_at) \
                             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (inquiry) DO NOTHING",
                            args![&id, actor, human, reason_ref, now],
                        )
                        .await?;
                    if made == 1 {
                        tx.append(entry.into());
                    }
                    Ok::<_, DbError>(made == 1)
                })
            })
            .await?;
        if made {
            Ok(())
        } else {
            Err(AskError::WrongState(State::Unknown))
        }
    }

    /// Agrees to a proposal: a new inquiry, linked to the unknown one, goes its
    /// way, and is decided like any other before it leaves.
    ///
    /// # Errors
    ///
    /// [`AskError::SamePerson`] where the caller proposed it;
    /// [`AskError::NotFound`] where nobody did.
    pub async fn agree_again(
        &self,
        caller: &Caller,
        id: &InquiryId,
    ) -> Result<InquiryId, AskError> {
        caller.require(Role::Checker)?;
        let unknown = self.unknown(caller, id).await?;
        let proposal = self.proposal(id).await?;
        another_human(caller, &proposal.proposer, &proposal.proposer_person)?;
        if let Some(successor) = proposal.successor {
            return Ok(successor.into());
        }
        let next = self.successor(&unknown, proposal);
        let next_id = next.id.clone();
        if let Err(error) = self.store_successor(caller, &unknown, next).await {
            // Meanwhile the bureau's list may have told, or another have agreed:
            // then theirs is the successor.
            self.unknown(caller, id).await?;
            return self
                .proposal(id)
                .await?
                .successor
                .map(InquiryId::from)
                .ok_or(error);
        }
        self.resume(&next_id).await?;
        Ok(next_id)
    }

    async fn proposal(&self, id: &InquiryId) -> Result<Proposal, AskError> {
        let sql = "SELECT proposer, proposer_person, successor FROM second_asks WHERE inquiry = $1";
        self.0
            .db
            .first(sql, args![id])
            .await?
            .ok_or(AskError::NotFound)
    }

    async fn unknown(&self, caller: &Caller, id: &InquiryId) -> Result<Record, AskError> {
        let record = self.of(caller, id).await?;
        match record.state() {
            State::Unknown => Ok(record),
            other => Err(AskError::WrongState(other)),
        }
    }

    fn successor(&self, unknown: &Record, proposal: Proposal) -> Record {
        let now = self.0.clock.now();
        let wait = i64::from(self.0.config.longest_wait_seconds) * 1_000_000;
        Record {
            id: InquiryId::new(),
            requester: proposal.proposer,
            requester_person: proposal.proposer_person,
            state: State::Permitted.name().to_owned(),
            received_at: micros(now),
            deadline_at: micros(now) + wait,
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
            asks_again_for: Some(unknown.id.to_string()),
            receipt: String::new(),
            ..unknown.clone()
        }
    }

    async fn store_successor(
        &self,
        caller: &Caller,
        unknown: &Record,
        mut next: Record,
    ) -> Result<(), AskError> {
        let now = self.0.clock.now();
        let keys = self.0.vault.keys_read(&next.subject).await?;
        let identity = self.0.vault.identity_read(&next.subject).await?;
        let tag = SubjectTag::of(&keys, &identity);
        let agreed = entries::note(AGREED, unknown, &caller.actor, now).word("successor", &next.id);
        let (agreed, _) = entries::finish(agreed)?;
        let permitted = entries::change(
            &next,
            State::Permitted,
            Some(&caller.actor),
            Some(&tag),
            now,
        );
        let (permitted, receipt) = entries::finish(permitted)?;
        next.receipt = receipt;
        next.checker = Some(caller.actor.stored());
        next.checker_person = Some(person(caller));
        next.checked_at = Some(micros(now));
        let (id, agreer) = (unknown.id.clone(), caller.actor.stored());
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let sql = "SELECT state FROM inquiries WHERE id = $1";
                    let state: Option<(String,)> = tx.first_locked(sql, args![&id]).await?;
                    if state.is_none_or(|(state,)| state != State::Unknown.name()) {
                        return Err(DbError::Refused("settled meanwhile".to_owned()));
                    }
                    let linked = tx
                        .execute(
                            "UPDATE second_asks SET agreed_by = $1, agreed_at = $2, \
                             successor = $3 WHERE inquiry = $4 AND successor IS NULL",
                            args![agreer, now, &next.id, &id],
                        )
                        .await?;
                    if linked != 1 {
                        return Err(DbError::Refused("agreed meanwhile".to_owned()));
                    }
                    store::insert(tx, &next).await?;
                    tx.append(agreed.into());
                    tx.append(permitted.into());
                    Ok(())
                })
            })
            .await?;
        State::Received.passes(State::Permitted, Commit::After);
        Ok(())
    }
}
