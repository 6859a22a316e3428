//! What a start of the server finds of the one before, and what a task that
//! failed leaves behind.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;

use super::{
    AskError, Inquiries, State, entries,
    intake::{Plain, json},
    store::{self, Change, Record},
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
        for record in store::in_state(&self.0.db, State::Dispatched).await? {
            if record.epoch != Some(self.0.epoch.number()) {
                self.settle_alone(&record, State::Unknown, "restart")
                    .await?;
                tracing::error!(inquiry.id = %record.id, "an inquiry of an earlier start is unknown");
            }
        }
        fault::point("start.recovered");
        Ok(())
    }

    /// Lets what is permitted and has no task go on waiting for the line; after
    /// a start only once this one is sure to stay.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn go_on(&self) -> Result<(), AskError> {
        for id in store::ids_in_state(&self.0.db, State::Permitted).await? {
            self.set_out(&id);
        }
        Ok(())
    }

    /// Takes up what lost its task to a failure: what is permitted goes on its
    /// way, what was dispatched becomes unknown.
    async fn strays(&self) -> Result<(), AskError> {
        for id in store::ids_in_state(&self.0.db, State::Dispatched).await? {
            // Only a task moves it from here. What the last one made of it
            // before it let go is read after the claim.
            let Some(_claim) = self.0.claim(&id) else {
                continue;
            };
            let ours = |record: &Record| {
                record.state() == State::Dispatched && record.epoch == Some(self.0.epoch.number())
            };
            let record = store::by_id(&self.0.db, &id).await?;
            if let Some(record) = record.filter(ours) {
                self.settle_alone(&record, State::Unknown, "task_lost")
                    .await?;
                tracing::error!(inquiry.id = %id, "an inquiry whose task was lost is unknown");
            }
        }
        self.go_on().await
    }

    /// Settles an inquiry in the gateway's own name; where it no longer stands
    /// as `record` says, nothing is written.
    pub(super) async fn settle_alone(
        &self,
        record: &Record,
        to: State,
        cause: &'static str,
    ) -> Result<(), AskError> {
        let inner = &self.0;
        let at = inner.clock.now();
        let tag = match inner.vault.identity_read(&record.subject).await {
            Ok(identity) => {
                let keys = inner.vault.keys_read(&record.subject).await?;
                Some(SubjectTag::of(&keys, &identity))
            }
            // An erased subject's inquiry is settled all the same.
            Err(_) => None,
        };
        let draft = entries::change(record, to, None, tag.as_ref(), at).code("cause", cause);
        let (entry, receipt) = entries::finish(draft)?;
        let change = Change {
            cause: Some(cause.to_owned()),
            ended_at: Some(at),
            receipt,
            ..Change::default()
        };
        let (id, from) = (record.id.clone(), record.state());
        inner
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    if store::advance(tx, &id, from, to, change).await? {
                        tx.append(entry.into());
                    }
                    Ok::<_, DbError>(())
                })
            })
            .await?;
        from.passes(to, Commit::After);
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
    /// Takes up what has no task, refuses what nobody checked in time, and
    /// raises the alarm about what is unknown for long.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn sweep(&self) -> Result<(), AskError> {
        self.strays().await?;
        self.strays().await?;
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
