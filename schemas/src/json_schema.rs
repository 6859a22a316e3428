//! A JSON Schema from the plan: one line of the JSON Lines that [`crate::intake`] reads.
//!
//! # Promise
//!
//! A line that the intake takes without a finding of structure, whose names are tags and whose values
//! are texts, is valid under it. It says names, places, kinds, lengths and lists; conditions and
//! rules between items are beyond it.
//!
//! # What is not here
//!
//! The Chinese names and the numbers that the intake takes as well.

use serde_json::{Map, Value, json};

use crate::kind::{Kind, Length};
use crate::plan::{Element, RecordPlan, What};

impl RecordPlan {
    /// The schema, of the draft 2020-12.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let mut lists = Map::new();
        let data = object(self.root(), &mut lists);
        let (zh, en) = self.names();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": format!("{} {zh} ({en})", self.code()),
            "type": "object",
            "properties": {
                "record": {"const": self.code()},
                "dispute": {"type": "string"},
                "corrects": {"type": "object"},
                "data": data,
            },
            "required": ["record", "data"],
            "additionalProperties": false,
            "$defs": lists,
        })
    }
}

fn object(element: Element<'_>, lists: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for child in element.children() {
        let schema = match child.what() {
            What::Group { most } => {
                let mut group = json!({"type": "array", "items": object(child, lists)});
                if most != u32::MAX {
                    group["maxItems"] = json!(most);
                }
                group
            }
            What::Item { kind, length } => item(child, kind, length, lists),
            What::Segment => object(child, lists),
        };
        let mut schema = schema;
        schema["title"] = json!(format!("{} ({})", child.zh(), child.en()));
        properties.insert(child.tag().to_owned(), schema);
    }
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// Blank values count as none, so that every item may be empty.
fn item(element: Element<'_>, kind: Kind, length: Length, lists: &mut Map<String, Value>) -> Value {
    if kind == Kind::Code {
        let named = element.lists().map(|(name, list)| {
            if !lists.contains_key(name) {
                let codes: Vec<&str> = list.iter().map(|code| code.code).collect();
                lists.insert(name.to_owned(), json!({"enum": codes}));
            }
            json!({"$ref": format!("#/$defs/{name}")})
        });
        let mut any: Vec<Value> = named.collect();
        any.push(json!({"pattern": r"^\s*$"}));
        return json!({"type": "string", "anyOf": any});
    }
    let digits = |fixed: &str| match length {
        Length::Any => format!("{fixed}[0-9]+"),
        Length::Exactly(n) => format!("{fixed}[0-9]{{{n}}}"),
        Length::UpTo(n) => format!("{fixed}[0-9]{{1,{n}}}"),
    };
    let pattern = match kind {
        Kind::Ascii => "[ -~]*".to_owned(),
        Kind::Date => "[0-9]{4}-[0-9]{2}-[0-9]{2}".to_owned(),
        Kind::Decimal2 => format!("{}\\.[0-9]{{2}}", digits("-?")),
        Kind::Digits => digits(""),
        Kind::Month => "[0-9]{4}-[0-9]{2}".to_owned(),
        Kind::Uint => digits("0*"),
        Kind::Year => "[0-9]{4}".to_owned(),
        Kind::Code | Kind::Text => return json!({"type": "string"}),
    };
    json!({"type": "string", "pattern": format!(r"^\s*({pattern})?\s*$")})
}

#[cfg(test)]
mod tests {
    use crate::edition::Edition;

    #[test]
    fn a_schema_has_the_places_kinds_and_lists_of_its_record() {
        let day = "2024-05-31".parse().unwrap();
        let edition = Edition::embedded("pboc-submit-personal", day).unwrap();
        let schema = edition.plan("210").unwrap().json_schema();
        let data = &schema["properties"]["data"]["properties"];
        let month = &data["AcctMthlyBlgInfSgmt"]["properties"]["Month"];
        assert_eq!(month["pattern"], r"^\s*([0-9]{4}-[0-9]{2})?\s*$");
        let group = &data["RltRepymtInfSgmt"]["properties"]["RltRepymtInf"];
        assert_eq!(group["type"], "array");
        assert!(group["items"]["properties"]["ArlpName"].is_object());
        let kinds = &data["AcctBsSgmt"]["properties"]["AcctType"]["anyOf"][0]["$ref"];
        assert_eq!(kinds, "#/$defs/NtrDcAcctType");
        let kinds = &schema["$defs"]["NtrDcAcctType"]["enum"];
        assert!(kinds.as_array().unwrap().contains(&"R2".into()));
    }
}
