//! Mandated formats as data, and the engine that reads them.

pub mod codes;
pub mod ident;
pub mod message;
pub mod report;
pub mod table;
pub mod text;
pub mod xml;
