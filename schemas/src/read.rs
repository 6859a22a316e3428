//! A record from its line of XML.
//!
//! # Promise
//!
//! Order is free, as it is for the bureau. Blanks, comments and CDATA are taken as XML means them.
//! What the plan does not know is not lost: it becomes a finding when the record is validated.
//!
//! # Failure
//!
//! [`ReadError`] where the line is no record of this plan at all; it quotes nothing of the line.

use crate::plan::RecordPlan;
use crate::plan::tree::Shape;
use crate::record::{Odd, Place, Record, Slot, Stray};
use crate::validate::Finding;
use crate::xml::{Limits, Scanner, Token, XmlError};

/// Why a line is no record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The line does not begin and end with the element around every record, or holds more or
    /// less than one element in it.
    #[error("the line is not one record within the outer element")]
    Frame,
    /// The line holds a record of another type.
    #[error("the line holds another record than {record}")]
    OtherRecord {
        /// The record type of the plan.
        record: String,
    },
    /// The line is no XML, or asks too much of its reader.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

/// The bureau refuses a line above ten million characters; the largest record, 9,999 mortgaged
/// items of a collateral contract, has some 140,000 elements.
const LIMITS: Limits = Limits {
    bytes: 40_000_000,
    depth: 16,
    elements: 200_000,
};

impl RecordPlan {
    /// Reads one line, without its line end.
    ///
    /// # Errors
    ///
    /// [`ReadError`]; the bureau would answer all of them with its code for unknown tags.
    pub fn read(&self, line: &[u8]) -> Result<Record, ReadError> {
        let mut record = self.new_record();
        self.read_into(line, &mut record)?;
        Ok(record)
    }

    /// As [`RecordPlan::read`], into a record whose memory is used again.
    ///
    /// # Errors
    ///
    /// As [`RecordPlan::read`]; then the record holds what came before the fault.
    pub fn read_into(&self, line: &[u8], record: &mut Record) -> Result<(), ReadError> {
        self.clear(record);
        let [begin, end] = &self.engine.markup;
        if !line.starts_with(begin.as_bytes()) || !line.ends_with(end.as_bytes()) {
            return Err(ReadError::Frame);
        }
        let mut scanner = Scanner::new(line, LIMITS)?;
        // The outer element, known from above.
        scanner.next()?;
        let mut found = false;
        loop {
            match scanner.next()?.ok_or(ReadError::Frame)? {
                Token::Open { name, attributes } if !found => {
                    if *name != *self.nodes[0].tag {
                        return Err(ReadError::OtherRecord {
                            record: self.code.to_string(),
                        });
                    }
                    if attributes {
                        stray(record, 0, Odd::Attribute);
                    }
                    self.read_element(&mut scanner, record, 0, Place::RECORD)?;
                    found = true;
                }
                Token::Text(text) if text.trim_ascii().is_empty() => {}
                Token::Close if found => break,
                _ => return Err(ReadError::Frame),
            }
        }
        // What follows must be nothing; a second document is no XML.
        scanner.next()?.map_or(Ok(()), |_| Err(ReadError::Frame))
    }

    /// What to tell of a line that is no record: the finding that stands for all others.
    #[must_use]
    pub fn unreadable(&self, error: &ReadError) -> Finding {
        let (zh, en) = match error {
            ReadError::Frame => (
                "一行应恰为一条记录：以外层标签开始和结束，其中只有一个记录元素",
                "a line must be one record: it begins and ends with the outer tag and holds one \
                 record element",
            ),
            ReadError::OtherRecord { .. } => (
                "该行的记录元素应与文件的记录类型一致",
                "the record element of the line must be that of the record type of the file",
            ),
            ReadError::Xml(_) => (
                "该行应为格式良好的UTF-8 XML，不含DTD，且嵌套和大小适度",
                "a line must be well-formed XML in UTF-8 without DTD, not too deep and not too large",
            ),
        };
        self.finding(
            ".".to_owned(),
            "0000",
            &self.engine.unknown,
            None,
            (zh.into(), en.into()),
        )
    }

    /// Reads what stands in a segment or group entry, to its end.
    fn read_element(
        &self,
        scanner: &mut Scanner<'_>,
        record: &mut Record,
        index: u16,
        place: Place,
    ) -> Result<(), XmlError> {
        loop {
            match scanner.next()?.ok_or(XmlError::CutShort)? {
                Token::Close => return Ok(()),
                Token::Text(text) if text.trim_ascii().is_empty() => {}
                Token::Text(_) | Token::Char(_) => stray(record, index, Odd::Text),
                Token::Open { name, attributes } => {
                    let Some(child) = self.child(index, name) else {
                        stray(record, index, Odd::Unknown(plain(name)));
                        skip(scanner)?;
                        continue;
                    };
                    if attributes {
                        stray(record, child, Odd::Attribute);
                    }
                    let node = &self.nodes[child as usize];
                    let slot = place.base as usize + node.slot as usize;
                    let taken = !record.slots[slot].is_absent();
                    match &node.shape {
                        Shape::Group(_) => {
                            let entry = self.add_entry(record, slot, child);
                            self.read_element(scanner, record, child, entry)?;
                        }
                        _ if taken => {
                            stray(record, index, Odd::Repeated(node.tag.clone()));
                            skip(scanner)?;
                        }
                        Shape::Segment(_) => {
                            record.slots[slot] = Slot::HERE;
                            self.read_element(scanner, record, child, place)?;
                        }
                        Shape::Item(_) => {
                            let start = record.text.len() as u32;
                            self.read_value(scanner, record, child)?;
                            record.slots[slot] = Slot {
                                start,
                                end: record.text.len() as u32,
                            };
                        }
                    }
                }
            }
        }
    }

    /// Reads the value of an item, to its end.
    fn read_value(
        &self,
        scanner: &mut Scanner<'_>,
        record: &mut Record,
        index: u16,
    ) -> Result<(), XmlError> {
        loop {
            match scanner.next()?.ok_or(XmlError::CutShort)? {
                Token::Close => return Ok(()),
                Token::Text(text) => push_text(&mut record.text, text),
                Token::Char(c) => record.text.push(c),
                Token::Open { name, .. } => {
                    stray(record, index, Odd::Unknown(plain(name)));
                    skip(scanner)?;
                }
            }
        }
    }
}

/// Appends text as XML 1.0, section 2.11 means it: every line end is one LF.
fn push_text(out: &mut String, text: &str) {
    if text.contains('\r') {
        out.push_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
    } else {
        out.push_str(text);
    }
}

fn stray(record: &mut Record, inside: u16, what: Odd) {
    let stray = Stray { inside, what };
    // A thousand repetitions of one fault need not be told a thousand times.
    if !record.strays.contains(&stray) && record.strays.len() < MOST_STRAYS {
        record.strays.push(stray);
    }
}

/// More strays than this say nothing new about a line.
const MOST_STRAYS: usize = 100;

fn skip(scanner: &mut Scanner<'_>) -> Result<(), XmlError> {
    let mut depth = 1;
    while depth > 0 {
        match scanner.next()?.ok_or(XmlError::CutShort)? {
            Token::Open { .. } => depth += 1,
            Token::Close => depth -= 1,
            Token::Text(_) | Token::Char(_) => {}
        }
    }
    Ok(())
}

/// A name that can be shown: a stray element might be named after a person.
fn plain(name: &str) -> Box<str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.len() <= 40 && name.bytes().all(plain) && !name.as_bytes()[0].is_ascii_digit() {
        name.into()
    } else {
        "?".into()
    }
}
