//! The messages of the query interface, as tables.
//!
//! | request | answer | about |
//! |---|---|---|
//! | D101 | D102 | a personal report |
//! | D103 | D104 | an enterprise report |
//! | D201 | D202 | the state of a batch file |
//! | D501 | D502 | one record of a batch file of personal reports |
//! | L101 | L102 | a change of password |
//!
//! # Promise
//!
//! [`Message::named`] gives the elements of the XML part in the mandated order,
//! with length, kind and code list. [`Message::check`] finds everything wrong at
//! once; [`Message::read`] takes a message apart within limits. Beside them
//! stand the header lines of batch files ([`Header`]), and of each
//! [`Interface`] the result codes with their cures and our purposes with the
//! bureau's reasons.
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
use crate::table::{Row, Table, TableError};
use crate::text::{Label, length};

mod header;
mod interface;
mod purpose;
mod read;
mod result;

pub use header::{Header, HeaderError, HeaderField};
pub use interface::Interface;
pub use purpose::Reason;
pub use read::{Fields, MessageError};
pub use result::{Class, ResultCode};

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
    /// The lists of which one must have its value; none where it is free.
    pub codes: Vec<&'static CodeList>,
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
    /// The message of a type: `D101`; nothing where no table has it.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|message| message.name == name)
    }

    /// All messages.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// Its type: `D101`.
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
            let lists = &element.codes;
            if !lists.is_empty() && !lists.iter().any(|list| list.contains(text)) {
                found(Fault::Code);
            }
            if text.chars().any(char::is_control) && element.length != Length::Any {
                found(Fault::Character);
            }
        }
        defects
    }

    /// The messages of an interface's table.
    fn compile(interface: Interface) -> Result<Vec<Self>, TableError> {
        let table = Table::parse("messages.tsv", interface.messages(), &COLUMNS, &["notes"])?;
        let mut messages: Vec<Self> = Vec::new();
        for row in table.rows() {
            let name = row.need("message")?;
            let element = Element::compile(&row, interface)?;
            match messages.last_mut().filter(|last| last.name == name) {
                Some(last) => last.elements.push(element),
                None => messages.push(Self {
                    name,
                    elements: vec![element],
                }),
            }
        }
        Ok(messages)
    }
}

impl Element {
    fn compile(row: &Row<'_, 'static>, interface: Interface) -> Result<Self, TableError> {
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
        let named = row.get("codes").split('|').filter(|name| !name.is_empty());
        let list = |name| {
            let list = interface.list(name);
            list.ok_or_else(|| row.error("codes", "no such list"))
        };
        let codes = named.map(list).collect::<Result<_, _>>()?;
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

static ALL: LazyLock<Vec<Message>> = LazyLock::new(|| {
    // The tables are part of the program, and a test compiles them.
    let compile = |interface| Message::compile(interface).expect("messages.tsv");
    Interface::ALL.into_iter().flat_map(compile).collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    const REQUEST: &[u8] = include_bytes!("../testdata/pboc-query-personal/sample-request.xml");

    fn named(name: &str) -> &'static Message {
        Message::named(name).unwrap()
    }

    #[test]
    fn every_message_has_its_elements_in_their_order() {
        let sizes: Vec<_> = Message::all()
            .iter()
            .map(|message| (message.name(), message.elements().len()))
            .collect();
        let expected = [
            ("D103", 10),
            ("D104", 3),
            ("D101", 10),
            ("D102", 4),
            ("D201", 4),
            ("D202", 5),
            ("D501", 8),
            ("D502", 12),
            ("L101", 6),
            ("L102", 4),
        ];
        assert_eq!(sizes, expected);
        assert!(Message::named("D104").is_some() && Message::named("D999").is_none());
    }

    #[test]
    fn the_sample_request_has_every_element_in_order_and_no_defect() {
        let message = named("D101");
        let fields = message.read(REQUEST, Limits::default()).unwrap();
        let order: Vec<_> = message
            .elements()
            .iter()
            .map(|element| element.tag)
            .collect();
        assert_eq!(fields.tags().collect::<Vec<_>>(), order);
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
        let defects: Vec<_> = named("D101")
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
    fn a_reason_may_be_of_either_list_that_circulates() {
        let wrong = |reason: &str| {
            let defects = named("D103").check(|tag| (tag == "QueryReason").then_some(reason));
            defects.iter().any(|it| it.tag == "QueryReason")
        };
        for (reason, expected) in [("01", false), ("10", false), ("08", true), ("60", true)] {
            assert_eq!(wrong(reason), expected, "reason {reason}");
        }
    }

    #[test]
    fn a_name_of_thirty_wide_characters_fits() {
        let name = "𠀀".repeat(30);
        let defects = named("D101").check(|tag| (tag == "Name").then_some(name.as_str()));
        assert!(defects.iter().all(|defect| defect.tag != "Name"));
    }
}
