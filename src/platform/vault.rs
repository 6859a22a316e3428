//! The vault: subjects, their keys, and what is sealed under them.
//!
//! # Promise
//!
//! Every subject has a random id, a random data key and a random salt. Key and
//! salt are wrapped together under a master key; identity and payloads are
//! sealed under the data key; audit entries name the subject by an HMAC under
//! the salt. A subject is found by a blind index: an HMAC of its document under
//! a key that is itself wrapped. Erasure destroys the wrapped pair, the blind
//! index and the identity, and every payload anywhere becomes unreadable, in
//! backups that are erased again too ([`Vault::reapply`]).
//!
//! One document is one subject, also when two transactions enroll it at once.
//!
//! # What is not here
//!
//! Keys are not cached: erasure works at once. Deleting an erased subject's
//! payloads is the callers' part. On PostgreSQL old versions of rows stay in
//! the files until `VACUUM (FULL) subjects, vault_keys`, and in the server's own
//! log and backups until those are recycled; on SQLite [`Vault::forget`] leaves
//! nothing.
//!
//! # Failure
//!
//! What cannot be opened is an error that names table and row, never a guess.

mod bulk;
mod cipher;
mod erase;
mod house;
mod keys;
mod many;
mod master;
mod rotate;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

pub use bulk::{Blind, Blinded, StoredSubject};
pub use cipher::{Cipher, CipherError, Place};
pub use erase::Erasure;
pub use keys::{HouseKeys, SubjectKeys};
pub use many::Known;
pub use master::{MasterError, MasterKey, MasterKeys, MasterSource};

use super::{
    clock::Clock,
    db::{Db, DbError, Tx, Urgency},
    identity::{Document, Identity},
    ids::SubjectId,
};
use crate::args;
use cipher::Key;
use house::{Use, known, lock_alone, lock_shared};

/// A handle to the vault; clones share it.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    cipher: Cipher,
    clock: Clock,
    db: Db,
    house: HouseKeys,
    masters: ArcSwap<MasterKeys>,
}

/// Why the vault did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// Sealing failed.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// The database's error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The subject was erased: nothing of it can be opened, by anybody.
    #[error("the subject was erased")]
    Erased,
    /// Stored keys need a master key that is not in the keyring.
    #[error("stored keys need master key version {version}, which is not configured")]
    MasterMissing {
        /// The version.
        version: i64,
    },
    /// The document is known under another name: somebody errs, or the subject
    /// changed its name ([`Vault::rename`]).
    #[error("the document is known under another name")]
    OtherName,
    /// No such subject.
    #[error("no such subject")]
    Unknown,
    /// A stored field does not open: wrong master key, or it was changed.
    #[error("cannot open row {row} of {table}: wrong master key, or the row was changed")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The primary key; ids here are random.
        row: String,
    },
}

impl Vault {
    /// Opens the vault of a database; makes its keys at the first opening.
    ///
    /// # Errors
    ///
    /// [`VaultError::MasterMissing`] or [`VaultError::Unreadable`] where the
    /// keyring is not that of the database.
    pub async fn open(
        db: Db,
        masters: MasterKeys,
        cipher: Cipher,
        clock: Clock,
    ) -> Result<Self, VaultError> {
        let now = clock.now();
        let ring = masters.clone();
        let house = db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    lock_alone(tx).await?;
                    for what in [Use::Blind, Use::House] {
                        if house::rows(tx, what).await?.is_empty() {
                            house::add(tx, &ring, cipher, what, now).await?;
                        }
                    }
                    house::check_masters(tx, &ring).await?;
                    house::unwrap(&ring, &house::rows(tx, Use::Blind).await?)?;
                    house::unwrap(&ring, &house::rows(tx, Use::House).await?)?
                        .pop()
                        .ok_or_else(|| unreadable("vault_keys", "house"))
                })
            })
            .await?;
        Ok(Self(Arc::new(Inner {
            cipher,
            clock,
            db,
            house: HouseKeys::new(cipher, house.1),
            masters: ArcSwap::from_pointee(masters),
        })))
    }

    /// The key of what has no subject.
    #[must_use]
    pub fn house_keys(&self) -> HouseKeys {
        self.0.house.clone()
    }

    /// The subject with this document, under whatever name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn find(&self, who: &impl AsRef<Document>) -> Result<Option<SubjectId>, VaultError> {
        let canonical = who.as_ref().canonical();
        let db = &self.0.db;
        let mut rows = house::rows_read(db, Use::Blind).await?;
        loop {
            let keys = self.house_unwrap(&rows)?;
            for (sql, args) in house::look_ups(&keys, &canonical) {
                if let Some((id,)) = db.first::<(String,)>(sql, args).await? {
                    return Ok(Some(id.into()));
                }
            }
            // A rotation may have moved it from one key to the next meanwhile.
            let again = house::rows_read(db, Use::Blind).await?;
            if again == rows {
                return Ok(None);
            }
            rows = again;
        }
    }

    /// Finds the subject with this document, or makes it.
    ///
    /// A transaction that enrolls many should do so in one order (by document),
    /// else two of them can wait for each other on PostgreSQL.
    ///
    /// # Errors
    ///
    /// [`VaultError::OtherName`], or those of the database.
    pub async fn enroll(
        &self,
        tx: &mut Tx<'_>,
        identity: &Identity,
    ) -> Result<SubjectId, VaultError> {
        let canonical = identity.document().canonical();
        let keys = self.house_unwrap(&house::rows(tx, Use::Blind).await?)?;
        if let Some(id) = known(tx, &keys, &canonical).await? {
            return self.under_the_same_name(tx, id, identity).await;
        }
        // From here on no rotation can begin; what came before is visible.
        lock_shared(tx).await?;
        let keys = self.house_unwrap(&house::rows(tx, Use::Blind).await?)?;
        if let Some(id) = known(tx, &keys, &canonical).await? {
            return self.under_the_same_name(tx, id, identity).await;
        }
        let (blind_key, key) = keys
            .last()
            .ok_or_else(|| unreadable("vault_keys", "blind"))?;
        let id = SubjectId::new();
        let own = SubjectKeys::random(self.0.cipher)?;
        let masters = self.0.masters.load_full();
        let wrapped = masters.wrap(self.0.cipher, &keys_place(id.as_str()), &own.to_bytes()[..])?;
        let sealed = own.seal(&identity_place(id.as_str()), &identity.to_bytes())?;
        let made = tx
            .execute(
                "INSERT INTO subjects \
                 (id, kind, blind, blind_key, keys, master_version, identity, made_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (blind) DO NOTHING",
                args![
                    &id,
                    identity.kind().as_str(),
                    key.mac(&canonical),
                    *blind_key,
                    wrapped,
                    i64::from(masters.current()),
                    sealed,
                    self.0.clock.now()
                ],
            )
            .await?;
        if made == 1 {
            return Ok(id);
        }
        // Another transaction was first, and has committed by now.
        let id = known(tx, &keys, &canonical)
            .await?
            .ok_or(VaultError::Unknown)?;
        self.under_the_same_name(tx, id, identity).await
    }

    /// The keys of a subject.
    ///
    /// # Errors
    ///
    /// [`VaultError::Erased`], [`VaultError::Unknown`] or
    /// [`VaultError::Unreadable`].
    pub async fn keys(&self, tx: &mut Tx<'_>, id: &SubjectId) -> Result<SubjectKeys, VaultError> {
        let row: Option<(Option<Vec<u8>>,)> = tx.first(KEYS, args![id]).await?;
        self.unwrap_subject(id, row.map(|(keys,)| keys))
    }

    /// The keys of a subject, outside any transaction.
    ///
    /// # Errors
    ///
    /// As [`Vault::keys`].
    pub async fn keys_read(&self, id: &SubjectId) -> Result<SubjectKeys, VaultError> {
        let row: Option<(Option<Vec<u8>>,)> = self.0.db.first(KEYS, args![id]).await?;
        self.unwrap_subject(id, row.map(|(keys,)| keys))
    }

    /// Document and name of a subject.
    ///
    /// # Errors
    ///
    /// As [`Vault::keys`].
    pub async fn identity(&self, tx: &mut Tx<'_>, id: &SubjectId) -> Result<Identity, VaultError> {
        let row = tx.first(SUBJECT, args![id]).await?;
        self.open_subject(id, row)
    }

    /// Document and name of a subject, outside any transaction.
    ///
    /// # Errors
    ///
    /// As [`Vault::keys`].
    pub async fn identity_read(&self, id: &SubjectId) -> Result<Identity, VaultError> {
        let row = self.0.db.first(SUBJECT, args![id]).await?;
        self.open_subject(id, row)
    }

    /// Gives a subject another name under the same document.
    ///
    /// # Errors
    ///
    /// [`VaultError::Unknown`] where the document is another one; else as
    /// [`Vault::keys`].
    pub async fn rename(
        &self,
        tx: &mut Tx<'_>,
        id: &SubjectId,
        identity: &Identity,
    ) -> Result<(), VaultError> {
        let row = tx.first_locked(SUBJECT, args![id]).await?;
        let before = self.open_subject(id, row)?;
        if before.document() != identity.document() {
            return Err(VaultError::Unknown);
        }
        let keys = self.keys(tx, id).await?;
        let sealed = keys.seal(&identity_place(id.as_str()), &identity.to_bytes())?;
        tx.execute(
            "UPDATE subjects SET identity = $1 WHERE id = $2",
            args![sealed, id],
        )
        .await?;
        Ok(())
    }

    async fn under_the_same_name(
        &self,
        tx: &mut Tx<'_>,
        id: SubjectId,
        identity: &Identity,
    ) -> Result<SubjectId, VaultError> {
        if self.identity(tx, &id).await? == *identity {
            Ok(id)
        } else {
            Err(VaultError::OtherName)
        }
    }

    fn house_unwrap(&self, rows: &[house::KeyRow]) -> Result<house::Keys, VaultError> {
        house::unwrap(&self.0.masters.load(), rows)
    }

    /// `row` is `None` where there is no such row, its inner value where it was
    /// erased.
    fn unwrap_subject(
        &self,
        id: &SubjectId,
        row: Option<Option<Vec<u8>>>,
    ) -> Result<SubjectKeys, VaultError> {
        let wrapped = row.ok_or(VaultError::Unknown)?.ok_or(VaultError::Erased)?;
        self.0
            .masters
            .load()
            .unwrap(&keys_place(id.as_str()), &wrapped)
            .ok()
            .and_then(|bytes| SubjectKeys::from_bytes(self.0.cipher, &bytes))
            .ok_or_else(|| unreadable("subjects", id.as_str()))
    }

    fn open_subject(
        &self,
        id: &SubjectId,
        row: Option<SubjectRow>,
    ) -> Result<Identity, VaultError> {
        let (keys, sealed) = row.ok_or(VaultError::Unknown)?;
        let keys = self.unwrap_subject(id, Some(keys))?;
        open_identity(id, &keys, sealed)
    }
}

fn open_identity(
    id: &SubjectId,
    keys: &SubjectKeys,
    sealed: Option<Vec<u8>>,
) -> Result<Identity, VaultError> {
    let sealed = sealed.ok_or(VaultError::Erased)?;
    let bytes: Option<Zeroizing<Vec<u8>>> = keys.open(&identity_place(id.as_str()), &sealed).ok();
    bytes
        .and_then(|bytes| Identity::from_bytes(&bytes))
        .ok_or_else(|| unreadable("subjects", id.as_str()))
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// Wrapped keys and sealed identity; none of them after erasure.
type SubjectRow = (Option<Vec<u8>>, Option<Vec<u8>>);

const KEYS: &str = "SELECT keys FROM subjects WHERE id = $1";
const SUBJECT: &str = "SELECT keys, identity FROM subjects WHERE id = $1";

fn keys_place(row: &str) -> Place<'_> {
    Place {
        table: "subjects",
        column: "keys",
        row,
    }
}

fn identity_place(row: &str) -> Place<'_> {
    Place {
        table: "subjects",
        column: "identity",
        row,
    }
}

fn unreadable(table: &'static str, row: &str) -> VaultError {
    VaultError::Unreadable {
        table,
        row: row.to_owned(),
    }
}
