//! Bodies of requests, and what answers say.

use creditgate::demo::{BUREAU, loans::Loan};
use serde_json::{Value, json};

/// Lines of JSON Lines.
pub(super) fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A table of loans: a column for each item of the first.
pub(super) fn table(records: &[Value]) -> String {
    let mut columns = Vec::new();
    for (segment, items) in records[0]["data"].as_object().unwrap() {
        for tag in items.as_object().unwrap().keys() {
            columns.push((segment.as_str(), tag.as_str()));
        }
    }
    let head: Vec<String> = columns
        .iter()
        .map(|(segment, tag)| format!("{segment}/{tag}"))
        .collect();
    let mut text = format!("{}\n", head.join(","));
    for record in records {
        let cell = |(segment, tag): &(&str, &str)| {
            let value = &record["data"][*segment][*tag];
            value.as_str().unwrap_or_default().to_owned()
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        text.push_str(&format!("{}\n", cells.join(",")));
    }
    text
}

/// Whose loan it is, as a body names the subject.
pub(super) fn subject(loan: &Loan) -> Value {
    let (number, name) = &loan.borrower;
    json!({"kind": "person", "id_type": "10", "id_number": number, "name": name})
}

/// Its account, as a body names it.
pub(super) fn account(loan: &Loan) -> Value {
    json!({"bureau": BUREAU, "record": "210", "key": [loan.code()]})
}

/// The codes of what a record waits for.
pub(super) fn holds(record: &Value) -> Vec<&str> {
    codes(&record["holds"])
}

/// The codes of what is wrong with a record.
pub(super) fn findings(record: &Value) -> Vec<&str> {
    codes(&record["findings"])
}

fn codes(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.map(|one| one["code"].as_str().unwrap()).collect()
}
