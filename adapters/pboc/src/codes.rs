//! The bureau's result codes, as outcomes.
//!
//! The table itself stands in `schemas`; here is what class and report make of
//! each other.

use contract::{Outcome, Rejection};
use schemas::message::{self, Class, ResultCode};
use schemas::text::Label;

/// Service of the personal report (S2, S5; high).
pub(crate) const PERSONAL_SERVICE: &str = "FW_GRXYBG_0074";

/// Whether a report under this code is a partial one; nothing where no report
/// belongs to the code.
pub(crate) fn is_partial(code: &str) -> Option<bool> {
    match message::result_code(code)?.class {
        Class::Partial => Some(true),
        Class::Report => Some(false),
        Class::NoHit | Class::Rejected => None,
    }
}

/// What the code says when no report came with it; nothing where one belongs
/// to it.
pub(crate) fn without_report(code: String) -> Option<Outcome> {
    let listed = message::result_code(&code);
    match listed.map(|entry| entry.class) {
        Some(Class::Report) => None,
        Some(Class::NoHit) => Some(Outcome::NoHit { code }),
        // A shortened report that is not there at all was refused.
        Some(Class::Partial | Class::Rejected) | None => {
            let words = |pick: fn(&ResultCode) -> Label<'static>| match listed.map(pick) {
                Some(Label { zh, en }) => [zh, en].map(str::to_owned),
                None => [String::new(), String::new()],
            };
            Some(Outcome::Rejected(Rejection {
                meaning: words(|entry| entry.meaning),
                cure: words(|entry| entry.cure),
                listed: listed.is_some(),
                code,
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_code_has_an_outcome_with_and_without_a_report() {
        for entry in message::result_codes() {
            let code = entry.code;
            let expected = match code {
                "AAA000" => (Some(false), "none"),
                "AAA001" => (None, "no hit"),
                "DBO004" => (Some(true), "refused"),
                _ => (None, "refused"),
            };
            let alone = match without_report(code.to_owned()) {
                None => "none",
                Some(Outcome::NoHit { .. }) => "no hit",
                Some(Outcome::Rejected(r)) if r.listed && !r.cure[0].is_empty() => "refused",
                Some(_) => "something else",
            };
            assert_eq!((is_partial(code), alone), expected, "code {code}");
        }
    }
}
