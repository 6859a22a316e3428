//! The HTTP faces: one file per resource, no rules of their own.

pub mod inquiries;
pub mod listen;
pub mod log;
pub mod ops;
pub mod problem;
pub mod router;
pub mod who;
