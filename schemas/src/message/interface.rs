//! The two interfaces for inquiries, and what differs between them.

use std::sync::LazyLock;

use super::purpose::{self, Reason};
use super::result::{self, ResultCode};
use crate::codes::{CodeList, Codes};
use crate::report::Dictionary;

/// About whom it is asked: persons and enterprises have messages, reasons and
/// services of their own, which number things differently.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Interface {
    /// Reports of enterprises: D103.
    Enterprise,
    /// Reports of persons: D101.
    Personal,
}

impl Interface {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Enterprise, Self::Personal];

    /// The one of a product of ours, by the product's name.
    #[must_use]
    pub fn of_product(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|interface| interface.product() == name)
    }

    /// Our name of its product: `personal_report`.
    #[must_use]
    pub fn product(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise_report",
            Self::Personal => "personal_report",
        }
    }

    /// The folder of its tables, which is also the name of the report's
    /// dictionary.
    #[must_use]
    pub fn dictionary(self) -> &'static str {
        match self {
            Self::Enterprise => "pboc-query-enterprise",
            Self::Personal => "pboc-query-personal",
        }
    }

    /// Type of the message that asks.
    #[must_use]
    pub fn request(self) -> &'static str {
        match self {
            Self::Enterprise => "D103",
            Self::Personal => "D101",
        }
    }

    /// Type of the message that answers.
    #[must_use]
    pub fn answer(self) -> &'static str {
        match self {
            Self::Enterprise => "D104",
            Self::Personal => "D102",
        }
    }

    /// The lists of reasons that circulate; the first one holds unless an
    /// institution is told otherwise.
    #[must_use]
    pub fn reason_lists(self) -> &'static [&'static str] {
        match self {
            Self::Enterprise => &["2004", "2004-B"],
            Self::Personal => &["QUERY_REASON"],
        }
    }

    /// The reason for a purpose in one of its lists; nothing when the purpose
    /// has none there.
    #[must_use]
    pub fn reason(self, list: &str, purpose: &str) -> Option<&'static Reason> {
        self.reasons()
            .iter()
            .find(|reason| reason.list == list && reason.purpose == purpose)
    }

    /// All mapped purposes.
    #[must_use]
    pub fn reasons(self) -> &'static [Reason] {
        purpose::table(self)
    }

    /// The entry of a result code. The interface's own table goes before the
    /// other's: the families were collected from services that neighbor each
    /// other, so a code of either may come. Nothing when neither lists it.
    #[must_use]
    pub fn result_code(self, code: &str) -> Option<&'static ResultCode> {
        let other = match self {
            Self::Enterprise => Self::Personal,
            Self::Personal => Self::Enterprise,
        };
        [self, other].into_iter().find_map(|interface| {
            let mut own = interface.result_codes().iter();
            own.find(|entry| entry.code == code)
        })
    }

    /// The result codes of its own table.
    #[must_use]
    pub fn result_codes(self) -> &'static [ResultCode] {
        result::table(self)
    }

    /// A code list that its requests use.
    #[must_use]
    pub fn list(self, name: &str) -> Option<&'static CodeList> {
        match self {
            Self::Enterprise => REQUEST_CODES.list(name),
            Self::Personal => Dictionary::embedded(self.dictionary())?.list(name),
        }
    }

    pub(super) fn messages(self) -> &'static str {
        match self {
            Self::Enterprise => include_str!("../../pboc-query-enterprise/messages.tsv"),
            Self::Personal => include_str!("../../pboc-query-personal/messages.tsv"),
        }
    }

    pub(super) fn purposes(self) -> &'static str {
        match self {
            Self::Enterprise => include_str!("../../pboc-query-enterprise/purposes.tsv"),
            Self::Personal => include_str!("../../pboc-query-personal/purposes.tsv"),
        }
    }

    pub(super) fn results(self) -> &'static str {
        match self {
            Self::Enterprise => include_str!("../../pboc-query-enterprise/result-codes.tsv"),
            Self::Personal => include_str!("../../pboc-query-personal/result-codes.tsv"),
        }
    }
}

static REQUEST_CODES: LazyLock<Codes> = LazyLock::new(|| {
    let text = include_str!("../../pboc-query-enterprise/request-codes.tsv");
    // The table is part of the program, and a test compiles it.
    Codes::parse("request-codes.tsv", text).expect("request-codes.tsv")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_of_one_interface() {
        for interface in Interface::ALL {
            assert_eq!(Interface::of_product(interface.product()), Some(interface));
            for name in [interface.request(), interface.answer()] {
                assert!(crate::message::Message::named(name).is_some(), "{name}");
            }
        }
        assert_eq!(Interface::of_product("score"), None);
    }
}
