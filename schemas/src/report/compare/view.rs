//! A comparison for readers: JSON for programs, plain text for people.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use zeroize::Zeroizing;

use super::{Change, Comparison, Difference};
use crate::report::item::Item;
use crate::report::tree::Unit;
use crate::text::Language;

/// A comparison in one language, ready to be serialized. A change has `area`,
/// `kind`, `what` (its heading), paths, and the values that differ.
#[derive(Clone, Copy, Debug)]
pub struct ComparisonView<'c> {
    comparison: &'c Comparison<'c>,
    language: Language,
}

impl Comparison<'_> {
    /// The comparison in a language, for JSON.
    #[must_use]
    pub fn view(&self, language: Language) -> ComparisonView<'_> {
        ComparisonView {
            comparison: self,
            language,
        }
    }

    /// The comparison as plain text. Control characters are blanks in it.
    #[must_use]
    pub fn render(&self, language: Language) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        let mut area = None;
        for change in &self.changes {
            if area != Some(change.area) {
                area = Some(change.area);
                line(&mut out, 0, change.area.label().text(language));
            }
            let likely = match (change.likely, language) {
                (false, _) => "",
                (true, Language::En) => " (likely the same)",
                (true, Language::Zh) => "（可能为同一项）",
            };
            let kind = change.kind.label().text(language);
            let what = heading(change, language);
            line(&mut out, 1, &format!("[{kind}] {what}{likely}"));
            for difference in &change.differences {
                line(&mut out, 2, &told(difference, language));
            }
        }
        if self.changes.is_empty() {
            let none = match language {
                Language::En => "No change.",
                Language::Zh => "没有变化。",
            };
            line(&mut out, 0, none);
        }
        for area in &self.untold {
            let area = area.label().text(language);
            let text = match language {
                Language::En => format!("{area}: such reports do not tell"),
                Language::Zh => format!("{area}：此类报告不含该内容，未比较"),
            };
            line(&mut out, 0, &text);
        }
        out
    }
}

/// What changed: label of the unit and the values that tell it from others.
fn heading(change: &Change<'_>, language: Language) -> String {
    let Some(unit) = change.after.or(change.before) else {
        return String::new();
    };
    let dictionary = unit.report.dictionary();
    let row = dictionary.areas.iter().find(|row| {
        let fits = |unit: Unit<'_>| row.only.iter().all(|test| unit.passes(test));
        dictionary.at(row.unit).code == unit.code() && fits(unit)
    });
    let mut parts = vec![unit.label().text(language).to_owned()];
    if let Some(row) = row {
        let items = row.key.iter().chain(&row.hints);
        let items = items.filter_map(|item| unit.filled(*item));
        parts.extend(items.map(|item| item.text(language).into_owned()));
    }
    parts.join(" · ")
}

fn told(difference: &Difference<'_>, language: Language) -> String {
    let text = |item: Item<'_>| item.text(language).into_owned();
    let before = difference.before.map_or_else(|| "–".to_owned(), text);
    let label = difference.label.text(language);
    let arrow = match difference.direction {
        super::Direction::Better => "↓",
        super::Direction::Neither => "·",
        super::Direction::Worse => "↑",
    };
    format!("{arrow} {label}: {before} → {}", text(difference.after))
}

fn line(out: &mut String, depth: usize, text: &str) {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    out.extend(std::iter::repeat_n("  ", depth));
    out.extend(text.chars().map(plain));
    out.push('\n');
}

/// Something of a comparison in a language.
struct In<T>(T, Language);

impl Serialize for ComparisonView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            comparison,
            language,
        } = *self;
        let changes: Vec<_> = comparison
            .changes
            .iter()
            .map(|one| In(one, language))
            .collect();
        let untold: Vec<_> = comparison.untold.iter().map(|area| area.code()).collect();
        let mut out = serializer.serialize_struct("Comparison", 3)?;
        out.serialize_field("language", &language)?;
        out.serialize_field("changes", &changes)?;
        out.serialize_field("untold", &untold)?;
        out.end()
    }
}

impl Serialize for In<&Change<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(change, language) = *self;
        let differences = change.differences.iter().map(|one| In(one, language));
        let mut out = serializer.serialize_struct("Change", 7)?;
        out.serialize_field("area", change.area.code())?;
        out.serialize_field("kind", change.kind.code())?;
        out.serialize_field("what", &heading(change, language))?;
        out.serialize_field("before", &change.before.map(Unit::path))?;
        out.serialize_field("after", &change.after.map(Unit::path))?;
        out.serialize_field("likely", &change.likely)?;
        out.serialize_field("differences", &differences.collect::<Vec<_>>())?;
        out.end()
    }
}

impl Serialize for In<&Difference<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(difference, language) = *self;
        let text = |item: Item<'_>| item.text(language).into_owned();
        let mut out = serializer.serialize_struct("Difference", 5)?;
        out.serialize_field("code", difference.after.code())?;
        out.serialize_field("label", difference.label.text(language))?;
        out.serialize_field("before", &difference.before.map(text))?;
        out.serialize_field("after", &text(difference.after))?;
        out.serialize_field("direction", difference.direction.code())?;
        out.end()
    }
}
