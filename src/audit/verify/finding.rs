//! What can be wrong with a log, each with its place.

use std::fmt;

use crate::audit::entry::EntryError;

/// One thing that is wrong. The order is that of a report: worst first.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Finding {
    /// A checkpoint is malformed, or not signed by the key.
    BadCheckpoint {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The tree differs from what a checkpoint says of it: history was rewritten.
    Rewritten {
        /// Entries of the smallest checkpoint that is not contained.
        size: u64,
        /// Where that checkpoint is.
        place: String,
    },
    /// A checkpoint covers more entries than there are: the tail was cut, or an
    /// older copy was put back.
    CutTail {
        /// Entries that are there.
        present: u64,
        /// Entries that there should be.
        promised: u64,
        /// Where the checkpoint is.
        place: String,
    },
    /// An entry was changed.
    AlteredEntry {
        /// Its index.
        index: u64,
    },
    /// Entries are not there.
    MissingEntries {
        /// Index of the first.
        first: u64,
        /// Index of the last.
        last: u64,
    },
    /// A bundle of entries cannot be taken apart.
    AlteredBundle {
        /// Its path.
        path: String,
    },
    /// A tile was changed.
    AlteredTile {
        /// Its path.
        path: String,
    },
    /// A tile is not there, or has another length.
    MissingTile {
        /// Its path.
        path: String,
    },
    /// The head in the database does not fit its entries.
    AlteredHead,
    /// A column beside an entry does not say what the entry says.
    AlteredColumn {
        /// Index of the entry.
        index: u64,
        /// Name of the column.
        column: &'static str,
    },
    /// A sealed payload is not the one that an entry binds.
    AlteredPayload {
        /// Where it lies.
        place: String,
        /// Index of the entry.
        index: u64,
    },
    /// A sealed payload that an entry binds is gone, and was not erased.
    MissingPayload {
        /// Where it should lie.
        place: String,
        /// Index of the entry.
        index: u64,
    },
    /// Two entries have one id.
    DuplicateId {
        /// The id.
        id: String,
    },
    /// An entry is not canonical.
    NotCanonical {
        /// Its index.
        index: u64,
        /// What is wrong with it.
        cause: EntryError,
    },
}

impl Finding {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlteredBundle { .. } => "altered_bundle",
            Self::AlteredColumn { .. } => "altered_column",
            Self::AlteredEntry { .. } => "altered_entry",
            Self::AlteredHead => "altered_head",
            Self::AlteredPayload { .. } => "altered_payload",
            Self::AlteredTile { .. } => "altered_tile",
            Self::BadCheckpoint { .. } => "bad_checkpoint",
            Self::CutTail { .. } => "cut_tail",
            Self::DuplicateId { .. } => "duplicate_id",
            Self::MissingEntries { .. } => "missing_entries",
            Self::MissingPayload { .. } => "missing_payload",
            Self::MissingTile { .. } => "missing_tile",
            Self::NotCanonical { .. } => "not_canonical",
            Self::Rewritten { .. } => "rewritten",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlteredBundle { path } => write!(f, "the entry bundle {path} was changed"),
            Self::AlteredColumn { index, column } => {
                write!(
                    f,
                    "the column {column} of entry {index} does not say what the entry says"
                )
            }
            Self::AlteredEntry { index } => write!(f, "entry {index} was changed"),
            Self::AlteredHead => write!(f, "the head of the log does not fit its entries"),
            Self::AlteredPayload { place, index } => {
                write!(
                    f,
                    "the sealed payload at {place}, bound by entry {index}, was changed"
                )
            }
            Self::AlteredTile { path } => write!(f, "the tile {path} was changed"),
            Self::BadCheckpoint { place, cause } => write!(f, "bad checkpoint at {place}: {cause}"),
            Self::CutTail {
                present,
                promised,
                place,
            } => write!(
                f,
                "the tail was cut: the checkpoint at {place} covers {promised} entries, \
                 {present} are here"
            ),
            Self::DuplicateId { id } => write!(f, "two entries have the id {id}"),
            Self::MissingEntries { first, last } if first == last => {
                write!(f, "entry {first} is missing")
            }
            Self::MissingEntries { first, last } => {
                write!(f, "entries {first} to {last} are missing")
            }
            Self::MissingPayload { place, index } => {
                write!(
                    f,
                    "the sealed payload at {place}, bound by entry {index}, is missing"
                )
            }
            Self::MissingTile { path } => write!(f, "the tile {path} is missing"),
            Self::NotCanonical { index, cause } => write!(f, "entry {index}: {cause}"),
            Self::Rewritten { size, place } => write!(
                f,
                "history was rewritten: the checkpoint of {size} entries at {place} is not \
                 contained in this log"
            ),
        }
    }
}
