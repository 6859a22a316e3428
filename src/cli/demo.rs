//! `creditgate demo`: the whole house on one machine, and a play in it.

use std::path::PathBuf;

use schemas::text::Language;

use super::{CliError, Common, Exit, out};
use crate::{
    demo::{self, Stage},
    platform::{clock::Clock, telemetry},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End after the play; the exit code tells whether all went as told
    #[arg(long)]
    once: bool,
    /// The folder to make; one that an earlier demo made is made anew
    #[arg(long, value_name = "FOLDER", default_value = "demo-data")]
    folder: PathBuf,
    /// The language of the play
    #[arg(long, default_value = "en", value_parser = super::language())]
    lang: Language,
    /// A log filter; its log goes to standard error
    #[arg(long, value_name = "FILTER", default_value = "error")]
    log: String,
}

pub(super) async fn run(_: &Common, args: &Args) -> Result<Exit, CliError> {
    telemetry::start_logs(telemetry::LogFormat::Pretty, &args.log)?;
    let metrics = telemetry::start_metrics()?;
    let stop = super::serve::on_signal().map_err(CliError::Start)?;
    let stage = Stage {
        folder: args.folder.clone(),
        language: args.lang,
        once: args.once,
        clock: Clock::system(),
        say: Box::new(|line| {
            // Whether anybody reads it does not matter.
            let _ = out::text(line);
        }),
    };
    let good = demo::play(stage, metrics, stop).await?;
    Ok(if good { Exit::Done } else { Exit::Failed })
}
