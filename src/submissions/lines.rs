//! Records as lines of a file: packed, sealed and opened again.

use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use schemas::{edition::Edition, plan::RecordPlan, record::Record, role::Role};
use zeroize::Zeroizing;

use super::{SubmitError, store::records::Kept};
use crate::platform::{
    digest::sha256,
    ids::SubjectId,
    vault::{HouseKeys, Place, SubjectKeys},
};

/// The longest line and what may be read of a damaged one, in bytes.
const LONGEST: u64 = 41_000_000;

/// Deflates bytes.
pub(super) fn deflate(bytes: &[u8]) -> Result<Vec<u8>, SubmitError> {
    let out = Vec::with_capacity(bytes.len() / 3 + 16);
    let mut encoder = DeflateEncoder::new(out, Compression::fast());
    encoder.write_all(bytes).map_err(SubmitError::Io)?;
    encoder.finish().map_err(SubmitError::Io)
}

/// Whose key seals.
pub(super) enum Keys<'k> {
    /// The house's, of what has no subject.
    House(&'k HouseKeys),
    /// A subject's.
    Subject(&'k SubjectKeys),
}

/// Seals bytes as the record at `row`, deflated; with the digest of it.
pub(super) fn seal(
    keys: &Keys<'_>,
    row: &str,
    bytes: &[u8],
) -> Result<(Vec<u8>, [u8; 32]), SubmitError> {
    let packed = Zeroizing::new(deflate(bytes)?);
    let sealed = match keys {
        Keys::House(keys) => keys.seal(&place(row), &packed)?,
        Keys::Subject(keys) => keys.seal(&place(row), &packed)?,
    };
    let digest = sha256(&sealed);
    Ok((sealed, digest))
}

/// Opens what was sealed as the record.
pub(super) fn open(
    kept: &Kept,
    house: &HouseKeys,
    subjects: &HashMap<SubjectId, SubjectKeys>,
) -> Result<Zeroizing<Vec<u8>>, SubmitError> {
    let row = kept.row();
    let damaged = |why: &str| SubmitError::Damaged {
        what: "the sealed line",
        row: row.clone(),
        why: why.to_owned(),
    };
    let packed = match &kept.subject {
        None => house.open(&place(&row), &kept.sealed)?,
        Some(subject) => {
            let keys = subjects
                .get(subject)
                .ok_or_else(|| damaged("its subject was erased"))?;
            keys.open(&place(&row), &kept.sealed)?
        }
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(packed.len() * 6));
    DeflateDecoder::new(&packed[..])
        .take(LONGEST)
        .read_to_end(&mut bytes)
        .map_err(|_| damaged("it does not unpack"))?;
    Ok(bytes)
}

/// Reads an opened line back as a record.
pub(super) fn record(
    kept: &Kept,
    edition: &'static Edition,
    line: &[u8],
) -> Result<(Record, &'static RecordPlan, &'static Role), SubmitError> {
    let damaged = |why: &str| SubmitError::Damaged {
        what: "the line",
        row: kept.row(),
        why: why.to_owned(),
    };
    let unknown = || damaged("no such record type");
    let plan = edition.plan(&kept.record).ok_or_else(unknown)?;
    let role = edition.role(&kept.record).ok_or_else(unknown)?;
    let record = plan.read(line);
    let record = record.map_err(|error| damaged(&error.to_string()))?;
    Ok((record, plan, role))
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "submission_records",
        column: "sealed",
        row,
    }
}
