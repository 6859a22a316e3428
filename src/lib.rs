//! creditgate stands between an institution's systems and the credit bureaus.
//!
//! Arrows point down only: faces (`cli`, `api`) call capabilities, capabilities
//! call `bureaus` and `audit`, all of them stand on `platform`, the adapters
//! and `schemas`. `docs/ARCHITECTURE.md` is the map.

pub mod api;
pub mod audit;
pub mod authorizations;
pub mod bureaus;
pub mod cli;
pub mod demo;
pub mod disputes;
pub mod gateway;
pub mod inquiries;
pub mod ledger;
pub mod notices;
pub mod operators;
pub mod platform;
pub mod retention;
pub mod submissions;
#[cfg(test)]
mod testing;
