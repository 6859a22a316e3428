//! Stops asking a line that fails, and finds out when it works again.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::platform::config::bureau::BreakerConfig;

/// Closed, open, or half open with one probe on the way. Times are arguments.
#[derive(Debug)]
pub(super) struct Breaker {
    config: BreakerConfig,
    in_a_row: u32,
    /// The last exchanges; `true` is a failure.
    recent: VecDeque<bool>,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Closed,
    Open { until: Instant },
    Probing,
}

/// Whether an exchange may begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Admission {
    /// It may; as the only probe of an open breaker, if so.
    Go { probe: bool },
    /// Not before that moment.
    NotBefore(Instant),
    /// Not before the probe on the way has come back.
    AfterProbe,
}

/// What an exchange tells about the line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Health {
    /// The bureau replied, whatever it said.
    Answers,
    /// It did not.
    Fails,
    /// Nothing was tried.
    Untried,
}

impl Breaker {
    pub(super) fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            in_a_row: 0,
            recent: VecDeque::with_capacity(config.window.into()),
            state: State::Closed,
        }
    }

    /// Asks to begin an exchange. Who goes as a probe must [`Breaker::report`].
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            State::Closed => Admission::Go { probe: false },
            State::Open { until } if now < until => Admission::NotBefore(until),
            State::Open { .. } => {
                self.state = State::Probing;
                Admission::Go { probe: true }
            }
            State::Probing => Admission::AfterProbe,
        }
    }

    /// Takes in how an exchange went.
    pub(super) fn report(&mut self, probe: bool, health: Health, now: Instant) {
        match (probe, health) {
            (true, Health::Answers) => *self = Self::new(self.config),
            (true, Health::Fails) => self.open(now),
            // The next one probes, at once.
            (true, Health::Untried) => self.state = State::Open { until: now },
            (false, Health::Untried) => {}
            // Late news of exchanges from before it opened.
            (false, _) if self.state != State::Closed => {}
            (false, health) => self.count(health == Health::Fails, now),
        }
    }

    /// `closed`, `open` or `half_open`.
    pub(super) fn name(&self, now: Instant) -> &'static str {
        match self.state {
            State::Closed => "closed",
            State::Open { until } if now < until => "open",
            State::Open { .. } | State::Probing => "half_open",
        }
    }

    fn count(&mut self, failed: bool, now: Instant) {
        self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
        let window = usize::from(self.config.window);
        if self.recent.len() == window {
            self.recent.pop_front();
        }
        self.recent.push_back(failed);
        let failures = self.recent.iter().filter(|failed| **failed).count();
        let share_reached = self.recent.len() == window
            && failures * 100 >= window * usize::from(self.config.failure_percent);
        if failed && (self.in_a_row >= self.config.failures_in_a_row || share_reached) {
            self.open(now);
        }
    }

    fn open(&mut self, now: Instant) {
        self.in_a_row = 0;
        self.recent.clear();
        self.state = State::Open {
            until: now + Duration::from_secs(self.config.open_seconds),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission::*, Health::*, *};

    fn breaker() -> Breaker {
        Breaker::new(BreakerConfig {
            failures_in_a_row: 3,
            window: 10,
            failure_percent: 50,
            open_seconds: 30,
        })
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_after_a_good_probe() {
        let (mut breaker, start) = (breaker(), Instant::now());
        for health in [Fails, Fails, Answers, Fails, Fails, Untried] {
            breaker.report(false, health, start);
            assert_eq!(breaker.admit(start), Go { probe: false });
        }
        breaker.report(false, Fails, start);
        let until = start + Duration::from_secs(30);
        assert_eq!(breaker.admit(start), NotBefore(until));
        assert_eq!(breaker.name(start), "open");
        assert_eq!(breaker.admit(until), Go { probe: true });
        assert_eq!(breaker.admit(until), AfterProbe, "one probe at a time");
        breaker.report(false, Answers, until);
        assert_eq!(
            breaker.admit(until),
            AfterProbe,
            "late news does not close it"
        );
        breaker.report(true, Fails, until);
        assert!(matches!(breaker.admit(until), NotBefore(_)));
        let later = until + Duration::from_secs(30);
        assert_eq!(breaker.name(later), "half_open");
        assert_eq!(breaker.admit(later), Go { probe: true });
        breaker.report(true, Answers, later);
        assert_eq!(breaker.admit(later), Go { probe: false });
        assert_eq!(breaker.name(later), "closed");
    }

    #[test]
    fn it_opens_at_a_share_of_failures_in_a_full_window() {
        let (mut breaker, start) = (breaker(), Instant::now());
        for n in 0..9 {
            breaker.report(false, if n % 2 == 0 { Answers } else { Fails }, start);
            assert_eq!(breaker.admit(start), Go { probe: false }, "{n}");
        }
        breaker.report(false, Fails, start);
        assert!(matches!(breaker.admit(start), NotBefore(_)));
    }

    #[test]
    fn a_probe_that_was_never_tried_leaves_room_for_the_next() {
        let (mut breaker, start) = (breaker(), Instant::now());
        (0..3).for_each(|_| breaker.report(false, Fails, start));
        let later = start + Duration::from_secs(31);
        assert_eq!(breaker.admit(later), Go { probe: true });
        breaker.report(true, Untried, later);
        assert_eq!(breaker.admit(later), Go { probe: true });
    }
}
