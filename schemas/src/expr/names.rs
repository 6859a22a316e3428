//! What the words of an expression stand for in one record.

use std::sync::Arc;

use crate::codes::{CodeList, Codes};
use crate::plan::tree::{Node, Shape};

/// What an expression of one record may speak of.
pub(crate) struct Names<'a> {
    pub(crate) nodes: &'a [Node],
    pub(crate) codes: &'a Codes,
    /// The lists the plan has asked for so far; their places are what the plan keeps.
    pub(crate) lists: &'a mut Lists,
    /// The list whose codes begin a passport number.
    pub(crate) country_list: &'a str,
}

/// The code lists of one plan, by place.
#[derive(Debug, Default)]
pub(crate) struct Lists(pub(crate) Vec<(Box<str>, Arc<CodeList>)>);

/// Where an expression stands: bare tags belong to `node`, which lies inside `groups`.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) node: u16,
    pub(crate) groups: Vec<u16>,
}

impl Lists {
    /// The place of a list that the edition has, taken up on first use.
    pub(crate) fn place(&mut self, name: &str, codes: &Codes) -> Option<u16> {
        if let Some(place) = self.0.iter().position(|(known, _)| &**known == name) {
            return Some(place as u16);
        }
        self.0.push((name.into(), codes.shared(name)?));
        Some(self.0.len() as u16 - 1)
    }
}

impl Names<'_> {
    /// The node that a path names, seen from `here`.
    pub(crate) fn find(&self, path: &str, here: &Here) -> Option<u16> {
        let child = |node: u16, tag: &str| {
            let children = self.nodes[node as usize].children.iter().copied();
            children
                .into_iter()
                .find(|child| &*self.nodes[*child as usize].tag == tag)
        };
        if !path.contains('.')
            && let Some(found) = child(here.node, path)
        {
            return Some(found);
        }
        path.split('.').try_fold(0, child)
    }

    /// Where a node stands itself: its own segment or group.
    pub(crate) fn inside(&self, node: u16) -> Here {
        let mut groups = self.groups_above(node);
        if matches!(self.nodes[node as usize].shape, Shape::Group(_)) {
            groups.push(node);
        }
        Here { node, groups }
    }

    /// The repeating groups around a node, outermost first.
    pub(crate) fn groups_above(&self, node: u16) -> Vec<u16> {
        let mut groups = Vec::new();
        let mut at = node;
        while at != 0 {
            at = self.nodes[at as usize].parent;
            if matches!(self.nodes[at as usize].shape, Shape::Group(_)) {
                groups.insert(0, at);
            }
        }
        groups
    }
}
