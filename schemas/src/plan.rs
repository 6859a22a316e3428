//! Plans: what the tables of one record say, compiled once.
//!
//! # Promise
//!
//! One plan validates, writes, reads and explains its record, so that no two of these can
//! disagree. It is made by an [`Edition`](crate::edition::Edition) and never changes; any number of
//! threads may use it at once.
//!
//! # What is not here
//!
//! Files: header lines, names, limits. A plan knows one record.

mod build;
mod codes;
mod compile;
mod edit;
mod element;
mod need;
pub(crate) mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::duty::{Negative, Restricted};
use crate::expr::names::Lists;
use crate::expr::{Program, Ref, Test, TestId};
use crate::record::{Frames, Record};
use crate::table::Row;

use build::Tree;
pub(crate) use compile::compile;
pub use element::{Element, What};
pub use need::Need;
use tree::{Code, Node, Scope, Shape};

/// What the tables of one record say, compiled.
#[derive(Debug)]
pub struct RecordPlan {
    /// Tells apart the records of different plans within this process.
    id: u64,
    pub(crate) code: Box<str>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) scopes: Vec<Scope>,
    /// Items whose code list a condition chooses, in order.
    pub(crate) dependents: Vec<u16>,
    pub(crate) program: Program,
    pub(crate) lists: Lists,
    pub(crate) rules: Vec<Rule>,
    pub(crate) negatives: Vec<Negative>,
    pub(crate) restricted: Vec<Restricted>,
    pub(crate) engine: Engine,
    /// The item that holds the record type.
    pub(crate) type_item: Option<u16>,
    /// Items whose tag may have to be there while they need no value.
    pub(crate) may_be_empty: Vec<u16>,
    /// The official rule behind an error code of the tables.
    official: BTreeMap<Box<str>, Box<str>>,
    /// Every error code that a finding of this plan may bear.
    gives: BTreeSet<Box<str>>,
}

/// An item, segment or group of a plan; only for the plan that gave it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(pub(crate) u16);

/// What an edition says to its engine.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    /// The element around every record, and its tags.
    pub(crate) root: Box<str>,
    pub(crate) markup: [Box<str>; 2],
    /// Answer to what no table knows.
    pub(crate) unknown: Code,
    /// Answer to a real date out of range.
    pub(crate) range: Code,
    /// Answer to a counter that does not count its group.
    pub(crate) counter: Code,
    pub(crate) country_list: Box<str>,
    /// The item that holds the record type.
    pub(crate) type_tag: Box<str>,
    /// What would only warn stops a record.
    pub(crate) strict: bool,
}

/// One row of the rules table.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Box<str>,
    pub(crate) when: Option<TestId>,
    pub(crate) must: TestId,
    /// `must` is judged for each entry of this group.
    pub(crate) group: Option<Ref>,
    /// The item that a finding points to.
    pub(crate) place: Option<u16>,
    /// What the bureau's feedback names.
    pub(crate) tag: Box<str>,
    pub(crate) code: Code,
}

/// The rows that concern one record.
#[derive(Clone, Debug)]
pub(crate) struct Sheets<'a, 't> {
    pub(crate) record: Row<'a, 't>,
    pub(crate) segments: Vec<Row<'a, 't>>,
    pub(crate) items: Vec<Row<'a, 't>>,
    pub(crate) rules: Vec<Row<'a, 't>>,
    pub(crate) negative: Vec<Row<'a, 't>>,
    pub(crate) restricted: Vec<Row<'a, 't>>,
    pub(crate) errors: Vec<Row<'a, 't>>,
}

impl RecordPlan {
    fn new(
        sheets: &Sheets<'_, '_>,
        mut tree: Tree<'_, '_>,
        dependents: Vec<u16>,
        program: Program,
        lists: Lists,
        (mut rules, negatives, restricted): (Vec<Rule>, Vec<Negative>, Vec<Restricted>),
        engine: &Engine,
    ) -> Self {
        let gives = codes::settle(&mut tree.nodes, &mut rules, engine);
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut official: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
        for row in &sheets.errors {
            official
                .entry(row.get("code").into())
                .or_insert_with(|| row.get("rule").into());
        }
        let type_item = tree.scopes[0].items.iter().copied();
        let type_item =
            { type_item }.find(|item| *tree.nodes[*item as usize].tag == *engine.type_tag);
        let may_be_empty = |node: &u16| {
            let rows = tree.nodes[*node as usize].item().map(|item| &item.rows);
            let always = |test: TestId| matches!(program.tests[test as usize], Test::Always);
            rows.is_some_and(|rows| {
                rows.iter().any(|row| row.tag.is_some())
                    && !rows
                        .iter()
                        .flat_map(|row| &row.value)
                        .any(|value| always(value.test))
            })
        };
        let may_be_empty = (0..tree.nodes.len() as u16).filter(may_be_empty).collect();
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            code: sheets.record.get("code").into(),
            nodes: tree.nodes,
            scopes: tree.scopes,
            dependents,
            program,
            lists,
            rules,
            negatives,
            restricted,
            engine: engine.clone(),
            type_item,
            may_be_empty,
            official,
            gives,
        }
    }

    /// The record type, such as `210`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The names of the record in Chinese and English.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        (&self.nodes[0].zh, &self.nodes[0].en)
    }

    /// The item, segment or group at a path from the record element, such as
    /// `RltRepymtInfSgmt/RltRepymtInf/ArlpAmt`; `.` is the record element.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<NodeId> {
        if path == "." {
            return Some(NodeId(0));
        }
        let node = path
            .split('/')
            .try_fold(0, |node, tag| self.child(node, tag));
        node.map(NodeId)
    }

    /// Whether any element of the record bears this tag.
    pub(crate) fn knows(&self, tag: &str) -> bool {
        self.nodes.iter().any(|node| &*node.tag == tag)
    }

    /// Whether a node lies in no repeating group and is none.
    pub(crate) fn outside_groups(&self, id: NodeId) -> bool {
        let node = &self.nodes[id.0 as usize];
        node.scope == 0 && !matches!(node.shape, Shape::Group(_))
    }

    /// Every item that is there, in the order of the tables, with its path and its value. A segment
    /// or group entry without any item stands with the value `None`.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn values<'r>(&self, record: &'r Record) -> Vec<(String, Option<&'r str>)> {
        self.check(record);
        let mut found = Vec::new();
        self.walk(record, 0, &Frames::default(), &mut |node, at| {
            let slot = record.slots[at.slot(node.slot, node.level)];
            let value = node.item().map(|_| record.slice(slot));
            found.push((self.path(node, at), value));
        });
        found
    }

    /// Stops a record of another plan, whose slots mean something else.
    pub(crate) fn check(&self, record: &Record) {
        assert_eq!(record.plan, self.id, "the record belongs to another plan");
    }

    /// Every error code of the bureau that a finding of this plan may bear.
    pub fn gives(&self) -> impl Iterator<Item = &str> {
        self.gives.iter().map(|code| &**code)
    }

    pub(crate) fn child(&self, node: u16, tag: &str) -> Option<u16> {
        let mut children = self.nodes[node as usize].children.iter().copied();
        children.find(|child| &*self.nodes[*child as usize].tag == tag)
    }

    pub(crate) fn official(&self, code: &str) -> Option<&str> {
        self.official.get(code).map(|rule| &**rule)
    }

    /// The path of a node, with the number of each entry that it lies in.
    pub(crate) fn path(&self, node: &Node, at: &Frames) -> String {
        let mut parts = Vec::new();
        let mut node = node;
        loop {
            let mut part = node.tag.to_string();
            // A missing group has no entry yet, so that its own level may be beyond `at`.
            if let Shape::Group(_) = node.shape
                && let Some(ordinal) = at.ordinal(node.level + 1)
            {
                part.push_str(&format!("[{ordinal}]"));
            }
            parts.push(part);
            if node.parent == 0 {
                break;
            }
            node = &self.nodes[node.parent as usize];
        }
        parts.reverse();
        parts.join("/")
    }

    /// Visits every item that is there, and segments and entries without any child.
    pub(crate) fn walk(
        &self,
        record: &Record,
        node: u16,
        at: &Frames,
        visit: &mut dyn FnMut(&Node, &Frames),
    ) -> bool {
        let mut any = false;
        for &child in &self.nodes[node as usize].children {
            let node = &self.nodes[child as usize];
            if record.slots[at.slot(node.slot, node.level)].is_absent() {
                continue;
            }
            any = true;
            match node.shape {
                Shape::Item(_) => visit(node, at),
                Shape::Segment(_) => {
                    if !self.walk(record, child, at, visit) {
                        visit(node, at);
                    }
                }
                Shape::Group(_) => {
                    for entry in record.groups(node.reference(child), at) {
                        if !self.walk(record, child, &entry, visit) {
                            visit(node, &entry);
                        }
                    }
                }
            }
        }
        any
    }
}
