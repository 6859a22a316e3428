//! Mandated formats as data, and the engine that reads them.

pub mod codes;
pub mod table;
