//! Where working days come from.

use std::path::PathBuf;

use serde::Deserialize;

use crate::platform::calendar::NEXT_YEAR_FROM_MONTH;

/// Working days, as configuration names them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarConfig {
    /// A folder of files `<year>.toml`, which go before those that are built in.
    pub folder: Option<PathBuf>,
    /// From which month on it is an alarm that the working days of the next year
    /// are not known: 1 to 12. The State Council publishes them in November.
    pub next_year_from_month: i8,
}

impl Default for CalendarConfig {
    fn default() -> Self {
        Self {
            folder: None,
            next_year_from_month: NEXT_YEAR_FROM_MONTH,
        }
    }
}
