//! `creditgate serve`: the running gateway, until it is told to stop.

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{CliError, Common, Exit, out};
use crate::{
    gateway::{Gateway, serve},
    platform::{clock::Clock, config::Depth, telemetry},
};

pub(super) async fn run(common: &Common) -> Result<Exit, CliError> {
    let config = common.check(Depth::Files)?;
    telemetry::start_logs(config.logging.format, &config.logging.filter)?;
    let metrics = telemetry::start_metrics()?;
    let gateway = Gateway::open(config, Clock::system(), Some(metrics)).await?;
    let stop = on_signal().map_err(CliError::Start)?;
    serve(gateway, stop, |addresses| {
        // For whoever started it with port 0.
        out::note(&format!(
            "listening: machines={} people={} operations={}",
            addresses.machines, addresses.people, addresses.operations
        ));
    })
    .await?;
    Ok(Exit::Done)
}

/// Becomes true at SIGTERM or SIGINT.
pub(super) fn on_signal() -> std::io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    });
    Ok(stopped)
}
