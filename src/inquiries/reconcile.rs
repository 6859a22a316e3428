//! Settling unknown outcomes by the bureau's own list (QR-29).

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{
    AskError, Inquiries, State,
    bureau_list::{self, Disagreement, Verdict},
    entries,
    store::{self, Change, Record},
};
use crate::{
    audit::{
        entry::{Draft, Kind},
        merkle::sha256,
    },
    operators::{Caller, Role},
    platform::{
        db::{DbError, Urgency},
        fault::Commit,
        ids::{BureauId, InquiryId},
    },
};

/// A bureau's list was held against the register.
const RECONCILED: Kind = Kind::new("register.reconciled");

/// What came of a bureau's list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Lines of this institution.
    pub lines: usize,
    /// Unknown inquiries that the bureau had recorded.
    #[schema(value_type = Vec<String>)]
    pub recorded: Vec<InquiryId>,
    /// Unknown inquiries that the bureau had not recorded.
    #[schema(value_type = Vec<String>)]
    pub not_recorded: Vec<InquiryId>,
    /// What a person must look into.
    pub disagreements: Vec<Disagreement>,
    /// The audit entry of it.
    pub receipt: String,
}

impl Inquiries {
    /// Takes a bureau's list of the institution's inquiries in a period, from
    /// its first moment until before its last.
    ///
    /// # Errors
    ///
    /// [`AskError::Forbidden`] but for compliance; those of the database.
    pub async fn reconcile(
        &self,
        caller: &Caller,
        bureau: &BureauId,
        period: (Timestamp, Timestamp),
        csv: &[u8],
    ) -> Result<Reconciliation, AskError> {
        caller.require(Role::Compliance)?;
        let inner = &self.0;
        // No list covers what is still to come.
        let period = (period.0, period.1.min(inner.clock.now()));
        let line = inner.lines.line(bureau).ok_or(AskError::NoSuchProduct)?;
        let code = line
            .credentials(&caller.institution, "")
            .ok_or(AskError::NoSuchProduct)?
            .institution_code;
        // A message may be listed at the other side of the period's edge.
        let edge = SignedDuration::from_hours(1);
        let (from, until) = (period.0 - edge, period.1 + edge);
        let ours =
            store::dispatched_between(&inner.db, &caller.institution, bureau, from, until).await?;
        let mut numbers = HashMap::new();
        for record in &ours {
            if let Ok(identity) = inner.vault.identity_read(&record.subject).await {
                let number = Zeroizing::new(identity.expose_number().to_owned());
                numbers.insert(record.subject.clone(), number);
            }
        }
        let found = bureau_list::compare(bureau_list::read(csv), &code, period, &ours, |record| {
            numbers.get(&record.subject).cloned()
        });
        self.settle(caller, bureau, period, sha256(csv), found, &ours)
            .await
    }

    async fn settle(
        &self,
        caller: &Caller,
        bureau: &BureauId,
        period: (Timestamp, Timestamp),
        list_sha256: [u8; 32],
        found: bureau_list::Match,
        ours: &[Record],
    ) -> Result<Reconciliation, AskError> {
        let now = self.0.clock.now();
        let named = |wanted| {
            let settled = found.settled.iter();
            settled
                .filter(|(_, v)| *v == wanted)
                .map(|(id, _)| id.clone())
                .collect::<Vec<_>>()
        };
        let (recorded, not_recorded) = (named(Verdict::Recorded), named(Verdict::NotRecorded));
        let draft = Draft::new(RECONCILED, &caller.institution, now)
            .actor(&caller.actor)
            .word("bureau", bureau)
            .time("from", period.0)
            .time("until", period.1)
            .digest("list_sha256", &list_sha256)
            .number("lines", found.lines as u64)
            .number("recorded", recorded.len() as u64)
            .number("not_recorded", not_recorded.len() as u64)
            .number("disagreements", found.disagreements.len() as u64);
        let (entry, receipt) = entries::finish(draft)?;
        let mut changes = Vec::new();
        for (id, verdict) in &found.settled {
            let Some(record) = ours.iter().find(|record| record.id == *id) else {
                continue;
            };
            let outcome = match verdict {
                Verdict::Recorded => "recorded",
                Verdict::NotRecorded => "not_recorded",
            };
            let draft = entries::change(record, State::Reconciled, Some(&caller.actor), None, now)
                .code("outcome", outcome)
                .digest("list_sha256", &list_sha256);
            let (entry, receipt) = entries::finish(draft)?;
            let change = Change {
                outcome: Some(outcome),
                receipt,
                ..Change::default()
            };
            changes.push((id.clone(), change, entry));
        }
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    for (id, change, entry) in changes {
                        let (from, to) = (State::Unknown, State::Reconciled);
                        if store::advance(tx, &id, from, to, change).await? {
                            tx.append(entry.into());
                        }
                    }
                    tx.append(entry.into());
                    Ok::<_, DbError>(())
                })
            })
            .await?;
        if !found.settled.is_empty() {
            State::Unknown.passes(State::Reconciled, Commit::After);
        }
        Ok(Reconciliation {
            lines: found.lines,
            recorded,
            not_recorded,
            disagreements: found.disagreements,
            receipt,
        })
    }
}
