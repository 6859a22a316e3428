//! All that is wrong with a record, found in one pass over its plan.
//!
//! # Promise
//!
//! Every finding is reported, not only the first: rule, path, the bureau's error code, and in both
//! languages what is wrong and what would be right. No finding quotes a value. An item that fails
//! its own kind, length, list or range gives that one finding and silences the comparisons it
//! takes part in; a segment that must not be there gives one and is not looked into.
//!
//! # What is not here
//!
//! What only the bureau can know (rules against its stored records), and rules over the records
//! of one file.

use jiff::civil::Date;

use crate::explain::Problem;
use crate::expr::eval::{Cell, Look, State};
use crate::kind::Fault;
use crate::plan::tree::{Choice, Code, Condition, Node, Shape};
use crate::plan::{RecordPlan, Rule};
use crate::record::{Frames, Odd, Record};

/// What a record is judged against beside itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileHeader {
    /// The creation date of the file.
    pub date: Date,
    /// The record type of the file.
    pub record: String,
    /// The reporting organization of the file.
    pub org: String,
    /// The template characters; blank where the record type has none.
    pub template: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The official rule where one is known, else the error code.
    pub rule: String,
    /// The record type.
    pub record: String,
    /// Where, from the record element; `.` is the record as a whole.
    pub path: String,
    /// What the bureau's feedback would name: a tag, or `0000` for the record as a whole.
    pub tag: String,
    /// The bureau's error code.
    pub code: String,
    /// Whether the record may be sent.
    pub severity: Severity,
    /// What is wrong and what would be right, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Whether a finding stops a record.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The bureau refuses the record.
    Error,
    /// The texts forbid it, but the bureau's pre-check is known to let it pass.
    Warning,
}

/// Memory for validating one record after another.
#[derive(Debug, Default)]
pub struct Scratch {
    cells: Vec<Cell>,
}

impl RecordPlan {
    /// All findings on one record, those that stop it and those that warn.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn validate(&self, record: &Record, header: &FileHeader) -> Vec<Finding> {
        self.validate_with(record, header, &mut Scratch::default())
    }

    /// As [`RecordPlan::validate`], with memory to be used again for the next record.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn validate_with(
        &self,
        record: &Record,
        header: &FileHeader,
        scratch: &mut Scratch,
    ) -> Vec<Finding> {
        self.check(record);
        let cells = &mut scratch.cells;
        cells.clear();
        cells.resize(record.slots.len(), Cell::default());
        let mut pass = Pass {
            plan: self,
            record,
            header,
            cells,
            findings: Vec::new(),
        };
        pass.strays();
        pass.values();
        pass.dependent_codes();
        pass.presence(0, &Frames::default());
        pass.items(0, &Frames::default());
        for rule in &self.rules {
            pass.rule(rule);
        }
        pass.findings
    }
}

struct Pass<'a> {
    plan: &'a RecordPlan,
    record: &'a Record,
    header: &'a FileHeader,
    cells: &'a mut Vec<Cell>,
    findings: Vec<Finding>,
}

impl Pass<'_> {
    fn strays(&mut self) {
        let plan = self.plan;
        for stray in &self.record.strays {
            let node = &plan.nodes[stray.inside as usize];
            let mut path = plan.path(node, &Frames::default());
            let tag = match &stray.what {
                Odd::Attribute | Odd::Text => node.tag.as_ref(),
                Odd::Repeated(tag) | Odd::Unknown(tag) => {
                    path = if stray.inside == 0 {
                        tag.to_string()
                    } else {
                        format!("{path}/{tag}")
                    };
                    tag
                }
            };
            let texts = plan.explain(&Problem::Stray(&stray.what));
            self.push(path, tag, &plan.engine.unknown, None, texts);
        }
    }

    /// Judges every value by its kind, and by its list where no condition chooses that.
    fn values(&mut self) {
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
            let value = raw.trim_matches(BLANK);
            if value.is_empty() {
                continue;
            }
            let before = raw.len() - raw.trim_start_matches(BLANK).len();
            cell.start = slot.start + before as u32;
            cell.end = cell.start + value.len() as u32;
            cell.state = match item.kind.judge(item.length, value) {
                Ok(number) => {
                    cell.number = number;
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
    fn dependent_codes(&mut self) {
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

    /// Segments and groups: there when they must be, absent when they must not be, counted right.
    fn presence(&mut self, parent: u16, at: &Frames) {
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
                    self.at_node(node, at, &required.code, None, texts);
                }
                continue;
            }
            let mut hide = false;
            for forbidden in self.broken(rows.iter().filter_map(|r| r.forbidden.as_ref()), at) {
                hide |= !forbidden.code.warns;
                let texts = plan.explain(&Problem::SegmentForbidden(node, forbidden));
                self.at_node(node, at, &forbidden.code, None, texts);
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
                self.at_node(node, at, &plan.engine.unknown, None, texts);
            }
            if let Some(counter) = group.counter.map(|counter| &plan.nodes[counter as usize]) {
                let cell = &self.cells[at.slot(counter.slot, counter.level)];
                if cell.state == State::Filled && cell.number != entries.len() as i128 * 100 {
                    let texts = plan.explain(&Problem::Counter(counter, node));
                    self.at_node(counter, at, &plan.engine.counter, None, texts);
                }
            }
            for entry in &entries {
                self.presence(index, entry);
            }
        }
    }

    /// Items: there, filled and sound as their rows ask.
    fn items(&mut self, parent: u16, at: &Frames) {
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
                self.at_node(node, at, &missing.code, None, texts);
            }
            return;
        }
        let forbidden = self.broken(item.rows.iter().filter_map(|r| r.forbidden.as_ref()), at);
        let stops = forbidden.iter().any(|condition| !condition.code.warns);
        for forbidden in forbidden {
            let texts = plan.explain(&Problem::Forbidden(node, forbidden));
            self.at_node(node, at, &forbidden.code, None, texts);
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
                    self.at_node(node, at, &empty.code, None, texts);
                }
                return;
            }
            State::Absent | State::Filled | State::Hidden => return,
        };
        let texts = plan.explain(&Problem::Bad(node, item, state));
        self.at_node(node, at, code, None, texts);
    }

    fn rule(&mut self, rule: &Rule) {
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

    /// The places where a node's scope has an entry.
    fn frames_of(&self, node: &Node) -> Vec<Frames> {
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

    fn look(&self) -> Look<'_> {
        Look {
            program: &self.plan.program,
            lists: &self.plan.lists,
            record: self.record,
            cells: self.cells,
            header: self.header,
        }
    }

    fn at_node(
        &mut self,
        node: &Node,
        at: &Frames,
        code: &Code,
        rule: Option<&str>,
        texts: (String, String),
    ) {
        self.push(self.plan.path(node, at), &node.tag, code, rule, texts);
    }

    fn push(
        &mut self,
        path: String,
        tag: &str,
        code: &Code,
        rule: Option<&str>,
        (zh, en): (String, String),
    ) {
        let rule = rule
            .or_else(|| self.plan.official(&code.code))
            .unwrap_or(&code.code);
        self.findings.push(Finding {
            rule: rule.to_owned(),
            record: self.plan.code.to_string(),
            path,
            tag: tag.to_owned(),
            code: code.code.to_string(),
            severity: if code.warns {
                Severity::Warning
            } else {
                Severity::Error
            },
            zh,
            en,
        });
    }
}

/// What is taken off both ends of a value before anything looks at it.
const BLANK: fn(char) -> bool = |c| c.is_ascii_whitespace();
