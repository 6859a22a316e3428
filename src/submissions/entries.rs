//! The audit entries of submissions: one for a chunk of records, one for every
//! change of a file's state, one for every act of a person.

use jiff::Timestamp;

use super::{FileState, store::files::FileRow, store::submissions::Submission};
use crate::{
    audit::{
        BatchRoot, Commitment,
        batch::{chunk_place, record_place},
        entry::{Draft, Entry, EntryError, Kind, is_word},
    },
    operators::Actor,
};

/// A submission began.
pub(super) const RECEIVING: Kind = Kind::new("submission.receiving");
/// What was reported before this gateway is imported.
pub(super) const IMPORTING: Kind = Kind::new("submission.importing");
/// A file that was answered before this gateway is imported.
pub(super) const IMPORTED: Kind = Kind::new("file.imported");
/// Records of it were taken in.
pub(super) const CHUNK: Kind = Kind::new("submission.chunk");
/// All its records are durable.
pub(super) const TAKEN: Kind = Kind::new("submission.taken");
/// Held records were judged again.
pub(super) const RELEASED: Kind = Kind::new("submission.released");
/// Records that were ready wait again: what let them out holds no more.
pub(super) const HELD_AGAIN: Kind = Kind::new("submission.held_again");
/// A person took a record back.
pub(super) const WITHDRAWN: Kind = Kind::new("submission.record_withdrawn");
/// A feedback file was looked at.
pub(super) const FEEDBACK: Kind = Kind::new("file.feedback");
/// A person brought a feedback file.
pub(super) const FEEDBACK_GIVEN: Kind = Kind::new("file.feedback_given");
/// Answers of a feedback file were applied.
pub(super) const ANSWERS: Kind = Kind::new("file.answers");

/// Begins an entry about a submission.
pub(super) fn of_submission(kind: Kind, of: &Submission, at: Timestamp) -> Draft {
    Draft::new(kind, &of.institution, at)
        .about(&of.id)
        .word("bureau", &of.bureau)
        .number("taken", of.taken)
}

/// The root over the commitments of records, `first` and those after it.
pub(super) fn batch(no: i64, first: i64, sealed: impl IntoIterator<Item = [u8; 32]>) -> BatchRoot {
    let mut batch = BatchRoot::default();
    for (seq, sha256) in (first..).zip(sealed) {
        batch.push(&Commitment {
            place: record_place(no, seq),
            sha256,
            line: None,
        });
    }
    batch
}

/// The entry that takes in the records of a batch, from `first` on: bound by the
/// root over their commitments.
pub(super) fn chunk(of: &Submission, first: i64, batch: &BatchRoot, at: Timestamp) -> Draft {
    let last = first - 1 + batch.count() as i64;
    Draft::new(CHUNK, &of.institution, at)
        // Evidence of one record is gathered by its chunk.
        .about(format!("{first}.{}", of.id))
        .word("bureau", &of.bureau)
        .number("first", first)
        .payload(&chunk_place(of.no, first, last), &batch.root())
        .batch(batch)
}

/// The kind of the entry that stands for a file's arrival at a state.
fn kind(state: FileState) -> Kind {
    Kind::new(state.point())
}

/// Begins the entry that stands for a file's arrival at its state.
pub(super) fn of_file(file: &FileRow, actor: Option<&Actor>, at: Timestamp) -> Draft {
    let mut draft = about_file(kind(file.state()), file, at).number("attempts", file.attempts);
    if let Some(actor) = actor {
        draft = draft.actor(actor);
    }
    if let Some(cause) = &file.cause {
        draft = draft.word("cause", word(cause));
    }
    for (name, digest) in [
        ("plain_sha256", &file.plain_sha256),
        ("sealed_sha256", &file.sealed_sha256),
    ] {
        if let Some(digest) = digest.as_deref().and_then(|bytes| bytes.try_into().ok()) {
            draft = draft.digest(name, &digest);
        }
    }
    draft
}

/// Begins an entry about a file.
pub(super) fn about_file(kind: Kind, file: &FileRow, at: Timestamp) -> Draft {
    // The mandated name is a run of digits that an entry refuses; its parts say
    // the same.
    Draft::new(kind, &file.institution, at)
        .about(&file.id)
        .word("bureau", &file.bureau)
        .word("record", &file.record)
        .word("day", &file.day)
        .number("serial", file.serial)
        .number("records", file.records)
}

/// A bureau's code as an entry can hold it; one that is no word is named so.
pub(super) fn word(code: &str) -> &str {
    if is_word(code) { code } else { "not_a_word" }
}

/// Finishes an entry and tells its identifier.
pub(super) fn finish(draft: Draft) -> Result<(Entry, String), EntryError> {
    let entry = draft.finish()?;
    let id = entry.id().to_string();
    Ok((entry, id))
}
