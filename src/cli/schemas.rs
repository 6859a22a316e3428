//! `creditgate schemas`: the mandated formats, for people and for other programs.

mod check;
mod coverage;
mod export;
mod show;
mod template;

use clap::Subcommand;
use jiff::civil::Date;
use schemas::edition::Edition;

use super::{CliError, Common, Exit};
use crate::platform::clock::Clock;

/// What can be done with the formats.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check submission files, written by any system, as the centre would before loading
    Check(check::Args),
    /// List every record, segment, item, code list and rule, and who judges it
    Coverage(coverage::Args),
    /// Write XML schemas, JSON schemas or manual pages
    Export(export::Args),
    /// Show the manual page of a record type
    Show(show::Args),
    /// Write a workbook to be filled with records
    Template(template::Args),
}

/// `today` picks the edition.
pub(super) fn run(common: &Common, command: &Command, today: Date) -> Result<Exit, CliError> {
    match command {
        Command::Check(args) => check::run(common, args, Clock::system().now()),
        Command::Coverage(args) => coverage::run(common, args, today),
        Command::Export(args) => export::run(common, args, today),
        Command::Show(args) => show::run(common, args, today),
        Command::Template(args) => template::run(common, args),
    }
}

/// The editions in force, each with the name of its format.
fn editions(today: Date) -> Vec<(&'static str, &'static Edition)> {
    let of = |format| Some((format, Edition::embedded(format, today)?));
    Edition::FORMATS.into_iter().filter_map(of).collect()
}

/// Refuses record types that no edition knows.
fn known(records: &[String], editions: &[(&str, &Edition)]) -> Result<(), CliError> {
    let is_known = |record: &String| {
        let mut editions = editions.iter();
        editions.any(|(_, edition)| edition.plan(record).is_some())
    };
    if records.iter().all(is_known) {
        Ok(())
    } else {
        Err(CliError::Usage(
            "no such record type; `creditgate schemas coverage` lists them",
        ))
    }
}
