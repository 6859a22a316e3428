//! The command line: one file per subcommand, and what they share.
//!
//! # Promise
//!
//! Results go to standard output, everything else to standard error, and the
//! exit code says what became of it ([`Exit`]). No personal datum and no secret
//! is ever an argument: arguments stand in process lists and shell histories.
//!
//! # What is not here
//!
//! No rule. Commands that act on a running gateway are thin clients of its
//! HTTP API, the others call the library.
//!
//! # Failure
//!
//! One sentence on standard error, with its causes.

mod certs;
mod completions;
mod error;
mod exit;
mod out;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::platform::clock::Clock;

pub use self::{error::CliError, exit::Exit};

/// The arguments of a call.
#[derive(Debug, Parser)]
#[command(
    name = "creditgate",
    about = "A credit-reporting integration gateway",
    version,
    propagate_version = true,
    after_help = exit::table()
)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands, before or after its name.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Common {
    /// The configuration.
    #[arg(
        long,
        value_name = "FILE",
        env = "CREDITGATE_CONFIG",
        default_value = "creditgate.toml",
        global = true
    )]
    pub(crate) config: PathBuf,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make certificates and signing keys
    #[command(subcommand)]
    Certs(certs::Command),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// Does what the arguments say; a failure is printed here.
#[must_use]
pub fn main(cli: Cli) -> Exit {
    run(cli).unwrap_or_else(|error| {
        error.print();
        error.exit()
    })
}

fn run(cli: Cli) -> Result<Exit, CliError> {
    let Cli { common, command } = cli;
    match command {
        Command::Certs(command) => certs::run(&common, &command, Clock::system().now()),
        Command::Completions(args) => completions::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn common_arguments_stand_before_or_after_the_command() {
        for line in [
            "creditgate --config a.toml --json completions bash",
            "creditgate completions bash --json --config a.toml",
            "creditgate --json completions --config a.toml bash",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.common.config, PathBuf::from("a.toml"), "{line}");
            assert!(cli.common.json, "{line}");
        }
    }
}
