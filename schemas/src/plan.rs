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

mod compile;
pub(crate) mod tree;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::expr::compile::Lists;
use crate::expr::{Program, Ref, TestId};
use crate::record::{Entry, Frames, NONE, Place, Record, Slot};
use crate::table::Row;

pub(crate) use compile::compile;
use tree::{Code, Node, Scope, Shape, Tree};

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
    pub(crate) engine: Engine,
    /// The official rule behind an error code of the tables.
    official: BTreeMap<Box<str>, Box<str>>,
}

/// An item, segment or group of a plan; only for the plan that gave it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(pub(crate) u16);

/// What an edition says to its engine.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    /// The element around every record.
    pub(crate) root: Box<str>,
    /// Answer to what no table knows.
    pub(crate) unknown: Code,
    /// Answer to a real date out of range.
    pub(crate) range: Code,
    /// Answer to a counter that does not count its group.
    pub(crate) counter: Code,
    pub(crate) country_list: Box<str>,
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
    pub(crate) errors: Vec<Row<'a, 't>>,
}

impl RecordPlan {
    fn new(
        sheets: &Sheets<'_, '_>,
        tree: Tree<'_, '_>,
        dependents: Vec<u16>,
        program: Program,
        lists: Lists,
        rules: Vec<Rule>,
        engine: &Engine,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut official: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
        for row in &sheets.errors {
            official
                .entry(row.get("code").into())
                .or_insert_with(|| row.get("rule").into());
        }
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            code: sheets.record.get("code").into(),
            nodes: tree.nodes,
            scopes: tree.scopes,
            dependents,
            program,
            lists,
            rules,
            engine: engine.clone(),
            official,
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

    /// A record without any item.
    #[must_use]
    pub fn new_record(&self) -> Record {
        let mut record = Record::default();
        self.clear(&mut record);
        record
    }

    /// Empties a record for use with this plan; its memory stays.
    pub fn clear(&self, record: &mut Record) {
        record.plan = self.id;
        record.text.clear();
        record.entries.clear();
        record.strays.clear();
        record.slots.clear();
        record
            .slots
            .resize(self.scopes[0].slots as usize, Slot::ABSENT);
        record.slots[0] = Slot::HERE;
    }

    /// Gives an item its value, and makes the segments around it be there. An empty value is the
    /// item without content. A second value takes the place of the first.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan, or `item` is no item directly in `place`.
    pub fn put(&self, record: &mut Record, place: Place, item: NodeId, value: &str) {
        assert!(
            self.nodes[item.0 as usize].item().is_some(),
            "a value belongs to an item"
        );
        let slot = self.make(record, place, item);
        let start = record.text.len() as u32;
        record.text.push_str(value);
        record.slots[slot] = Slot {
            start,
            end: record.text.len() as u32,
        };
    }

    /// Makes a segment be there, even without items.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`], for a segment.
    pub fn mark(&self, record: &mut Record, place: Place, segment: NodeId) {
        let is_segment = matches!(self.nodes[segment.0 as usize].shape, Shape::Segment(_));
        assert!(is_segment, "only a segment can be there without a value");
        let slot = self.make(record, place, segment);
        record.slots[slot] = Slot::HERE;
    }

    /// Adds an entry to a repeating group.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`], for a group.
    pub fn open(&self, record: &mut Record, place: Place, group: NodeId) -> Place {
        let is_group = matches!(self.nodes[group.0 as usize].shape, Shape::Group(_));
        assert!(is_group, "only a group has entries");
        let slot = self.make(record, place, group);
        self.add_entry(record, slot, group.0)
    }

    /// The value of an item as it was put or read, blanks included.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`].
    #[must_use]
    pub fn value<'r>(&self, record: &'r Record, place: Place, item: NodeId) -> Option<&'r str> {
        assert!(
            self.nodes[item.0 as usize].item().is_some(),
            "a value belongs to an item"
        );
        let slot = record.slots[self.slot(record, place, item)];
        (!slot.is_absent()).then(|| record.slice(slot))
    }

    /// The entries of a group, in order.
    ///
    /// # Panics
    ///
    /// As [`RecordPlan::put`], for a group.
    pub fn entries<'r>(
        &self,
        record: &'r Record,
        place: Place,
        group: NodeId,
    ) -> impl Iterator<Item = Place> + use<'r> {
        let is_group = matches!(self.nodes[group.0 as usize].shape, Shape::Group(_));
        assert!(is_group, "only a group has entries");
        let slot = record.slots[self.slot(record, place, group)];
        let mut next = if slot.is_absent() { NONE } else { slot.start };
        std::iter::from_fn(move || {
            let entry = record.entries.get(next as usize)?;
            next = entry.next;
            Some(Place {
                base: entry.base,
                scope: entry.scope,
            })
        })
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

    /// Adds an entry to the group `index`, whose slot this is.
    pub(crate) fn add_entry(&self, record: &mut Record, slot: usize, index: u16) -> Place {
        let (scope, _) = self.nodes[index as usize].inner();
        let base = record.slots.len() as u32;
        let slots = self.scopes[scope as usize].slots as usize;
        record.slots.resize(base as usize + slots, Slot::ABSENT);
        let entry = record.entries.len() as u32;
        record.entries.push(Entry {
            base,
            next: NONE,
            scope,
        });
        let first = record.slots[slot];
        if first.is_absent() {
            record.slots[slot] = Slot {
                start: entry,
                end: entry,
            };
        } else {
            record.entries[first.end as usize].next = entry;
            record.slots[slot].end = entry;
        }
        Place { base, scope }
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
    fn walk(
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

    fn slot(&self, record: &Record, place: Place, node: NodeId) -> usize {
        self.check(record);
        let node = &self.nodes[node.0 as usize];
        assert_eq!(node.scope, place.scope, "the item lies in another group");
        place.base as usize + node.slot as usize
    }

    /// The slot of a node, with all segments around it there.
    fn make(&self, record: &mut Record, place: Place, node: NodeId) -> usize {
        let slot = self.slot(record, place, node);
        let mut above = self.nodes[node.0 as usize].parent;
        while above != 0 && self.nodes[above as usize].scope == place.scope {
            let segment = place.base as usize + self.nodes[above as usize].slot as usize;
            if !matches!(self.nodes[above as usize].shape, Shape::Segment(_))
                || !record.slots[segment].is_absent()
            {
                break;
            }
            record.slots[segment] = Slot::HERE;
            above = self.nodes[above as usize].parent;
        }
        slot
    }
}
