//! Carries an adapter's conversation to the bureau and back.

use std::{sync::Arc, time::Duration};

use contract::{Failure, Happened, Outcome, Step};
use tokio::time::Instant;

use super::{AuthorizedInquiry, Line, breaker::Health, permit::left};
use crate::platform::{
    fault,
    ids::{BureauId, InquiryId, InstitutionId},
    signer::Signer,
};

/// No dialect needs more steps for one inquiry.
pub(super) const MOST_STEPS: usize = 64;

/// What became of a dispatched inquiry.
#[derive(Debug)]
pub struct Exchanged {
    /// The inquiry.
    pub inquiry: InquiryId,
    /// The bureau it went to.
    pub bureau: BureauId,
    /// How it ended.
    pub outcome: Outcome,
    /// Where it provably was not sent, and the schedule allows another attempt
    /// before the deadline: how long to wait before asking for the next permit.
    pub again_after: Option<Duration>,
    /// From the commit until the end.
    pub took: Duration,
}

/// Sends an authorized inquiry and waits for its end. It is called in a task of
/// the gateway's own: dropping it cuts the line, and leaves the inquiry
/// dispatched.
pub async fn dispatch(authorized: AuthorizedInquiry) -> Exchanged {
    let (inquiry, mut conversation, permit, valid_until) = authorized.into_parts();
    let began = Instant::now();
    let line = Arc::clone(&permit.line);
    let mut run = Run::new(line, permit.institution.clone(), valid_until);
    let mut last = None;
    let mut outcome = None;
    for _ in 0..MOST_STEPS {
        match conversation.next(last) {
            Step::Done(done) => {
                outcome = Some(done);
                break;
            }
            step => last = Some(run.carry(step).await),
        }
    }
    let outcome = run.settle(outcome.unwrap_or(Outcome::Failed(Failure::Unknown {
        cause: "endless_conversation",
    })));

    let line = Arc::clone(&permit.line);
    let not_sent = matches!(outcome, Outcome::Failed(Failure::NotSent { .. }));
    let again_after = not_sent
        .then(|| {
            line.schedule
                .delay(permit.attempt, left(line.clock.now(), permit.deadline))
        })
        .flatten();
    let mut place = permit.place;
    place.learn(run.health);
    drop(place);
    line.schedule.earn();
    let took = began.elapsed();
    measure(&line, &outcome, took);
    Exchanged {
        inquiry,
        bureau: line.id.clone(),
        outcome,
        again_after,
        took,
    }
}

/// One conversation on the line.
pub(super) struct Run {
    line: Arc<Line>,
    institution: InstitutionId,
    valid_until: Instant,
    /// The first exchange that may have reached the bureau and has no reply.
    lost: Option<&'static str>,
    health: Health,
}

impl Run {
    pub(super) fn new(line: Arc<Line>, institution: InstitutionId, valid_until: Instant) -> Self {
        Self {
            line,
            institution,
            valid_until,
            lost: None,
            health: Health::Untried,
        }
    }

    /// What may have reached the bureau and has no reply, if anything has.
    pub(super) fn lost(&self) -> Option<&'static str> {
        self.lost
    }

    pub(super) async fn carry<O>(&mut self, step: Step<O>) -> Happened {
        match step {
            Step::Http(request) => {
                // Before its first byte only: a conversation may be long.
                if self.health == Health::Untried && Instant::now() > self.valid_until {
                    return Happened::Failed(Failure::NotSent { cause: "stale" });
                }
                let happened = self.line.client.exchange(request).await;
                fault::point("dispatch.replied");
                self.health = match &happened {
                    Happened::Replied(reply) if reply.status < 500 => Health::Answers,
                    _ => Health::Fails,
                };
                if let Happened::Failed(Failure::Unknown { cause }) = &happened {
                    self.lost.get_or_insert(*cause);
                }
                happened
            }
            Step::Sign { bytes } => match self.signer() {
                None => Happened::Failed(Failure::NotSent { cause: "no_signer" }),
                Some(signer) => match signer.sign(&bytes).await {
                    Ok(signature) => Happened::Signed(signature),
                    Err(error) => {
                        tracing::error!(bureau.name = %self.line.id, %error, "cannot sign");
                        Happened::Failed(Failure::NotSent { cause: "signer" })
                    }
                },
            },
            Step::Wait(time) => {
                tokio::time::sleep(time).await;
                Happened::Waited
            }
            // The contract may grow; what this gateway cannot do was not done.
            _ => Happened::Failed(Failure::NotSent {
                cause: "unsupported_step",
            }),
        }
    }

    fn signer(&self) -> Option<&dyn Signer> {
        self.line.members.get(&self.institution)?.signer()
    }

    /// What was lost on the way stays unknown, whatever the adapter makes of it:
    /// only words of the bureau may say more.
    fn settle(&self, outcome: Outcome) -> Outcome {
        match (outcome, self.lost) {
            (Outcome::Failed(Failure::NotSent { .. }), Some(cause)) => {
                tracing::error!(bureau.name = %self.line.id, cause, "an adapter called a lost exchange not sent");
                Outcome::Failed(Failure::Unknown { cause })
            }
            (outcome, _) => outcome,
        }
    }
}

fn measure(line: &Line, outcome: &Outcome, took: Duration) {
    let result = match outcome {
        Outcome::Answered(answer) if answer.partial => "partial",
        Outcome::Answered(_) => "hit",
        Outcome::Failed(Failure::NotSent { .. }) => "not_sent",
        Outcome::Failed(Failure::Unknown { .. }) | Outcome::Undecided { .. } => "unknown",
        Outcome::NoHit { .. } => "no_hit",
        Outcome::Rejected(_) => "rejected",
        Outcome::Unreadable { .. } => "unreadable",
        _ => "other",
    };
    let bureau = line.id.to_string();
    metrics::histogram!("bureau_exchange_seconds", "bureau" => bureau.clone())
        .record(took.as_secs_f64());
    metrics::counter!("bureau_exchanges_total", "bureau" => bureau, "result" => result)
        .increment(1);
}
