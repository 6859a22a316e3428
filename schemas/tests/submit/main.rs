//! The submission formats from outside: samples, faults, overlays, pairs, and xmllint.

mod samples;
mod support;
