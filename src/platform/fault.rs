//! Points at which a test may stop the process, as a power cut would.
//!
//! Compiled to nothing without the feature `fault-points`. With it, the process
//! aborts at the point that the variable `CREDITGATE_FAULT` names: at its
//! n-th passing, written `name` (the first) or `name#3`.

/// Passes the point `name`.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn point(_name: &'static str) {}

/// Passes the point `name`; may not return.
#[cfg(feature = "fault-points")]
pub fn point(name: &'static str) {
    use std::{
        collections::HashMap,
        sync::{LazyLock, Mutex, PoisonError},
    };

    static WANTED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
        let text = std::env::var("CREDITGATE_FAULT").ok()?;
        Some(match text.split_once('#') {
            Some((name, count)) => (name.to_owned(), count.parse().unwrap_or(1)),
            None => (text, 1),
        })
    });
    static PASSED: LazyLock<Mutex<HashMap<&'static str, u32>>> = LazyLock::new(Mutex::default);

    let Some((wanted, count)) = &*WANTED else {
        return;
    };
    if wanted != name {
        return;
    }
    let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let times = passed.entry(name).or_default();
    *times += 1;
    if times == count {
        // No destructors, no flushing: what is not durable is lost.
        std::process::abort();
    }
}
