//! An XML schema from the plan: structure, order, kinds, lengths and lists, as far as XSD can say
//! them.
//!
//! # Promise
//!
//! Every line that [`RecordPlan::write`] writes of a record without an error is valid under it. The
//! reverse does not hold: conditions and rules between items are beyond XSD.
//!
//! # What is not here
//!
//! The bureau's own schema. This one lets a validator that is not ours judge what we write.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::expr::Test;
use crate::kind::{Kind, Length, YEARS};
use crate::plan::RecordPlan;
use crate::plan::tree::{Condition, Group, Item, Presence, Shape};

impl RecordPlan {
    /// The schema, with the element around the record as its one global element.
    #[must_use]
    pub fn xsd(&self) -> String {
        let mut types = Types::default();
        let mut record = String::new();
        self.describe(0, &mut types, &mut record);
        let root = &self.engine.root;
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n\
             <xs:simpleType name=\"blank\"><xs:restriction base=\"xs:token\">\
             <xs:length value=\"0\"/></xs:restriction></xs:simpleType>\n",
        );
        for (definition, name) in &types.0 {
            let _ = writeln!(
                out,
                "<xs:simpleType name=\"{name}\">{definition}</xs:simpleType>"
            );
        }
        let element = self.nodes[0].tag.as_ref();
        let _ = write!(
            out,
            "<xs:element name=\"{root}\"><xs:complexType><xs:sequence>\n\
             <xs:element name=\"{element}\"><xs:complexType><xs:sequence>\n{record}\
             </xs:sequence></xs:complexType></xs:element>\n\
             </xs:sequence></xs:complexType></xs:element>\n</xs:schema>\n",
        );
        out
    }

    fn describe(&self, index: u16, types: &mut Types, out: &mut String) {
        for &child in &self.nodes[index as usize].children {
            let node = &self.nodes[child as usize];
            let tag = &node.tag;
            let (rows, most): (&[Presence], &str) = match &node.shape {
                Shape::Item(item) => {
                    self.describe_item(tag, item, types, out);
                    continue;
                }
                Shape::Segment(rows) => (rows, "1"),
                Shape::Group(Group {
                    rows,
                    most: u32::MAX,
                    ..
                }) => (rows, "unbounded"),
                Shape::Group(group) => (&group.rows, &group.most.to_string()),
            };
            if self.demands(rows.iter().filter_map(|row| row.forbidden.as_ref())) {
                continue;
            }
            let least = u8::from(self.demands(rows.iter().filter_map(|row| row.required.as_ref())));
            let _ = writeln!(
                out,
                "<xs:element name=\"{tag}\" minOccurs=\"{least}\" maxOccurs=\"{most}\">\
                 <xs:complexType><xs:sequence>",
            );
            self.describe(child, types, out);
            out.push_str("</xs:sequence></xs:complexType></xs:element>\n");
        }
    }

    fn describe_item(&self, tag: &str, item: &Item, types: &mut Types, out: &mut String) {
        if self.demands(item.rows.iter().filter_map(|row| row.forbidden.as_ref())) {
            return;
        }
        let filled = self.demands(item.rows.iter().filter_map(|row| row.value.as_ref()));
        let least = u8::from(self.demands(item.rows.iter().filter_map(|row| row.tag.as_ref())));
        let value = types.name(self.definition(item));
        let name = if filled {
            value
        } else {
            types.name(format!("<xs:union memberTypes=\"{value} blank\"/>"))
        };
        let _ = writeln!(
            out,
            "<xs:element name=\"{tag}\" type=\"{name}\" minOccurs=\"{least}\"/>"
        );
    }

    /// What a value that is not blank looks like.
    fn definition(&self, item: &Item) -> String {
        let restriction = |base: &str, facets: &str| {
            format!("<xs:restriction base=\"xs:{base}\">{facets}</xs:restriction>")
        };
        let pattern = |base: &str, pattern: &str| {
            restriction(base, &format!("<xs:pattern value=\"{pattern}\"/>"))
        };
        let calendar = |base: &str, pattern: &str, first: &str, last: &str| {
            let facets = format!(
                "<xs:pattern value=\"{pattern}\"/><xs:minInclusive value=\"{}{first}\"/>\
                 <xs:maxInclusive value=\"{}{last}\"/>",
                YEARS.start(),
                YEARS.end(),
            );
            restriction(base, &facets)
        };
        // A value that only warns may be any.
        if item.bad.warns {
            return restriction("string", "");
        }
        match item.kind {
            Kind::Ascii => pattern("string", &trimmed("[!-~]", "[ -~]", item.length)),
            Kind::Text => pattern("string", &trimmed(r"\S", "[^\\n\\r]", item.length)),
            Kind::Code => {
                let mut facets = String::new();
                for (_, list) in item.lists.iter().map(|list| &self.lists.0[*list as usize]) {
                    for code in list.iter() {
                        let code = attribute(code.code);
                        let _ = write!(facets, "<xs:enumeration value=\"{code}\"/>");
                    }
                }
                restriction("token", &facets)
            }
            Kind::Digits => pattern("token", &format!("[0-9]{}", times(item.length))),
            Kind::Uint => pattern("token", &format!("0*[0-9]{}", times(item.length))),
            Kind::Decimal2 => pattern(
                "token",
                &format!("-?[0-9]{}\\.[0-9]{{2}}", times(item.length)),
            ),
            Kind::Date => calendar("date", "[0-9]{4}-[0-9]{2}-[0-9]{2}", "-01-01", "-12-31"),
            Kind::Month => calendar("gYearMonth", "[0-9]{4}-[0-9]{2}", "-01", "-12"),
            Kind::Year => calendar("gYear", "[0-9]{4}", "", ""),
        }
    }

    /// Whether one of the conditions holds in every record, and costs more than a warning.
    fn demands<'c>(&self, mut conditions: impl Iterator<Item = &'c Condition>) -> bool {
        conditions.any(|condition| {
            !condition.code.warns
                && matches!(self.program.tests[condition.test as usize], Test::Always)
        })
    }
}

/// Named simple types, each definition once.
#[derive(Default)]
struct Types(BTreeMap<String, String>);

impl Types {
    fn name(&mut self, definition: String) -> String {
        let next = format!("type{}", self.0.len() + 1);
        self.0.entry(definition).or_insert(next).clone()
    }
}

/// `length` characters that neither begin nor end with a blank, between any blanks.
fn trimmed(edge: &str, inner: &str, length: Length) -> String {
    let body = match length {
        Length::Exactly(1) | Length::UpTo(1) => edge.to_owned(),
        Length::Exactly(n) => format!("{edge}{inner}{{{}}}{edge}", n.saturating_sub(2)),
        Length::UpTo(n) => format!("{edge}({inner}{{0,{}}}{edge})?", n.saturating_sub(2)),
        Length::Any => format!("{edge}({inner}*{edge})?"),
    };
    format!(r"\s*{body}\s*")
}

/// How often a digit may stand.
fn times(length: Length) -> String {
    match length {
        Length::Any => "+".to_owned(),
        Length::Exactly(n) => format!("{{{n}}}"),
        Length::UpTo(n) => format!("{{1,{n}}}"),
    }
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
