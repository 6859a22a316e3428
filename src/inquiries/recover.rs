//! What a start of the server finds of the one before.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;

use super::{
    AskError, Inquiries, State, entries,
    intake::{Plain, json},
    store::{self, Change},
};
use crate::{
    audit::subject::SubjectTag,
    platform::{
        db::{DbError, Urgency},
        fault::{self, Commit},
    },
};

impl Inquiries {
    /// Settles what an earlier start left: what it dispatched becomes unknown,
    /// never permitted.
    ///
    /// # Errors
    ///
    /// Those of the database; then no inquiry may be taken.
    pub async fn recover(&self) -> Result<(), AskError> {
        let inner = &self.0;
        for record in store::in_state(&inner.db, State::Dispatched).await? {
            if record.epoch == Some(inner.epoch.number()) {
                continue;
            }
            let at = inner.clock.now();
            let tag = match inner.vault.identity_read(&record.subject).await {
                Ok(identity) => {
                    let keys = inner.vault.keys_read(&record.subject).await?;
                    Some(SubjectTag::of(&keys, &identity))
                }
                // An erased subject's inquiry is settled all the same.
                Err(_) => None,
            };
            let draft = entries::change(&record, State::Unknown, None, tag.as_ref(), at)
                .code("cause", "restart");
            let (entry, receipt) = entries::finish(draft)?;
            let change = Change {
                cause: Some("restart".to_owned()),
                ended_at: Some(at),
                receipt,
                ..Change::default()
            };
            let id = record.id.clone();
            inner
                .db
                .write(Urgency::Urgent, move |tx| {
                    Box::pin(async move {
                        if store::advance(tx, &id, State::Dispatched, State::Unknown, change)
                            .await?
                        {
                            tx.append(entry.into());
                        }
                        Ok::<_, DbError>(())
                    })
                })
                .await?;
            State::Dispatched.passes(State::Unknown, Commit::After);
            tracing::error!(inquiry.id = %record.id, "an inquiry of an earlier start is unknown");
        }
        fault::point("start.recovered");
        Ok(())
    }

    /// Lets what an earlier start left permitted go on waiting for the line;
    /// only once this one is sure to stay.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn go_on(&self) -> Result<(), AskError> {
        for record in store::in_state(&self.0.db, State::Permitted).await? {
            self.resume(&record.id).await?;
        }
        Ok(())
    }
}

/// Nobody checked it in time.
const NOT_CHECKED: Plain = Plain {
    code: "not_checked",
    zh: "复核时限内无人复核",
    en: "nobody checked it in time",
};

impl Inquiries {
    /// Refuses what nobody checked in time, and raises the alarm about what is
    /// unknown for long.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn sweep(&self) -> Result<(), AskError> {
        self.alarm().await?;
        let inner = &self.0;
        let hours = SignedDuration::from_hours(inner.config.checker_hours.into());
        let now = inner.clock.now();
        for record in store::in_state(&inner.db, State::OnHold).await? {
            if record.received() + hours > now {
                continue;
            }
            let draft = entries::change(&record, State::Refused, None, None, now)
                .code("cause", NOT_CHECKED.code);
            let (entry, receipt) = entries::finish(draft)?;
            let change = Change {
                reasons: json(&[NOT_CHECKED]),
                ended_at: Some(now),
                receipt,
                ..Change::default()
            };
            inner
                .db
                .write(Urgency::Bulk, move |tx| {
                    Box::pin(async move {
                        let (from, to) = (State::OnHold, State::Refused);
                        if store::advance(tx, &record.id, from, to, change).await? {
                            tx.append(entry.into());
                        }
                        Ok::<_, DbError>(())
                    })
                })
                .await?;
            State::OnHold.passes(State::Refused, Commit::After);
        }
        Ok(())
    }
}

impl Inquiries {
    /// Says how many inquiries are unknown for too long: to metrics always, to
    /// the log when their number changes.
    async fn alarm(&self) -> Result<(), AskError> {
        let inner = &self.0;
        let hours = SignedDuration::from_hours(inner.config.unknown_alarm_hours.into());
        let since = inner.clock.now() - hours;
        let overdue = store::unknown_since(&inner.db, since).await?;
        metrics::gauge!("inquiries_unknown_overdue")
            .set(u32::try_from(overdue).unwrap_or(u32::MAX));
        let before = inner.overdue.swap(overdue, Ordering::Relaxed);
        if overdue > 0 && overdue != before {
            tracing::error!(
                count = overdue,
                hours = inner.config.unknown_alarm_hours,
                "inquiries are unknown for too long: import the bureau's list"
            );
        }
        Ok(())
    }
}
