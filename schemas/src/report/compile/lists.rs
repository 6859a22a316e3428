//! Code lists, and which of them decodes an item.

use std::collections::BTreeMap;

use super::confidence;
use crate::codes::{CodeList, Codes, Meaning};
use crate::report::confidence::Confidence;
use crate::report::dictionary::{Choice, Dictionary, Form, List, ROOT};
use crate::table::{Row, Table, TableError};

impl Dictionary {
    pub(super) fn add_lists(&mut self, text: &str) -> Result<(), TableError> {
        let columns = ["list", "code", "zh", "en"];
        let table = Table::parse("codes.tsv", text, &columns, &super::SOURCES)?;
        let mut least: BTreeMap<&str, Confidence> = BTreeMap::new();
        for row in table.rows() {
            let one = least.entry(row.get("list")).or_insert(Confidence::High);
            *one = confidence(&row)?.min(*one);
        }
        for (name, codes) in Codes::parse("codes.tsv", text)?.lists() {
            let confidence = least.get(name).copied().unwrap_or(Confidence::High);
            self.add_list(name, codes.clone(), confidence, Vec::new());
        }
        Ok(())
    }

    fn add_list(
        &mut self,
        name: &str,
        codes: CodeList,
        confidence: Confidence,
        disputed: Vec<String>,
    ) {
        let place = self.lists.len() as u16;
        self.list_names.insert(name.to_owned(), place);
        let open = codes.iter().any(|code| code.code.starts_with('('));
        self.lists.push(List {
            open,
            codes,
            confidence,
            disputed,
        });
    }

    /// Makes the list `A/B` of two that circulate, where an item asks for it.
    pub(super) fn add_merged(&mut self, row: &Row<'_, '_>) -> Result<(), TableError> {
        let name = row.get("codes");
        let Some((first, second)) = name.split_once('/') else {
            return Ok(());
        };
        if self.list_names.contains_key(name) {
            return Ok(());
        }
        let list = |name: &str| {
            let place = self.list_names.get(name);
            let place = place.ok_or_else(|| row.error("codes", format_args!("no list {name}")))?;
            Ok(&self.lists[usize::from(*place)])
        };
        let (first, second) = (list(first)?, list(second)?);
        let mut text = "list\tcode\tzh\ten\n".to_owned();
        let mut add = |code: &str, zh: &str, en: &str| {
            text += &format!("merged\t{code}\t{zh}\t{en}\n");
        };
        let mut disputed = Vec::new();
        for one in first.codes.iter() {
            match second.codes.meaning(one.code) {
                Some(other) if other.zh != one.zh => {
                    let zh = format!("{} 或 {}", one.zh, other.zh);
                    add(one.code, &zh, &format!("{} or {}", one.en, other.en));
                    disputed.push(one.code.to_owned());
                }
                _ => add(one.code, one.zh, one.en),
            }
        }
        let others = second.codes.iter();
        for other in others.filter(|other| !first.codes.contains(other.code)) {
            add(other.code, other.zh, other.en);
        }
        let confidence = first.confidence.min(second.confidence);
        let merged = Codes::parse("codes.tsv", &text)?;
        let merged = merged.list("merged").cloned().unwrap_or_default();
        self.add_list(name, merged, confidence, disputed);
        Ok(())
    }

    /// Reads the column `codes` of an item; see [`Dictionary`] for its forms.
    pub(super) fn choice(&self, row: &Row<'_, '_>) -> Result<Choice, TableError> {
        let text = row.get("codes");
        let list = |name: &str| {
            let list = self.list_names.get(name).copied();
            list.ok_or_else(|| row.error("codes", format_args!("no list {name}")))
        };
        if let Some((prefix, selector)) = text.split_once('{') {
            let selector = self.need(row, "codes", selector.trim_end_matches('}'))?;
            let case = |value: Meaning<'_>| {
                let list = list(&format!("{prefix}{}", value.code))?;
                Ok((value.code.to_owned(), list))
            };
            return match &self.at(selector).form {
                Form::Item {
                    choice: Choice::List(values),
                    ..
                } => {
                    let values = self.lists[usize::from(*values)].codes.iter();
                    self.by(row, selector, values.map(case).collect::<Result<_, _>>()?)
                }
                _ => Err(row.error("codes", "the item in braces needs a list, in a row above")),
            };
        }
        if text.contains('?') {
            let mut cases = Vec::new();
            let mut selector = ROOT;
            for case in text.split('|') {
                let parts = case.split_once('?');
                let parts = parts.and_then(|(name, test)| Some((name, test.split_once('=')?)));
                let Some((name, (tested, value))) = parts else {
                    return Err(row.error("codes", "must be List?Item=value, parted by |"));
                };
                selector = self.need(row, "codes", tested)?;
                cases.push((value.to_owned(), list(name)?));
            }
            return self.by(row, selector, cases);
        }
        Ok(match text {
            "" => Choice::None,
            name => Choice::List(list(name)?),
        })
    }

    fn by(
        &self,
        row: &Row<'_, '_>,
        selector: u16,
        cases: Vec<(String, u16)>,
    ) -> Result<Choice, TableError> {
        let selector = self.selector(row, selector)?;
        Ok(Choice::By { selector, cases })
    }
}
