//! Points at which a test may stop the process, as a power cut would.
//!
//! Compiled to nothing without the feature `fault-points`. With it, the process
//! aborts at the point that the variable `CREDITGATE_FAULT` names: at its
//! n-th passing, written `name` (the first) or `name#3`.
//!
//! Every change of an inquiry's state passes two, on either side of its commit
//! ([`edge`]); [`POINTS`] are the others.

/// All points that are not on an edge between states.
pub const POINTS: [&str; 7] = [
    "dispatch.replied",
    "exchange.ended",
    "log.delivered",
    "log.sequenced",
    "log.signed",
    "start.owned",
    "start.recovered",
];

/// On which side of the commit of a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Commit {
    /// It is durable, and nobody was told.
    After,
    /// It is written and not durable.
    Before,
}

/// Points of submissions that are not on an edge between states of a file.
pub const SUBMISSION_POINTS: [&str; 9] = [
    "submission.enrolled",
    "submission.chunk.before",
    "submission.chunk.after",
    "submission.assigned",
    "submission.on_disk",
    "submission.carried",
    "submission.feedback_kept",
    "submission.answers.before",
    "submission.answers.after",
];

/// The name of the point at a change between two states, such as
/// `on_hold>permitted.after`.
#[must_use]
pub fn edge_name(from: &str, to: &str, commit: Commit) -> String {
    let side = match commit {
        Commit::After => "after",
        Commit::Before => "before",
    };
    format!("{from}>{to}.{side}")
}

/// Passes the point `name`.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn point(_name: &'static str) {}

/// Passes the point `name` of submissions.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn submission_point(_name: &'static str) {}

/// Passes the point at a change between two states.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn edge(_from: &str, _to: &str, _commit: Commit) {}

/// Passes the point `name`; may not return.
#[cfg(feature = "fault-points")]
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "{name} is not listed");
    pass(name);
}

/// Passes the point `name` of submissions; may not return.
#[cfg(feature = "fault-points")]
pub fn submission_point(name: &'static str) {
    debug_assert!(SUBMISSION_POINTS.contains(&name), "{name} is not listed");
    pass(name);
}

/// Passes the point at a change between two states; may not return.
#[cfg(feature = "fault-points")]
pub fn edge(from: &str, to: &str, commit: Commit) {
    pass(&edge_name(from, to, commit));
}

#[cfg(feature = "fault-points")]
fn pass(name: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };

    static WANTED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
        let text = std::env::var("CREDITGATE_FAULT").ok()?;
        Some(match text.split_once('#') {
            Some((name, count)) => (name.to_owned(), count.parse().unwrap_or(1)),
            None => (text, 1),
        })
    });
    static PASSED: AtomicU32 = AtomicU32::new(0);

    let Some((wanted, count)) = &*WANTED else {
        return;
    };
    if wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *count {
        // No destructors, no flushing: what is not durable is lost.
        std::process::abort();
    }
}
