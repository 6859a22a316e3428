//! From bytes to a tree, in one pass.

use std::ops::Range;

use zeroize::Zeroizing;

use super::dictionary::{Dictionary, Form, ROOT};
use super::tree::{Foreign, Node, Report, Span, What};
use crate::xml::{Limits, Scanner, Token, XmlError};

/// Why bytes are no report.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A document, but not one of this dictionary.
    #[error("the root element is not that of the report")]
    WrongRoot,
    /// No XML that we accept.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

impl DecodeError {
    /// Stable code for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::WrongRoot => "wrong_root",
            Self::Xml(error) => error.code(),
        }
    }
}

impl Dictionary {
    /// Reads a report within limits.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the bytes are no XML we accept or no such report.
    /// Anything else that is odd becomes a [`Remark`](super::Remark).
    pub fn decode(&'static self, bytes: &[u8], limits: &Limits) -> Result<Report, DecodeError> {
        // Spans are 32 bits wide.
        let bytes_allowed = limits.bytes.min(i32::MAX as usize);
        let mut scanner = Scanner::new(
            bytes,
            Limits {
                bytes: bytes_allowed,
                ..*limits
            },
        )?;
        let source = scanner.source();
        let mut tree = Tree::new(self, source.len());
        while let Some(token) = scanner.next()? {
            match token {
                Token::Open { name, attributes } => {
                    tree.open(name, scanner.start())?;
                    if attributes {
                        let behind_name = scanner.start() + 1 + name.len();
                        tree.stray(What::Attributes, behind_name..scanner.end());
                    }
                }
                Token::Close => tree.close(source, scanner.end()),
                Token::Text(text) => tree.text(source, text, scanner.start()),
                Token::Char(c) => tree.character(source, c, scanner.start()..scanner.end()),
            }
        }
        let mut report = Report {
            dictionary: self,
            source: Zeroizing::new(source.to_owned()),
            joined: tree.joined,
            nodes: tree.nodes,
            foreign: tree.foreign,
            remarks: Vec::new(),
            remarks_left_out: 0,
        };
        report.check();
        Ok(report)
    }
}

/// A tree that grows.
struct Tree {
    dictionary: &'static Dictionary,
    nodes: Vec<Node>,
    joined: Zeroizing<String>,
    foreign: Vec<Foreign>,
    open: Vec<Open>,
    /// Elements open inside an unknown one, itself counted.
    unknown_depth: usize,
}

/// A node that is not closed yet.
struct Open {
    node: usize,
    is_item: bool,
    hint: usize,
}

impl Tree {
    fn new(dictionary: &'static Dictionary, size: usize) -> Self {
        Self {
            dictionary,
            // An element of a report takes some 30 bytes.
            nodes: Vec::with_capacity(size / 30),
            joined: Zeroizing::default(),
            foreign: Vec::new(),
            open: Vec::new(),
            unknown_depth: 0,
        }
    }

    fn open(&mut self, name: &str, start: usize) -> Result<(), DecodeError> {
        if self.unknown_depth > 0 {
            self.unknown_depth += 1;
            return Ok(());
        }
        let (element, parent) = match self.open.last_mut() {
            None if self.dictionary.at(ROOT).code == name => (Some(ROOT), 0),
            None => return Err(DecodeError::WrongRoot),
            Some(above) => {
                let unit = self.nodes[above.node].element;
                (
                    self.dictionary.child(unit, name, &mut above.hint),
                    above.node,
                )
            }
        };
        let Some(element) = element else {
            self.unknown_depth = 1;
            self.foreign.push(Foreign {
                parent: parent as u32,
                what: What::Element {
                    name: start + 1..start + 1 + name.len(),
                },
                content: start..start,
            });
            return Ok(());
        };
        self.open.push(Open {
            node: self.nodes.len(),
            is_item: matches!(self.dictionary.at(element).form, Form::Item { .. }),
            hint: 0,
        });
        self.nodes.push(Node {
            element,
            parent: parent as u32,
            end: 0,
            nth: 1,
            value: Span::default(),
        });
        Ok(())
    }

    fn close(&mut self, source: &str, end: usize) {
        if self.unknown_depth > 0 {
            self.unknown_depth -= 1;
            if let Some(foreign) = self.foreign.last_mut() {
                foreign.content.end = end;
            }
            return;
        }
        let end = self.nodes.len() as u32;
        if let Some(open) = self.open.pop() {
            let node = &mut self.nodes[open.node];
            node.end = end;
            let text: &str = if node.value.joined {
                &self.joined
            } else {
                source
            };
            node.value = trimmed(text, node.value);
        }
    }

    /// Text at `start`: part of an item's value, or nothing that belongs here.
    fn text(&mut self, source: &str, text: &str, start: usize) {
        if self.unknown_depth > 0 {
            return;
        }
        match self.open.last() {
            Some(open) if open.is_item => {
                let value = self.nodes[open.node].value;
                if value.length > 0 {
                    self.join(source, open.node, text);
                } else {
                    let length = text.len() as u32;
                    let span = Span {
                        start: start as u32,
                        length,
                        joined: false,
                    };
                    self.nodes[open.node].value = span;
                }
            }
            _ if text.trim_ascii().is_empty() => {}
            _ => self.stray(What::Text, start..start + text.len()),
        }
    }

    fn character(&mut self, source: &str, c: char, at: Range<usize>) {
        match self.open.last() {
            _ if self.unknown_depth > 0 => {}
            Some(open) if open.is_item => {
                self.join(source, open.node, c.encode_utf8(&mut [0; 4]));
            }
            _ => self.stray(What::Text, at),
        }
    }

    /// Appends to a value that is not one piece of the source.
    fn join(&mut self, source: &str, node: usize, text: &str) {
        let value = &mut self.nodes[node].value;
        if !value.joined {
            let first = &source[value.start as usize..(value.start + value.length) as usize];
            value.start = self.joined.len() as u32;
            value.joined = true;
            // Joined values are shorter than their source: no reallocation
            // leaves a copy.
            if self.joined.is_empty() {
                self.joined.reserve(source.len());
            }
            self.joined.push_str(first);
        }
        value.length += text.len() as u32;
        self.joined.push_str(text);
    }

    /// Keeps what stands where nothing should.
    fn stray(&mut self, what: What, content: Range<usize>) {
        if let Some(open) = self.open.last()
            && self.unknown_depth == 0
        {
            self.foreign.push(Foreign {
                parent: open.node as u32,
                what,
                content,
            });
        }
    }
}

/// The span without blanks around the value.
fn trimmed(text: &str, span: Span) -> Span {
    let value = &text[span.start as usize..(span.start + span.length) as usize];
    let start = value.len() - value.trim_ascii_start().len();
    let length = value.trim_ascii().len() as u32;
    Span {
        start: span.start + start as u32,
        length,
        ..span
    }
}

#[cfg(test)]
pub(super) mod tests;
