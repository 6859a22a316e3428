//! Days late, and what the code lists and items of the formats make of them.
//!
//! Sources: the lists `RpyStatusD1` and `InitRpySts` (1-30, 31-60, ... days; medium to high
//! confidence) and the names of the items `Oved31_60Princ` to `OvedPrinc180` of record 210 (high).
//! No text read says whether the day of maturity counts; here the day after it is the first late
//! day, as the items of the reports count (low).

use jiff::civil::Date;

/// How late something is, in days: at least 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Age(u32);

/// The item that principal of an age belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bucket {
    /// Up to 30 days: in the overdue total alone.
    Recent,
    /// 31 to 60 days: `Oved31_60Princ`.
    From31,
    /// 61 to 90 days: `Oved61_90Princ`.
    From61,
    /// 91 to 180 days: `Oved91_180Princ`.
    From91,
    /// More than 180 days: `OvedPrinc180`.
    Over180,
}

impl Age {
    /// How late on `day` is what was due on `due`; nothing where it is not late.
    #[must_use]
    pub fn of(due: Date, day: Date) -> Option<Self> {
        let days = day.since(due).ok()?.get_days();
        u32::try_from(days).ok().filter(|days| *days > 0).map(Self)
    }

    /// In days.
    #[must_use]
    pub fn days(self) -> u32 {
        self.0
    }

    /// The code of the repayment status (list `RpyStatusD1`, and `InitRpySts` alike): a digit a
    /// month of thirty days, 7 for more than 180 days.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self.0 {
            0..=30 => "1",
            31..=60 => "2",
            61..=90 => "3",
            91..=120 => "4",
            121..=150 => "5",
            151..=180 => "6",
            _ => "7",
        }
    }

    /// Where principal of this age belongs.
    #[must_use]
    pub fn bucket(self) -> Bucket {
        match self.0 {
            0..=30 => Bucket::Recent,
            31..=60 => Bucket::From31,
            61..=90 => Bucket::From61,
            91..=180 => Bucket::From91,
            _ => Bucket::Over180,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_late_give_status_and_bucket_by_the_tables() {
        use Bucket::{From31, From61, From91, Over180, Recent};
        let due = date(2026, 1, 31);
        let cases = [
            (1, "1", Recent),
            (30, "1", Recent),
            (31, "2", From31),
            (32, "2", From31),
            (60, "2", From31),
            (61, "3", From61),
            (90, "3", From61),
            (91, "4", From91),
            (120, "4", From91),
            (121, "5", From91),
            (150, "5", From91),
            (151, "6", From91),
            (180, "6", From91),
            (181, "7", Over180),
            (3650, "7", Over180),
        ];
        for (days, status, bucket) in cases {
            let day = due.checked_add(jiff::Span::new().days(days)).unwrap();
            let age = Age::of(due, day).unwrap();
            let told = (age.days(), age.status(), age.bucket());
            assert_eq!(told, (days as u32, status, bucket), "{days}");
        }
    }

    #[test]
    fn what_is_not_past_due_has_no_age() {
        let due = date(2026, 2, 28);
        for day in [due, date(2026, 2, 27), date(2025, 12, 31)] {
            assert_eq!(Age::of(due, day), None, "{day}");
        }
        // Over a leap day, and over the turn of a year.
        let days = |due, day| Age::of(due, day).unwrap().days();
        assert_eq!(days(date(2028, 2, 28), date(2028, 3, 1)), 2);
        assert_eq!(days(date(2026, 10, 23), date(2026, 11, 24)), 32);
        assert_eq!(days(date(2025, 12, 31), date(2026, 1, 1)), 1);
    }
}
