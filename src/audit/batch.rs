//! Batches: one entry that stands for many sealed rows.
//!
//! # Promise
//!
//! An entry holds the RFC 6962 root over the commitments of its rows, in their
//! order, and their count. One row can so be proven without showing the others.
//!
//! # What is not here
//!
//! The rows: whoever wants a proof brings all commitments of the batch again.

use std::collections::BTreeMap;

use super::entry::Draft;
use super::hex::Hex;
use super::json::Value;
use super::merkle::{Frontier, Hash, leaf_hash, root_of, split};
use super::outline::Place;

/// What the log says of one row: where it lies, and what lies there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Commitment {
    /// Where the sealed row lies.
    pub place: Place,
    /// SHA-256 of its ciphertext.
    pub sha256: Hash,
    /// Its line in a file, where the batch is a file.
    pub line: Option<u32>,
}

impl Commitment {
    /// Canonical JSON (RFC 8785): the bytes that are hashed.
    #[must_use]
    pub fn body(&self) -> String {
        let mut members = BTreeMap::from([
            ("at".to_owned(), Value::String(self.place.to_string())),
            (
                "sha256".to_owned(),
                Value::String(Hex(&self.sha256).to_string()),
            ),
        ]);
        if let Some(line) = self.line {
            members.insert("line".to_owned(), Value::Integer(line.into()));
        }
        let mut body = String::with_capacity(160);
        // Only an integer out of range fails, and a line is none.
        let written = Value::Object(members).write(&mut body);
        debug_assert!(written.is_ok(), "a commitment is canonical JSON");
        body
    }
}

/// The commitments of one entry, as leaf hashes: 32 bytes each.
#[derive(Clone, Debug, Default)]
pub struct Batch(Vec<Hash>);

impl Batch {
    /// Takes the next one.
    pub fn push(&mut self, commitment: &Commitment) {
        self.0.push(leaf_hash(commitment.body().as_bytes()));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The root over all.
    #[must_use]
    pub fn root(&self) -> Hash {
        root_of(&self.0)
    }

    /// The audit path of one; empty and worthless where there is no such one.
    #[must_use]
    pub fn proof(&self, position: usize) -> Vec<Hash> {
        path(position, &self.0)
    }
}

/// The root over commitments, without their leaves: it does not grow with them.
#[derive(Clone, Debug, Default)]
pub struct BatchRoot(Frontier);

impl BatchRoot {
    /// Takes the next one.
    pub fn push(&mut self, commitment: &Commitment) {
        self.0.push(leaf_hash(commitment.body().as_bytes()));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.size()
    }

    /// The root over all.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.0.root()
    }
}

impl Draft {
    /// Binds a batch: its root and its count.
    pub fn batch(self, batch: &BatchRoot) -> Self {
        self.digest("root", &batch.root())
            .number("count", batch.count())
    }
}

/// Where the records `first` to `last` of a submission lie: an entry that takes
/// them in binds this place, by the root over their commitments.
#[must_use]
pub fn chunk_place(submission: i64, first: i64, last: i64) -> Place {
    Place {
        table: "submission_records".to_owned(),
        column: "chunk".to_owned(),
        row: format!("{submission}.{first}-{last}"),
    }
}

/// Where one record of a submission lies.
#[must_use]
pub fn record_place(submission: i64, seq: i64) -> Place {
    Place {
        table: "submission_records".to_owned(),
        column: "sealed".to_owned(),
        row: format!("{submission}.{seq}"),
    }
}

fn path(position: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 || position >= leaves.len() {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
    let (mut found, other) = if position < left.len() {
        (path(position, left), right)
    } else {
        (path(position - left.len(), right), left)
    };
    found.push(root_of(other));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::proof::verify_inclusion;

    fn commitment(n: u32) -> Commitment {
        Commitment {
            place: Place {
                table: "submission_records".into(),
                column: "sealed".into(),
                row: format!("7.{n}"),
            },
            sha256: [n as u8; 32],
            line: n.is_multiple_of(2).then_some(n),
        }
    }

    #[test]
    fn every_row_of_a_batch_of_any_size_can_be_proven() {
        for size in [1_u32, 2, 3, 7, 8, 250] {
            let mut batch = Batch::default();
            let mut root = BatchRoot::default();
            for n in 0..size {
                batch.push(&commitment(n));
                root.push(&commitment(n));
            }
            let count = batch.len() as u64;
            assert_eq!((root.root(), root.count()), (batch.root(), count));
            for n in 0..size {
                let (proof, root) = (batch.proof(n as usize), batch.root());
                let leaf = |n| leaf_hash(commitment(n).body().as_bytes());
                let check = |leaf| verify_inclusion(&leaf, n.into(), count, &proof, &root);
                assert_eq!(check(leaf(n)), Ok(()), "{n} of {size}");
                assert!(check(leaf(n + 1)).is_err(), "{n} of {size}");
            }
        }
    }

    #[test]
    fn a_commitment_is_canonical() {
        let digest = "02".repeat(32);
        assert_eq!(
            commitment(2).body(),
            format!(
                "{{\"at\":\"submission_records/sealed/7.2\",\"line\":2,\"sha256\":\"{digest}\"}}"
            )
        );
    }
}
