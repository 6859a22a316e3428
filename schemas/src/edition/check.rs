//! What no single record can tell: rows of records that are not there, sources, double rows.

use std::collections::{BTreeMap, BTreeSet};

use super::layer::Sheet;
use crate::duty::Forbidden;

use super::{Row, TableError, Tables};

/// Reports rows that nothing would read and cells that nothing stands behind.
pub(super) fn rows(tables: &Tables<'_>, errors: &mut Vec<TableError>) {
    let records: BTreeSet<&str> = tables
        .rows(Sheet::Records)
        .map(|row| row.get("code"))
        .collect();
    for sheet in [
        Sheet::Segments,
        Sheet::Items,
        Sheet::Rules,
        Sheet::Readings,
        Sheet::Classified,
        Sheet::Errors,
        Sheet::Negative,
        Sheet::Restricted,
        Sheet::Roles,
    ] {
        for row in tables.rows(sheet) {
            let record = row.get("record");
            let family = record == "all"
                && matches!(sheet, Sheet::Classified | Sheet::Rules | Sheet::Errors);
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
    for row in tables.rows(Sheet::Errors) {
        errors.extend(
            ["code", "rule", "zh", "en"]
                .iter()
                .filter_map(|c| row.need(c).err()),
        );
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
    settings(tables, errors);
    out_of_reach(tables, errors);
    sources(tables, errors);
}

/// Every key of the edition is one that something reads.
fn settings(tables: &Tables<'_>, errors: &mut Vec<TableError>) {
    const KEYS: [&str; 9] = [
        "first_day",
        "root",
        "unknown_code",
        "range_code",
        "counter_code",
        "country_list",
        "type_item",
        "off",
        "subjects",
    ];
    let conflicts: BTreeSet<&str> = tables
        .rows(Sheet::Conflicts)
        .map(|row| row.get("conflict"))
        .collect();
    for row in tables.rows(Sheet::Edition) {
        let key = row.get("key");
        if !KEYS.contains(&key) && !conflicts.contains(key) {
            errors.push(row.error("key", "nothing reads this key"));
        }
    }
    for row in tables.rows(Sheet::Readings) {
        if !conflicts.contains(row.get("conflict")) {
            errors.push(row.error("conflict", "no such conflict"));
        }
    }
}

/// A condition adds nothing beside one that always holds at the same price.
fn out_of_reach(tables: &Tables<'_>, errors: &mut Vec<TableError>) {
    let pairs = [
        (Sheet::Segments, "required_when", "required_code"),
        (Sheet::Segments, "forbidden_when", "forbidden_code"),
        (Sheet::Items, "tag_when", "tag_code"),
        (Sheet::Items, "tag_forbidden_when", "tag_forbidden_code"),
        (Sheet::Items, "value_when", "value_code"),
    ];
    for (sheet, when, code) in pairs {
        for table in tables.of(sheet) {
            let key = |row: Row<'_, '_>| {
                ["record", "path", "tag"].map(|column| row.get(column).to_owned())
            };
            let always = table.rows().filter(|row| row.get(when) == "always");
            let always: BTreeMap<_, _> = always
                .map(|row| ((key(row), row.get(code)), row.line()))
                .collect();
            for row in table.rows().filter(|row| !row.get(when).is_empty()) {
                match always.get(&(key(row), row.get(code))) {
                    Some(line) if *line != row.line() => {
                        errors.push(row.error(when, format!("out of reach beside line {line}")));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The forbidden names of all layers, none of which an item may bear (CRR Art 14(1)).
pub(super) fn forbidden(tables: &Tables<'_>, errors: &mut Vec<TableError>) -> Vec<Forbidden> {
    let mut forbidden = Vec::new();
    for row in tables.rows(Sheet::Forbidden) {
        match Forbidden::parse(row) {
            Ok(name) => forbidden.push(name),
            Err(error) => errors.push(error),
        }
    }
    for row in tables.rows(Sheet::Items) {
        for column in ["tag", "zh", "en"] {
            if forbidden.iter().any(|name| name.is_in(row.get(column))) {
                errors.push(row.error(column, "such information must not be collected"));
            }
        }
    }
    forbidden
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
    use std::collections::BTreeSet;
    use std::path::Path;

    use crate::edition::Edition;

    fn personal() -> &'static Edition {
        let day = "2024-05-31".parse().unwrap();
        Edition::embedded("pboc-submit-personal", day).unwrap()
    }

    #[test]
    fn the_embedded_edition_compiles_and_is_picked_by_report_date() {
        let on = |day: &str| Edition::embedded("pboc-submit-personal", day.parse().unwrap());
        assert!(on("2020-01-18").is_none());
        assert_eq!(on("2020-01-19").unwrap().plans().len(), 24);
        assert!(Edition::embedded("unknown", "2024-05-31".parse().unwrap()).is_none());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pboc-submit-personal/2020-01-19");
        assert_eq!(Edition::load(&folder).unwrap().plans().len(), 24);
    }

    #[test]
    fn every_code_list_is_read_by_some_item() {
        let edition = personal();
        let used: BTreeSet<&str> = edition
            .plans()
            .flat_map(|plan| plan.lists.0.iter().map(|(name, _)| &**name))
            .collect();
        let unread: Vec<&str> = edition
            .codes()
            .lists()
            .map(|(name, _)| name)
            .filter(|l| !used.contains(l))
            .collect();
        assert_eq!(unread, [""; 0]);
    }

    #[test]
    fn every_error_code_of_a_plan_has_its_official_text() {
        let edition = personal();
        for plan in edition.plans() {
            for code in plan.gives() {
                let known = edition.official(code).next().is_some();
                assert!(known, "record {} gives {code}", plan.code());
            }
        }
    }
}
