//! Puts entries into the transaction that they tell of, and into the tree.
//!
//! # Promise
//!
//! An entry is committed with its change or not at all. On SQLite it has its
//! index then. On PostgreSQL it waits until `sequence` gives an index to
//! everything committed; an entry that commits late is found late, never
//! skipped, because waiting entries are found by having no index and not by a
//! high-water mark.
//!
//! # Failure
//!
//! A head that was moved by somebody else fails the transaction.

use sqlx::FromRow;

use super::error::AuditError;
use super::hex::{Hex, bytes_from_hex};
use super::merkle::{Frontier, Hash, root_of};
use super::outline::Outline;
use super::tile::{TILE_HEIGHT, TILE_WIDTH};
use crate::args;
use crate::platform::db::{BoxFuture, Db, DbError, Kind, NewEntry, Sealer, Tx, Urgency};
use crate::platform::fault;

/// Entries that get their index in one transaction at most.
const BATCH: i64 = 4_096;

/// The sealer of the audit log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Appender;

impl Sealer for Appender {
    fn seal<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        entries: Vec<NewEntry>,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        Box::pin(async move {
            match tx.kind() {
                Kind::Sqlite => insert_indexed(tx, entries).await,
                Kind::Postgres => insert_waiting(tx, entries).await,
            }
        })
    }
}

/// Takes over the numbering of a log; whoever had it before is refused from now on.
///
/// # Errors
///
/// Those of the database.
pub(super) async fn take_lease(db: &Db) -> Result<i64, DbError> {
    db.write(Urgency::Urgent, |tx| {
        Box::pin(async move {
            let row =
                tx.first_locked::<(i64,)>("SELECT epoch FROM audit_head WHERE id = 1", args![]);
            let (epoch,) = row.await?.ok_or_else(damaged)?;
            tx.execute(
                "UPDATE audit_head SET epoch = $1 WHERE id = 1",
                args![epoch + 1],
            )
            .await?;
            Ok(epoch + 1)
        })
    })
    .await
}

/// Gives an index to every committed entry that has none; returns how many.
/// On SQLite there are none.
///
/// # Errors
///
/// [`AuditError::LeaseLost`] when a later holder has taken over; those of the database.
pub(super) async fn sequence(db: &Db, epoch: i64) -> Result<u64, AuditError> {
    let mut total = 0;
    while db.kind() == Kind::Postgres {
        let count = db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(index_waiting(tx, epoch))
            })
            .await?;
        if count > 0 {
            fault::point("log.sequenced");
        }
        total += count;
        if count < BATCH as u64 {
            break;
        }
    }
    Ok(total)
}

#[derive(FromRow)]
struct HeadRow {
    size: i64,
    frontier: String,
    epoch: i64,
}

async fn insert_indexed(tx: &mut Tx<'_>, entries: Vec<NewEntry>) -> Result<(), DbError> {
    let (mut frontier, epoch) = locked_head(tx).await?;
    let before = frontier.size();
    for entry in entries {
        let about = about(&entry)?;
        let index = frontier.push(entry.leaf) as i64;
        tx.execute(
            "INSERT INTO audit_entries (id, idx, leaf, body, about) VALUES ($1, $2, $3, $4, $5)",
            args![entry.id, index, entry.leaf, entry.body, about],
        )
        .await?;
    }
    move_head(tx, before, epoch, &frontier).await
}

async fn insert_waiting(tx: &mut Tx<'_>, entries: Vec<NewEntry>) -> Result<(), DbError> {
    let abouts = entries.iter().map(about).collect::<Result<Vec<_>, _>>()?;
    let (mut ids, mut leaves, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        ids.push(entry.id);
        leaves.push(entry.leaf.to_vec());
        bodies.push(entry.body);
    }
    let conn = tx.postgres().ok_or_else(damaged)?;
    sqlx::query(
        "INSERT INTO audit_entries (id, leaf, body, about)
         SELECT * FROM UNNEST($1::text[], $2::bytea[], $3::bytea[], $4::text[])",
    )
    .bind(ids)
    .bind(leaves)
    .bind(bodies)
    .bind(abouts)
    .execute(conn)
    .await?;
    Ok(())
}

async fn index_waiting(tx: &mut Tx<'_>, epoch: i64) -> Result<u64, AuditError> {
    let (mut frontier, current) = locked_head(tx).await?;
    if current != epoch {
        return Err(AuditError::LeaseLost);
    }
    let waiting = tx
        .all::<(String, Vec<u8>)>(
            "SELECT id, leaf FROM audit_entries WHERE idx IS NULL ORDER BY id LIMIT $1",
            args![BATCH],
        )
        .await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let before = frontier.size();
    let count = waiting.len() as u64;
    let (mut ids, mut indexes) = (Vec::new(), Vec::new());
    for (id, leaf) in waiting {
        indexes.push(frontier.push(to_hash(leaf)?) as i64);
        ids.push(id);
    }
    let conn = tx.postgres().ok_or_else(damaged)?;
    sqlx::query(
        "UPDATE audit_entries SET idx = given.idx
         FROM UNNEST($1::text[], $2::bigint[]) AS given (id, idx)
         WHERE audit_entries.id = given.id",
    )
    .bind(ids)
    .bind(indexes)
    .execute(conn)
    .await
    .map_err(DbError::from)?;
    move_head(tx, before, epoch, &frontier).await?;
    Ok(count)
}

async fn locked_head(tx: &mut Tx<'_>) -> Result<(Frontier, i64), DbError> {
    let sql = "SELECT size, frontier, epoch FROM audit_head WHERE id = 1";
    let row: HeadRow = tx.first_locked(sql, args![]).await?.ok_or_else(damaged)?;
    let bytes = bytes_from_hex(&row.frontier).ok_or_else(damaged)?;
    let frontier = Frontier::from_bytes(row.size as u64, &bytes).map_err(|_| damaged())?;
    Ok((frontier, row.epoch))
}

/// Compare-and-set: the head moves only from where its reader found it.
async fn move_head(
    tx: &mut Tx<'_>,
    before: u64,
    epoch: i64,
    frontier: &Frontier,
) -> Result<(), DbError> {
    complete_tiles(tx, before, frontier.size()).await?;
    let moved = tx
        .execute(
            "UPDATE audit_head SET size = $1, root = $2, frontier = $3
             WHERE id = 1 AND size = $4 AND epoch = $5",
            args![
                frontier.size() as i64,
                Hex(&frontier.root()).to_string(),
                Hex(&frontier.to_bytes()).to_string(),
                before as i64,
                epoch,
            ],
        )
        .await?;
    if moved == 1 {
        Ok(())
    } else {
        Err(DbError::Refused("the audit head has moved".into()))
    }
}

/// Writes every tile that the growth from `before` to `after` filled.
async fn complete_tiles(tx: &mut Tx<'_>, before: u64, after: u64) -> Result<(), DbError> {
    for level in 0..i64::from(TILE_HEIGHT) {
        let shift = 8 * (level as u32 + 1);
        let (first, end) = match (before.checked_shr(shift), after.checked_shr(shift)) {
            (Some(first), Some(end)) if first < end => (first, end),
            _ => break,
        };
        for n in first..end {
            let hashes = below(tx, level, n * TILE_WIDTH, (n + 1) * TILE_WIDTH).await?;
            if hashes.len() as u64 != TILE_WIDTH {
                return Err(damaged());
            }
            tx.execute(
                "INSERT INTO audit_tiles (level, n, root, hashes) VALUES ($1, $2, $3, $4)",
                args![level, n as i64, root_of(&hashes), hashes.concat()],
            )
            .await?;
        }
    }
    Ok(())
}

/// The hashes that a tile of `level` is made of.
async fn below(tx: &mut Tx<'_>, level: i64, from: u64, to: u64) -> Result<Vec<Hash>, DbError> {
    let rows = if level == 0 {
        let sql = "SELECT leaf FROM audit_entries WHERE idx >= $1 AND idx < $2 ORDER BY idx";
        tx.all::<(Vec<u8>,)>(sql, args![from as i64, to as i64])
            .await?
    } else {
        let sql = "SELECT root FROM audit_tiles
                   WHERE level = $1 AND n >= $2 AND n < $3 ORDER BY n";
        tx.all::<(Vec<u8>,)>(sql, args![level - 1, from as i64, to as i64])
            .await?
    };
    rows.into_iter().map(|(hash,)| to_hash(hash)).collect()
}

/// What the entry belongs to. An entry that is not canonical is refused here,
/// whoever made it: nobody could verify the log any more.
fn about(entry: &NewEntry) -> Result<Option<String>, DbError> {
    let outline = Outline::read(&entry.body).map_err(|e| DbError::Refused(e.to_string()))?;
    if outline.id.to_string() != entry.id {
        return Err(DbError::Refused(
            "an entry has another id than its row".into(),
        ));
    }
    Ok(outline.about.map(str::to_owned))
}

fn to_hash(bytes: Vec<u8>) -> Result<Hash, DbError> {
    bytes.try_into().map_err(|_| damaged())
}

fn damaged() -> DbError {
    DbError::Refused("the audit tables are damaged; run `audit verify`".into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audit::reader::Reader;
    use crate::audit::testing::append_many;
    use crate::audit::tile::bundle_entries;
    use crate::audit::{merkle::leaf_hash, tile::Tile};
    use crate::testing::databases;

    fn entry(n: u64) -> NewEntry {
        crate::audit::testing::entry(n).into()
    }

    #[tokio::test]
    async fn head_tiles_and_entries_agree_while_the_log_grows() {
        for test in databases(Arc::new(Appender)).await {
            let (db, reader) = (&test.db, Reader::new(&test.db));
            let epoch = take_lease(db).await.unwrap();
            let mut size = 0;
            for count in [1, 254, 1, 1, 255, 700, 100] {
                append_many(db, count).await;
                sequence(db, epoch).await.unwrap();
                size += count;
                let head = reader.head().await.unwrap();
                assert_eq!(head.size, size, "{}", test.name);
                let mut leaves = Vec::new();
                for tile in Tile::level_of_tree(0, size) {
                    let bundle = reader.bundle(tile).await.unwrap().unwrap();
                    leaves.extend(bundle_entries(&bundle).map(|entry| leaf_hash(entry.unwrap())));
                }
                assert_eq!(root_of(&leaves), head.root, "{} at {size}", test.name);
                assert_eq!(reader.root_at(size).await.unwrap(), head.root);
                let old = size / 2;
                assert_eq!(
                    reader.root_at(old).await.unwrap(),
                    root_of(&leaves[..old as usize])
                );
            }
        }
    }

    #[tokio::test]
    async fn an_entry_of_a_failed_change_leaves_no_trace() {
        for test in databases(Arc::new(Appender)).await {
            let failed = test.db.write(Urgency::Urgent, |tx| {
                Box::pin(async move {
                    tx.append(entry(1));
                    Err::<(), _>(DbError::Refused("no".into()))
                })
            });
            assert!(failed.await.is_err());
            let epoch = take_lease(&test.db).await.unwrap();
            assert_eq!(sequence(&test.db, epoch).await.unwrap(), 0, "{}", test.name);
            assert_eq!(Reader::new(&test.db).head().await.unwrap().size, 0);
        }
    }

    #[tokio::test]
    async fn an_entry_that_is_not_canonical_fails_its_transaction() {
        for test in databases(Arc::new(Appender)).await {
            let mut bad = entry(1);
            bad.body.push(b' ');
            let failed = test.db.write(Urgency::Urgent, |tx| {
                Box::pin(async move {
                    tx.append(bad);
                    Ok::<_, DbError>(())
                })
            });
            assert!(failed.await.is_err(), "{}", test.name);
        }
    }

    #[tokio::test]
    async fn entries_that_commit_late_are_found_and_an_old_lease_is_refused() {
        for test in databases(Arc::new(Appender)).await {
            let db = &test.db;
            let Some(pool) = db.postgres() else { continue };
            let old = take_lease(db).await.unwrap();
            // The entry with the smaller id commits after the other has its index.
            let (early, late) = (entry(1), entry(2));
            let mut slow = pool.begin().await.unwrap();
            let insert = "INSERT INTO audit_entries (id, leaf, body) VALUES ($1, $2, $3)";
            let query = |entry: NewEntry| {
                sqlx::query(insert)
                    .bind(entry.id)
                    .bind(entry.leaf.to_vec())
                    .bind(entry.body)
            };
            query(early).execute(&mut *slow).await.unwrap();
            query(late).execute(pool).await.unwrap();
            assert_eq!(sequence(db, old).await.unwrap(), 1);
            slow.commit().await.unwrap();
            let new = take_lease(db).await.unwrap();
            assert!(matches!(
                sequence(db, old).await,
                Err(AuditError::LeaseLost)
            ));
            assert_eq!(sequence(db, new).await.unwrap(), 1);
            assert_eq!(Reader::new(db).head().await.unwrap().size, 2);
        }
    }
}
