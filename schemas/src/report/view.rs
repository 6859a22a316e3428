//! A report for programs, as JSON.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::item::Item;
use super::remark::Remark;
use super::section::Section;
use super::tree::{Report, Unit};
use super::variable::Variable;
use crate::text::Language;

/// A report in one language, ready to be serialized: sections in the reading
/// order with units and items, variables, remarks, and what is unknown.
///
/// An item has `code`, `label`, `kind`, `raw` (as it came), `text` (for a
/// reader), and `number` where it is one.
#[derive(Clone, Copy, Debug)]
pub struct View<'r> {
    report: &'r Report,
    language: Language,
}

impl Report {
    /// The report in a language, for JSON.
    #[must_use]
    pub fn view(&self, language: Language) -> View<'_> {
        View {
            report: self,
            language,
        }
    }
}

/// Serializes an iterator as a sequence.
struct Sequence<F>(F);

impl<F, I> Serialize for Sequence<F>
where
    F: Fn() -> I,
    I: IntoIterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Something of a report in a language.
struct In<T>(T, Language);

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report, language } = *self;
        let sections = report.sections();
        let mut out = serializer.serialize_struct("Report", 7)?;
        out.serialize_field("dictionary", report.dictionary().name())?;
        out.serialize_field("language", &language)?;
        out.serialize_field(
            "sections",
            &Sequence(|| sections.iter().map(|section| In(section, language))),
        )?;
        out.serialize_field(
            "variables",
            &Sequence(|| {
                report
                    .variables()
                    .into_iter()
                    .map(|variable| In(variable, language))
            }),
        )?;
        out.serialize_field(
            "remarks",
            &Sequence(|| report.remarks().iter().map(|remark| In(remark, language))),
        )?;
        out.serialize_field("remarks_left_out", &report.remarks_left_out())?;
        let unknown = || {
            report.unknown().map(|unknown| Foreign {
                path: unknown.path(),
                content: unknown.content(),
            })
        };
        out.serialize_field("unknown", &Sequence(unknown))?;
        out.end()
    }
}

#[derive(serde::Serialize)]
struct Foreign<'r> {
    path: String,
    content: &'r str,
}

impl Serialize for In<&Section<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(section, language) = self;
        let mut out = serializer.serialize_struct("Section", 4)?;
        out.serialize_field("id", section.id)?;
        out.serialize_field("title", &section.title(*language))?;
        out.serialize_field(
            "units",
            &Sequence(|| section.units.iter().map(|unit| In(*unit, *language))),
        )?;
        out.serialize_field(
            "sections",
            &Sequence(|| {
                section
                    .sections
                    .iter()
                    .map(|section| In(section, *language))
            }),
        )?;
        out.end()
    }
}

impl Serialize for In<Unit<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(unit, language) = *self;
        let mut out = serializer.serialize_struct("Unit", 4)?;
        out.serialize_field("code", unit.code())?;
        out.serialize_field("label", unit.label().text(language))?;
        out.serialize_field(
            "items",
            &Sequence(|| unit.items().map(|item| In(item, language))),
        )?;
        out.serialize_field(
            "units",
            &Sequence(|| unit.units().map(|unit| In(unit, language))),
        )?;
        out.end()
    }
}

impl Serialize for In<Item<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(item, language) = *self;
        let text: Cow<'_, str> = item.text(language);
        let number = item.number();
        let fields = 5 + usize::from(number.is_some());
        let mut out = serializer.serialize_struct("Item", fields)?;
        out.serialize_field("code", item.code())?;
        out.serialize_field("label", item.label().text(language))?;
        out.serialize_field("kind", &item.kind())?;
        out.serialize_field("raw", item.raw())?;
        out.serialize_field("text", &text)?;
        match number {
            Some(number) => out.serialize_field("number", &number)?,
            None => out.skip_field("number")?,
        }
        out.end()
    }
}

impl Serialize for In<Variable<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(variable, language) = self;
        let mut out = serializer.serialize_struct("Variable", 6)?;
        out.serialize_field("name", variable.name)?;
        out.serialize_field("kind", variable.kind)?;
        out.serialize_field("label", variable.label.text(*language))?;
        out.serialize_field("value", &variable.value)?;
        out.serialize_field("text", &variable.value.map(|value| value.text(*language)))?;
        out.serialize_field("confidence", &variable.confidence)?;
        out.end()
    }
}

impl Serialize for In<&Remark> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(remark, language) = self;
        let mut out = serializer.serialize_struct("Remark", 3)?;
        out.serialize_field("code", remark.kind.code())?;
        out.serialize_field("path", &remark.path)?;
        out.serialize_field("text", remark.kind.text(*language))?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::decode::tests::{NORMAL, decode};
    use super::*;

    #[test]
    fn json_has_labels_meanings_and_numbers_in_the_language_asked_for() {
        let report = decode(&NORMAL.replacen("<PDA>", "<PDA><NEW>1</NEW>", 1)).unwrap();
        let view = |language| serde_json::to_value(report.view(language)).unwrap();
        let (en, zh) = (view(Language::En), view(Language::Zh));
        let item = |value: &Value| value["sections"][0]["units"][0]["units"][1]["items"][1].clone();
        assert_eq!(item(&en)["text"], "Resident identity card");
        assert_eq!(item(&zh)["text"], "居民身份证");
        assert_eq!(item(&zh)["raw"], "10");
        assert_eq!(item(&zh)["kind"], "code");
        assert_eq!(zh["sections"][1]["title"], "一 个人基本信息");
        assert_eq!(zh["unknown"][0]["path"], "Document/PDA/NEW");
        assert_eq!(zh["unknown"][0]["content"], "<NEW>1</NEW>");
        assert_eq!(en["remarks"][0]["code"], "unknown_element");
        let balance = en["variables"].as_array().unwrap();
        let balance = balance
            .iter()
            .find(|variable| variable["name"] == "total_balance");
        assert_eq!(balance.unwrap()["value"]["amount"], 728_655);
        assert!(en.to_string().contains("\"number\":702500"));
    }
}
