//! The `creditgate` command.

use std::process::ExitCode;

use clap::Parser as _;
use creditgate::cli::{self, Cli};

fn main() -> ExitCode {
    // It fails only where a provider is installed already, and this is the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    cli::main(Cli::parse()).into()
}
