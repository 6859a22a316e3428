//! Reads the leaves of an XML document, under limits.
//!
//! # Promise
//!
//! One pass, no tree. A document that declares a type, names an entity beyond
//! the five predefined ones, nests too deep, is not in UTF-8 or is not
//! well-formed is refused whole.
//!
//! # What is not here
//!
//! No namespaces: the dialect is known by its local names, and real clients
//! differ in their prefixes.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use zeroize::Zeroizing;

use crate::response::Defect;

/// Elements inside each other that a document may have. A report has eight.
pub(crate) const MAX_DEPTH: usize = 32;

/// Calls `leaf` with path and text of every element that has no child element.
///
/// The path is made of local names from the root on, `Document/Msg/ResultCode`;
/// the text is resolved, its line ends are normalized.
pub(crate) fn leaves(
    document: &[u8],
    mut leaf: impl FnMut(&str, &str) -> Result<(), Defect>,
) -> Result<(), Defect> {
    let text = std::str::from_utf8(document).map_err(|_| Defect::WrongEncoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.chars().any(is_forbidden) {
        return Err(Defect::NotXml);
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;

    let mut path = String::new();
    // Length of the path before each open element.
    let mut open: Vec<usize> = Vec::new();
    let mut own = Zeroizing::new(String::new());
    let (mut begun, mut rooted, mut is_leaf) = (false, false, false);
    loop {
        match reader.read_event().map_err(|_| Defect::NotXml)? {
            Event::Decl(declaration) if !begun => {
                let encoding = declaration
                    .encoding()
                    .transpose()
                    .map_err(|_| Defect::NotXml)?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err(Defect::WrongEncoding);
                }
            }
            Event::Start(start) if !open.is_empty() || !rooted => {
                if open.len() == MAX_DEPTH {
                    return Err(Defect::TooDeep);
                }
                check_start(&start)?;
                open.push(path.len());
                if rooted {
                    path.push('/');
                }
                path.push_str(start.local_name().into_inner());
                own.clear();
                (is_leaf, rooted) = (true, true);
            }
            Event::End(_) => {
                if is_leaf {
                    leaf(&path, &own)?;
                }
                path.truncate(open.pop().unwrap_or(0));
                is_leaf = false;
            }
            Event::Text(part) if open.is_empty() => {
                if !part.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
                    return Err(Defect::NotXml);
                }
            }
            Event::Text(part) => own.push_str(&part.xml10_content()),
            Event::CData(part) if !open.is_empty() => own.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) if !open.is_empty() => resolve(&reference, &mut own)?,
            Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(Defect::Doctype),
            Event::Eof if rooted && open.is_empty() => return Ok(()),
            // A second root or declaration, loose text, or an end too early.
            _ => return Err(Defect::NotXml),
        }
        begun = true;
    }
}

/// Appends `text` as character data. A carriage return becomes a reference,
/// since a reader would take it for a line feed.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            _ => out.push(c),
        }
    }
}

/// Characters that XML 1.0 (section 2.2) has no place for.
pub(crate) fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn resolve(reference: &BytesRef<'_>, own: &mut String) -> Result<(), Defect> {
    match reference.resolve_char_ref().map_err(|_| Defect::NotXml)? {
        Some(c) if is_forbidden(c) => return Err(Defect::NotXml),
        Some(c) => own.push(c),
        None => own.push_str(resolve_predefined_entity(reference).ok_or(Defect::Entity)?),
    }
    Ok(())
}

/// What the reader leaves to its user: names and attributes.
fn check_start(start: &BytesStart<'_>) -> Result<(), Defect> {
    let name = start.name().into_inner();
    let may_start = |c: char| c.is_alphabetic() || c == '_';
    let may_follow = |c: char| c.is_alphanumeric() || "_-.:".contains(c);
    if !name.starts_with(may_start) || !name.chars().all(may_follow) {
        return Err(Defect::NotXml);
    }
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Defect::NotXml)?;
        if attribute.value.contains('<') {
            return Err(Defect::NotXml);
        }
        attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| Defect::Entity)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<Vec<(String, String)>, Defect> {
        let mut found = Vec::new();
        leaves(document.as_bytes(), |path, text| {
            found.push((path.to_owned(), text.to_owned()));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn leaves_come_with_path_and_resolved_text() {
        let found = read(
            "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<s:a x='1'><b>1 &lt;\r\n<![CDATA[<2>]]>&#13;</b><!-- c --><c/></s:a>\n",
        );
        let expected = [("a/b", "1 <\n<2>\r"), ("a/c", "")];
        assert_eq!(
            found,
            Ok(expected.map(|(p, t)| (p.to_owned(), t.to_owned())).to_vec())
        );
    }

    #[test]
    fn a_document_with_a_defect_is_refused_whole() {
        let deep = |n: usize| "<a>".repeat(n) + &"</a>".repeat(n);
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        let cases = [
            ("nothing", String::new(), Defect::NotXml),
            (
                "declaration only",
                "<?xml version='1.0'?>".to_owned(),
                Defect::NotXml,
            ),
            ("open element", "<a><b></b>".to_owned(), Defect::NotXml),
            ("wrong end", "<a></b>".to_owned(), Defect::NotXml),
            ("second root", "<a/><b/>".to_owned(), Defect::NotXml),
            ("text before", "x<a/>".to_owned(), Defect::NotXml),
            ("text after", "<a/>x".to_owned(), Defect::NotXml),
            (
                "control character",
                "<a>\u{1}</a>".to_owned(),
                Defect::NotXml,
            ),
            ("its reference", "<a>&#1;</a>".to_owned(), Defect::NotXml),
            (
                "attribute twice",
                "<a b='1' b='2'/>".to_owned(),
                Defect::NotXml,
            ),
            (
                "late declaration",
                "<a/><?xml version='1.0'?>".to_owned(),
                Defect::NotXml,
            ),
            ("odd name", "<a&b>1</a&b>".to_owned(), Defect::NotXml),
            ("loose ampersand", "<a>1 & 2</a>".to_owned(), Defect::NotXml),
            ("unknown entity", "<a>&b;</a>".to_owned(), Defect::Entity),
            (
                "entity in attribute",
                "<a b='&c;'/>".to_owned(),
                Defect::Entity,
            ),
            (
                "document type",
                "<!DOCTYPE a><a/>".to_owned(),
                Defect::Doctype,
            ),
            (
                "entity bomb",
                "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>".to_owned(),
                Defect::Doctype,
            ),
            (
                "other encoding",
                "<?xml version='1.0' encoding='GBK'?><a/>".to_owned(),
                Defect::WrongEncoding,
            ),
            ("too deep", deep(MAX_DEPTH + 1), Defect::TooDeep),
        ];
        for (name, document, expected) in cases {
            assert_eq!(read(&document), Err(expected), "case {name}");
        }
        assert_eq!(
            leaves(b"<a>\xb2\xe2</a>", |_, _| Ok(())),
            Err(Defect::WrongEncoding)
        );
    }

    #[test]
    fn what_is_escaped_reads_back() {
        let text = "a&b<c>\"d'\r\ne]]>";
        let mut document = "<a>".to_owned();
        escape_into(&mut document, text);
        document.push_str("</a>");
        assert_eq!(read(&document), Ok(vec![("a".to_owned(), text.to_owned())]));
    }
}
