//! Compiles the tables of a dictionary and checks that they agree.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::confidence::Confidence;
use super::dictionary::{
    Choice, Dictionary, Element, Form, Head, Level, ROOT, Selector, Test, When,
};
use super::value::Kind;
use crate::table::{Row, Table, TableError};

mod comparison;
mod lists;
mod parts;

/// The texts of a dictionary's tables.
pub(super) struct Tables<'t> {
    pub(super) units: &'t str,
    pub(super) items: &'t str,
    pub(super) codes: &'t str,
    pub(super) head: &'t str,
    pub(super) sections: &'t str,
    pub(super) variables: &'t str,
    pub(super) comparison: &'t str,
}

impl Dictionary {
    pub(super) fn compile(name: &str, tables: &Tables<'_>) -> Result<Self, TableError> {
        let units = Table::parse("units.tsv", tables.units, &UNIT_COLUMNS, &SOURCES)?;
        let items = Table::parse("items.tsv", tables.items, &ITEM_COLUMNS, &SOURCES)?;
        let mut dictionary = Self {
            name: name.to_owned(),
            elements: Vec::new(),
            lists: Vec::new(),
            list_names: BTreeMap::new(),
            head: Head::default(),
            sections: Vec::new(),
            variables: Vec::new(),
            areas: Vec::new(),
            by_code: BTreeMap::new(),
        };
        dictionary.add_lists(tables.codes)?;
        for row in units.rows() {
            let level = match row.need("level")? {
                "cross" => Level::Cross,
                "month" => Level::Month,
                "row" => Level::Row,
                "root" | "container" | "unit" | "segment" => Level::Plain,
                _ => return Err(row.error("level", "no such level")),
            };
            let (children, counters) = (Vec::new(), Vec::new());
            dictionary.add(
                &row,
                "parent",
                Form::Unit {
                    children,
                    counters,
                    level,
                },
            )?;
        }
        for row in items.rows() {
            let kind = Kind::named(row.need("kind")?);
            let kind = kind.ok_or_else(|| row.error("kind", "no such kind"))?;
            let length = match row.need("length")? {
                "*" => usize::MAX,
                _ => number(&row, "length")?,
            };
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
            dictionary.add_merged(&row)?;
        }
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
        dictionary.add_head(tables.head)?;
        dictionary.add_sections(tables.sections)?;
        dictionary.add_variables(tables.variables)?;
        dictionary.add_areas(tables.comparison)?;
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
            confidence: confidence(row)?,
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

    /// Reads tests of items: `A=1,2;B!=3;C=*`.
    fn tests(&self, row: &Row<'_, '_>, column: &str) -> Result<Vec<Test>, TableError> {
        let tests = row.get(column).split(';').filter(|test| !test.is_empty());
        let compiled = tests.map(|test| {
            let wrong = || row.error(column, "must be Item=A,B or Item!=A,B, parted by ;");
            let (item, values) = test.split_once('=').ok_or_else(wrong)?;
            let (item, holds) = match item.strip_suffix('!') {
                Some(item) => (item, false),
                None => (item, true),
            };
            let values = match values {
                "" => return Err(wrong()),
                "*" => Vec::new(),
                values => values.split(',').map(str::to_owned).collect(),
            };
            Ok(Test {
                item: self.need_item(row, column, item)?,
                holds,
                values,
            })
        });
        compiled.collect()
    }

    fn need_item(&self, row: &Row<'_, '_>, column: &str, code: &str) -> Result<u16, TableError> {
        let element = self.need(row, column, code)?;
        match self.at(element).form {
            Form::Item { .. } => Ok(element),
            Form::Unit { .. } => Err(row.error(column, format_args!("{code} is no item"))),
        }
    }

    fn need(&self, row: &Row<'_, '_>, column: &str, code: &str) -> Result<u16, TableError> {
        let element = self.find(code);
        element.ok_or_else(|| row.error(column, format_args!("no element {code}")))
    }
}

/// What the column `confidence` says; a table without it is taken for sure.
fn confidence(row: &Row<'_, '_>) -> Result<Confidence, TableError> {
    match row.get("confidence") {
        "" => Ok(Confidence::High),
        name => Confidence::named(name)
            .ok_or_else(|| row.error("confidence", "must be high, medium or low")),
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
                head: &parts::HEAD_COLUMNS.join("\t"),
                sections: &parts::SECTION_COLUMNS.join("\t"),
                variables: &parts::VARIABLE_COLUMNS.join("\t"),
                comparison: &comparison::AREA_COLUMNS.join("\t"),
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
