//! Putting placeholders where a configuration is defective, so that reading can
//! go on; see [`form`](super::form).

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue, Error},
};

use super::{finding::ConfigFinding, form::Document};

type Value<'t> = Spanned<DeValue<'t>>;

/// Placeholders are known by spans that begin here, far beyond any text.
const MARK: usize = usize::MAX / 2;

/// Finds the place of one error after the other, records and mends it.
pub(super) struct Mender<'d, 't> {
    document: &'d Document<'t>,
    findings: Vec<ConfigFinding>,
    placeholders: Vec<Placeholder<'t>>,
    /// How often a key was missing in the table of a span.
    missing: HashMap<(usize, usize, String), usize>,
}

/// A place that was mended.
struct Placeholder<'t> {
    path: String,
    /// What else could stand there, the next one last.
    left: Vec<DeValue<'t>>,
    /// Whether a complaint has named words that would fit.
    hinted: bool,
}

impl Placeholder<'_> {
    /// Puts the words that serde says it expects first: as they are, and as the
    /// only key of a table.
    fn hint(&mut self, message: &str, span: &Range<usize>) {
        for hint in hints(message) {
            self.hinted = true;
            let mut table = DeTable::new();
            let key = Spanned::new(span.clone(), DeString::Owned(hint.to_owned()));
            table.insert(key, Spanned::new(span.clone(), text("")));
            self.left.extend([DeValue::Table(table), text(hint)]);
        }
    }
}

/// What serde complains of.
enum Complaint<'e> {
    Missing(&'e str),
    Unknown(&'e str),
    Wrong,
}

impl<'d, 't> Mender<'d, 't> {
    pub(super) fn new(document: &'d Document<'t>) -> Self {
        Self {
            document,
            findings: Vec::new(),
            placeholders: Vec::new(),
            missing: HashMap::new(),
        }
    }

    /// What was found, and where placeholders stand.
    pub(super) fn into_parts(self) -> (Vec<ConfigFinding>, BTreeSet<String>) {
        let mended = self.placeholders.into_iter().map(|p| p.path).collect();
        (self.findings, mended)
    }

    /// Records the error, unless a placeholder caused it, and mends its place.
    /// False where that is beyond it.
    pub(super) fn mend(&mut self, draft: &mut Value<'t>, error: &Error) -> bool {
        let message = error.message();
        let span = error.span().unwrap_or_default();
        match complaint(message) {
            Complaint::Missing(key) => self.add_missing(draft, &span, key),
            Complaint::Unknown(key) => self.remove_unknown(draft, &span, key, message),
            Complaint::Wrong => self.replace_wrong(draft, &span, message),
        }
    }

    fn add_missing(&mut self, draft: &mut Value<'t>, span: &Range<usize>, key: &str) -> bool {
        let count = self
            .missing
            .entry((span.start, span.end, key.to_owned()))
            .or_default();
        let nth = *count;
        *count += 1;
        // A table that only its children's headers name has their span: the
        // innermost is tried first.
        let mut targets = Vec::new();
        tables(draft, "", span, &mut targets);
        targets.reverse();
        let Some(path) = targets.get(nth).cloned() else {
            return false;
        };
        if nth == 0 && span.start < MARK {
            let at = join(&path, key);
            let line = self.document.line(&at);
            let message = format!("`{key}` is missing");
            self.record(line, at, "missing_key", message, "add it".to_owned());
        }
        let placeholder = self.placeholder(join(&path, key), "");
        let Some(DeValue::Table(table)) = at(draft, &path).map(Spanned::get_mut) else {
            return false;
        };
        let key = Spanned::new(placeholder.span(), DeString::Owned(key.to_owned()));
        table.insert(key, placeholder);
        true
    }

    fn remove_unknown(
        &mut self,
        draft: &mut Value<'t>,
        span: &Range<usize>,
        key: &str,
        message: &str,
    ) -> bool {
        let Some((path, found)) = owner(draft, "", span, key) else {
            return false;
        };
        if found.start < MARK {
            let known = message
                .split_once(", expected ")
                .map_or("", |(_, known)| known)
                .trim_start_matches("one of ");
            let line = self.document.line_at(found.start);
            self.record(
                line,
                join(&path, key),
                "unknown_key",
                format!("there is no key `{key}`"),
                format!("remove it, or write one of {known}"),
            );
        }
        match at(draft, &path).map(Spanned::get_mut) {
            Some(DeValue::Table(table)) => table.remove(key).is_some(),
            _ => false,
        }
    }

    fn replace_wrong(&mut self, draft: &mut Value<'t>, span: &Range<usize>, message: &str) -> bool {
        if span.start >= MARK {
            return self.try_next(draft, span, message);
        }
        // An error at a key means the table that holds it.
        let Some(path) = value_at(draft, "", span) else {
            return false;
        };
        let line = self.document.line(&path);
        self.record(
            line,
            path.clone(),
            "wrong_value",
            without_value(message),
            "write it as the documentation has it".to_owned(),
        );
        let placeholder = self.placeholder(path.clone(), message);
        replace(draft, &path, placeholder)
    }

    /// A placeholder did not fit; the complaint may say what would.
    fn try_next(&mut self, draft: &mut Value<'t>, span: &Range<usize>, message: &str) -> bool {
        let Some(placeholder) = self.placeholders.get_mut(span.start - MARK) else {
            return false;
        };
        if !placeholder.hinted {
            placeholder.hint(message, span);
        }
        match placeholder.left.pop() {
            Some(value) => {
                let path = placeholder.path.clone();
                replace(draft, &path, Spanned::new(span.clone(), value))
            }
            None => false,
        }
    }

    fn placeholder(&mut self, path: String, message: &str) -> Value<'t> {
        let parsed = |text: &'static str| DeValue::parse(text).ok().map(Spanned::into_inner);
        // From the last to the first.
        let mut left: Vec<_> = ["{}", "[]", "1.0", "true", "1"]
            .into_iter()
            .filter_map(parsed)
            .collect();
        left.extend(["00:00-24:00", "2026-01-01", "127.0.0.1:1", ""].map(text));
        let start = MARK + self.placeholders.len();
        let span = start..start + 1;
        let mut placeholder = Placeholder {
            path,
            left,
            hinted: false,
        };
        placeholder.hint(message, &span);
        let first = placeholder.left.pop().unwrap_or(DeValue::Boolean(true));
        self.placeholders.push(placeholder);
        Spanned::new(span, first)
    }

    fn record(
        &mut self,
        line: usize,
        path: String,
        code: &'static str,
        what: String,
        cure: String,
    ) {
        self.findings.push(ConfigFinding {
            line,
            path,
            code,
            message: what,
            cure,
        });
    }
}

fn text(text: &str) -> DeValue<'static> {
    DeValue::String(DeString::Owned(text.to_owned()))
}

fn complaint(message: &str) -> Complaint<'_> {
    let quoted = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?;
        rest.split('`').next()
    };
    if let Some(key) = quoted("missing field `") {
        Complaint::Missing(key)
    } else if let Some(key) = quoted("unknown field `") {
        Complaint::Unknown(key)
    } else {
        Complaint::Wrong
    }
}

/// serde's sentences repeat the value, which may be a secret: only what was
/// expected is kept.
fn without_value(message: &str) -> String {
    let repeats = ["invalid type: ", "invalid value: ", "unknown variant "];
    match message.split_once(", expected ") {
        Some((_, expected)) if repeats.iter().any(|r| message.starts_with(r)) => {
            format!("expected {expected}")
        }
        _ if repeats.iter().any(|r| message.starts_with(r)) => "not allowed here".to_owned(),
        _ => message.to_owned(),
    }
}

/// The words that serde says it expects.
fn hints(message: &str) -> Vec<&str> {
    match message.split_once(", expected ") {
        Some((_, expected)) => expected.split('`').skip(1).step_by(2).collect(),
        None => Vec::new(),
    }
}

/// The value at a path.
fn at<'v, 't>(value: &'v mut Value<'t>, path: &str) -> Option<&'v mut Value<'t>> {
    let mut here = value;
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        here = match (here.get_mut(), step.strip_suffix(']')) {
            (DeValue::Array(items), Some(index)) => items.get_mut(index.parse::<usize>().ok()?)?,
            (DeValue::Table(table), None) => table.get_mut(step)?,
            _ => return None,
        };
    }
    Some(here)
}

fn replace<'t>(draft: &mut Value<'t>, path: &str, value: Value<'t>) -> bool {
    match at(draft, path) {
        Some(old) => {
            *old = value;
            true
        }
        None => false,
    }
}

/// What stands in a value, each with its path.
fn children<'v, 't>(value: &'v Value<'t>, path: &str) -> Vec<(String, &'v Value<'t>)> {
    match value.get_ref() {
        DeValue::Array(items) => (items.iter().enumerate())
            .map(|(n, item)| (format!("{path}[{n}]"), item))
            .collect(),
        DeValue::Table(table) => (table.iter())
            .map(|(key, value)| (join(path, key.get_ref()), value))
            .collect(),
        _ => Vec::new(),
    }
}

/// Paths of all tables with this span, outermost first.
fn tables(value: &Value<'_>, path: &str, span: &Range<usize>, found: &mut Vec<String>) {
    if value.span() == *span && matches!(value.get_ref(), DeValue::Table(_)) {
        found.push(path.to_owned());
    }
    for (path, child) in children(value, path) {
        tables(child, &path, span, found);
    }
}

/// The table that holds the key at this span; or, where the span is that of a
/// table, that table. With the span of the key.
fn owner(
    value: &Value<'_>,
    path: &str,
    span: &Range<usize>,
    key: &str,
) -> Option<(String, Range<usize>)> {
    if let DeValue::Table(table) = value.get_ref()
        && let Some((held, _)) = table.get_key_value(key)
        && (held.span() == *span || value.span() == *span)
    {
        return Some((path.to_owned(), held.span()));
    }
    children(value, path)
        .into_iter()
        .find_map(|(path, child)| owner(child, &path, span, key))
}

/// The innermost value with this span, or the table whose key has it.
fn value_at(value: &Value<'_>, path: &str, span: &Range<usize>) -> Option<String> {
    let inside = children(value, path)
        .into_iter()
        .find_map(|(path, child)| value_at(child, &path, span));
    let holds = match value.get_ref() {
        DeValue::Table(table) => table.keys().any(|key| key.span() == *span),
        _ => false,
    };
    inside.or_else(|| (value.span() == *span || holds).then(|| path.to_owned()))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
