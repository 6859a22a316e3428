//! The audit log: its name, its key, and who remembers it outside.

use std::path::PathBuf;

use serde::Deserialize;

/// The audit log, as configuration names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// The name that checkpoints are signed under, such as
    /// `log.example-bank.cn/creditgate`; no spaces, no `+`. It never changes.
    pub origin: String,
    /// File with the log's private key, mode 0600.
    pub key: PathBuf,
    /// A checkpoint is signed and delivered so often, in seconds.
    #[serde(default = "a_minute")]
    pub checkpoint_seconds: u32,
    /// Places outside that remember checkpoints.
    #[serde(default)]
    pub sinks: Vec<SinkConfig>,
}

/// A folder, on another disk or machine, that remembers checkpoints.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkConfig {
    /// How messages call it.
    pub name: String,
    /// The folder; it must exist.
    pub folder: PathBuf,
}

fn a_minute() -> u32 {
    60
}
