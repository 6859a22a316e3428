//! What the tables of an edition cover: each record, segment, item, list and rule, and who judges it.
//!
//! # Promise
//!
//! Everything is read off the compiled plans, not off a list beside them. An official rule that no
//! row speaks of and whose code no finding can bear counts as [`Class::Unclassified`].

mod rules;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::classified::{Class, Conflict};
use crate::edition::Edition;
use crate::file;
use crate::plan::{Element, RecordPlan, What};
use crate::text::Label;

/// What an edition covers.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Coverage<'e> {
    /// The format, such as `pboc-submit-personal`.
    pub format: &'e str,
    /// The first report date that the edition is for.
    pub first_day: String,
    /// Its record types, in the order of the tables.
    pub records: Vec<RecordCoverage<'e>>,
    /// The rules of every record type.
    pub rules: Vec<RuleCoverage<'e>>,
    /// Its code lists, by name.
    pub codes: Vec<ListCoverage<'e>>,
    /// What the sources do not settle.
    pub conflicts: Vec<ConflictCoverage<'e>>,
}

/// What is covered of a record type.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct RecordCoverage<'e> {
    /// The record type, such as `210`.
    pub record: &'e str,
    /// Its element.
    pub element: &'e str,
    /// Its name.
    #[serde(flatten)]
    pub name: Label<'e>,
    /// Whether none of it may be handed in.
    pub off: bool,
    /// Segments and groups.
    pub segments: Vec<ElementCoverage<'e>>,
    /// Items.
    pub items: Vec<ElementCoverage<'e>>,
    /// Rules between items, and what is said of those that no record alone can break.
    pub rules: Vec<RuleCoverage<'e>>,
}

/// What is covered of a segment, group or item.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ElementCoverage<'e> {
    /// From the record element.
    pub path: String,
    /// Its name.
    #[serde(flatten)]
    pub name: Label<'e>,
    /// `segment`, `group`, or the kind of an item.
    pub kind: &'e str,
    /// The length of an item, as the tables write it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub length: String,
    /// The code lists that an item may take a code from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<&'e str>,
    /// How many conditions say when it must, must not or may be there or empty.
    pub conditions: usize,
    /// Always data.
    pub class: Class,
}

/// What is known of a rule.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct RuleCoverage<'e> {
    /// The official rule, where one is known.
    pub rule: &'e str,
    /// The record type, or `all`.
    pub record: &'e str,
    /// The bureau's code; empty where the rule stands for others that have their own.
    pub code: &'e str,
    /// What the bureau's answer names.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub tags: &'e str,
    /// Who judges it.
    pub class: Class,
    /// Whether it only warns.
    pub warns: bool,
    /// What it asks, in Chinese.
    pub zh: String,
    /// What it asks, in English.
    pub en: String,
    /// The code that the tables answer with instead, the check of files, or the conflict.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub by: &'e str,
    /// What to do when the bureau refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<Label<'e>>,
    /// `high`, `medium` or `low`; empty where no source is named for the row itself.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub confidence: &'e str,
}

/// What is covered of a code list.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ListCoverage<'e> {
    /// The list.
    pub list: &'e str,
    /// How many codes it has.
    pub codes: usize,
}

/// What the sources do not settle.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ConflictCoverage<'e> {
    /// Its name, which is also its key in `edition.tsv`.
    pub conflict: &'e str,
    /// What is not settled.
    #[serde(flatten)]
    pub name: Label<'e>,
    /// What an edition may choose.
    pub readings: Vec<&'e str>,
    /// What this one chose.
    pub chosen: Option<&'e str>,
    /// `high`, `medium` or `low`.
    pub confidence: &'e str,
}

/// What is known of a check of files.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct CheckCoverage {
    /// The check.
    pub check: &'static str,
    /// What it is about.
    pub applies_to: &'static str,
    /// The bureau's code; empty where it has none.
    pub code: &'static str,
    /// Who makes it.
    pub class: Class,
    /// What is right.
    #[serde(flatten)]
    pub name: Label<'static>,
}

impl<'e> Coverage<'e> {
    /// What `edition` of `format` covers.
    #[must_use]
    pub fn of(format: &'e str, edition: &'e Edition) -> Self {
        Self {
            format,
            first_day: edition.first_day().to_string(),
            records: edition.plans().map(|plan| record(edition, plan)).collect(),
            rules: rules::of_all(edition),
            codes: edition
                .codes()
                .lists()
                .map(|(list, codes)| ListCoverage {
                    list,
                    codes: codes.iter().len(),
                })
                .collect(),
            conflicts: edition.conflicts().map(conflict).collect(),
        }
    }

    /// How many rules are in each class.
    #[must_use]
    pub fn classes(&self) -> BTreeMap<Class, usize> {
        let mut classes = BTreeMap::new();
        let of_records = self.records.iter().flat_map(|record| &record.rules);
        for rule in of_records.chain(&self.rules) {
            *classes.entry(rule.class).or_default() += 1;
        }
        classes
    }
}

/// The checks of files, which all formats share.
#[must_use]
pub fn files() -> Vec<CheckCoverage> {
    let check = |asked: &file::Asked| CheckCoverage {
        check: asked.check,
        applies_to: asked.applies_to,
        code: asked.code,
        class: rules::of_check(asked),
        name: Label {
            zh: asked.zh,
            en: asked.en,
        },
    };
    file::asked().map(check).collect()
}

fn record<'e>(edition: &'e Edition, plan: &'e RecordPlan) -> RecordCoverage<'e> {
    let (zh, en) = plan.names();
    let (mut segments, mut items) = (Vec::new(), Vec::new());
    walk(plan, plan.root(), "", &mut segments, &mut items);
    RecordCoverage {
        record: plan.code(),
        element: plan.root().tag(),
        name: Label { zh, en },
        off: edition.is_off(plan.code()),
        segments,
        items,
        rules: rules::of_record(edition, plan),
    }
}

fn walk<'e>(
    plan: &'e RecordPlan,
    element: Element<'e>,
    above: &str,
    segments: &mut Vec<ElementCoverage<'e>>,
    items: &mut Vec<ElementCoverage<'e>>,
) {
    for child in element.children() {
        let path = match above {
            "" => child.tag().to_owned(),
            above => format!("{above}/{}", child.tag()),
        };
        let (kind, length) = match child.what() {
            What::Group { .. } => ("group", String::new()),
            What::Item { kind, length } => (kind.name(), length.to_string()),
            What::Segment => ("segment", String::new()),
        };
        let covered = ElementCoverage {
            path: path.clone(),
            name: Label {
                zh: child.zh(),
                en: child.en(),
            },
            kind,
            length,
            codes: child.lists().map(|(list, _)| list).collect(),
            conditions: plan.conditions_on(child.id()),
            class: Class::Data,
        };
        if matches!(child.what(), What::Item { .. }) {
            items.push(covered);
        } else {
            segments.push(covered);
            walk(plan, child, &path, segments, items);
        }
    }
}

fn conflict(conflict: &Conflict) -> ConflictCoverage<'_> {
    let (zh, en) = conflict.names();
    ConflictCoverage {
        conflict: conflict.id(),
        name: Label { zh, en },
        readings: conflict.readings().collect(),
        chosen: conflict.chosen(),
        confidence: conflict.confidence(),
    }
}
