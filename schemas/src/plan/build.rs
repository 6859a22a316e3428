//! From the segments and items tables to the tree of a record.
//!
//! Siblings stand in the order in which the items table first comes to them. A bad row is reported
//! and passed over, so that one reading shows all that is wrong.

use std::collections::BTreeMap;

use super::Sheets;
use super::tree::{Code, Group, Item, LEVELS, Node, Scope, Shape, markup};
use crate::codes::Codes;
use crate::expr::names::Lists;
use crate::kind::{Kind, Length};
use crate::table::{Row, TableError};

/// A tree with the rows that its conditions still have to be compiled from.
pub(crate) struct Tree<'a, 't> {
    pub(crate) nodes: Vec<Node>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) rows: Vec<(u16, Row<'a, 't>)>,
}

/// Nodes are told apart by 16 bits; the largest record has some 200.
const MOST_NODES: usize = 10_000;

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
