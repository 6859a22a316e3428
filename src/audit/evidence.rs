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

/// The file, as JSON.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    format: String,
    about: String,
    vkey: String,
    checkpoint: String,
    entries: Vec<ProvenEntry>,
    consistency: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    subject: Option<DisclosedSubject>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    payloads: Vec<DisclosedPayload>,
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
        let (checkpoint, note) = self.sign().await?;
        let mut entries = Vec::new();
        for entry in self.reader().entries_about(about).await? {
            let Some(index) = entry.index.filter(|index| *index < checkpoint.size) else {
                continue;
            };
            let body = String::from_utf8(entry.body).map_err(|_| AuditError::Damaged("entries"))?;
            let proof = to_hex(&self.reader().inclusion(index, checkpoint.size).await?);
            entries.push(ProvenEntry { index, body, proof });
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
        Ok(Some(Evidence {
            format: FORMAT.to_owned(),
            about: about.to_owned(),
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
