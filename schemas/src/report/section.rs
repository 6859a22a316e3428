//! A report in the order in which loan officers read it.

use super::dictionary::Form;
use super::tree::{Report, Unit};
use super::value;
use crate::text::{Label, Language};

/// A part of the report with something in it.
#[derive(Debug)]
pub struct Section<'r> {
    /// Stable name: `cards`.
    pub id: &'static str,
    /// Title without its number.
    pub label: Label<'static>,
    /// Number among its neighbors that are there; 0 for one without a number.
    pub number: usize,
    /// Number of the section above it, or 0.
    pub above: usize,
    /// Its units, whole.
    pub units: Vec<Unit<'r>>,
    /// The sections inside it.
    pub sections: Vec<Section<'r>>,
}

impl Section<'_> {
    /// Number and title: `一 个人基本信息`, `（一）身份信息`; `1 Personal
    /// information`, `1.1 Identity`.
    #[must_use]
    pub fn title(&self, language: Language) -> String {
        let label = self.label.text(language);
        match (language, self.number, self.above) {
            (_, 0, _) => label.to_owned(),
            (Language::En, number, 0) => format!("{number} {label}"),
            (Language::En, number, above) => format!("{above}.{number} {label}"),
            (Language::Zh, number, 0) => format!("{} {label}", numeral(number)),
            (Language::Zh, number, _) => format!("（{}）{label}", numeral(number)),
        }
    }
}

impl Report {
    /// Sections that have something in them, numbered as the bureau's page
    /// numbers them: by what is there. What no section takes stands in a last
    /// one, `other`, so that nothing that came is hidden.
    #[must_use]
    pub fn sections(&self) -> Vec<Section<'_>> {
        let dictionary = self.dictionary;
        let rows = &dictionary.sections;
        let mut wanted = vec![Vec::new(); dictionary.elements.len()];
        for (place, row) in rows.iter().enumerate() {
            for unit in &row.units {
                wanted[usize::from(*unit)].push(place);
            }
        }
        let mut units: Vec<Vec<Unit<'_>>> = vec![Vec::new(); rows.len()];
        let mut taken = vec![false; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            let unit = Unit {
                report: self,
                index,
            };
            for place in &wanted[usize::from(node.element)] {
                let fits = rows[*place].when.iter().all(|test| unit.passes(test));
                if fits && unit.is_filled() {
                    units[*place].push(unit);
                    taken[index..node.end as usize].fill(true);
                }
            }
        }
        let mut below: Vec<Vec<Section<'_>>> = rows.iter().map(|_| Vec::new()).collect();
        let mut top = vec![self.other(&taken)];
        for (place, row) in rows.iter().enumerate().rev() {
            let mut section = Section {
                id: &row.id,
                label: Label {
                    zh: &row.zh,
                    en: &row.en,
                },
                number: usize::from(row.numbered),
                above: 0,
                units: std::mem::take(&mut units[place]),
                sections: std::mem::take(&mut below[place]),
            };
            section.sections.reverse();
            match row.parent {
                _ if section.units.is_empty() && section.sections.is_empty() => {}
                Some(parent) => below[parent].push(section),
                None => top.push(section),
            }
        }
        top.reverse();
        top.retain(|section| !section.units.is_empty() || !section.sections.is_empty());
        number(&mut top, 0);
        top
    }

    /// Units with a filled item that no section took.
    fn other(&self, taken: &[bool]) -> Section<'_> {
        let mut units: Vec<Unit<'_>> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let is_item = matches!(self.element(index).form, Form::Item { .. });
            if is_item && !taken[index] && value::says_something(self.text(node.value)) {
                let parent = node.parent as usize;
                if units.last().is_none_or(|unit| unit.index != parent) {
                    units.push(Unit {
                        report: self,
                        index: parent,
                    });
                }
            }
        }
        Section {
            id: "other",
            label: Label {
                zh: "其他内容",
                en: "Other content",
            },
            number: 0,
            above: 0,
            units,
            sections: Vec::new(),
        }
    }
}

/// Counts the numbered ones; `number` is 1 for those until now.
fn number(sections: &mut [Section<'_>], above: usize) {
    let mut count = 0;
    for section in sections {
        count += section.number;
        section.number *= count;
        section.above = above;
        number(&mut section.sections, section.number);
    }
}

/// A Chinese numeral below twenty.
fn numeral(number: usize) -> String {
    let digits = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    match number {
        1..=9 => digits[number].to_owned(),
        10..=19 => format!("十{}", digits[number - 10]),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::tests::{NEGATIVE, NORMAL, THIN, decode};
    use super::*;

    fn titles(xml: &str, language: Language) -> Vec<String> {
        let report = decode(xml).unwrap();
        let with_inner = |section: &Section<'_>| {
            let inner = section
                .sections
                .iter()
                .map(|section| section.title(language));
            std::iter::once(section.title(language))
                .chain(inner)
                .collect::<Vec<_>>()
        };
        report.sections().iter().flat_map(with_inner).collect()
    }

    #[test]
    fn sections_are_numbered_by_what_is_there() {
        let expected = [
            "报告头",
            "一 个人基本信息",
            "（一）身份信息",
            "（二）婚姻及配偶信息",
            "（三）居住信息",
            "二 信息概要",
            "（一）查询记录概要",
        ];
        assert_eq!(titles(THIN, Language::Zh), expected);
        let negative = titles(NEGATIVE, Language::En);
        for title in [
            "3 Credit transactions in detail",
            "3.1 Claims being recovered",
            "3.6 Quasi credit card accounts",
        ] {
            assert!(
                negative.iter().any(|t| t == title),
                "{title} in {negative:?}"
            );
        }
        assert!(
            !titles(NORMAL, Language::En)
                .iter()
                .any(|title| title.contains("recovered"))
        );
    }

    #[test]
    fn what_no_section_takes_stands_in_the_last_one() {
        let xml = NORMAL.replacen("<PD01AD01>D1<", "<PD01AD01>Q9<", 1);
        let report = decode(&xml).unwrap();
        let sections = report.sections();
        let other = sections.last().unwrap();
        assert_eq!(other.id, "other");
        assert!(
            other
                .units
                .iter()
                .all(|unit| unit.path().contains("PD01[1]"))
        );
        assert!(other.units.iter().any(|unit| unit.code() == "PD01A"));
        let normal = decode(NORMAL).unwrap();
        assert!(
            normal
                .sections()
                .iter()
                .all(|section| section.id != "other")
        );
    }
}
