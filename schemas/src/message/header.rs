//! The header lines of batch files: fields at fixed places.

use std::fmt;
use std::sync::LazyLock;

use crate::table::{Row, Table, TableError};
use crate::text::Label;

/// The header line of one type of file.
#[derive(Debug)]
pub struct Header {
    name: &'static str,
    fields: Vec<HeaderField>,
}

/// One field of a header line.
#[derive(Debug)]
pub struct HeaderField {
    /// Its name: `institution`.
    pub name: &'static str,
    /// Label.
    pub label: Label<'static>,
    /// Characters that it takes.
    pub length: usize,
    /// Digits only.
    pub digits: bool,
    /// The only value it may have.
    pub fixed: Option<&'static str>,
}

/// Why a line is no such header. Names the field, never its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeaderError {
    /// The field; empty where the line has another length.
    pub field: &'static str,
}

impl Header {
    /// The header of a type of file: `D501`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|header| header.name == name)
    }

    /// The fields in their order.
    #[must_use]
    pub fn fields(&self) -> &[HeaderField] {
        &self.fields
    }

    /// Characters of the line, without its end.
    #[must_use]
    pub fn length(&self) -> usize {
        self.fields.iter().map(|field| field.length).sum()
    }

    /// The line, without its end, from the values of the fields that are not
    /// fixed. Digits are filled with zeros on the left, nothing else is filled.
    ///
    /// # Errors
    ///
    /// The first field whose value does not fit.
    pub fn write<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<String, HeaderError> {
        let mut line = String::with_capacity(self.length());
        for field in &self.fields {
            let given = field.fixed.or_else(|| value(field.name));
            let text = given.unwrap_or_default();
            let fits = if field.digits {
                !text.is_empty() && text.len() <= field.length
            } else {
                text.len() == field.length
            };
            if !fits || !field.admits(text) {
                return Err(HeaderError { field: field.name });
            }
            line.extend(std::iter::repeat_n('0', field.length - text.len()));
            line.push_str(text);
        }
        Ok(line)
    }

    /// The fields of a line without its end, by name.
    ///
    /// # Errors
    ///
    /// Another length, or the first field that is not as the table says.
    pub fn read<'l>(&self, line: &'l str) -> Result<Vec<(&'static str, &'l str)>, HeaderError> {
        if line.len() != self.length() || !line.is_ascii() {
            return Err(HeaderError { field: "" });
        }
        let mut rest = line;
        let mut values = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let (value, after) = rest.split_at(field.length);
            if !field.admits(value) || field.fixed.is_some_and(|fixed| fixed != value) {
                return Err(HeaderError { field: field.name });
            }
            values.push((field.name, value));
            rest = after;
        }
        Ok(values)
    }
}

impl HeaderField {
    fn admits(&self, text: &str) -> bool {
        let fits = |byte: u8| match self.digits {
            true => byte.is_ascii_digit(),
            false => byte.is_ascii_graphic(),
        };
        text.bytes().all(fits)
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            "" => f.write_str("the header line has another length, or is not ASCII"),
            field => write!(f, "the field {field} of the header line is not as mandated"),
        }
    }
}

impl std::error::Error for HeaderError {}

static ALL: LazyLock<Vec<Header>> = LazyLock::new(|| {
    // The table is part of the program, and a test compiles it.
    compile().expect("headers.tsv")
});

fn compile() -> Result<Vec<Header>, TableError> {
    let text = include_str!("../../pboc-query-personal/headers.tsv");
    let columns = [
        "header",
        "order",
        "field",
        "length",
        "kind",
        "fixed",
        "zh",
        "en",
        "source",
        "confidence",
    ];
    let table = Table::parse("headers.tsv", text, &columns, &["notes"])?;
    let mut headers: Vec<Header> = Vec::new();
    for row in table.rows() {
        let name = row.need("header")?;
        let field = field(&row)?;
        match headers.last_mut().filter(|last| last.name == name) {
            Some(last) => last.fields.push(field),
            None => headers.push(Header {
                name,
                fields: vec![field],
            }),
        }
    }
    Ok(headers)
}

fn field(row: &Row<'_, 'static>) -> Result<HeaderField, TableError> {
    let length = row.need("length")?.parse();
    Ok(HeaderField {
        name: row.need("field")?,
        label: Label {
            zh: row.need("zh")?,
            en: row.need("en")?,
        },
        length: length.map_err(|_| row.error("length", "must be a number"))?,
        digits: match row.need("kind")? {
            "digits" => true,
            "text" => false,
            _ => return Err(row.error("kind", "must be digits or text")),
        },
        fixed: Some(row.get("fixed")).filter(|fixed| !fixed.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(field: &str) -> Option<&'static str> {
        Some(match field {
            "institution" => "Z99990000H0001",
            "time" => "20260316100500",
            "count" => "2",
            _ => return None,
        })
    }

    #[test]
    fn a_header_line_is_read_back_as_it_was_written() {
        let header = Header::named("D501").unwrap();
        let line = header.write(request).unwrap();
        assert_eq!(line, "A2.0.0Z99990000H000120260316100500D501000020000000");
        assert_eq!((line.len(), header.length()), (50, 50));
        let fields = header.read(&line).unwrap();
        assert!(fields.contains(&("count", "00002")));
        assert_eq!(Header::named("D502").unwrap().length(), 73);
        assert!(Header::named("D999").is_none());
    }

    #[test]
    fn every_place_of_a_header_line_is_checked() {
        let header = Header::named("D501").unwrap();
        let line = header.write(request).unwrap();
        for (at, wrong, field) in [
            (0, "B", "start_flag"),
            (1, "1", "version"),
            (6, " ", "institution"),
            (20, "x", "time"),
            (34, "F", "type"),
            (38, "x", "count"),
            (49, "1", "reserved"),
        ] {
            let mut other = line.clone();
            other.replace_range(at..at + 1, wrong);
            assert_eq!(header.read(&other), Err(HeaderError { field }), "{at}");
        }
        for other in [&line[1..], &format!("{line}0"), "测", ""] {
            assert_eq!(header.read(other), Err(HeaderError { field: "" }));
        }
        let short = |field: &str| match field {
            "institution" => Some("Z9"),
            other => request(other),
        };
        let error = header.write(short).unwrap_err();
        assert_eq!(error.field, "institution");
    }
}
