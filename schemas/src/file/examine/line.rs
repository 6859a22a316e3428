//! One record line, judged as the centre's pre-check tool judges it.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::check::Check;
use super::super::read::judge;
use super::{has_error, plan};
use crate::plan::RecordPlan;
use crate::record::Record;
use crate::validate::{FileHeader, Finding, Scratch, Severity};

/// What the records of a file are judged against.
pub(super) struct Against {
    plan: Arc<RecordPlan>,
    header: FileHeader,
}

impl Against {
    pub(super) fn of(header: FileHeader) -> Option<Self> {
        let plan = plan(&header.record, header.date)?;
        Some(Self { plan, header })
    }
}

/// Judges one line after another, with memory that is used again.
pub(super) struct Judge<'a> {
    against: Option<&'a Against>,
    record: Record,
    scratch: Scratch,
}

impl<'a> Judge<'a> {
    pub(super) fn new(against: Option<&'a Against>) -> Self {
        Self {
            against,
            record: { against }.map_or_else(Record::default, |it| it.plan.new_record()),
            scratch: Scratch::default(),
        }
    }

    /// All that is wrong with a line, without its line end.
    pub(super) fn line(&mut self, line: &[u8]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let text = String::from_utf8_lossy(line);
        let broken = matches!(text, Cow::Owned(_));
        if broken {
            // The tool takes the bytes for characters that no item may hold.
            findings.push(Check::FileEncoding.warning());
        }
        judge(text.as_bytes(), &mut findings);
        let framed = !findings.iter().any(|it| it.rule == Check::LineFrame.name());
        if has_error(&findings) && framed {
            // Blank or too long: there is no record to look at.
            return findings;
        }
        let Some(Against { plan, header }) = self.against else {
            return findings;
        };
        if let Err(error) = plan.read_into(text.as_bytes(), &mut self.record) {
            if framed {
                findings.push(plan.unreadable(&error));
            }
            return findings;
        }
        for finding in &mut findings {
            // It can be read: blanks or an instruction between the outer tags, which the tool takes.
            finding.severity = Severity::Warning;
        }
        let mut told = plan.validate_with(&self.record, header, &mut self.scratch);
        if has_error(&told)
            && let Some((taken, overlooked)) = plan.overlooked(&self.record)
        {
            told = plan.validate_with(&taken, header, &mut self.scratch);
            findings.extend(overlooked);
        }
        findings.append(&mut told);
        if broken {
            findings.extend(plan.replaced(&self.record));
        }
        findings
    }
}
