//! Where working days come from.

use std::path::PathBuf;

use serde::Deserialize;

/// Working days, as configuration names them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarConfig {
    /// A folder of files `<year>.toml`, which go before those that are built in.
    pub folder: Option<PathBuf>,
}
