//! What a start of the server finds of the one before.

use super::{
    AskError, Inquiries, State, entries,
    store::{self, Change},
};
use crate::platform::db::{DbError, Urgency};

impl Inquiries {
    /// Settles what an earlier start left: what it dispatched becomes unknown,
    /// never permitted; what was permitted goes on waiting for the line.
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
                    Some(super::intake::tag(&keys, &identity))
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
                        if store::advance(tx, &id, State::Dispatched, State::Unknown, change).await? {
                            tx.append(entry.into());
                        }
                        Ok::<_, DbError>(())
                    })
                })
                .await?;
            tracing::error!(inquiry.id = %record.id, "an inquiry of an earlier start is unknown");
        }
        for record in store::in_state(&inner.db, State::Permitted).await? {
            self.resume(&record.id).await?;
        }
        Ok(())
    }
}
