//! Logs and metrics of the process.
//!
//! # Promise
//!
//! Logs go to standard error, as lines for people or as JSON; metrics are
//! rendered on demand. What is personal is kept out by its type, not by a filter
//! here.
//!
//! # Failure
//!
//! Both can be set up once a process; a second time is an error.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    #[default]
    Pretty,
}

/// Why logs or metrics could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter is not one of `tracing`.
    #[error("not a log filter; write a level, or target=level with commas between")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// They were set up before.
    #[error("logs or metrics were set up before")]
    Twice,
}

/// Sends logs to standard error; `filter` is a level or a list such as
/// `info,sqlx=warn`.
///
/// # Errors
///
/// [`TelemetryError`].
pub fn start_logs(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let logs = tracing_subscriber::registry().with(parse_filter(filter)?);
    match format {
        LogFormat::Json => {
            let json = fmt::layer().json().flatten_event(true);
            logs.with(json.with_writer(std::io::stderr)).try_init()
        }
        LogFormat::Pretty => {
            let colors = std::io::IsTerminal::is_terminal(&std::io::stderr());
            let lines = fmt::layer().with_ansi(colors).with_target(false);
            logs.with(lines.with_writer(std::io::stderr)).try_init()
        }
    }
    .map_err(|_| TelemetryError::Twice)
}

/// Whether `filter` can be used.
///
/// # Errors
///
/// [`TelemetryError::Filter`].
pub fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(TelemetryError::Filter)
}

/// Takes in the metrics of the process; the handle renders them in the text
/// format of Prometheus. Somebody must call its `run_upkeep` now and then.
///
/// # Errors
///
/// [`TelemetryError::Twice`].
pub fn start_metrics() -> Result<PrometheusHandle, TelemetryError> {
    PrometheusBuilder::new()
        .install_recorder()
        .map_err(|_| TelemetryError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_level_or_a_list() {
        for (filter, good) in [
            ("info", true),
            ("info,sqlx=warn,creditgate::audit=trace", true),
            ("warn,=", false),
            ("creditgate=loud", false),
        ] {
            assert_eq!(parse_filter(filter).is_ok(), good, "{filter}");
        }
    }

    #[test]
    fn metrics_are_rendered_and_started_once() {
        let handle = start_metrics().unwrap();
        metrics::counter!("probe_total", "bureau" => "pboc").increment(3);
        assert!(handle.render().contains("probe_total{bureau=\"pboc\"} 3"));
        assert!(matches!(start_metrics(), Err(TelemetryError::Twice)));
    }
}
