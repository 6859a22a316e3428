//! What is compared between two reports of one subject.

use super::SOURCES;
use crate::report::compare::{Area, Measure, Order};
use crate::report::dictionary::{AreaRow, Dictionary};
use crate::table::{Row, Table, TableError};

impl Dictionary {
    pub(super) fn add_areas(&mut self, text: &str) -> Result<(), TableError> {
        let table = Table::parse("comparison.tsv", text, &AREA_COLUMNS, &SOURCES)?;
        for row in table.rows() {
            let area = Area::named(row.need("area")?);
            let area = area.ok_or_else(|| row.error("area", "no such area"))?;
            let leaves = match row.need("leaves")? {
                "yes" => true,
                "no" => false,
                _ => return Err(row.error("leaves", "must be yes or no")),
            };
            self.areas.push(AreaRow {
                area,
                unit: self.need(&row, "unit", row.need("unit")?)?,
                only: self.tests(&row, "only")?,
                key: self.item_list(&row, "key")?,
                hints: self.item_list(&row, "hints")?,
                closed: self.tests(&row, "closed")?,
                leaves,
                measures: self.measures(&row)?,
            });
        }
        Ok(())
    }

    fn item_list(&self, row: &Row<'_, '_>, column: &str) -> Result<Vec<u16>, TableError> {
        let codes = row.get(column).split(';').filter(|code| !code.is_empty());
        codes
            .map(|code| self.need_item(row, column, code))
            .collect()
    }

    /// Reads `Item+`, `Item-`, `Item~`, `Item:class`, `Item:mark`, `Item!A,B`.
    fn measures(&self, row: &Row<'_, '_>) -> Result<Vec<Measure>, TableError> {
        let measures = row.get("measures").split(';').filter(|one| !one.is_empty());
        let compiled = measures.map(|one| {
            let end = one.find(['+', '-', '~', ':', '!']);
            let (item, order) = one.split_at(end.unwrap_or(one.len()));
            let order = match order {
                "+" => Order::MoreIsWorse,
                "-" => Order::MoreIsBetter,
                "~" => Order::Neither,
                ":class" => Order::Class,
                ":mark" => Order::Mark,
                codes => match codes.strip_prefix('!') {
                    Some(codes) => Order::Bad(codes.split(',').map(str::to_owned).collect()),
                    None => return Err(row.error("measures", "no such order")),
                },
            };
            let item = self.need_item(row, "measures", item)?;
            Ok(Measure { item, order })
        });
        compiled.collect()
    }
}

pub(super) const AREA_COLUMNS: [&str; 8] = [
    "area", "unit", "only", "key", "hints", "closed", "leaves", "measures",
];
