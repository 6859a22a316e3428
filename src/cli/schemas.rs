//! `creditgate schemas`: the mandated formats, as this program knows them.

mod template;

use super::{CliError, Common, Exit};

/// What is asked of the formats.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write a workbook to be filled with records
    Template(template::Args),
}

pub(super) fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    match command {
        Command::Template(args) => template::run(common, args),
    }
}
