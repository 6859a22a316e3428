//! When a bureau answers: windows of each weekday at +08:00.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};

use crate::platform::{
    clock::{china_date, china_midnight},
    config::bureau::{HoursConfig, Window},
};

/// Beyond so many days nobody waits for an opening.
const HORIZON_DAYS: i64 = 31;

/// Opening hours, a pure function of the time.
#[derive(Clone, Debug)]
pub struct Hours {
    /// Monday first, each in order.
    week: [Vec<Window>; 7],
    closed_on: Vec<Date>,
}

impl Hours {
    /// The hours of a configuration.
    #[must_use]
    pub fn new(config: &HoursConfig) -> Self {
        let week = config.week().map(|windows| {
            let mut windows = windows.to_vec();
            windows.sort();
            windows
        });
        Self {
            week,
            closed_on: config.closed_on.clone(),
        }
    }

    /// The first moment at or after `at` at which the bureau answers: `at`
    /// itself while it is open. `None` if it does not open within 31 days.
    #[must_use]
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        let today = china_date(at);
        (0..=HORIZON_DAYS).find_map(|ahead| {
            let day = today.checked_add(ahead.days()).ok()?;
            self.windows(day).iter().find_map(|window| {
                let (from, until) = moments(day, *window)?;
                (at < until).then_some(at.max(from))
            })
        })
    }

    /// Whether the bureau answers at that moment.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.next_open(at) == Some(at)
    }

    /// The windows of a day.
    #[must_use]
    pub fn windows(&self, day: Date) -> &[Window] {
        if self.closed_on.contains(&day) {
            return &[];
        }
        let monday_first = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        &self.week[monday_first]
    }
}

fn moments(day: Date, window: Window) -> Option<(Timestamp, Timestamp)> {
    let midnight = china_midnight(day);
    let after = |minutes: u16| {
        midnight
            .checked_add(SignedDuration::from_mins(i64::from(minutes)))
            .ok()
    };
    Some((after(window.from)?, after(window.until)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Weekdays 08:00 to 22:00, Saturdays split around noon, closed on the National Day.
    fn hours() -> Hours {
        Hours::new(
            &toml::from_str(
                r#"
                monday = ["08:00-22:00"]
                tuesday = ["08:00-22:00"]
                wednesday = ["08:00-22:00"]
                thursday = ["08:00-22:00"]
                friday = ["08:00-22:00"]
                saturday = ["13:00-24:00", "09:00-12:00"]
                sunday = []
                closed_on = ["2026-10-01"]
                "#,
            )
            .unwrap(),
        )
    }

    #[test]
    fn a_closed_bureau_opens_at_the_next_window_in_china() {
        for (case, asked, opens) in [
            (
                "open",
                "2026-09-30T12:00:00+08:00",
                "2026-09-30T12:00:00+08:00",
            ),
            (
                "at its first moment",
                "2026-09-30T08:00:00+08:00",
                "2026-09-30T08:00:00+08:00",
            ),
            (
                "before",
                "2026-09-30T07:59:59.999999+08:00",
                "2026-09-30T08:00:00+08:00",
            ),
            (
                "its end is not included, month end, holiday",
                "2026-09-30T22:00:00+08:00",
                "2026-10-02T08:00:00+08:00",
            ),
            (
                "the holiday itself",
                "2026-10-01T10:00:00+08:00",
                "2026-10-02T08:00:00+08:00",
            ),
            (
                "at noon of a Saturday",
                "2026-10-03T12:30:00+08:00",
                "2026-10-03T13:00:00+08:00",
            ),
            (
                "last moment of a Saturday",
                "2026-10-03T23:59:59.999999+08:00",
                "2026-10-03T23:59:59.999999+08:00",
            ),
            (
                "midnight into Sunday",
                "2026-10-04T00:00:00+08:00",
                "2026-10-05T08:00:00+08:00",
            ),
            (
                "the day is China's, not UTC's",
                "2026-10-04T23:30:00Z",
                "2026-10-05T00:00:00Z",
            ),
            (
                "the last night of a year",
                "2026-12-31T23:00:00+08:00",
                "2027-01-01T08:00:00+08:00",
            ),
        ] {
            assert_eq!(hours().next_open(at(asked)), Some(at(opens)), "{case}");
            assert_eq!(hours().is_open(at(asked)), asked == opens, "{case}");
        }
    }

    #[test]
    fn nobody_waits_for_a_bureau_that_stays_closed() {
        let mut closed = hours();
        closed.week = Default::default();
        assert_eq!(closed.next_open(at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn one_that_never_closes_is_open_across_midnight() {
        let always = Hours::new(&HoursConfig::default());
        for text in ["2026-02-28T15:59:59.999999Z", "2026-02-28T16:00:00Z"] {
            assert!(always.is_open(at(text)), "{text}");
        }
    }
}
