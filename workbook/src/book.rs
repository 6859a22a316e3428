//! A workbook: its sheets, and what their cells share.

use std::collections::HashMap;
use std::io::{BufRead, Read, Seek};

use crate::error::BookError;
use crate::format::{is_date, known_date};
use crate::package::{Limits, Package, TOKEN};
use crate::sheet::{Rows, Shared};
use crate::xml::{Token, Xml};

/// An open workbook.
pub struct Book<'i> {
    package: Package<'i>,
    sheets: Sheets,
    shared: Shared,
}

/// What a workbook says of the parts beside it: kind and place by id.
type Relations = HashMap<String, (String, String)>;

/// Name and part of each sheet.
type Sheets = Vec<(String, String)>;

/// Sheets of a workbook.
const SHEETS: usize = 500;

/// Pieces of a part that says how the others hang together.
const ELEMENTS: usize = 1_000_000;

impl<'i> Book<'i> {
    /// Opens a workbook and reads what its cells share; the sheets are read later, row by row.
    ///
    /// # Errors
    ///
    /// Why it is none, or more than the limits allow.
    pub fn open(input: impl Read + Seek + 'i, limits: Limits) -> Result<Self, BookError> {
        let mut package = Package::open(Box::new(input), limits)?;
        let root = relations(&mut package, "_rels/.rels", "")?;
        let mut root = root.values();
        let found = root.find(|(kind, _)| kind == "officeDocument");
        let none = || BookError::broken("the file", "it holds no workbook");
        let path = found.map(|(_, target)| target.clone()).ok_or_else(none)?;
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let relations = relations(
            &mut package,
            &join(folder, &format!("_rels/{file}.rels")),
            folder,
        )?;
        let (sheets, is_1904) = sheets(&mut package, &path, &relations)?;
        let of_kind = |kind: &str| {
            let mut all = relations.values();
            all.find(|(known, _)| known == kind)
                .map(|(_, target)| target.clone())
        };
        let mut shared = Shared {
            is_1904,
            ..Shared::default()
        };
        if let Some(part) = of_kind("styles") {
            shared.dates = dates(&mut package, &part)?;
        }
        if let Some(part) = of_kind("sharedStrings") {
            strings(&mut package, &part, &mut shared)?;
        }
        Ok(Self {
            package,
            sheets,
            shared,
        })
    }

    /// The names of the sheets, in their order.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sheets.iter().map(|(name, _)| name.as_str())
    }

    /// How much may be read of it.
    pub(crate) fn limits(&self) -> Limits {
        self.package.limits
    }

    /// Whether its days are counted from 1904 on.
    pub(crate) fn is_1904(&self) -> bool {
        self.shared.is_1904
    }

    /// The rows of a sheet.
    pub(crate) fn rows(&mut self, sheet: usize) -> Result<Rows<'_, impl BufRead>, BookError> {
        let (_, path) = &self.sheets[sheet];
        let part = self.package.part(path)?;
        let none = || BookError::broken(path, "the workbook names it but does not hold it");
        Rows::new(part.ok_or_else(none)?, &self.shared)
    }
}

/// Reads a part from the start of its root element to the end, with what to do at each element.
fn elements<R: BufRead>(
    xml: &mut Xml<R>,
    mut at: impl FnMut(&mut Xml<R>, &str, HashMap<String, String>) -> Result<(), BookError>,
) -> Result<(), BookError> {
    for _ in 0..ELEMENTS {
        let (name, attributes) = match xml.next()? {
            Token::End => return Ok(()),
            Token::Open(tag) => {
                let attributes = tag.attributes();
                let attributes =
                    attributes.map(|(name, value)| (name.to_owned(), value.into_owned()));
                (tag.name().to_owned(), attributes.collect())
            }
            _ => continue,
        };
        at(xml, &name, attributes)?;
    }
    Err(xml.broken("it has more elements than a workbook needs"))
}

fn relations(package: &mut Package<'_>, part: &str, folder: &str) -> Result<Relations, BookError> {
    let mut found = HashMap::new();
    let Some(mut xml) = package.part(part)? else {
        return Ok(found);
    };
    elements(&mut xml, |_, name, mut attributes| {
        if name == "Relationship"
            && let (Some(id), Some(kind), Some(target)) = (
                attributes.remove("Id"),
                attributes.remove("Type"),
                attributes.remove("Target"),
            )
        {
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            let target = match target.strip_prefix('/') {
                Some(whole) => whole.to_owned(),
                None => join(folder, &target),
            };
            found.insert(id, (kind, target));
        }
        Ok(())
    })?;
    Ok(found)
}

fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|it| !it.is_empty()).collect();
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Name and part of each sheet, and whether days are counted from 1904 on.
fn sheets(
    package: &mut Package<'_>,
    part: &str,
    relations: &Relations,
) -> Result<(Sheets, bool), BookError> {
    let none = || BookError::broken(part, "the file does not hold it");
    let mut xml = package.part(part)?.ok_or_else(none)?;
    let (mut sheets, mut is_1904) = (Vec::new(), false);
    elements(&mut xml, |xml, name, attributes| {
        match name {
            "workbookPr" => {
                is_1904 |= matches!(
                    attributes.get("date1904").map(String::as_str),
                    Some("1" | "true")
                );
            }
            "sheet" => {
                let target = attributes.get("id").and_then(|id| relations.get(id));
                match (attributes.get("name"), target) {
                    (Some(_), Some(_)) if sheets.len() == SHEETS => {
                        return Err(xml.broken("it has too many sheets"));
                    }
                    (Some(name), Some((kind, target))) if kind == "worksheet" => {
                        sheets.push((name.trim().to_owned(), target.clone()));
                    }
                    // Charts and dialogs hold no cells.
                    (Some(_), Some(_)) => {}
                    _ => return Err(xml.broken("it names a sheet that is not there")),
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok((sheets, is_1904))
}

/// Whether each cell format shows a number as a day.
fn dates(package: &mut Package<'_>, part: &str) -> Result<Vec<bool>, BookError> {
    let (mut written, mut dates) = (HashMap::new(), Vec::new());
    let Some(mut xml) = package.part(part)? else {
        return Ok(dates);
    };
    let mut cells = false;
    elements(&mut xml, |_, name, mut attributes| {
        match name {
            "numFmt" => {
                if let (Some(id), Some(code)) =
                    (attributes.remove("numFmtId"), attributes.get("formatCode"))
                {
                    written.insert(id, is_date(code));
                }
            }
            "cellXfs" => cells = true,
            "cellStyles" | "dxfs" | "cellStyleXfs" => cells = false,
            "xf" if cells => {
                let id = attributes.remove("numFmtId").unwrap_or_default();
                let known = || id.parse().is_ok_and(known_date);
                dates.push(written.get(&id).copied().unwrap_or_else(known));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(dates)
}

/// The texts that cells share.
fn strings(package: &mut Package<'_>, part: &str, shared: &mut Shared) -> Result<(), BookError> {
    let most = package.limits.strings;
    let Some(mut xml) = package.part(part)? else {
        return Ok(());
    };
    loop {
        match xml.next()? {
            Token::End => return Ok(()),
            Token::Open(tag) if tag.name() == "si" => {}
            _ => continue,
        }
        rich_text(&mut xml, &mut shared.text)?;
        // An entry costs four bytes beside its text.
        let size = shared.text.len() + shared.ends.len() * 4;
        if size as u64 > most {
            return Err(BookError::TooLarge {
                what: "bytes of shared texts",
                limit: most,
            });
        }
        shared.ends.push(shared.text.len() as u32);
    }
}

/// Reads the text of an element with runs (`si`, `is`) and past its end; how a name is pronounced
/// does not belong to it.
pub(crate) fn rich_text<R: BufRead>(xml: &mut Xml<R>, into: &mut String) -> Result<(), BookError> {
    let (outside, from) = (xml.depth() - 1, into.len());
    while xml.depth() > outside {
        if (into.len() - from) as u64 > TOKEN {
            return Err(xml.too_long());
        }
        let is_text = match xml.next()? {
            Token::Open(tag) if tag.name() == "t" => true,
            Token::Open(tag) if tag.name() == "rPh" => false,
            Token::End => break,
            _ => continue,
        };
        if is_text {
            xml.text(into)?;
        } else {
            xml.skip()?;
        }
    }
    if into[from..].contains("_x") {
        let plain = unescape(&into[from..]);
        into.replace_range(from.., &plain);
    }
    Ok(())
}

/// Characters that XML forbids are written as `_xHHHH_` (ECMA-376 part 1, 22.9.2.19).
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 7).and_then(|it| it.strip_suffix('_'));
        let code = code.filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.and_then(|it| u32::from_str_radix(it, 16).ok());
        let (until, then) = match code.and_then(char::from_u32) {
            Some(c) => {
                out.push_str(&rest[..at]);
                out.push(c);
                (at, at + 7)
            }
            None => (at + 2, at + 2),
        };
        if then == until {
            out.push_str(&rest[..until]);
        }
        rest = &rest[then..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_written_by_their_number_come_back() {
        for (written, text) in [
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("a_xyz_", "a_xyz_"),
            ("_x", "_x"),
            ("测_x4E00_试_x", "测一试_x"),
        ] {
            assert_eq!(unescape(written), text, "{written}");
        }
    }

    #[test]
    fn a_place_is_found_from_the_folder_that_names_it() {
        assert_eq!(
            join("xl", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml"
        );
        assert_eq!(join("xl/worksheets", "../styles.xml"), "xl/styles.xml");
        assert_eq!(join("", "../../x"), "x");
    }
}
