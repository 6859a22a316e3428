//! A record as its line of XML, in the order of the tables.
//!
//! # Promise
//!
//! Values go straight into one buffer, escaped; the same record always gives the same bytes, on
//! one line whatever the values hold. A character that XML 1.0 has no way to say is refused, and
//! then the buffer is as it was.
//!
//! # What is not here
//!
//! Judging the record: what is wrong is written as faithfully as what is right.

use crate::plan::RecordPlan;
use crate::plan::tree::{Node, Shape};
use crate::record::{Frames, Record};

/// Why a record cannot be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A value holds a character that XML 1.0 forbids.
    #[error("{path} holds a character that cannot stand in XML")]
    Character {
        /// The item, from the record element.
        path: String,
    },
}

impl RecordPlan {
    /// Appends the record to `out`, without a line end.
    ///
    /// What was read without a place in the plan is not written.
    ///
    /// # Errors
    ///
    /// [`WriteError::Character`].
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    pub fn write(&self, record: &Record, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.check(record);
        let start = out.len();
        let [begin, end] = &self.engine.markup;
        out.extend_from_slice(begin.as_bytes());
        let written = self.write_element(record, 0, &Frames::default(), out);
        if written.is_err() {
            out.truncate(start);
        } else {
            out.extend_from_slice(end.as_bytes());
        }
        written
    }

    fn write_element(
        &self,
        record: &Record,
        index: u16,
        at: &Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        let node = &self.nodes[index as usize];
        out.extend_from_slice(node.markup[0].as_bytes());
        for &child in &node.children {
            let node = &self.nodes[child as usize];
            let slot = record.slots[at.slot(node.slot, node.level)];
            match &node.shape {
                _ if slot.is_absent() => {}
                Shape::Item(_) => self.write_value(node, record.slice(slot), at, out)?,
                Shape::Segment(_) => self.write_element(record, child, at, out)?,
                Shape::Group(_) => {
                    for entry in record.groups(node.reference(child), at) {
                        self.write_element(record, child, &entry, out)?;
                    }
                }
            }
        }
        out.extend_from_slice(node.markup[1].as_bytes());
        Ok(())
    }

    fn write_value(
        &self,
        node: &Node,
        value: &str,
        at: &Frames,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        out.extend_from_slice(node.markup[0].as_bytes());
        if !escape(value, out) {
            return Err(WriteError::Character {
                path: self.path(node, at),
            });
        }
        out.extend_from_slice(node.markup[1].as_bytes());
        Ok(())
    }
}

/// Appends `value` so that a reader gets it back; false where XML cannot say it.
fn escape(value: &str, out: &mut Vec<u8>) -> bool {
    let bytes = value.as_bytes();
    let mut done = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let reference: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            // Only `]]>` must not stand in text; one rule for every `>` is simpler to trust.
            b'>' => b"&gt;",
            // A reader turns a bare CR into LF, and either would end the line of the record.
            b'\t' => b"&#9;",
            b'\n' => b"&#10;",
            b'\r' => b"&#13;",
            0..=0x1f => return false,
            // U+FFFE and U+FFFF.
            0xef if matches!(bytes.get(index + 1..index + 3), Some([0xbf, 0xbe | 0xbf])) => {
                return false;
            }
            _ => continue,
        };
        out.extend_from_slice(&bytes[done..index]);
        out.extend_from_slice(reference);
        done = index + 1;
    }
    out.extend_from_slice(&bytes[done..]);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_as_it_stands_is_escaped_or_refused() {
        let cases = [
            ("a<b>&c", Some("a&lt;b&gt;&amp;c")),
            ("𠀀\t\r\n\"'", Some("𠀀&#9;&#13;&#10;\"'")),
            ("a\u{1}", None),
            ("\u{fffe}", None),
            ("\u{ffff}", None),
            ("\u{fffd}", Some("\u{fffd}")),
        ];
        for (value, expected) in cases {
            let mut out = Vec::new();
            let written = escape(value, &mut out).then_some(out);
            assert_eq!(
                written.as_deref(),
                expected.map(str::as_bytes),
                "case {value:?}"
            );
        }
    }
}
