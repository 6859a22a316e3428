//! Leave to send one inquiry now.

use std::{fmt, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::{
    Line,
    gate::{Place, Shut},
    quota::{self, Quotas, Scope, UsedUp},
};
use crate::platform::{
    clock::china_date,
    config::bureau::Transport,
    db::DbError,
    ids::{BureauId, InstitutionId},
};

/// Longest sleep before the clock is read again, so that a machine that slept,
/// or whose clock was set, does not miss an opening.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Who asks for a permit, and until when it makes sense to wait.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The institution that asks.
    pub institution: InstitutionId,
    /// Its operator or machine client, by identifier.
    pub operator: String,
    /// No permit is granted after it.
    pub deadline: Timestamp,
    /// How often the inquiry was dispatched before and provably not sent.
    pub attempt: u32,
}

/// Why there is no permit before the deadline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoPermit {
    /// As many inquiries are on the line as may be.
    #[error("the line is busy until the deadline")]
    Busy,
    /// The bureau is closed.
    #[error("the bureau is closed")]
    Closed {
        /// When it opens, if within a month.
        opens_at: Option<Timestamp>,
    },
    /// The database could not tell the quotas.
    #[error("the quotas cannot be read")]
    Db(#[from] DbError),
    /// The bureau does not answer; its line rests.
    #[error("the line rests because the bureau does not answer")]
    Failing {
        /// When it is tried again.
        probes_at: Timestamp,
    },
    /// The institution has no credentials at the bureau.
    #[error("the institution is no member of the bureau")]
    NotAMember,
    /// A quota of the day is used up.
    #[error(transparent)]
    Quota(#[from] UsedUp),
    /// Asked faster than the rate allows.
    #[error("the rate of the {} is used up", scope.name())]
    Rate {
        /// Whose rate it is.
        scope: Scope,
        /// When there is a turn.
        turn_at: Timestamp,
    },
    /// The way without TLS was allowed until an earlier day.
    #[error("the exception from TLS has ended")]
    TransportEnded,
}

impl NoPermit {
    /// Stable code, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "line_busy",
            Self::Closed { .. } => "bureau_closed",
            Self::Db(_) => "database",
            Self::Failing { .. } => "line_failing",
            Self::NotAMember => "not_a_member",
            Self::Quota(_) => "quota_used_up",
            Self::Rate { .. } => "rate_used_up",
            Self::TransportEnded => "transport_ended",
        }
    }

    /// When asking again may help, if that is known.
    #[must_use]
    pub fn again_at(&self) -> Option<Timestamp> {
        match self {
            Self::Closed { opens_at } => *opens_at,
            Self::Failing { probes_at } => Some(*probes_at),
            Self::Quota(used_up) => Some(used_up.renews_at),
            Self::Rate { turn_at, .. } => Some(*turn_at),
            Self::Busy | Self::Db(_) | Self::NotAMember | Self::TransportEnded => None,
        }
    }
}

/// Leave to send one inquiry now: a place on the line, held until it is dropped.
/// It is good only for the institution and operator that asked for it.
#[must_use = "a permit that is dropped lets nothing through"]
pub struct Permit {
    pub(super) line: Arc<Line>,
    pub(super) institution: InstitutionId,
    pub(super) operator: String,
    pub(super) deadline: Timestamp,
    pub(super) attempt: u32,
    pub(super) place: Place,
}

impl Permit {
    /// The bureau it is for.
    #[must_use]
    pub fn bureau(&self) -> &BureauId {
        &self.line.id
    }

    /// The line it is for.
    #[must_use]
    pub fn line(&self) -> &Arc<Line> {
        &self.line
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("bureau", &self.line.id)
            .field("institution", &self.institution)
            .finish_non_exhaustive()
    }
}

impl Line {
    /// Waits for leave to send one inquiry: hours, quotas, rates, a place, a
    /// line that answers. That takes no time, or until morning; it holds no
    /// database lock, and may be dropped at any time.
    ///
    /// # Errors
    ///
    /// Why there will be none before the deadline, as soon as that is known.
    pub async fn permit(self: &Arc<Self>, ask: &Ask) -> Result<Permit, NoPermit> {
        let bureau = self.id.to_string();
        let began = Instant::now();
        let result = self.wait_for_permit(ask).await;
        metrics::histogram!("bureau_permit_wait_seconds", "bureau" => bureau.clone())
            .record(began.elapsed().as_secs_f64());
        if let Err(no) = &result {
            metrics::counter!("bureau_no_permit_total", "bureau" => bureau, "reason" => no.code())
                .increment(1);
        }
        result
    }

    async fn wait_for_permit(self: &Arc<Self>, ask: &Ask) -> Result<Permit, NoPermit> {
        if !self.members.contains_key(&ask.institution) {
            return Err(NoPermit::NotAMember);
        }
        let holders = quota::holders(&self.id, &ask.institution, &ask.operator);
        loop {
            while let Some(obstacle) = self.obstacle(ask).await? {
                match obstacle.again_at() {
                    Some(at) if at < ask.deadline => self.sleep_until(at).await,
                    _ => return Err(obstacle),
                }
            }
            let place = self.enter(&holders, ask.deadline).await?;
            // It may have closed while this one waited for its turn.
            if self.hours.is_open(self.clock.now()) {
                return Ok(Permit {
                    line: Arc::clone(self),
                    institution: ask.institution.clone(),
                    operator: ask.operator.clone(),
                    deadline: ask.deadline,
                    attempt: ask.attempt,
                    place,
                });
            }
        }
    }

    /// What stands in the way and passes with time only.
    async fn obstacle(&self, ask: &Ask) -> Result<Option<NoPermit>, NoPermit> {
        let now = self.clock.now();
        if let Transport::PlainInVpn { until, .. } = &self.config.transport
            && china_date(now) > *until
        {
            return Ok(Some(NoPermit::TransportEnded));
        }
        let opens_at = self.hours.next_open(now);
        if opens_at != Some(now) {
            return Ok(Some(NoPermit::Closed { opens_at }));
        }
        let used_up = self
            .quotas(&ask.institution, &ask.operator)
            .used_up(&self.db, now)
            .await?;
        Ok(used_up.map(NoPermit::Quota))
    }

    async fn enter(&self, holders: &[String; 3], deadline: Timestamp) -> Result<Place, NoPermit> {
        let left = left(self.clock.now(), deadline);
        let shut = match self.gate.enter(holders, Instant::now() + left).await {
            Ok(place) => return Ok(place),
            Err(shut) => shut,
        };
        let now = self.clock.now();
        Err(match shut {
            Shut::Busy => NoPermit::Busy,
            Shut::Failing(wait) => NoPermit::Failing {
                probes_at: after(now, wait),
            },
            Shut::TooFast(scope, wait) => NoPermit::Rate {
                scope,
                turn_at: after(now, wait),
            },
        })
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = left(self.clock.now(), at);
            if left.is_zero() {
                return;
            }
            sleep(left.min(LONGEST_SLEEP)).await;
        }
    }

    pub(super) fn quotas(&self, institution: &InstitutionId, operator: &str) -> Quotas {
        Quotas::new(&self.config.limits, &self.id, institution, operator)
    }
}

/// The time from `now` until `at`; none where that is past, a year at most.
pub(super) fn left(now: Timestamp, at: Timestamp) -> Duration {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
    Duration::try_from(at.duration_since(now)).map_or(Duration::ZERO, |left| left.min(YEAR))
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| now.checked_add(wait).ok())
        .unwrap_or(Timestamp::MAX)
}
