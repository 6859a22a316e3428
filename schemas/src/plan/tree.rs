//! The shape of a record: segments, repeating groups and items, in the order they are written.
//!
//! Siblings stand in the order in which the items table first comes to them. A bad row is reported
//! and passed over, so that one reading shows all that is wrong.

use std::collections::BTreeMap;

use super::Sheets;
use crate::codes::Codes;
use crate::expr::names::Lists;
use crate::expr::{Ref, TestId};
use crate::kind::{Kind, Length};
use crate::table::{Row, TableError};

/// Repeating groups inside one another; the formats have one, statements none.
pub(crate) const LEVELS: usize = 3;

/// Nodes are told apart by 16 bits; the largest record has some 200.
const MOST_NODES: usize = 10_000;

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

/// A tree with the rows that its conditions still have to be compiled from.
pub(crate) struct Tree<'a, 't> {
    pub(crate) nodes: Vec<Node>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) rows: Vec<(u16, Row<'a, 't>)>,
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

impl<'a, 't> Tree<'a, 't> {
    /// Builds the tree of one record.
    pub(crate) fn build(
        sheets: &Sheets<'a, 't>,
        codes: &Codes,
        lists: &mut Lists,
        errors: &mut Vec<TableError>,
    ) -> Self {
        let element = sheets.record.get("element");
        let root = Node {
            tag: element.into(),
            zh: sheets.record.get("zh").into(),
            en: sheets.record.get("en").into(),
            markup: markup(element),
            parent: 0,
            slot: 0,
            level: 0,
            scope: 0,
            children: Vec::new(),
            shape: Shape::Segment(Vec::new()),
        };
        let mut tree = Tree {
            nodes: vec![root],
            scopes: vec![Scope {
                slots: 1,
                ..Scope::default()
            }],
            rows: Vec::new(),
        };
        let mut paths = BTreeMap::from([(".".to_owned(), 0)]);
        for &row in &sheets.items {
            if let Err(error) = tree.add_item(row, sheets, &mut paths, codes, lists) {
                errors.push(error);
            }
        }
        for &row in &sheets.segments {
            let Some(&node) = paths.get(row.get("path")) else {
                errors.push(row.error("path", "no item stands in this segment"));
                continue;
            };
            let second = tree.rows.iter().any(|(known, _)| *known == node);
            let says = ["zh", "en", "max", "counter"]
                .into_iter()
                .find(|c| !row.get(c).is_empty());
            if let Some(column) = says.filter(|_| second) {
                errors.push(row.error(column, "a second row of a segment only adds conditions"));
            }
            tree.rows.push((node, row));
        }
        tree.set_counters(errors);
        tree
    }

    fn add_item(
        &mut self,
        row: Row<'a, 't>,
        sheets: &Sheets<'a, 't>,
        paths: &mut BTreeMap<String, u16>,
        codes: &Codes,
        lists: &mut Lists,
    ) -> Result<(), TableError> {
        let parent = self.segment(row.need("path")?, row, sheets, paths)?;
        let tag = row.need("tag")?;
        if self.nodes.len() >= MOST_NODES {
            return Err(row.error("tag", "the record has too many items"));
        }
        let known = |child: &&u16| &*self.nodes[**child as usize].tag == tag;
        if let Some(&node) = self.nodes[parent as usize].children.iter().find(known) {
            for column in ["zh", "en", "kind", "length", "codes", "type_code"] {
                if !row.get(column).is_empty() {
                    return Err(row.error(column, "a second row of an item only adds conditions"));
                }
            }
            self.rows.push((node, row));
            return Ok(());
        }
        let item = item(row, codes, lists)?;
        let node = self.push(parent, row, tag, Shape::Item(Box::new(item)));
        let scope = self.nodes[node as usize].scope;
        self.scopes[scope as usize].items.push(node);
        self.rows.push((node, row));
        Ok(())
    }

    /// The node of a segment, made with all above it when an item first asks for it.
    fn segment(
        &mut self,
        path: &str,
        asked: Row<'a, 't>,
        sheets: &Sheets<'a, 't>,
        paths: &mut BTreeMap<String, u16>,
    ) -> Result<u16, TableError> {
        if let Some(node) = paths.get(path) {
            return Ok(*node);
        }
        let (above, tag) = path.rsplit_once('/').unwrap_or((".", path));
        let parent = self.segment(above, asked, sheets, paths)?;
        let row = sheets.segments.iter().find(|row| row.get("path") == path);
        let row = *row.ok_or_else(|| asked.error("path", format!("no segment {path}")))?;
        let shape = match row.need("max")? {
            "1" => Shape::Segment(Vec::new()),
            most => {
                let most = if most == "n" {
                    Ok(u32::MAX)
                } else {
                    most.parse()
                };
                let most = most.map_err(|_| row.error("max", "a number or n should stand here"))?;
                if self.nodes[parent as usize].inner().1 as usize >= LEVELS {
                    return Err(row.error("path", "groups are nested too deep"));
                }
                let group = self.nodes.len() as u16;
                self.scopes.push(Scope {
                    group,
                    ..Scope::default()
                });
                let scope = self.scopes.len() as u16 - 1;
                Shape::Group(Group {
                    rows: Vec::new(),
                    most,
                    counter: None,
                    scope,
                })
            }
        };
        let node = self.push(parent, row, tag, shape);
        paths.insert(path.to_owned(), node);
        Ok(node)
    }

    fn push(&mut self, parent: u16, row: Row<'_, '_>, tag: &str, shape: Shape) -> u16 {
        let node = self.nodes.len() as u16;
        let (scope, level) = self.nodes[parent as usize].inner();
        let slot = self.scopes[scope as usize].slots;
        self.scopes[scope as usize].slots += 1;
        self.nodes[parent as usize].children.push(node);
        self.nodes.push(Node {
            tag: tag.into(),
            zh: row.get("zh").into(),
            en: row.get("en").into(),
            markup: markup(tag),
            parent,
            slot,
            level,
            scope,
            children: Vec::new(),
            shape,
        });
        node
    }

    fn set_counters(&mut self, errors: &mut Vec<TableError>) {
        for index in 0..self.rows.len() {
            let (node, row) = self.rows[index];
            let counter = row.get("counter");
            if counter.is_empty() || self.nodes[node as usize].item().is_some() {
                continue;
            }
            let siblings = &self.nodes[self.nodes[node as usize].parent as usize].children;
            let is_counter = |sibling: &&u16| {
                let sibling = &self.nodes[**sibling as usize];
                &*sibling.tag == counter
                    && sibling.item().is_some_and(|item| item.kind == Kind::Uint)
            };
            let found = siblings.iter().find(is_counter).copied();
            match (&mut self.nodes[node as usize].shape, found) {
                (Shape::Group(group), Some(_)) => group.counter = found,
                (Shape::Group(_), None) => {
                    errors.push(
                        row.error("counter", "no whole number of this name beside the group"),
                    );
                }
                _ => errors.push(row.error("counter", "only what repeats is counted")),
            }
        }
    }
}

/// The item of its first row, without conditions.
fn item(row: Row<'_, '_>, codes: &Codes, lists: &mut Lists) -> Result<Item, TableError> {
    let kind = row.need("kind")?;
    let kind = Kind::named(kind).ok_or_else(|| row.error("kind", format!("no kind {kind}")))?;
    let length = Length::parse(row.get("length"));
    let length = length.ok_or_else(|| row.error("length", "n or =n should stand here"))?;
    // What must never be there has no length and no code of its own.
    let refused = row.get("tag_forbidden_when") == "always";
    if (length == Length::Any) != kind.has_own_length() && !refused {
        return Err(row.error("length", "does not go with the kind"));
    }
    let bad = row.get("type_code");
    if bad.is_empty() && !refused {
        return Err(row.error("type_code", "must not be empty"));
    }
    let mut found = Vec::new();
    for part in row.get("codes").split('|').filter(|part| !part.is_empty()) {
        let name = part.split('?').next().unwrap_or(part);
        let before = found.len();
        match name.split_once(".{") {
            Some((prefix, _)) => {
                for (list, _) in codes
                    .lists()
                    .filter(|(list, _)| under(list, prefix).is_some())
                {
                    found.extend(lists.place(list, codes));
                }
            }
            None => found.extend(lists.place(name, codes)),
        }
        if found.len() == before {
            return Err(row.error("codes", format!("no code list {name}")));
        }
    }
    if found.is_empty() == (kind == Kind::Code) {
        return Err(row.error(
            "codes",
            "codes stand where the kind is code, and only there",
        ));
    }
    Ok(Item {
        kind,
        length,
        lists: found,
        choice: None,
        bad: Code::parse(bad),
        rows: Vec::new(),
    })
}

/// The code whose sub-list this is: `X.1` is the list of `1` under `X`.
pub(crate) fn under<'l>(list: &'l str, prefix: &str) -> Option<&'l str> {
    list.strip_prefix(prefix)?.strip_prefix('.')
}

/// Start and end tag of an element.
pub(crate) fn markup(tag: &str) -> [Box<str>; 2] {
    [format!("<{tag}>").into(), format!("</{tag}>").into()]
}
