//! The shape of a record: segments, repeating groups and items, in the order they are written.

use crate::expr::{Ref, TestId};
use crate::kind::{Kind, Length};

/// Repeating groups inside one another; the formats have one, statements none.
pub(crate) const LEVELS: usize = 3;

/// An element of the record; node 0 is the record element itself.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) tag: Box<str>,
    pub(crate) zh: Box<str>,
    pub(crate) en: Box<str>,
    /// Its start and end tag.
    pub(crate) markup: [Box<str>; 2],
    pub(crate) parent: u16,
    /// Its place within its scope, and how many groups that scope lies within.
    pub(crate) slot: u16,
    pub(crate) level: u8,
    pub(crate) scope: u16,
    pub(crate) children: Vec<u16>,
    pub(crate) shape: Shape,
}

/// What kind of element a node is.
#[derive(Debug)]
pub(crate) enum Shape {
    Group(Group),
    Item(Box<Item>),
    Segment(Vec<Presence>),
}

/// A group that may stand several times.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) rows: Vec<Presence>,
    /// At most this many entries.
    pub(crate) most: u32,
    /// The item that says how many there are.
    pub(crate) counter: Option<u16>,
    /// The scope of one entry.
    pub(crate) scope: u16,
}

/// One row of the segments table.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    pub(crate) required: Option<Condition>,
    pub(crate) forbidden: Option<Condition>,
}

/// What the items table says of an item.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) length: Length,
    /// All lists its codes may come from.
    pub(crate) lists: Vec<u16>,
    /// How one of them is chosen; `None` where the item is no code.
    pub(crate) choice: Option<Choice>,
    pub(crate) bad: Code,
    pub(crate) rows: Vec<Rows>,
}

/// The conditions of one row of the items table.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) tag: Option<Condition>,
    pub(crate) forbidden: Option<Condition>,
    pub(crate) value: Option<Condition>,
}

/// A condition and what it costs.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) test: TestId,
    pub(crate) code: Code,
}

/// The bureau's error code; written with `~` it only warns.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Code {
    pub(crate) code: Box<str>,
    pub(crate) warns: bool,
}

/// Which list a code must be in.
#[derive(Debug)]
pub(crate) enum Choice {
    /// In any of the lists.
    Any(Vec<u16>),
    /// In the first list whose condition holds; unchecked where one is not applicable.
    First(Vec<(Option<TestId>, u16)>),
    /// In the list that belongs to the value of another item.
    Under {
        item: Ref,
        lists: Vec<(Box<str>, u16)>,
    },
}

/// The slots of the record, or of one entry of a group.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) slots: u16,
    /// The item nodes in it.
    pub(crate) items: Vec<u16>,
    /// The group it belongs to, 0 for the record.
    pub(crate) group: u16,
}

impl Code {
    /// Reads `code` or `~code`.
    pub(crate) fn parse(text: &str) -> Self {
        let code = text.strip_prefix('~').unwrap_or(text);
        Self {
            code: code.into(),
            warns: code.len() < text.len(),
        }
    }
}

impl Node {
    pub(crate) fn reference(&self, node: u16) -> Ref {
        Ref {
            node,
            slot: self.slot,
            level: self.level,
        }
    }

    pub(crate) fn item(&self) -> Option<&Item> {
        match &self.shape {
            Shape::Item(item) => Some(item),
            _ => None,
        }
    }

    /// The scope of what lies directly inside.
    pub(crate) fn inner(&self) -> (u16, u8) {
        match &self.shape {
            Shape::Group(group) => (group.scope, self.level + 1),
            _ => (self.scope, self.level),
        }
    }
}

/// Start and end tag of an element.
pub(crate) fn markup(tag: &str) -> [Box<str>; 2] {
    [format!("<{tag}>").into(), format!("</{tag}>").into()]
}
