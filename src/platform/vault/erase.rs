//! Erasing a subject, so that nothing of it can be opened again.

use super::{Vault, VaultError};
use crate::{
    args,
    platform::{
        clock::{from_micros, micros},
        db::{DbError, Tx},
        ids::SubjectId,
    },
};

/// That a subject was erased, when and why; holds nothing of the subject.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// The random id.
    pub subject: SubjectId,
    /// UTC microseconds.
    pub erased_at: i64,
    /// Stable code of the reason.
    pub reason: String,
}

impl Vault {
    /// Destroys keys, salt, blind index and identity of a subject, and records
    /// that. The caller deletes, in the same transaction, what is sealed for it
    /// elsewhere, and calls [`Vault::forget`] once that is committed. False
    /// where it was erased before.
    ///
    /// # Errors
    ///
    /// [`VaultError::Unknown`], or those of the database.
    pub async fn erase(
        &self,
        tx: &mut Tx<'_>,
        id: &SubjectId,
        reason: &str,
    ) -> Result<bool, VaultError> {
        let row: Option<(Option<i64>,)> = tx
            .first_locked("SELECT erased_at FROM subjects WHERE id = $1", args![id])
            .await?;
        match row {
            None => Err(VaultError::Unknown),
            Some((Some(_),)) => Ok(false),
            Some((None,)) => {
                let erasure = Erasure {
                    subject: id.clone(),
                    erased_at: micros(self.0.clock.now()),
                    reason: reason.to_owned(),
                };
                destroy(tx, &erasure).await?;
                Ok(true)
            }
        }
    }

    /// All erasures so far, oldest first: to be kept outside with the backups.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn erasures(&self) -> Result<Vec<Erasure>, VaultError> {
        let rows: Vec<(String, i64, String)> = self
            .0
            .db
            .all(
                "SELECT subject, erased_at, reason FROM erasures ORDER BY erased_at, subject",
                args![],
            )
            .await?;
        Ok(rows
            .into_iter()
            .map(|(subject, erased_at, reason)| Erasure {
                subject: subject.into(),
                erased_at,
                reason,
            })
            .collect())
    }

    /// Erases again what a restored backup brought back; returns the subjects
    /// whose payloads the caller now deletes. What the backup does not know is
    /// recorded all the same.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn reapply(
        &self,
        tx: &mut Tx<'_>,
        erasures: &[Erasure],
    ) -> Result<Vec<SubjectId>, VaultError> {
        let mut again = Vec::new();
        for erasure in erasures {
            if destroy(tx, erasure).await? {
                again.push(erasure.subject.clone());
            }
        }
        Ok(again)
    }

    /// Leaves nothing of what was destroyed in the database's own log; see
    /// [`Db::forget_wal`](crate::platform::db::Db::forget_wal).
    ///
    /// # Errors
    ///
    /// Those of the database; to be called again then.
    pub async fn forget(&self) -> Result<(), VaultError> {
        Ok(self.0.db.forget_wal().await?)
    }
}

/// Whether there was something to destroy.
async fn destroy(tx: &mut Tx<'_>, erasure: &Erasure) -> Result<bool, DbError> {
    let at = from_micros(erasure.erased_at);
    let changed = tx
        .execute(
            "UPDATE subjects SET blind = NULL, blind_key = NULL, keys = NULL, \
             master_version = NULL, identity = NULL, erased_at = $1 \
             WHERE id = $2 AND erased_at IS NULL",
            args![at, &erasure.subject],
        )
        .await?;
    tx.execute(
        "INSERT INTO erasures (subject, erased_at, reason) VALUES ($1, $2, $3) \
         ON CONFLICT (subject) DO NOTHING",
        args![&erasure.subject, at, &erasure.reason],
    )
    .await?;
    Ok(changed > 0)
}
