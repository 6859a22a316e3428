//! The RFC 6962 Merkle tree: its hashes, and the frontier that appends to it.

use ring::digest;

use super::proof::ProofError;
pub use crate::platform::digest::sha256;

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Bytes of one hash.
pub const HASH_BYTES: usize = 32;

/// The hash of one entry: SHA-256(0x00 || entry), RFC 6962 section 2.1.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[0x00]);
    context.update(entry);
    to_hash(&context.finish())
}

/// The hash of an inner node: SHA-256(0x01 || left || right), RFC 6962 section 2.1.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0x01; 1 + 2 * HASH_BYTES];
    bytes[1..=HASH_BYTES].copy_from_slice(left);
    bytes[1 + HASH_BYTES..].copy_from_slice(right);
    sha256(&bytes)
}

/// The root of the tree without entries: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The root over consecutive hashes of one level, as if each were a leaf hash.
///
/// No hashes give the root of the empty tree.
#[must_use]
pub fn root_of(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(split(hashes.len() as u64) as usize);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The right edge of a growing tree: what an append needs, O(log n) hashes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, largest first; one for each bit of `size`.
    nodes: Vec<Hash>,
}

impl Frontier {
    /// Restores a frontier that [`Frontier::to_bytes`] wrote for a tree of `size`.
    ///
    /// # Errors
    ///
    /// [`ProofError::Length`] when the bytes do not fit the size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() != size.count_ones() as usize * HASH_BYTES {
            return Err(ProofError::Length);
        }
        Ok(Self {
            size,
            nodes: bytes.as_chunks::<HASH_BYTES>().0.to_vec(),
        })
    }

    /// The subtree roots, largest first, joined.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.nodes.concat()
    }

    /// Entries in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and returns its index.
    pub fn push(&mut self, leaf: Hash) -> u64 {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.nodes.pop() else { break };
            hash = node_hash(&left, &hash);
        }
        self.nodes.push(hash);
        self.size += 1;
        self.size - 1
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut nodes = self.nodes.iter().rev();
        let Some(last) = nodes.next() else {
            return empty_root();
        };
        nodes.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The largest power of two smaller than `count`, which is at least 2.
pub(super) fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

fn to_hash(digest: &digest::Digest) -> Hash {
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(digest.as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frontier_survives_its_bytes_and_refuses_others() {
        let mut frontier = Frontier::default();
        for entry in 0..13_u8 {
            frontier.push(leaf_hash(&[entry]));
        }
        let bytes = frontier.to_bytes();
        assert_eq!(Frontier::from_bytes(13, &bytes), Ok(frontier));
        assert_eq!(Frontier::from_bytes(12, &bytes), Err(ProofError::Length));
        assert_eq!(
            Frontier::from_bytes(13, &bytes[1..]),
            Err(ProofError::Length)
        );
    }
}
