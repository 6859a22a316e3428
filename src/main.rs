//! The `creditgate` command.

use std::process::ExitCode;

use clap::Parser as _;
use creditgate::cli::{self, Cli};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // It fails only where a provider is installed already, and this is the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    cli::main(Cli::parse()).into()
}
