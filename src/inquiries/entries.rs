//! The audit entries of inquiries: one for every change of state.

use jiff::Timestamp;

use super::{State, store::Record};
use crate::{
    audit::{
        entry::{Draft, Entry, EntryError, Kind},
        subject::SubjectTag,
    },
    operators::Actor,
    platform::ids::InquiryId,
};

/// Begins the entry that stands for an inquiry's arrival at `state`.
pub(crate) fn change(
    record: &Record,
    state: State,
    actor: Option<&Actor>,
    tag: Option<&SubjectTag>,
    at: Timestamp,
) -> Draft {
    let mut draft = Draft::new(Kind::new(state.entry_kind()), &record.institution, at)
        .about(&record.id)
        .word("bureau", &record.bureau)
        .word("product", &record.product)
        .word("purpose", &record.purpose)
        .word("business_ref", &record.business_ref)
        .number("attempts", record.attempts);
    if let Some(actor) = actor {
        draft = draft.actor(actor);
    }
    if let Some(tag) = tag {
        draft = draft.subject(tag);
    }
    if let Some(authorization) = &record.authorization_id {
        draft = draft.word("authorization", authorization);
    }
    if let Some(earlier) = &record.asks_again_for {
        draft = draft.word("asks_again_for", earlier);
    }
    draft
}

/// Begins an entry about an inquiry that does not change its state.
pub(crate) fn note(kind: Kind, record: &Record, actor: &Actor, at: Timestamp) -> Draft {
    Draft::new(kind, &record.institution, at)
        .about(&record.id)
        .actor(actor)
}

/// A bureau's code as an entry can hold it; one that is no word is named so.
pub(crate) fn code(code: &str) -> &str {
    if crate::audit::entry::is_word(code) {
        code
    } else {
        "not_a_word"
    }
}

/// Finishes an entry and tells its identifier.
pub(crate) fn finish(draft: Draft) -> Result<(Entry, String), EntryError> {
    let entry = draft.finish()?;
    let id = entry.id().to_string();
    Ok((entry, id))
}

/// The row of an answer, as an entry names a payload.
pub(crate) fn answer_place(inquiry: &InquiryId) -> crate::audit::outline::Place {
    crate::audit::outline::Place {
        table: "answers".to_owned(),
        column: "sealed".to_owned(),
        row: inquiry.to_string(),
    }
}
