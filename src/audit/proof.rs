//! Inclusion and consistency proofs: made from complete subtrees, checked without a tree.
//!
//! Every proof is a list of roots of *complete* subtrees, or is folded from
//! them, so one question answered by a [`HashSource`] is all a maker needs.

use thiserror::Error;

use super::merkle::{Hash, empty_root, node_hash, split};

/// The root of the complete subtree of `2^level` leaves that starts at leaf `index << level`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Node {
    /// Height above the leaves.
    pub level: u8,
    /// Position among the nodes of that height.
    pub index: u64,
}

/// Where a maker of proofs finds the roots of complete subtrees.
pub trait HashSource {
    /// Why a hash cannot be had.
    type Error;

    /// The hash of `node`.
    ///
    /// # Errors
    ///
    /// When the source does not hold it.
    fn hash(&self, node: Node) -> Result<Hash, Self::Error>;
}

/// The audit path of leaf `index` in the tree of `size`: RFC 6962 section 2.1.1.
///
/// The caller keeps `index < size`; otherwise the path is empty and proves nothing.
///
/// # Errors
///
/// Those of the source.
pub fn inclusion_proof<S: HashSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, S::Error> {
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while index < high && high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(subtree_root(source, middle, high)?);
            high = middle;
        } else {
            path.push(subtree_root(source, low, middle)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `new` contains that of `old`: RFC 6962 section 2.1.2.
///
/// Empty when `old` is 0 or not smaller than `new`.
///
/// # Errors
///
/// Those of the source.
pub fn consistency_proof<S: HashSource>(
    source: &S,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, S::Error> {
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return Ok(path);
    }
    let (mut low, mut high) = (0, new);
    while old != high {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(subtree_root(source, middle, high)?);
            high = middle;
        } else {
            path.push(subtree_root(source, low, middle)?);
            low = middle;
        }
    }
    // The old root itself is known to the verifier; a part of it is not.
    if low != 0 {
        path.push(subtree_root(source, low, high)?);
    }
    path.reverse();
    Ok(path)
}

/// The root of the tree of `size`, from complete subtrees.
///
/// # Errors
///
/// Those of the source.
pub fn tree_root<S: HashSource>(source: &S, size: u64) -> Result<Hash, S::Error> {
    if size == 0 {
        Ok(empty_root())
    } else {
        subtree_root(source, 0, size)
    }
}

/// Checks an audit path: RFC 9162 section 2.1.3.2.
///
/// # Errors
///
/// What is wrong with the proof.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for part in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(part, &hash);
            // A right-edge node without a sibling rises until it is a right child.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, part);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Checks that the tree (`new`, `new_root`) contains (`old`, `old_root`): RFC 9162 section 2.1.4.2.
///
/// # Errors
///
/// What is wrong with the proof.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Range);
    }
    if old == 0 || old == new {
        let known = if old == 0 { empty_root() } else { *new_root };
        return match (proof.is_empty(), known == *old_root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let mut parts = proof.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        parts.next()
    };
    let Some(first) = first else {
        return Err(ProofError::Length);
    };
    let (mut node, mut last) = (old - 1, new - 1);
    let shift = node.trailing_ones();
    node >>= shift;
    last >>= shift;
    let (mut from_old, mut from_new) = (*first, *first);
    for part in parts {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(part, &from_old);
            from_new = node_hash(part, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, part);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if from_old == *old_root && from_new == *new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ProofError {
    /// Too many or too few hashes for the sizes.
    #[error("the number of hashes does not fit the tree size")]
    Length,
    /// An index or an old size outside the tree.
    #[error("the index or the older size lies outside the tree")]
    Range,
    /// The hashes lead to another root.
    #[error("the hashes lead to another root")]
    Root,
}

/// MTH(D[low:high]); `low` is aligned to every complete subtree that is asked for.
fn subtree_root<S: HashSource>(source: &S, low: u64, high: u64) -> Result<Hash, S::Error> {
    let count = high - low;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return source.hash(Node {
            level: level as u8,
            index: low >> level,
        });
    }
    let middle = low + split(count);
    let left = subtree_root(source, low, middle)?;
    let right = subtree_root(source, middle, high)?;
    Ok(node_hash(&left, &right))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;
    use sha2::Digest as _;

    use super::*;
    use crate::audit::merkle::{Frontier, HASH_BYTES, leaf_hash, root_of};

    /// The definitions of RFC 6962 section 2.1, word by word, with another SHA-256.
    mod oracle {
        use super::*;

        pub(super) fn leaf(entry: &[u8]) -> Hash {
            sha2::Sha256::new()
                .chain_update([0])
                .chain_update(entry)
                .finalize()
                .into()
        }

        pub(super) fn mth(entries: &[Vec<u8>]) -> Hash {
            match entries {
                [] => sha2::Sha256::digest([]).into(),
                [one] => leaf(one),
                many => {
                    let (left, right) = many.split_at(k(many.len()));
                    let hasher = sha2::Sha256::new().chain_update([1]);
                    hasher
                        .chain_update(mth(left))
                        .chain_update(mth(right))
                        .finalize()
                        .into()
                }
            }
        }

        pub(super) fn path(m: usize, entries: &[Vec<u8>]) -> Vec<Hash> {
            if entries.len() <= 1 {
                return vec![];
            }
            let (left, right) = entries.split_at(k(entries.len()));
            if m < left.len() {
                [path(m, left), vec![mth(right)]].concat()
            } else {
                [path(m - left.len(), right), vec![mth(left)]].concat()
            }
        }

        pub(super) fn proof(m: usize, entries: &[Vec<u8>]) -> Vec<Hash> {
            subproof(m, entries, true)
        }

        fn subproof(m: usize, entries: &[Vec<u8>], whole: bool) -> Vec<Hash> {
            if m == entries.len() {
                return if whole { vec![] } else { vec![mth(entries)] };
            }
            let (left, right) = entries.split_at(k(entries.len()));
            if m <= left.len() {
                [subproof(m, left, whole), vec![mth(right)]].concat()
            } else {
                [subproof(m - left.len(), right, false), vec![mth(left)]].concat()
            }
        }

        fn k(n: usize) -> usize {
            let mut k = 1;
            while k * 2 < n {
                k *= 2;
            }
            k
        }
    }

    struct Leaves(Vec<Hash>);

    impl HashSource for Leaves {
        type Error = Infallible;

        fn hash(&self, node: Node) -> Result<Hash, Infallible> {
            let start = (node.index << node.level) as usize;
            Ok(root_of(&self.0[start..start + (1 << node.level)]))
        }
    }

    fn entries(count: usize) -> Vec<Vec<u8>> {
        (0..count)
            .map(|n| format!("entry {n}").into_bytes())
            .collect()
    }

    fn leaves(entries: &[Vec<u8>]) -> Leaves {
        Leaves(entries.iter().map(|entry| leaf_hash(entry)).collect())
    }

    #[test]
    fn roots_and_proofs_equal_the_definitions_for_every_small_tree() {
        let all = entries(70);
        let source = leaves(&all);
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root(), oracle::mth(&[]));
        for size in 1..=all.len() {
            let tree = &all[..size];
            assert_eq!(frontier.push(leaf_hash(&tree[size - 1])), size as u64 - 1);
            let root = oracle::mth(tree);
            assert_eq!(frontier.root(), root, "size {size}");
            assert_eq!(root_of(&source.0[..size]), root, "size {size}");
            assert_eq!(tree_root(&source, size as u64), Ok(root), "size {size}");
            for index in 0..size {
                let Ok(proof) = inclusion_proof(&source, index as u64, size as u64);
                assert_eq!(proof, oracle::path(index, tree), "leaf {index} of {size}");
                let leaf = &source.0[index];
                assert_eq!(
                    verify_inclusion(leaf, index as u64, size as u64, &proof, &root),
                    Ok(())
                );
            }
            for old in 1..=size {
                let Ok(proof) = consistency_proof(&source, old as u64, size as u64);
                assert_eq!(proof, oracle::proof(old, tree), "{old} in {size}");
                let old_root = oracle::mth(&all[..old]);
                let verdict = verify_consistency(old as u64, &old_root, size as u64, &root, &proof);
                assert_eq!(verdict, Ok(()), "{old} in {size}");
            }
        }
    }

    #[test]
    fn the_empty_tree_is_contained_in_every_tree_and_nothing_larger_is() {
        let root = leaf_hash(b"x");
        assert_eq!(verify_consistency(0, &empty_root(), 1, &root, &[]), Ok(()));
        assert_eq!(
            verify_consistency(0, &root, 1, &root, &[]),
            Err(ProofError::Root)
        );
        assert_eq!(
            verify_consistency(2, &root, 1, &root, &[]),
            Err(ProofError::Range)
        );
        assert_eq!(
            verify_inclusion(&root, 1, 1, &[], &root),
            Err(ProofError::Range)
        );
    }

    proptest! {
        #[test]
        fn an_inclusion_proof_with_one_change_fails(
            size in 1_u64..600, at in any::<u64>(), bit in any::<usize>(), cut in any::<bool>(),
        ) {
            let source = leaves(&entries(size as usize));
            let index = at % size;
            let root = root_of(&source.0);
            let leaf = source.0[index as usize];
            let Ok(proof) = inclusion_proof(&source, index, size);
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));

            let other_leaf = flip(&leaf, bit);
            prop_assert!(verify_inclusion(&other_leaf, index, size, &proof, &root).is_err());
            prop_assert!(verify_inclusion(&leaf, index, size, &proof, &flip(&root, bit)).is_err());
            let longer = [proof.as_slice(), &[leaf]].concat();
            prop_assert!(verify_inclusion(&leaf, index, size, &longer, &root).is_err());
            if size > 1 {
                let other = (index + 1) % size;
                prop_assert!(verify_inclusion(&leaf, other, size, &proof, &root).is_err());
                let mut changed = proof.clone();
                let part = bit % proof.len();
                if cut { changed.remove(part); } else { changed[part] = flip(&proof[part], bit); }
                prop_assert!(verify_inclusion(&leaf, index, size, &changed, &root).is_err());
            }
        }

        #[test]
        fn a_consistency_proof_with_one_change_fails(
            new in 2_u64..600, at in any::<u64>(), bit in any::<usize>(), cut in any::<bool>(),
        ) {
            let source = leaves(&entries(new as usize));
            let old = 1 + at % (new - 1);
            let old_root = root_of(&source.0[..old as usize]);
            let new_root = root_of(&source.0);
            let Ok(proof) = consistency_proof(&source, old, new);
            prop_assert_eq!(verify_consistency(old, &old_root, new, &new_root, &proof), Ok(()));

            let other = flip(&old_root, bit);
            prop_assert!(verify_consistency(old, &other, new, &new_root, &proof).is_err());
            let other = flip(&new_root, bit);
            prop_assert!(verify_consistency(old, &old_root, new, &other, &proof).is_err());
            let mut changed = proof.clone();
            let part = bit % proof.len();
            if cut { changed.remove(part); } else { changed[part] = flip(&proof[part], bit); }
            prop_assert!(verify_consistency(old, &old_root, new, &new_root, &changed).is_err());
        }
    }

    fn flip(hash: &Hash, bit: usize) -> Hash {
        let mut other = *hash;
        other[bit / 8 % HASH_BYTES] ^= 1 << (bit % 8);
        other
    }
}
