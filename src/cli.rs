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

mod audit;
mod authorizations;
mod certs;
mod client;
mod clocks;
mod completions;
mod demo;
mod erasures;
mod error;
mod exit;
mod explain;
mod feedback;
mod inquire;
mod inquiry;
mod keys;
mod ledger;
mod notices;
mod operators;
mod out;
mod problem;
mod register;
mod report;
mod request;
mod schemas;
mod serve;
mod settings;
mod submit;

use std::path::PathBuf;

use clap::{
    Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use ::schemas::text::Language;

use crate::platform::clock::Clock;

pub use self::{error::CliError, exit::Exit, problem::Problem};

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
    /// Verify, export or prove the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Take in what subjects signed
    #[command(subcommand)]
    Authorizations(authorizations::Command),
    /// Make certificates and signing keys
    #[command(subcommand)]
    Certs(certs::Command),
    /// Show what of submissions is late, by working days, and what to do
    Clocks(clocks::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Check the configuration
    #[command(subcommand)]
    Config(settings::Command),
    /// Play the whole house on one machine, with synthetic data
    Demo(demo::Args),
    /// Keep the list of erasures outside, and apply it after a restore
    #[command(subcommand)]
    Erasures(erasures::Command),
    /// Ask whether an inquiry would be permitted, and what is missing
    Explain(explain::Args),
    /// Show what the bureau said of files, or bring a feedback file by hand
    #[command(subcommand)]
    Feedback(feedback::Command),
    /// Ask a bureau for a report
    Inquire(inquire::Args),
    /// Show, release or withdraw an inquiry
    #[command(subcommand)]
    Inquiry(inquiry::Command),
    /// Make and change keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Take over what was reported before this gateway
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Record prior notices of negative information
    #[command(subcommand)]
    Notices(notices::Command),
    /// Make the first accounts of an institution
    #[command(subcommand)]
    Operators(operators::Command),
    /// Search the list of inquiries
    Register(register::Args),
    /// Ask what the mandated formats say
    #[command(subcommand)]
    Schemas(schemas::Command),
    /// Run the gateway
    Serve,
    /// Hand records in for a bureau, or check them
    Submit(submit::Args),
}

/// Does what the arguments say; a failure is printed here.
#[must_use]
pub fn main(cli: Cli) -> Exit {
    let json = cli.common.json;
    run(cli).unwrap_or_else(|error| {
        error.print(json);
        error.exit()
    })
}

fn run(cli: Cli) -> Result<Exit, CliError> {
    let Cli { common, command } = cli;
    match command {
        Command::Audit(command) => block(audit::run(&common, &command)),
        Command::Authorizations(command) => block(authorizations::run(&common, &command)),
        Command::Certs(command) => certs::run(&common, &command, Clock::system().now()),
        Command::Clocks(args) => block(clocks::run(&common, &args)),
        Command::Completions(args) => completions::run(&args),
        Command::Config(command) => settings::run(&common, &command),
        Command::Demo(args) => block(demo::run(&common, &args)),
        Command::Erasures(command) => block(erasures::run(&common, &command, Clock::system())),
        Command::Explain(args) => block(explain::run(&common, &args)),
        Command::Feedback(command) => block(feedback::run(&common, &command)),
        Command::Inquire(args) => block(inquire::run(&common, &args)),
        Command::Inquiry(command) => block(inquiry::run(&common, &command)),
        Command::Keys(command) => block(keys::run(&common, &command, Clock::system())),
        Command::Ledger(command) => block(ledger::run(&common, &command, Clock::system())),
        Command::Notices(command) => block(notices::run(&common, &command)),
        Command::Operators(command) => block(operators::run(&common, &command, Clock::system())),
        Command::Register(args) => block(register::run(&common, &args)),
        Command::Schemas(command) => schemas::run(&common, &command),
        Command::Serve => block(serve::run(&common)),
        Command::Submit(args) => block(submit::run(&common, &args)),
    }
}

fn block(work: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Start)?
        .block_on(work)
}

/// Reads `--lang`.
fn language() -> impl TypedValueParser<Value = Language> {
    PossibleValuesParser::new(["en", "zh"]).map(|name| match name.as_str() {
        "en" => Language::En,
        _ => Language::Zh,
    })
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
