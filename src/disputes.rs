//! Disputes (异议): the mark that an account is under one.
//!
//! # Promise
//!
//! While a dispute is open on an account, records of it go out only with its
//! number as their mark, or as the correction that the dispute asks for (SR-15;
//! CRR Art 25). Opening and closing are entries of the log.
//!
//! # What is not here
//!
//! The desk: who complains, what was checked, what was answered, and when. What
//! a record waits for is said by [`ledger::gate`](crate::ledger::gate).
//!
//! # Failure
//!
//! A number is used once in an institution; it is never given to another account.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    args,
    audit::{
        Draft, Kind, SubjectTag,
        entry::{EntryError, is_word},
    },
    ledger::index::{self, AccountName},
    operators::{Caller, Forbidden, Role, confirm},
    platform::{
        clock::from_micros,
        db::{Arg, Args, Db, DbError, Tx, Urgency},
        identity::Document,
        ids::InstitutionId,
        vault::{Vault, VaultError},
    },
};

const CLOSED: Kind = Kind::new("dispute.closed");
const OPENED: Kind = Kind::new("dispute.opened");

/// Who keeps disputes.
pub const KEEPERS: &[Role] = &[Role::Compliance];

/// How many accounts one statement asks for.
const ASKED: usize = 1000;

/// The disputes of all institutions; clones share them.
#[derive(Clone)]
pub struct Disputes {
    db: Db,
    vault: Vault,
}

/// A dispute to be opened.
#[derive(Clone, Debug)]
pub struct NewDispute {
    /// By which the institution knows it, and records bear it as their mark.
    pub number: String,
    /// Whose account it is.
    pub subject: Document,
    /// The account.
    pub account: AccountName,
}

/// What opening did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Opened {
    /// Nothing: it is known already.
    Already(String),
    /// A new dispute.
    New(String),
}

/// A dispute, as it is shown: nothing personal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dispute {
    /// Its identifier.
    pub id: String,
    /// The institution's number of it.
    pub number: String,
    /// The number of the account.
    pub account: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// Why something about disputes did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisputeError {
    /// The number is another dispute's, or a closed one's.
    #[error("the number is known already, for another account or a closed dispute")]
    Conflict,
    /// The database's error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No audit entry can be made of it.
    #[error("the change cannot be written to the audit log")]
    Entry(#[from] EntryError),
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The number is none.
    #[error("a number is 1 to 64 of A-Z a-z 0-9 . _ : / - and no number of a person")]
    Number,
    /// There is no such thing in the caller's institution.
    #[error("there is no such {0} in this institution")]
    Unknown(&'static str),
    /// The vault's error.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Disputes {
    /// Those of a database and its vault.
    #[must_use]
    pub fn new(db: Db, vault: Vault) -> Self {
        Self { db, vault }
    }

    /// Opens a dispute on an account of the caller's institution.
    ///
    /// # Errors
    ///
    /// [`DisputeError::Unknown`] where the subject has no such account here.
    pub async fn open(
        &self,
        by: &Caller,
        new: NewDispute,
        now: Timestamp,
    ) -> Result<Opened, DisputeError> {
        by.require_any(KEEPERS)?;
        if new.number.len() > 64 || !is_word(&new.number) {
            return Err(DisputeError::Number);
        }
        let subject = self.vault.find(&new.subject).await?;
        let subject = subject.ok_or(DisputeError::Unknown("account"))?;
        let (by, vault) = (by.clone(), self.vault.clone());
        self.db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let by = confirm::<DisputeError>(tx, &by, KEEPERS, now).await?;
                    let blind = vault.blind_held(tx).await?;
                    let found = index::find(tx, &blind, &new.account).await?;
                    let (account, _) = found
                        .filter(|(_, of)| {
                            *of == subject && new.account.institution == by.institution
                        })
                        .ok_or(DisputeError::Unknown("account"))?;
                    let id = uuid::Uuid::now_v7().to_string();
                    let made = tx
                        .execute(
                            "INSERT INTO disputes (id, institution, number, account, opened_by, \
                             opened_at) VALUES ($1, $2, $3, $4, $5, $6) \
                             ON CONFLICT (institution, number) DO NOTHING",
                            args![
                                &id,
                                &by.institution,
                                &new.number,
                                account,
                                by.actor.stored(),
                                now
                            ],
                        )
                        .await?;
                    if made == 0 {
                        return already(tx, &by.institution, &new.number, account).await;
                    }
                    let keys = vault.keys(tx, &subject).await?;
                    let entry = Draft::new(OPENED, &by.institution, now)
                        .actor(&by.actor)
                        .about(&id)
                        .subject(&SubjectTag::of(&keys, &new.subject))
                        .word("number", &new.number);
                    tx.append(entry.finish()?.into());
                    Ok(Opened::New(id))
                })
            })
            .await
    }

    /// Closes a dispute. False where it was closed before.
    ///
    /// # Errors
    ///
    /// [`DisputeError::Unknown`] where the institution has no such dispute.
    pub async fn close(&self, by: &Caller, id: &str, now: Timestamp) -> Result<bool, DisputeError> {
        by.require_any(KEEPERS)?;
        let (by, id) = (by.clone(), id.to_owned());
        self.db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let by = confirm::<DisputeError>(tx, &by, KEEPERS, now).await?;
                    let row: Option<(Option<i64>, String)> = tx
                        .first_locked(
                            "SELECT closed_at, number FROM disputes \
                             WHERE id = $1 AND institution = $2",
                            args![&id, &by.institution],
                        )
                        .await?;
                    let (closed, number) = row.ok_or(DisputeError::Unknown("dispute"))?;
                    if closed.is_some() {
                        return Ok(false);
                    }
                    tx.execute(
                        "UPDATE disputes SET closed_by = $2, closed_at = $3 WHERE id = $1",
                        args![&id, by.actor.stored(), now],
                    )
                    .await?;
                    let entry = Draft::new(CLOSED, &by.institution, now)
                        .actor(&by.actor)
                        .about(&id)
                        .word("number", &number);
                    tx.append(entry.finish()?.into());
                    Ok(true)
                })
            })
            .await
    }

    /// The disputes of the caller's institution that are open, in the order of
    /// their opening.
    ///
    /// # Errors
    ///
    /// See [`DisputeError`].
    pub async fn list(&self, by: &Caller) -> Result<Vec<Dispute>, DisputeError> {
        by.require_any(KEEPERS)?;
        let rows: Vec<(String, String, i64, i64, Option<i64>)> = self
            .db
            .all(
                "SELECT id, number, account, opened_at, closed_at FROM disputes \
                 WHERE institution = $1 AND closed_at IS NULL ORDER BY opened_at, id",
                args![&by.institution],
            )
            .await?;
        let dispute = |(id, number, account, opened_at, closed_at)| Dispute {
            id,
            number,
            account,
            opened_at: from_micros(opened_at),
            closed_at: Option::map(closed_at, from_micros),
        };
        Ok(rows.into_iter().map(dispute).collect())
    }

    /// The numbers of the disputes that are open on these accounts, in a few
    /// statements; accounts without any are absent.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn open_on(
        &self,
        accounts: impl IntoIterator<Item = i64>,
    ) -> Result<HashMap<i64, Vec<String>>, DbError> {
        let mut accounts: Vec<i64> = accounts.into_iter().collect();
        accounts.sort_unstable();
        accounts.dedup();
        let mut found: HashMap<i64, Vec<String>> = HashMap::new();
        for some in accounts.chunks(ASKED) {
            let holes: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT account, number FROM disputes \
                 WHERE closed_at IS NULL AND account IN ({}) ORDER BY opened_at, id",
                holes.join(", ")
            );
            let args = Args(some.iter().map(|id| Arg::from(*id)).collect());
            let rows: Vec<(i64, String)> = self.db.all(sqlx::AssertSqlSafe(sql), args).await?;
            for (account, number) in rows {
                found.entry(account).or_default().push(number);
            }
        }
        Ok(found)
    }
}

/// The number is taken: by the same dispute, or by another.
async fn already(
    tx: &mut Tx<'_>,
    institution: &InstitutionId,
    number: &str,
    account: i64,
) -> Result<Opened, DisputeError> {
    let row: Option<(String,)> = tx
        .first(
            "SELECT id FROM disputes WHERE institution = $1 AND number = $2 AND account = $3 \
             AND closed_at IS NULL",
            args![institution, number, account],
        )
        .await?;
    row.map(|(id,)| Opened::Already(id))
        .ok_or(DisputeError::Conflict)
}
