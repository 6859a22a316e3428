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

mod cipher;
mod erase;
mod keys;
mod master;
mod rotate;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

pub use cipher::{Cipher, CipherError, Place};
pub use erase::Erasure;
pub use keys::{HouseKeys, SubjectKeys};
pub use master::{MasterError, MasterKey, MasterKeys, MasterSource};

use super::{
    clock::Clock,
    db::{Db, DbError, Kind, Tx, Urgency},
    identity::{Document, Identity},
    ids::SubjectId,
};
use crate::args;
use cipher::Key;

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

/// The advisory lock of PostgreSQL that enrolling shares and rotating takes
/// alone: "vaultkey".
const LOCK: i64 = i64::from_be_bytes(*b"vaultkey");

/// Keys of the blind index, the newest last.
type BlindKeys = Vec<(i64, Key)>;

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
                    for table_use in ["blind", "house"] {
                        if key_rows(tx, table_use).await?.is_empty() {
                            add_key(tx, &ring, cipher, table_use, now).await?;
                        }
                    }
                    check_masters(tx, &ring).await?;
                    unwrap_keys(&ring, key_rows(tx, "blind").await?)?;
                    unwrap_keys(&ring, key_rows(tx, "house").await?)?
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
        let mut rows = self.0.db.all(BLIND_KEYS, args!["blind"]).await?;
        loop {
            for (_, key) in self.blind_keys(rows.clone())?.iter().rev() {
                let row: Option<(String,)> = self
                    .0
                    .db
                    .first(
                        "SELECT id FROM subjects WHERE blind = $1",
                        args![key.mac(&canonical)],
                    )
                    .await?;
                if let Some((id,)) = row {
                    return Ok(Some(id.into()));
                }
            }
            // A rotation may have moved it from one key to the next meanwhile.
            let again = self.0.db.all(BLIND_KEYS, args!["blind"]).await?;
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
        let keys = self.blind_keys(key_rows(tx, "blind").await?)?;
        if let Some(id) = known(tx, &keys, &canonical).await? {
            return self.under_the_same_name(tx, id, identity).await;
        }
        // From here on no rotation can begin; what came before is visible.
        lock_shared(tx).await?;
        let keys = self.blind_keys(key_rows(tx, "blind").await?)?;
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

    fn blind_keys(&self, rows: Vec<KeyRow>) -> Result<BlindKeys, VaultError> {
        unwrap_keys(&self.0.masters.load(), rows)
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
        let (keys, identity) = row.ok_or(VaultError::Unknown)?;
        let keys = self.unwrap_subject(id, Some(keys))?;
        let sealed = identity.ok_or(VaultError::Erased)?;
        let bytes: Option<Zeroizing<Vec<u8>>> =
            keys.open(&identity_place(id.as_str()), &sealed).ok();
        bytes
            .and_then(|bytes| Identity::from_bytes(&bytes))
            .ok_or_else(|| unreadable("subjects", id.as_str()))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// Id and wrapped key.
type KeyRow = (i64, Vec<u8>);

/// Wrapped keys and sealed identity; none of them after erasure.
type SubjectRow = (Option<Vec<u8>>, Option<Vec<u8>>);

const BLIND_KEYS: &str = "SELECT id, wrapped FROM vault_keys WHERE use = $1 ORDER BY id";
const KEYS: &str = "SELECT keys FROM subjects WHERE id = $1";
const SUBJECT: &str = "SELECT keys, identity FROM subjects WHERE id = $1";

async fn key_rows(tx: &mut Tx<'_>, table_use: &'static str) -> Result<Vec<KeyRow>, DbError> {
    tx.all(BLIND_KEYS, args![table_use]).await
}

fn unwrap_keys(masters: &MasterKeys, rows: Vec<KeyRow>) -> Result<BlindKeys, VaultError> {
    rows.into_iter()
        .map(|(id, wrapped)| {
            let row = id.to_string();
            masters
                .unwrap(&vault_key_place(&row), &wrapped)
                .ok()
                .and_then(|bytes| Key::from_slice(&bytes))
                .map(|key| (id, key))
                .ok_or_else(|| unreadable("vault_keys", &row))
        })
        .collect()
}

/// Adds a random key; the caller holds the lock alone.
async fn add_key(
    tx: &mut Tx<'_>,
    masters: &MasterKeys,
    cipher: Cipher,
    table_use: &'static str,
    now: jiff::Timestamp,
) -> Result<i64, VaultError> {
    let last: Option<(i64,)> = tx
        .first(
            "SELECT id FROM vault_keys ORDER BY id DESC LIMIT 1",
            args![],
        )
        .await?;
    let id = last.map_or(1, |(id,)| id + 1);
    let row = id.to_string();
    let wrapped = masters.wrap(cipher, &vault_key_place(&row), Key::random()?.expose())?;
    tx.execute(
        "INSERT INTO vault_keys (id, use, wrapped, master_version, made_at) \
         VALUES ($1, $2, $3, $4, $5)",
        args![id, table_use, wrapped, i64::from(masters.current()), now],
    )
    .await?;
    Ok(id)
}

/// The lowest and the highest version in use must be there.
async fn check_masters(tx: &mut Tx<'_>, masters: &MasterKeys) -> Result<(), VaultError> {
    for sql in [
        "SELECT MIN(master_version), MAX(master_version) FROM subjects",
        "SELECT MIN(master_version), MAX(master_version) FROM vault_keys",
    ] {
        let row: Option<(Option<i64>, Option<i64>)> = tx.first(sql, args![]).await?;
        let (low, high) = row.unwrap_or_default();
        for version in [low, high].into_iter().flatten() {
            if !u32::try_from(version).is_ok_and(|version| masters.holds(version)) {
                return Err(VaultError::MasterMissing { version });
            }
        }
    }
    Ok(())
}

async fn known(
    tx: &mut Tx<'_>,
    keys: &BlindKeys,
    canonical: &[u8],
) -> Result<Option<SubjectId>, DbError> {
    for (_, key) in keys.iter().rev() {
        let row: Option<(String,)> = tx
            .first(
                "SELECT id FROM subjects WHERE blind = $1",
                args![key.mac(canonical)],
            )
            .await?;
        if let Some((id,)) = row {
            return Ok(Some(id.into()));
        }
    }
    Ok(None)
}

async fn lock_alone(tx: &mut Tx<'_>) -> Result<(), DbError> {
    lock(tx, "SELECT pg_advisory_xact_lock($1)").await
}

async fn lock_shared(tx: &mut Tx<'_>) -> Result<(), DbError> {
    lock(tx, "SELECT pg_advisory_xact_lock_shared($1)").await
}

/// On SQLite there is but one writer.
async fn lock(tx: &mut Tx<'_>, sql: &'static str) -> Result<(), DbError> {
    if tx.kind() == Kind::Postgres {
        tx.execute(sql, args![LOCK]).await?;
    }
    Ok(())
}

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

fn vault_key_place(row: &str) -> Place<'_> {
    Place {
        table: "vault_keys",
        column: "wrapped",
        row,
    }
}

fn unreadable(table: &'static str, row: &str) -> VaultError {
    VaultError::Unreadable {
        table,
        row: row.to_owned(),
    }
}
