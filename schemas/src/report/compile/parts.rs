//! Head, sections and variables of a dictionary.

use super::{SOURCES, confidence};
use crate::report::dictionary::{Dictionary, SectionRow, VariableRow};
use crate::table::{Row, Table, TableError};

impl Dictionary {
    pub(super) fn add_head(&mut self, text: &str) -> Result<(), TableError> {
        let table = Table::parse("head.tsv", text, &HEAD_COLUMNS, &SOURCES)?;
        for row in table.rows() {
            let item = || self.need_item(&row, "items", row.need("items")?);
            let both = || Ok((row.need("zh")?.to_owned(), row.need("en")?.to_owned()));
            match row.need("key")? {
                "made" => self.head.made = item()?,
                "number" => self.head.number = item()?,
                "name" => self.head.name = item()?,
                "subject" => self.head.subject = Some(self.identity(&row)?),
                "id" => self.head.ids.push(self.identity(&row)?),
                "title" => self.head.title = both()?,
                "note" => self.head.notes.push(both()?),
                _ => {
                    return Err(row.error(
                        "key",
                        "must be made, number, name, subject, id, title or note",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Kind and number of an identity, in one unit.
    fn identity(&self, row: &Row<'_, '_>) -> Result<[u16; 2], TableError> {
        let pair = row.need("items")?.split_once(';');
        let (kind, number) = pair.ok_or_else(|| row.error("items", "must be kind;number"))?;
        let kind = self.need_item(row, "items", kind)?;
        let number = self.need_item(row, "items", number)?;
        if self.at(kind).parent != self.at(number).parent {
            return Err(row.error("items", "must stand in one unit"));
        }
        Ok([kind, number])
    }

    pub(super) fn add_sections(&mut self, text: &str) -> Result<(), TableError> {
        let table = Table::parse("sections.tsv", text, &SECTION_COLUMNS, &SOURCES)?;
        for row in table.rows() {
            let place = |id: &str| self.sections.iter().position(|section| section.id == id);
            let parent = match row.get("parent") {
                "" => None,
                id => Some(place(id).ok_or_else(|| row.error("parent", "no section above"))?),
            };
            let units = row.get("units").split(',').filter(|code| !code.is_empty());
            let units = units.map(|code| self.need(&row, "units", code));
            let when = self.tests(&row, "when")?;
            let section = SectionRow {
                id: row.need("section")?.to_owned(),
                parent,
                numbered: row.need("numbered")? == "yes",
                zh: row.need("zh")?.to_owned(),
                en: row.need("en")?.to_owned(),
                units: units.collect::<Result<_, _>>()?,
                when,
            };
            self.sections.push(section);
        }
        Ok(())
    }

    pub(super) fn add_variables(&mut self, text: &str) -> Result<(), TableError> {
        let table = Table::parse("variables.tsv", text, &VARIABLE_COLUMNS, &SOURCES)?;
        for row in table.rows() {
            row.need("formula")?;
            for code in row
                .get("elements")
                .split(';')
                .filter(|code| !code.is_empty())
            {
                self.need(&row, "elements", code)?;
            }
            self.variables.push(VariableRow {
                name: row.need("name")?.to_owned(),
                kind: row.need("kind")?.to_owned(),
                zh: row.need("zh")?.to_owned(),
                en: row.need("en")?.to_owned(),
                confidence: confidence(&row)?,
            });
        }
        Ok(())
    }
}

pub(super) const HEAD_COLUMNS: [&str; 4] = ["key", "items", "zh", "en"];
pub(super) const SECTION_COLUMNS: [&str; 7] =
    ["section", "parent", "numbered", "zh", "en", "units", "when"];
pub(super) const VARIABLE_COLUMNS: [&str; 6] = ["name", "kind", "zh", "en", "formula", "elements"];
