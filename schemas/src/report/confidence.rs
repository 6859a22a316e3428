//! How sure the tables are of what they say.

use serde::Serialize;

/// How well a row of a table is founded; the least sure comes first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Memory or inference.
    Low,
    /// One source.
    Medium,
    /// Two independent sources, or the official text.
    High,
}

impl Confidence {
    /// The one that the tables call so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            _ => return None,
        })
    }
}
