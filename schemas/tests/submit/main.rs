//! The submission formats from outside: samples, faults, overlays, pairs, and xmllint.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod case;
mod cases;
mod checks;
mod coverage;
mod enterprise;
mod examine;
mod faults;
mod files;
mod fold;
mod generate;
mod intake;
mod overlay;
mod pairs;
mod roles;
mod samples;
mod sound;
mod support;
mod xsd;
