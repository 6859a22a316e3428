//! Working days, as the State Council arranges them: a file a year.
//!
//! # Promise
//!
//! A day is a working day by the file of its year; files in a folder of the
//! institution go before those that are built in. Where a year has no file,
//! Saturdays and Sundays are off and nothing else is, and [`Calendar::alarm`]
//! says that the file is missing.
//!
//! # What is not here
//!
//! What is to be done by when: `crate::ledger::clocks`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use jiff::{
    ToSpan as _,
    civil::{Date, Weekday},
};
use serde::Deserialize;

use super::config::calendar::CalendarConfig;

/// Files that come with the program.
const BUILT_IN: [(&str, &str); 2] = [
    ("2025.toml", include_str!("../../config/calendar/2025.toml")),
    ("2026.toml", include_str!("../../config/calendar/2026.toml")),
];

/// The arrangement of the next year is published in November; unless configured
/// otherwise, its absence is an alarm from this month on.
pub const NEXT_YEAR_FROM_MONTH: i8 = 12;

/// Which days are working days.
#[derive(Clone, Debug)]
pub struct Calendar {
    years: BTreeMap<i16, Year>,
    next_year_from_month: i8,
}

#[derive(Clone, Debug)]
struct Year {
    off: Vec<(Date, Date)>,
    working_weekends: BTreeSet<Date>,
}

/// A file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    year: i16,
    /// The document that says so.
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "confidence")]
    _confidence: String,
    days_off: Vec<String>,
    working_weekends: Vec<String>,
}

/// Why a file is no calendar.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// A day or range that is none, is of another year, or says nothing new.
    #[error("{file}: {what} {day} must be {wanted}")]
    Day {
        /// The file.
        file: String,
        /// `days_off` or `working_weekends`.
        what: &'static str,
        /// What stands there.
        day: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// It is not of the form of `config/calendar/2026.toml`.
    #[error("{file} is no calendar: {message}")]
    Form {
        /// The file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            years: BTreeMap::new(),
            next_year_from_month: NEXT_YEAR_FROM_MONTH,
        }
    }
}

impl Calendar {
    /// The calendar that configuration names.
    ///
    /// # Errors
    ///
    /// The first file that is wrong.
    pub fn of(config: &CalendarConfig) -> Result<Self, CalendarError> {
        let calendar = match &config.folder {
            Some(folder) => Self::load(folder)?,
            None => Self::built_in(),
        };
        Ok(Self {
            next_year_from_month: config.next_year_from_month,
            ..calendar
        })
    }

    /// The calendar of the files that are built in.
    #[must_use]
    pub fn built_in() -> Self {
        let mut calendar = Self::default();
        for (file, text) in BUILT_IN {
            // A test of this module reads all of them.
            let read = calendar.take(file, text);
            debug_assert!(read.is_ok(), "{file} is a calendar");
        }
        calendar
    }

    /// The same, with the files `<year>.toml` of a folder before them.
    ///
    /// # Errors
    ///
    /// The first file that is wrong.
    pub fn load(folder: &Path) -> Result<Self, CalendarError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| CalendarError::File { path, source }
        };
        let mut calendar = Self::built_in();
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            if path.extension().is_some_and(|it| it == "toml") {
                let text = fs::read_to_string(&path).map_err(failed(&path))?;
                calendar.take(&path.display().to_string(), &text)?;
            }
        }
        Ok(calendar)
    }

    fn take(&mut self, file: &str, text: &str) -> Result<(), CalendarError> {
        let written: Written = toml::from_str(text).map_err(|error| CalendarError::Form {
            file: file.to_owned(),
            message: error.message().to_owned(),
        })?;
        let wrong = |what, day: &str, wanted| CalendarError::Day {
            file: file.to_owned(),
            what,
            day: day.to_owned(),
            wanted,
        };
        let day = |text: &str| {
            let day = text.parse::<Date>().ok();
            day.filter(|day| day.year() == written.year)
        };
        let mut off = Vec::new();
        for range in &written.days_off {
            let ends = range.split_once('/').unwrap_or((range, range));
            let ends = day(ends.0).zip(day(ends.1)).filter(|(from, to)| from <= to);
            off.push(
                ends.ok_or_else(|| {
                    wrong("days_off", range, "a day or first/last day of that year")
                })?,
            );
        }
        let mut working_weekends = BTreeSet::new();
        for text in &written.working_weekends {
            let found = day(text).filter(|day| {
                is_weekend(*day) && !off.iter().any(|(from, to)| (from..=to).contains(&day))
            });
            let wanted = "a Saturday or Sunday of that year that is not off";
            working_weekends.insert(found.ok_or_else(|| wrong("working_weekends", text, wanted))?);
        }
        let year = Year {
            off,
            working_weekends,
        };
        self.years.insert(written.year, year);
        Ok(())
    }

    /// Whether work is done on this day.
    #[must_use]
    pub fn is_working_day(&self, day: Date) -> bool {
        match self.years.get(&day.year()) {
            Some(year)
                if year
                    .off
                    .iter()
                    .any(|(from, to)| (*from..=*to).contains(&day)) =>
            {
                false
            }
            Some(year) => !is_weekend(day) || year.working_weekends.contains(&day),
            None => !is_weekend(day),
        }
    }

    /// How many working days lie behind `from`, up to and with `to`.
    #[must_use]
    pub fn working_days(&self, from: Date, to: Date) -> u32 {
        let days = from.series(1.day()).skip(1).take_while(|day| *day <= to);
        days.filter(|day| self.is_working_day(*day)).count() as u32
    }

    /// The day `count` working days after `from`.
    #[must_use]
    pub fn after(&self, from: Date, count: u32) -> Date {
        let mut days = from.series(1.day()).skip(1);
        let mut end = from;
        let mut left = count;
        while left > 0 {
            // The series ends with the year 9999 only.
            let Some(day) = days.next() else { break };
            if self.is_working_day(day) {
                left -= 1;
            }
            end = day;
        }
        end
    }

    /// The year whose file is missing: this one, or late in the year the next.
    #[must_use]
    pub fn alarm(&self, today: Date) -> Option<i16> {
        let next = (today.month() >= self.next_year_from_month).then(|| today.year() + 1);
        let mut wanted = [Some(today.year()), next].into_iter().flatten();
        wanted.find(|year| !self.years.contains_key(year))
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_files_that_are_built_in_are_calendars() {
        for (file, text) in BUILT_IN {
            Calendar::default().take(file, text).unwrap();
        }
    }

    #[test]
    fn holidays_and_worked_weekends_are_as_arranged() {
        let calendar = Calendar::built_in();
        let cases = [
            (date(2026, 11, 24), true, "a Tuesday"),
            (date(2026, 11, 28), false, "a Saturday"),
            (date(2026, 10, 1), false, "National Day, a Thursday"),
            (date(2026, 10, 10), true, "a Saturday that is worked"),
            (date(2027, 10, 1), true, "a year without a file: a Friday"),
        ];
        for (day, working, why) in cases {
            assert_eq!(calendar.is_working_day(day), working, "{why}");
        }
    }

    #[test]
    fn working_days_are_counted_behind_the_first() {
        let calendar = Calendar::built_in();
        let (before, after) = (date(2026, 9, 30), date(2026, 10, 8));
        assert_eq!(calendar.working_days(before, after), 1);
        assert_eq!(calendar.after(before, 1), after);
        assert_eq!(
            calendar.after(before, 3),
            date(2026, 10, 10),
            "a worked Saturday"
        );
        assert_eq!(calendar.working_days(after, before), 0);
        assert_eq!(calendar.after(before, 0), before);
    }

    #[test]
    fn a_missing_year_is_an_alarm() {
        let calendar = Calendar::built_in();
        assert_eq!(calendar.alarm(date(2026, 11, 30)), None);
        assert_eq!(calendar.alarm(date(2026, 12, 1)), Some(2027));
        assert_eq!(calendar.alarm(date(2027, 1, 1)), Some(2027));
        let config = CalendarConfig {
            next_year_from_month: 11,
            ..CalendarConfig::default()
        };
        let earlier = Calendar::of(&config).unwrap();
        assert_eq!(earlier.alarm(date(2026, 10, 31)), None);
        assert_eq!(earlier.alarm(date(2026, 11, 1)), Some(2027));
    }

    #[test]
    fn a_folder_goes_before_and_what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("2027.toml");
        let text = |off: &str, worked: &str| {
            format!(
                "year = 2027\nsource = \"a\"\nconfidence = \"low\"\n\
                 days_off = [\"{off}\"]\nworking_weekends = [\"{worked}\"]\n"
            )
        };
        fs::write(&file, text("2027-10-01/2027-10-07", "2027-10-09")).unwrap();
        let calendar = Calendar::load(folder.path()).unwrap();
        assert!(!calendar.is_working_day(date(2027, 10, 1)));
        assert!(calendar.is_working_day(date(2027, 10, 9)));
        let wrong = [
            text("2026-10-01", "2027-10-09"),
            text("2027-10-07/2027-10-01", "2027-10-09"),
            text("2027-10-01", "2027-10-08"),
            text("2027-10-09", "2027-10-09"),
            "year = 2027".to_owned(),
        ];
        for text in wrong {
            fs::write(&file, &text).unwrap();
            assert!(Calendar::load(folder.path()).is_err(), "{text}");
        }
    }
}
