//! The messages of an inquiry, as tables: D101 asks for a personal report,
//! D102 answers.
//!
//! # Promise
//!
//! [`Message::d101`] and [`Message::d102`] list the elements of the XML part in
//! the mandated order, with length, kind and code list. [`Message::check`]
//! finds everything wrong at once; [`Message::read`] takes a message apart
//! within limits. Beside them stand the result codes with their cures
//! ([`result_code`]) and our purposes with the bureau's reasons ([`reason`]).
//!
//! # What is not here
//!
//! The header line, the signature and the writing: those are the adapter's, so
//! that a mock bureau and an adapter share no code but these tables.
//!
//! # Failure
//!
//! Findings and errors name elements, never values.

use std::fmt;
use std::sync::LazyLock;

use crate::codes::CodeList;
use crate::report::Dictionary;
use crate::table::{Row, Table, TableError};
use crate::text::{Label, length};

mod purpose;
mod read;
mod result;

pub use purpose::{Reason, reason, reasons};
pub use read::{Fields, MessageError};
pub use result::{Class, ResultCode, result_code, result_codes};

/// One message: its elements in the order in which they are written.
#[derive(Debug)]
pub struct Message {
    name: &'static str,
    elements: Vec<Element>,
}

/// One element of a message.
#[derive(Debug)]
pub struct Element {
    /// Path from the root, `/` between: `Document/Msg/IDNum`.
    pub path: &'static str,
    /// Its own name, the last part of the path; unique in its message.
    pub tag: &'static str,
    /// Label.
    pub label: Label<'static>,
    /// It must be there and filled.
    pub required: bool,
    /// Length in characters.
    pub length: Length,
    /// Only the digits of hexadecimal numbers.
    pub hexadecimal: bool,
    /// The list its value must be in.
    pub codes: Option<&'static CodeList>,
}

/// How long a value may be, in characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Length {
    /// No limit of its own.
    Any,
    /// Exactly so many.
    Exactly(usize),
    /// Up to so many.
    UpTo(usize),
}

/// Something wrong with one element. `Display` is the English sentence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Defect {
    /// The element's name.
    pub tag: &'static str,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// A control character, which XML cannot carry.
    Character,
    /// Not in the code list.
    Code,
    /// Not hexadecimal.
    Hexadecimal,
    /// Absent or blank.
    Missing,
    /// Longer than the limit.
    TooLong(usize),
    /// Not of the one length allowed.
    WrongLength(usize),
}

impl Message {
    /// The request for a personal report.
    #[must_use]
    pub fn d101() -> &'static Self {
        &D101
    }

    /// The answer to it.
    #[must_use]
    pub fn d102() -> &'static Self {
        &D102
    }

    /// `D101` or `D102`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The elements in the mandated order.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// Everything wrong with the values that `value` gives for the tags.
    pub fn check<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Vec<Defect> {
        let mut defects = Vec::new();
        for element in &self.elements {
            let text = value(element.tag).unwrap_or_default();
            let mut found = |fault| {
                defects.push(Defect {
                    tag: element.tag,
                    fault,
                })
            };
            if text.trim().is_empty() {
                if element.required {
                    found(Fault::Missing);
                }
                continue;
            }
            match element.length {
                Length::UpTo(limit) if length(text) > limit => found(Fault::TooLong(limit)),
                Length::Exactly(size) if length(text) != size => found(Fault::WrongLength(size)),
                _ => {}
            }
            if element.hexadecimal && !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                found(Fault::Hexadecimal);
            }
            if element.codes.is_some_and(|list| !list.contains(text)) {
                found(Fault::Code);
            }
            if text.chars().any(char::is_control) && element.length != Length::Any {
                found(Fault::Character);
            }
        }
        defects
    }

    fn compile(name: &'static str) -> Result<Self, TableError> {
        let table = Table::parse("messages.tsv", MESSAGES, &COLUMNS, &["notes"])?;
        let rows = table.rows().filter(|row| row.get("message") == name);
        let elements = rows
            .map(|row| Element::compile(&row))
            .collect::<Result<_, _>>()?;
        Ok(Self { name, elements })
    }
}

impl Element {
    fn compile(row: &Row<'_, 'static>) -> Result<Self, TableError> {
        let path = row.need("path")?;
        let number = |text: &str| {
            text.parse()
                .map_err(|_| row.error("length", "must be a number, or = and a number"))
        };
        let length = match row.get("length") {
            "" => Length::Any,
            text => match text.strip_prefix('=') {
                Some(text) => Length::Exactly(number(text)?),
                None => Length::UpTo(number(text)?),
            },
        };
        let lists = Dictionary::embedded("pboc-query-personal");
        let codes = match row.get("codes") {
            "" => None,
            list => Some(
                lists
                    .and_then(|lists| lists.list(list))
                    .ok_or_else(|| row.error("codes", "no such list"))?,
            ),
        };
        Ok(Self {
            path,
            tag: path.rsplit_once('/').map_or(path, |(_, tag)| tag),
            label: Label {
                zh: row.need("zh")?,
                en: row.need("en")?,
            },
            required: row.need("min")? != "0",
            length,
            hexadecimal: row.need("kind")? == "hex",
            codes,
        })
    }
}

impl Defect {
    /// Stable code of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.fault {
            Fault::Character => "forbidden_character",
            Fault::Code => "not_in_code_list",
            Fault::Hexadecimal => "not_hexadecimal",
            Fault::Missing => "missing",
            Fault::TooLong(_) => "too_long",
            Fault::WrongLength(_) => "wrong_length",
        }
    }

    /// The finding in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        let tag = self.tag;
        match self.fault {
            Fault::Character => format!("{tag}：含有不允许的字符"),
            Fault::Code => format!("{tag}：不在代码表中"),
            Fault::Hexadecimal => format!("{tag}：不是十六进制"),
            Fault::Missing => format!("{tag}：未填写"),
            Fault::TooLong(limit) => format!("{tag}：超过 {limit} 个字符"),
            Fault::WrongLength(size) => format!("{tag}：不是 {size} 个字符"),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.tag)?;
        match self.fault {
            Fault::Character => f.write_str("holds a forbidden character"),
            Fault::Code => f.write_str("not in the code list"),
            Fault::Hexadecimal => f.write_str("not hexadecimal"),
            Fault::Missing => f.write_str("missing"),
            Fault::TooLong(limit) => write!(f, "longer than {limit} characters"),
            Fault::WrongLength(size) => write!(f, "not {size} characters long"),
        }
    }
}

const COLUMNS: [&str; 11] = [
    "message",
    "order",
    "path",
    "kind",
    "length",
    "min",
    "codes",
    "zh",
    "en",
    "source",
    "confidence",
];

const MESSAGES: &str = include_str!("../pboc-query-personal/messages.tsv");

static D101: LazyLock<Message> = LazyLock::new(|| {
    // The table is part of the program, and a test compiles it.
    Message::compile("D101").expect("messages.tsv")
});

static D102: LazyLock<Message> = LazyLock::new(|| {
    // The table is part of the program, and a test compiles it.
    Message::compile("D102").expect("messages.tsv")
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    const REQUEST: &[u8] = include_bytes!("../testdata/pboc-query-personal/sample-request.xml");

    #[test]
    fn the_sample_request_has_every_element_in_order_and_no_defect() {
        let message = Message::d101();
        let fields = message.read(REQUEST, Limits::default()).unwrap();
        let order: Vec<_> = message
            .elements()
            .iter()
            .map(|element| element.tag)
            .collect();
        assert_eq!(fields.tags().collect::<Vec<_>>(), order);
        assert_eq!(order.len(), 10);
        assert_eq!(message.check(|tag| fields.get(tag)), []);
        assert!(fields.unknown().is_empty());
        assert!(!format!("{fields:?}").contains("示例"));
    }

    #[test]
    fn all_defects_are_found_at_once() {
        let long = "𠀀".repeat(31);
        let value = |tag: &str| match tag {
            "QueryOrgCode" => Some("Z9"),
            "Password" => Some("secret"),
            "Name" => Some(long.as_str()),
            "IDType" => Some("77"),
            "IDNum" => Some("1\u{7}"),
            "ServiceCode" => Some("  "),
            _ => Some("01"),
        };
        let defects: Vec<_> = Message::d101()
            .check(value)
            .iter()
            .map(Defect::to_string)
            .collect();
        let expected = [
            "QueryOrgCode: not 14 characters long",
            "Password: not 64 characters long",
            "Password: not hexadecimal",
            "OriginateOrgCode: not 14 characters long",
            "Name: longer than 30 characters",
            "IDType: not in the code list",
            "IDNum: holds a forbidden character",
            "ServiceCode: missing",
        ];
        assert_eq!(defects, expected);
    }

    #[test]
    fn a_name_of_thirty_wide_characters_fits() {
        let name = "𠀀".repeat(30);
        let defects = Message::d101().check(|tag| (tag == "Name").then_some(name.as_str()));
        assert!(defects.iter().all(|defect| defect.tag != "Name"));
    }
}
