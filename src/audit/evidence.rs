//! Evidence of one inquiry, record or subject: a file that proves itself.
//!
//! # Promise
//!
//! With the file, the log's key and any checkpoint that the file links to, a
//! stranger can check that each entry was in the log, that the sealed payloads
//! are the ones it bound, and, where the salt is disclosed, whom it concerned.
//!
//! # What is not here
//!
//! That no entry was left out cannot be seen from a bundle; who needs that reads
//! the log itself.

mod check;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};

use super::error::AuditError;
use super::hex::Hex;
use super::log::Log;
use super::merkle::Hash;
use super::outline::Place;

pub use check::{BundleFinding, BundleReport, verify_bundle};

/// The format that bundles of this version name.
const FORMAT: &str = "creditgate-evidence/1";

/// What the holder adds where it is lawful; without it nobody is named.
#[derive(Clone, Default)]
pub struct Disclosure {
    /// The subject's salt and identity digest.
    pub subject: Option<(zeroize::Zeroizing<[u8; 32]>, Hash)>,
    /// Ciphertexts of sealed payloads, with their places.
    pub payloads: Vec<(Place, Vec<u8>)>,
}

/// That a row is one of the batch which an entry stands for.
#[derive(Clone, Debug)]
pub struct RowProof {
    /// The id of the entry.
    pub entry: String,
    /// Which row of the batch, counted from 0.
    pub position: u64,
    /// What the log says of the row: [`Commitment::body`](super::Commitment::body).
    pub body: String,
    /// The audit path in the batch.
    pub path: Vec<Hash>,
}

/// The file, as JSON.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    format: String,
    about: String,
    /// What else its entries may belong to: the file that a record went out in.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    also: Vec<String>,
    vkey: String,
    checkpoint: String,
    entries: Vec<ProvenEntry>,
    consistency: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    subject: Option<DisclosedSubject>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    payloads: Vec<DisclosedPayload>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    rows: Vec<ProvenRow>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ProvenEntry {
    index: u64,
    body: String,
    proof: Vec<String>,
}

/// Proof that the bundle's checkpoint contains an older one.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Link {
    size: u64,
    proof: Vec<String>,
}

/// A row of the batch that an entry stands for.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ProvenRow {
    entry: String,
    position: u64,
    body: String,
    proof: Vec<String>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DisclosedSubject {
    salt: String,
    identity_sha256: String,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DisclosedPayload {
    at: String,
    sealed: String,
}

impl Log {
    /// Gathers the evidence of everything whose `ref` is `about`; `None` when
    /// there is nothing. It links to every checkpoint of `since`.
    ///
    /// # Errors
    ///
    /// Those of [`Log::sign`].
    pub async fn evidence(
        &self,
        about: &str,
        disclosure: Disclosure,
        since: &[u64],
    ) -> Result<Option<Evidence>, AuditError> {
        self.evidence_with_rows(about, &[], Vec::new(), disclosure, since)
            .await
    }

    /// As [`Log::evidence`], with the entries about each of `also`, and with
    /// rows of the batches that they stand for.
    ///
    /// # Errors
    ///
    /// Those of [`Log::sign`].
    pub async fn evidence_with_rows(
        &self,
        about: &str,
        also: &[String],
        rows: Vec<RowProof>,
        disclosure: Disclosure,
        since: &[u64],
    ) -> Result<Option<Evidence>, AuditError> {
        let (checkpoint, note) = self.sign().await?;
        let mut entries = Vec::new();
        for about in [about].into_iter().chain(also.iter().map(String::as_str)) {
            for entry in self.reader().entries_about(about).await? {
                let Some(index) = entry.index.filter(|index| *index < checkpoint.size) else {
                    continue;
                };
                let body =
                    String::from_utf8(entry.body).map_err(|_| AuditError::Damaged("entries"))?;
                let proof = to_hex(&self.reader().inclusion(index, checkpoint.size).await?);
                entries.push(ProvenEntry { index, body, proof });
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let mut consistency = Vec::new();
        for size in since.iter().copied().filter(|size| *size < checkpoint.size) {
            let proof = to_hex(&self.reader().consistency(size, checkpoint.size).await?);
            consistency.push(Link { size, proof });
        }
        let subject = disclosure.subject.map(|(salt, identity)| DisclosedSubject {
            salt: Hex(salt.as_ref()).to_string(),
            identity_sha256: Hex(&identity).to_string(),
        });
        let payloads = disclosure.payloads.into_iter();
        let payloads = payloads
            .map(|(at, sealed)| DisclosedPayload {
                at: at.to_string(),
                sealed: BASE64.encode(sealed),
            })
            .collect();
        let rows = rows.into_iter().map(|row| ProvenRow {
            proof: to_hex(&row.path),
            entry: row.entry,
            position: row.position,
            body: row.body,
        });
        Ok(Some(Evidence {
            format: FORMAT.to_owned(),
            about: about.to_owned(),
            also: also.to_vec(),
            rows: rows.collect(),
            vkey: self.vkey(),
            checkpoint: note.to_string(),
            entries,
            consistency,
            subject,
            payloads,
        }))
    }
}

fn to_hex(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| Hex(hash).to_string()).collect()
}
