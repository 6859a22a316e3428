//! The findings of events. Their codes are ours: the bureau never sees an event.

use crate::validate::{Finding, Severity};

/// What the event says and `items` says do not agree.
pub(super) const CONTRADICTS: &str = "event_contradicts";
/// The line is no JSON object.
pub(super) const JSON: &str = "event_not_json";
/// A field is missing.
pub(super) const MISSING: &str = "event_field_missing";
/// What a record must say follows neither from the event nor from what was accepted.
pub(super) const NEEDS: &str = "event_needs";
/// No mandated record of this profile is for it.
pub(super) const NO_RECORD: &str = "event_no_record";
/// A field stands twice.
pub(super) const REPEATED: &str = "event_field_repeated";
/// The line is too long.
pub(super) const TOO_LARGE: &str = "event_too_large";
/// There is no such field.
pub(super) const UNKNOWN: &str = "event_field_unknown";
/// A field has a value that it cannot have.
pub(super) const VALUE: &str = "event_value";

/// A finding about a field of an event, or an item of a record.
pub(super) fn finding(record: &str, code: &str, path: &str, zh: &str, en: &str) -> Finding {
    let tag = path
        .rsplit('/')
        .next()
        .filter(|tag| !tag.is_empty() && path != ".");
    Finding {
        rule: code.to_owned(),
        record: record.to_owned(),
        tag: tag.unwrap_or("0000").to_owned(),
        path: path.to_owned(),
        code: code.to_owned(),
        severity: Severity::Error,
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}
