//! `creditgate schemas`: the mandated formats, and files in them, without a gateway.

mod check;

use jiff::Timestamp;

use super::{CliError, Common, Exit};

/// Subcommands.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check submission files, written by any system, as the centre would before loading
    Check(check::Args),
}

pub(super) fn run(common: &Common, command: &Command, now: Timestamp) -> Result<Exit, CliError> {
    match command {
        Command::Check(args) => check::run(common, args, now),
    }
}
