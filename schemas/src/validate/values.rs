//! The first look: each value by itself.

use super::Pass;
use crate::codes::packed;
use crate::expr::LONG;
use crate::expr::eval::State;
use crate::kind::Fault;
use crate::plan::tree::{Choice, Node};
use crate::record::Frames;

impl Pass<'_> {
    /// Judges every value by its kind, and by its list where no condition chooses that.
    pub(super) fn values(&mut self) {
        self.values_of(0, 0);
        for entry in &self.record.entries {
            self.values_of(entry.base as usize, entry.scope);
        }
    }

    fn values_of(&mut self, base: usize, scope: u16) {
        let (plan, record) = (self.plan, self.record);
        let slots = &record.slots[base..base + plan.scopes[scope as usize].slots as usize];
        let cells = &mut self.cells[base..base + slots.len()];
        for (cell, slot) in cells.iter_mut().zip(slots) {
            // Right for segments and groups; items follow.
            cell.state = if slot.is_absent() {
                State::Absent
            } else {
                State::Empty
            };
        }
        for &node in &plan.scopes[scope as usize].items {
            let node = &plan.nodes[node as usize];
            let (slot, cell) = (slots[node.slot as usize], &mut cells[node.slot as usize]);
            let Some(item) = node.item().filter(|_| !slot.is_absent()) else {
                continue;
            };
            let raw = record.slice(slot);
            let value = raw.trim_ascii();
            if value.is_empty() {
                continue;
            }
            let before = raw.len() - raw.trim_ascii_start().len();
            cell.start = slot.start + before as u32;
            cell.end = cell.start + value.len() as u32;
            cell.state = match item.kind.judge(item.length, value) {
                // Full-width blanks alone are no content (rule I0000101).
                Ok(_)
                    if value.starts_with(FULL_WIDTH)
                        && value.trim_matches(FULL_WIDTH).is_empty() =>
                {
                    continue;
                }
                Ok(number) => {
                    cell.number = if item.kind.is_text() {
                        packed(value).map_or(LONG, i128::from)
                    } else {
                        number
                    };
                    State::Filled
                }
                Err(Fault::Form) => State::BadForm,
                Err(Fault::Range) => State::BadRange,
            };
            if let Some(Choice::Any(lists)) = &item.choice
                && !lists
                    .iter()
                    .any(|list| plan.lists.0[*list as usize].1.contains(value))
            {
                cell.state = State::BadCode;
            }
        }
    }

    /// Looks codes up whose list another item chooses; those others have been judged before.
    pub(super) fn dependent_codes(&mut self) {
        for &index in &self.plan.dependents {
            for at in self.frames_of(&self.plan.nodes[index as usize]) {
                let node = &self.plan.nodes[index as usize];
                let look = self.look();
                let Some(value) = look.item(node.reference(index), &at) else {
                    continue;
                };
                let in_list = |list: u16| self.plan.lists.0[list as usize].1.contains(value);
                let known = match node.item().and_then(|item| item.choice.as_ref()) {
                    Some(Choice::First(alternatives)) => {
                        let mut answers = alternatives.iter().map(|(test, list)| {
                            (test.map_or(Some(true), |test| look.test(test, &at)), *list)
                        });
                        match answers.find(|(answer, _)| *answer != Some(false)) {
                            Some((Some(_), list)) => in_list(list),
                            _ => true,
                        }
                    }
                    Some(Choice::Under { item, lists }) => match look.item(*item, &at) {
                        Some(under) => lists
                            .iter()
                            .any(|(code, list)| **code == *under && in_list(*list)),
                        None => true,
                    },
                    _ => true,
                };
                if !known {
                    self.cells[at.slot(node.slot, node.level)].state = State::BadCode;
                }
            }
        }
    }

    /// The places where a node's scope has an entry.
    pub(super) fn frames_of(&self, node: &Node) -> Vec<Frames> {
        let group = self.plan.scopes[node.scope as usize].group;
        if group == 0 {
            return vec![Frames::default()];
        }
        let above = &self.plan.nodes[group as usize];
        let around = self.frames_of(above);
        around
            .iter()
            .flat_map(|at| self.record.groups(above.reference(group), at))
            .collect()
    }
}

/// The ideographic space.
const FULL_WIDTH: char = '\u{3000}';
