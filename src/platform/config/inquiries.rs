//! How inquiries are held, answered from earlier reports, and given up.

use serde::Deserialize;

/// Inquiries, as configuration rules them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InquiriesConfig {
    /// Purposes whose inquiries wait for a second person.
    pub checker_purposes: Vec<String>,
    /// How long an inquiry waits for its checker, in hours.
    pub checker_hours: u32,
    /// A report of at most so many days is offered before a new one is pulled;
    /// 0 offers none.
    pub fresh_report_days: u32,
    /// How long an inquiry may wait for the bureau's line unless it says
    /// otherwise, in seconds.
    pub wait_seconds: u32,
    /// The longest that it may ask to wait, in seconds: until the next morning.
    pub longest_wait_seconds: u32,
    /// How long a client may hold its request open for an answer, in seconds.
    pub longest_prefer_seconds: u32,
    /// An inquiry whose fate is unknown for so many hours raises an alarm.
    pub unknown_alarm_hours: u32,
}

impl Default for InquiriesConfig {
    fn default() -> Self {
        Self {
            checker_purposes: Vec::new(),
            checker_hours: 24,
            fresh_report_days: 30,
            wait_seconds: 300,
            longest_wait_seconds: 16 * 3600,
            longest_prefer_seconds: 60,
            unknown_alarm_hours: 24,
        }
    }
}
