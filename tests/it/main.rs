//! The tests that run the whole gateway.
fn main() {}
