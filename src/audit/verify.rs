//! Verifies a whole log, in a folder or in a database, and names what is wrong.
//!
//! # Promise
//!
//! Every entry is hashed again, every tile compared, every root recomputed,
//! every signature checked. What differs is named: the entry, the tile, the
//! checkpoint, the row. Nothing of the log is trusted but the key that the
//! verifier brings, and the older checkpoints that they kept.
//!
//! # What is not here
//!
//! Without a key of the verifier's own the log vouches for itself only
//! ([`Trust::SelfConsistent`]): whoever can rewrite it can sign it anew. Without
//! an older checkpoint a log rewritten by the holder of its key looks whole.
//!
//! # Failure
//!
//! An error means that the log could not be read, not that it is wrong; what is
//! wrong is a [`Finding`], and all of them are reported.

mod anchors;
mod database;
mod extent;
mod finding;
mod folder;
mod judge;
mod scan;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::checkpoint::Checkpoint;
use super::error::AuditError;
use super::key::VerifierKey;
use super::merkle::Hash;
use super::note::Note;
use super::outline::Place;
use super::tile::Tile;
use crate::platform::db::{BoxFuture, Db};

use anchors::{Anchor, Anchors};
use scan::{Scan, Slots};

pub use finding::Finding;

/// What the verifier brings along.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The public key that must have signed; else the log's own is taken.
    pub vkey: Option<VerifierKey>,
    /// Older checkpoints that the log must contain, each with where it is from.
    pub since: Vec<(String, Note)>,
    /// Counts the entries checked so far, for who shows progress.
    pub progress: Arc<AtomicU64>,
}

/// How much a good report says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// Signed by the key that the verifier brought.
    Key(String),
    /// Signed by the key that lies beside the log.
    SelfConsistent,
}

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Name of the log, as its checkpoint says.
    pub origin: String,
    /// Entries checked.
    pub size: u64,
    /// Entries that the newest checkpoint covers.
    pub signed: u64,
    /// The root that the entries have.
    pub root: Hash,
    /// Whose signature was believed.
    pub trust: Trust,
    /// Sizes of the older checkpoints that were proven to be contained.
    pub since: Vec<u64>,
    /// Everything that is wrong, worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Looks up sealed payloads that entries bind.
pub trait Payloads: Send + Sync {
    /// What lies at `place` now.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn look<'p>(&'p self, place: &'p Place) -> BoxFuture<'p, Result<Payload, AuditError>>;
}

/// What became of a sealed payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Payload {
    /// Destroyed on purpose: erasure or the end of retention.
    Erased,
    /// Not there, and nobody says why.
    Missing,
    /// Its ciphertext has this SHA-256.
    Present(Hash),
}

/// Verifies a tlog-tiles folder: `checkpoint`, `tile/…`, `log.vkey`, and, where
/// they are, older checkpoints in `checkpoints/`.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn verify_folder(folder: &Path, options: &Options) -> Result<Report, AuditError> {
    folder::verify(folder, options)
}

/// Verifies the log in a database: also head, columns, every checkpoint that
/// was signed, and with `payloads` the digests of sealed payloads.
///
/// # Errors
///
/// When the database cannot be read.
pub async fn verify_database(
    db: &Db,
    options: &Options,
    payloads: Option<&dyn Payloads>,
) -> Result<Report, AuditError> {
    database::verify(db, options, payloads).await
}

/// Where entries and tiles are read from, by several threads.
trait Source: Sync {
    /// Reads the entries under a tile of level 0.
    fn entries(&self, tile: Tile, slots: &mut Slots) -> Result<(), AuditError>;

    /// Reads the hashes of a tile; `None` when it is not there or has another length.
    fn hashes(&self, tile: Tile) -> Result<Option<Vec<Hash>>, AuditError>;
}

/// What both kinds of log have in common: scan, judge, compare with every anchor.
struct Verification {
    scan: Scan,
    findings: BTreeSet<Finding>,
    /// Indexes of changed entries.
    altered: BTreeSet<u64>,
    root: Hash,
    since: Vec<u64>,
}

/// Checks the first `size` entries of a source against all anchors.
fn verify_tree<S: Source>(
    source: &S,
    size: u64,
    anchors: &Anchors,
    progress: &AtomicU64,
) -> Result<Verification, AuditError> {
    let mut sizes = anchors.sizes();
    sizes.push(size);
    sizes.sort_unstable();
    let mut scan = scan::scan(source, size, &sizes, progress)?;
    let judged = judge::judge(source, &scan, &anchors.roots_at(size))?;
    let mut findings = judged.findings;
    let not_canonical = std::mem::take(&mut scan.not_canonical).into_iter();
    let own = not_canonical.map(|(index, cause)| Finding::NotCanonical { index, cause });
    let own: Vec<_> = own.chain(std::mem::take(&mut scan.findings)).collect();
    // Of an entry that was changed, nothing more needs to be said.
    findings.extend(own.into_iter().filter(|finding| match finding {
        Finding::NotCanonical { index, .. } | Finding::AlteredColumn { index, .. } => {
            !judged.altered.contains(index)
        }
        _ => true,
    }));
    let (mut wrong, since) = anchors.compare(size, |at| judged.tree.root_at(at));
    // What is missing makes every root differ; that is no second finding.
    wrong.retain(|finding| !scan.hole || matches!(finding, Finding::CutTail { .. }));
    findings.extend(wrong);
    let (root, altered) = (judged.tree.root_at(size), judged.altered);
    Ok(Verification {
        scan,
        findings,
        altered,
        root,
        since,
    })
}

/// The anchor that a signed note is; or the finding that it is none.
fn anchor(place: &str, note: &Note, key: &VerifierKey) -> Result<Anchor, Finding> {
    let checkpoint = Checkpoint::open(note, key).map_err(|cause| Finding::BadCheckpoint {
        place: place.to_owned(),
        cause: cause.to_string(),
    })?;
    Ok(Anchor::signed(place, &checkpoint))
}
