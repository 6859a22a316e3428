//! Opening hours, as configuration names them.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

/// Opening windows of each weekday, wall time at +08:00: `["08:00-12:00", "13:00-22:00"]`.
/// One that passes midnight is written as two.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HoursConfig {
    /// Mondays.
    pub monday: Vec<Window>,
    /// Tuesdays.
    pub tuesday: Vec<Window>,
    /// Wednesdays.
    pub wednesday: Vec<Window>,
    /// Thursdays.
    pub thursday: Vec<Window>,
    /// Fridays.
    pub friday: Vec<Window>,
    /// Saturdays.
    pub saturday: Vec<Window>,
    /// Sundays.
    pub sunday: Vec<Window>,
    /// Days on which it does not open at all: `["2026-10-01"]`.
    #[serde(deserialize_with = "dates")]
    pub closed_on: Vec<Date>,
}

impl Default for HoursConfig {
    fn default() -> Self {
        let all = || vec![Window::DAY];
        Self {
            monday: all(),
            tuesday: all(),
            wednesday: all(),
            thursday: all(),
            friday: all(),
            saturday: all(),
            sunday: all(),
            closed_on: Vec::new(),
        }
    }
}

impl HoursConfig {
    /// The windows of the week, Monday first.
    #[must_use]
    pub fn week(&self) -> [&[Window]; 7] {
        [
            &self.monday,
            &self.tuesday,
            &self.wednesday,
            &self.thursday,
            &self.friday,
            &self.saturday,
            &self.sunday,
        ]
    }
}

/// From one minute of a day until another, the last not included.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct Window {
    /// First minute of the day, 0 to 1439.
    pub from: u16,
    /// The minute at which it ends, 1 to 1440.
    pub until: u16,
}

impl Window {
    /// The whole day.
    pub const DAY: Self = Self {
        from: 0,
        until: 24 * 60,
    };
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            until / 60,
            until % 60
        )
    }
}

impl TryFrom<String> for Window {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const FORM: &str =
            "a window is written 08:00-22:00, and ends after it begins, at 24:00 at the latest";
        let minute = |text: &str| {
            let (hours, minutes) = text.split_once(':')?;
            let digits = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
            if !digits(hours) || !digits(minutes) {
                return None;
            }
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (minutes < 60).then_some(hours * 60 + minutes)
        };
        let (from, until) = text.split_once('-').ok_or(FORM)?;
        match (minute(from), minute(until)) {
            (Some(from), Some(until)) if from < until && until <= 24 * 60 => {
                Ok(Self { from, until })
            }
            _ => Err(FORM),
        }
    }
}

fn dates<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Date>, D::Error> {
    let days = Vec::<String>::deserialize(input)?;
    days.into_iter()
        .map(|day| super::date(serde::de::value::StringDeserializer::new(day)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_as_they_are_written() {
        for (text, good) in [
            ("08:00-22:00", true),
            ("00:00-24:00", true),
            ("22:00-06:00", false),
            ("08:00-24:01", false),
            ("8:00-22:00", false),
            ("08:60-22:00", false),
            ("08:00", false),
            ("+8:00-22:00", false),
        ] {
            let window = Window::try_from(text.to_owned());
            assert_eq!(window.is_ok(), good, "{text}");
            if let Ok(window) = window {
                assert_eq!(window.to_string(), text);
            }
        }
    }
}
