//! How submissions go.

use std::path::PathBuf;

use serde::Deserialize;

/// How submissions go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmissionsConfig {
    /// Where sealed files wait and fetched feedback is kept: `outbox` and
    /// `inbox` in it. Unless given, the folder of a SQLite database, else
    /// `submissions` beside the configuration.
    #[serde(default)]
    pub folder: Option<PathBuf>,
}
