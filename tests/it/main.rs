//! The tests that run the whole gateway.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod api;
mod cli;
mod crash;
mod erasure;
mod inquiries;
mod listeners;
mod privacy;
mod strays;
mod submissions;
mod support;
