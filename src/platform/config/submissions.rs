//! How submissions go.

use std::path::PathBuf;

use serde::Deserialize;

/// How submissions go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmissionsConfig {
    /// Where sealed files wait and fetched feedback is kept: `outbox` and
    /// `inbox` in it. Unless given, the folder of a SQLite database, else
    /// `submissions` beside the configuration.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// How many days before sending a prior notice of negative information must
    /// have been delivered (SR-03; no law names a number).
    #[serde(default = "three")]
    pub notice_lead_days: u16,
}

impl Default for SubmissionsConfig {
    fn default() -> Self {
        Self {
            folder: None,
            notice_lead_days: three(),
        }
    }
}

fn three() -> u16 {
    3
}
