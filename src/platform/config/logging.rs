//! What is logged, and how.

use serde::Deserialize;

use crate::platform::telemetry::LogFormat;

/// Logs, as configuration rules them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoggingConfig {
    /// `pretty` or `json`.
    pub format: LogFormat,
    /// A level, or a list such as `info,sqlx=warn`.
    pub filter: String,
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            filter: "info".to_owned(),
        }
    }
}
