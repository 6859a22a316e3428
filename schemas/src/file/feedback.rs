//! The name and the first line of a feedback file.

use std::fmt;

use jiff::civil::DateTime;

use super::check::{Check, is_org, is_version, number, time};
use super::header::Stamp;
use super::{FileName, sound};
use crate::validate::Finding;

/// What became of a file as a whole.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Flag {
    /// 1: all records accepted.
    Accepted,
    /// 2: name or header wrong, nothing loaded.
    Refused,
    /// 3: some or all records rejected; the lines say which.
    Rejected,
}

/// The name of a feedback file, without extension.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct FeedbackName {
    stem: String,
    flag: Flag,
}

/// The header of a feedback file: 72 characters of fixed width.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeedbackHeader {
    /// The version of the feedback format.
    pub version: String,
    /// The name of the file that is answered, without its last character.
    pub original: String,
    /// What became of it.
    pub flag: Flag,
    /// The version of the file that is answered.
    pub file_version: String,
    /// When the feedback was made, in Chinese time.
    pub time: DateTime,
    /// How many records were accepted.
    pub accepted: u32,
    /// How many were rejected.
    pub rejected: u32,
}

impl Flag {
    /// The flag as it stands in names and headers.
    #[must_use]
    pub fn character(self) -> char {
        match self {
            Self::Accepted => '1',
            Self::Refused => '2',
            Self::Rejected => '3',
        }
    }

    fn of(c: char) -> Option<Self> {
        match c {
            '1' => Some(Self::Accepted),
            '2' => Some(Self::Refused),
            '3' => Some(Self::Rejected),
            _ => None,
        }
    }
}

impl FeedbackName {
    pub(super) fn of(stem: &str, flag: Flag) -> Self {
        Self {
            stem: stem.to_owned(),
            flag,
        }
    }

    /// Reads a name, with or without extension.
    ///
    /// # Errors
    ///
    /// The finding that it is none.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        let name = text.split('.').next().unwrap_or(text);
        let flag = name.chars().last().and_then(Flag::of);
        let fits = name.len() == 30
            && name.is_ascii()
            && is_org(&name[..14])
            && name[14..25].bytes().all(|b| b.is_ascii_digit())
            && name.as_bytes()[25] == b'0'
            && name[26..29].bytes().all(|b| b.is_ascii_alphanumeric());
        match flag {
            Some(flag) if fits => Ok(Self::of(&name[..29], flag)),
            _ => Err(vec![Check::FbName.finding()]),
        }
    }

    /// What became of the file.
    #[must_use]
    pub fn flag(&self) -> Flag {
        self.flag
    }

    /// The first 29 characters of the name of the file that is answered.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// Whether this answers that file.
    #[must_use]
    pub fn answers(&self, file: &FileName) -> bool {
        self.stem == file.stem()
    }
}

impl fmt::Display for FeedbackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.stem, self.flag.character())
    }
}

impl FeedbackHeader {
    /// Reads a header, without its line end.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn parse(line: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        if line.len() != 72 || !line.is_ascii() {
            return Err(vec![Check::FbHeader.finding()]);
        }
        let part = |from: usize, to: usize| &line[from - 1..to];
        let flag = part(39, 39).chars().next().and_then(Flag::of);
        let (accepted, rejected) = (number(part(59, 65)), number(part(66, 72)));
        let (made, digits) = (time(part(45, 58)), number_like(part(45, 58)));
        let fits = part(1, 4) == "A072"
            && is_version(part(5, 9))
            && part(10, 38).bytes().all(|b| b.is_ascii_alphanumeric())
            && flag.is_some()
            && is_version(part(40, 44))
            && digits
            && accepted.is_some()
            && rejected.is_some();
        Check::FbHeader.unless(fits, &mut findings);
        Check::FbHeaderTime.unless(made.is_some() || !digits, &mut findings);
        let header = (|| {
            Some(Self {
                version: part(5, 9).to_owned(),
                original: part(10, 38).to_owned(),
                flag: flag?,
                file_version: part(40, 44).to_owned(),
                time: made?,
                accepted: accepted?,
                rejected: rejected?,
            })
        })();
        sound(header, findings)
    }

    /// Whether the header goes with the name of its file, and with how many records were sent
    /// where that is known.
    #[must_use]
    pub fn check(&self, name: &FeedbackName, sent: Option<u32>) -> Vec<Finding> {
        let mut findings = Vec::new();
        Check::FbHeaderName.unless(self.original == name.stem, &mut findings);
        Check::FbHeaderFlag.unless(self.flag == name.flag, &mut findings);
        match self.flag {
            Flag::Accepted => Check::FbFlag1.unless(self.rejected == 0, &mut findings),
            Flag::Refused => {
                let counts = (self.accepted, self.rejected) == (0, 1);
                Check::FbFlag2.unless(counts, &mut findings);
            }
            Flag::Rejected => Check::FbFlag3.unless(self.rejected >= 1, &mut findings),
        }
        if let (Some(sent), true) = (sent, self.flag != Flag::Refused) {
            // Seven digits each: the sum is far from overflow.
            Check::FbSum.unless(self.accepted + self.rejected == sent, &mut findings);
        }
        findings
    }

    /// How many lines follow.
    #[must_use]
    pub fn lines(&self) -> u32 {
        match self.flag {
            Flag::Accepted => 0,
            Flag::Refused => 1,
            Flag::Rejected => self.rejected,
        }
    }
}

impl fmt::Display for FeedbackHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "A072{}{}{}{}{}{:07}{:07}",
            self.version,
            self.original,
            self.flag.character(),
            self.file_version,
            Stamp(self.time),
            self.accepted,
            self.rejected,
        )
    }
}

fn number_like(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "T99999999H00012024060121000013";
    const GOOD: &str = "A0722.0.0T99999999H000120240601210000132.0.02024060112000000000010000001";

    fn rules(findings: &[Finding]) -> Vec<&str> {
        findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect()
    }

    #[test]
    fn a_feedback_name_is_read_and_written() {
        let name = FeedbackName::parse(NAME).unwrap();
        assert_eq!(
            (name.to_string().as_str(), name.flag()),
            (NAME, Flag::Rejected)
        );
        assert_eq!(FeedbackName::parse(&format!("{NAME}.enc")).unwrap(), name);
        let file = FileName::parse("T99999999H00012024060121000010").unwrap();
        assert!(name.answers(&file));
        for bad in [
            "T99999999H00012024060121000010",
            "T99999999H00012024060121000014",
            "t99999999H00012024060121000013",
            "T99999999H00012024060121010013",
            "T99999999H0001202406012100001",
            "测9999999H0001202406012100001",
            "",
        ] {
            assert_eq!(
                rules(&FeedbackName::parse(bad).unwrap_err()),
                ["fb-name"],
                "case {bad}"
            );
        }
    }

    #[test]
    fn a_feedback_header_is_read_and_goes_with_its_name() {
        let name = FeedbackName::parse(NAME).unwrap();
        let header = FeedbackHeader::parse(GOOD).unwrap();
        assert_eq!(header.to_string(), GOOD);
        assert!(header.check(&name, Some(2)).is_empty());
        assert_eq!(rules(&header.check(&name, Some(3))), ["fb-sum"]);
        let cases = [
            ("A072", "A071", "fb-header"),
            ("A0722.0.0", "A0722.00.", "fb-header"),
            ("132.0.0", "142.0.0", "fb-header"),
            ("20240601120000", "20240601250000", "fb-header-time"),
            ("20240601120000", "2024060112000x", "fb-header"),
            ("0000001", "000000x", "fb-header"),
        ];
        for (from, to, rule) in cases {
            let text = GOOD.replacen(from, to, 1);
            assert_eq!(
                rules(&FeedbackHeader::parse(&text).unwrap_err()),
                [rule],
                "case {to}"
            );
        }
        assert!(FeedbackHeader::parse("").is_err());
        let other = FeedbackName::parse("T99999999H00012024060121000021").unwrap();
        let expected = ["fb-header-name", "fb-header-flag"];
        assert_eq!(rules(&header.check(&other, None)), expected);
        for (flag, rule) in [(Flag::Accepted, "fb-flag-1"), (Flag::Refused, "fb-flag-2")] {
            let told = FeedbackHeader {
                flag,
                ..header.clone()
            };
            assert!(rules(&told.check(&name, None)).contains(&rule));
        }
        let told = FeedbackHeader {
            rejected: 0,
            ..header
        };
        assert_eq!(rules(&told.check(&name, None)), ["fb-flag-3"]);
    }
}
