//! Our purposes and the reason codes of each interface's lists.
//!
//! The lists number reasons differently, so a purpose is mapped per list; an
//! unmapped purpose is refused by whoever asks here.

use std::sync::LazyLock;

use super::Interface;
use crate::table::{Row, Table, TableError};
use crate::text::Label;

/// The bureau's reason for one of our purposes.
#[derive(Debug)]
pub struct Reason {
    /// The list that the code is of.
    pub list: &'static str,
    /// Our purpose: `loan_approval`.
    pub purpose: &'static str,
    /// Code in the list.
    pub code: &'static str,
    /// The bureau's name of the reason.
    pub label: Label<'static>,
}

/// The mapped purposes of an interface.
pub(super) fn table(interface: Interface) -> &'static [Reason] {
    match interface {
        Interface::Enterprise => &ENTERPRISE,
        Interface::Personal => &PERSONAL,
    }
}

static ENTERPRISE: LazyLock<Vec<Reason>> = LazyLock::new(|| compile(Interface::Enterprise));
static PERSONAL: LazyLock<Vec<Reason>> = LazyLock::new(|| compile(Interface::Personal));

fn compile(interface: Interface) -> Vec<Reason> {
    // The tables are part of the program, and a test compiles them.
    read(interface).expect("purposes.tsv")
}

fn read(interface: Interface) -> Result<Vec<Reason>, TableError> {
    let columns = ["purpose", "reason", "zh", "en", "source", "confidence"];
    let text = interface.purposes();
    let table = Table::parse("purposes.tsv", text, &columns, &["list", "notes"])?;
    let lists = interface.reason_lists();
    let reason = |row: Row<'_, 'static>| {
        Ok(Reason {
            list: match (lists, row.get("list")) {
                ([only], "") => only,
                (_, list) => list,
            },
            purpose: row.need("purpose")?,
            code: row.need("reason")?,
            label: Label {
                zh: row.need("zh")?,
                en: row.need("en")?,
            },
        })
    };
    table.rows().map(reason).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_purpose_has_one_reason_of_a_list() {
        for (interface, count) in [(Interface::Enterprise, 12), (Interface::Personal, 13)] {
            let reasons = interface.reasons();
            for reason in reasons {
                assert!(interface.reason_lists().contains(&reason.list));
                let list = interface.list(reason.list).unwrap();
                assert!(list.contains(reason.code), "{}", reason.purpose);
            }
            let once: BTreeSet<_> = reasons.iter().map(|it| (it.list, it.purpose)).collect();
            assert_eq!((once.len(), reasons.len()), (count, count));
        }
    }

    #[test]
    fn persons_and_enterprises_number_their_reasons_differently() {
        let code = |interface: Interface, list, purpose| {
            interface.reason(list, purpose).map(|reason| reason.code)
        };
        let enterprise = |list, purpose| code(Interface::Enterprise, list, purpose);
        let personal = |purpose| code(Interface::Personal, "QUERY_REASON", purpose);
        assert_eq!(personal("loan_approval"), Some("02"));
        assert_eq!(enterprise("2004", "loan_approval"), Some("01"));
        assert_eq!(enterprise("2004-B", "loan_approval"), Some("10"));
        assert_eq!(personal("post_loan"), Some("01"));
        assert_eq!(enterprise("2004", "post_loan"), Some("03"));
        // What is asked about a person only.
        for purpose in ["officer_check", "card_approval", "curiosity"] {
            assert_eq!(enterprise("2004", purpose), None, "{purpose}");
        }
        assert_eq!(personal("curiosity"), None);
        assert_eq!(enterprise("QUERY_REASON", "loan_approval"), None);
    }
}
