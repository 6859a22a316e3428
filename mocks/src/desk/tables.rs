//! The format tables, as a bureau's clerk would read them: which tags there
//! are, which must be there and filled, how long they may be, which codes exist.
//! Conditions between items are the engine's affair and are not read here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// One item.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) always: bool,
    pub(crate) filled: bool,
    pub(crate) kind: &'static str,
    /// The largest number of characters, and whether it is the only one.
    pub(crate) length: Option<(usize, bool)>,
    /// The plain code list, where there is one.
    pub(crate) list: Option<&'static str>,
}

/// One segment or group.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) repeats: bool,
    /// The item beside it that says how often it stands there, or nothing.
    pub(crate) counter: &'static str,
}

/// One record type.
#[derive(Debug, Default)]
pub(crate) struct RecordType {
    pub(crate) element: &'static str,
    /// By path and tag, `.` being the record element.
    pub(crate) items: BTreeMap<(&'static str, &'static str), Item>,
    /// Segments and groups.
    pub(crate) segments: BTreeMap<&'static str, Segment>,
}

/// All record types, and the code lists.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) records: BTreeMap<&'static str, RecordType>,
    codes: BTreeSet<(&'static str, &'static str)>,
    lists: BTreeSet<&'static str>,
}

macro_rules! tables {
    ($folder:literal) => {
        [
            include_str!(concat!(
                "../../../schemas/",
                $folder,
                "/2020-01-19/records.tsv"
            )),
            include_str!(concat!(
                "../../../schemas/",
                $folder,
                "/2020-01-19/segments.tsv"
            )),
            include_str!(concat!(
                "../../../schemas/",
                $folder,
                "/2020-01-19/items.tsv"
            )),
            include_str!(concat!(
                "../../../schemas/",
                $folder,
                "/2020-01-19/codes.tsv"
            )),
        ]
    };
}

/// The tables of records of persons and of enterprises.
pub(crate) fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);
    &TABLES
}

impl Tables {
    fn read() -> Self {
        let mut tables = Self::default();
        tables.add(tables!("pboc-submit-personal"));
        tables.add(tables!("pboc-submit-enterprise"));
        tables
    }

    /// Of what stands in both the first counts.
    fn add(&mut self, [records, segments, items, codes]: [&'static str; 4]) {
        for row in rows(records) {
            let record = self.records.entry(row("code")).or_default();
            record.element = row("element");
        }
        for row in rows(segments) {
            let record = self.records.entry(row("record")).or_default();
            let segment = Segment {
                repeats: row("max") != "1",
                counter: row("counter"),
            };
            // Further rows of a segment leave the number empty.
            record.segments.entry(row("path")).or_insert(segment);
        }
        for row in rows(items) {
            let record = self.records.entry(row("record")).or_default();
            let length = row("length");
            let exact = length.strip_prefix('=');
            let item = Item {
                always: row("tag_when") == "always",
                filled: row("value_when") == "always",
                kind: row("kind"),
                length: exact
                    .unwrap_or(length)
                    .parse()
                    .ok()
                    .map(|limit| (limit, exact.is_some())),
                list: Some(row("codes")).filter(|list| !list.is_empty()),
            };
            record
                .items
                .entry((row("path"), row("tag")))
                .or_insert(item);
        }
        for row in rows(codes) {
            self.codes.insert((row("list"), row("code")));
            self.lists.insert(row("list"));
        }
    }

    /// Whether a code is in a list; a list that is no plain name knows all.
    pub(crate) fn knows(&self, list: &str, code: &str) -> bool {
        !self.lists.contains(list) || self.codes.contains(&(list, code))
    }
}

type Cells = Box<dyn Fn(&str) -> &'static str>;

/// The rows of a table, each as a look-up by column.
fn rows(text: &'static str) -> impl Iterator<Item = Cells> {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines.map(move |line| {
        let columns = columns.clone();
        let cells: Vec<&str> = line.split('\t').collect();
        let look: Cells = Box::new(move |name: &str| {
            let at = columns.iter().position(|column| *column == name);
            at.and_then(|at| cells.get(at).copied()).unwrap_or_default()
        });
        look
    })
}
