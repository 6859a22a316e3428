//! The cells of a sheet, row by row.

use std::io::BufRead;

use schemas::intake::MOST_BYTES;

use crate::book::rich_text;
use crate::cell::{Cell, Holds};
use crate::error::BookError;
use crate::xml::{Tag, Token, Xml};

/// The largest sheet that any spreadsheet makes.
pub(crate) const ROWS: u32 = 1 << 20;
pub(crate) const COLUMNS: u16 = 1 << 14;

/// What the cells of all sheets share.
#[derive(Default)]
pub(crate) struct Shared {
    /// All shared texts, and where each of them ends.
    pub(crate) text: String,
    pub(crate) ends: Vec<u32>,
    /// Whether each cell format shows a number as a day.
    pub(crate) dates: Vec<bool>,
    pub(crate) is_1904: bool,
}

/// Reads the rows of one sheet.
pub(crate) struct Rows<'b, R> {
    xml: Xml<R>,
    shared: &'b Shared,
    last: u32,
    ended: bool,
}

/// One row with its cells that are not empty.
#[derive(Default)]
pub(crate) struct Row {
    /// Counted from 1, as spreadsheets show it.
    pub(crate) number: u32,
    pub(crate) cells: Vec<Cell>,
    /// The content of the cells, one after the other.
    pub(crate) text: String,
}

impl Row {
    /// The content of a cell.
    pub(crate) fn content(&self, cell: &Cell) -> &str {
        &self.text[cell.start as usize..cell.end as usize]
    }

    /// The cell in a column, counted from 0.
    pub(crate) fn at(&self, column: u16) -> Option<&Cell> {
        let found = self.cells.binary_search_by_key(&column, |cell| cell.column);
        found.ok().map(|at| &self.cells[at])
    }
}

impl Shared {
    fn string(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..end as usize)
    }
}

impl<'b, R: BufRead> Rows<'b, R> {
    pub(crate) fn new(xml: Xml<R>, shared: &'b Shared) -> Result<Self, BookError> {
        let mut rows = Self {
            xml,
            shared,
            last: 0,
            ended: false,
        };
        loop {
            match rows.xml.next()? {
                Token::Open(tag) if tag.name() == "sheetData" => return Ok(rows),
                Token::End => return Err(rows.xml.broken("it holds no cells")),
                _ => {}
            }
        }
    }

    /// Reads the next row that has a cell with content; false after the last.
    pub(crate) fn read(&mut self, row: &mut Row) -> Result<bool, BookError> {
        while !self.ended {
            match self.xml.next()? {
                Token::Open(tag) if tag.name() == "row" => {
                    let said = tag.attribute("r");
                    self.last = match said {
                        None => self.last + 1,
                        Some(text) => match text.parse() {
                            Ok(number) if number > self.last => number,
                            _ => return Err(self.xml.broken("its rows are not in order")),
                        },
                    };
                    if self.last > ROWS {
                        return Err(self.xml.broken("it has more rows than a sheet may have"));
                    }
                    row.number = self.last;
                    row.cells.clear();
                    row.text.clear();
                    self.cells(row)?;
                    if !row.cells.is_empty() {
                        return Ok(true);
                    }
                }
                Token::Open(_) => self.xml.skip()?,
                // What follows the cells is of no interest.
                Token::Close | Token::End => self.ended = true,
                _ => {}
            }
        }
        Ok(false)
    }

    fn cells(&mut self, row: &mut Row) -> Result<(), BookError> {
        let mut next = 0;
        loop {
            let head = match self.xml.next()? {
                Token::Open(tag) if tag.name() == "c" => Head::of(&tag),
                Token::Open(_) => {
                    self.xml.skip()?;
                    continue;
                }
                Token::Close => return Ok(()),
                Token::End => return Err(self.xml.broken("it is cut short")),
                _ => continue,
            };
            let Some(column) = head.column(next, row.number) else {
                return Err(self.xml.broken("its cells are not in order"));
            };
            next = column + 1;
            let start = row.text.len() as u32;
            let holds = self.cell(&head, &mut row.text)?;
            let end = row.text.len() as u32;
            if row.text[start as usize..].trim().is_empty() {
                row.text.truncate(start as usize);
                continue;
            }
            if row.text.len() > MOST_BYTES {
                return Err(self.xml.too_long());
            }
            row.cells.push(Cell {
                column,
                holds,
                start,
                end,
            });
        }
    }

    /// Reads the content of a cell into `text`, and past its end.
    fn cell(&mut self, head: &Head, text: &mut String) -> Result<Holds, BookError> {
        let start = text.len();
        let (mut formula, mut value) = (None, String::new());
        let mut is_inline = false;
        loop {
            let part = match self.xml.next()? {
                Token::Open(tag) => match tag.name() {
                    "f" => Part::Formula,
                    "is" => Part::Inline,
                    "v" => Part::Value,
                    _ => Part::Other,
                },
                Token::Close => break,
                Token::End => return Err(self.xml.broken("it is cut short")),
                _ => continue,
            };
            match part {
                Part::Formula => self.xml.text(formula.insert(String::from("=")))?,
                Part::Inline => {
                    is_inline = true;
                    rich_text(&mut self.xml, text)?;
                }
                Part::Other => self.xml.skip()?,
                Part::Value => self.xml.text(&mut value)?,
            }
        }
        if let Some(formula) = formula {
            text.truncate(start);
            text.push_str(&formula);
            return Ok(Holds::Formula);
        }
        if is_inline {
            return Ok(Holds::Text);
        }
        let is_date = || {
            let format = self.shared.dates.get(head.style);
            format.copied().unwrap_or(false)
        };
        let (holds, content) = match head.kind {
            Kind::Bool => (Holds::Bool, value.trim()),
            Kind::Error => (Holds::Error, value.trim()),
            Kind::Number if is_date() => (Holds::Day, value.trim()),
            Kind::Number => (Holds::Number, value.trim()),
            // A day as ISO 8601 writes it; at midnight the time says nothing.
            Kind::Iso => (Holds::Text, value.trim().trim_end_matches("T00:00:00")),
            Kind::Shared if value.trim().is_empty() => (Holds::Text, ""),
            Kind::Shared => {
                let index = value.trim().parse().ok();
                let shared = index.and_then(|index| self.shared.string(index));
                let none = || self.xml.broken("a cell names a text that is not there");
                (Holds::Text, shared.ok_or_else(none)?)
            }
            Kind::Text => (Holds::Text, value.as_str()),
            Kind::Unknown => return Err(self.xml.broken("a cell is of an unknown kind")),
        };
        text.push_str(content);
        Ok(holds)
    }
}

enum Part {
    Formula,
    Inline,
    Other,
    Value,
}

/// What a cell says of its content (ECMA-376 part 1, 18.18.11).
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Error,
    Iso,
    Number,
    Shared,
    Text,
    Unknown,
}

struct Head {
    place: Option<String>,
    kind: Kind,
    style: usize,
}

impl Head {
    fn of(tag: &Tag<'_>) -> Self {
        let mut head = Self {
            place: None,
            kind: Kind::Number,
            style: 0,
        };
        for (name, value) in tag.attributes() {
            match name {
                "r" => head.place = Some(value.into_owned()),
                "s" => head.style = value.parse().unwrap_or(usize::MAX),
                "t" => {
                    head.kind = match &*value {
                        "b" => Kind::Bool,
                        "d" => Kind::Iso,
                        "e" => Kind::Error,
                        "inlineStr" | "str" => Kind::Text,
                        "n" => Kind::Number,
                        "s" => Kind::Shared,
                        _ => Kind::Unknown,
                    }
                }
                _ => {}
            }
        }
        head
    }

    /// The column, counted from 0, where it says one that fits.
    fn column(&self, next: u16, row: u32) -> Option<u16> {
        let column = match &self.place {
            None => next,
            Some(place) => {
                let letters = place.find(|c: char| !c.is_ascii_uppercase())?;
                if place[letters..].parse() != Ok(row) || letters > 3 {
                    return None;
                }
                let value = |b: u8| u32::from(b - b'A') + 1;
                let column = place[..letters].bytes().fold(0, |n, b| n * 26 + value(b));
                u16::try_from(column.checked_sub(1)?).ok()?
            }
        };
        (column >= next && column < COLUMNS).then_some(column)
    }
}

/// The name of a column, counted from 0, as spreadsheets show it.
pub(crate) fn column_name(column: u16) -> String {
    let (mut name, mut rest) = (Vec::new(), u32::from(column) + 1);
    while rest > 0 {
        rest -= 1;
        name.insert(0, b'A' + (rest % 26) as u8);
        rest /= 26;
    }
    // Letters from A to Z.
    String::from_utf8_lossy(&name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_as_spreadsheets_do() {
        for (column, name) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (701, "ZZ"),
            (702, "AAA"),
            (16_383, "XFD"),
        ] {
            assert_eq!(column_name(column), name);
            let head = |row: &str| Head {
                place: Some(format!("{name}{row}")),
                kind: Kind::Number,
                style: 0,
            };
            assert_eq!(head("7").column(0, 7), Some(column));
            assert_eq!(head("8").column(0, 7), None);
            assert_eq!(head("7").column(column + 1, 7), None);
        }
    }
}
