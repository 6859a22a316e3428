//! The `creditgate` command.

fn main() {}
