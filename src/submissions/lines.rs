//! Records as lines of a file: packed, sealed and opened again.

use std::{cell::RefCell, collections::HashMap};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use schemas::{edition::Edition, plan::RecordPlan, record::Record, role::Role};
use zeroize::Zeroizing;

use super::{SubmitError, store::records::Kept};
use crate::platform::{
    digest::sha256,
    ids::SubjectId,
    vault::{HouseKeys, Place, SubjectKeys},
};

/// The longest line and what may be read of a damaged one, in bytes.
const LONGEST: usize = 41_000_000;

thread_local! {
    // Making one costs more than packing a record does.
    static PACK: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static UNPACK: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Deflates bytes.
pub(super) fn deflate(bytes: &[u8]) -> Result<Vec<u8>, SubmitError> {
    PACK.with_borrow_mut(|pack| {
        pack.reset();
        let mut out = Vec::with_capacity(bytes.len() / 3 + 64);
        loop {
            let rest = &bytes[pack.total_in() as usize..];
            let status = pack.compress_vec(rest, &mut out, FlushCompress::Finish);
            match status.map_err(|error| SubmitError::Io(error.into()))? {
                Status::StreamEnd => return Ok(out),
                Status::Ok | Status::BufError => out.reserve(out.len().max(64)),
            }
        }
    })
}

/// Inflates bytes; none where they are damaged or too many.
fn inflate(packed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    UNPACK.with_borrow_mut(|unpack| {
        unpack.reset(false);
        let mut bytes = Zeroizing::new(Vec::with_capacity(packed.len() * 6 + 64));
        loop {
            let rest = &packed[unpack.total_in() as usize..];
            match unpack.decompress_vec(rest, &mut bytes, FlushDecompress::Finish) {
                Ok(Status::StreamEnd) => return Some(bytes),
                // It wants more room, if it may have it.
                Ok(_) if bytes.len() == bytes.capacity() && bytes.len() < LONGEST => {
                    let more = bytes.len();
                    bytes.reserve(more);
                }
                Ok(_) | Err(_) => return None,
            }
        }
    })
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
    let keys = match &kept.subject {
        None => Keys::House(house),
        Some(subject) => {
            let own = subjects.get(subject);
            Keys::Subject(own.ok_or_else(|| damaged("its subject was erased"))?)
        }
    };
    open_with(&keys, &row, &kept.sealed)
}

/// Opens what was sealed as the record at `row`.
pub(super) fn open_with(
    keys: &Keys<'_>,
    row: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SubmitError> {
    let packed = match keys {
        Keys::House(keys) => keys.open(&place(row), sealed)?,
        Keys::Subject(keys) => keys.open(&place(row), sealed)?,
    };
    inflate(&packed).ok_or_else(|| SubmitError::Damaged {
        what: "the sealed line",
        row: row.to_owned(),
        why: "it does not unpack".to_owned(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deflated_inflates_again() {
        let long = "<a>测试甲</a>".repeat(100_000);
        for text in ["", "x", "<Document/>", &long] {
            let packed = deflate(text.as_bytes()).unwrap();
            assert_eq!(inflate(&packed).unwrap()[..], *text.as_bytes());
        }
    }

    #[test]
    fn what_is_cut_or_changed_does_not_inflate() {
        let packed = deflate("<a>测试甲</a>".repeat(100).as_bytes()).unwrap();
        for length in 0..packed.len() {
            assert!(inflate(&packed[..length]).is_none(), "{length}");
        }
        assert!(inflate(&[0xff; 40]).is_none());
    }
}
