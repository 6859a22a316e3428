//! Anchors: what is known of the tree from elsewhere, to be compared with it.

use super::Finding;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::merkle::Hash;

/// A root that the tree must have at a size.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    size: u64,
    root: Hash,
    place: String,
    kind: AnchorKind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum AnchorKind {
    /// What the database says of itself, unsigned.
    Head,
    /// A checkpoint of the log's own.
    Signed,
    /// A checkpoint that the verifier brought.
    Since,
}

impl Anchor {
    pub(super) fn signed(place: &str, checkpoint: &Checkpoint) -> Self {
        let (size, root) = (checkpoint.size, checkpoint.root);
        Self {
            size,
            root,
            place: place.to_owned(),
            kind: AnchorKind::Signed,
        }
    }

    pub(super) fn head(size: u64, root: Hash) -> Self {
        Self {
            size,
            root,
            place: "the head of the database".to_owned(),
            kind: AnchorKind::Head,
        }
    }

    pub(super) fn brought(self) -> Self {
        Self {
            kind: AnchorKind::Since,
            ..self
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

/// All anchors of one verification.
#[derive(Debug, Default)]
pub(super) struct Anchors(pub(super) Vec<Anchor>);

impl Anchors {
    /// The sizes at which roots are needed, ascending.
    pub(super) fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<_> = self.0.iter().map(|anchor| anchor.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The roots that are claimed for one size, signed ones first.
    pub(super) fn roots_at(&self, size: u64) -> Vec<Hash> {
        let mut at: Vec<_> = self.0.iter().filter(|anchor| anchor.size == size).collect();
        at.sort_by_key(|anchor| anchor.kind == AnchorKind::Head);
        at.into_iter().map(|anchor| anchor.root).collect()
    }

    /// Compares every anchor with the tree of `size` entries. Returns what is
    /// wrong, and the sizes of the verifier's checkpoints that are contained.
    ///
    /// Of the log's own checkpoints only the smallest that differs is named:
    /// all later ones differ for the same reason.
    pub(super) fn compare(
        &self,
        size: u64,
        root_at: impl Fn(u64) -> Hash,
    ) -> (Vec<Finding>, Vec<u64>) {
        let (mut findings, mut contained) = (Vec::new(), Vec::new());
        let mut own: Option<&Anchor> = None;
        let mut cut: Option<&Anchor> = None;
        for anchor in &self.0 {
            let beyond = anchor.size > size;
            let differs = !beyond && root_at(anchor.size) != anchor.root;
            match anchor.kind {
                AnchorKind::Head if differs => findings.push(Finding::AlteredHead),
                AnchorKind::Head | AnchorKind::Signed if beyond => {
                    cut = cut
                        .filter(|known| known.size > anchor.size)
                        .or(Some(anchor));
                }
                AnchorKind::Signed if differs => {
                    own = own
                        .filter(|known| known.size <= anchor.size)
                        .or(Some(anchor));
                }
                AnchorKind::Since if beyond => findings.push(anchor.cut(size)),
                AnchorKind::Since if differs => findings.push(anchor.rewritten()),
                AnchorKind::Since => contained.push(anchor.size),
                AnchorKind::Head | AnchorKind::Signed => {}
            }
        }
        findings.extend(own.map(Anchor::rewritten));
        findings.extend(cut.map(|anchor| anchor.cut(size)));
        (findings, contained)
    }
}

impl Anchor {
    fn rewritten(&self) -> Finding {
        Finding::Rewritten {
            size: self.size,
            place: self.place.clone(),
        }
    }

    fn cut(&self, present: u64) -> Finding {
        Finding::CutTail {
            present,
            promised: self.size,
            place: self.place.clone(),
        }
    }
}
