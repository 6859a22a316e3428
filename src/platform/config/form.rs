//! From text to a typed struct, with every defect of form at once.
//!
//! serde stops at the first defect. So a draft of the document is mended with a
//! placeholder at that place and read again, until nothing is left to find; what
//! was mended is remembered, so that nobody judges a placeholder.

use std::{collections::BTreeSet, ops::Range};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Error, ValueDeserializer},
};

use super::{finding::ConfigFinding, mend::Mender};

/// Readings at most; each mends one place or tries another placeholder there.
const READINGS: usize = 500;

/// The outcome of reading.
pub(super) struct Form<T> {
    /// The typed configuration, with placeholders where something was mended.
    pub(super) value: Option<T>,
    pub(super) findings: Vec<ConfigFinding>,
    /// Paths of placeholders.
    pub(super) mended: BTreeSet<String>,
}

/// The parsed text: tells lines of paths.
pub(super) struct Document<'t> {
    text: &'t str,
    pub(super) root: Spanned<DeValue<'t>>,
}

impl<'t> Document<'t> {
    /// Parses a text; on error, all errors of syntax.
    pub(super) fn parse(text: &'t str) -> Result<Self, Vec<ConfigFinding>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let span = root.span();
        let root = Spanned::new(span, DeValue::Table(root.into_inner()));
        let document = Self { text, root };
        if errors.is_empty() {
            Ok(document)
        } else {
            Err(errors.iter().map(|e| document.syntax(e)).collect())
        }
    }

    /// Reads the document as `T`.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Form<T> {
        let mut draft = self.root.clone();
        let mut mender = Mender::new(self);
        let mut value = None;
        for _ in 0..READINGS {
            match T::deserialize(ValueDeserializer::from(draft.clone())) {
                Ok(read) => {
                    value = Some(read);
                    break;
                }
                Err(error) => {
                    if !mender.mend(&mut draft, &error) {
                        break;
                    }
                }
            }
        }
        let (findings, mended) = mender.into_parts();
        Form {
            value,
            findings,
            mended,
        }
    }

    /// The line of a path, or of the nearest thing around it that exists.
    pub(super) fn line(&self, path: &str) -> usize {
        let mut at = &self.root;
        let mut line = 1;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            let next = match (at.get_ref(), step.strip_suffix(']')) {
                (DeValue::Array(items), Some(index)) => {
                    index.parse().ok().and_then(|n: usize| items.get(n))
                }
                (DeValue::Table(table), None) => table.get_key_value(step).map(|(key, value)| {
                    line = self.line_at(key.span().start);
                    value
                }),
                _ => None,
            };
            let Some(next) = next else {
                return line;
            };
            at = next;
            if step.ends_with(']') {
                line = self.line_at(at.span().start);
            }
        }
        line
    }

    /// The line at a byte of the text.
    pub(super) fn line_at(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        1 + before.filter(|byte| **byte == b'\n').count()
    }

    fn syntax(&self, error: &Error) -> ConfigFinding {
        let Range { start, .. } = error.span().unwrap_or_default();
        ConfigFinding {
            line: self.line_at(start),
            path: String::new(),
            code: "syntax",
            message: error.message().to_owned(),
            cure: "write it as TOML".to_owned(),
        }
    }
}
