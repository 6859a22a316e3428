//! What can go wrong with the log as a whole.

use std::io;

use super::entry::EntryError;
use super::note::NoteError;
use super::proof::ProofError;
use super::tile::TileError;
use crate::platform::db::DbError;

/// Why the log could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A sink outside holds a later log than this database: a restored backup.
    #[error(
        "the sink {sink} holds a checkpoint of {theirs} entries, this database only {ours}: \
         it is an older copy, and inquiries of the missing entries could go out again"
    )]
    Ahead {
        /// Name of the sink.
        sink: String,
        /// Entries that the sink knows of.
        theirs: u64,
        /// Entries here.
        ours: u64,
    },
    /// What the tables hold cannot be; `audit verify` names the place.
    #[error("the audit tables are damaged ({0}); run `audit verify`")]
    Damaged(&'static str),
    /// The database's own error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// An entry is none.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A file could not be read or written.
    #[error("a file of the log could not be read or written")]
    Io(#[from] io::Error),
    /// The database was signed by another key.
    #[error("this log is signed by another key than the configured one")]
    Key,
    /// Another process has taken over the numbering of entries.
    #[error("another process numbers the entries of this log now")]
    LeaseLost,
    /// A note or key is refused.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A checkpoint that was given out does not fit the tree.
    #[error("the checkpoint of {size} entries at {place} does not fit this log: history differs")]
    Rewritten {
        /// Where the checkpoint is: a sink, or this database.
        place: String,
        /// Its size.
        size: u64,
    },
    /// Nothing has been signed yet.
    #[error("the log has no signed checkpoint yet")]
    Unsigned,
    /// A sink could not be reached, or holds something else.
    #[error("the sink {sink} failed")]
    Sink {
        /// Name of the sink.
        sink: String,
        /// Why.
        #[source]
        source: Box<AuditError>,
    },
}

impl From<ProofError> for AuditError {
    fn from(_: ProofError) -> Self {
        Self::Damaged("head")
    }
}

impl From<TileError> for AuditError {
    fn from(_: TileError) -> Self {
        Self::Damaged("tiles")
    }
}
