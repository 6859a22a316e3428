//! Takes a message apart.

use std::borrow::Cow;
use std::fmt;

use super::{Element, Message};
use crate::xml::{Limits, Scanner, Token, XmlError};

impl Message {
    /// Takes the XML part of a message apart. Missing or ill-typed elements are
    /// left to [`Message::check`]; elements that no table names are listed.
    ///
    /// # Errors
    ///
    /// See [`MessageError`].
    pub fn read<'a>(&self, xml: &'a [u8], limits: Limits) -> Result<Fields<'a>, MessageError> {
        let mut scanner = Scanner::new(xml, limits)?;
        let mut fields = Fields {
            values: Vec::new(),
            unknown: Vec::new(),
        };
        let mut path = String::new();
        let mut text = Cow::Borrowed("");
        while let Some(token) = scanner.next()? {
            match token {
                Token::Open { name, .. } => {
                    if !path.is_empty() {
                        path.push('/');
                    }
                    path.push_str(name);
                    self.enter(&path, &mut fields)?;
                    text = Cow::Borrowed("");
                }
                Token::Text(piece) if text.is_empty() => text = Cow::Borrowed(piece),
                Token::Text(piece) => text.to_mut().push_str(piece),
                Token::Char(c) => text.to_mut().push(c),
                Token::Close => {
                    let element = self.elements.iter().find(|element| element.path == path);
                    let value = std::mem::take(&mut text);
                    if let Some(element) = element {
                        fields.values.push((element.tag, value));
                    }
                    path.truncate(path.rfind('/').unwrap_or(0));
                }
            }
        }
        Ok(fields)
    }

    /// Notes an element that is not ours; refuses one that stands twice.
    fn enter(&self, path: &str, fields: &mut Fields<'_>) -> Result<(), MessageError> {
        if let Some(element) = self.elements.iter().find(|element| element.path == path) {
            if fields.get(element.tag).is_some() {
                return Err(MessageError::Twice { tag: element.tag });
            }
            return Ok(());
        }
        let above = |element: &Element| {
            element
                .path
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if self.elements.iter().any(above) {
            return Ok(());
        }
        if !path.contains('/') {
            return Err(MessageError::WrongRoot);
        }
        let (above, _) = path.rsplit_once('/').unwrap_or_default();
        if let Some(element) = self.elements.iter().find(|element| element.path == above) {
            return Err(MessageError::Nested { tag: element.tag });
        }
        fields.unknown.push(path.chars().take(MAX_PATH).collect());
        Ok(())
    }
}

/// The values of a message that was read. `Debug` shows names only.
pub struct Fields<'a> {
    values: Vec<(&'static str, Cow<'a, str>)>,
    unknown: Vec<String>,
}

impl Fields<'_> {
    /// The value of an element, as it came; nothing when it was absent.
    #[must_use]
    pub fn get(&self, tag: &str) -> Option<&str> {
        self.values
            .iter()
            .find(|(name, _)| *name == tag)
            .map(|(_, value)| &**value)
    }

    /// Names of the elements that came, in their order.
    pub fn tags(&self) -> impl Iterator<Item = &'static str> {
        self.values.iter().map(|(tag, _)| *tag)
    }

    /// Paths of elements that the table does not know, each cut at 200 characters.
    #[must_use]
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.values.iter().map(|(tag, _)| tag))
            .finish()
    }
}

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// An element that should hold text holds an element.
    #[error("the element {tag} holds an element instead of text")]
    Nested {
        /// Its name.
        tag: &'static str,
    },
    /// One element stands twice, so it is not clear which holds.
    #[error("the element {tag} stands twice")]
    Twice {
        /// Its name.
        tag: &'static str,
    },
    /// Another document.
    #[error("the root element is not that of the message")]
    WrongRoot,
    /// No XML that we accept.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

impl MessageError {
    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Nested { .. } => "element_nested",
            Self::Twice { .. } => "element_twice",
            Self::WrongRoot => "wrong_root",
            Self::Xml(error) => error.code(),
        }
    }
}

/// Longest path that is kept of an unknown element.
const MAX_PATH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSAL: &[u8] =
        include_bytes!("../../testdata/pboc-query-personal/sample-response-error.xml");
    const REPLY: &[u8] = include_bytes!("../../testdata/pboc-query-personal/sample-response.xml");

    #[test]
    fn replies_are_read_whole() {
        let message = Message::named("D102").unwrap();
        let refusal = message.read(REFUSAL, Limits::default()).unwrap();
        assert_eq!(refusal.get("ResultCode"), Some("DBE004"));
        assert_eq!(refusal.get("ReportMessage"), Some(""));
        let reply = message.read(REPLY, Limits::default()).unwrap();
        assert_eq!(reply.get("ResultCode"), Some("AAA000"));
        assert_eq!(reply.get("ReportName"), Some("2026031600000001.xml"));
        assert!(
            reply
                .get("ReportMessage")
                .unwrap()
                .trim()
                .starts_with("H4sI")
        );
    }

    #[test]
    fn a_hostile_reply_is_refused_with_a_reason() {
        let cases: [(&str, &[u8], &str); 6] = [
            (
                "element in a value",
                b"<Document><Msg><ResultCode>DBE<x/>004</ResultCode></Msg></Document>",
                "element_nested",
            ),
            ("twice", b"<Document><Msg><ResultCode>A</ResultCode><ResultCode>B</ResultCode></Msg></Document>", "element_twice"),
            ("other root", b"<html><body/></html>", "wrong_root"),
            ("doctype", b"<!DOCTYPE Document><Document/>", "doctype"),
            ("cut", &REPLY[..REPLY.len() / 2], "cut_short"),
            ("nothing", b"", "cut_short"),
        ];
        for (name, xml, code) in cases {
            let error = Message::named("D102")
                .unwrap()
                .read(xml, Limits::default())
                .unwrap_err();
            assert_eq!(error.code(), code, "case {name}");
        }
        let xml = b"<Document><Msg><New>1</New></Msg></Document>";
        let fields = Message::named("D102")
            .unwrap()
            .read(xml, Limits::default())
            .unwrap();
        assert_eq!(fields.unknown(), ["Document/Msg/New"]);
    }
}
