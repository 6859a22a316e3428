//! Configuration: one typed struct for each section.

pub mod bureau;
