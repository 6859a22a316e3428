//! Tiles: the tree and its entries as immutable files, after C2SP tlog-tiles.
//!
//! A tile holds 256 neighbouring hashes of every eighth level; an entry bundle
//! holds the 256 entries under one tile of level 0. At the right edge both may
//! be narrower. Source: <https://c2sp.org/tlog-tiles>.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::{cell::RefCell, str::FromStr};

use thiserror::Error;

use super::merkle::{HASH_BYTES, Hash, root_of};
use super::proof::{HashSource, Node};

/// Levels of the tree in one tile.
pub const TILE_HEIGHT: u8 = 8;

/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// Largest entry that a bundle can carry: its length is a 16-bit number.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// Names one tile, or by [`Tile::entries_path`] the bundle of entries under it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tile {
    /// Tile level, 0 at the leaves; 0 to 7 for any tree that a `u64` can count.
    pub level: u8,
    /// Position within the level.
    pub index: u64,
    /// Hashes in it: 1 to 256, 256 when full.
    pub width: u16,
}

impl Tile {
    /// The tile of a tree of `size`, or `None` when that tree has no such tile.
    #[must_use]
    pub fn of_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = hashes_at(level, size);
        let start = index.checked_mul(TILE_WIDTH)?;
        let width = hashes
            .checked_sub(start)
            .filter(|rest| *rest > 0)?
            .min(TILE_WIDTH);
        Some(Self {
            level,
            index,
            width: width as u16,
        })
    }

    /// Every tile of one level in a tree of `size`, from the left.
    pub fn level_of_tree(level: u8, size: u64) -> impl Iterator<Item = Self> {
        let count = hashes_at(level, size).div_ceil(TILE_WIDTH);
        (0..count).filter_map(move |index| Self::of_tree(level, index, size))
    }

    /// Tile levels that a tree of `size` has.
    #[must_use]
    pub fn levels(size: u64) -> u8 {
        (0..=TILE_HEIGHT)
            .find(|level| hashes_at(*level, size) == 0)
            .unwrap_or(TILE_HEIGHT)
    }

    /// Whether it can still grow.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        u64::from(self.width) < TILE_WIDTH
    }

    /// The same place, full.
    #[must_use]
    pub fn full(self) -> Self {
        Self {
            width: TILE_WIDTH as u16,
            ..self
        }
    }

    /// `tile/<level>/<index>[.p/<width>]`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, self.position())
    }

    /// `tile/entries/<index>[.p/<width>]`; has meaning at level 0 only.
    #[must_use]
    pub fn entries_path(&self) -> String {
        format!("tile/entries/{}", self.position())
    }

    fn position(&self) -> String {
        let mut text = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            text = format!("x{:03}/{text}", rest % 1000);
            rest /= 1000;
        }
        if self.is_partial() {
            text.push_str(&format!(".p/{}", self.width));
        }
        text
    }

    /// The tile that holds `node` in a tree of `size`, and where its leaves lie in it.
    fn holding(node: Node, size: u64) -> Option<(Self, std::ops::Range<usize>)> {
        let height = node.level % TILE_HEIGHT;
        let start = node.index.checked_shl(u32::from(height))?;
        let tile = Self::of_tree(node.level / TILE_HEIGHT, start / TILE_WIDTH, size)?;
        let first = (start % TILE_WIDTH) as usize;
        let range = first..first + (1 << height);
        (range.end <= usize::from(tile.width)).then_some((tile, range))
    }
}

/// What a path of the tree of files stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resource {
    /// The newest signed checkpoint.
    Checkpoint,
    /// A bundle of entries; `level` is 0.
    Entries(Tile),
    /// A tile of hashes.
    Hashes(Tile),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Entries(tile) => f.write_str(&tile.entries_path()),
            Self::Hashes(tile) => f.write_str(&tile.path()),
        }
    }
}

impl FromStr for Resource {
    type Err = TileError;

    /// Reads a path; only the one spelling that the standard allows is taken.
    fn from_str(path: &str) -> Result<Self, TileError> {
        let resource = parse_path(path).ok_or(TileError::Path)?;
        if resource.to_string() == path {
            Ok(resource)
        } else {
            Err(TileError::Path)
        }
    }
}

fn parse_path(path: &str) -> Option<Resource> {
    if path == "checkpoint" {
        return Some(Resource::Checkpoint);
    }
    let (level, position) = path.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = match position.split_once(".p/") {
        Some((index, width)) => (index, width.parse().ok().filter(|w| (1..256).contains(w))?),
        None => (position, TILE_WIDTH as u16),
    };
    let index = index.split('/').try_fold(0_u64, |sum, part| {
        let digits = part.strip_prefix('x').unwrap_or(part);
        let digits = (digits.len() == 3).then_some(digits)?.parse::<u64>().ok()?;
        sum.checked_mul(1000)?.checked_add(digits)
    })?;
    if index > MAX_INDEX {
        return None;
    }
    if level == "entries" {
        return Some(Resource::Entries(Tile {
            level: 0,
            index,
            width,
        }));
    }
    let level = level.parse().ok().filter(|level| *level < TILE_HEIGHT)?;
    Some(Resource::Hashes(Tile {
        level,
        index,
        width,
    }))
}

/// Indexes beyond this name no tile of any log that a BIGINT can count.
const MAX_INDEX: u64 = 1 << 54;

/// Hashes that the tiles of one level hold in a tree of `size`.
fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
        .unwrap_or(0)
}

/// Splits the bytes of a tile into hashes.
///
/// # Errors
///
/// [`TileError::Width`] when there are not exactly `width`.
pub fn tile_hashes(bytes: &[u8], width: u16) -> Result<&[Hash], TileError> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if rest.is_empty() && hashes.len() == usize::from(width) {
        Ok(hashes)
    } else {
        Err(TileError::Width)
    }
}

/// Adds one entry to a bundle.
///
/// # Errors
///
/// [`TileError::EntryTooLong`] beyond 65,535 bytes; the bundle stays as it was.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, in order; stops after the first error.
pub fn bundle_entries(mut bundle: &[u8]) -> impl Iterator<Item = Result<&[u8], TileError>> {
    std::iter::from_fn(move || {
        if bundle.is_empty() {
            return None;
        }
        let entry = bundle.split_first_chunk::<2>().and_then(|(length, rest)| {
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        });
        let Some((entry, rest)) = entry else {
            bundle = &[];
            return Some(Err(TileError::Bundle));
        };
        bundle = rest;
        Some(Ok(entry))
    })
}

/// Some tiles of a tree, as a source of hashes for proofs.
#[derive(Clone, Debug, Default)]
pub struct TileSet {
    size: u64,
    tiles: BTreeMap<Tile, Vec<Hash>>,
}

impl TileSet {
    /// For a tree of `size`; still without tiles.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self {
            size,
            tiles: BTreeMap::new(),
        }
    }

    /// The size of the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hashes of a tile; those of a wider one at the same place are cut to fit.
    ///
    /// # Errors
    ///
    /// [`TileError::Width`] when there are too few.
    pub fn insert(&mut self, tile: Tile, mut hashes: Vec<Hash>) -> Result<(), TileError> {
        if hashes.len() < usize::from(tile.width) {
            return Err(TileError::Width);
        }
        hashes.truncate(usize::from(tile.width));
        self.tiles.insert(tile, hashes);
        Ok(())
    }
}

impl HashSource for TileSet {
    type Error = TileError;

    fn hash(&self, node: Node) -> Result<Hash, TileError> {
        let (tile, range) = Tile::holding(node, self.size).ok_or(TileError::Path)?;
        let hashes = self.tiles.get(&tile).ok_or(TileError::Missing)?;
        hashes.get(range).map(root_of).ok_or(TileError::Width)
    }
}

/// The tiles that `make` asks for in a tree of `size`: run a proof once against
/// this, fetch, then run it against the [`TileSet`].
pub fn tiles_needed<T>(
    size: u64,
    make: impl FnOnce(&Wanted) -> Result<T, Infallible>,
) -> BTreeSet<Tile> {
    let wanted = Wanted {
        size,
        tiles: RefCell::default(),
    };
    let Ok(_) = make(&wanted);
    wanted.tiles.into_inner()
}

/// A source that answers nothing of worth and remembers what it was asked.
#[derive(Debug)]
pub struct Wanted {
    size: u64,
    tiles: RefCell<BTreeSet<Tile>>,
}

impl HashSource for Wanted {
    type Error = Infallible;

    fn hash(&self, node: Node) -> Result<Hash, Infallible> {
        if let Some((tile, _)) = Tile::holding(node, self.size) {
            self.tiles.borrow_mut().insert(tile);
        }
        Ok([0; HASH_BYTES])
    }
}

/// What can be wrong with a tile, a bundle or a path.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum TileError {
    /// A bundle ends within an entry.
    #[error("the entry bundle ends within an entry")]
    Bundle,
    /// An entry longer than its 16-bit length can say.
    #[error("an entry may hold at most 65,535 bytes")]
    EntryTooLong,
    /// A proof needs a tile that was not given.
    #[error("a tile is missing")]
    Missing,
    /// Not a path of a tile, bundle or checkpoint, or no such tile in the tree.
    #[error("this is not the path of a tile")]
    Path,
    /// More or fewer hashes than the tile is wide.
    #[error("the tile does not hold as many hashes as it is wide")]
    Width,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::merkle::leaf_hash;
    use crate::audit::proof::{consistency_proof, inclusion_proof, tree_root};

    #[test]
    fn a_path_is_spelled_as_the_standard_spells_it() {
        let cases = [
            (0, 0, 256, "tile/0/000"),
            (0, 273, 112, "tile/0/273.p/112"),
            (3, 1_234_067, 256, "tile/3/x001/x234/067"),
            (1, 5_000, 1, "tile/1/x005/000.p/1"),
        ];
        for (level, index, width, path) in cases {
            let tile = Tile {
                level,
                index,
                width,
            };
            assert_eq!(tile.path(), path);
            assert_eq!(path.parse(), Ok(Resource::Hashes(tile)));
        }
        let bundle = Tile {
            level: 0,
            index: 1_234_067,
            width: 7,
        };
        assert_eq!(bundle.entries_path(), "tile/entries/x001/x234/067.p/7");
        assert_eq!(bundle.entries_path().parse(), Ok(Resource::Entries(bundle)));
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let cases = [
            "",
            "/checkpoint",
            "tile/0",
            "tile/0/0",
            "tile/00/000",
            "tile/0/x000/001",
            "tile/8/000",
            "tile/0/001/002",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/+01",
            "tile/0/../checkpoint",
            "tile/-1/000",
            "tile/0/x001/x234",
            "tile/0/000/",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/0/x018/x014/x398/x509/x481/985",
        ];
        for path in cases {
            assert_eq!(path.parse::<Resource>(), Err(TileError::Path), "{path}");
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_of_the_standards_example() {
        let tiles = |level| Tile::level_of_tree(level, 70_000).collect::<Vec<_>>();
        assert_eq!(tiles(0).len(), 274);
        assert_eq!(
            tiles(0)[273],
            Tile {
                level: 0,
                index: 273,
                width: 112
            }
        );
        assert_eq!(tiles(1)[0].width, 256);
        assert_eq!(
            tiles(1)[1],
            Tile {
                level: 1,
                index: 1,
                width: 17
            }
        );
        assert_eq!(
            tiles(2),
            [Tile {
                level: 2,
                index: 0,
                width: 1
            }]
        );
        assert_eq!(
            (Tile::levels(70_000), Tile::levels(0), Tile::levels(256)),
            (3, 0, 2)
        );
        assert_eq!(Tile::levels(u64::MAX), 8);
    }

    #[test]
    fn a_cut_bundle_is_an_error_and_ends() {
        let mut bundle = Vec::new();
        push_entry(&mut bundle, b"one").expect("short");
        push_entry(&mut bundle, b"").expect("short");
        let got: Vec<_> = bundle_entries(&bundle).collect();
        assert_eq!(got, [Ok(&b"one"[..]), Ok(&b""[..])]);
        let got: Vec<_> = bundle_entries(&bundle[..4]).collect();
        assert_eq!(got, [Err(TileError::Bundle)]);
        let long = vec![0; MAX_ENTRY_BYTES + 1];
        assert_eq!(push_entry(&mut bundle, &long), Err(TileError::EntryTooLong));
        assert_eq!(bundle_entries(&bundle).count(), 2);
    }

    fn tile_of(leaves: &[Hash], tile: Tile) -> Vec<Hash> {
        let span = 1_usize << (tile.level * TILE_HEIGHT);
        let first = tile.index as usize * TILE_WIDTH as usize;
        (first..first + usize::from(tile.width))
            .map(|at| root_of(&leaves[at * span..(at + 1) * span]))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn proofs_from_the_needed_tiles_equal_proofs_from_all_leaves(
            size in 1_u64..70_000, a in any::<u64>(), b in any::<u64>(),
        ) {
            let leaves: Vec<_> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
            let (index, old) = (a % size, 1 + b % size);
            let mut wanted = tiles_needed(size, |source| inclusion_proof(source, index, size));
            wanted.extend(tiles_needed(size, |source| consistency_proof(source, old, size)));
            wanted.extend(tiles_needed(size, |source| tree_root(source, size)));
            let mut set = TileSet::new(size);
            for tile in wanted {
                set.insert(tile, tile_of(&leaves, tile))?;
            }
            let (root, old_root) = (root_of(&leaves), root_of(&leaves[..old as usize]));
            prop_assert_eq!(tree_root(&set, size)?, root);
            let proof = inclusion_proof(&set, index, size)?;
            let leaf = &leaves[index as usize];
            prop_assert_eq!(crate::audit::proof::verify_inclusion(leaf, index, size, &proof, &root), Ok(()));
            let proof = consistency_proof(&set, old, size)?;
            let verdict = crate::audit::proof::verify_consistency(old, &old_root, size, &root, &proof);
            prop_assert_eq!(verdict, Ok(()));
        }
    }
}
