//! Mandated formats as data, and the engine that reads them.

pub mod classified;
pub mod codes;
pub mod coverage;
pub mod duty;
pub mod edition;
pub mod event;
mod explain;
mod expr;
pub mod file;
pub mod fold;
pub mod ident;
pub mod intake;
mod json_schema;
pub mod kind;
pub mod manual;
pub mod message;
pub mod plan;
mod predicate;
pub mod profile;
pub mod read;
pub mod record;
pub mod report;
pub mod role;
pub mod table;
pub mod text;
pub mod validate;
pub mod write;
pub mod xml;
pub mod xsd;

// Test code that other crates share names this one from outside.
#[cfg(test)]
extern crate self as schemas;
