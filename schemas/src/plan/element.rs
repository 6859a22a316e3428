//! A plan seen from outside: what elements a record has, in which order, with which values.

use super::tree::{Condition, Group, Presence, Rows, Shape};
use super::{NodeId, RecordPlan};
use crate::codes::{CodeList, Meaning};
use crate::expr::Test;
use crate::kind::{Kind, Length};

/// One element of a record.
#[derive(Clone, Copy, Debug)]
pub struct Element<'p> {
    pub(super) plan: &'p RecordPlan,
    pub(super) id: NodeId,
}

/// What kind of element it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// A group that may stand several times.
    Group {
        /// At most this many entries.
        most: u32,
    },
    /// An item.
    Item {
        /// What values it takes.
        kind: Kind,
        /// How long they are.
        length: Length,
    },
    /// A segment, which stands at most once.
    Segment,
}

impl RecordPlan {
    /// The record element.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        self.element(NodeId(0))
    }

    /// How many conditions say when an element must, must not or may be there or empty.
    pub(crate) fn conditions_on(&self, id: NodeId) -> usize {
        let presence = |rows: &[Presence]| {
            let rows = rows.iter();
            rows.flat_map(|row| [&row.required, &row.forbidden])
                .flatten()
                .count()
        };
        match &self.nodes[id.0 as usize].shape {
            Shape::Group(group) => presence(&group.rows),
            Shape::Segment(rows) => presence(rows),
            Shape::Item(item) => {
                let rows = item.rows.iter();
                rows.flat_map(|row| [&row.tag, &row.forbidden, &row.value])
                    .flatten()
                    .count()
            }
        }
    }

    /// An element of this plan.
    ///
    /// # Panics
    ///
    /// When `id` is of a larger plan.
    #[must_use]
    pub fn element(&self, id: NodeId) -> Element<'_> {
        assert!(
            (id.0 as usize) < self.nodes.len(),
            "the element belongs to another plan"
        );
        Element { plan: self, id }
    }
}

impl<'p> Element<'p> {
    /// How the plan calls it.
    #[must_use]
    pub fn id(self) -> NodeId {
        self.id
    }

    /// The tag in the XML.
    #[must_use]
    pub fn tag(self) -> &'p str {
        &self.plan.nodes[self.id.0 as usize].tag
    }

    /// The name in Chinese.
    #[must_use]
    pub fn zh(self) -> &'p str {
        &self.plan.nodes[self.id.0 as usize].zh
    }

    /// The name in English.
    #[must_use]
    pub fn en(self) -> &'p str {
        &self.plan.nodes[self.id.0 as usize].en
    }

    /// What kind of element it is.
    #[must_use]
    pub fn what(self) -> What {
        match &self.plan.nodes[self.id.0 as usize].shape {
            Shape::Group(Group { most, .. }) => What::Group { most: *most },
            Shape::Item(item) => What::Item {
                kind: item.kind,
                length: item.length,
            },
            Shape::Segment(_) => What::Segment,
        }
    }

    /// What stands inside, in the order it is written.
    pub fn children(self) -> impl ExactSizeIterator<Item = Element<'p>> {
        let children = self.plan.nodes[self.id.0 as usize].children.iter();
        children.map(move |child| self.plan.element(NodeId(*child)))
    }

    /// Whether its tag must be there wherever what is around it is.
    #[must_use]
    pub fn always_there(self) -> bool {
        self.demands(|row| row.tag.as_ref())
    }

    /// Whether it must have a value wherever it is there.
    #[must_use]
    pub fn always_filled(self) -> bool {
        self.demands(|row| row.value.as_ref())
    }

    fn demands(self, of: impl Fn(&'p Rows) -> Option<&'p Condition>) -> bool {
        let item = self.plan.nodes[self.id.0 as usize].item();
        let rows = item.map_or(&[][..], |item| &item.rows).iter();
        let mut conditions = rows.filter_map(of).filter(|it| !it.code.warns);
        conditions.any(|it| matches!(self.plan.program.tests[it.test as usize], Test::Always))
    }

    /// The code lists that it may take a code from, whichever applies; none for what is no code.
    pub fn lists(self) -> impl Iterator<Item = (&'p str, &'p CodeList)> {
        let item = self.plan.nodes[self.id.0 as usize].item();
        let lists = item.map_or(&[][..], |item| &item.lists);
        lists.iter().map(move |list| {
            let (name, list) = &self.plan.lists.0[*list as usize];
            (&**name, &**list)
        })
    }

    /// All codes it may hold, whichever list applies; none for what is no code.
    pub fn codes(self) -> impl Iterator<Item = Meaning<'p>> {
        self.lists().flat_map(|(_, list)| list.iter())
    }
}
