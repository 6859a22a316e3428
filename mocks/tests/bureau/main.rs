//! The mock as its clients see it: over mutual TLS, and by its admin port.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod admin;
mod admin_desk;
mod answers;
mod client;
mod desk;
mod desk_samples;
mod desk_schemas;
mod faults;
mod parcel;
