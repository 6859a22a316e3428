//! The bureau's result codes, as outcomes.
//!
//! The table itself stands in `schemas`; here is what class and report make of
//! each other.

use contract::{Outcome, Rejection};
use schemas::message::{Class, Interface, ResultCode};
use schemas::text::Label;

/// Whether a report under this code is a partial one; nothing where no report
/// belongs to the code.
pub(crate) fn is_partial(interface: Interface, code: &str) -> Option<bool> {
    match interface.result_code(code)?.class {
        Class::Partial => Some(true),
        Class::Report => Some(false),
        Class::NoHit | Class::Rejected | Class::Undecided => None,
    }
}

/// What the code says when no report came with it; nothing where one belongs
/// to it.
pub(crate) fn without_report(interface: Interface, code: String) -> Option<Outcome> {
    match interface.result_code(&code).map(|entry| entry.class) {
        Some(Class::Report) => None,
        Some(Class::NoHit) => Some(Outcome::NoHit { code }),
        Some(Class::Undecided) => Some(Outcome::Undecided { code }),
        // A shortened report that is not there at all was refused.
        Some(Class::Partial | Class::Rejected) | None => {
            Some(Outcome::Rejected(rejection(interface, code)))
        }
    }
}

/// A code as a refusal, with what our tables say of it.
pub(crate) fn rejection(interface: Interface, code: String) -> Rejection {
    let listed = interface.result_code(&code);
    let words = |pick: fn(&ResultCode) -> Label<'static>| match listed.map(pick) {
        Some(Label { zh, en }) => [zh, en].map(str::to_owned),
        None => [String::new(), String::new()],
    };
    Rejection {
        meaning: words(|entry| entry.meaning),
        cure: words(|entry| entry.cure),
        listed: listed.is_some(),
        code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_code_has_an_outcome_with_and_without_a_report() {
        for interface in Interface::ALL {
            for entry in interface.result_codes() {
                let code = entry.code;
                let expected = match code {
                    "AAA000" => (Some(false), "none"),
                    "AAA001" => (None, "no hit"),
                    "DBO004" => (Some(true), "refused"),
                    _ if code.starts_with("ATO") => (None, "undecided"),
                    _ => (None, "refused"),
                };
                let alone = match without_report(interface, code.to_owned()) {
                    None => "none",
                    Some(Outcome::NoHit { .. }) => "no hit",
                    Some(Outcome::Undecided { .. }) => "undecided",
                    Some(Outcome::Rejected(r)) if r.listed && !r.cure[0].is_empty() => "refused",
                    Some(_) => "something else",
                };
                let found = (is_partial(interface, code), alone);
                assert_eq!(found, expected, "{interface:?} {code}");
            }
        }
    }
}
