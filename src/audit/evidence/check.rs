//! Verifies an evidence bundle with nothing but itself, a key and a checkpoint.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;

use super::{DisclosedSubject, Evidence, FORMAT, Link, ProvenEntry, ProvenRow};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::hex::{bytes_from_hex, hash_from_hex};
use crate::audit::key::VerifierKey;
use crate::audit::merkle::{Hash, leaf_hash, sha256};
use crate::audit::note::{Note, NoteError};
use crate::audit::outline::Outline;
use crate::audit::proof::{verify_consistency, verify_inclusion};
use crate::audit::subject::SubjectTag;
use crate::audit::verify::Trust;

/// What a good bundle proves, and what is wrong with it otherwise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BundleReport {
    /// What the entries belong to.
    pub about: String,
    /// Whose signature was believed.
    pub trust: Trust,
    /// Entries that the bundle's checkpoint covers.
    pub size: u64,
    /// Indexes of the entries that are proven.
    pub proven: Vec<u64>,
    /// Whether the disclosed subject is the one that the entries name.
    pub subject_proven: bool,
    /// Places of the payloads that are the ones bound.
    pub payloads_proven: Vec<String>,
    /// Places of the rows that are of the batches of proven entries.
    pub rows_proven: Vec<String>,
    /// Everything that is wrong.
    pub findings: Vec<BundleFinding>,
}

/// What proven entries say.
#[derive(Default)]
struct Said {
    subjects: Vec<String>,
    /// Payloads, with the digests of their ciphertexts.
    bound: Vec<(String, Hash)>,
    /// Entries that stand for a batch: id, root, count.
    batches: Vec<(String, Hash, u64)>,
}

/// One thing that is wrong with a bundle.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleFinding {
    /// The file is no bundle of this format.
    #[error("this is no evidence bundle: {0}")]
    Malformed(String),
    /// A checkpoint is malformed, or not signed by the key.
    #[error("the {which} checkpoint is not signed by the key: {cause}")]
    BadCheckpoint {
        /// `bundle's` or `brought`.
        which: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The brought checkpoint and that of the bundle are not shown to be of one log.
    #[error("the bundle does not link to the checkpoint of {size} entries")]
    Unlinked {
        /// Entries of the brought checkpoint.
        size: u64,
    },
    /// An entry is not in the log.
    #[error("entry {index} is not in the log that the checkpoint covers")]
    NotIncluded {
        /// Its claimed index.
        index: u64,
    },
    /// An entry is not canonical, or belongs to something else.
    #[error("entry {index} is not an entry about this")]
    Foreign {
        /// Its index.
        index: u64,
    },
    /// No entry names the disclosed subject.
    #[error("the entries do not concern the disclosed subject")]
    Subject,
    /// A row is not of the batch of any proven entry.
    #[error("no entry stands for row {0} of the bundle, counted from 0")]
    Row(u64),
    /// No entry binds the payload.
    #[error("no entry binds the payload at {0}")]
    Payload(String),
}

/// Verifies a bundle with nothing but itself, the key and a checkpoint.
///
/// Without a key of the verifier's own that of the bundle is taken, and the
/// report says so. A `checkpoint` must be the bundle's own or one it links to.
#[must_use]
pub fn verify_bundle(
    bytes: &[u8],
    vkey: Option<&VerifierKey>,
    checkpoint: Option<&Note>,
) -> BundleReport {
    let mut report = BundleReport {
        about: String::new(),
        trust: vkey.map_or(Trust::SelfConsistent, |key| Trust::Key(key.to_string())),
        size: 0,
        proven: Vec::new(),
        subject_proven: false,
        payloads_proven: Vec::new(),
        rows_proven: Vec::new(),
        findings: Vec::new(),
    };
    if let Err(finding) = report.check(bytes, vkey, checkpoint) {
        report.findings.push(finding);
    }
    report
}

impl BundleReport {
    /// Whether all that the bundle claims is proven.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty() && !self.proven.is_empty()
    }

    fn check(
        &mut self,
        bytes: &[u8],
        vkey: Option<&VerifierKey>,
        brought: Option<&Note>,
    ) -> Result<(), BundleFinding> {
        let malformed = |cause: &dyn std::fmt::Display| BundleFinding::Malformed(cause.to_string());
        let bundle: Evidence = serde_json::from_slice(bytes).map_err(|e| malformed(&e))?;
        if bundle.format != FORMAT {
            return Err(malformed(&"another format"));
        }
        let key = match vkey {
            Some(key) => key.clone(),
            None => bundle.vkey.parse().map_err(|e| malformed(&e))?,
        };
        let note: Note = bundle.checkpoint.parse().map_err(|e| malformed(&e))?;
        let bad = |which| {
            move |cause: NoteError| BundleFinding::BadCheckpoint {
                which,
                cause: cause.to_string(),
            }
        };
        let checkpoint = Checkpoint::open(&note, &key).map_err(bad("bundle's"))?;
        self.about.clone_from(&bundle.about);
        self.size = checkpoint.size;
        if let Some(brought) = brought {
            let brought = Checkpoint::open(brought, &key).map_err(bad("brought"))?;
            if !linked(&bundle.consistency, &brought, &checkpoint) {
                self.findings
                    .push(BundleFinding::Unlinked { size: brought.size });
            }
        }
        let mut said = Said::default();
        for entry in &bundle.entries {
            self.entry(entry, &checkpoint, &bundle.also, &mut said);
        }
        for (number, row) in bundle.rows.iter().enumerate() {
            match row_of(row, &said.batches) {
                Some(bound) => {
                    self.rows_proven.push(bound.0.clone());
                    said.bound.push(bound);
                }
                None => self.findings.push(BundleFinding::Row(number as u64)),
            }
        }
        if let Some(disclosed) = &bundle.subject {
            self.subject(disclosed, &said.subjects);
        }
        for payload in &bundle.payloads {
            let digest = BASE64
                .decode(&payload.sealed)
                .ok()
                .map(|sealed| sha256(&sealed));
            if digest.is_some_and(|digest| said.bound.contains(&(payload.at.clone(), digest))) {
                self.payloads_proven.push(payload.at.clone());
            } else {
                self.findings
                    .push(BundleFinding::Payload(payload.at.clone()));
            }
        }
        if self.proven.is_empty() && self.findings.is_empty() {
            return Err(malformed(&"it holds no entries"));
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &ProvenEntry,
        checkpoint: &Checkpoint,
        also: &[String],
        said: &mut Said,
    ) {
        #[derive(Deserialize)]
        struct Body {
            subject: Option<String>,
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            root: Option<String>,
            count: Option<u64>,
        }
        let (index, body) = (entry.index, entry.body.as_bytes());
        let included = from_hex(&entry.proof).is_some_and(|proof| {
            let leaf = leaf_hash(body);
            verify_inclusion(&leaf, index, checkpoint.size, &proof, &checkpoint.root).is_ok()
        });
        if !included {
            return self.findings.push(BundleFinding::NotIncluded { index });
        }
        let of_this =
            |about: &str| about == self.about.as_str() || also.iter().any(|one| one == about);
        let outline = Outline::read(body)
            .ok()
            .filter(|outline| outline.about.is_some_and(of_this));
        let bindings = outline.and_then(|outline| outline.bindings().ok());
        let parsed = serde_json::from_slice::<Body>(body);
        let (Some(outline), Some(bindings), Ok(parsed)) = (outline, bindings, parsed) else {
            return self.findings.push(BundleFinding::Foreign { index });
        };
        let root = parsed.data.root.as_deref().and_then(hash_from_hex);
        if let Some((root, count)) = root.zip(parsed.data.count) {
            said.batches.push((outline.id.to_string(), root, count));
        }
        said.subjects.extend(parsed.subject);
        said.bound.extend(
            bindings
                .into_iter()
                .map(|(at, digest)| (at.to_string(), digest)),
        );
        self.proven.push(index);
    }

    /// Every entry that names a subject must name the disclosed one.
    fn subject(&mut self, disclosed: &DisclosedSubject, named: &[String]) {
        let salt = bytes_from_hex(&disclosed.salt).and_then(|salt| salt.try_into().ok());
        let tag = salt.zip(hash_from_hex(&disclosed.identity_sha256));
        let tag = tag.map(|(salt, identity)| SubjectTag::new(&salt, &identity).to_hex());
        let all = tag.is_some_and(|tag| named.iter().all(|name| *name == tag));
        self.subject_proven = all && !named.is_empty();
        if !self.subject_proven {
            self.findings.push(BundleFinding::Subject);
        }
    }
}

fn linked(links: &[Link], old: &Checkpoint, new: &Checkpoint) -> bool {
    let holds = |proof: &[Hash]| {
        verify_consistency(old.size, &old.root, new.size, &new.root, proof).is_ok()
    };
    let mut proofs = links.iter().filter(|link| link.size == old.size);
    holds(&[]) || proofs.any(|link| from_hex(&link.proof).is_some_and(|proof| holds(&proof)))
}

/// Where the row lies and what lies there, if its entry stands for it.
fn row_of(row: &ProvenRow, batches: &[(String, Hash, u64)]) -> Option<(String, Hash)> {
    #[derive(Deserialize)]
    struct Body {
        at: String,
        sha256: String,
    }
    let (_, root, count) = batches.iter().find(|(id, ..)| *id == row.entry)?;
    let proof = from_hex(&row.proof)?;
    let leaf = leaf_hash(row.body.as_bytes());
    verify_inclusion(&leaf, row.position, *count, &proof, root).ok()?;
    let body: Body = serde_json::from_str(&row.body).ok()?;
    Some((body.at, hash_from_hex(&body.sha256)?))
}

fn from_hex(texts: &[String]) -> Option<Vec<Hash>> {
    texts.iter().map(|text| hash_from_hex(text)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audit::appender::Appender;
    use crate::audit::batch::{Batch, BatchRoot, Commitment};
    use crate::audit::evidence::{Disclosure, RowProof};
    use crate::audit::log::Log;
    use crate::audit::outline::Place;
    use crate::audit::testing::{append, append_many, draft, key};
    use crate::testing::databases;

    fn place() -> Place {
        Place {
            table: "reports".into(),
            column: "body".into(),
            row: "r-1".into(),
        }
    }

    /// A bundle about `inquiry-1`, and the log's checkpoint from before.
    async fn bundle(log: &Log, db: &crate::platform::db::Db) -> (serde_json::Value, Note) {
        let (salt, identity) = ([5; 32], sha256(b"10\n99999919900101001X\n"));
        let tag = SubjectTag::new(&salt, &identity);
        append_many(db, 300).await;
        let (old, note) = log.sign().await.unwrap();
        let about = || draft().about("inquiry-1").subject(&tag);
        let answered = about().payload(&place(), &sha256(b"sealed"));
        append(
            db,
            vec![about().finish().unwrap(), answered.finish().unwrap()],
        )
        .await;
        append_many(db, 30).await;
        let disclosure = Disclosure {
            subject: Some((salt.into(), identity)),
            payloads: vec![(place(), b"sealed".to_vec())],
        };
        let evidence = log
            .evidence("inquiry-1", disclosure, &[old.size])
            .await
            .unwrap()
            .unwrap();
        (serde_json::to_value(evidence).unwrap(), note)
    }

    fn verify(bundle: &serde_json::Value, checkpoint: Option<&Note>) -> BundleReport {
        let bytes = serde_json::to_vec(bundle).unwrap();
        verify_bundle(&bytes, Some(key(1).verifier()), checkpoint)
    }

    #[tokio::test]
    async fn a_bundle_proves_itself_with_the_key_and_a_checkpoint_alone() {
        for test in databases(Arc::new(Appender)).await {
            let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
            let (bundle, old) = bundle(&log, &test.db).await;
            let report = verify(&bundle, Some(&old));
            assert_eq!(report.findings, [], "{}", test.name);
            assert!(report.is_good() && report.subject_proven);
            assert_eq!((report.size, report.proven), (332, vec![300, 301]));
            assert_eq!(report.payloads_proven, ["reports/body/r-1"]);
            let none = log
                .evidence("nothing", Disclosure::default(), &[])
                .await
                .unwrap();
            assert!(none.is_none());
            let alone = verify_bundle(&serde_json::to_vec(&bundle).unwrap(), None, None);
            assert_eq!(
                (alone.is_good(), alone.trust),
                (true, Trust::SelfConsistent)
            );
        }
    }

    #[tokio::test]
    async fn one_row_of_a_batch_is_proven_without_the_others() {
        for test in databases(Arc::new(Appender)).await {
            let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
            let row = |n: u32| Commitment {
                place: Place {
                    table: "rows".into(),
                    column: "sealed".into(),
                    row: n.to_string(),
                },
                sha256: sha256(&[n as u8]),
                line: None,
            };
            let (mut batch, mut root) = (Batch::default(), BatchRoot::default());
            for n in 0..100 {
                batch.push(&row(n));
                root.push(&row(n));
            }
            let entry = draft().about("chunk-1").batch(&root).finish().unwrap();
            let about_file = draft().about("file-1").finish().unwrap();
            let id = entry.id().to_string();
            append(&test.db, vec![entry, about_file]).await;
            let bundle = async |n: u32, position: u64| {
                let rows = vec![RowProof {
                    entry: id.clone(),
                    position,
                    body: row(n).body(),
                    path: batch.proof(position as usize),
                }];
                let disclosure = Disclosure {
                    subject: None,
                    payloads: vec![(row(n).place, vec![n as u8])],
                };
                let also = ["file-1".to_owned()];
                let evidence = log.evidence_with_rows("chunk-1", &also, rows, disclosure, &[]);
                serde_json::to_value(evidence.await.unwrap().unwrap()).unwrap()
            };
            let report = verify(&bundle(42, 42).await, None);
            assert_eq!(report.findings, [], "{}", test.name);
            assert_eq!(report.proven, [0, 1]);
            assert_eq!(report.rows_proven, ["rows/sealed/42"]);
            assert_eq!(report.payloads_proven, ["rows/sealed/42"]);
            let report = verify(&bundle(42, 43).await, None);
            let payload = BundleFinding::Payload("rows/sealed/42".into());
            assert_eq!(report.findings, [BundleFinding::Row(0), payload]);
        }
    }

    #[tokio::test]
    async fn anything_changed_in_a_bundle_is_found() {
        let all = databases(Arc::new(Appender)).await;
        let test = &all[0];
        let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
        let (good, old) = bundle(&log, &test.db).await;
        let replace = |pointer: &str, from: &str, to: &str| {
            let mut changed = good.clone();
            let value = changed.pointer_mut(pointer).unwrap();
            let text = value.as_str().unwrap().replacen(from, to, 1);
            assert_ne!(value.as_str(), Some(text.as_str()), "{pointer} is changed");
            *value = text.into();
            changed
        };
        let first = |pointer: &str| {
            let text = good.pointer(pointer).unwrap().as_str().unwrap();
            (
                text[..1].to_owned(),
                if text.starts_with('0') { "1" } else { "0" },
            )
        };
        let hex = |pointer: &str| {
            let (from, to) = first(pointer);
            replace(pointer, &from, to)
        };
        let not_included = BundleFinding::NotIncluded { index: 300 };
        let unlinked = BundleFinding::Unlinked { size: 300 };
        let payload = BundleFinding::Payload("reports/body/r-1".into());
        let cases = [
            (
                "entry",
                replace("/entries/0/body", "operator-7", "operator-8"),
                not_included.clone(),
            ),
            ("proof", hex("/entries/0/proof/0"), not_included),
            ("link", hex("/consistency/0/proof/0"), unlinked),
            ("salt", hex("/subject/salt"), BundleFinding::Subject),
            (
                "identity",
                hex("/subject/identity_sha256"),
                BundleFinding::Subject,
            ),
            (
                "payload",
                replace("/payloads/0/sealed", "c", "d"),
                payload.clone(),
            ),
            (
                "place",
                replace("/payloads/0/at", "body", "head"),
                BundleFinding::Payload("reports/head/r-1".into()),
            ),
            (
                "about",
                replace("/about", "1", "2"),
                BundleFinding::Foreign { index: 300 },
            ),
        ];
        for (name, changed, expected) in cases {
            let report = verify(&changed, Some(&old));
            assert!(
                report.findings.contains(&expected),
                "{name}: {:?}",
                report.findings
            );
            assert!(!report.is_good(), "{name}");
        }
        let changed = replace("/checkpoint", "332", "333");
        let report = verify(&changed, Some(&old));
        assert!(matches!(
            report.findings[..],
            [BundleFinding::BadCheckpoint { .. }]
        ));
        let mut empty = good.clone();
        empty["entries"] = serde_json::json!([]);
        assert!(!verify(&empty, None).is_good());
        let mut unknown = good.clone();
        unknown["note"] = "trust me".into();
        assert!(!verify(&unknown, None).is_good());
    }
}
