//! The tables of a record type with all their columns: for templates and exports.

use crate::intake::Names;
use crate::intake::finding::path_of;
use crate::intake::name::places;
use crate::plan::tree::Shape;
use crate::plan::{NodeId, RecordPlan};

/// The tables of a record type.
#[derive(Debug)]
pub struct Layout<'p> {
    pub(in crate::intake) plan: &'p RecordPlan,
    pub(in crate::intake) main: Vec<NodeId>,
    pub(in crate::intake) groups: Vec<(NodeId, Vec<NodeId>)>,
}

impl<'p> Layout<'p> {
    /// The tables of this plan. Groups within groups have none.
    #[must_use]
    pub fn new(plan: &'p RecordPlan) -> Self {
        let mut layout = Self {
            plan,
            main: Vec::new(),
            groups: Vec::new(),
        };
        for (index, node) in plan.nodes.iter().enumerate() {
            let id = NodeId(index as u16);
            match node.shape {
                Shape::Item(_) if node.scope == 0 => layout.main.push(id),
                Shape::Group(_) if node.level == 0 => {
                    let items = node.children.iter().copied();
                    let items = items.filter(|item| plan.nodes[*item as usize].item().is_some());
                    layout.groups.push((id, items.map(NodeId).collect()));
                }
                _ => {}
            }
        }
        // In the order in which they are written, which is not that of the tables everywhere.
        layout.main.sort_by_key(|id| order(plan, id.0));
        layout
    }

    /// The header line of the main table.
    #[must_use]
    pub fn columns(&self, names: Names) -> Vec<String> {
        let column = |id: &NodeId| {
            let bare = names.of(self.plan, id.0);
            let outside = |path: &&String| {
                self.plan
                    .find(path)
                    .is_some_and(|id| self.plan.outside_groups(id))
            };
            let all = places(self.plan, bare);
            if all.iter().filter(outside).count() == 1 {
                return bare.to_owned();
            }
            let mut path = vec![bare];
            let mut above = self.plan.nodes[id.0 as usize].parent;
            while above != 0 {
                path.insert(0, names.of(self.plan, above));
                above = self.plan.nodes[above as usize].parent;
            }
            path.join("/")
        };
        self.main.iter().map(column).collect()
    }

    /// The path of each group that has a table of its own, and the names of its columns after the
    /// key.
    #[must_use]
    pub fn groups(&self, names: Names) -> Vec<(String, Vec<&'p str>)> {
        let groups = self.groups.iter();
        let columns = |items: &[NodeId]| items.iter().map(|i| names.of(self.plan, i.0)).collect();
        groups
            .map(|(group, items)| (path_of(self.plan, group.0), columns(items)))
            .collect()
    }
}

/// Where a node comes when the record is written.
fn order(plan: &RecordPlan, node: u16) -> Vec<usize> {
    let mut order = Vec::new();
    let mut node = node;
    while node != 0 {
        let parent = plan.nodes[node as usize].parent;
        let siblings = &plan.nodes[parent as usize].children;
        order.insert(0, siblings.iter().position(|s| *s == node).unwrap_or(0));
        node = parent;
    }
    order
}
