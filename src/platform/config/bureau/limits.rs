//! How much, how often and how long, as configuration names it.

use serde::Deserialize;

/// How much a bureau may be asked. Rates are kept in memory, quotas of a day in
/// the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Inquiries on the line at a time.
    pub concurrency: u16,
    /// For all institutions together.
    pub bureau: ScopeLimits,
    /// For each institution.
    pub institution: ScopeLimits,
    /// For each operator or machine client.
    pub operator: ScopeLimits,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            concurrency: 8,
            bureau: ScopeLimits::default(),
            institution: ScopeLimits::default(),
            operator: ScopeLimits::default(),
        }
    }
}

/// Limits of one scope; what is not given is not limited.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeLimits {
    /// Inquiries a minute, evenly spread.
    pub per_minute: Option<u32>,
    /// How many may come at once before they are spread; 1 unless given.
    pub burst: Option<u32>,
    /// Inquiries a day at +08:00.
    pub per_day: Option<u32>,
}

/// When to stop asking a line that fails.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// So many failures in a row open it.
    pub failures_in_a_row: u32,
    /// The last so many exchanges are counted for the share.
    pub window: u16,
    /// This share of failures in a full window opens it.
    pub failure_percent: u8,
    /// After so many seconds one exchange probes the line.
    pub open_seconds: u64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures_in_a_row: 5,
            window: 20,
            failure_percent: 50,
            open_seconds: 30,
        }
    }
}

/// Repetition of what provably was not sent; each one is decided again.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Repetitions of one inquiry at most (QR-30 allows two).
    pub attempts: u32,
    /// Delay before the first one, in milliseconds.
    pub first_delay_ms: u64,
    /// No delay is longer, in milliseconds.
    pub longest_delay_ms: u64,
    /// Repetitions at most, as a share of all exchanges of the line.
    pub budget_percent: u8,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 2,
            first_delay_ms: 500,
            longest_delay_ms: 10_000,
            budget_percent: 10,
        }
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutsConfig {
    /// Until name, connection and TLS stand, in seconds.
    pub connect_seconds: u64,
    /// Until the whole answer is there, connecting included, in seconds.
    pub answer_seconds: u64,
    /// A connection that rests longer is not used again, in seconds. Keep it
    /// below what the bureau waits: a connection that dies under a request
    /// leaves its fate unknown.
    pub idle_seconds: u64,
}

impl Default for TimeoutsConfig {
    fn default() -> Self {
        Self {
            connect_seconds: 10,
            answer_seconds: 60,
            idle_seconds: 10,
        }
    }
}
