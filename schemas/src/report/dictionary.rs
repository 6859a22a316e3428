//! A report's dictionary, compiled from tables.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::compile::Tables;
use super::confidence::Confidence;
use super::value::Kind;
use crate::codes::CodeList;
use crate::text::Label;

/// What the elements of a report are and mean.
///
/// `units.tsv` and `items.tsv` have one row per element. In `items.tsv`,
/// `length` is `*` where no source tells it; `codes` names a code list, or two
/// that circulate (`A/B`: a code that both explain otherwise gets both
/// meanings), or `A?Item=1|B?Item=2` (by the value of an item), or `A_{Item}`
/// (by the value put into the name). A list with a code in parentheses is open:
/// that row says which standard fills it, or that nothing public does. `when`
/// says of an item that it comes exactly where another item has one of these
/// values (`Item=A,B`); `counts` names the rows beside it whose number it
/// tells. `head.tsv` says which items name the report and its subject, and what
/// a reader has to know; `sections.tsv` the reading order; `comparison.tsv`
/// what is compared, see [`Comparison`](super::Comparison).
#[derive(Debug)]
pub struct Dictionary {
    pub(super) name: String,
    pub(super) elements: Vec<Element>,
    pub(super) lists: Vec<List>,
    pub(super) list_names: BTreeMap<String, u16>,
    pub(super) head: Head,
    pub(super) sections: Vec<SectionRow>,
    pub(super) variables: Vec<VariableRow>,
    pub(super) areas: Vec<AreaRow>,
    pub(super) by_code: BTreeMap<String, u16>,
}

/// What names a report and its subject: codes of items.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) made: u16,
    pub(super) number: u16,
    pub(super) name: u16,
    /// Kind and number of the identity that was asked for, where it is told.
    pub(super) subject: Option<[u16; 2]>,
    /// Kind and number of what else identifies the subject, in one unit each.
    pub(super) ids: Vec<[u16; 2]>,
    /// What such a report is called, in Chinese and in English.
    pub(super) title: (String, String),
    /// For people: in Chinese and in English.
    pub(super) notes: Vec<(String, String)>,
}

/// A unit or an item.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) code: String,
    pub(super) parent: u16,
    pub(super) order: u16,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) confidence: Confidence,
    pub(super) form: Form,
}

/// What an element holds.
#[derive(Debug)]
pub(super) enum Form {
    /// A value of up to `length` characters.
    Item {
        kind: Kind,
        length: usize,
        choice: Choice,
        when: Option<When>,
    },
    /// Other elements, items first, each in its order.
    Unit {
        children: Vec<u16>,
        /// Items here, and the elements here whose number they tell.
        counters: Vec<(u16, u16)>,
        level: Level,
    },
}

/// What a unit is in the report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Level {
    /// A row of a table whose first two items are its two sides.
    Cross,
    /// A month of a grid: the month, its mark, and perhaps an amount.
    Month,
    /// Anything that holds units or items of its own.
    Plain,
    /// A row of a table inside its unit.
    Row,
}

/// The way to the item on which another one depends: each step a child of the
/// one before, from the nearest unit that holds both.
#[derive(Debug)]
pub(super) struct Selector {
    pub(super) within: u16,
    pub(super) path: Vec<u16>,
}

/// Where an item comes: exactly where the selected item has one of the values.
#[derive(Debug)]
pub(super) struct When {
    pub(super) selector: Selector,
    pub(super) values: Vec<String>,
}

/// Which code list decodes an item.
#[derive(Debug)]
pub(super) enum Choice {
    None,
    List(u16),
    /// By the value of another item.
    By {
        selector: Selector,
        cases: Vec<(String, u16)>,
    },
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) codes: CodeList,
    /// Some standard fills it: an unlisted code is nothing to remark.
    pub(super) open: bool,
    /// The least sure of its rows.
    pub(super) confidence: Confidence,
    /// Codes that two lists explain otherwise.
    pub(super) disputed: Vec<String>,
}

/// One row of `sections.tsv`.
#[derive(Debug)]
pub(super) struct SectionRow {
    pub(super) id: String,
    pub(super) parent: Option<usize>,
    pub(super) numbered: bool,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) units: Vec<u16>,
    /// All of them must hold of the unit.
    pub(super) when: Vec<Test>,
}

/// What an item of a unit must be like: `Item=A,B`, `Item!=A,B`, `Item=*` (it
/// says something).
#[derive(Debug)]
pub(super) struct Test {
    pub(super) item: u16,
    pub(super) holds: bool,
    /// Without any: whether the item says something.
    pub(super) values: Vec<String>,
}

/// One row of `variables.tsv`.
#[derive(Debug)]
pub(super) struct VariableRow {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) confidence: Confidence,
}

/// One row of `comparison.tsv`.
#[derive(Debug)]
pub(super) struct AreaRow {
    pub(super) area: super::compare::Area,
    pub(super) unit: u16,
    pub(super) only: Vec<Test>,
    /// What tells one from another, and does not change.
    pub(super) key: Vec<u16>,
    /// What helps to tell, but may change: masks of institutions.
    pub(super) hints: Vec<u16>,
    /// All of them hold of what is closed; nothing closes without any.
    pub(super) closed: Vec<Test>,
    /// Whether it tells something when it is no longer shown.
    pub(super) leaves: bool,
    pub(super) measures: Vec<super::compare::Measure>,
}

/// The root element of every dictionary.
pub(super) const ROOT: u16 = 0;

impl Dictionary {
    /// A dictionary that is part of the program, by name:
    /// `pboc-query-personal`, `pboc-query-enterprise`.
    #[must_use]
    pub fn embedded(name: &str) -> Option<&'static Self> {
        match name {
            "pboc-query-enterprise" => Some(&ENTERPRISE),
            "pboc-query-personal" => Some(&PERSONAL),
            _ => None,
        }
    }

    /// All dictionaries that are part of the program.
    #[must_use]
    pub fn all() -> [&'static Self; 2] {
        [&PERSONAL, &ENTERPRISE]
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The code list of this name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&CodeList> {
        let place = self.list_names.get(name)?;
        Some(&self.lists[usize::from(*place)].codes)
    }

    /// Label of an element by its code.
    #[must_use]
    pub fn label(&self, code: &str) -> Option<Label<'_>> {
        self.find(code).map(|element| self.at(element).label())
    }

    pub(super) fn find(&self, code: &str) -> Option<u16> {
        self.by_code.get(code).copied()
    }

    pub(super) fn at(&self, element: u16) -> &Element {
        &self.elements[usize::from(element)]
    }

    /// The child of `unit` with this name. Reports come in order, so the search
    /// starts where the last one ended; `hint` is that place.
    pub(super) fn child(&self, unit: u16, name: &str, hint: &mut usize) -> Option<u16> {
        let Form::Unit { children, .. } = &self.at(unit).form else {
            return None;
        };
        let start = (*hint).min(children.len());
        let (before, after) = children.split_at(start);
        let is_it = |child: &&u16| self.at(**child).code == name;
        let found = after
            .iter()
            .chain(before)
            .enumerate()
            .find(|(_, child)| is_it(child));
        let (steps, child) = found?;
        *hint = (start + steps) % children.len();
        Some(*child)
    }
}

impl Element {
    pub(super) fn label(&self) -> Label<'_> {
        Label {
            zh: &self.zh,
            en: &self.en,
        }
    }
}

static PERSONAL: LazyLock<Dictionary> = LazyLock::new(|| {
    // The tables are part of the program, and a test compiles them.
    Dictionary::compile("pboc-query-personal", &PERSONAL_TABLES).expect("pboc-query-personal")
});

static ENTERPRISE: LazyLock<Dictionary> = LazyLock::new(|| {
    // As above.
    Dictionary::compile("pboc-query-enterprise", &ENTERPRISE_TABLES).expect("pboc-query-enterprise")
});

const PERSONAL_TABLES: Tables<'static> = Tables {
    units: include_str!("../../pboc-query-personal/units.tsv"),
    items: include_str!("../../pboc-query-personal/items.tsv"),
    codes: include_str!("../../pboc-query-personal/codes.tsv"),
    head: include_str!("../../pboc-query-personal/head.tsv"),
    sections: include_str!("../../pboc-query-personal/sections.tsv"),
    variables: include_str!("../../pboc-query-personal/variables.tsv"),
    comparison: include_str!("../../pboc-query-personal/comparison.tsv"),
};

const ENTERPRISE_TABLES: Tables<'static> = Tables {
    units: include_str!("../../pboc-query-enterprise/units.tsv"),
    items: include_str!("../../pboc-query-enterprise/items.tsv"),
    codes: include_str!("../../pboc-query-enterprise/codes.tsv"),
    head: include_str!("../../pboc-query-enterprise/head.tsv"),
    sections: include_str!("../../pboc-query-enterprise/sections.tsv"),
    variables: include_str!("../../pboc-query-enterprise/variables.tsv"),
    comparison: include_str!("../../pboc-query-enterprise/comparison.tsv"),
};

#[cfg(test)]
mod tests {
    use super::*;

    fn items(dictionary: &Dictionary) -> Vec<&Element> {
        let is_item = |element: &&Element| matches!(element.form, Form::Item { .. });
        dictionary.elements.iter().filter(is_item).collect()
    }

    /// What the sources call elements are the items; units stand around them.
    #[test]
    fn every_element_of_both_reports_is_there() {
        let cases = [
            ("personal", &PERSONAL_TABLES, 353, 125, &["PG010D02"][..]),
            ("enterprise", &ENTERPRISE_TABLES, 978, 128, &[]),
        ];
        for (name, tables, expected_items, expected_units, expected_without) in cases {
            let dictionary = Dictionary::compile("x", tables).unwrap();
            let items = items(&dictionary);
            assert_eq!(items.len(), expected_items, "{name}");
            let units = dictionary.elements.len() - items.len();
            assert_eq!(units, expected_units, "{name}");
            for element in &dictionary.elements {
                assert!(element.min <= element.max, "{}", element.code);
                assert!(!element.zh.is_empty(), "{}", element.code);
                if let Form::Unit { children, .. } = &element.form {
                    assert!(!children.is_empty(), "{} is empty", element.code);
                }
            }
            // A code without a list: a number that only the annotated object explains.
            let without_list = |item: &&Element| {
                let Form::Item { kind, choice, .. } = &item.form else {
                    return false;
                };
                *kind == Kind::Code && matches!(choice, Choice::None)
            };
            let without = items.into_iter().filter(without_list);
            let without: Vec<_> = without.map(|item| &*item.code).collect();
            assert_eq!(without, expected_without, "{name}");
        }
    }

    #[test]
    fn every_item_stands_in_some_section() {
        for dictionary in Dictionary::all() {
            let shown = |unit: &u16| dictionary.sections.iter().any(|s| s.units.contains(unit));
            for element in items(dictionary) {
                let parent = |unit: &u16| (*unit != ROOT).then(|| dictionary.at(*unit).parent);
                let mut above = std::iter::successors(Some(element.parent), parent);
                assert!(above.any(|unit| shown(&unit)), "{}", element.code);
            }
        }
    }

    #[test]
    fn a_code_that_two_lists_explain_otherwise_gets_both_meanings() {
        let dictionary = Dictionary::embedded("pboc-query-enterprise").unwrap();
        let statement = dictionary.list("2066/2066-P").unwrap();
        let meaning = |code| statement.meaning(code).unwrap();
        assert_eq!(meaning("1").zh, "数据提供机构说明 或 异议标注");
        assert_eq!(
            meaning("1").en,
            "Statement of the data provider or Objection mark"
        );
        assert_eq!(meaning("5").zh, "征信中心说明");
        let reason = dictionary.list("2004/2004-B").unwrap();
        assert_eq!(reason.meaning("01").unwrap().zh, "贷前（保前）审查");
        assert_eq!(reason.meaning("10").unwrap().zh, "贷前审查");
    }

    #[test]
    fn an_element_is_found_from_any_hint() {
        let dictionary = Dictionary::embedded("pboc-query-personal").unwrap();
        let unit = dictionary.find("PD01A").unwrap();
        for mut hint in 0..30 {
            let found = dictionary.child(unit, "PD01AD04", &mut hint).unwrap();
            assert_eq!(dictionary.at(found).code, "PD01AD04");
            let next = dictionary.child(unit, "PD01AJ01", &mut hint).unwrap();
            assert_eq!(dictionary.at(next).code, "PD01AJ01");
            assert!(dictionary.child(unit, "PD01AX99", &mut hint).is_none());
        }
    }
}
