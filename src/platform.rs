//! What every capability stands on: clock, identifiers, database, vault,
//! configuration, certificates, logs. Nothing here knows a capability.

pub mod calendar;
pub mod certs;
pub mod clock;
pub mod command;
pub mod config;
pub mod db;
pub mod digest;
pub mod fault;
pub mod identity;
pub mod ids;
pub mod secret;
pub mod signer;
pub mod telemetry;
pub mod vault;
