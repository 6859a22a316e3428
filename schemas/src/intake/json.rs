//! One line of JSON Lines as a record.

mod walk;

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::finding::{Fault, cannot_stand, character, path_of};
use super::name::{kind, stray};
use super::{Corrects, MOST_BYTES, Meta, Taken};
use crate::edition::Edition;
use crate::plan::{NodeId, RecordPlan};
use crate::record::{Place, Record};
use crate::validate::Finding;
use walk::Inside;

/// Reads a line.
pub(super) fn read<'e>(edition: &'e Edition, line: &[u8]) -> Result<Taken<'e>, Vec<Finding>> {
    let line = text(line)?;
    let outer: Outer<'_> =
        serde_json::from_str(line).map_err(|error| vec![broken("", line, &error)])?;
    let Some(code) = outer.record.as_deref() else {
        let (zh, en) = (
            "缺少record：应为记录类型，如\"210\"",
            "record is missing: a record type such as \"210\" should stand there",
        );
        return Err(vec![Fault::RecordUnknown.whole("", zh, en)]);
    };
    let Some(plan) = edition.plan(code) else {
        let (zh, en) = (
            "record不是本版本的记录类型",
            "record is no record type of this edition",
        );
        return Err(vec![Fault::RecordUnknown.whole("", zh, en)]);
    };
    if edition.is_off(code) {
        return Err(vec![Fault::off(code)]);
    }
    let mut reader = Reader {
        edition,
        plan,
        record: plan.new_record(),
        within: Vec::new(),
        findings: Vec::new(),
    };
    let meta = reader.meta(&outer);
    match outer.data {
        Some(data) if data.get().starts_with('{') => {
            let mut data = serde_json::Deserializer::from_str(data.get());
            // The text was read whole before, so that it is JSON.
            let read = Inside {
                reader: &mut reader,
                node: 0,
            }
            .deserialize(&mut data);
            read.map_err(|error| vec![broken(code, line, &error)])?;
        }
        _ => {
            let (zh, en) = ("data应为一个对象", "data should be an object");
            reader.findings.push(Fault::NameMissing.whole(code, zh, en));
        }
    }
    Ok(Taken {
        plan,
        record: reader.record,
        meta,
        findings: reader.findings,
    })
}

fn text(line: &[u8]) -> Result<&str, Vec<Finding>> {
    if line.len() > MOST_BYTES {
        let (zh, en) = (
            "一行过长：应不超过40,000,000字节",
            "the line is too long: it should have at most 40,000,000 bytes",
        );
        return Err(vec![Fault::TooLarge.whole("", zh, en)]);
    }
    std::str::from_utf8(line).map_err(|error| {
        let at = error.valid_up_to() + 1;
        let (zh, en) = (
            format!("第{at}字节起不是UTF-8；应为UTF-8"),
            format!("no UTF-8 from byte {at} on; it should be UTF-8"),
        );
        vec![Fault::Utf8.whole("", &zh, &en)]
    })
}

/// The line is no JSON, or the same name stands twice in its outer object.
fn broken(record: &str, line: &str, error: &serde_json::Error) -> Finding {
    // Only the place is told: the text of the error may hold a piece of the line.
    let at = match error.column() {
        0 => line.len(),
        column => column,
    };
    let (zh, en) = (
        format!("第{at}字节处不是JSON；一行应为一个JSON对象，名称不重复"),
        format!("no JSON at byte {at}; a line should be one JSON object, each name once"),
    );
    Fault::Json.whole(record, &zh, &en)
}

/// The outer object. Its values are read when it is known which record they are of.
#[derive(Default)]
struct Outer<'l> {
    record: Option<String>,
    dispute: Option<&'l RawValue>,
    corrects: Option<&'l RawValue>,
    data: Option<&'l RawValue>,
    others: Vec<String>,
}

impl<'de> Deserialize<'de> for Outer<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Outer<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outer<'de>, A::Error> {
                let mut outer = Outer::default();
                while let Some(name) = map.next_key::<String>()? {
                    let value: &RawValue = map.next_value()?;
                    let slot = match name.as_str() {
                        "record" => {
                            let code = word(value);
                            if outer.record.is_some() {
                                return Err(serde::de::Error::duplicate_field("record"));
                            }
                            outer.record = code;
                            continue;
                        }
                        "dispute" => &mut outer.dispute,
                        "corrects" => &mut outer.corrects,
                        "data" => &mut outer.data,
                        _ => {
                            outer.others.push(name);
                            continue;
                        }
                    };
                    if slot.replace(value).is_some() {
                        return Err(serde::de::Error::duplicate_field("name"));
                    }
                }
                Ok(outer)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The text of a value that is not null.
fn given(value: Option<&RawValue>) -> Option<&str> {
    value.map(RawValue::get).filter(|text| *text != "null")
}

/// A string or a number as text; empty for null.
fn word(value: &RawValue) -> Option<String> {
    let value = value.get();
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str(value).ok(),
        b'0'..=b'9' | b'-' => Some(value.to_owned()),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorrectsMembers {
    submission: String,
    seq: u64,
}

struct Reader<'e> {
    edition: &'e Edition,
    plan: &'e RecordPlan,
    record: Record,
    /// The group entries around, outermost first; each is opened when its first value comes.
    within: Vec<Within>,
    findings: Vec<Finding>,
}

struct Within {
    group: u16,
    ordinal: usize,
    place: Option<Place>,
}

impl Reader<'_> {
    fn meta(&mut self, outer: &Outer<'_>) -> Meta {
        let mut meta = Meta::default();
        if let Some(text) = given(outer.dispute) {
            meta.dispute = serde_json::from_str(text)
                .ok()
                .filter(|d: &String| !d.is_empty());
            if meta.dispute.is_none() && text != "\"\"" {
                let (zh, en) = ("dispute应为字符串", "dispute should be a string");
                self.findings
                    .push(Fault::Meta.whole(self.plan.code(), zh, en));
            }
        }
        if let Some(text) = given(outer.corrects) {
            match serde_json::from_str::<CorrectsMembers>(text) {
                Ok(CorrectsMembers { submission, seq }) => {
                    meta.corrects = Some(Corrects { submission, seq });
                }
                Err(_) => {
                    let (zh, en) = (
                        "corrects应为{\"submission\":\"…\",\"seq\":n}",
                        "corrects should be {\"submission\":\"…\",\"seq\":n}",
                    );
                    self.findings
                        .push(Fault::Meta.whole(self.plan.code(), zh, en));
                }
            }
        }
        for name in &outer.others {
            let place = ("外层对象中的一个名称", "a name in the outer object");
            let finding = stray(self.edition, self.plan, 0, name, place);
            self.findings.push(finding);
        }
        meta
    }

    /// The path of a node with the numbers of the entries around.
    fn path(&self, node: u16) -> String {
        let mut path = path_of(self.plan, node);
        // From the innermost outwards, so that the places of those before do not move.
        for within in self.within.iter().rev() {
            let group = path_of(self.plan, within.group);
            if path.starts_with(&group) {
                path.insert_str(group.len(), &format!("[{}]", within.ordinal));
            }
        }
        path
    }

    fn push(&mut self, fault: Fault, node: u16, zh: String, en: String) {
        let path = self.path(node);
        self.findings
            .push(fault.at(self.plan.code(), path, (zh, en)));
    }

    fn nesting(&mut self, node: u16) {
        let (zh, en) = kind(self.plan, node);
        self.push(
            Fault::Nesting,
            node,
            format!("此处应为{zh}"),
            format!("{en} should stand here"),
        );
    }

    fn item(&mut self, node: u16, raw: &str) {
        let bytes = raw.as_bytes();
        match bytes.first() {
            Some(b'"') if !bytes.contains(&b'\\') => self.put(node, &raw[1..raw.len() - 1]),
            Some(b'"') => match serde_json::from_str::<String>(raw) {
                Ok(value) => self.put(node, &value),
                // A lone surrogate: no character at all.
                Err(_) => {
                    let path = self.path(node);
                    self.findings.push(character(self.plan.code(), path));
                }
            },
            Some(b'n') => {}
            Some(b't' | b'f') => {
                let (zh, en) = (
                    "布尔值不是数据项的值；应为字符串或数字",
                    "true and false are no values of items; a string or number should stand here",
                );
                self.push(Fault::Value, node, zh.to_owned(), en.to_owned());
            }
            Some(b'{' | b'[') => self.nesting(node),
            _ => self.put(node, raw),
        }
    }

    fn put(&mut self, node: u16, value: &str) {
        let value = value.trim_ascii();
        if value.is_empty() {
            return;
        }
        if cannot_stand(value) {
            let path = self.path(node);
            self.findings.push(character(self.plan.code(), path));
            return;
        }
        let mut place = Place::RECORD;
        for within in &mut self.within {
            let group = NodeId(within.group);
            let (plan, record) = (self.plan, &mut self.record);
            place = *within
                .place
                .get_or_insert_with(|| plan.open(record, place, group));
        }
        let item = NodeId(node);
        if self.plan.value(&self.record, place, item).is_some() {
            self.repeated(node);
            return;
        }
        self.plan.put(&mut self.record, place, item, value);
    }

    fn repeated(&mut self, node: u16) {
        let (zh, en) = (
            "该名称出现两次（标签与中文名算同一名称）；应只出现一次",
            "the name stands twice (tag and Chinese name are one); it should stand once",
        );
        self.push(Fault::NameRepeated, node, zh.to_owned(), en.to_owned());
    }
}
