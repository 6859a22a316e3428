//! What the bureau's result codes mean to an inquiry, and what cures them.

use std::sync::LazyLock;

use super::Interface;
use crate::table::{Row, Table, TableError};
use crate::text::Label;

/// One result code. Meanings are the bureau's, cures are ours.
#[derive(Debug)]
pub struct ResultCode {
    /// The code as it comes.
    pub code: &'static str,
    /// What it makes of the inquiry.
    pub class: Class,
    /// What it means.
    pub meaning: Label<'static>,
    /// What the institution must do.
    pub cure: Label<'static>,
}

/// What an answer is to an inquiry. A code that no table lists is a rejection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// The bureau has nothing on the subject.
    NoHit,
    /// A report from which something was left out.
    Partial,
    /// No report; the bureau refuses.
    Rejected,
    /// A report.
    Report,
    /// No report, and no word on whether the inquiry was recorded: it may be
    /// under way. It must not be repeated.
    Undecided,
}

/// The result codes of an interface's own table.
pub(super) fn table(interface: Interface) -> &'static [ResultCode] {
    match interface {
        Interface::Enterprise => &ENTERPRISE,
        Interface::Personal => &PERSONAL,
    }
}

static ENTERPRISE: LazyLock<Vec<ResultCode>> = LazyLock::new(|| compile(Interface::Enterprise));
static PERSONAL: LazyLock<Vec<ResultCode>> = LazyLock::new(|| compile(Interface::Personal));

fn compile(interface: Interface) -> Vec<ResultCode> {
    // The tables are part of the program, and a test compiles them.
    read(interface).expect("result-codes.tsv")
}

fn read(interface: Interface) -> Result<Vec<ResultCode>, TableError> {
    let columns = [
        "code",
        "class",
        "zh",
        "en",
        "zh_cure",
        "en_cure",
        "source",
        "confidence",
    ];
    let table = Table::parse("result-codes.tsv", interface.results(), &columns, &[])?;
    let entry = |row: Row<'_, 'static>| {
        let class = match row.need("class")? {
            "no_hit" => Class::NoHit,
            "partial" => Class::Partial,
            "rejected" => Class::Rejected,
            "report" => Class::Report,
            "undecided" => Class::Undecided,
            _ => {
                let wanted = "must be no_hit, partial, rejected, report or undecided";
                return Err(row.error("class", wanted));
            }
        };
        Ok(ResultCode {
            code: row.need("code")?,
            class,
            meaning: Label {
                zh: row.need("zh")?,
                en: row.need("en")?,
            },
            cure: Label {
                zh: row.need("zh_cure")?,
                en: row.need("en_cure")?,
            },
        })
    };
    table.rows().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Codes of the sources' lists, as they were read: `RESULT_CODE` of the
    /// personal interface, `RETCODE` of the enterprise interface.
    const PERSONAL_CODES: &str = "AAA000 AAA001 AAA003 DBE001 DBE002 DBE003 DBE004 DBE005 DBE006 \
        DBE007 DBE008 DBE009 DBE010 DBE011 DBE012 DBE013 DBE014 DBE015 DBE016 DBE017 DBO001 DBO002 \
        DBO003 DBO004";
    const ENTERPRISE_CODES: &str = "AAA000 AAA001 ABE001 ABE002 ABE003 ABE004 ABF003 ABM001 ABM002 \
        ABM003 ABM004 ABM005 ABM006 ABM007 ABM008 ABM009 ABM010 ABM011 ABO001 ABO002 ATO001 ATO002 \
        ATO003 ATO004 ATO005 ATO999 FBE001 FBE002 FBE003 FBE004 FBE008 FBE009 FBE010 FBE011 FBE012 \
        FBE013 FBE014 FBE015 FBE016 FBE017 FBE018 FBO001 FBO002 FBO003 FBO005 GBE001 GBE002 GBE003 \
        GBE004 GBE005 GBE006 GBE007";

    #[test]
    fn every_result_code_of_the_sources_is_explained_in_both_languages() {
        for (interface, codes) in [
            (Interface::Personal, PERSONAL_CODES),
            (Interface::Enterprise, ENTERPRISE_CODES),
        ] {
            let listed = interface.result_codes();
            let known: BTreeSet<_> = listed.iter().map(|entry| entry.code).collect();
            assert_eq!(known, codes.split_whitespace().collect::<BTreeSet<_>>());
            assert_eq!(known.len(), listed.len(), "a code stands twice");
            for entry in listed {
                let chinese = |text: &str| text.chars().any(|c| ('一'..='龥').contains(&c));
                for label in [entry.meaning, entry.cure] {
                    let other = label.en.chars().any(|c| c.is_ascii_alphabetic());
                    assert!(chinese(label.zh) && other, "{}", entry.code);
                    assert!(!chinese(label.en), "{}", entry.code);
                }
            }
        }
    }

    #[test]
    fn a_code_of_either_interface_is_explained_by_its_own_table_first() {
        use Interface::{Enterprise, Personal};
        let class = |interface: Interface, code| interface.result_code(code).map(|it| it.class);
        for (interface, code, expected) in [
            (Personal, "AAA000", Some(Class::Report)),
            (Personal, "AAA001", Some(Class::NoHit)),
            (Personal, "DBO004", Some(Class::Partial)),
            (Personal, "ABE001", Some(Class::Rejected)),
            (Enterprise, "AAA000", Some(Class::Report)),
            (Enterprise, "DBE006", Some(Class::Rejected)),
            (Enterprise, "ATO002", Some(Class::Undecided)),
            (Enterprise, "XYZ999", None),
        ] {
            assert_eq!(class(interface, code), expected, "{interface:?} {code}");
        }
        let no_hit = |interface: Interface| interface.result_code("AAA001").unwrap().cure.zh;
        assert!(no_hit(Enterprise).contains("企业") && !no_hit(Personal).contains("企业"));
    }

    #[test]
    fn what_may_be_under_way_is_no_refusal() {
        let undecided = |entry: &&ResultCode| entry.class == Class::Undecided;
        let listed = Interface::Enterprise.result_codes().iter();
        let codes: Vec<_> = listed.filter(undecided).map(|entry| entry.code).collect();
        assert_eq!(
            codes,
            ["ATO001", "ATO002", "ATO003", "ATO004", "ATO005", "ATO999"]
        );
    }
}
