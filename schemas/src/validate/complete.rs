//! What a record must say but nobody has to write: its type, its counters, its empty tags.

use super::{FileHeader, Finding, Pass, Scratch};
use crate::expr::eval::State;
use crate::plan::RecordPlan;
use crate::plan::tree::{Item, Node, Shape};
use crate::record::{Frames, Place, Record, Slot};

impl RecordPlan {
    /// Puts what follows from the rest of the record, where it is absent: the record type, the
    /// counter of each group that has entries, and the tags that must be there and may be empty.
    ///
    /// Doing it twice changes nothing more. The scratch is left as after a validation of values.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    pub fn complete(&self, record: &mut Record, header: &FileHeader, scratch: &mut Scratch) {
        self.check(record);
        self.put_type_and_counters(record);
        let mut pass = Pass::begin(self, record, header, scratch);
        pass.values();
        pass.dependent_codes();
        for slot in pass.empties() {
            let end = record.text.len() as u32;
            record.slots[slot] = Slot { start: end, end };
            scratch.cells[slot].state = State::Empty;
        }
    }

    /// Completes the record and gives all findings on it: [`RecordPlan::complete`] and
    /// [`RecordPlan::validate`] for the price of little more than one.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn complete_and_validate(
        &self,
        record: &mut Record,
        header: &FileHeader,
        scratch: &mut Scratch,
    ) -> Vec<Finding> {
        self.complete(record, header, scratch);
        let mut pass = Pass {
            plan: self,
            record,
            header,
            cells: &mut scratch.cells,
            findings: Vec::new(),
        };
        pass.strays();
        pass.conditions();
        pass.findings
    }

    fn put_type_and_counters(&self, record: &mut Record) {
        if let Some(index) = self.type_item {
            let node = &self.nodes[index as usize];
            let parent = &self.nodes[node.parent as usize];
            let there = node.parent == 0 || !record.slots[parent.slot as usize].is_absent();
            if there && is_blank(record, node.slot as usize) {
                self.put_at(record, node.slot as usize, &self.code);
            }
        }
        for node in &self.nodes {
            let Shape::Group(group) = &node.shape else {
                continue;
            };
            let Some(counter) = group.counter.map(|counter| &self.nodes[counter as usize]) else {
                continue;
            };
            for place in places(record, node.scope) {
                let base = place.base as usize;
                let (group, counter) = (base + node.slot as usize, base + counter.slot as usize);
                if !record.slots[group].is_absent() && is_blank(record, counter) {
                    let count = record.count(group);
                    self.put_at(record, counter, &count.to_string());
                }
            }
        }
    }

    fn put_at(&self, record: &mut Record, slot: usize, value: &str) {
        let start = record.text.len() as u32;
        record.text.push_str(value);
        let end = record.text.len() as u32;
        record.slots[slot] = Slot { start, end };
    }
}

impl Pass<'_> {
    /// The slots of items that are absent, must have their tag, and may be empty.
    fn empties(&self) -> Vec<usize> {
        let mut empties = Vec::new();
        for &index in &self.plan.may_be_empty {
            let node = &self.plan.nodes[index as usize];
            let Some(item) = node.item() else { continue };
            if node.scope == 0 {
                empties.extend(self.empty(node, item, &Frames::default()));
                continue;
            }
            for at in self.frames_of(node) {
                empties.extend(self.empty(node, item, &at));
            }
        }
        empties
    }

    fn empty(&self, node: &Node, item: &Item, at: &Frames) -> Option<usize> {
        let state = |node: &Node| self.cells[at.slot(node.slot, node.level)].state;
        let parent = &self.plan.nodes[node.parent as usize];
        // A group is there wherever its entry is.
        let inside = match parent.shape {
            Shape::Segment(_) => node.parent == 0 || state(parent) != State::Absent,
            _ => true,
        };
        if !inside || state(node) != State::Absent {
            return None;
        }
        let look = self.look();
        let holds = |test| look.test(test, at) == Some(true);
        let rows = item.rows.iter();
        let asked = rows
            .clone()
            .flat_map(|row| &row.tag)
            .any(|tag| !tag.code.warns && holds(tag.test));
        if !asked {
            return None;
        }
        let barred = rows.flat_map(|row| [&row.forbidden, &row.value]).flatten();
        let barred = barred.into_iter().any(|condition| holds(condition.test));
        (!barred).then(|| at.slot(node.slot, node.level))
    }
}

/// The record, or each entry of the group whose scope this is.
fn places(record: &Record, scope: u16) -> Vec<Place> {
    if scope == 0 {
        return vec![Place::RECORD];
    }
    let entries = record.entries.iter().filter(|entry| entry.scope == scope);
    let place = |entry: &crate::record::Entry| Place {
        base: entry.base,
        scope,
    };
    entries.map(place).collect()
}

fn is_blank(record: &Record, slot: usize) -> bool {
    let slot = record.slots[slot];
    slot.is_absent() || record.slice(slot).trim_ascii().is_empty()
}
