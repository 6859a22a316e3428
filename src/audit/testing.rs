//! What the tests of the log share: a key, entries, and a folder built by hand.

use std::path::Path;

use jiff::Timestamp;

use super::checkpoint::Checkpoint;
use super::entry::{Draft, Entry, Kind, Receipt};
use super::key::LogKey;
use super::merkle::{Hash, leaf_hash, root_of};
use super::note::Note;
use super::tile::{TILE_WIDTH, Tile, push_entry};
use crate::platform::db::{Db, DbError, NewEntry, Urgency};

pub(crate) fn key(seed: u8) -> LogKey {
    LogKey::from_seed("log.example/demo-bank", &[seed; 32]).unwrap()
}

pub(crate) fn draft() -> Draft {
    let kind = Kind::new("test.happened");
    Draft::new(kind, "demo-bank", Timestamp::UNIX_EPOCH).actor("operator-7")
}

pub(crate) fn entry(n: u64) -> Entry {
    draft()
        .about(format!("thing-{}", n % 100))
        .number("n", n)
        .finish()
        .unwrap()
}

/// Appends entries in one transaction.
pub(crate) async fn append(db: &Db, entries: Vec<Entry>) -> Vec<Receipt> {
    let receipts = entries.iter().map(Entry::receipt).collect();
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            entries
                .into_iter()
                .map(NewEntry::from)
                .for_each(|entry| tx.append(entry));
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
    receipts
}

pub(crate) async fn append_many(db: &Db, count: u64) -> Vec<Receipt> {
    append(db, (0..count).map(entry).collect()).await
}

/// A log in memory that can be written as a folder, also a forged one.
pub(crate) struct HandMade {
    pub(crate) bodies: Vec<Vec<u8>>,
}

impl HandMade {
    pub(crate) fn new(count: u64) -> Self {
        Self {
            bodies: (0..count).map(|n| entry(n).body().to_vec()).collect(),
        }
    }

    pub(crate) fn root(&self, size: usize) -> Hash {
        let leaves: Vec<_> = self.bodies[..size]
            .iter()
            .map(|body| leaf_hash(body))
            .collect();
        root_of(&leaves)
    }

    pub(crate) fn checkpoint(&self, size: usize) -> Note {
        Checkpoint::sign(&key(1), size as u64, &self.root(size)).unwrap()
    }

    pub(crate) fn write(&self, folder: &Path) {
        let size = self.bodies.len() as u64;
        let put = |path: String, bytes: &[u8]| {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let mut row: Vec<_> = self.bodies.iter().map(|body| leaf_hash(body)).collect();
        for level in 0..Tile::levels(size) {
            for tile in Tile::level_of_tree(level, size) {
                let start = (tile.index * TILE_WIDTH) as usize;
                let end = start + usize::from(tile.width);
                put(tile.path(), row[start..end].as_flattened());
                if level == 0 {
                    let mut bundle = Vec::new();
                    for body in &self.bodies[start..end] {
                        push_entry(&mut bundle, body).unwrap();
                    }
                    put(tile.entries_path(), &bundle);
                }
            }
            row = row.chunks_exact(TILE_WIDTH as usize).map(root_of).collect();
        }
        put(
            "log.vkey".into(),
            format!("{}\n", key(1).verifier()).as_bytes(),
        );
        put(
            "checkpoint".into(),
            self.checkpoint(size as usize).to_string().as_bytes(),
        );
    }
}
