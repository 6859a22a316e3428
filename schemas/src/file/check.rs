//! The table of checks, and the findings made from it.

use std::sync::LazyLock;

use crate::table::Table;
use crate::validate::{Finding, Severity};

/// What a check asks.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Its name.
    pub check: &'static str,
    /// What it is about: `name`, `header.count`, `line`, ...
    pub applies_to: &'static str,
    /// Who makes it: `here`, `record` (the plan of the record), `transport`, `bookkeeping` (who
    /// knows what was sent), `centre`.
    pub how: &'static str,
    /// The bureau's code; empty where it has none.
    pub code: &'static str,
    /// What it costs: `reject-file`, `reject-record`, `reject-load`, `practice`, `feedback`.
    pub severity: &'static str,
    /// Whether the centre's pre-check tool makes it: `yes`, `no`, `partly`, `other` (under another
    /// code).
    pub tool: &'static str,
    /// What is right, in Chinese.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
}

/// All checks, in the order of the table.
pub fn asked() -> impl ExactSizeIterator<Item = &'static Asked> {
    CHECKS.iter()
}

/// Record types that a file may hold: code, Chinese and English name.
pub fn record_types() -> impl ExactSizeIterator<Item = (&'static str, &'static str, &'static str)> {
    TYPES.iter().copied()
}

pub(super) fn is_record_type(code: &str) -> bool {
    TYPES.iter().any(|(known, ..)| *known == code)
}

macro_rules! checks {
    ($($variant:ident $name:literal,)*) => {
        /// The checks made in this module.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Check { $($variant,)* }

        impl Check {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

checks! {
    FbFlag1 "fb-flag-1",
    FbFlag2 "fb-flag-2",
    FbFlag3 "fb-flag-3",
    FbHeader "fb-header",
    FbHeaderFlag "fb-header-flag",
    FbHeaderName "fb-header-name",
    FbHeaderTime "fb-header-time",
    FbLine "fb-line",
    FbLineCode "fb-line-code",
    FbLineCount "fb-line-count",
    FbLineId "fb-line-id",
    FbLineRecord "fb-line-record",
    FbName "fb-name",
    FbSum "fb-sum",
    FileEmptyBody "file-empty-body",
    FileEncoding "file-encoding",
    FileLastLine "file-last-line",
    FileSize "file-size",
    HeaderCount "header-count",
    HeaderCountTrue "header-count-true",
    HeaderLine "header-line",
    HeaderMark "header-mark",
    HeaderOrg "header-org",
    HeaderRecord "header-record",
    HeaderReserved "header-reserved",
    HeaderSize "header-size",
    HeaderTemplate "header-template",
    HeaderTime "header-time",
    HeaderVersion "header-version",
    HeaderVersion2 "header-version-2",
    LineBlank "line-blank",
    LineEnd "line-end",
    LineFrame "line-frame",
    LineLength "line-length",
    LinePlain "line-plain",
    NameDate "name-date",
    NameExtension "name-extension",
    NameFlag "name-flag",
    NameLength "name-length",
    NameOrg "name-org",
    NameRecord "name-record",
    NameReserved "name-reserved",
    NameSerial "name-serial",
    NameToday "name-today",
    SameDate "same-date",
    SameOrg "same-org",
    SameRecord "same-record",
}

/// Whose measure a name or header is taken by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Measure {
    /// The stricter of rule texts and pre-check tool: for what we write and what answers us.
    Strict,
    /// The pre-check tool's; what only the texts forbid warns.
    Tool,
}

impl Asked {
    /// The finding that this check failed.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let (zh, en) = (
            format!("应为：{}", self.zh),
            format!("should be so: {}", self.en),
        );
        Finding {
            rule: self.check.to_owned(),
            record: String::new(),
            path: self.applies_to.to_owned(),
            tag: "0000".to_owned(),
            code: self.code.to_owned(),
            severity: if self.severity == "practice" {
                Severity::Warning
            } else {
                Severity::Error
            },
            zh,
            en,
        }
    }
}

impl Check {
    /// The finding that this check failed.
    pub(super) fn finding(self) -> Finding {
        self.finding_with(None)
    }

    /// The same with another code of the bureau than the usual one.
    pub(super) fn finding_with(self, code: Option<&str>) -> Finding {
        // A test compares the names with the table.
        let asked = CHECKS.iter().find(|asked| asked.check == self.name());
        let mut finding = asked.expect("every check stands in the table").finding();
        if let Some(code) = code {
            code.clone_into(&mut finding.code);
        }
        finding
    }

    /// The same where the pre-check tool is known to let it pass.
    pub(super) fn warning(self) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..self.finding()
        }
    }

    /// Adds the finding unless the check `holds`.
    pub(super) fn unless(self, holds: bool, findings: &mut Vec<Finding>) {
        if !holds {
            findings.push(self.finding());
        }
    }

    /// Adds the finding unless the check `holds`; by the tool's measure it only warns where the
    /// tool lets it `pass`.
    pub(super) fn measured(
        self,
        measure: Measure,
        holds: bool,
        pass: bool,
        findings: &mut Vec<Finding>,
    ) {
        if holds {
            return;
        }
        findings.push(if pass && measure == Measure::Tool {
            self.warning()
        } else {
            self.finding()
        });
    }
}

static CHECKS: LazyLock<Vec<Asked>> = LazyLock::new(|| {
    let text = include_str!("../../pboc-submit-files/checks.tsv");
    let columns = [
        "check",
        "applies_to",
        "how",
        "code",
        "severity",
        "tool",
        "zh",
        "en",
        "note",
    ];
    // The embedded table is read by a test of this module.
    let table = Table::parse("checks.tsv", text, &columns, &[]).expect("the embedded table is one");
    let rows = table.rows();
    rows.map(|row| Asked {
        check: row.get("check"),
        applies_to: row.get("applies_to"),
        how: row.get("how"),
        code: row.get("code"),
        severity: row.get("severity"),
        tool: row.get("tool"),
        zh: row.get("zh"),
        en: row.get("en"),
    })
    .collect()
});

static TYPES: LazyLock<Vec<(&str, &str, &str)>> = LazyLock::new(|| {
    let text = include_str!("../../pboc-submit-files/types.tsv");
    let columns = ["code", "family", "zh", "en"];
    // The embedded table is read by a test of this module.
    let table = Table::parse("types.tsv", text, &columns, &[]).expect("the embedded table is one");
    let rows = table.rows();
    rows.map(|row| (row.get("code"), row.get("zh"), row.get("en")))
        .collect()
});

/// Exactly so many digits as a number.
pub(super) fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A real day written yyyyMMdd.
pub(super) fn day(text: &str) -> Option<jiff::civil::Date> {
    if text.len() != 8 {
        return None;
    }
    let [year, month, day] = [text.get(..4)?, text.get(4..6)?, text.get(6..)?].map(number);
    jiff::civil::Date::new(year? as i16, month? as i8, day? as i8).ok()
}

/// A real time written yyyyMMddHHmmss, from 1901 to 2099.
pub(super) fn time(text: &str) -> Option<jiff::civil::DateTime> {
    let date = day(text.get(..8)?)?;
    let clock = text.get(8..).filter(|clock| clock.len() == 6)?;
    let [hour, minute, second] = [clock.get(..2)?, clock.get(2..4)?, clock.get(4..)?].map(number);
    let time = jiff::civil::Time::new(hour? as i8, minute? as i8, second? as i8, 0).ok()?;
    crate::kind::YEARS
        .contains(&date.year())
        .then(|| date.to_datetime(time))
}

/// 14 digits and capitals.
pub(super) fn is_org(text: &str) -> bool {
    text.len() == 14
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// What the pre-check tool takes for a code: printable ASCII of any kind.
pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~'))
}

/// digit.digit.digit
pub(super) fn is_version(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 5
        && bytes.iter().enumerate().all(|(at, b)| {
            if at % 2 == 0 {
                b.is_ascii_digit()
            } else {
                *b == b'.'
            }
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_and_the_checks_made_here_are_the_same() {
        let here = asked().filter(|a| a.how == "here").map(|a| a.check);
        let here: BTreeSet<&str> = here.collect();
        let made: BTreeSet<&str> = Check::ALL.iter().map(|check| check.name()).collect();
        assert_eq!(here, made);
        for a in asked() {
            let how = ["here", "record", "transport", "bookkeeping", "centre"];
            let tool = ["yes", "no", "partly", "other"];
            assert!(tool.contains(&a.tool), "{}", a.check);
            assert!(
                how.contains(&a.how) && !a.zh.is_empty() && !a.en.is_empty(),
                "{}",
                a.check
            );
        }
        assert_eq!(record_types().len(), 59);
        assert!(is_record_type("210") && is_record_type("410") && !is_record_type("211x"));
    }

    #[test]
    fn a_time_is_real_and_of_two_centuries() {
        let cases = [
            ("20240601093000", true),
            ("20240230093000", false),
            ("20240601243000", false),
            ("20240601093060", false),
            ("19001231235959", false),
            ("21000101000000", false),
            ("2024060109300", false),
            ("2024060１093000", false),
        ];
        for (text, real) in cases {
            assert_eq!(time(text).is_some(), real, "case {text}");
        }
    }
}
