//! The only place that reads the wall clock.
//!
//! Times are UTC with microseconds, stored as BIGINT. Law and file dates are
//! days at a fixed +08:00: China has known no daylight saving time since 1991.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{
    Timestamp, Zoned,
    civil::Date,
    tz::{Offset, TimeZone},
};

/// Where times come from; an argument of everything that needs one.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Hand(Arc<AtomicI64>),
    System,
}

impl Clock {
    /// The wall clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands until [`Clock::set`] moves it. For tests.
    #[must_use]
    pub fn standing(at: Timestamp) -> Self {
        Self(Source::Hand(Arc::new(AtomicI64::new(micros(at)))))
    }

    /// Moves a standing clock; no effect on the wall clock.
    pub fn set(&self, at: Timestamp) {
        if let Source::Hand(hand) = &self.0 {
            hand.store(micros(at), Ordering::SeqCst);
        }
    }

    /// Now, to the microsecond.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Hand(hand) => from_micros(hand.load(Ordering::SeqCst)),
            Source::System => from_micros(micros(Timestamp::now())),
        }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Source::Hand(_) => "Clock(standing)",
            Source::System => "Clock(system)",
        })
    }
}

/// UTC microseconds since 1970, as the database keeps them.
#[must_use]
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The time of a stored count of microseconds; a count beyond jiff's range
/// (year 9999) becomes the nearest end of it.
#[must_use]
pub fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// The wall time at +08:00.
#[must_use]
pub fn china(at: Timestamp) -> Zoned {
    at.to_zoned(zone())
}

/// The day at +08:00.
#[must_use]
pub fn china_date(at: Timestamp) -> Date {
    china(at).date()
}

/// The moment at which a day begins at +08:00.
#[must_use]
pub fn china_midnight(day: Date) -> Timestamp {
    day.to_zoned(zone())
        .map_or(Timestamp::MAX, |start| start.timestamp())
}

fn zone() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_in_china_begins_at_sixteen_utc() {
        let before: Timestamp = "2026-02-28T15:59:59.999999Z".parse().unwrap();
        let after: Timestamp = "2026-02-28T16:00:00Z".parse().unwrap();
        assert_eq!(china_date(before), date(2026, 2, 28));
        assert_eq!(china_date(after), date(2026, 3, 1));
        assert_eq!(china_midnight(date(2026, 3, 1)), after);
    }

    #[test]
    fn a_standing_clock_moves_only_when_set() {
        let clock = Clock::standing(from_micros(5));
        let same = clock.clone();
        assert_eq!(clock.now(), clock.now());
        clock.set(from_micros(9));
        assert_eq!(micros(same.now()), 9);
    }
}
