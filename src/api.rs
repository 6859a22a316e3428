//! The HTTP faces: one file per resource, no rules of their own.

mod account;
mod address;
mod authorizations;
mod body;
mod bureaus;
mod clients;
mod disputes;
mod explain;
mod findings;
pub mod inquiries;
mod layers;
pub mod listen;
pub mod log;
mod memberships;
mod notices;
mod operators;
pub mod ops;
mod policies;
pub mod problem;
mod register;
pub mod router;
mod subjects;
mod submissions;
pub mod who;
