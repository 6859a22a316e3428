//! Mandated formats as data, and the engine that reads them.

pub mod classified;
pub mod codes;
pub mod coverage;
pub mod duty;
pub mod edition;
mod explain;
mod expr;
pub mod file;
pub mod fold;
pub mod ident;
pub mod intake;
pub mod kind;
pub mod message;
pub mod plan;
mod predicate;
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
