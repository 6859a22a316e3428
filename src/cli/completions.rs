//! `creditgate completions`: scripts that let a shell complete arguments.

use clap::{CommandFactory as _, ValueEnum};
use clap_complete::Shell as Dialect;

use super::{Cli, CliError, Exit, out};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which shell.
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Fish,
    Zsh,
}

pub(super) fn run(args: &Args) -> Result<Exit, CliError> {
    let dialect = match args.shell {
        Shell::Bash => Dialect::Bash,
        Shell::Fish => Dialect::Fish,
        Shell::Zsh => Dialect::Zsh,
    };
    let mut script = Vec::new();
    clap_complete::generate(dialect, &mut Cli::command(), "creditgate", &mut script);
    out::line(&script)?;
    Ok(Exit::Done)
}
