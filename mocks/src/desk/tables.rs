//! The format tables, as a bureau's clerk would read them: which tags there
//! are, when each must be there and filled, how long it may be, which codes
//! exist, and the rules between them. What the texts forbid and the centre lets
//! pass (`~` before a code) the clerk lets pass, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use super::condition::{self, Expr};

/// An element: node 0 is the record itself.
#[derive(Debug)]
pub(crate) struct Node {
    /// From the record element, `/` between.
    pub(crate) path: String,
    pub(crate) tag: &'static str,
    pub(crate) parent: usize,
    /// The group it is repeated with, 0 for none.
    pub(crate) within: usize,
    /// Its place among the nodes of the record, or of an entry of that group.
    pub(crate) place: usize,
    pub(crate) children: Vec<usize>,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Item(Item),
    Segment(Segment),
}

/// One item.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) kind: &'static str,
    /// The largest number of characters, and whether it is the only one.
    pub(crate) length: Option<(usize, bool)>,
    pub(crate) lists: Lists,
    /// The code for a wrong kind, length or list.
    pub(crate) bad: &'static str,
    pub(crate) there: Vec<Condition>,
    pub(crate) barred: Vec<Condition>,
    pub(crate) filled: Vec<Condition>,
}

/// Which list a value must be in.
#[derive(Debug, Default)]
pub(crate) enum Lists {
    #[default]
    None,
    Any(Vec<&'static str>),
    /// The first whose condition holds.
    First(Vec<(Option<Expr>, &'static str)>),
    /// `prefix.` and the value of that node.
    Under(&'static str, usize),
}

/// One segment or group.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(crate) repeats: bool,
    pub(crate) most: usize,
    /// The item beside it that says how often it stands there.
    pub(crate) counter: Option<usize>,
    pub(crate) required: Vec<Condition>,
    pub(crate) forbidden: Vec<Condition>,
}

/// When, and the code that it costs.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) when: Expr,
    pub(crate) code: &'static str,
}

/// A rule between items.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) when: Expr,
    pub(crate) must: Expr,
    pub(crate) code: &'static str,
    pub(crate) tag: &'static str,
}

/// One record type.
#[derive(Debug)]
pub(crate) struct RecordType {
    pub(crate) nodes: Vec<Node>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) codes: &'static Codes,
    /// The list whose codes begin a passport number.
    pub(crate) countries: &'static str,
    /// How many nodes the record has outside of groups, by group how many an entry has.
    pub(crate) places: BTreeMap<usize, usize>,
}

/// Pairs of list and code.
pub(crate) type Codes = BTreeSet<(&'static str, &'static str)>;

/// All record types, by code.
pub(crate) fn tables() -> &'static BTreeMap<&'static str, RecordType> {
    static TABLES: LazyLock<BTreeMap<&'static str, RecordType>> = LazyLock::new(|| {
        let mut all = BTreeMap::new();
        // 511 and 514 stand in both, alike.
        for edition in [ENTERPRISE, PERSONAL] {
            all.extend(edition.read());
        }
        all
    });
    &TABLES
}

struct Edition {
    records: &'static str,
    segments: &'static str,
    items: &'static str,
    rules: &'static str,
    codes: &'static str,
    countries: &'static str,
}

macro_rules! edition {
    ($folder:literal, $countries:literal) => {
        Edition {
            records: table!($folder, "records"),
            segments: table!($folder, "segments"),
            items: table!($folder, "items"),
            rules: table!($folder, "rules"),
            codes: table!($folder, "codes"),
            countries: $countries,
        }
    };
}

macro_rules! table {
    ($folder:literal, $name:literal) => {
        include_str!(concat!(
            "../../../schemas/pboc-submit-",
            $folder,
            "/2020-01-19/",
            $name,
            ".tsv"
        ))
    };
}

const ENTERPRISE: Edition = edition!("enterprise", "EntNation");
const PERSONAL: Edition = edition!("personal", "Nation");

impl Edition {
    fn read(&self) -> BTreeMap<&'static str, RecordType> {
        let codes = rows(self.codes).map(|row| (row["list"], row["code"]));
        // Read once and kept for as long as the process lasts.
        let codes: &'static Codes = Box::leak(Box::new(codes.collect()));
        let [segments, items, rules] =
            [self.segments, self.items, self.rules].map(|text| rows(text).collect::<Vec<_>>());
        let mut found = BTreeMap::new();
        for row in rows(self.records) {
            let code = row["code"];
            let mine = |all: &'_ [Cells]| -> Vec<Cells> {
                all.iter()
                    .filter(|it| it["record"] == code)
                    .cloned()
                    .collect()
            };
            let mut kind = RecordType {
                nodes: vec![node(
                    String::new(),
                    row["element"],
                    0,
                    What::Segment(Segment::default()),
                )],
                rules: Vec::new(),
                codes,
                countries: self.countries,
                places: BTreeMap::from([(0, 1)]),
            };
            let (segments, items) = (mine(&segments), mine(&items));
            segments.iter().for_each(|row| kind.segment(row));
            items.iter().for_each(|row| kind.item(row));
            segments.iter().for_each(|row| kind.segment_conditions(row));
            items.iter().for_each(|row| kind.item_conditions(row));
            for row in mine(&rules) {
                if row["code"].starts_with('~') {
                    continue;
                }
                let when = match row["when"] {
                    "" => Expr::Always,
                    text => kind.condition(text, 0),
                };
                let rule = Rule {
                    when,
                    must: kind.condition(row["must"], 0),
                    code: row["code"],
                    tag: row["tags"],
                };
                kind.rules.push(rule);
            }
            found.insert(row["code"], kind);
        }
        found
    }
}

impl RecordType {
    /// The element of this tag inside a node.
    pub(crate) fn child(&self, node: usize, tag: &str) -> Option<usize> {
        let children = self.nodes[node].children.iter().copied();
        { children }.find(|child| self.nodes[*child].tag == tag)
    }

    /// The element at a path from the record, `.` being the record.
    pub(crate) fn at(&self, path: &str) -> Option<usize> {
        if path == "." {
            return Some(0);
        }
        path.split('/')
            .try_fold(0, |node, tag| self.child(node, tag))
    }

    fn add(&mut self, path: &str, tag: &'static str, what: What) -> usize {
        let at = self.at(path);
        let parent = at.unwrap_or_else(|| panic!("no segment {path}"));
        let full = if parent == 0 {
            tag.to_owned()
        } else {
            format!("{path}/{tag}")
        };
        let mut node = node(full, tag, parent, what);
        node.within = match &self.nodes[parent].what {
            What::Segment(segment) if segment.repeats => parent,
            _ => self.nodes[parent].within,
        };
        let places = self.places.entry(node.within).or_default();
        node.place = *places;
        *places += 1;
        self.nodes.push(node);
        let index = self.nodes.len() - 1;
        self.nodes[parent].children.push(index);
        index
    }

    fn segment(&mut self, row: &Cells) {
        // Further rows of a segment leave the number empty.
        if row["max"].is_empty() {
            return;
        }
        let (above, tag) = row["path"].rsplit_once('/').unwrap_or((".", row["path"]));
        let segment = Segment {
            repeats: row["max"] != "1",
            most: row["max"].parse().unwrap_or(usize::MAX),
            ..Segment::default()
        };
        self.add(above, tag, What::Segment(segment));
    }

    fn item(&mut self, row: &Cells) {
        let parent = self.at(row["path"]);
        if parent.is_some_and(|parent| self.child(parent, row["tag"]).is_some()) {
            return;
        }
        let exact = row["length"].strip_prefix('=');
        let limit = exact.unwrap_or(row["length"]).parse().ok();
        let item = Item {
            kind: row["kind"],
            length: limit.map(|limit| (limit, exact.is_some())),
            bad: row["type_code"],
            ..Item::default()
        };
        self.add(row["path"], row["tag"], What::Item(item));
    }

    fn segment_conditions(&mut self, row: &Cells) {
        let Some(at) = self.at(row["path"]) else {
            return;
        };
        let parent = self.nodes[at].parent;
        let required = self.costs(row, "required", parent);
        let forbidden = self.costs(row, "forbidden", parent);
        let counter = self.child(parent, row["counter"]);
        if let What::Segment(segment) = &mut self.nodes[at].what {
            segment.required.extend(required);
            segment.forbidden.extend(forbidden);
            segment.counter = segment.counter.or(counter);
        }
    }

    fn item_conditions(&mut self, row: &Cells) {
        let Some(parent) = self.at(row["path"]) else {
            return;
        };
        let Some(at) = self.child(parent, row["tag"]) else {
            return;
        };
        let there = self.costs(row, "tag", parent);
        let barred = self.costs(row, "tag_forbidden", parent);
        let filled = self.costs(row, "value", parent);
        let lists = self.lists(row["codes"], parent);
        if let What::Item(item) = &mut self.nodes[at].what {
            item.there.extend(there);
            item.barred.extend(barred);
            item.filled.extend(filled);
            if !matches!(lists, Lists::None) {
                item.lists = lists;
            }
        }
    }

    fn lists(&self, text: &'static str, here: usize) -> Lists {
        if text.is_empty() {
            return Lists::None;
        }
        if let Some((prefix, tag)) = text.split_once(".{") {
            let tag = self.child(here, tag.trim_end_matches('}'));
            return tag.map_or(Lists::None, |tag| Lists::Under(prefix, tag));
        }
        if !text.contains('?') {
            return Lists::Any(text.split('|').collect());
        }
        let choices = text.split('|').map(|part| match part.split_once('?') {
            Some((list, when)) => (Some(self.condition(when, here)), list),
            None => (None, part),
        });
        Lists::First(choices.collect())
    }

    fn costs(&self, row: &Cells, what: &str, here: usize) -> Option<Condition> {
        let (when, code) = (row[&*format!("{what}_when")], row[&*format!("{what}_code")]);
        if code.is_empty() || code.starts_with('~') {
            return None;
        }
        let when = self.condition(when, here);
        Some(Condition { when, code })
    }

    fn condition(&self, text: &'static str, here: usize) -> Expr {
        let names = |here: usize, word: &str| {
            let near = self.child(here, word);
            near.or_else(|| {
                word.split('.')
                    .try_fold(0, |node, tag| self.child(node, tag))
            })
        };
        condition::read(text, here, &names)
    }
}

fn node(path: String, tag: &'static str, parent: usize, what: What) -> Node {
    Node {
        path,
        tag,
        parent,
        within: 0,
        place: 0,
        children: Vec::new(),
        what,
    }
}

type Cells = BTreeMap<&'static str, &'static str>;

/// The rows of a table, each as a look-up by column.
fn rows(text: &'static str) -> impl Iterator<Item = Cells> {
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines.map(move |line| {
        let cells = line.split('\t').chain(std::iter::repeat(""));
        columns.iter().copied().zip(cells).collect()
    })
}
