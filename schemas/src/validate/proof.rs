//! Every row of the tables has a case that meets it and a case that breaks it.
//!
//! The cases are data (`testdata/cases/`); the engine's own answers are looked at only to see that
//! a row was *asked*: a rule that is not applicable proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Pass, Scratch, Severity};
use crate::edition::Edition;
use crate::expr::eval::State;
use crate::expr::{Ref, Test, TestId};
use crate::plan::RecordPlan;
use crate::plan::tree::{Code, Condition, Node, Shape};
use crate::record::{Frames, Record};
use crate::validate::FileHeader;

#[path = "../../tests/submit/case.rs"]
mod case;

/// Table, rule or path, which of its rows, column.
type Row = (String, String, usize, String);

/// What a row says, and where.
#[derive(Clone, Copy)]
enum Says<'p> {
    Barred(&'p Node, &'p Condition),
    Counted(&'p Node),
    Filled(&'p Node, &'p Condition),
    InRange(&'p Node),
    Rule(usize),
    Sound(&'p Node),
    There(&'p Node, &'p Condition),
}

/// All rows of a record's tables that can be met and broken.
fn rows(plan: &RecordPlan) -> BTreeMap<Row, (Says<'_>, Code)> {
    let mut found = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, rule) in plan.rules.iter().enumerate() {
        let nth = counts.entry(&rule.id).or_default();
        let row = ("rules".into(), rule.id.to_string(), *nth, "must".into());
        *nth += 1;
        found.insert(row, (Says::Rule(index), rule.code.clone()));
    }
    for node in &plan.nodes[1..] {
        let path = plan.path(node, &Frames::default());
        let mut add = |table: &str, nth: usize, column: &str, says, code: &Code| {
            let row = (table.into(), path.clone(), nth, column.into());
            found.insert(row, (says, code.clone()));
        };
        let (presence, counted) = match &node.shape {
            Shape::Segment(rows) => (rows, false),
            Shape::Group(group) => (&group.rows, group.counter.is_some()),
            Shape::Item(item) => {
                for (nth, row) in item.rows.iter().enumerate() {
                    for (column, says, condition) in [
                        ("tag_when", Says::There as fn(_, _) -> _, &row.tag),
                        ("tag_forbidden_when", Says::Barred, &row.forbidden),
                        ("value_when", Says::Filled, &row.value),
                    ] {
                        if let Some(condition) = condition {
                            add("items", nth, column, says(node, condition), &condition.code);
                        }
                    }
                }
                if !item.bad.code.is_empty() {
                    add("items", 0, "type_code", Says::Sound(node), &item.bad);
                    if item.kind.has_own_length() && item.lists.is_empty() {
                        add("items", 0, "range", Says::InRange(node), &plan.engine.range);
                    }
                }
                continue;
            }
        };
        for (nth, row) in presence.iter().enumerate() {
            if let Some(condition) = &row.required {
                let says = Says::There(node, condition);
                add("segments", nth, "required_when", says, &condition.code);
            }
            if let Some(condition) = &row.forbidden {
                let says = Says::Barred(node, condition);
                add("segments", nth, "forbidden_when", says, &condition.code);
            }
        }
        if counted {
            let code = &plan.engine.counter;
            add("segments", 0, "counter", Says::Counted(node), code);
        }
    }
    found
}

/// A record, judged, and still there to be asked.
struct Judged<'a>(Pass<'a>);

impl<'a> Judged<'a> {
    fn new(
        plan: &'a RecordPlan,
        record: &'a Record,
        header: &'a FileHeader,
        scratch: &'a mut Scratch,
    ) -> Self {
        let mut pass = Pass::begin(plan, record, header, scratch);
        pass.values();
        pass.dependent_codes();
        pass.conditions();
        Self(pass)
    }

    fn state(&self, node: &Node, at: &Frames) -> State {
        self.0.cells[at.slot(node.slot, node.level)].state
    }

    /// Where the segment or group around a node is there and looked into.
    fn places(&self, node: &Node) -> Vec<Frames> {
        let parent = &self.0.plan.nodes[node.parent as usize];
        let there = |at: &Frames| match parent.shape {
            Shape::Segment(_) => self.state(parent, at) == State::Empty || node.parent == 0,
            _ => true,
        };
        self.0.frames_of(node).into_iter().filter(there).collect()
    }

    /// Whether a row was asked of the record and found met, or else broken.
    fn answers(&self, says: Says<'_>, met: bool) -> bool {
        let holds = |condition: &Condition, at: &Frames| {
            self.0.look().test(condition.test, at) == Some(true)
        };
        let any = |node, wanted: &dyn Fn(State, &Frames) -> bool| {
            let mut places = self.places(node).into_iter();
            places.any(|at| wanted(self.state(node, &at), &at))
        };
        match says {
            Says::Barred(node, condition) => any(node, &|state, at| {
                (state == State::Absent) == met && holds(condition, at)
            }),
            Says::Counted(node) => any(node, &|state, at| {
                let Shape::Group(group) = &node.shape else {
                    return false;
                };
                let counter = &self.0.plan.nodes[group.counter.unwrap() as usize];
                let cell = &self.0.cells[at.slot(counter.slot, counter.level)];
                let slot = at.slot(node.slot, node.level);
                let count = self.0.record.count(slot) as i128 * 100;
                let asked = state != State::Absent && cell.state == State::Filled;
                asked && (cell.number == count) == met
            }),
            Says::Filled(node, condition) => any(node, &|state, at| {
                let wanted = if met { State::Filled } else { State::Empty };
                state == wanted && holds(condition, at)
            }),
            Says::InRange(node) => any(node, &|state, _| {
                state == if met { State::Filled } else { State::BadRange }
            }),
            Says::Sound(node) => any(node, &|state, _| {
                let bad = matches!(state, State::BadForm | State::BadCode);
                if met { state == State::Filled } else { bad }
            }),
            Says::There(node, condition) => any(node, &|state, at| {
                (state != State::Absent) == met && holds(condition, at)
            }),
            Says::Rule(index) => {
                let rule = &self.0.plan.rules[index];
                let record = Frames::default();
                let look = self.0.look();
                let asked = |when| look.test(when, &record) == Some(true);
                let places = match rule.group {
                    None => vec![record],
                    Some(group) => self.0.record.groups(group, &record).collect(),
                };
                rule.when.is_none_or(asked)
                    && places.iter().any(|at| {
                        if met {
                            self.bites(rule.must, at)
                        } else {
                            look.test(rule.must, at) == Some(false)
                        }
                    })
            }
        }
    }

    /// Whether a condition holds, and not for want of anything that it speaks of.
    fn bites(&self, test: TestId, at: &Frames) -> bool {
        let (look, program) = (self.0.look(), &self.0.plan.program);
        if look.test(test, at) != Some(true) {
            return false;
        }
        let entries = |group: Ref| self.0.record.groups(group, at);
        match program.tests[test as usize] {
            Test::And(left, right) => self.bites(left, at) && self.bites(right, at),
            // `a => b` is held as `not a or b`: met where a holds.
            Test::Or(left, right) => match program.tests[left as usize] {
                Test::Not(asked) => look.test(asked, at) == Some(true) && self.bites(right, at),
                _ => self.bites(left, at) || self.bites(right, at),
            },
            Test::Each { group, test, .. } => entries(group).any(|at| self.bites(test, &at)),
            Test::Unique { group, .. } => entries(group).count() > 1,
            Test::Differ {
                group,
                tag,
                one,
                other,
                ..
            } => [one, other].into_iter().all(|word| {
                let wanted = &*program.words[word as usize];
                let mut entries = entries(group);
                entries.any(|at| look.item(tag, &at) == Some(wanted))
            }),
            _ => true,
        }
    }
}

fn codes(findings: &[Finding]) -> Vec<String> {
    let mut codes: Vec<String> = findings
        .iter()
        .map(|finding| match finding.severity {
            Severity::Error => finding.code.clone(),
            Severity::Warning => format!("~{}", finding.code),
        })
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

fn told(finding: &Finding) -> bool {
    let Finding {
        rule,
        record,
        path,
        tag,
        code,
        zh,
        en,
        ..
    } = finding;
    [rule, record, path, tag, code, zh, en]
        .iter()
        .all(|text| !text.is_empty())
}

/// What is wrong with the passing case of a row.
fn passes(plan: &RecordPlan, says: Says<'_>, record: &Record, header: &FileHeader) -> Vec<String> {
    let mut scratch = Scratch::default();
    let judged = Judged::new(plan, record, header, &mut scratch);
    let mut wrong = Vec::new();
    let found = codes(&judged.0.findings);
    if !found.is_empty() {
        wrong.push(format!("its passing case gives {found:?}"));
    }
    if !judged.answers(says, true) {
        wrong.push("its passing case does not ask it".to_owned());
    }
    wrong
}

/// What is wrong with the failing case of a row that costs `code`.
fn fails(
    plan: &RecordPlan,
    (says, code): (Says<'_>, &Code),
    record: &Record,
    header: &FileHeader,
    expected: &[String],
) -> Vec<String> {
    let mut scratch = Scratch::default();
    let judged = Judged::new(plan, record, header, &mut scratch);
    let found = &judged.0.findings;
    let mut wrong = Vec::new();
    if codes(found) != expected {
        wrong.push(format!("its failing case gives {:?}", codes(found)));
    }
    if !judged.answers(says, false) {
        wrong.push("its failing case does not break it".to_owned());
    }
    let own = |finding: &Finding| {
        let warns = finding.severity == Severity::Warning;
        let rule = match says {
            Says::Rule(index) => *finding.rule == *plan.rules[index].id,
            _ => true,
        };
        *finding.code == *code.code && warns == code.warns && rule
    };
    if !found.iter().any(own) {
        wrong.push(format!("its failing case is not told as {code:?}"));
    }
    if !found.iter().all(told) {
        wrong.push("its failing case has a finding without a text".to_owned());
    }
    wrong
}

/// What is wrong with the cases of an edition.
fn complaints(name: &'static str) -> Vec<String> {
    let day = jiff::civil::date(2026, 11, 24);
    let edition = Edition::embedded(&format!("pboc-submit-{name}"), day).unwrap();
    let tables: BTreeMap<&str, _> = edition.plans().map(|it| (it.code(), rows(it))).collect();
    let mut missing: BTreeSet<(&str, &Row)> = BTreeSet::new();
    for (record, rows) in &tables {
        missing.extend(rows.keys().map(|row| (*record, row)));
    }
    let mut wrong = Vec::new();
    let cases = case::cases(name);
    for case in &cases {
        let plan = edition.plan(&case.record).unwrap();
        let Some((says, code)) = tables[plan.code()].get(&case.row) else {
            wrong.push(format!("{case:?} is of no row of the tables"));
            continue;
        };
        let header = case.header();
        let [good, bad] = case.records(plan);
        let mut found = Vec::new();
        if !case.unmet {
            found.extend(passes(plan, *says, &good, &header));
        }
        if !case.unbroken {
            found.extend(fails(plan, (*says, code), &bad, &header, &case.codes));
        }
        wrong.extend(
            found
                .iter()
                .map(|it| format!("{:?}: {it}: {case:?}", case.row)),
        );
        missing.remove(&(plan.code(), &case.row));
    }
    wrong.extend(missing.iter().map(|row| format!("{row:?} has no case")));
    wrong
}

#[test]
fn every_row_of_the_personal_tables_is_met_and_broken() {
    assert_eq!(complaints("personal"), [""; 0]);
}

#[test]
fn every_row_of_the_enterprise_tables_is_met_and_broken() {
    assert_eq!(complaints("enterprise"), [""; 0]);
}
