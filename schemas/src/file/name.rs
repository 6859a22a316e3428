//! The name of a submission file: 30 characters that say who, when, what and which.

use std::fmt;

use jiff::civil::Date;

use super::check::{Check, Measure, day, is_org, is_printable, is_record_type, number};
use super::sound;
use super::{FeedbackName, Flag};
use crate::validate::Finding;

/// The name of a submission file, without extension.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileName {
    org: String,
    date: Date,
    record: String,
    serial: u16,
}

impl FileName {
    /// The name of the file with this serial (1 to 999) of its organization, day and record type.
    ///
    /// # Errors
    ///
    /// All parts that cannot stand in a name.
    pub fn new(org: &str, date: Date, record: &str, serial: u16) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        Check::NameOrg.unless(is_org(org), &mut findings);
        Check::NameDate.unless((0..=9999).contains(&date.year()), &mut findings);
        Check::NameRecord.unless(is_record_type(record), &mut findings);
        Check::NameSerial.unless((1..=999).contains(&serial), &mut findings);
        let name = Self {
            org: org.to_owned(),
            date,
            record: record.to_owned(),
            serial,
        };
        sound(Some(name), findings)
    }

    /// Reads a name, with or without extension.
    ///
    /// # Errors
    ///
    /// All that is wrong with it; the bureau answers ABN003, without a feedback file.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let parts = parts(text, Measure::Strict, &mut findings);
        let name = parts.and_then(|parts| {
            Some(Self {
                org: parts.org,
                date: parts.date?,
                record: parts.record,
                serial: parts.serial?,
            })
        });
        sound(name, findings)
    }

    /// What good practice asks of a name to be used today.
    #[must_use]
    pub fn check(&self, today: Date) -> Vec<Finding> {
        let mut findings = Vec::new();
        check_today(self.date, today, &mut findings);
        findings
    }

    /// The reporting organization.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The day of the file.
    #[must_use]
    pub fn date(&self) -> Date {
        self.date
    }

    /// The record type.
    #[must_use]
    pub fn record(&self) -> &str {
        &self.record
    }

    /// Which file of its organization, day and record type.
    #[must_use]
    pub fn serial(&self) -> u16 {
        self.serial
    }

    /// The 29 characters that the names of its feedback files begin with.
    #[must_use]
    pub fn stem(&self) -> String {
        let mut name = self.to_string();
        name.pop();
        name
    }

    /// The name of the feedback file with this flag.
    #[must_use]
    pub fn feedback(&self, flag: Flag) -> FeedbackName {
        FeedbackName::of(&self.stem(), flag)
    }
}

/// What stands in a name of 30 characters, right or wrong.
pub(super) struct Parts {
    /// All but the last character.
    pub(super) stem: String,
    pub(super) org: String,
    /// Where it is a real one.
    pub(super) date: Option<Date>,
    pub(super) record: String,
    serial: Option<u16>,
}

/// Takes a name apart, with or without extension, and adds all that is wrong with it.
pub(super) fn parts(text: &str, measure: Measure, findings: &mut Vec<Finding>) -> Option<Parts> {
    let (name, extension) = text.split_once('.').unwrap_or((text, ""));
    let known = ["", "txt", "txt.zip", "enc"].contains(&extension);
    Check::NameExtension.unless(known, findings);
    let chars: Vec<char> = name.chars().collect();
    Check::NameLength.unless(chars.len() == 30, findings);
    if chars.len() != 30 {
        return None;
    }
    let part = |from: usize, to: usize| chars[from - 1..to].iter().collect::<String>();
    let (org, record, digits) = (part(1, 14), part(23, 25), part(27, 29));
    let date = day(&part(15, 22));
    let serial = number(&digits).filter(|serial| *serial > 0);
    Check::NameOrg.measured(measure, is_org(&org), is_printable(&org), findings);
    Check::NameDate.unless(date.is_some(), findings);
    Check::NameRecord.unless(is_record_type(&record), findings);
    Check::NameReserved.unless(chars[25] == '0', findings);
    Check::NameSerial.measured(measure, serial.is_some(), is_printable(&digits), findings);
    Check::NameFlag.unless(chars[29] == '0', findings);
    Some(Parts {
        stem: part(1, 29),
        org,
        date,
        record,
        serial: serial.map(|serial| serial as u16),
    })
}

/// Whether a day can be the creation date of a file.
pub(super) fn check_today(date: Date, today: Date, findings: &mut Vec<Finding>) {
    Check::NameToday.unless(date <= today, findings);
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (org, date, record, serial) = (&self.org, self.date, &self.record, self.serial);
        let (year, month, day) = (date.year(), date.month(), date.day());
        write!(f, "{org}{year:04}{month:02}{day:02}{record}0{serial:03}0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(findings: &[Finding]) -> Vec<&str> {
        findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect()
    }

    #[test]
    fn a_name_is_read_and_written_or_all_its_faults_are_told() {
        let good = "T99999999H00012024060121000010";
        let name = FileName::parse(good).unwrap();
        assert_eq!(name.to_string(), good);
        assert_eq!(
            name,
            FileName::new("T99999999H0001", name.date(), "210", 1).unwrap()
        );
        assert_eq!(
            name.feedback(Flag::Rejected).to_string(),
            "T99999999H00012024060121000013"
        );
        for extension in [".txt", ".txt.zip", ".enc"] {
            assert_eq!(
                FileName::parse(&format!("{good}{extension}")).unwrap(),
                name
            );
        }
        let cases: [(&str, &[&str]); 11] = [
            ("T99999999H0001202406012100001", &["name-length"]),
            ("t99999999H00012024060121000010", &["name-org"]),
            ("测99999999H00012024060121000010", &["name-org"]),
            ("T99999999H00012024023121000010", &["name-date"]),
            ("T99999999H00012024060199900010", &["name-record"]),
            ("T99999999H00012024060121010010", &["name-reserved"]),
            ("T99999999H00012024060121000000", &["name-serial"]),
            ("T99999999H0001202406012100ABC0", &["name-serial"]),
            ("T99999999H00012024060121000013", &["name-flag"]),
            ("T99999999H00012024060121000010.zip", &["name-extension"]),
            (
                "t99999999H00012024023199910001",
                &[
                    "name-org",
                    "name-date",
                    "name-record",
                    "name-reserved",
                    "name-serial",
                    "name-flag",
                ],
            ),
        ];
        for (text, expected) in cases {
            let findings = FileName::parse(text).unwrap_err();
            assert_eq!(rules(&findings), expected, "case {text}");
            assert!(
                findings
                    .iter()
                    .all(|f| f.code == "ABN003" || f.rule == "name-extension")
            );
        }
        let late = "2024-05-31".parse().unwrap();
        assert_eq!(rules(&name.check(late)), ["name-today"]);
        let findings = FileName::new("short", name.date(), "999", 1000).unwrap_err();
        assert_eq!(rules(&findings), ["name-org", "name-record", "name-serial"]);
    }
}
