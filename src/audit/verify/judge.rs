//! Decides who is right where entries, tiles and root disagree.
//!
//! A hash is right when a chain of hashes leads from it to a root that is known
//! from elsewhere. At the right edge several partial tiles lead there together;
//! of each, the stored one or the recomputed one may be the right one, and at
//! most one choice can give the root.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::{Differing, Scan};
use super::{Finding, Source};
use crate::audit::error::AuditError;
use crate::audit::merkle::{Hash, empty_root, root_of};
use crate::audit::tile::{TILE_HEIGHT, TILE_WIDTH, Tile};

/// The verdict on a tree.
pub(super) struct Judged {
    pub(super) findings: BTreeSet<Finding>,
    /// Indexes of changed entries.
    pub(super) altered: BTreeSet<u64>,
    pub(super) tree: Tree,
}

/// The tree as it was before anybody changed it, as far as that can be known.
pub(super) struct Tree {
    /// Hashes by tile level; those of level 0 only where they were repaired.
    levels: Vec<Vec<Hash>>,
    repaired: BTreeMap<u64, Vec<Hash>>,
    partial_roots: BTreeMap<u64, Hash>,
}

/// Compares stored tiles with what the entries give, under the known `roots`.
pub(super) fn judge<S: Source>(
    source: &S,
    scan: &Scan,
    roots: &[Hash],
) -> Result<Judged, AuditError> {
    let computed = levels(scan);
    let mut differing = BTreeMap::new();
    for (index, tile) in &scan.differing {
        if let Some(at) = Tile::of_tree(0, *index, scan.size) {
            let (stored, computed) = (tile.stored.clone(), tile.computed.clone());
            differing.insert(at, Differing { stored, computed });
        }
    }
    for level in 1..Tile::levels(scan.size) {
        for at in Tile::level_of_tree(level, scan.size) {
            let stored = source.hashes(at)?;
            let computed = slice(&computed[usize::from(level)], at);
            if stored.as_deref() != Some(computed) {
                differing.insert(
                    at,
                    Differing {
                        stored,
                        computed: computed.to_vec(),
                    },
                );
            }
        }
    }
    let tree = Tree {
        levels: computed,
        repaired: BTreeMap::new(),
        partial_roots: scan.partial_roots.clone(),
    };
    let mut judge = Judge {
        differing,
        visited: BTreeSet::new(),
        findings: BTreeSet::new(),
        tree,
    };
    judge.right_edge(scan, roots);
    judge.what_remains();
    let altered = judge.findings.iter().filter_map(|finding| match finding {
        Finding::AlteredEntry { index } => Some(*index),
        _ => None,
    });
    Ok(Judged {
        altered: altered.collect(),
        findings: judge.findings,
        tree: judge.tree,
    })
}

struct Judge {
    differing: BTreeMap<Tile, Differing>,
    visited: BTreeSet<Tile>,
    findings: BTreeSet<Finding>,
    tree: Tree,
}

impl Judge {
    /// Finds the choice of partial tiles that gives a known root, and goes down from it.
    fn right_edge(&mut self, scan: &Scan, roots: &[Hash]) {
        let edges: Vec<Edge> = (0..Tile::levels(scan.size))
            .map(|l| self.edge(scan, l))
            .collect();
        let open: Vec<usize> = (0..edges.len())
            .filter(|level| edges[*level].stored != edges[*level].computed)
            .collect();
        // Without a choice that fits, what was stored counts as the older testimony.
        let mut stored = u32::MAX;
        for choice in 0..1_u32 << open.len() {
            let stored_at = |level: usize| {
                open.iter()
                    .position(|l| *l == level)
                    .is_some_and(|bit| choice >> bit & 1 == 1)
            };
            let root = edge_root(edges.iter().enumerate().map(|(level, edge)| {
                if stored_at(level) {
                    edge.stored.as_slice()
                } else {
                    &edge.computed
                }
            }));
            if roots.contains(&root) {
                stored = choice;
                break;
            }
        }
        for (bit, level) in open.into_iter().enumerate() {
            let edge = &edges[level];
            let Some(at) = edge.at else { continue };
            self.visited.insert(at);
            let stored_is_right = stored >> bit & 1 == 1 && !edge.stored.is_empty();
            if stored_is_right {
                self.descend(at, &edge.stored, &edge.computed);
            } else {
                self.tile_is_wrong(at, edge.stored.is_empty());
            }
        }
    }

    fn edge(&self, scan: &Scan, level: u8) -> Edge {
        let last = scan
            .size
            .checked_shr(8 * (u32::from(level) + 1))
            .unwrap_or(0);
        let at = Tile::of_tree(level, last, scan.size);
        let computed = match at {
            None => Vec::new(),
            Some(_) if level == 0 => scan.edge.clone(),
            Some(at) => slice(&self.tree.levels[usize::from(level)], at).to_vec(),
        };
        let differing = at.and_then(|at| self.differing.get(&at));
        let stored = match differing {
            Some(differing) => differing.stored.clone().unwrap_or_default(),
            None => computed.clone(),
        };
        Edge {
            at,
            stored,
            computed,
        }
    }

    /// `right` are the hashes that `at` should have, `computed` those that the entries give.
    fn descend(&mut self, at: Tile, right: &[Hash], computed: &[Hash]) {
        self.tree.repair(at, right);
        let first = at.index * TILE_WIDTH;
        for (slot, expected) in right.iter().enumerate() {
            if computed.get(slot) == Some(expected) {
                continue;
            }
            let index = first + slot as u64;
            if at.level == 0 {
                self.findings.insert(Finding::AlteredEntry { index });
                continue;
            }
            let below = Tile {
                level: at.level - 1,
                index,
                width: TILE_WIDTH as u16,
            };
            self.below(below, expected);
        }
    }

    /// The entries under a full tile do not give the hash that it should have.
    fn below(&mut self, at: Tile, expected: &Hash) {
        self.visited.insert(at);
        let Some(Differing { stored, computed }) = self.differing.get(&at) else {
            // Tile and entries agree, but on something else: changed together.
            self.tile_is_wrong(at, false);
            return;
        };
        let (stored, computed) = (stored.clone(), computed.clone());
        match stored {
            Some(stored) => {
                if root_of(&stored) != *expected {
                    self.tile_is_wrong(at, false);
                }
                self.descend(at, &stored, &computed);
            }
            None => self.tile_is_wrong(at, true),
        }
    }

    /// Tiles that nothing above calls wrong: the entries give the right hash, the tile does not.
    fn what_remains(&mut self) {
        let remaining: Vec<_> = self
            .differing
            .iter()
            .filter(|(at, _)| !self.visited.contains(at))
            .map(|(at, differing)| (*at, differing.stored.is_none()))
            .collect();
        for (at, missing) in remaining {
            self.tile_is_wrong(at, missing);
        }
    }

    fn tile_is_wrong(&mut self, at: Tile, missing: bool) {
        let path = at.path();
        self.findings.insert(if missing {
            Finding::MissingTile { path }
        } else {
            Finding::AlteredTile { path }
        });
    }
}

struct Edge {
    /// The partial tile, where the level has one.
    at: Option<Tile>,
    stored: Vec<Hash>,
    computed: Vec<Hash>,
}

impl Tree {
    /// The root of the first `size` entries; `size` is one that the scan was asked for,
    /// or a multiple of 256.
    pub(super) fn root_at(&self, size: u64) -> Hash {
        let width = (size % TILE_WIDTH) as usize;
        let repaired = self.repaired.get(&(size / TILE_WIDTH));
        let leaves = match repaired {
            Some(leaves) if width > 0 => Some(root_of(&leaves[..width])),
            _ => self.partial_roots.get(&size).copied(),
        };
        let mut edge = leaves.filter(|_| width > 0);
        for level in 1..=TILE_HEIGHT {
            let count = size.checked_shr(8 * u32::from(level)).unwrap_or(0) as usize;
            let row = self
                .levels
                .get(usize::from(level))
                .map_or(&[][..], Vec::as_slice);
            let start = count - count % TILE_WIDTH as usize;
            let mut part = row[start..count].to_vec();
            part.extend(edge);
            edge = (!part.is_empty()).then(|| root_of(&part));
        }
        edge.unwrap_or_else(empty_root)
    }

    fn repair(&mut self, at: Tile, right: &[Hash]) {
        if at.level == 0 {
            self.repaired.insert(at.index, right.to_vec());
        } else if let Some(row) = self.levels.get_mut(usize::from(at.level)) {
            let start = (at.index * TILE_WIDTH) as usize;
            row[start..start + right.len()].copy_from_slice(right);
        }
    }
}

/// The hashes of every tile level that the entries give; level 0 is left out.
fn levels(scan: &Scan) -> Vec<Vec<Hash>> {
    let mut levels = vec![Vec::new(), scan.roots.clone()];
    while let Some(last) = levels
        .last()
        .filter(|last| last.len() >= TILE_WIDTH as usize)
    {
        levels.push(
            last.chunks_exact(TILE_WIDTH as usize)
                .map(root_of)
                .collect(),
        );
    }
    levels
}

fn slice(row: &[Hash], at: Tile) -> &[Hash] {
    let start = (at.index * TILE_WIDTH) as usize;
    &row[start..start + usize::from(at.width)]
}

/// The root over the partial tiles of all levels, lowest first.
fn edge_root<'a>(parts: impl Iterator<Item = &'a [Hash]>) -> Hash {
    let root = parts.fold(None, |below: Option<Hash>, part| {
        let mut hashes = part.to_vec();
        hashes.extend(below);
        (!hashes.is_empty()).then(|| root_of(&hashes))
    });
    root.unwrap_or_else(empty_root)
}
