//! Many subjects at once, and other things that are found by a keyed digest.

use std::{collections::HashMap, fmt};

use super::{
    Key, SubjectKeys, Vault, VaultError,
    house::{self, Use},
    open_identity, unreadable,
};
use crate::platform::{
    db::{Arg, Args, BoxFuture, DbError, Row, Tx},
    identity::Identity,
    ids::SubjectId,
};

/// How many subjects one query asks for.
const ASKED: usize = 1000;

/// The blind keys: while they are rotated there are two.
pub struct Blind(Vec<(i64, Key)>);

/// What else is found by a blind index, and must follow its key.
pub trait Blinded: Send + Sync {
    /// Computes some digests of older keys anew, under the newest one; how many.
    /// None are left where it gives 0.
    fn follow<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        newest: &'t Blind,
    ) -> BoxFuture<'t, Result<u64, VaultError>>;
}

impl Blind {
    pub(super) fn new(keys: house::Keys) -> Self {
        Self(keys)
    }

    pub(super) fn only(key: (i64, Key)) -> Self {
        Self(vec![key])
    }

    /// The digest under the newest key, and which that is.
    #[must_use]
    pub fn newest(&self, text: &[u8]) -> Option<(i64, [u8; 32])> {
        self.0.last().map(|(id, key)| (*id, key.mac(text)))
    }

    /// The digests under all keys, the newest first.
    pub fn all(&self, text: &[u8]) -> impl Iterator<Item = [u8; 32]> {
        self.0.iter().rev().map(move |(_, key)| key.mac(text))
    }
}

impl fmt::Debug for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blind(masked)")
    }
}

/// A subject as its row has it, read together with something else.
#[derive(Clone)]
pub struct StoredSubject {
    /// Its identifier.
    pub id: SubjectId,
    /// Its wrapped keys; none once it is erased.
    pub keys: Option<Vec<u8>>,
    /// Its sealed identity; none once it is erased.
    pub identity: Option<Vec<u8>>,
}

impl Vault {
    /// Opens what was read of a subject.
    ///
    /// # Errors
    ///
    /// [`VaultError::Erased`] or [`VaultError::Unreadable`].
    pub fn open_stored(&self, of: StoredSubject) -> Result<(SubjectKeys, Identity), VaultError> {
        let keys = self.unwrap_subject(&of.id, Some(of.keys))?;
        let identity = open_identity(&of.id, &keys, of.identity)?;
        Ok((keys, identity))
    }

    /// Unwraps what was read of a subject's keys.
    ///
    /// # Errors
    ///
    /// [`VaultError::Erased`] or [`VaultError::Unreadable`].
    pub fn unwrap_stored(
        &self,
        id: &SubjectId,
        keys: Option<Vec<u8>>,
    ) -> Result<SubjectKeys, VaultError> {
        self.unwrap_subject(id, Some(keys))
    }

    /// The keys of the blind index, for what else is found by it. A text must
    /// say what it is, so that no two kinds of thing can have one digest.
    ///
    /// # Errors
    ///
    /// Those of the database and the keyring.
    pub async fn blind(&self) -> Result<Blind, VaultError> {
        let rows = house::rows_read(&self.0.db, Use::Blind).await?;
        let keys = self.house_unwrap(&rows)?;
        if keys.is_empty() {
            return Err(unreadable("vault_keys", "blind"));
        }
        Ok(Blind::new(keys))
    }

    /// The keys of the blind index, none of which comes or goes until the
    /// transaction ends: for who looks for a thing and makes it where it is not
    /// there. What is found by them is found, whatever rotates.
    ///
    /// # Errors
    ///
    /// As [`Vault::blind`].
    pub async fn blind_held(&self, tx: &mut Tx<'_>) -> Result<Blind, VaultError> {
        house::lock_shared(tx).await?;
        let rows = house::rows(tx, Use::Blind).await?;
        let keys = self.house_unwrap(&rows)?;
        if keys.is_empty() {
            return Err(unreadable("vault_keys", "blind"));
        }
        Ok(Blind(keys))
    }

    /// The keys of many subjects; those that were erased or never were are
    /// absent.
    ///
    /// # Errors
    ///
    /// [`VaultError::Unreadable`], or those of the database.
    pub async fn keys_of(
        &self,
        ids: impl IntoIterator<Item = &SubjectId>,
    ) -> Result<HashMap<SubjectId, SubjectKeys>, VaultError> {
        let rows: Vec<(SubjectId, Option<Vec<u8>>)> = self.rows_of("id, keys", ids).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for (id, wrapped) in rows {
            if wrapped.is_some() {
                let keys = self.unwrap_subject(&id, Some(wrapped))?;
                found.insert(id, keys);
            }
        }
        Ok(found)
    }

    /// Keys, document and name of many subjects; those that were erased or never
    /// were are absent.
    ///
    /// # Errors
    ///
    /// As [`Vault::keys_of`].
    pub async fn identities_of(
        &self,
        ids: impl IntoIterator<Item = &SubjectId>,
    ) -> Result<HashMap<SubjectId, (SubjectKeys, Identity)>, VaultError> {
        type Subject = (SubjectId, Option<Vec<u8>>, Option<Vec<u8>>);
        let rows: Vec<Subject> = self.rows_of("id, keys, identity", ids).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for (id, wrapped, sealed) in rows {
            if wrapped.is_none() {
                continue;
            }
            let keys = self.unwrap_subject(&id, Some(wrapped))?;
            let identity = open_identity(&id, &keys, sealed)?;
            found.insert(id, (keys, identity));
        }
        Ok(found)
    }

    async fn rows_of<T: Row>(
        &self,
        columns: &str,
        ids: impl IntoIterator<Item = &SubjectId>,
    ) -> Result<Vec<T>, DbError> {
        let mut ids: Vec<&SubjectId> = ids.into_iter().collect();
        ids.sort();
        ids.dedup();
        let mut rows = Vec::with_capacity(ids.len());
        for some in ids.chunks(ASKED) {
            let holes: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT {columns} FROM subjects WHERE id IN ({})",
                holes.join(", ")
            );
            let args = Args(some.iter().map(|id| Arg::from(*id)).collect());
            rows.extend(self.0.db.many::<T>(sqlx::AssertSqlSafe(sql), args).await?);
        }
        Ok(rows)
    }
}
