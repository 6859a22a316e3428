//! The audit trail: an append-only Merkle log of who asked what, and why.
//!
//! # Promise
//!
//! An entry is durable before the act it describes begins, and every index is
//! used once. A reader who holds two checkpoints can prove that the later log
//! contains the earlier one; `docs/AUDIT.md` tells how, with their own tools.
//!
//! # What is not here
//!
//! Entries hold a keyed digest of the subject, never a name or an identity
//! number, so that erasing a person's data leaves every proof intact.
//!
//! # Failure
//!
//! If an append fails the act must not start. Nothing in this module retries.

pub mod appender;
pub mod batch;
pub mod checkpoint;
pub mod entry;
pub mod error;
pub mod evidence;
pub mod export;
pub mod hex;
pub mod json;
pub mod key;
pub mod log;
pub mod merkle;
pub mod note;
pub mod outline;
pub mod proof;
pub mod reader;
pub mod sink;
pub mod subject;
#[cfg(test)]
mod testing;
pub mod tile;
pub mod verify;

pub use appender::Appender;
pub use batch::{Batch, BatchRoot, Commitment};
pub use entry::{Draft, Entry, Kind, Receipt};
pub use error::AuditError;
pub use evidence::{Disclosure, Evidence, RowProof, verify_bundle};
pub use export::export;
pub use log::{Log, Proven};
pub use outline::Place;
pub use reader::Reader;
pub use sink::{FolderSink, Sink, check_sinks};
pub use subject::SubjectTag;
pub use verify::{Report, verify_database, verify_folder};
