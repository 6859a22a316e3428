//! Changing the master key, and the key of the blind index.
//!
//! Both go in batches, a transaction each, beside the daily work; stopped
//! anywhere, the same call goes on from there.

use std::sync::Arc;

use super::{
    Key, MasterKeys, Vault, VaultError,
    bulk::{Blind, Blinded},
    house::{self, Use, lock_alone},
    identity_place, keys_place, unreadable,
};
use crate::{
    args,
    platform::{
        db::{Tx, Urgency},
        identity::Identity,
        ids::SubjectId,
    },
};

/// How many subjects share a transaction.
const BATCH: i64 = 500;

impl Vault {
    /// Wraps every key under the highest version of `next`, which must also
    /// hold the versions in use. When it returns, lower versions open nothing
    /// and may be destroyed. `progress` hears the count of subjects so far.
    ///
    /// # Errors
    ///
    /// [`VaultError::MasterMissing`], and nothing is changed;
    /// [`VaultError::Unreadable`] where a key was changed in the database.
    pub async fn rotate_master(
        &self,
        next: MasterKeys,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, VaultError> {
        let ring = next.clone();
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move { house::check_masters(tx, &ring).await })
            })
            .await?;
        self.0.masters.store(Arc::new(next));
        // Whoever enrolls under the old keyring has committed after this.
        self.0
            .db
            .write::<_, VaultError, _>(Urgency::Urgent, |tx| {
                Box::pin(async move { Ok(lock_alone(tx).await?) })
            })
            .await?;
        let mut total = 0;
        loop {
            let vault = self.clone();
            let done = self
                .0
                .db
                .write(Urgency::Bulk, move |tx| {
                    Box::pin(async move { vault.rewrap_subjects(tx).await })
                })
                .await?;
            if done == 0 {
                break;
            }
            total += done;
            progress(total);
        }
        let vault = self.clone();
        self.0
            .db
            .write(Urgency::Bulk, move |tx| {
                Box::pin(async move { vault.rewrap_own(tx).await })
            })
            .await?;
        self.forget().await?;
        Ok(total)
    }

    /// Makes a new key of the blind index, computes every index under it, those
    /// of `others` too, and destroys the old key. `progress` hears the count of
    /// subjects and others so far; the count of subjects is given.
    ///
    /// What `others` lack keeps the old key: then it is not destroyed, and the
    /// database says so.
    ///
    /// # Errors
    ///
    /// [`VaultError::Unreadable`] where a subject, or another thing, does not
    /// open.
    pub async fn rotate_blind(
        &self,
        others: &[Arc<dyn Blinded>],
        mut progress: impl FnMut(u64),
    ) -> Result<u64, VaultError> {
        let vault = self.clone();
        let newest = self
            .0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move { vault.newest_blind_key(tx).await })
            })
            .await?;
        let mut total = 0;
        loop {
            let vault = self.clone();
            let done = self
                .0
                .db
                .write(Urgency::Bulk, move |tx| {
                    Box::pin(async move { vault.blind_again(tx, newest).await })
                })
                .await?;
            if done == 0 {
                break;
            }
            total += done;
            progress(total);
        }
        let mut moved = total;
        for other in others {
            loop {
                let (vault, other) = (self.clone(), Arc::clone(other));
                let write = self.0.db.write(Urgency::Bulk, move |tx| {
                    Box::pin(async move {
                        let key = Blind::only(vault.blind_key(tx, newest).await?);
                        other.follow(tx, &key).await
                    })
                });
                let done = write.await?;
                if done == 0 {
                    break;
                }
                moved += done;
                progress(moved);
            }
        }
        self.0
            .db
            .write::<_, VaultError, _>(Urgency::Bulk, move |tx| {
                Box::pin(async move {
                    lock_alone(tx).await?;
                    tx.execute(
                        "DELETE FROM vault_keys WHERE use = $1 AND id < $2",
                        args![Use::Blind.name(), newest],
                    )
                    .await?;
                    Ok(())
                })
            })
            .await?;
        self.forget().await?;
        Ok(total)
    }

    async fn rewrap_subjects(&self, tx: &mut Tx<'_>) -> Result<u64, VaultError> {
        let masters = self.0.masters.load_full();
        let current = i64::from(masters.current());
        let rows: Vec<(String, Vec<u8>)> = tx
            .all(
                "SELECT id, keys FROM subjects WHERE master_version < $1 \
                 ORDER BY master_version, id LIMIT $2",
                args![current, BATCH],
            )
            .await?;
        for (id, wrapped) in &rows {
            let place = keys_place(id);
            let plain = masters
                .unwrap(&place, wrapped)
                .map_err(|_| unreadable("subjects", id))?;
            // Not where it was erased meanwhile.
            tx.execute(
                "UPDATE subjects SET keys = $1, master_version = $2 \
                 WHERE id = $3 AND keys IS NOT NULL",
                args![
                    masters.wrap(self.0.cipher, &place, &plain)?,
                    current,
                    id.as_str()
                ],
            )
            .await?;
        }
        Ok(rows.len() as u64)
    }

    async fn rewrap_own(&self, tx: &mut Tx<'_>) -> Result<(), VaultError> {
        lock_alone(tx).await?;
        let masters = self.0.masters.load_full();
        let current = i64::from(masters.current());
        let rows: Vec<(i64, Vec<u8>)> = tx
            .all(
                "SELECT id, wrapped FROM vault_keys WHERE master_version < $1",
                args![current],
            )
            .await?;
        for (id, wrapped) in rows {
            let row = id.to_string();
            let place = house::place(&row);
            let plain = masters
                .unwrap(&place, &wrapped)
                .map_err(|_| unreadable("vault_keys", &row))?;
            tx.execute(
                "UPDATE vault_keys SET wrapped = $1, master_version = $2 WHERE id = $3",
                args![masters.wrap(self.0.cipher, &place, &plain)?, current, id],
            )
            .await?;
        }
        Ok(())
    }

    /// A new key; or the one that an interrupted rotation made.
    pub(super) async fn newest_blind_key(&self, tx: &mut Tx<'_>) -> Result<i64, VaultError> {
        lock_alone(tx).await?;
        let rows = house::rows(tx, Use::Blind).await?;
        match rows.as_slice() {
            [_, .., (newest, _)] => Ok(*newest),
            _ => {
                let masters = self.0.masters.load_full();
                house::add(tx, &masters, self.0.cipher, Use::Blind, self.0.clock.now()).await
            }
        }
    }

    async fn blind_key(&self, tx: &mut Tx<'_>, newest: i64) -> Result<(i64, Key), VaultError> {
        let keys = self.house_unwrap(&house::rows(tx, Use::Blind).await?)?;
        keys.into_iter()
            .find(|(id, _)| *id == newest)
            .ok_or_else(|| unreadable("vault_keys", &newest.to_string()))
    }

    async fn blind_again(&self, tx: &mut Tx<'_>, newest: i64) -> Result<u64, VaultError> {
        let (_, key) = self.blind_key(tx, newest).await?;
        let rows: Vec<(String, Vec<u8>, Vec<u8>)> = tx
            .all(
                "SELECT id, keys, identity FROM subjects WHERE blind_key < $1 \
                 ORDER BY blind_key, id LIMIT $2",
                args![newest, BATCH],
            )
            .await?;
        for (id, wrapped, sealed) in &rows {
            let own =
                self.unwrap_subject(&SubjectId::from(id.as_str()), Some(Some(wrapped.clone())))?;
            let bytes = own.open(&identity_place(id), sealed);
            let identity = bytes
                .ok()
                .and_then(|bytes| Identity::from_bytes(&bytes))
                .ok_or_else(|| unreadable("subjects", id))?;
            tx.execute(
                "UPDATE subjects SET blind = $1, blind_key = $2 \
                 WHERE id = $3 AND blind IS NOT NULL",
                args![
                    key.mac(&identity.document().canonical()),
                    newest,
                    id.as_str()
                ],
            )
            .await?;
        }
        Ok(rows.len() as u64)
    }
}
