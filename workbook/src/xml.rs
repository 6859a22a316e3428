//! One part of a workbook, token by token, with its claws cut.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::BufRead;
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::errors::Error;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::error::BookError;
use crate::package::{Limit, TOKEN};

/// Elements inside one another; workbooks need eight.
const DEPTH: usize = 64;

/// Reads one part.
pub(crate) struct Xml<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
    part: String,
    depth: usize,
    token: Rc<Cell<u64>>,
    inflated: u64,
}

/// A piece of a part. Names are without their prefix.
pub(crate) enum Token<'b> {
    /// An element begins; an empty one is followed by its [`Token::Close`].
    Open(Tag<'b>),
    /// The innermost open element ends.
    Close,
    /// Text as it stands.
    Text(Cow<'b, str>),
    /// A character that was written as a reference.
    Char(char),
    /// After the root element.
    End,
}

/// The start of an element.
pub(crate) struct Tag<'b>(BytesStart<'b>);

impl Tag<'_> {
    pub(crate) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// Names and values of all attributes, references resolved; prefixes do not count.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let mut attributes = self.0.attributes();
        attributes.with_checks(false);
        attributes.flatten().filter_map(|it| {
            let name = it.key.local_name().into_inner();
            let value = it.normalized_value(XmlVersion::Implicit1_0).ok()?;
            Some((name, value.into_owned().into()))
        })
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.attributes();
        let found = attributes.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.into_owned())
    }
}

impl<R: BufRead> Xml<R> {
    pub(crate) fn new(input: R, part: &str, token: Rc<Cell<u64>>, inflated: u64) -> Self {
        let mut reader = Reader::from_reader(input);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            part: part.to_owned(),
            depth: 0,
            token,
            inflated,
        }
    }

    /// Elements open at this moment.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The next piece.
    pub(crate) fn next(&mut self) -> Result<Token<'_>, BookError> {
        self.buffer.clear();
        self.token.set(TOKEN);
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(error) => return Err(defect(&self.part, self.inflated, &error)),
        };
        let broken = |problem| Err(BookError::broken(&self.part, problem));
        let entity = || BookError::Entity {
            part: self.part.clone(),
        };
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                if self.depth > DEPTH {
                    return broken("its elements nest too deep");
                }
                Ok(Token::Open(Tag(tag)))
            }
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Token::Close)
            }
            Event::Text(text) => Ok(Token::Text(text.into_inner())),
            Event::CData(text) => Ok(Token::Text(text.into_inner())),
            Event::GeneralRef(reference) => resolve(&reference).map(Token::Char).ok_or_else(entity),
            Event::DocType(_) => Err(entity()),
            Event::Eof if self.depth > 0 => broken("it is cut short"),
            Event::Eof => Ok(Token::End),
            _ => Ok(Token::Text(Cow::Borrowed(""))),
        }
    }

    /// Reads past the end of the element that was opened last.
    pub(crate) fn skip(&mut self) -> Result<(), BookError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if let Token::End = self.next()? {
                break;
            }
        }
        Ok(())
    }

    /// Reads the text of the element that was opened last, and past its end.
    pub(crate) fn text(&mut self, into: &mut String) -> Result<(), BookError> {
        let (outside, from) = (self.depth.saturating_sub(1), into.len());
        while self.depth > outside {
            if (into.len() - from) as u64 > TOKEN {
                return Err(self.too_long());
            }
            match self.next()? {
                Token::Char(c) => into.push(c),
                Token::End => break,
                Token::Text(text) => into.push_str(&text),
                Token::Close | Token::Open(_) => {}
            }
        }
        Ok(())
    }

    /// The error that a text in this part does not end.
    pub(crate) fn too_long(&self) -> BookError {
        BookError::TooLarge {
            what: "bytes of one text",
            limit: TOKEN,
        }
    }

    /// The error that this part has such a problem.
    pub(crate) fn broken(&self, problem: &'static str) -> BookError {
        BookError::broken(&self.part, problem)
    }
}

fn defect(part: &str, inflated: u64, error: &Error) -> BookError {
    match error {
        Error::Io(error) if error.get_ref().is_some_and(|it| it.is::<Limit>()) => {
            BookError::TooLarge {
                what: "bytes of its parts, or of one text in them",
                limit: inflated,
            }
        }
        _ => BookError::broken(part, "it is no sound XML, or its packing is damaged"),
    }
}

/// One of the five entities of XML, or a character XML 1.0 allows.
fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten();
    }
    match &**reference {
        "amp" => Some('&'),
        "apos" => Some('\''),
        "gt" => Some('>'),
        "lt" => Some('<'),
        "quot" => Some('"'),
        _ => None,
    }
}
