//! A record in the form in which it is taken in: for corrections, and for who checks the intake.

use super::csv::Layout;
use crate::plan::tree::Shape;
use crate::plan::{NodeId, RecordPlan};
use crate::record::{Place, Record};

/// Which of its names an element goes by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Names {
    /// The Chinese name.
    Chinese,
    /// The tag.
    Tag,
}

impl Names {
    pub(super) fn of(self, plan: &RecordPlan, node: u16) -> &str {
        let node = &plan.nodes[node as usize];
        match self {
            Self::Chinese => &node.zh,
            Self::Tag => &node.tag,
        }
    }
}

/// A record as one line of JSON Lines, without a line end. Empty items are left out.
///
/// # Panics
///
/// When `record` is of another plan.
#[must_use]
pub fn to_json(plan: &RecordPlan, record: &Record, names: Names) -> String {
    plan.check(record);
    let mut out = String::from("{\"record\":");
    push_text(plan.code(), &mut out);
    out.push_str(",\"data\":");
    push_object(plan, record, (0, Place::RECORD), names, &mut out);
    out.push('}');
    out
}

fn push_object(
    plan: &RecordPlan,
    record: &Record,
    (node, place): (u16, Place),
    names: Names,
    out: &mut String,
) {
    out.push('{');
    let mut first = true;
    for &child in &plan.nodes[node as usize].children {
        let node = &plan.nodes[child as usize];
        let slot = record.slots[place.base as usize + node.slot as usize];
        if slot.is_absent() {
            continue;
        }
        let value = match &node.shape {
            Shape::Item(_) => record.slice(slot),
            _ => "",
        };
        if matches!(node.shape, Shape::Item(_)) && value.trim_ascii().is_empty() {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        push_text(names.of(plan, child), out);
        out.push(':');
        match &node.shape {
            Shape::Item(_) => push_text(value, out),
            Shape::Segment(_) => push_object(plan, record, (child, place), names, out),
            Shape::Group(_) => {
                out.push('[');
                for (at, entry) in plan.entries(record, place, NodeId(child)).enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    push_object(plan, record, (child, entry), names, out);
                }
                out.push(']');
            }
        }
    }
    out.push('}');
}

fn push_text(text: &str, out: &mut String) {
    // Writing a string into memory cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

impl Layout<'_> {
    /// The cells of a record in the main table; empty where it has no value.
    #[must_use]
    pub fn row<'r>(&self, record: &'r Record) -> Vec<&'r str> {
        let columns = self.main.iter();
        let value = |item: &NodeId| self.plan.value(record, Place::RECORD, *item);
        columns
            .map(|item| value(item).unwrap_or_default())
            .collect()
    }

    /// The rows of a record in the table of one group, without the key column.
    #[must_use]
    pub fn rows<'r>(&self, record: &'r Record, group: usize) -> Vec<Vec<&'r str>> {
        let (group, items) = &self.groups[group];
        let entries = self.plan.entries(record, Place::RECORD, *group);
        let row = |place: Place| {
            let value = |item: &NodeId| self.plan.value(record, place, *item);
            items
                .iter()
                .map(|item| value(item).unwrap_or_default())
                .collect()
        };
        entries.map(row).collect()
    }
}
