//! What no single record can tell: rows of records that are not there, sources, double rows.

use std::collections::BTreeSet;

use super::layer::Sheet;
use super::{Row, TableError, Tables};

/// Reports rows that nothing would read and cells that nothing stands behind.
pub(super) fn rows(tables: &Tables<'_>, errors: &mut Vec<TableError>) {
    let records: BTreeSet<&str> = tables
        .rows(Sheet::Records)
        .map(|row| row.get("code"))
        .collect();
    for sheet in [Sheet::Segments, Sheet::Items, Sheet::Rules, Sheet::Errors] {
        for row in tables.rows(sheet) {
            let record = row.get("record");
            let family = record == "all" && matches!(sheet, Sheet::Rules | Sheet::Errors);
            if !family && !records.contains(record) {
                errors.push(row.error("record", format!("no record {record:?}")));
            }
        }
    }
    for row in tables.rows(Sheet::Records) {
        if tables.rows_of(Sheet::Items, row.get("code")).is_empty() {
            errors.push(row.error("code", "the record has no items"));
        }
        if !is_name(row.get("element")) {
            errors.push(row.error("element", "must be an element name"));
        }
    }
    for row in tables.rows(Sheet::Items) {
        if !is_name(row.get("tag")) {
            errors.push(row.error("tag", "must be an element name"));
        }
    }
    for sheet in Sheet::ALL {
        for table in tables.of(sheet) {
            let mut seen = BTreeSet::new();
            let columns = sheet.columns().0;
            for row in table.rows() {
                let cells: Vec<&str> = columns.iter().map(|column| row.get(column)).collect();
                if !seen.insert(cells) {
                    errors.push(row.error("", "the same row stands above"));
                }
            }
        }
    }
    sources(tables, errors);
}

fn sources(tables: &Tables<'_>, errors: &mut Vec<TableError>) {
    let known: BTreeSet<&str> = tables
        .rows(Sheet::Sources)
        .map(|row| row.get("id"))
        .collect();
    for sheet in Sheet::ALL {
        if !sheet.columns().1.contains(&"source") {
            continue;
        }
        for row in tables.rows(sheet) {
            errors.extend(provenance(row, &known));
        }
    }
}

fn provenance(row: Row<'_, '_>, known: &BTreeSet<&str>) -> Option<TableError> {
    let unknown = row
        .get("source")
        .split(' ')
        .find(|id| !id.is_empty() && !known.contains(id));
    if let Some(id) = unknown {
        return Some(row.error("source", format!("no source {id}")));
    }
    let confidence = row.get("confidence");
    let fits = ["", "high", "medium", "low"].contains(&confidence);
    (!fits).then(|| row.error("confidence", "high, medium or low"))
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    name.bytes().all(plain) && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::edition::Edition;

    #[test]
    fn the_embedded_edition_compiles_and_is_picked_by_report_date() {
        let day = |text: &str| text.parse().unwrap();
        let edition = Edition::embedded("pboc-submit-personal", day("2024-05-31")).unwrap();
        assert_eq!(edition.plans().len(), 24);
        assert!(edition.plan("510").is_none());
        assert!(Edition::embedded("pboc-submit-personal", day("2020-01-18")).is_none());
        assert!(Edition::embedded("pboc-submit-personal", day("2020-01-19")).is_some());
        assert!(Edition::embedded("unknown", day("2024-05-31")).is_none());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pboc-submit-personal/2020-01-19");
        assert_eq!(Edition::load(&folder).unwrap().plans().len(), 24);
    }
}
