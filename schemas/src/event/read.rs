//! A JSON object, field by field, with all that is wrong with it.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::finding::{MISSING, REPEATED, UNKNOWN, VALUE, finding};
use crate::validate::Finding;

/// An object within an event.
pub(super) struct Object<'l> {
    /// Where it stands, as a JSON pointer.
    at: String,
    fields: Vec<(String, &'l RawValue)>,
}

/// The largest amount: 15 digits (items of kind `uint`).
const MOST: u64 = 999_999_999_999_999;

/// The fields of an object as they are written.
pub(super) struct Fields<'l>(pub(super) Vec<(String, &'l RawValue)>);

impl<'l> Object<'l> {
    pub(super) fn new(at: String, fields: Fields<'l>) -> Self {
        let Fields(fields) = fields;
        Self { at, fields }
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// Takes a field out; null is none.
    fn take(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<&'l RawValue> {
        let place = self.fields.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.fields.remove(place);
        while let Some(again) = self.fields.iter().position(|(known, _)| known == name) {
            self.fields.remove(again);
            let path = self.path(name);
            let (zh, en) = (
                "字段出现两次；应只出现一次",
                "the field stands twice; it should stand once",
            );
            findings.push(finding("", REPEATED, &path, zh, en));
        }
        Some(value).filter(|value| value.get() != "null")
    }

    /// Says that a field is missing.
    pub(super) fn missing(&self, name: &str, findings: &mut Vec<Finding>) {
        let (zh, en) = (
            format!("缺少字段{name}"),
            format!("the field {name} is missing"),
        );
        findings.push(finding("", MISSING, &self.path(name), &zh, &en));
    }

    /// Says that a field has a value that it cannot have.
    pub(super) fn wrong(&self, name: &str, zh: &str, en: &str, findings: &mut Vec<Finding>) {
        findings.push(finding("", VALUE, &self.path(name), zh, en));
    }

    /// A text, without the blanks around it.
    pub(super) fn text(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<String> {
        let value = self.take(name, findings)?;
        match serde_json::from_str::<String>(value.get()) {
            Ok(text) if !text.trim_ascii().is_empty() => Some(text.trim_ascii().to_owned()),
            Ok(_) => None,
            Err(_) => {
                self.wrong(name, "应为字符串", "a string should stand here", findings);
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn word(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<String> {
        let before = findings.len();
        let text = self.text(name, findings);
        if text.is_none() && findings.len() == before {
            self.missing(name, findings);
        }
        text
    }

    /// A day.
    pub(super) fn day(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<Date> {
        let text = self.text(name, findings)?;
        let plain = text.len() == 10 && text.bytes().all(|b| b == b'-' || b.is_ascii_digit());
        let day = Date::from_str(&text).ok().filter(|_| plain);
        if day.is_none() {
            let (zh, en) = (
                "应为日期yyyy-MM-dd",
                "a day as yyyy-MM-dd should stand here",
            );
            self.wrong(name, zh, en, findings);
        }
        day
    }

    /// A day that must be there.
    pub(super) fn that_day(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<Date> {
        let before = findings.len();
        let day = self.day(name, findings);
        if day.is_none() && findings.len() == before {
            self.missing(name, findings);
        }
        day
    }

    /// An amount in whole units of the currency, or a count: a number, or its digits as a text.
    pub(super) fn amount(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<u64> {
        let value = self.take(name, findings)?.get();
        let digits = value.trim_matches('"');
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let amount = digits.parse().ok().filter(|it| plain && *it <= MOST);
        if amount.is_none() {
            let (zh, en) = (
                "应为非负整数（元，不含小数），至多15位",
                "a whole number of at most 15 digits, without decimals, should stand here",
            );
            self.wrong(name, zh, en, findings);
        }
        amount
    }

    /// An amount that must be there.
    pub(super) fn that_amount(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<u64> {
        let before = findings.len();
        let amount = self.amount(name, findings);
        if amount.is_none() && findings.len() == before {
            self.missing(name, findings);
        }
        amount
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<bool> {
        match self.take(name, findings)?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.wrong(
                    name,
                    "应为true或false",
                    "true or false should stand here",
                    findings,
                );
                None
            }
        }
    }

    /// An object as it is written; its own reader judges it.
    pub(super) fn raw(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<String> {
        let value = self.take(name, findings)?.get();
        if value.starts_with('{') {
            return Some(value.to_owned());
        }
        self.wrong(
            name,
            "应为一个对象",
            "an object should stand here",
            findings,
        );
        None
    }

    /// An object within.
    pub(super) fn object(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<Self> {
        let value = self.take(name, findings)?;
        let object = Self::read(self.path(name), value);
        if object.is_none() {
            self.wrong(
                name,
                "应为一个对象",
                "an object should stand here",
                findings,
            );
        }
        object
    }

    /// A list of objects within.
    pub(super) fn list(&mut self, name: &str, findings: &mut Vec<Finding>) -> Option<Vec<Self>> {
        let value = self.take(name, findings)?;
        let values: Option<Vec<&RawValue>> = serde_json::from_str(value.get()).ok();
        let at = self.path(name);
        let objects = values.and_then(|values| {
            let each = values.into_iter().enumerate();
            each.map(|(n, value)| Self::read(format!("{at}/{n}"), value))
                .collect()
        });
        if objects.is_none() {
            self.wrong(
                name,
                "应为对象的数组",
                "an array of objects should stand here",
                findings,
            );
        }
        objects
    }

    fn read(at: String, value: &'l RawValue) -> Option<Self> {
        let fields = serde_json::from_str(value.get()).ok()?;
        Some(Self::new(at, fields))
    }

    /// Names what was not asked for. A name may be a value that went astray: it is not quoted.
    pub(super) fn end(self, known: &str, findings: &mut Vec<Finding>) {
        if self.fields.is_empty() {
            return;
        }
        let at = if self.at.is_empty() { "." } else { &self.at };
        let count = self.fields.len();
        let (zh, en) = (
            format!("有{count}个未知字段；可用的字段：{known}"),
            format!("{count} unknown fields; the fields are {known}"),
        );
        findings.push(finding("", UNKNOWN, at, &zh, &en));
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each)
    }
}
