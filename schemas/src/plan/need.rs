//! Where an element stands and what it must do, in words: for templates.

use super::tree::{Condition, Node, Presence, Rows, Shape};
use super::{Element, NodeId};
use crate::explain::Language;
use crate::plan::RecordPlan;

/// When an element must have content, and when it must not be there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Need {
    /// It must have content wherever what it stands in is there.
    pub always: bool,
    /// Else it must when one of these holds: clauses in Chinese and English.
    pub when: Vec<(String, String)>,
    /// It must not be there when one of these holds.
    pub barred: Vec<(String, String)>,
}

impl<'p> Element<'p> {
    /// What it stands in; `None` for the record element.
    #[must_use]
    pub fn parent(self) -> Option<Element<'p>> {
        let parent = self.plan.nodes[self.id.0 as usize].parent;
        (self.id.0 != 0).then(|| self.plan.element(NodeId(parent)))
    }

    /// The path from the record element, without the numbers of entries.
    #[must_use]
    pub fn path(self) -> String {
        match self.parent() {
            None => ".".to_owned(),
            Some(parent) if parent.id.0 == 0 => self.tag().to_owned(),
            Some(parent) => format!("{}/{}", parent.path(), self.tag()),
        }
    }

    /// Whether nobody has to write it: the record type, and the counter of a group.
    #[must_use]
    pub fn follows(self) -> bool {
        let counts = |node: &Node| match &node.shape {
            Shape::Group(group) => group.counter == Some(self.id.0),
            _ => false,
        };
        self.plan.type_item == Some(self.id.0) || self.plan.nodes.iter().any(counts)
    }

    /// The names of all lists that its codes may come from.
    pub fn list_names(self) -> impl Iterator<Item = &'p str> {
        let item = self.plan.nodes[self.id.0 as usize].item();
        let lists = item.map_or(&[][..], |item| &item.lists);
        lists
            .iter()
            .map(move |list| &*self.plan.lists.0[*list as usize].0)
    }

    /// When it must have content, and when it must not be there.
    #[must_use]
    pub fn need(self) -> Need {
        let plan = self.plan;
        match &plan.nodes[self.id.0 as usize].shape {
            Shape::Group(group) => of_presence(plan, &group.rows),
            Shape::Item(item) => of_item(plan, &item.rows),
            Shape::Segment(rows) => of_presence(plan, rows),
        }
    }
}

fn of_presence(plan: &RecordPlan, rows: &[Presence]) -> Need {
    let required = rows.iter().filter_map(|row| row.required.as_ref());
    let barred = rows.iter().filter_map(|row| row.forbidden.as_ref());
    need(plan, required.collect(), barred.collect())
}

/// An item must be filled where its value is asked for, and then as often as its tag.
fn of_item(plan: &RecordPlan, rows: &[Rows]) -> Need {
    let tags = rows.iter().filter_map(|row| row.tag.as_ref());
    let tags: Vec<&Condition> = tags.collect();
    let values = rows.iter().filter_map(|row| row.value.as_ref());
    let values: Vec<&Condition> = values.collect();
    let barred = rows.iter().filter_map(|row| row.forbidden.as_ref());
    let always = values.iter().any(|it| plan.always(it.test));
    let required = if always { tags } else { values };
    need(plan, required, barred.collect())
}

fn need(plan: &RecordPlan, required: Vec<&Condition>, barred: Vec<&Condition>) -> Need {
    let always = required
        .iter()
        .any(|it| plan.always(it.test) && !it.code.warns);
    let told = |all: Vec<&Condition>| {
        let mut told: Vec<(String, String)> = Vec::new();
        for condition in all {
            let clause = (
                plan.condition(condition.test, Language::Chinese),
                plan.condition(condition.test, Language::English),
            );
            if !told.contains(&clause) {
                told.push(clause);
            }
        }
        told
    };
    Need {
        always,
        when: if always { Vec::new() } else { told(required) },
        barred: told(barred),
    }
}

#[cfg(test)]
mod tests {
    use crate::edition::Edition;

    #[test]
    fn an_item_tells_when_it_must_be_filled_and_when_it_must_not_be_there() {
        let edition = Edition::embedded("pboc-submit-enterprise", jiff::civil::Date::MAX).unwrap();
        let plan = edition.plan("410").unwrap();
        let need = |path: &str| plan.element(plan.find(path).unwrap()).need();
        assert!(need("AcctBsSgmt").always);
        assert!(need("AcctBsSgmt/AcctType").always);
        let flag = need("AcctBsInfSgmt/Flag");
        assert!(!flag.always);
        assert_eq!(
            flag.when[0].1, "Account type (AcctType) is D1",
            "{:?}",
            flag.when
        );
        assert_eq!(flag.barred.len(), 1);
        let district = need("AcctBsInfSgmt/ApplyBusiDist");
        assert!(!district.always && district.when.is_empty(), "{district:?}");
    }
}
