//! All that is wrong with a record, found in one pass over its plan.
//!
//! # Promise
//!
//! Every finding is reported, not only the first: rule, path, the bureau's error code, and in both
//! languages what is wrong and what would be right. No finding quotes a value. An item that fails
//! its own kind, length, list or range gives that one finding and silences the comparisons it
//! takes part in; a segment that must not be there gives one and is not looked into.
//!
//! # What is not here
//!
//! What only the bureau can know (rules against its stored records), and rules over the records
//! of one file.

mod complete;
mod duty;
mod judge;
mod lax;
#[cfg(test)]
mod proof;
mod values;

use std::fmt;

use jiff::civil::Date;

use crate::explain::Problem;
use crate::expr::eval::{Cell, Look};
use crate::plan::RecordPlan;
use crate::plan::tree::{Code, Node};
use crate::record::{Frames, Odd, Record};

/// What a record is judged against beside itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileHeader {
    /// The creation date of the file.
    pub date: Date,
    /// The record type of the file.
    pub record: String,
    /// The reporting organization of the file.
    pub org: String,
    /// The template characters; blank where the record type has none.
    pub template: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The official rule where one is known, else the error code.
    pub rule: String,
    /// The record type.
    pub record: String,
    /// Where, from the record element; `.` is the record as a whole.
    pub path: String,
    /// What the bureau's feedback would name: a tag, or `0000` for the record as a whole.
    pub tag: String,
    /// The bureau's error code.
    pub code: String,
    /// Whether the record may be sent.
    pub severity: Severity,
    /// What is wrong and what would be right, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Whether a finding stops a record.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The bureau refuses the record.
    Error,
    /// The texts forbid it, but the bureau's pre-check is known to let it pass.
    Warning,
}

/// Memory for validating one record after another.
#[derive(Default)]
pub struct Scratch {
    cells: Vec<Cell>,
}

impl RecordPlan {
    /// All findings on one record, those that stop it and those that warn.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn validate(&self, record: &Record, header: &FileHeader) -> Vec<Finding> {
        self.validate_with(record, header, &mut Scratch::default())
    }

    /// As [`RecordPlan::validate`], with memory to be used again for the next record.
    ///
    /// # Panics
    ///
    /// When `record` is of another plan.
    #[must_use]
    pub fn validate_with(
        &self,
        record: &Record,
        header: &FileHeader,
        scratch: &mut Scratch,
    ) -> Vec<Finding> {
        self.check(record);
        let mut pass = Pass::begin(self, record, header, scratch);
        pass.strays();
        pass.values();
        pass.dependent_codes();
        pass.conditions();
        pass.findings
    }

    pub(crate) fn finding(
        &self,
        path: String,
        tag: &str,
        code: &Code,
        rule: Option<&str>,
        (zh, en): (String, String),
    ) -> Finding {
        let rule = rule
            .or_else(|| self.official(&code.code))
            .unwrap_or(&code.code);
        Finding {
            rule: rule.to_owned(),
            record: self.code.to_string(),
            path,
            tag: tag.to_owned(),
            code: code.code.to_string(),
            severity: if code.warns {
                Severity::Warning
            } else {
                Severity::Error
            },
            zh,
            en,
        }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch(masked)")
    }
}

struct Pass<'a> {
    plan: &'a RecordPlan,
    record: &'a Record,
    header: &'a FileHeader,
    cells: &'a mut Vec<Cell>,
    findings: Vec<Finding>,
}

impl<'a> Pass<'a> {
    fn begin(
        plan: &'a RecordPlan,
        record: &'a Record,
        header: &'a FileHeader,
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.cells.clear();
        scratch.cells.resize(record.slots.len(), Cell::default());
        Self {
            plan,
            record,
            header,
            cells: &mut scratch.cells,
            findings: Vec::new(),
        }
    }
}

impl Pass<'_> {
    /// All that stands under a condition, once the values are judged.
    fn conditions(&mut self) {
        self.presence(0, &Frames::default());
        self.items(0, &Frames::default());
        let plan = self.plan;
        for rule in &plan.rules {
            self.rule(rule);
        }
    }

    fn strays(&mut self) {
        let plan = self.plan;
        for stray in &self.record.strays {
            let node = &plan.nodes[stray.inside as usize];
            let mut path = plan.path(node, &Frames::default());
            let tag = match &stray.what {
                Odd::Attribute | Odd::Text => node.tag.as_ref(),
                Odd::Repeated(tag) | Odd::Unknown(tag) => {
                    path = if stray.inside == 0 {
                        tag.to_string()
                    } else {
                        format!("{path}/{tag}")
                    };
                    tag
                }
            };
            let texts = plan.explain(&Problem::Stray(&stray.what));
            self.push(path, tag, &plan.engine.unknown, None, texts);
        }
    }

    fn look(&self) -> Look<'_> {
        Look {
            program: &self.plan.program,
            lists: &self.plan.lists,
            record: self.record,
            cells: self.cells,
            header: self.header,
        }
    }

    fn at_node(&mut self, node: &Node, at: &Frames, code: &Code, texts: (String, String)) {
        self.push(self.plan.path(node, at), &node.tag, code, None, texts);
    }

    fn push(
        &mut self,
        path: String,
        tag: &str,
        code: &Code,
        rule: Option<&str>,
        texts: (String, String),
    ) {
        self.findings
            .push(self.plan.finding(path, tag, code, rule, texts));
    }
}
