//! The second look: segments, items and rules under their conditions.

use super::Pass;
use crate::explain::Problem;
use crate::expr::eval::State;
use crate::plan::Rule;
use crate::plan::tree::{Condition, Node, Shape};
use crate::record::Frames;

impl Pass<'_> {
    /// Segments and groups: there when they must be, absent when they must not be, counted right.
    pub(super) fn presence(&mut self, parent: u16, at: &Frames) {
        let plan = self.plan;
        for &index in &plan.nodes[parent as usize].children {
            let node = &plan.nodes[index as usize];
            let (rows, group) = match &node.shape {
                Shape::Group(group) => (&group.rows, Some(group)),
                Shape::Segment(rows) => (rows, None),
                Shape::Item(_) => continue,
            };
            let there = self.cells[at.slot(node.slot, node.level)].state != State::Absent;
            if !there {
                for required in self.broken(rows.iter().filter_map(|r| r.required.as_ref()), at) {
                    let texts = plan.explain(&Problem::SegmentMissing(node, required));
                    self.at_node(node, at, &required.code, texts);
                }
                continue;
            }
            let mut hide = false;
            for forbidden in self.broken(rows.iter().filter_map(|r| r.forbidden.as_ref()), at) {
                hide |= !forbidden.code.warns;
                let texts = plan.explain(&Problem::SegmentForbidden(node, forbidden));
                self.at_node(node, at, &forbidden.code, texts);
            }
            if hide {
                self.hide(index, at);
                continue;
            }
            let Some(group) = group else {
                self.presence(index, at);
                continue;
            };
            let entries: Vec<Frames> = self.record.groups(node.reference(index), at).collect();
            if entries.len() > group.most as usize {
                let texts = plan.explain(&Problem::TooMany(node, group.most));
                self.at_node(node, at, &plan.engine.unknown, texts);
            }
            if let Some(counter) = group.counter.map(|counter| &plan.nodes[counter as usize]) {
                let cell = &self.cells[at.slot(counter.slot, counter.level)];
                if cell.state == State::Filled && cell.number != entries.len() as i128 * 100 {
                    let texts = plan.explain(&Problem::Counter(counter, node));
                    self.at_node(counter, at, &plan.engine.counter, texts);
                }
            }
            for entry in &entries {
                self.presence(index, entry);
            }
        }
    }

    /// Items: there, filled and sound as their rows ask.
    pub(super) fn items(&mut self, parent: u16, at: &Frames) {
        let plan = self.plan;
        for &index in &plan.nodes[parent as usize].children {
            let node = &plan.nodes[index as usize];
            let state = self.cells[at.slot(node.slot, node.level)].state;
            match &node.shape {
                Shape::Item(_) => self.item(node, state, at),
                _ if matches!(state, State::Absent | State::Hidden) => {}
                Shape::Segment(_) => self.items(index, at),
                Shape::Group(_) => {
                    for entry in self.record.groups(node.reference(index), at) {
                        self.items(index, &entry);
                    }
                }
            }
        }
    }

    fn item(&mut self, node: &Node, state: State, at: &Frames) {
        let plan = self.plan;
        let Some(item) = node.item() else { return };
        if state == State::Absent {
            for missing in self.broken(item.rows.iter().filter_map(|r| r.tag.as_ref()), at) {
                let texts = plan.explain(&Problem::Missing(node, missing));
                self.at_node(node, at, &missing.code, texts);
            }
            return;
        }
        let forbidden = self.broken(item.rows.iter().filter_map(|r| r.forbidden.as_ref()), at);
        let stops = forbidden.iter().any(|condition| !condition.code.warns);
        for forbidden in forbidden {
            let texts = plan.explain(&Problem::Forbidden(node, forbidden));
            self.at_node(node, at, &forbidden.code, texts);
        }
        if stops {
            return;
        }
        let code = match state {
            State::BadCode | State::BadForm => &item.bad,
            State::BadRange => &plan.engine.range,
            State::Empty => {
                for empty in self.broken(item.rows.iter().filter_map(|r| r.value.as_ref()), at) {
                    let texts = plan.explain(&Problem::Empty(node, empty));
                    self.at_node(node, at, &empty.code, texts);
                }
                return;
            }
            State::Absent | State::Filled | State::Hidden => return,
        };
        let texts = plan.explain(&Problem::Bad(node, item, state));
        self.at_node(node, at, code, texts);
    }

    pub(super) fn rule(&mut self, rule: &Rule) {
        let record = Frames::default();
        if rule
            .when
            .is_some_and(|when| self.look().test(when, &record) != Some(true))
        {
            return;
        }
        match rule.group {
            None => self.judge(rule, &record),
            Some(group) => {
                for entry in self.record.groups(group, &record) {
                    self.judge(rule, &entry);
                }
            }
        }
    }

    fn judge(&mut self, rule: &Rule, at: &Frames) {
        if self.look().test(rule.must, at) != Some(false) {
            return;
        }
        let plan = self.plan;
        let place = rule.place.or(rule.group.map(|group| group.node));
        let path = match place {
            Some(node) => plan.path(&plan.nodes[node as usize], at),
            None => ".".to_owned(),
        };
        let texts = plan.explain(&Problem::Rule(rule));
        self.push(path, &rule.tag, &rule.code, Some(&rule.id), texts);
    }

    /// The conditions that hold, each error code once.
    fn broken<'c>(
        &self,
        conditions: impl Iterator<Item = &'c Condition>,
        at: &Frames,
    ) -> Vec<&'c Condition> {
        let mut broken: Vec<&Condition> = Vec::new();
        for condition in conditions {
            if self.look().test(condition.test, at) == Some(true)
                && !broken.iter().any(|known| known.code == condition.code)
            {
                broken.push(condition);
            }
        }
        broken
    }

    fn hide(&mut self, index: u16, at: &Frames) {
        let plan = self.plan;
        let node = &plan.nodes[index as usize];
        let cell = &mut self.cells[at.slot(node.slot, node.level)];
        if cell.state == State::Absent {
            return;
        }
        cell.state = State::Hidden;
        let entries: Vec<Frames> = match node.shape {
            Shape::Group(_) => self.record.groups(node.reference(index), at).collect(),
            _ => vec![*at],
        };
        for entry in &entries {
            for &child in &node.children {
                self.hide(child, entry);
            }
        }
    }
}
