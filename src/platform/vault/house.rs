//! Keys that belong to no subject, and the lock that orders their changes.

use jiff::Timestamp;

use super::{
    MasterKeys, VaultError,
    cipher::{Cipher, Key, Place},
    unreadable,
};
use crate::{
    args,
    platform::{
        db::{Args, Db, DbError, Kind, Tx},
        ids::SubjectId,
    },
};

/// The advisory lock of PostgreSQL that enrolling shares and rotating takes
/// alone: "vaultkey".
const LOCK: i64 = i64::from_be_bytes(*b"vaultkey");

/// What such a key is for.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// The blind index. There are two while it is rotated.
    Blind,
    /// What has no subject.
    House,
}

/// Id and wrapped key.
pub(super) type KeyRow = (i64, Vec<u8>);

/// Keys of one use, the newest last.
pub(super) type Keys = Vec<(i64, Key)>;

const ROWS: &str = "SELECT id, wrapped FROM vault_keys WHERE use = $1 ORDER BY id";
const FIND: &str = "SELECT id FROM subjects WHERE blind = $1";

impl Use {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::House => "house",
        }
    }
}

pub(super) async fn rows(tx: &mut Tx<'_>, what: Use) -> Result<Vec<KeyRow>, DbError> {
    tx.all(ROWS, args![what.name()]).await
}

pub(super) async fn rows_read(db: &Db, what: Use) -> Result<Vec<KeyRow>, DbError> {
    db.all(ROWS, args![what.name()]).await
}

pub(super) fn unwrap(masters: &MasterKeys, rows: &[KeyRow]) -> Result<Keys, VaultError> {
    rows.iter()
        .map(|(id, wrapped)| {
            let row = id.to_string();
            masters
                .unwrap(&place(&row), wrapped)
                .ok()
                .and_then(|bytes| Key::from_slice(&bytes))
                .map(|key| (*id, key))
                .ok_or_else(|| unreadable("vault_keys", &row))
        })
        .collect()
}

/// Adds a random key; the caller holds the lock alone.
pub(super) async fn add(
    tx: &mut Tx<'_>,
    masters: &MasterKeys,
    cipher: Cipher,
    what: Use,
    now: Timestamp,
) -> Result<i64, VaultError> {
    let last: Option<(i64,)> = tx
        .first(
            "SELECT id FROM vault_keys ORDER BY id DESC LIMIT 1",
            args![],
        )
        .await?;
    let id = last.map_or(1, |(id,)| id + 1);
    let row = id.to_string();
    let wrapped = masters.wrap(cipher, &place(&row), Key::random()?.expose())?;
    tx.execute(
        "INSERT INTO vault_keys (id, use, wrapped, master_version, made_at) \
         VALUES ($1, $2, $3, $4, $5)",
        args![id, what.name(), wrapped, i64::from(masters.current()), now],
    )
    .await?;
    Ok(id)
}

/// Statements that find a document's subject, one for each key, the newest first.
pub(super) fn look_ups(keys: &Keys, canonical: &[u8]) -> Vec<(&'static str, Args)> {
    let look_up = |(_, key): &(i64, Key)| (FIND, args![key.mac(canonical)]);
    keys.iter().rev().map(look_up).collect()
}

pub(super) async fn known(
    tx: &mut Tx<'_>,
    keys: &Keys,
    canonical: &[u8],
) -> Result<Option<SubjectId>, DbError> {
    for (sql, args) in look_ups(keys, canonical) {
        if let Some((id,)) = tx.first::<(String,)>(sql, args).await? {
            return Ok(Some(id.into()));
        }
    }
    Ok(None)
}

/// The lowest and the highest version in use must be there.
pub(super) async fn check_masters(tx: &mut Tx<'_>, masters: &MasterKeys) -> Result<(), VaultError> {
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

pub(super) async fn lock_alone(tx: &mut Tx<'_>) -> Result<(), DbError> {
    lock(tx, "SELECT pg_advisory_xact_lock($1)").await
}

pub(super) async fn lock_shared(tx: &mut Tx<'_>) -> Result<(), DbError> {
    lock(tx, "SELECT pg_advisory_xact_lock_shared($1)").await
}

/// On SQLite there is but one writer.
async fn lock(tx: &mut Tx<'_>, sql: &'static str) -> Result<(), DbError> {
    if tx.kind() == Kind::Postgres {
        tx.execute(sql, args![LOCK]).await?;
    }
    Ok(())
}

pub(super) fn place(row: &str) -> Place<'_> {
    Place {
        table: "vault_keys",
        column: "wrapped",
        row,
    }
}
