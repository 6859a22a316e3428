//! The error codes of a plan: which there are, and whether those that warn may do so.

use std::collections::BTreeSet;

use super::tree::{Code, Node, Presence, Shape};
use super::{Engine, Rule};

/// All codes that a finding may bear; makes those that only warn stop a record where the engine
/// is strict.
pub(super) fn settle(
    nodes: &mut [Node],
    rules: &mut [Rule],
    engine: &Engine,
) -> BTreeSet<Box<str>> {
    let mut gives = BTreeSet::new();
    let mut settle = |code: &mut Code| {
        code.warns &= !engine.strict;
        if !code.code.is_empty() {
            gives.insert(code.code.clone());
        }
    };
    for code in [&engine.unknown, &engine.range, &engine.counter] {
        settle(&mut code.clone());
    }
    for node in nodes {
        let rows: &mut [Presence] = match &mut node.shape {
            Shape::Group(group) => &mut group.rows,
            Shape::Segment(rows) => rows,
            Shape::Item(item) => {
                settle(&mut item.bad);
                let rows = item.rows.iter_mut();
                let conditions =
                    rows.flat_map(|row| [&mut row.tag, &mut row.forbidden, &mut row.value]);
                conditions.flatten().for_each(|it| settle(&mut it.code));
                continue;
            }
        };
        let rows = rows.iter_mut();
        let conditions = rows.flat_map(|row| [&mut row.required, &mut row.forbidden]);
        conditions.flatten().for_each(|it| settle(&mut it.code));
    }
    for rule in rules {
        settle(&mut rule.code);
    }
    gives
}
