//! Compiles the tables of a dictionary and checks that they agree.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::dictionary::{
    Choice, Dictionary, Element, Form, List, ROOT, SectionRow, Selector, VariableRow, When,
};
use super::value::Kind;
use crate::codes::{Codes, Meaning};
use crate::table::{Row, Table, TableError};

/// The texts of a dictionary's tables.
pub(super) struct Tables<'t> {
    pub(super) units: &'t str,
    pub(super) items: &'t str,
    pub(super) codes: &'t str,
    pub(super) sections: &'t str,
    pub(super) variables: &'t str,
}

impl Dictionary {
    pub(super) fn compile(name: &str, tables: &Tables<'_>) -> Result<Self, TableError> {
        let units = Table::parse("units.tsv", tables.units, &UNIT_COLUMNS, &SOURCES)?;
        let items = Table::parse("items.tsv", tables.items, &ITEM_COLUMNS, &SOURCES)?;
        let codes = Codes::parse("codes.tsv", tables.codes)?;
        let mut list_names = BTreeMap::new();
        let mut lists = Vec::new();
        for (name, list) in codes.lists() {
            list_names.insert(name.to_owned(), lists.len() as u16);
            lists.push(List {
                codes: list.clone(),
                open: list.iter().any(|code| code.code.starts_with('(')),
            });
        }
        let mut dictionary = Self {
            name: name.to_owned(),
            elements: Vec::new(),
            lists,
            list_names,
            sections: Vec::new(),
            variables: Vec::new(),
            by_code: BTreeMap::new(),
        };
        for row in units.rows() {
            let (children, counters) = (Vec::new(), Vec::new());
            let row_level = row.get("level") == "row";
            dictionary.add(
                &row,
                "parent",
                Form::Unit {
                    children,
                    counters,
                    row: row_level,
                },
            )?;
        }
        for row in items.rows() {
            let kind = Kind::named(row.need("kind")?);
            let kind = kind.ok_or_else(|| row.error("kind", "no such kind"))?;
            let length = number(&row, "length")?;
            let (choice, when) = (Choice::None, None);
            dictionary.add(
                &row,
                "unit",
                Form::Item {
                    kind,
                    length,
                    choice,
                    when,
                },
            )?;
        }
        dictionary.order_children();
        for row in items.rows() {
            let compiled = (dictionary.choice(&row)?, dictionary.when(&row)?);
            let element = dictionary.need(&row, "code", row.get("code"))?;
            if let Form::Item { choice, when, .. } =
                &mut dictionary.elements[usize::from(element)].form
            {
                (*choice, *when) = compiled;
            }
        }
        for row in items.rows() {
            dictionary.add_counter(&row)?;
        }
        dictionary.add_sections(tables.sections)?;
        dictionary.add_variables(tables.variables)?;
        Ok(dictionary)
    }

    /// Adds an element below its parent, which must stand before it.
    fn add(&mut self, row: &Row<'_, '_>, above: &str, form: Form) -> Result<(), TableError> {
        let code = row.need("code")?;
        let index = self.elements.len() as u16;
        let parent = match row.get(above) {
            "" if index == ROOT => ROOT,
            parent => self.need(row, above, parent)?,
        };
        if index != ROOT {
            match &mut self.elements[usize::from(parent)].form {
                Form::Unit { children, .. } => children.push(index),
                Form::Item { .. } => return Err(row.error(above, "must be a unit")),
            }
        }
        let max = match row.need("max")? {
            "*" => u32::MAX,
            _ => number(row, "max")?,
        };
        self.elements.push(Element {
            code: code.to_owned(),
            parent,
            order: number(row, "order")?,
            zh: row.need("zh")?.to_owned(),
            en: row.need("en")?.to_owned(),
            min: number(row, "min")?,
            max,
            form,
        });
        match self.by_code.insert(code.to_owned(), index) {
            Some(_) => Err(row.error("code", "stands twice")),
            None => Ok(()),
        }
    }

    /// Items first, then units, each by its order.
    fn order_children(&mut self) {
        let key = |element: &Element| (matches!(element.form, Form::Unit { .. }), element.order);
        let keys: Vec<_> = self.elements.iter().map(key).collect();
        for element in &mut self.elements {
            if let Form::Unit { children, .. } = &mut element.form {
                children.sort_by_key(|child| keys[usize::from(*child)]);
            }
        }
    }

    /// Reads the column `codes` of an item; see [`Dictionary`] for its forms.
    fn choice(&self, row: &Row<'_, '_>) -> Result<Choice, TableError> {
        let text = row.get("codes");
        let list = |name: &str| {
            let list = self.list_names.get(name).copied();
            list.ok_or_else(|| row.error("codes", format_args!("no list {name}")))
        };
        if let Some((prefix, selector)) = text.split_once('{') {
            let selector = self.need(row, "codes", selector.trim_end_matches('}'))?;
            let case = |value: Meaning<'_>| {
                let list = list(&format!("{prefix}{}", value.code))?;
                Ok((value.code.to_owned(), list))
            };
            return match &self.at(selector).form {
                Form::Item {
                    choice: Choice::List(values),
                    ..
                } => {
                    let values = self.lists[usize::from(*values)].codes.iter();
                    self.by(row, selector, values.map(case).collect::<Result<_, _>>()?)
                }
                _ => Err(row.error("codes", "the item in braces needs a list, in a row above")),
            };
        }
        if text.contains('?') {
            let mut cases = Vec::new();
            let mut selector = ROOT;
            for case in text.split('|') {
                let parts = case.split_once('?');
                let parts = parts.and_then(|(name, test)| Some((name, test.split_once('=')?)));
                let Some((name, (tested, value))) = parts else {
                    return Err(row.error("codes", "must be List?Item=value, parted by |"));
                };
                selector = self.need(row, "codes", tested)?;
                cases.push((value.to_owned(), list(name)?));
            }
            return self.by(row, selector, cases);
        }
        Ok(match text {
            "" => Choice::None,
            name => Choice::List(list(name)?),
        })
    }

    /// Reads the column `when` of an item: `Item=A,B`.
    fn when(&self, row: &Row<'_, '_>) -> Result<Option<When>, TableError> {
        let Some((item, values)) = row.get("when").split_once('=') else {
            return match row.get("when") {
                "" => Ok(None),
                _ => Err(row.error("when", "must be Item=value, values parted by commas")),
            };
        };
        let selector = self.selector(row, self.need(row, "when", item)?)?;
        let values = values.split(',').map(str::to_owned).collect();
        Ok(Some(When { selector, values }))
    }

    /// Reads the column `counts` of an item: an element beside it.
    fn add_counter(&mut self, row: &Row<'_, '_>) -> Result<(), TableError> {
        let counted = match row.get("counts") {
            "" => return Ok(()),
            code => self.need(row, "counts", code)?,
        };
        let item = self.need(row, "code", row.get("code"))?;
        let unit = self.at(item).parent;
        if self.at(counted).parent != unit {
            return Err(row.error("counts", "must stand in the same unit"));
        }
        if let Form::Unit { counters, .. } = &mut self.elements[usize::from(unit)].form {
            counters.push((item, counted));
        }
        Ok(())
    }

    fn by(
        &self,
        row: &Row<'_, '_>,
        selector: u16,
        cases: Vec<(String, u16)>,
    ) -> Result<Choice, TableError> {
        let selector = self.selector(row, selector)?;
        Ok(Choice::By { selector, cases })
    }

    /// The way from the item of `row` to another by the nearest unit above both.
    fn selector(&self, row: &Row<'_, '_>, selected: u16) -> Result<Selector, TableError> {
        let item = self.need(row, "code", row.get("code"))?;
        let chain = |element: u16| -> Vec<u16> {
            let parent = |unit: &u16| (*unit != ROOT).then(|| self.at(*unit).parent);
            std::iter::successors(Some(element), parent).collect()
        };
        let above = chain(self.at(item).parent);
        let mut path = chain(selected);
        let shared = path.iter().position(|element| above.contains(element));
        // The root is above every element.
        let shared = shared.unwrap_or(path.len() - 1);
        let within = path[shared];
        path.truncate(shared);
        path.reverse();
        Ok(Selector { within, path })
    }

    fn add_sections(&mut self, text: &str) -> Result<(), TableError> {
        let table = Table::parse("sections.tsv", text, &SECTION_COLUMNS, &SOURCES)?;
        for row in table.rows() {
            let place = |id: &str| self.sections.iter().position(|section| section.id == id);
            let parent = match row.get("parent") {
                "" => None,
                id => Some(place(id).ok_or_else(|| row.error("parent", "no section above"))?),
            };
            let units = row.get("units").split(',').filter(|code| !code.is_empty());
            let units = units.map(|code| self.need(&row, "units", code));
            let when = match row.get("when").split_once('=') {
                Some((item, value)) => Some((self.need(&row, "when", item)?, value.to_owned())),
                None => None,
            };
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

    fn add_variables(&mut self, text: &str) -> Result<(), TableError> {
        let table = Table::parse("variables.tsv", text, &VARIABLE_COLUMNS, &SOURCES)?;
        for row in table.rows() {
            row.need("formula")?;
            for code in row.need("elements")?.split(';') {
                self.need(&row, "elements", code)?;
            }
            self.variables.push(VariableRow {
                name: row.need("name")?.to_owned(),
                zh: row.need("zh")?.to_owned(),
                en: row.need("en")?.to_owned(),
            });
        }
        Ok(())
    }

    fn need(&self, row: &Row<'_, '_>, column: &str, code: &str) -> Result<u16, TableError> {
        let element = self.find(code);
        element.ok_or_else(|| row.error(column, format_args!("no element {code}")))
    }
}

fn number<T: FromStr>(row: &Row<'_, '_>, column: &str) -> Result<T, TableError> {
    row.need(column)?
        .parse()
        .map_err(|_| row.error(column, "must be a number"))
}

const UNIT_COLUMNS: [&str; 8] = ["code", "parent", "level", "order", "min", "max", "zh", "en"];
const ITEM_COLUMNS: [&str; 12] = [
    "code", "unit", "order", "kind", "length", "min", "max", "when", "counts", "codes", "zh", "en",
];
const SECTION_COLUMNS: [&str; 7] = ["section", "parent", "numbered", "zh", "en", "units", "when"];
const VARIABLE_COLUMNS: [&str; 6] = ["name", "kind", "zh", "en", "formula", "elements"];
const SOURCES: [&str; 3] = ["notes", "source", "confidence"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_table_is_refused_with_its_place() {
        let cases = [
            (
                "no parent",
                "I\tX\t1\ttext\t1\t1\t1\t\t\t\t甲\ta\n",
                "column unit: no element X",
            ),
            (
                "no list",
                "I\tD\t1\tcode\t1\t1\t1\t\t\tL\t甲\ta\n",
                "column codes: no list L",
            ),
            (
                "no kind",
                "I\tD\t1\tcolor\t1\t1\t1\t\t\t\t甲\ta\n",
                "column kind: no such kind",
            ),
            (
                "no selector",
                "I\tD\t1\tcode\t1\t1\t1\t\t\tL?J=1\t甲\ta\n",
                "column codes: no element J",
            ),
            (
                "twice",
                "D\tD\t1\ttext\t1\t1\t1\t\t\t\t甲\ta\n",
                "column code: stands twice",
            ),
        ];
        for (name, item, expected) in cases {
            let tables = Tables {
                units: &format!(
                    "{}\nD\t\troot\t0\t1\t1\t根\troot\n",
                    UNIT_COLUMNS.join("\t")
                ),
                items: &format!("{}\n{item}", ITEM_COLUMNS.join("\t")),
                codes: "list\tcode\tzh\ten\n",
                sections: &SECTION_COLUMNS.join("\t"),
                variables: &VARIABLE_COLUMNS.join("\t"),
            };
            let error = Dictionary::compile("x", &tables).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("items.tsv, line 2, {expected}"),
                "case {name}"
            );
        }
    }
}
