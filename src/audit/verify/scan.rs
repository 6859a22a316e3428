//! The bottom of a verification: every entry hashed again, a tile at a time, in
//! parallel. Memory grows by about 16 bytes an entry, for the ids.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Finding, Source};
use crate::audit::entry::EntryError;
use crate::audit::error::AuditError;
use crate::audit::merkle::{Hash, leaf_hash, root_of};
use crate::audit::outline::{Outline, Place};
use crate::audit::tile::{TILE_WIDTH, Tile};

/// The entries of one bundle, as a source has read them. Reused between bundles.
#[derive(Debug, Default)]
pub(super) struct Slots {
    pub(super) bytes: Vec<u8>,
    /// Where each entry lies in `bytes`; none where it is missing.
    pub(super) entries: Vec<Option<Range<usize>>>,
    /// What a database keeps beside each entry.
    pub(super) columns: Vec<Option<Columns>>,
    /// The bundle's path, when it cannot be taken apart.
    pub(super) broken: Option<String>,
}

/// Columns beside an entry.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) id: String,
    pub(super) leaf: Vec<u8>,
    pub(super) about: Option<String>,
}

impl Slots {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.columns.clear();
        self.broken = None;
    }
}

/// A sealed payload that an entry binds.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) index: u64,
    pub(super) place: Place,
    pub(super) digest: Hash,
}

/// A tile whose stored hashes are not those that its entries have.
#[derive(Debug)]
pub(super) struct Differing {
    pub(super) stored: Option<Vec<Hash>>,
    pub(super) computed: Vec<Hash>,
}

/// What the entries say.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) size: u64,
    /// Roots over full tiles of level 0, by index: the hashes of level 1.
    pub(super) roots: Vec<Hash>,
    /// Leaf hashes of the last tile, when it is partial.
    pub(super) edge: Vec<Hash>,
    /// For each wanted size, the root over its leaves in its last partial tile.
    pub(super) partial_roots: BTreeMap<u64, Hash>,
    /// Tiles of level 0 that differ.
    pub(super) differing: BTreeMap<u64, Differing>,
    pub(super) not_canonical: Vec<(u64, EntryError)>,
    pub(super) bindings: Vec<Binding>,
    pub(super) findings: Vec<Finding>,
    /// Whether an entry and its stored hash are both missing: roots cannot be known then.
    pub(super) hole: bool,
    ids: Vec<u128>,
    missing: Vec<u64>,
}

/// Hashes the first `size` entries of a source; `wanted` sizes are ascending.
pub(super) fn scan<S: Source>(
    source: &S,
    size: u64,
    wanted: &[u64],
    progress: &AtomicU64,
) -> Result<Scan, AuditError> {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(16);
    let next = AtomicU64::new(0);
    let work = || -> Result<(Scan, Vec<(u64, Hash)>), AuditError> {
        let (mut part, mut roots, mut slots) = (Scan::default(), Vec::new(), Slots::default());
        while let Some(tile) = Tile::of_tree(0, next.fetch_add(1, Ordering::Relaxed), size) {
            if let Some(root) = part.tile(source, tile, wanted, &mut slots)? {
                roots.push((tile.index, root));
            }
            progress.fetch_add(u64::from(tile.width), Ordering::Relaxed);
        }
        Ok((part, roots))
    };
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect::<Result<Vec<_>, _>>()
    })?;
    let mut whole = Scan {
        size,
        ..Scan::default()
    };
    let mut roots = Vec::new();
    for (part, mut part_roots) in parts {
        roots.append(&mut part_roots);
        whole.absorb(part);
    }
    roots.sort_unstable_by_key(|(index, _)| *index);
    whole.roots = roots.into_iter().map(|(_, root)| root).collect();
    whole.finish();
    Ok(whole)
}

impl Scan {
    /// Checks one tile of level 0; returns the root over it when it is full.
    fn tile<S: Source>(
        &mut self,
        source: &S,
        tile: Tile,
        wanted: &[u64],
        slots: &mut Slots,
    ) -> Result<Option<Hash>, AuditError> {
        slots.clear();
        source.entries(tile, slots)?;
        let stored = source.hashes(tile)?;
        let start = tile.index * TILE_WIDTH;
        let width = usize::from(tile.width);
        let mut computed = Vec::with_capacity(width);
        for slot in 0..width {
            let index = start + slot as u64;
            let entry = slots.entries.get(slot).cloned().flatten();
            let known = stored.as_ref().map(|hashes| hashes[slot]);
            let Some(range) = entry else {
                // A missing entry is named as such; its stored hash stands in for it.
                computed.push(known.unwrap_or_default());
                self.hole |= known.is_none();
                if slots.broken.is_none() {
                    self.missing.push(index);
                }
                continue;
            };
            let body = &slots.bytes[range];
            let leaf = leaf_hash(body);
            computed.push(leaf);
            let columns = slots.columns.get(slot).and_then(Option::as_ref);
            self.entry(index, body, columns, [Some(leaf), known]);
        }
        if let Some(path) = slots.broken.take() {
            self.findings.push(Finding::AlteredBundle { path });
        }
        let first = wanted.partition_point(|size| *size <= start);
        for size in wanted[first..]
            .iter()
            .take_while(|size| **size <= start + width as u64)
        {
            self.partial_roots
                .insert(*size, root_of(&computed[..(size - start) as usize]));
        }
        let root = (!tile.is_partial()).then(|| root_of(&computed));
        if tile.is_partial() {
            self.edge.clone_from(&computed);
        }
        if stored.as_ref() != Some(&computed) {
            self.differing
                .insert(tile.index, Differing { stored, computed });
        }
        Ok(root)
    }

    /// `leaves` are the hashes that the entry has and should have.
    fn entry(
        &mut self,
        index: u64,
        body: &[u8],
        columns: Option<&Columns>,
        leaves: [Option<Hash>; 2],
    ) {
        let outline = match Outline::read(body) {
            Ok(outline) => outline,
            Err(cause) => return self.not_canonical.push((index, cause)),
        };
        self.ids.push(outline.id.as_u128());
        match outline.bindings() {
            Ok(bound) => self
                .bindings
                .extend(bound.into_iter().map(|(place, digest)| Binding {
                    index,
                    place,
                    digest,
                })),
            Err(cause) => self.not_canonical.push((index, cause)),
        }
        if let Some(columns) = columns {
            let wrong = [
                ("about", columns.about.as_deref() != outline.about),
                ("id", columns.id.parse() != Ok(outline.id)),
                (
                    "leaf",
                    leaves.iter().flatten().all(|leaf| columns.leaf != *leaf),
                ),
            ];
            let wrong = wrong.into_iter().filter(|(_, wrong)| *wrong);
            let wrong = wrong.map(|(column, _)| Finding::AlteredColumn { index, column });
            self.findings.extend(wrong);
        }
    }

    fn absorb(&mut self, mut part: Self) {
        self.partial_roots.append(&mut part.partial_roots);
        self.differing.append(&mut part.differing);
        self.not_canonical.append(&mut part.not_canonical);
        self.bindings.append(&mut part.bindings);
        self.findings.append(&mut part.findings);
        self.ids.append(&mut part.ids);
        self.missing.append(&mut part.missing);
        self.hole |= part.hole;
        if !part.edge.is_empty() {
            self.edge = part.edge;
        }
    }

    /// What can be said only of all entries together.
    fn finish(&mut self) {
        let mut ids = std::mem::take(&mut self.ids);
        ids.sort_unstable();
        let twice = ids.windows(2).filter(|pair| pair[0] == pair[1]);
        let twice = twice.map(|pair| uuid::Uuid::from_u128(pair[0]).to_string());
        self.findings
            .extend(twice.map(|id| Finding::DuplicateId { id }));
        self.bindings.sort_unstable_by_key(|binding| binding.index);
        self.missing.sort_unstable();
        for run in self.missing.chunk_by(|a, b| a + 1 == *b) {
            if let (Some(first), Some(last)) = (run.first(), run.last()) {
                self.findings.push(Finding::MissingEntries {
                    first: *first,
                    last: *last,
                });
            }
        }
    }
}
