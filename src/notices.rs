//! Prior notices (告知) of negative information: what was delivered to whom, when.
//!
//! # Promise
//!
//! A notice names a subject, an account and the month that the unpaid amount was
//! due in, and is kept with the proof of its delivery, sealed under the subject's
//! key and bound in the log. It serves one run of negative state (CRR Art 15;
//! SR-02), and is marked with that run once a record of it is accepted.
//!
//! # What is not here
//!
//! Sending notices, and which one serves a record: that is said by
//! [`ledger::gate`](crate::ledger::gate).
//!
//! # Failure
//!
//! The same notice again changes nothing.

mod model;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    args,
    audit::{Draft, Kind, Place as Payload, SubjectTag},
    ledger::index,
    operators::{Caller, Role, confirm},
    platform::{
        clock::micros,
        db::{Db, Tx, Urgency},
        digest::sha256,
        ids::SubjectId,
        vault::{Place, SubjectKeys, Vault, VaultError},
    },
};

pub use model::{Channel, Listed, NewNotice, NoticeError, Recorded};
pub use store::serve;

const RECORDED: Kind = Kind::new("notice.recorded");

/// Who records notices.
pub const KEEPERS: &[Role] = &[Role::Submitter, Role::Compliance];

/// Who may see them.
pub const READERS: &[Role] = &[Role::Submitter, Role::Compliance, Role::Regulator];

/// The largest proof, in bytes.
pub const MAX_PROOF_BYTES: usize = 8 << 20;

/// The notices of all institutions; clones share them.
#[derive(Clone)]
pub struct Notices {
    db: Db,
    vault: Vault,
}

impl Notices {
    /// Those of a database and its vault.
    #[must_use]
    pub fn new(db: Db, vault: Vault) -> Self {
        Self { db, vault }
    }

    /// Records a notice that was delivered. The account need not have been
    /// reported yet.
    ///
    /// # Errors
    ///
    /// See [`NoticeError`]: a delivery that is to come, a proof that is empty or
    /// too large, an account that is another subject's.
    pub async fn record(
        &self,
        by: &Caller,
        new: NewNotice,
        now: Timestamp,
    ) -> Result<Recorded, NoticeError> {
        by.require_any(KEEPERS)?;
        new.check(now)?;
        let new = Arc::new(new);
        match self.try_record(by, Arc::clone(&new), now).await {
            // Another transaction was first, with the subject or the account.
            Err(NoticeError::Vault(VaultError::OtherName)) => {}
            Err(NoticeError::Db(error)) if error.is_unique_violation() => {}
            result => return result,
        }
        self.try_record(by, new, now).await
    }

    async fn try_record(
        &self,
        by: &Caller,
        new: Arc<NewNotice>,
        now: Timestamp,
    ) -> Result<Recorded, NoticeError> {
        // A subject known under another name stays who it is.
        let known = self.vault.find(&new.subject).await?;
        let (by, vault) = (by.clone(), self.vault.clone());
        self.db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let by = confirm::<NoticeError>(tx, &by, KEEPERS, now).await?;
                    if new.account.institution != by.institution {
                        return Err(NoticeError::Unknown("account"));
                    }
                    let subject = match known {
                        Some(subject) => subject,
                        None => vault.enroll(tx, &new.subject).await?,
                    };
                    let blind = vault.blind_held(tx).await?;
                    let at = micros(now);
                    let (account, of) =
                        index::take(tx, &vault, &blind, &new.account, &subject, at).await?;
                    if of != subject {
                        return Err(NoticeError::Unknown("account"));
                    }
                    if let Some(id) = store::same(tx, account, &new).await? {
                        return Ok(Recorded::Already(id));
                    }
                    let keys = vault.keys(tx, &subject).await?;
                    let id = insert(tx, &by, (account, &subject, &keys), &new, now).await?;
                    Ok(Recorded::New(id))
                })
            })
            .await
    }
}

async fn insert(
    tx: &mut Tx<'_>,
    by: &Caller,
    (account, subject, keys): (i64, &SubjectId, &SubjectKeys),
    new: &NewNotice,
    now: Timestamp,
) -> Result<String, NoticeError> {
    let id = uuid::Uuid::now_v7().to_string();
    let proof = keys.seal(&proof_place(&id), &new.proof)?;
    let digest = sha256(&proof);
    let entry = Draft::new(RECORDED, &by.institution, now)
        .actor(&by.actor)
        .about(&id)
        .subject(&SubjectTag::of(keys, &new.subject))
        .number("account", account)
        .word("due", new.due)
        .code("channel", new.channel.name())
        .time("delivered", new.delivered_at)
        .payload(
            &Payload {
                table: "notices".to_owned(),
                column: "proof".to_owned(),
                row: id.clone(),
            },
            &digest,
        );
    tx.execute(
        "INSERT INTO notices (id, institution, subject, account, due_period, channel, \
         delivered_at, proof, proof_sha256, recorded_by, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            &id,
            &by.institution,
            subject,
            account,
            new.due.to_string(),
            new.channel.name(),
            new.delivered_at,
            proof,
            digest,
            by.actor.stored(),
            now
        ],
    )
    .await?;
    tx.append(entry.finish()?.into());
    Ok(id)
}

/// Where the proof of a notice is sealed.
fn proof_place(id: &str) -> Place<'_> {
    Place {
        table: "notices",
        column: "proof",
        row: id,
    }
}
