//! What the centre's pre-check tool is known to overlook in a value (section 11 of the notes on
//! the personal formats; they hold for enterprises too).

use crate::explain::Problem;
use crate::expr::eval::State;
use crate::kind::{Kind, Length};
use crate::plan::RecordPlan;
use crate::plan::tree::{Code, Item, Node};
use crate::record::{Frames, Record, Slot};
use crate::validate::Finding;

impl RecordPlan {
    /// The record as the tool takes it, and for each value that it takes although the texts forbid
    /// it a warning; `None` where there is no such value.
    pub(crate) fn overlooked(&self, record: &Record) -> Option<(Record, Vec<Finding>)> {
        let mut findings = Vec::new();
        let mut changes = Vec::new();
        self.walk(record, 0, &Frames::default(), &mut |node, at| {
            let Some(item) = node.item() else { return };
            let slot = at.slot(node.slot, node.level);
            let value = record.slice(record.slots[slot]).trim_ascii();
            if value.is_empty() || item.kind.judge(item.length, value).is_ok() {
                return;
            }
            let taken = taken(item.kind, item.length, value);
            if let Some(taken) = taken.filter(|it| item.kind.judge(item.length, it).is_ok()) {
                changes.push((slot, taken));
                let code = Code {
                    warns: true,
                    ..item.bad.clone()
                };
                findings.push(self.bad(node, item, at, &code));
            }
        });
        if changes.is_empty() {
            return None;
        }
        let mut record = record.clone();
        for (slot, value) in changes {
            let start = record.text.len() as u32;
            record.text.push_str(&value);
            let end = record.text.len() as u32;
            record.slots[slot] = Slot { start, end };
        }
        Some((record, findings))
    }

    /// The texts in which a reader had to put U+FFFD for broken bytes: the tool refuses each.
    pub(crate) fn replaced(&self, record: &Record) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.walk(record, 0, &Frames::default(), &mut |node, at| {
            let Some(item) = node.item() else { return };
            let value = record.slice(record.slots[at.slot(node.slot, node.level)]);
            // Every other kind refuses the character itself.
            if item.kind == Kind::Text && value.contains(char::REPLACEMENT_CHARACTER) {
                findings.push(self.bad(node, item, at, &item.bad));
            }
        });
        findings
    }

    fn bad(&self, node: &Node, item: &Item, at: &Frames, code: &Code) -> Finding {
        let texts = self.explain(&Problem::Bad(node, item, State::BadForm));
        self.finding(self.path(node, at), &node.tag, code, None, texts)
    }
}

/// The value that the tool sees in a value that the texts forbid.
fn taken(kind: Kind, length: Length, value: &str) -> Option<String> {
    match (kind, length) {
        // Full-width letters and digits in AN..n.
        (Kind::Ascii, Length::UpTo(_)) => Some(value.chars().map(half_width).collect()),
        // Tabs, and line ends that do not end the line.
        (Kind::Text, _) => Some(value.replace(['\t', '\r', '\n'], " ")),
        (Kind::Uint, _) => value.strip_prefix('+').map(str::to_owned),
        _ => None,
    }
}

/// A full-width letter or digit as its ASCII twin.
fn half_width(c: char) -> char {
    match c {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => {
            char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c)
        }
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_takes_some_values_that_the_texts_forbid() {
        let (most, exactly) = (Length::UpTo(9), Length::Exactly(3));
        let cases = [
            (Kind::Ascii, most, "Ａ1ｚ９", Some("A1z9")),
            (Kind::Ascii, most, "测1", Some("测1")),
            (Kind::Ascii, exactly, "Ａ1ｚ", None),
            (Kind::Text, most, "测\t试\r\n", Some("测 试  ")),
            (Kind::Uint, most, "+5", Some("5")),
            (Kind::Uint, most, "５", None),
            (Kind::Digits, most, "+5", None),
        ];
        for (kind, length, value, expected) in cases {
            let taken = taken(kind, length, value);
            assert_eq!(taken.as_deref(), expected, "case {value}");
        }
    }
}
