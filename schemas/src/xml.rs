//! XML from outside, read with its claws cut.
//!
//! # Promise
//!
//! UTF-8 only, no DOCTYPE, no entity but the five of XML and character
//! references, within limits on size, depth and number of elements. Since
//! nothing is declared nothing expands: a text never grows while it is read.
//!
//! # What is not here
//!
//! Namespaces and schemas. The formats read here have neither.
//!
//! # Failure
//!
//! [`XmlError`], with a stable code and without any part of the text. What is
//! cut short is an error, never a shorter document.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesRef, BytesStart, Event};

mod leaves;

pub use leaves::leaves;

/// How much a document may ask of its reader.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Size of the document in bytes.
    pub bytes: usize,
    /// Elements inside one another, the root counted.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
}

impl Default for Limits {
    /// A hundred times the largest report seen: 16 MiB, 32 deep, 500,000 elements.
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            depth: 32,
            elements: 500_000,
        }
    }
}

/// Why a document is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// It ends before its root element does.
    #[error("the document is cut short")]
    CutShort,
    /// It has a document type declaration.
    #[error("the document declares a document type, which is not allowed")]
    Doctype,
    /// It refers to an entity that XML itself does not know.
    #[error("the document refers to an unknown entity")]
    Entity,
    /// It is not well formed.
    #[error("the document is not well-formed XML")]
    Malformed,
    /// It nests deeper than allowed.
    #[error("the document nests deeper than {limit} elements")]
    TooDeep {
        /// See [`Limits::depth`].
        limit: usize,
    },
    /// It is larger than allowed.
    #[error("the document is larger than {limit} bytes")]
    TooLarge {
        /// See [`Limits::bytes`].
        limit: usize,
    },
    /// It has more elements than allowed.
    #[error("the document has more than {limit} elements")]
    TooMany {
        /// See [`Limits::elements`].
        limit: usize,
    },
    /// It is not UTF-8, or says so of itself.
    #[error("the document is not in UTF-8")]
    WrongEncoding,
}

impl XmlError {
    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::CutShort => "cut_short",
            Self::Doctype => "doctype",
            Self::Entity => "unknown_entity",
            Self::Malformed => "not_xml",
            Self::TooDeep { .. } => "too_deep",
            Self::TooLarge { .. } => "too_large",
            Self::TooMany { .. } => "too_many_elements",
            Self::WrongEncoding => "wrong_encoding",
        }
    }
}

/// A piece of a document.
pub(crate) enum Token<'a> {
    /// An element begins; an empty one is followed by its [`Token::Close`].
    Open {
        /// Qualified name.
        name: &'a str,
        /// It carries attributes other than namespace declarations.
        attributes: bool,
    },
    /// The innermost open element ends.
    Close,
    /// Text as it stands, from outside or inside CDATA.
    Text(&'a str),
    /// A character that was written as a reference.
    Char(char),
}

/// Reads a document token by token.
pub(crate) struct Scanner<'a> {
    reader: Reader<&'a [u8]>,
    source: &'a str,
    limits: Limits,
    depth: usize,
    elements: usize,
    start: usize,
}

impl<'a> Scanner<'a> {
    /// Begins to read; size and encoding are checked here.
    pub(crate) fn new(bytes: &'a [u8], limits: Limits) -> Result<Self, XmlError> {
        if bytes.len() > limits.bytes {
            return Err(XmlError::TooLarge {
                limit: limits.bytes,
            });
        }
        let source = std::str::from_utf8(bytes).map_err(|error| match error.error_len() {
            Some(_) => XmlError::WrongEncoding,
            None => XmlError::CutShort,
        })?;
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        // XML 1.0, section 2.2: no other control characters, in no place.
        if source
            .bytes()
            .any(|b| b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r'))
        {
            // Zeros between ASCII characters are UTF-16 in disguise.
            let wide = source.as_bytes().contains(&0);
            return Err(if wide {
                XmlError::WrongEncoding
            } else {
                XmlError::Malformed
            });
        }
        let mut reader = Reader::from_str(source);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self {
            reader,
            source,
            limits,
            depth: 0,
            elements: 0,
            start: 0,
        })
    }

    /// The text that is read, without a byte order mark.
    pub(crate) fn source(&self) -> &'a str {
        self.source
    }

    /// Where the last token begins, in bytes of [`Scanner::source`].
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Where it ends.
    pub(crate) fn end(&self) -> usize {
        self.reader.buffer_position() as usize
    }

    /// The next piece, or nothing after the root element and what may follow it.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>, XmlError> {
        loop {
            self.start = self.end();
            let event = self.reader.read_event();
            let event = event.map_err(|error| self.defect(&error))?;
            match event {
                Event::Start(tag) => return self.open(&tag).map(Some),
                Event::End(_) => {
                    self.depth = self.depth.checked_sub(1).ok_or(XmlError::Malformed)?;
                    return Ok(Some(Token::Close));
                }
                Event::Text(text) => {
                    let text = borrowed(text.into_inner())?;
                    if self.depth > 0 {
                        return Ok(Some(Token::Text(text)));
                    }
                    if !text.trim_ascii().is_empty() {
                        return Err(XmlError::Malformed);
                    }
                }
                Event::CData(text) if self.depth > 0 => {
                    self.start += "<![CDATA[".len();
                    return borrowed(text.into_inner()).map(|text| Some(Token::Text(text)));
                }
                Event::GeneralRef(reference) if self.depth > 0 => {
                    return resolve(&reference).map(|c| Some(Token::Char(c)));
                }
                Event::Decl(declaration) if self.start == 0 => match declaration.encoding() {
                    None => {}
                    Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => {}
                    Some(_) => return Err(XmlError::WrongEncoding),
                },
                Event::Comment(_) | Event::PI(_) => {}
                Event::DocType(_) => return Err(XmlError::Doctype),
                Event::Eof if self.depth > 0 || self.elements == 0 => {
                    return Err(XmlError::CutShort);
                }
                Event::Eof => return Ok(None),
                _ => return Err(XmlError::Malformed),
            }
        }
    }

    /// What an error of the reader means; the position is that of its token.
    fn defect(&self, error: &Error) -> XmlError {
        let rest = self.source.get(self.start..).unwrap_or_default();
        match error {
            Error::Syntax(SyntaxError::InvalidBangMarkup) => XmlError::Malformed,
            Error::Syntax(_) => XmlError::CutShort,
            // A reference in the middle is a bare ampersand, at the end a cut.
            Error::IllFormed(IllFormedError::UnclosedReference) if !rest.contains(['<', ' ']) => {
                XmlError::CutShort
            }
            _ => XmlError::Malformed,
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<Token<'a>, XmlError> {
        if self.depth == 0 && self.elements > 0 {
            return Err(XmlError::Malformed);
        }
        self.depth += 1;
        self.elements += 1;
        if self.depth > self.limits.depth {
            return Err(XmlError::TooDeep {
                limit: self.limits.depth,
            });
        }
        if self.elements > self.limits.elements {
            return Err(XmlError::TooMany {
                limit: self.limits.elements,
            });
        }
        let start = self.start + 1;
        let end = start + tag.name().as_ref().len();
        let name = self.source.get(start..end).ok_or(XmlError::Malformed)?;
        // The reader takes what stands there for a name.
        let may_begin = |c: char| c.is_alphabetic() || c == '_';
        let may_follow = |c: char| c.is_alphanumeric() || "_-.:".contains(c);
        if !name.starts_with(may_begin) || !name.chars().all(may_follow) {
            return Err(XmlError::Malformed);
        }
        let mut attributes = false;
        if !tag.attributes_raw().trim_ascii().is_empty() {
            for attribute in tag.attributes() {
                let attribute = attribute.map_err(|_| XmlError::Malformed)?;
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                value.map_err(|_| XmlError::Entity)?;
                attributes |= attribute.key.as_namespace_binding().is_none();
            }
        }
        Ok(Token::Open { name, attributes })
    }
}

/// The text of an event over a slice, which is always borrowed from it.
fn borrowed(text: Cow<'_, str>) -> Result<&str, XmlError> {
    match text {
        Cow::Borrowed(text) => Ok(text),
        Cow::Owned(_) => Err(XmlError::Malformed),
    }
}

/// One of the five entities of XML, or a character XML 1.0 allows.
fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    if reference.is_char_ref() {
        let character = reference.resolve_char_ref().ok().flatten();
        let allowed = |c: &char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        return character.filter(allowed).ok_or(XmlError::Malformed);
    }
    match &**reference {
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "gt" => Ok('>'),
        "lt" => Ok('<'),
        "quot" => Ok('"'),
        _ => Err(XmlError::Entity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], limits: Limits) -> Result<String, XmlError> {
        let mut scanner = Scanner::new(bytes, limits)?;
        let mut out = String::new();
        while let Some(token) = scanner.next()? {
            match token {
                Token::Open { name, attributes } => {
                    out.push_str(if attributes { "@(" } else { "(" });
                    out.push_str(name);
                }
                Token::Close => out.push(')'),
                Token::Text(text) => out.push_str(text),
                Token::Char(c) => out.push(c),
            }
        }
        Ok(out)
    }

    #[test]
    fn a_document_is_read_or_refused_with_a_reason() {
        use XmlError::*;
        let limits = Limits {
            bytes: 300,
            depth: 3,
            elements: 5,
        };
        let long = format!("<a>{}</a>", "x".repeat(300));
        let cases: [(&str, &[u8], Result<&str, XmlError>); 33] = [
            (
                "plain",
                "<a><b>测</b><c/></a>".as_bytes(),
                Ok("(a(b测)(c))"),
            ),
            (
                "declaration",
                b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a/>\n",
                Ok("(a)"),
            ),
            (
                "byte order mark",
                b"\xef\xbb\xbf<?xml version=\"1.0\"?><a/>",
                Ok("(a)"),
            ),
            (
                "references",
                b"<a>x&amp;y&#65;&#x6d4b;</a>",
                Ok("(ax&yA\u{6d4b})"),
            ),
            (
                "CDATA, comment, instruction",
                b"<a><![CDATA[<&]]><!-- c --><?p i?></a>",
                Ok("(a<&)"),
            ),
            ("attributes", b"<a b=\"c\"/>", Ok("@(a)")),
            (
                "namespace only",
                b"<a xmlns:x=\"urn:x\" xmlns=\"urn:y\"/>",
                Ok("(a)"),
            ),
            (
                "GBK declared",
                b"<?xml version=\"1.0\" encoding=\"GBK\"?><a/>",
                Err(WrongEncoding),
            ),
            ("GBK bytes", b"<a>\xb2\xe2\xca\xd4</a>", Err(WrongEncoding)),
            ("UTF-16", b"\xff\xfe<\0a\0/\0>\0", Err(WrongEncoding)),
            ("UTF-16 without mark", b"<\0a\0/\0>\0", Err(WrongEncoding)),
            ("cut in a character", b"<a>\xe6\xb5", Err(CutShort)),
            ("cut in a tag", b"<a><b", Err(CutShort)),
            ("cut in text", b"<a><b>x", Err(CutShort)),
            ("cut in a reference", b"<a>x&am", Err(CutShort)),
            ("cut in CDATA", b"<a><![CDATA[x", Err(CutShort)),
            ("empty", b"", Err(CutShort)),
            (
                "doctype",
                b"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
                Err(Doctype),
            ),
            (
                "external doctype",
                b"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
                Err(Doctype),
            ),
            ("undeclared entity", b"<a>&x;</a>", Err(Entity)),
            ("forbidden reference", b"<a>&#x1b;</a>", Err(Malformed)),
            ("forbidden character", b"<a>\x1b[2J</a>", Err(Malformed)),
            ("bare ampersand", b"<a>x & y</a>", Err(Malformed)),
            ("crossed tags", b"<a><b></a></b>", Err(Malformed)),
            ("two roots", b"<a/><b/>", Err(Malformed)),
            ("text after the root", b"<a/>x", Err(Malformed)),
            ("not XML", b"{\"a\":1}", Err(Malformed)),
            ("bad attribute", b"<a b=c/>", Err(Malformed)),
            ("bad name", b"<a&b></a&b>", Err(Malformed)),
            ("entity in an attribute", b"<a b='&x;'/>", Err(Entity)),
            (
                "too deep",
                b"<a><a><a><a/></a></a></a>",
                Err(TooDeep { limit: 3 }),
            ),
            (
                "too many",
                b"<a><b/><b/><b/><b/><b/></a>",
                Err(TooMany { limit: 5 }),
            ),
            ("too large", long.as_bytes(), Err(TooLarge { limit: 300 })),
        ];
        for (name, bytes, expected) in cases {
            let result = read(bytes, limits);
            assert_eq!(result.as_deref().map_err(|e| *e), expected, "case {name}");
        }
    }
}
