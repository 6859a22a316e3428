//! What an exchange, or its absence, leaves behind.

use contract::{Failure, Outcome};

use super::{
    AskError, Inquiries, State, entries,
    report::{decode, dictionary},
    store::{self, Change},
    travel::Journey,
};
use crate::{
    audit::{entry::Draft, merkle::sha256},
    platform::{
        db::{DbError, Urgency},
        fault::Commit,
        ids::InquiryId,
        vault,
    },
};

/// How an exchange ended, ready to be kept.
#[derive(Clone)]
pub(super) struct Ending {
    state: State,
    outcome: Option<&'static str>,
    bureau_code: Option<String>,
    cause: Option<String>,
    /// The answer, sealed for its row.
    sealed: Option<Vec<u8>>,
}

/// Where an answer stands; it opens nowhere else.
pub(super) fn place(inquiry: &InquiryId) -> vault::Place<'_> {
    vault::Place {
        table: "answers",
        column: "sealed",
        row: inquiry.as_str(),
    }
}

impl Ending {
    /// Reads an outcome and seals what must be kept of it.
    pub(super) async fn of(journey: &Journey, outcome: Outcome) -> Result<Self, AskError> {
        let seal = |bytes: &[u8]| journey.keys.seal(&place(&journey.record.id), bytes);
        let plain = |state, cause: &str| Self {
            state,
            outcome: None,
            bureau_code: None,
            cause: Some(cause.to_owned()),
            sealed: None,
        };
        Ok(match outcome {
            Outcome::Answered(answer) => {
                let sealed = Some(seal(&answer.report)?);
                let read = match dictionary(journey.line.adapter(), &journey.record.product) {
                    Some(dictionary) => decode(dictionary, answer.report).await.map(drop),
                    None => Err("no_dictionary"),
                };
                match read {
                    Ok(()) => Self {
                        state: State::Answered,
                        outcome: Some(if answer.partial { "partial" } else { "hit" }),
                        bureau_code: Some(answer.code),
                        cause: None,
                        sealed,
                    },
                    Err(defect) => Self {
                        bureau_code: Some(answer.code),
                        sealed,
                        ..plain(State::AnsweredUnreadable, defect)
                    },
                }
            }
            Outcome::NoHit { code } => Self {
                state: State::Answered,
                outcome: Some("no_hit"),
                bureau_code: Some(code),
                cause: None,
                sealed: None,
            },
            Outcome::Rejected(rejection) => Self {
                state: State::Rejected,
                outcome: None,
                bureau_code: Some(rejection.code),
                cause: (!rejection.listed).then(|| "unclassified".to_owned()),
                sealed: None,
            },
            Outcome::Undecided { code } => Self {
                bureau_code: Some(code),
                ..plain(State::Unknown, "bureau_undecided")
            },
            Outcome::Unreadable { defect, raw } => Self {
                sealed: Some(seal(&raw)?),
                ..plain(State::AnsweredUnreadable, defect)
            },
            Outcome::Failed(Failure::NotSent { cause }) => plain(State::Unsent, cause),
            Outcome::Failed(Failure::Unknown { cause }) => plain(State::Unknown, cause),
            // A kind of outcome that this version does not know promises nothing.
            _ => plain(State::Unknown, "outcome"),
        })
    }
}

impl Inquiries {
    /// Commits an ending with its entry.
    pub(super) async fn keep(&self, journey: &Journey, ending: Ending) -> Result<(), AskError> {
        let at = self.0.clock.now();
        let record = journey.record.clone();
        let mut draft = entries::change(&record, ending.state, None, Some(&journey.tag()), at);
        if let Some(outcome) = ending.outcome {
            draft = draft.code("outcome", outcome);
        }
        if let Some(code) = &ending.bureau_code {
            draft = draft.word("bureau_code", entries::code(code));
        }
        if let Some(cause) = &ending.cause {
            draft = draft.word("cause", cause);
        }
        let sealed = ending.sealed.map(|sealed| {
            let digest = sha256(&sealed);
            (sealed, digest)
        });
        if let Some((_, digest)) = &sealed {
            draft = draft.payload(&entries::answer_place(&record.id), digest);
        }
        let (entry, receipt) = entries::finish(draft)?;
        let change = Change {
            ended_at: Some(at),
            outcome: ending.outcome,
            bureau_code: ending.bureau_code,
            cause: ending.cause,
            receipt,
            ..Change::default()
        };
        let state = ending.state;
        let kept = self
            .0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    if !store::advance(tx, &record.id, State::Dispatched, state, change).await? {
                        return Ok(false);
                    }
                    if let Some((sealed, digest)) = sealed {
                        store::keep_answer(tx, &record.id, &record.subject, sealed, digest, at)
                            .await?;
                    }
                    tx.append(entry.into());
                    Ok::<_, DbError>(true)
                })
            })
            .await?;
        if kept {
            State::Dispatched.passes(state, Commit::After);
            metrics::counter!("inquiries_ended_total", "state" => state.name()).increment(1);
            return Ok(());
        }
        // An earlier commit of the same was in doubt and had happened; or a
        // later start of the server has settled it.
        let stands = store::by_id(&self.0.db, &journey.record.id).await?;
        if stands.is_none_or(|stands| stands.state() != state) {
            tracing::error!(inquiry.id = %journey.record.id, outcome = state.name(),
                "an outcome came too late: the inquiry was settled otherwise");
        }
        Ok(())
    }

    /// Writes down that a dispatch was provably not sent, so that it may be
    /// dispatched again.
    pub(super) async fn again(
        &self,
        journey: &mut Journey,
        cause: &'static str,
    ) -> Result<(), AskError> {
        self.move_on(
            journey,
            State::Dispatched,
            State::Permitted,
            |draft, change| {
                change.cause = Some(cause.to_owned());
                draft.code("cause", cause)
            },
        )
        .await
    }

    /// Ends an inquiry that the decision refuses by now.
    pub(super) async fn end_refused(
        &self,
        journey: &mut Journey,
        reasons: Option<String>,
    ) -> Result<(), AskError> {
        if self.store_refused(journey, reasons.clone()).await? {
            return Ok(());
        }
        self.move_on(
            journey,
            State::Permitted,
            State::Refused,
            |draft, change| {
                let digest = reasons.as_ref().map(|reasons| sha256(reasons.as_bytes()));
                change.reasons = reasons;
                match digest {
                    Some(digest) => draft.digest("reasons_sha256", &digest),
                    None => draft,
                }
            },
        )
        .await
    }

    /// Ends an inquiry that never reached the bureau.
    pub(super) async fn end_unsent(
        &self,
        journey: &mut Journey,
        from: State,
        cause: &'static str,
    ) -> Result<(), AskError> {
        self.move_on(journey, from, State::Unsent, |draft, change| {
            change.cause = Some(cause.to_owned());
            draft.code("cause", cause)
        })
        .await
    }

    /// Moves a stored inquiry along an edge, with its entry. Where it no longer
    /// stands there, somebody else moved it, and nothing is written.
    pub(super) async fn move_on(
        &self,
        journey: &mut Journey,
        from: State,
        to: State,
        fill: impl FnOnce(Draft, &mut Change) -> Draft,
    ) -> Result<(), AskError> {
        let at = self.0.clock.now();
        let mut change = Change::default();
        let draft = entries::change(&journey.record, to, None, Some(&journey.tag()), at);
        let (entry, receipt) = entries::finish(fill(draft, &mut change))?;
        change.receipt = receipt;
        change.ended_at = to.is_settled().then_some(at);
        let id = journey.record.id.clone();
        let moved = self
            .0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let moved = store::advance(tx, &id, from, to, change).await?;
                    if moved {
                        tx.append(entry.into());
                    }
                    Ok::<_, DbError>(moved)
                })
            })
            .await?;
        if moved {
            from.passes(to, Commit::After);
            to.name().clone_into(&mut journey.record.state);
        }
        Ok(())
    }
}
