//! From the rows of the tables to a [`RecordPlan`].

use super::build::{Tree, under};
use super::tree::{Choice, Code, Condition, Presence, Rows, Shape};
use super::{Engine, NodeId, RecordPlan, Rule, Sheets};
use crate::codes::Codes;
use crate::duty::{Negative, Restricted};
use crate::expr::names::{Here, Lists, Names};
use crate::expr::{Program, Test, TestId};
use crate::table::{Row, TableError};

/// Compiles one record.
///
/// # Errors
///
/// Everything that is wrong in its rows.
pub(crate) fn compile(
    sheets: &Sheets<'_, '_>,
    codes: &Codes,
    engine: &Engine,
) -> Result<RecordPlan, Vec<TableError>> {
    let mut errors = Vec::new();
    let mut lists = Lists::default();
    let mut tree = Tree::build(sheets, codes, &mut lists, &mut errors);
    let mut program = Program::default();
    let rows = std::mem::take(&mut tree.rows);
    let mut conditions = Vec::new();
    let mut rules = Vec::new();
    let (mut negatives, mut restricted) = (Vec::new(), Vec::new());
    {
        let names = Names {
            nodes: &tree.nodes,
            codes,
            lists: &mut lists,
            country_list: &engine.country_list,
        };
        let mut compiler = Compiler {
            names,
            program: &mut program,
            errors: &mut errors,
        };
        for &(node, row) in &rows {
            let compiled = compiler.conditions(node, row);
            conditions.push((node, compiled));
        }
        for &row in &sheets.rules {
            rules.extend(compiler.rule(row));
        }
        for &row in &sheets.negative {
            negatives.extend(compiler.negative(row));
        }
        for &row in &sheets.restricted {
            restricted.extend(compiler.restricted(row));
        }
    }
    let mut dependents = Vec::new();
    for (node, compiled) in conditions {
        match (&mut tree.nodes[node as usize].shape, compiled) {
            (Shape::Group(group), Compiled::Presence(row)) => group.rows.push(row),
            (Shape::Segment(rows), Compiled::Presence(row)) => rows.push(row),
            (Shape::Item(item), Compiled::Item(row, choice)) => {
                item.rows.push(row);
                if matches!(choice, Some(Choice::First(_) | Choice::Under { .. })) {
                    dependents.push(node);
                }
                if choice.is_some() {
                    item.choice = choice;
                }
            }
            // Conditions are compiled by the shape of the node they come back to.
            _ => {}
        }
    }
    if errors.is_empty() {
        Ok(RecordPlan::new(
            sheets,
            tree,
            dependents,
            program,
            lists,
            (rules, negatives, restricted),
            engine,
        ))
    } else {
        Err(errors)
    }
}

/// What one row says of its node.
enum Compiled {
    Item(Rows, Option<Choice>),
    Presence(Presence),
}

struct Compiler<'c, 'a> {
    names: Names<'a>,
    program: &'c mut Program,
    errors: &'c mut Vec<TableError>,
}

impl Compiler<'_, '_> {
    fn conditions(&mut self, node: u16, row: Row<'_, '_>) -> Compiled {
        let here = self.names.inside(self.names.nodes[node as usize].parent);
        if self.names.nodes[node as usize].item().is_none() {
            let presence = Presence {
                required: self.condition(row, &here, "required_when", "required_code"),
                forbidden: self.condition(row, &here, "forbidden_when", "forbidden_code"),
            };
            return Compiled::Presence(presence);
        }
        let rows = Rows {
            tag: self.condition(row, &here, "tag_when", "tag_code"),
            forbidden: self.condition(row, &here, "tag_forbidden_when", "tag_forbidden_code"),
            value: self.condition(row, &here, "value_when", "value_code"),
        };
        let codes = row.get("codes");
        let choice = if codes.is_empty() {
            None
        } else {
            self.choice(row, codes, &here)
        };
        Compiled::Item(rows, choice)
    }

    fn condition(
        &mut self,
        row: Row<'_, '_>,
        here: &Here,
        when: &str,
        code: &str,
    ) -> Option<Condition> {
        let (source, cost) = (row.get(when), row.get(code));
        if source.is_empty() || cost.is_empty() {
            if source.is_empty() != cost.is_empty() {
                self.errors
                    .push(row.error(code, format!("goes together with {when}")));
            }
            return None;
        }
        let test = self.test(row, when, source, here)?;
        Some(Condition {
            test,
            code: Code::parse(cost),
        })
    }

    fn test(
        &mut self,
        row: Row<'_, '_>,
        column: &str,
        source: &str,
        here: &Here,
    ) -> Option<TestId> {
        let compiled = self.names.compile(self.program, source, here);
        compiled
            .map_err(|error| self.errors.push(row.error(column, error)))
            .ok()
    }

    fn choice(&mut self, row: Row<'_, '_>, codes: &str, here: &Here) -> Option<Choice> {
        if let Some((prefix, tag)) = codes.split_once(".{") {
            let tag = tag.trim_end_matches('}');
            let Some(node) = self.names.find(tag, here) else {
                self.errors
                    .push(row.error("codes", format!("no item {tag} here")));
                return None;
            };
            let item = self.names.nodes[node as usize].reference(node);
            let all = self.names.codes.lists();
            let subs: Vec<_> = all
                .filter_map(|(list, _)| Some((list, under(list, prefix)?)))
                .collect();
            let lists = subs
                .into_iter()
                .filter_map(|(list, code)| {
                    Some((code.into(), self.names.lists.place(list, self.names.codes)?))
                })
                .collect();
            return Some(Choice::Under { item, lists });
        }
        let mut alternatives = Vec::new();
        for part in codes.split('|') {
            let (name, when) = match part.split_once('?') {
                Some((name, when)) => (name, Some(when)),
                None => (part, None),
            };
            let test = match when {
                Some(source) => Some(self.test(row, "codes", source, here)?),
                None => None,
            };
            alternatives.push((test, self.names.lists.place(name, self.names.codes)?));
        }
        if alternatives.iter().all(|(test, _)| test.is_none()) {
            return Some(Choice::Any(
                alternatives.into_iter().map(|(_, list)| list).collect(),
            ));
        }
        let last = alternatives.len() - 1;
        if alternatives[..last].iter().any(|(test, _)| test.is_none()) {
            self.errors.push(row.error(
                "codes",
                "what follows a list without condition is never reached",
            ));
            return None;
        }
        Some(Choice::First(alternatives))
    }

    fn rule(&mut self, row: Row<'_, '_>) -> Option<Rule> {
        let root = Here {
            node: 0,
            groups: Vec::new(),
        };
        let when = match row.get("when") {
            "" => None,
            source => Some(self.test(row, "when", source, &root)?),
        };
        let must = self.test(row, "must", row.get("must"), &root)?;
        // A rule over every entry is judged entry by entry, so that a finding can name one.
        let (group, must) = match self.program.tests[must as usize] {
            Test::Each {
                group,
                all: true,
                test,
            } if group.level == 0 => (Some(group), test),
            _ => (None, must),
        };
        let place = match row.get("tags").split(',').next() {
            None | Some("" | "0000") => None,
            Some(tag) => match self.named(tag, group.map(|group| group.node), when, must) {
                Some(node) => Some(node),
                None => {
                    self.errors
                        .push(row.error("tags", format!("no item {tag} in this rule")));
                    return None;
                }
            },
        };
        match (row.need("rule"), row.need("code")) {
            (Ok(id), Ok(code)) => Some(Rule {
                id: id.into(),
                when,
                must,
                group,
                place,
                tag: row.get("tags").into(),
                code: Code::parse(code),
            }),
            (Err(error), _) | (_, Err(error)) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn negative(&mut self, row: Row<'_, '_>) -> Option<Negative> {
        let root = Here {
            node: 0,
            groups: Vec::new(),
        };
        let item = self.at(row, "item")?;
        let test = self.test(row, "condition", row.get("condition"), &root)?;
        Some(Negative {
            rule: row.get("rule").into(),
            item,
            test,
            zh: row.get("zh").into(),
            en: row.get("en").into(),
        })
    }

    fn restricted(&mut self, row: Row<'_, '_>) -> Option<Restricted> {
        Some(Restricted {
            node: self.at(row, "path")?,
            path: row.get("path").into(),
            category: row.get("category").into(),
            zh: row.get("zh").into(),
            en: row.get("en").into(),
        })
    }

    /// What stands at the path in a cell.
    fn at(&mut self, row: Row<'_, '_>, column: &str) -> Option<NodeId> {
        let path = row.get(column).replace('/', ".");
        let root = Here {
            node: 0,
            groups: Vec::new(),
        };
        let found = self.names.find(&path, &root);
        let once = |node: &u16| self.names.groups_above(*node).is_empty();
        if column == "path" && !found.as_ref().is_none_or(once) {
            self.errors.push(row.error(column, "must not repeat"));
        } else if found.is_none() {
            self.errors
                .push(row.error(column, format!("nothing stands at {path}")));
        }
        found.map(NodeId)
    }

    /// The item that a rule names: one that it speaks of, else one in its group, else the only
    /// one of that name.
    fn named(
        &self,
        tag: &str,
        group: Option<u16>,
        when: Option<TestId>,
        must: TestId,
    ) -> Option<u16> {
        let nodes = self.names.nodes;
        let is_it = |node: &u16| &*nodes[*node as usize].tag == tag;
        let mut spoken = self.program.nodes_of(must);
        spoken.extend(
            when.into_iter()
                .flat_map(|when| self.program.nodes_of(when)),
        );
        let in_group = group
            .into_iter()
            .flat_map(|group| &nodes[group as usize].children);
        let near = spoken.iter().chain(in_group).copied().find(is_it);
        near.or_else(|| {
            let mut all = (0..nodes.len() as u16).filter(is_it);
            all.next().filter(|_| all.next().is_none())
        })
    }
}
