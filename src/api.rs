//! The HTTP faces: one file per resource, no rules of their own.

pub mod listen;
pub mod problem;
