//! Code lists: which codes an item may hold, and what each of them means in both languages.
//!
//! # Promise
//!
//! A list is found by name, a code within it by its exact text. Of two rows of one list with the
//! same code none wins: the table is refused. A later layer replaces a list as a whole.
//!
//! # What is not here
//!
//! Choosing the list: that is a condition in the items table, compiled by the plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::table::{Table, TableError};

/// All code lists of one edition.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    lists: BTreeMap<String, Arc<CodeList>>,
}

/// One code list.
#[derive(Clone, Debug, Default)]
pub struct CodeList {
    /// All text of the list, so that a list costs three allocations and not three for each code.
    text: String,
    /// In the order of the table.
    entries: Vec<[Span; 3]>,
    /// Places in `entries`, sorted by code.
    sorted: Vec<u32>,
    /// The sorted codes as numbers, where all are short enough: they are looked up for every
    /// item of every record.
    packed: Option<Vec<u64>>,
}

/// One code with its meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Meaning<'a> {
    /// The code as it is sent.
    pub code: &'a str,
    /// The meaning in Chinese.
    pub zh: &'a str,
    /// The meaning in English; empty where the sources give none (places, currencies).
    pub en: &'a str,
}

/// Start and end in the text of a list.
type Span = (u32, u32);

impl Codes {
    /// Reads a table with the columns `list`, `code`, `zh`, `en`, and optionally `source` and
    /// `confidence`.
    ///
    /// # Errors
    ///
    /// A malformed table, an empty list name or code, or a code that stands twice in its list.
    pub fn parse(file: &str, text: &str) -> Result<Self, TableError> {
        let table = Table::parse(file, text, &COLUMNS, &["source", "confidence"])?;
        let mut lists: BTreeMap<&str, CodeList> = BTreeMap::new();
        for row in table.rows() {
            let list = lists.entry(row.need("list")?).or_default();
            list.push([row.need("code")?, row.get("zh"), row.get("en")]);
        }
        for (name, list) in &mut lists {
            if let Some(twice) = list.sort() {
                let is_it = |row: &crate::table::Row<'_, '_>| {
                    row.get("list") == *name && row.get("code") == twice
                };
                // The second of the two rows is the one to name; both are in the table.
                if let Some(row) = table.rows().filter(is_it).nth(1) {
                    return Err(row.error("code", format!("stands twice in the list {name}")));
                }
            }
        }
        let shared = |(name, list): (&str, CodeList)| (name.to_owned(), Arc::new(list));
        Ok(Self {
            lists: lists.into_iter().map(shared).collect(),
        })
    }

    /// The list of this name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&CodeList> {
        self.lists.get(name).map(|list| &**list)
    }

    /// The list of this name, to be kept.
    pub(crate) fn shared(&self, name: &str) -> Option<Arc<CodeList>> {
        self.lists.get(name).cloned()
    }

    /// All lists, by name.
    pub fn lists(&self) -> impl Iterator<Item = (&str, &CodeList)> {
        self.lists
            .iter()
            .map(|(name, list)| (name.as_str(), &**list))
    }

    /// Lays `upper` over these lists: a list of the same name is replaced as a whole.
    pub fn overlay(&mut self, upper: Self) {
        self.lists.extend(upper.lists);
    }
}

impl CodeList {
    /// Whether the list has exactly this code.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.find(code).is_some()
    }

    /// What the code means.
    #[must_use]
    pub fn meaning(&self, code: &str) -> Option<Meaning<'_>> {
        self.find(code).map(|place| self.at(place))
    }

    /// All codes in the order of the table.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Meaning<'_>> {
        (0..self.entries.len()).map(|place| self.at(place))
    }

    fn find(&self, code: &str) -> Option<usize> {
        if let Some(all) = &self.packed {
            let at = all.binary_search(&packed(code)?).ok()?;
            return Some(self.sorted[at] as usize);
        }
        let by_code = |&place: &u32| self.slice(self.entries[place as usize][0]).cmp(code);
        self.sorted
            .binary_search_by(by_code)
            .ok()
            .map(|at| self.sorted[at] as usize)
    }

    fn at(&self, place: usize) -> Meaning<'_> {
        let [code, zh, en] = self.entries[place].map(|span| self.slice(span));
        Meaning { code, zh, en }
    }

    fn slice(&self, (start, end): Span) -> &str {
        &self.text[start as usize..end as usize]
    }

    fn push(&mut self, cells: [&str; 3]) {
        let spans = cells.map(|cell| {
            let start = self.text.len() as u32;
            self.text.push_str(cell);
            (start, self.text.len() as u32)
        });
        self.entries.push(spans);
    }

    /// Makes the list searchable; gives a code that stands twice.
    fn sort(&mut self) -> Option<String> {
        let mut sorted: Vec<u32> = (0..self.entries.len() as u32).collect();
        let code = |place: &u32| self.slice(self.entries[*place as usize][0]);
        sorted.sort_by(|a, b| code(a).cmp(code(b)));
        let twice = sorted
            .windows(2)
            .find(|pair| code(&pair[0]) == code(&pair[1]));
        let twice = twice.map(|pair| code(&pair[0]).to_owned());
        self.packed = sorted.iter().map(|place| packed(code(place))).collect();
        self.sorted = sorted;
        twice
    }
}

/// A code of up to seven bytes as a number, in the order of the codes; its length comes last, so
/// that no two codes have one number.
pub(crate) fn packed(code: &str) -> Option<u64> {
    let room = 7_usize.checked_sub(code.len())?;
    // A loop over so few bytes is faster than a call that copies them.
    let number = code
        .bytes()
        .fold(0, |number, b| (number << 8) | u64::from(b));
    Some((number << (8 * room) << 8) | code.len() as u64)
}

const COLUMNS: [&str; 4] = ["list", "code", "zh", "en"];

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "list\tcode\tzh\ten\nSex\t2\t女\tfemale\nSex\t1\t男\tmale\nCy\tCNY\t人民币\t\n";

    #[test]
    fn a_code_is_found_in_its_list_with_both_meanings() {
        let codes = Codes::parse("codes.tsv", TEXT).unwrap();
        let sex = codes.list("Sex").unwrap();
        assert_eq!(
            sex.meaning("1"),
            Some(Meaning {
                code: "1",
                zh: "男",
                en: "male"
            })
        );
        assert!(sex.contains("2") && !sex.contains("3") && !sex.contains(""));
        assert_eq!(
            sex.iter().map(|code| code.code).collect::<Vec<_>>(),
            ["2", "1"]
        );
        assert!(codes.list("Nation").is_none());
    }

    #[test]
    fn short_and_long_codes_are_found_alike() {
        let short = ["1", "11", "110101", "A\0", "A", "中"];
        let long = ["1", "11", "110101", "A", "a long code", "A\0"];
        for codes in [short, long] {
            let mut list = CodeList::default();
            for code in codes {
                list.push([code, "", ""]);
            }
            assert_eq!(list.sort(), None);
            for code in codes {
                assert_eq!(list.meaning(code).map(|found| found.code), Some(code));
            }
            for other in ["", "2", "111", "1101010", "110101000", "B", "中中"] {
                assert!(!list.contains(other), "{other}");
            }
        }
    }

    #[test]
    fn an_overlay_replaces_a_list_as_a_whole() {
        let mut codes = Codes::parse("codes.tsv", TEXT).unwrap();
        codes.overlay(Codes::parse("o.tsv", "list\tcode\tzh\ten\nSex\t9\t未知\t\n").unwrap());
        assert!(!codes.list("Sex").unwrap().contains("1"));
        assert!(codes.list("Cy").unwrap().contains("CNY"));
    }

    #[test]
    fn a_code_that_stands_twice_is_refused_with_its_line() {
        let text = format!("{TEXT}Sex\t1\t甲\t\n");
        let error = Codes::parse("codes.tsv", &text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "codes.tsv, line 5, column code: stands twice in the list Sex"
        );
    }
}
