//! The first line of a submission file: 50 characters of fixed width.

use std::fmt;

use jiff::civil::DateTime;

use super::check::{
    Check, Measure, is_org, is_printable, is_record_type, is_version, number, time,
};
use super::{FileName, MOST_RECORDS, sound};
use crate::validate::{FileHeader, Finding};

/// The header of a submission file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// The record type.
    pub record: String,
    /// The version of the records; `2.0.0` in use.
    pub version: String,
    /// The template: `10` for records 110 and 310 (`90` exists), else two blanks.
    pub template: String,
    /// The reporting organization.
    pub org: String,
    /// When the file was made, in Chinese time.
    pub time: DateTime,
    /// How many records it holds.
    pub count: u32,
}

impl Header {
    /// The header of a file of this name, made at this time of its day, with so many records.
    ///
    /// # Errors
    ///
    /// When the time is of another day, or the records are too many.
    pub fn new(name: &FileName, time: DateTime, count: u32) -> Result<Self, Vec<Finding>> {
        let header = Self {
            record: name.record().to_owned(),
            version: VERSION.to_owned(),
            template: template(name.record()).to_owned(),
            org: name.org().to_owned(),
            time,
            count,
        };
        let mut findings = header.check(name);
        Check::FileSize.unless(count <= MOST_RECORDS, &mut findings);
        Check::HeaderTime.unless(crate::kind::YEARS.contains(&time.year()), &mut findings);
        sound(Some(header), findings)
    }

    /// Reads a header, without its line end.
    ///
    /// # Errors
    ///
    /// All that is wrong with it; the bureau answers ABH005 with a feedback file of flag 2.
    pub fn parse(line: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let parts = parts(line, Measure::Strict, &mut findings);
        let header = parts.and_then(|parts| {
            Some(Self {
                record: parts.record,
                version: parts.version,
                template: parts.template,
                org: parts.org,
                time: parts.time?,
                count: parts.count?,
            })
        });
        sound(header, findings)
    }

    /// Whether the header goes with a name (ABF007), and its version is the one in use (ABH006).
    #[must_use]
    pub fn check(&self, name: &FileName) -> Vec<Finding> {
        let mut findings = Vec::new();
        Check::SameOrg.unless(self.org == name.org(), &mut findings);
        Check::SameDate.unless(self.time.date() == name.date(), &mut findings);
        Check::SameRecord.unless(self.record == name.record(), &mut findings);
        check_version(&self.version, Measure::Strict, &mut findings);
        findings
    }

    /// What the records of the file are judged against.
    #[must_use]
    pub fn for_records(&self) -> FileHeader {
        FileHeader {
            date: self.time.date(),
            record: self.record.clone(),
            org: self.org.clone(),
            template: self.template.clone(),
        }
    }

    /// The template characters to write for a record type.
    #[must_use]
    pub fn template_of(record: &str) -> &'static str {
        template(record)
    }
}

/// What stands in a header of 50 characters, right or wrong.
pub(super) struct Parts {
    pub(super) record: String,
    pub(super) version: String,
    pub(super) template: String,
    pub(super) org: String,
    /// Where it is a real one.
    pub(super) time: Option<DateTime>,
    pub(super) count: Option<u32>,
}

/// Takes a header apart and adds all that is wrong with it.
pub(super) fn parts(line: &str, measure: Measure, findings: &mut Vec<Finding>) -> Option<Parts> {
    let chars: Vec<char> = line.chars().collect();
    if chars.len() != 50 || chars.iter().any(|c| matches!(c, '\r' | '\n' | '\u{feff}')) {
        findings.push(Check::HeaderLine.finding());
        return None;
    }
    let part = |from: usize, to: usize| chars[from - 1..to].iter().collect::<String>();
    let (record, version, org) = (part(5, 7), part(8, 12), part(15, 28));
    let (template, made, count) = (part(13, 14), time(&part(29, 42)), number(&part(44, 50)));
    let reserved = part(43, 43);
    Check::HeaderMark.unless(chars[0] == 'A', findings);
    Check::HeaderSize.unless(part(2, 4) == "050", findings);
    Check::HeaderRecord.unless(is_record_type(&record), findings);
    Check::HeaderVersion.unless(is_version(&version), findings);
    Check::HeaderTemplate.unless(fits(&record, &template), findings);
    Check::HeaderOrg.measured(measure, is_org(&org), is_printable(&org), findings);
    Check::HeaderTime.unless(made.is_some(), findings);
    Check::HeaderReserved.measured(measure, reserved == "0", is_printable(&reserved), findings);
    Check::HeaderCount.unless(count.is_some(), findings);
    Some(Parts {
        record,
        version,
        template,
        org,
        time: made,
        count,
    })
}

/// Whether the version is the one in use: the tool takes any.
pub(super) fn check_version(version: &str, measure: Measure, findings: &mut Vec<Finding>) {
    Check::HeaderVersion2.measured(measure, version == VERSION, true, findings);
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (record, version, template) = (&self.record, &self.version, &self.template);
        let (org, made, count) = (&self.org, Stamp(self.time), self.count);
        write!(f, "A050{record}{version}{template}{org}{made}0{count:07}")
    }
}

/// A time as yyyyMMddHHmmss.
pub(super) struct Stamp(pub(super) DateTime);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.0;
        let (year, month, day) = (t.year(), t.month(), t.day());
        let (hour, minute, second) = (t.hour(), t.minute(), t.second());
        write!(
            f,
            "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"
        )
    }
}

/// The version that is in use (check `header-version-2`).
pub(super) const VERSION: &str = "2.0.0";

/// Records that have a template (check `header-template`).
const WITH_TEMPLATE: [&str; 2] = ["110", "310"];

fn template(record: &str) -> &'static str {
    if WITH_TEMPLATE.contains(&record) {
        "10"
    } else {
        "  "
    }
}

fn fits(record: &str, template: &str) -> bool {
    if WITH_TEMPLATE.contains(&record) {
        ["10", "90"].contains(&template)
    } else {
        template == "  "
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "A0502102.0.0  T99999999H00012024060109300000000002";

    fn rules(findings: &[Finding]) -> Vec<&str> {
        findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect()
    }

    #[test]
    fn a_header_is_read_and_written_or_all_its_faults_are_told() {
        let header = Header::parse(GOOD).unwrap();
        assert_eq!(header.to_string(), GOOD);
        let name = FileName::parse("T99999999H00012024060121000010").unwrap();
        assert_eq!(Header::new(&name, header.time, 2).unwrap(), header);
        let cases = [
            ("header-line", GOOD[1..].to_owned()),
            ("header-line", format!("{GOOD} ")),
            ("header-line", format!("\u{feff}{}", &GOOD[1..])),
            ("header-line", GOOD.replace("  ", "\r\n")),
            ("header-mark", GOOD.replacen('A', "B", 1)),
            ("header-size", GOOD.replacen("050", "051", 1)),
            ("header-record", GOOD.replacen("210", "999", 1)),
            ("header-version", GOOD.replacen("2.0.0", "2.00.", 1)),
            ("header-template", GOOD.replacen("  ", "10", 1)),
            ("header-template", GOOD.replacen("210", "110", 1)),
            ("header-org", GOOD.replacen("H0001", "h0001", 1)),
            ("header-time", GOOD.replacen("093000", "253000", 1)),
            (
                "header-reserved",
                GOOD.replacen("00000000002", "00010000002", 1),
            ),
            ("header-count", GOOD.replacen("0000002", "000000 ", 1)),
        ];
        for (rule, text) in cases {
            let findings = Header::parse(&text).unwrap_err();
            assert_eq!(rules(&findings), [rule], "case {text}");
            assert!(findings.iter().all(|finding| finding.code == "ABH005"));
        }
        let bad = "B0519992,0.0xx测99999999H00012024060199300010000x02";
        assert_eq!(Header::parse(bad).unwrap_err().len(), 9);
    }

    #[test]
    fn a_header_goes_with_its_name() {
        let header = Header::parse(&GOOD.replace("2.0.0", "2.0.1")).unwrap();
        let name = FileName::parse("T99999999H00022024060222000010").unwrap();
        let found = header.check(&name);
        let expected = ["same-org", "same-date", "same-record", "header-version-2"];
        assert_eq!(rules(&found), expected);
        assert_eq!(found[0].code, "ABF007");
        assert_eq!(header.for_records().template, "  ");
        let late = header
            .time
            .date()
            .tomorrow()
            .unwrap()
            .to_datetime(header.time.time());
        let name = FileName::parse("T99999999H00012024060121000010").unwrap();
        let findings = Header::new(&name, late, MOST_RECORDS + 1).unwrap_err();
        assert_eq!(rules(&findings), ["same-date", "file-size"]);
    }
}
