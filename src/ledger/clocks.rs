//! How long a submission may take, and who is late.
//!
//! # Promise
//!
//! Pure functions of days: what is late, by how many working days, and how bad
//! that is. The numbers are those of SR-05, SR-06 and SR-17.

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::platform::calendar::Calendar;

/// Something that should have happened by now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Late {
    /// Which clock.
    pub clock: Clock,
    /// Working days that it took, or has taken so far.
    pub working_days: u32,
    /// How bad it is.
    pub level: Level,
}

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// From the event to its acceptance (SR-05; T+1, register row REG-SUB-02).
    Acceptance,
    /// From a refusal to the correction (SR-06; REG-SUB-03).
    Correction,
    /// From sending a file to its feedback (SR-17).
    Feedback,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Somebody should look.
    Alarm,
    /// Somebody must.
    Critical,
}

impl Clock {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Acceptance, Self::Correction, Self::Feedback];

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acceptance => "acceptance",
            Self::Correction => "correction",
            Self::Feedback => "feedback",
        }
    }

    /// The rule that gives its numbers.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Acceptance => "SR-05",
            Self::Correction => "SR-06",
            Self::Feedback => "SR-17",
        }
    }

    /// More working days than these are an alarm, and than those critical.
    ///
    /// SR-05 gives "alarm 1, critical 3", SR-06 "> 2, > 5", SR-17 "1 working
    /// day" and nothing critical.
    #[must_use]
    pub const fn limits(self) -> (u32, Option<u32>) {
        match self {
            Self::Acceptance => (1, Some(3)),
            Self::Correction => (2, Some(5)),
            Self::Feedback => (1, None),
        }
    }

    /// Whether what began on `since` and ended on `until` (or has not ended
    /// today) took too long.
    #[must_use]
    pub fn judge(self, calendar: &Calendar, since: Date, until: Date) -> Option<Late> {
        let working_days = calendar.working_days(since, until);
        let (alarm, critical) = self.limits();
        let level = match critical {
            Some(critical) if working_days > critical => Level::Critical,
            _ if working_days > alarm => Level::Alarm,
            _ => return None,
        };
        Some(Late {
            clock: self,
            working_days,
            level,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// The level after so many working days.
    fn level(clock: Clock, working_days: u32) -> Option<Level> {
        let calendar = Calendar::built_in();
        let since = date(2026, 9, 30);
        let until = calendar.after(since, working_days);
        let late = clock.judge(&calendar, since, until);
        assert!(late.is_none_or(|late| late.working_days == working_days));
        late.map(|late| late.level)
    }

    #[test]
    fn sr_05_later_than_the_next_working_day_is_an_alarm_and_later_than_three_critical() {
        let levels = [0, 1, 2, 3, 4].map(|days| level(Clock::Acceptance, days));
        let (alarm, critical) = (Some(Level::Alarm), Some(Level::Critical));
        assert_eq!(levels, [None, None, alarm, alarm, critical]);
    }

    #[test]
    fn sr_06_a_refused_record_left_more_than_two_days_is_an_alarm_and_five_critical() {
        assert_eq!(level(Clock::Correction, 2), None);
        assert_eq!(level(Clock::Correction, 3), Some(Level::Alarm));
        assert_eq!(level(Clock::Correction, 6), Some(Level::Critical));
    }

    #[test]
    fn sr_17_no_feedback_within_one_working_day_is_an_alarm() {
        assert_eq!(level(Clock::Feedback, 1), None);
        assert_eq!(level(Clock::Feedback, 20), Some(Level::Alarm));
    }
}
