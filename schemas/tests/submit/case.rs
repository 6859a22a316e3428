//! Cases as data: a sample, what is changed in it, and the codes that must come of it.
//!
//! `testdata/cases/` says what stands in the columns. Only the public face of the crate is used,
//! so that other readers of the tables can be asked the same.

use std::path::{Path, PathBuf};

use schemas::plan::{RecordPlan, What};
use schemas::record::{Place, Record};
use schemas::validate::FileHeader;

/// One row of a case table.
#[allow(
    dead_code,
    reason = "each of the crates that read the cases uses its part"
)]
#[derive(Debug)]
pub(crate) struct Case {
    /// `personal` or `enterprise`.
    pub(crate) edition: &'static str,
    pub(crate) record: String,
    /// The row of the format tables: `rules`, `segments` or `items`; rule or path; which of its
    /// rows, from 0; the column.
    pub(crate) row: (String, String, usize, String),
    base: String,
    template: Option<String>,
    pass: String,
    fail: String,
    /// What the changed record must be answered with; a warning has `~` before it.
    pub(crate) codes: Vec<String>,
    /// No record that is in order meets the row.
    pub(crate) unmet: bool,
    /// No record breaks the row.
    pub(crate) unbroken: bool,
}

/// The cases of an edition.
pub(crate) fn cases(edition: &'static str) -> Vec<Case> {
    let path = testdata().join(format!("cases/{edition}.tsv"));
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let case = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [
            record,
            table,
            row,
            column,
            base,
            template,
            pass,
            fail,
            codes,
            note,
        ] = cells[..]
        else {
            panic!("ten columns in {line}")
        };
        let (row, nth) = row.split_once('#').unwrap_or((row, "1"));
        Case {
            edition,
            record: record.to_owned(),
            row: (
                table.to_owned(),
                row.to_owned(),
                nth.parse::<usize>().unwrap() - 1,
                column.to_owned(),
            ),
            base: base.to_owned(),
            template: Some(template.to_owned()).filter(|it| !it.is_empty()),
            pass: pass.to_owned(),
            fail: fail.to_owned(),
            codes: codes
                .split(' ')
                .filter(|code| !code.is_empty())
                .map(str::to_owned)
                .collect(),
            unmet: note.starts_with("unmet: "),
            unbroken: note.starts_with("unbroken: "),
        }
    };
    rows.map(case).collect()
}

/// The folder of test data.
pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/testdata")
}

/// The header of a file that could hold such a record.
pub(crate) fn header(record: &str) -> FileHeader {
    let template = if ["110", "310"].contains(&record) {
        "10"
    } else {
        "  "
    };
    FileHeader {
        date: jiff::civil::date(2026, 11, 24),
        record: record.to_owned(),
        org: "T99999999H0001".to_owned(),
        template: template.to_owned(),
    }
}

impl Case {
    pub(crate) fn header(&self) -> FileHeader {
        let mut header = header(&self.record);
        if let Some(template) = &self.template {
            header.template.clone_from(template);
        }
        header
    }

    /// The record that is in order, and the one that is not.
    pub(crate) fn records(&self, plan: &RecordPlan) -> [Record; 2] {
        let path = format!("pboc-submit-{}/{}.xml", self.edition, self.base);
        let line = std::fs::read_to_string(testdata().join(path)).unwrap();
        let base = plan.read(line.trim_end().as_bytes()).unwrap();
        let mut fields = fields(plan, &base);
        edit(&mut fields, &self.pass);
        let good = record(plan, &fields);
        edit(&mut fields, &self.fail);
        [good, record(plan, &fields)]
    }
}

/// Items by path, with their values; segments and entries without any, with none.
pub(crate) type Fields = Vec<(String, Option<String>)>;

pub(crate) fn fields(plan: &RecordPlan, record: &Record) -> Fields {
    let values = plan.values(record).into_iter();
    values
        .map(|(path, value)| (path, value.map(str::to_owned)))
        .collect()
}

/// Whether a path is another, or lies inside it.
pub(crate) fn inside(path: &str, of: &str) -> bool {
    path.strip_prefix(of)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
}

/// `path=value` puts an item, `+path` an empty segment or entry, `-path` takes away.
pub(crate) fn edit(fields: &mut Fields, edits: &str) {
    for edit in edits.split("; ").filter(|edit| !edit.is_empty()) {
        if let Some(path) = edit.strip_prefix('-') {
            fields.retain(|(known, _)| !inside(known, path));
            continue;
        }
        let (path, value) = match edit.strip_prefix('+') {
            Some(path) => (path, None),
            None => edit
                .split_once('=')
                .map(|(path, value)| (path, Some(value)))
                .unwrap(),
        };
        // What holds something is no longer empty.
        fields.retain(|(known, value)| known != path && (value.is_some() || !inside(path, known)));
        fields.push((path.to_owned(), value.map(str::to_owned)));
    }
}

/// The record that holds these fields.
pub(crate) fn record(plan: &RecordPlan, fields: &Fields) -> Record {
    let mut record = plan.new_record();
    let mut fields: Vec<_> = fields.iter().collect();
    // Entries are opened in their order.
    fields.sort_by_key(|(path, _)| entry(path).map(|(group, ordinal)| (group.to_owned(), ordinal)));
    for (path, value) in fields {
        let (place, path) = match entry(path) {
            None => (Place::RECORD, path.clone()),
            Some((group, ordinal)) => {
                let id = plan.find(group).unwrap();
                let known = plan.entries(&record, Place::RECORD, id).nth(ordinal - 1);
                let place = known.unwrap_or_else(|| plan.open(&mut record, Place::RECORD, id));
                (place, path.replace(&format!("[{ordinal}]"), ""))
            }
        };
        let id = plan.find(&path).unwrap();
        match value {
            Some(value) => plan.put(&mut record, place, id, value),
            None if plan.element(id).what() == What::Segment => plan.mark(&mut record, place, id),
            None => {}
        }
    }
    record
}

/// The group and the number of the entry that a path lies in.
fn entry(path: &str) -> Option<(&str, usize)> {
    let (group, rest) = path.split_once('[')?;
    let (ordinal, _) = rest.split_once(']')?;
    Some((group, ordinal.parse().unwrap()))
}
