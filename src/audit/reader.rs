//! Reads the log from the database: head, tiles, bundles, proofs.
//!
//! Everything below the head is immutable, so reads need no transaction.

use std::convert::Infallible;

use super::checkpoint::Checkpoint;
use super::error::AuditError;
use super::hex::hash_from_hex;
use super::merkle::Hash;
use super::note::Note;
use super::proof::{consistency_proof, inclusion_proof, tree_root};
use super::tile::{Resource, TILE_WIDTH, Tile, TileSet, Wanted, push_entry, tiles_needed};
use crate::args;
use crate::platform::db::Db;

/// A view of the log in a database.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    db: &'a Db,
}

/// Size and root of the committed tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    /// Entries that have an index.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The frontier, hexadecimal, as an append reads it.
    pub(super) frontier: String,
    /// The public key of the log, once it has signed.
    pub vkey: Option<String>,
}

/// One stored entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredEntry {
    /// Its place in the tree; none while it waits for one.
    pub index: Option<u64>,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its canonical bytes.
    pub body: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// Of this database.
    #[must_use]
    pub fn new(db: &'a Db) -> Self {
        Self { db }
    }

    /// The committed head.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn head(&self) -> Result<Head, AuditError> {
        let sql = "SELECT size, root, frontier, vkey FROM audit_head WHERE id = 1";
        let row = self
            .db
            .first::<(i64, String, String, Option<String>)>(sql, args![])
            .await?;
        let (size, root, frontier, vkey) = row.ok_or(AuditError::Damaged("head"))?;
        let root = hash_from_hex(&root).ok_or(AuditError::Damaged("head"))?;
        let size = u64::try_from(size).map_err(|_| AuditError::Damaged("head"))?;
        Ok(Head {
            size,
            root,
            frontier,
            vkey,
        })
    }

    /// The hashes of a tile, or `None` when they are not all there.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn tile(&self, tile: Tile) -> Result<Option<Vec<Hash>>, AuditError> {
        let level = i64::from(tile.level);
        let from = (tile.index * TILE_WIDTH) as i64;
        let to = from + i64::from(tile.width);
        let hashes = if !tile.is_partial() {
            let sql = "SELECT hashes FROM audit_tiles WHERE level = $1 AND n = $2";
            let row = self
                .db
                .first::<(Vec<u8>,)>(sql, args![level, tile.index as i64])
                .await?;
            row.map_or_else(Vec::new, |(hashes,)| hashes)
        } else if tile.level == 0 {
            let sql = "SELECT leaf FROM audit_entries WHERE idx >= $1 AND idx < $2 ORDER BY idx";
            concat(self.db.all(sql, args![from, to]).await?)
        } else {
            let sql = "SELECT root FROM audit_tiles
                       WHERE level = $1 AND n >= $2 AND n < $3 ORDER BY n";
            concat(self.db.all(sql, args![level - 1, from, to]).await?)
        };
        Ok(super::tile::tile_hashes(&hashes, tile.width)
            .ok()
            .map(<[Hash]>::to_vec))
    }

    /// The bundle of entries under a tile of level 0, or `None` when they are not all there.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn bundle(&self, tile: Tile) -> Result<Option<Vec<u8>>, AuditError> {
        let from = (tile.index * TILE_WIDTH) as i64;
        let to = from + i64::from(tile.width);
        let sql = "SELECT body FROM audit_entries WHERE idx >= $1 AND idx < $2 ORDER BY idx";
        let rows = self.db.all::<(Vec<u8>,)>(sql, args![from, to]).await?;
        if rows.len() != usize::from(tile.width) {
            return Ok(None);
        }
        let mut bundle = Vec::new();
        for (body,) in rows {
            push_entry(&mut bundle, &body)?;
        }
        Ok(Some(bundle))
    }

    /// What a path of the tlog-tiles tree holds, or `None` when there is no such thing.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, AuditError> {
        match resource {
            Resource::Checkpoint => Ok(self
                .last_checkpoint()
                .await?
                .map(|(_, note)| note.to_string().into_bytes())),
            Resource::Entries(tile) => self.bundle(tile).await,
            Resource::Hashes(tile) => Ok(self.tile(tile).await?.map(|hashes| hashes.concat())),
        }
    }

    /// The newest signed checkpoint and its size.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Note`] when it is malformed.
    pub async fn last_checkpoint(&self) -> Result<Option<(Checkpoint, Note)>, AuditError> {
        let sql = "SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1";
        let Some((note,)) = self.db.first::<(String,)>(sql, args![]).await? else {
            return Ok(None);
        };
        let note: Note = note.parse()?;
        Ok(Some((Checkpoint::unverified(&note)?, note)))
    }

    /// Every signed checkpoint with its size, smallest first, as text.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn all_checkpoints(&self) -> Result<Vec<(u64, String)>, AuditError> {
        let sql = "SELECT size, note FROM audit_checkpoints ORDER BY size";
        let rows = self.db.all::<(i64, String)>(sql, args![]).await?;
        Ok(rows
            .into_iter()
            .map(|(size, note)| (size as u64, note))
            .collect())
    }

    /// The entry of this id.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn entry(&self, id: &str) -> Result<Option<StoredEntry>, AuditError> {
        let sql = "SELECT idx, leaf, body FROM audit_entries WHERE id = $1";
        self.db.first(sql, args![id]).await?.map(stored).transpose()
    }

    /// The entries whose `ref` is `about`, in the order of the log; those
    /// without an index come last.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn entries_about(&self, about: &str) -> Result<Vec<StoredEntry>, AuditError> {
        let sql = "SELECT idx, leaf, body FROM audit_entries WHERE about = $1
                   ORDER BY CASE WHEN idx IS NULL THEN 1 ELSE 0 END, idx, id";
        self.db
            .all(sql, args![about])
            .await?
            .into_iter()
            .map(stored)
            .collect()
    }

    /// The audit path of `index` in the tree of `size`.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, AuditError> {
        let tiles = self
            .tiles(size, |wanted| inclusion_proof(wanted, index, size))
            .await?;
        Ok(inclusion_proof(&tiles, index, size)?)
    }

    /// The proof that the tree of `new` contains that of `old`.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, AuditError> {
        let tiles = self
            .tiles(new, |wanted| consistency_proof(wanted, old, new))
            .await?;
        Ok(consistency_proof(&tiles, old, new)?)
    }

    /// The root of the tree as it was at `size`.
    ///
    /// # Errors
    ///
    /// Those of the database; [`AuditError::Damaged`].
    pub async fn root_at(&self, size: u64) -> Result<Hash, AuditError> {
        let tiles = self.tiles(size, |wanted| tree_root(wanted, size)).await?;
        Ok(tree_root(&tiles, size)?)
    }

    async fn tiles<T>(
        &self,
        size: u64,
        make: impl FnOnce(&Wanted) -> Result<T, Infallible>,
    ) -> Result<TileSet, AuditError> {
        let mut set = TileSet::new(size);
        for tile in tiles_needed(size, make) {
            let hashes = self.tile(tile).await?.ok_or(AuditError::Damaged("tiles"))?;
            set.insert(tile, hashes)?;
        }
        Ok(set)
    }
}

fn concat(rows: Vec<(Vec<u8>,)>) -> Vec<u8> {
    rows.into_iter().flat_map(|(hash,)| hash).collect()
}

fn stored(row: (Option<i64>, Vec<u8>, Vec<u8>)) -> Result<StoredEntry, AuditError> {
    let (index, leaf, body) = row;
    let leaf = leaf
        .try_into()
        .map_err(|_| AuditError::Damaged("entries"))?;
    Ok(StoredEntry {
        index: index.map(|index| index as u64),
        leaf,
        body,
    })
}
