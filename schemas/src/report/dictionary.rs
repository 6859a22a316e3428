//! A report's dictionary, compiled from tables.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::compile::Tables;
use super::value::Kind;
use crate::codes::CodeList;
use crate::text::Label;

/// What the elements of a report are and mean.
///
/// `units.tsv` and `items.tsv` have one row per element. In `items.tsv`,
/// `codes` names a code list, or `A?Item=1|B?Item=2` (by the value of an item),
/// or `A_{Item}` (by the value put into the name). A list with a code in
/// parentheses is open: that row says which standard fills it. `when` says of
/// an item that it comes exactly where another item has one of these values
/// (`Item=A,B`); `counts` names the rows beside it whose number it tells.
#[derive(Debug)]
pub struct Dictionary {
    pub(super) name: String,
    pub(super) elements: Vec<Element>,
    pub(super) lists: Vec<List>,
    pub(super) list_names: BTreeMap<String, u16>,
    pub(super) sections: Vec<SectionRow>,
    pub(super) variables: Vec<VariableRow>,
    pub(super) by_code: BTreeMap<String, u16>,
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
        row: bool,
    },
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
    /// The unit must hold this item with this value.
    pub(super) when: Option<(u16, String)>,
}

/// One row of `variables.tsv`.
#[derive(Debug)]
pub(super) struct VariableRow {
    pub(super) name: String,
    pub(super) zh: String,
    pub(super) en: String,
}

/// The root element of every dictionary.
pub(super) const ROOT: u16 = 0;

impl Dictionary {
    /// A dictionary that is part of the program, by name:
    /// `pboc-query-personal`.
    #[must_use]
    pub fn embedded(name: &str) -> Option<&'static Self> {
        (name == "pboc-query-personal").then_some(&*PERSONAL)
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

const PERSONAL_TABLES: Tables<'static> = Tables {
    units: include_str!("../../pboc-query-personal/units.tsv"),
    items: include_str!("../../pboc-query-personal/items.tsv"),
    codes: include_str!("../../pboc-query-personal/codes.tsv"),
    sections: include_str!("../../pboc-query-personal/sections.tsv"),
    variables: include_str!("../../pboc-query-personal/variables.tsv"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_personal_tables_agree_with_each_other() {
        let dictionary = Dictionary::compile("x", &PERSONAL_TABLES).unwrap();
        let is_item = |element: &&Element| matches!(element.form, Form::Item { .. });
        let items: Vec<_> = dictionary.elements.iter().filter(is_item).collect();
        assert_eq!(items.len(), 353);
        assert_eq!(dictionary.elements.len() - items.len(), 125);
        for element in &dictionary.elements {
            assert!(element.min <= element.max, "{}", element.code);
            if let Form::Unit { children, .. } = &element.form {
                assert!(!children.is_empty(), "{} is empty", element.code);
            }
        }
        let without_list = |item: &&&Element| {
            let Form::Item { kind, choice, .. } = &item.form else {
                return false;
            };
            *kind == Kind::Code && matches!(choice, Choice::None)
        };
        // The one code without a list: numbers that only the annotated object explains.
        let without: Vec<_> = items
            .iter()
            .filter(without_list)
            .map(|item| &item.code)
            .collect();
        assert_eq!(without, ["PG010D02"]);
    }

    #[test]
    fn every_item_stands_in_some_section() {
        let dictionary = Dictionary::embedded("pboc-query-personal").unwrap();
        let shown = |unit: &u16| dictionary.sections.iter().any(|s| s.units.contains(unit));
        for element in &dictionary.elements {
            if matches!(element.form, Form::Item { .. }) {
                let parent = |unit: &u16| (*unit != ROOT).then(|| dictionary.at(*unit).parent);
                let mut above = std::iter::successors(Some(element.parent), parent);
                assert!(above.any(|unit| shown(&unit)), "{}", element.code);
            }
        }
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
