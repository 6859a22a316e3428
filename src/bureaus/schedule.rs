//! Delays before a repetition, and how many repetitions a line can afford.
//!
//! The only file that uses `backoff`, as a source of delays and nothing else:
//! it is unmaintained, and `docs/DEPENDENCIES.md` names its way out.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use backoff::{ExponentialBackoff, backoff::Backoff as _};

use crate::platform::config::bureau::RetryConfig;

/// The budget is counted in hundredths of a repetition.
const ONE: u32 = 100;

/// Repetitions that a line may make at once after a quiet time.
const RESERVE: u32 = 10 * ONE;

/// The schedule of repetitions of one line.
#[derive(Debug)]
pub(super) struct Schedule {
    config: RetryConfig,
    budget: Mutex<u32>,
}

impl Schedule {
    pub(super) fn new(config: RetryConfig) -> Self {
        Self {
            config,
            budget: Mutex::new(RESERVE),
        }
    }

    /// Counts an exchange: it pays for a share of a repetition.
    pub(super) fn earn(&self) {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        *budget = RESERVE.min(*budget + u32::from(self.config.budget_percent));
    }

    /// The delay before the next repetition, where `made` were made before it;
    /// `None` if there shall be no more, or if the delay ends after `left`.
    pub(super) fn delay(&self, made: u32, left: Duration) -> Option<Duration> {
        if made >= self.config.attempts {
            return None;
        }
        let delay = self.nth(made).filter(|delay| *delay < left)?;
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        *budget = budget.checked_sub(ONE)?;
        Some(delay)
    }

    /// Doubles from the first delay up to the longest, each between half and
    /// one and a half times that, so that callers do not come back together.
    fn nth(&self, made: u32) -> Option<Duration> {
        let first = Duration::from_millis(self.config.first_delay_ms);
        let mut delays = ExponentialBackoff {
            current_interval: first,
            initial_interval: first,
            randomization_factor: 0.5,
            multiplier: 2.0,
            max_interval: Duration::from_millis(self.config.longest_delay_ms),
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        for _ in 0..made {
            delays.next_backoff();
        }
        delays.next_backoff()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn schedule(attempts: u32, budget_percent: u8) -> Schedule {
        Schedule::new(RetryConfig {
            attempts,
            budget_percent,
            first_delay_ms: 100,
            longest_delay_ms: 1000,
        })
    }

    #[test]
    fn delays_grow_with_jitter_up_to_a_limit() {
        for (made, around) in [(0, 100), (1, 200), (2, 400), (3, 800), (4, 1000), (9, 1000)] {
            let schedule = schedule(10, 0);
            let delays: Vec<_> = (0..10)
                .map(|_| schedule.delay(made, HOUR).unwrap().as_millis())
                .collect();
            let range = around / 2..=around * 3 / 2;
            assert!(
                delays.iter().all(|d| range.contains(d)),
                "{made}: {delays:?}"
            );
            assert!(
                delays.iter().any(|d| *d != delays[0]),
                "no jitter: {delays:?}"
            );
        }
    }

    #[test]
    fn repetitions_end_with_attempts_deadline_or_budget() {
        assert_eq!(schedule(2, 10).delay(2, HOUR), None, "attempts");
        assert_eq!(schedule(0, 10).delay(0, HOUR), None, "none allowed");
        assert_eq!(
            schedule(2, 10).delay(0, Duration::from_millis(50)),
            None,
            "deadline"
        );
        let line = schedule(2, 10);
        let granted = (0..100).filter(|_| line.delay(0, HOUR).is_some()).count();
        assert_eq!(granted, 10, "the reserve");
        (0..10).for_each(|_| line.earn());
        assert!(line.delay(0, HOUR).is_some(), "ten exchanges earn one");
        assert!(line.delay(0, HOUR).is_none());
    }
}
