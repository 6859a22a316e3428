//! Rates: how fast a bureau, an institution, an operator may ask. In memory; a
//! restart forgets them, the quotas of a day it does not.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use governor::{Quota, RateLimiter, clock::Clock, state::keyed::HashMapStateStore};

use crate::platform::config::bureau::ScopeLimits;

/// After so many turns, keys that are as good as new are forgotten.
const SWEEP: u32 = 1024;

/// The rate of one scope, by holder.
pub(super) struct Rate {
    limiter: Option<RateLimiter<String, HashMapStateStore<String>, Turning>>,
    turns: AtomicU32,
}

impl Rate {
    /// A rate of none is no rate.
    pub(super) fn new(limits: ScopeLimits) -> Self {
        let limiter = limits.per_minute.and_then(NonZeroU32::new).map(|rate| {
            let burst = limits
                .burst
                .and_then(NonZeroU32::new)
                .unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_minute(rate).allow_burst(burst);
            RateLimiter::hashmap_with_clock(quota, Turning)
        });
        Self {
            limiter,
            turns: AtomicU32::new(0),
        }
    }

    /// Takes the holder's turn, or tells how long it is until there is one.
    pub(super) fn take(&self, holder: &String) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        if self.turns.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            limiter.retain_recent();
        }
        limiter
            .check_key(holder)
            .map_err(|not_until| not_until.wait_time_from(Turning.now()))
    }
}

/// Tokio's clock, which tests can stop.
#[derive(Clone, Debug)]
struct Turning;

impl Clock for Turning {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_evenly() {
        let rate = Rate::new(toml::from_str("per_minute = 6\nburst = 2").unwrap());
        let (one, two) = ("one".to_owned(), "two".to_owned());
        assert_eq!(rate.take(&one), Ok(()));
        assert_eq!(rate.take(&one), Ok(()));
        let wait = rate.take(&one).unwrap_err();
        assert_eq!(wait, Duration::from_secs(10));
        assert_eq!(rate.take(&two), Ok(()), "each holder has its own");
        tokio::time::advance(wait).await;
        assert_eq!(rate.take(&one), Ok(()));
        assert!(rate.take(&one).is_err());
    }

    #[test]
    fn what_is_not_given_is_not_limited() {
        let rate = Rate::new(ScopeLimits::default());
        assert!((0..1000).all(|_| rate.take(&"one".to_owned()).is_ok()));
    }
}
