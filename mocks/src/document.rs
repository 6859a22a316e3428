//! The XML documents of D101, D103 and L101.

use quick_xml::{
    Reader,
    events::{BytesRef, Event},
};

/// About whom a message asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asks {
    Enterprise,
    Person,
}

/// The fields of D101 or D103. They hold personal data and a password: no
/// `Debug`.
pub(crate) struct Fields {
    pub(crate) query_org: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) originator: String,
    pub(crate) originator_user: String,
    pub(crate) name: String,
    pub(crate) id_type: String,
    pub(crate) id_number: String,
    pub(crate) reason: String,
    pub(crate) service: String,
}

impl Fields {
    /// The ten elements in their order, and nothing else.
    pub(crate) fn read(document: &str, asks: Asks) -> Result<Self, &'static str> {
        let wanted = match asks {
            Asks::Enterprise => &D103,
            Asks::Person => &D101,
        };
        let mut values = values(document, wanted)?.into_iter();
        let mut value = || values.next().unwrap_or_default();
        Ok(Self {
            query_org: value(),
            user: value(),
            password: value(),
            originator: value(),
            originator_user: value(),
            name: value(),
            id_type: value(),
            id_number: value(),
            reason: value(),
            service: value(),
        })
    }
}

/// The fields of L101. They hold passwords: no `Debug`.
pub(crate) struct Change {
    pub(crate) query_org: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) whose: String,
    pub(crate) old: String,
    pub(crate) new: String,
}

impl Change {
    /// The six elements in their order, and nothing else.
    pub(crate) fn read(document: &str) -> Result<Self, &'static str> {
        let mut values = values(document, &L101)?.into_iter();
        let mut value = || values.next().unwrap_or_default();
        Ok(Self {
            query_org: value(),
            user: value(),
            password: value(),
            whose: value(),
            old: value(),
            new: value(),
        })
    }
}

/// The contents of the elements at these paths, in this order.
fn values(document: &str, wanted: &[&str]) -> Result<Vec<String>, &'static str> {
    let mut reader = Reader::from_str(document);
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut leaves = Vec::new();
    loop {
        match reader.read_event().map_err(|_| "not well-formed")? {
            Event::Start(start) => {
                if path.len() == 3 {
                    return Err("nested deeper than three elements");
                }
                path.push(start.name().into_inner().to_owned());
                text.clear();
            }
            Event::Empty(start) => {
                leaves.push((
                    format!("{}/{}", path.join("/"), start.name().as_ref()),
                    String::new(),
                ));
            }
            Event::End(_) => {
                if path.len() == 3 {
                    leaves.push((path.join("/"), std::mem::take(&mut text)));
                }
                path.pop();
            }
            Event::Text(part) if path.len() != 3 && !part.trim().is_empty() => {
                return Err("text between elements");
            }
            Event::Text(part) => text.push_str(&part),
            Event::CData(part) => text.push_str(&part),
            Event::GeneralRef(name) => text.push(character(&name)?),
            Event::DocType(_) => return Err("a document type"),
            Event::Eof if path.is_empty() => break,
            Event::Eof => return Err("an element without an end"),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    let paths = leaves.iter().map(|(path, _)| path.as_str());
    if !paths.eq(wanted.iter().copied()) {
        return Err("not the elements of the message in their order");
    }
    Ok(leaves.into_iter().map(|(_, value)| value).collect())
}

/// A character reference or one of XML's five entities; there are no others.
pub(crate) fn character(name: &BytesRef<'_>) -> Result<char, &'static str> {
    if let Ok(Some(character)) = name.resolve_char_ref() {
        return Ok(character);
    }
    match &**name {
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "gt" => Ok('>'),
        "lt" => Ok('<'),
        "quot" => Ok('"'),
        _ => Err("an entity of its own"),
    }
}

const D101: [&str; 10] = [
    "Document/Head/QueryOrgCode",
    "Document/Head/UserCode",
    "Document/Head/Password",
    "Document/Msg/OriginateOrgCode",
    "Document/Msg/OriginateUserCode",
    "Document/Msg/Name",
    "Document/Msg/IDType",
    "Document/Msg/IDNum",
    "Document/Msg/QueryReason",
    "Document/Msg/ServiceCode",
];

const D103: [&str; 10] = [
    "Document/Head/QueryOrgCode",
    "Document/Head/UserCode",
    "Document/Head/Password",
    "Document/Msg/OriginateOrgCode",
    "Document/Msg/OriginateUserCode",
    "Document/Msg/EntName",
    "Document/Msg/EntCertType",
    "Document/Msg/EntCertNum",
    "Document/Msg/QueryReason",
    "Document/Msg/ServiceCode",
];

const L101: [&str; 6] = [
    "Document/Head/QueryOrgCode",
    "Document/Head/UserCode",
    "Document/Head/Password",
    "Document/Msg/UserCode",
    "Document/Msg/OPassword",
    "Document/Msg/NPassword",
];

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const DOCUMENT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document><Head>\
        <QueryOrgCode>Z99990000H0001</QueryOrgCode><UserCode>user</UserCode><Password>p</Password>\
        </Head><Msg><OriginateOrgCode>Z99990000H0001</OriginateOrgCode>\
        <OriginateUserCode>user</OriginateUserCode><Name>测试&#x4E59;&amp;</Name><IDType>10</IDType>\
        <IDNum>99000019880412024X</IDNum><QueryReason>02</QueryReason>\
        <ServiceCode>FW_GRXYBG_0074</ServiceCode></Msg></Document>";

    #[test]
    fn the_document_holds_the_ten_elements_in_order_and_nothing_else() {
        let name = "<IDType>10</IDType>";
        for (case, document) in [
            ("one missing", DOCUMENT.replace(name, "")),
            ("one twice", DOCUMENT.replace(name, &name.repeat(2))),
            (
                "one more",
                DOCUMENT.replace(name, "<IDType>10</IDType><Letter>1</Letter>"),
            ),
            (
                "order",
                DOCUMENT.replace("Name>", "X>").replace("IDNum>", "Name>"),
            ),
            (
                "deeper",
                DOCUMENT.replace(name, "<IDType><a>10</a></IDType>"),
            ),
            ("text between", DOCUMENT.replace("<Msg>", "<Msg>x")),
            ("entity", DOCUMENT.replace("&amp;", "&name;")),
            (
                "doctype",
                DOCUMENT.replace("<Document>", "<!DOCTYPE a><Document>"),
            ),
            ("cut", DOCUMENT.replace("</Document>", "")),
        ] {
            assert!(Fields::read(&document, Asks::Person).is_err(), "{case}");
        }
        assert!(Fields::read(DOCUMENT, Asks::Person).is_ok());
        assert!(Fields::read(DOCUMENT, Asks::Enterprise).is_err());
    }
}
