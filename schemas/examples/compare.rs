//! Compares what is embedded with a folder of tables taken from the sources, row by row.
//!
//! `cargo run -p schemas --example compare -- FOLDER`: the folder holds `pboc2-submit-personal`,
//! `pboc2-submit-enterprise` and `plan`. It prints how many rows of each table are loaded, and each
//! row that is not; the exit code is 1 where there is any.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use schemas::classified::Class;
use schemas::coverage::{self, Coverage, RecordCoverage, RuleCoverage};
use schemas::edition::Edition;

type Rows = Vec<BTreeMap<String, String>>;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: compare FOLDER");
        return ExitCode::from(2);
    };
    let folder = Path::new(&folder);
    let day = jiff::civil::date(2024, 6, 1);
    let editions = Edition::FORMATS.map(|format| Edition::embedded(format, day));
    let [Some(personal), Some(enterprise)] = editions else {
        eprintln!("no edition is embedded for {day}");
        return ExitCode::from(2);
    };
    let [persons, enterprises] = [personal, enterprise].map(|it| Coverage::of("", it));
    let mut report = Report::default();
    for (family, own, plans) in [
        ("personal", &persons, &["personal"][..]),
        (
            "enterprise",
            &enterprises,
            &["enterprise", "statements"][..],
        ),
    ] {
        // Record 510 stands in both families and is one: that of enterprises.
        let of = |code: &str| {
            let mut records = own.records.iter().chain(&enterprises.records);
            records.find(|record| record.record == code)
        };
        let official = folder.join(format!("pboc2-submit-{family}"));
        let read = |name: &str| rows(&official.join(name));
        report.table(&format!("{family} records"), &read("records.tsv"), |row| {
            of(&row["code"]).is_some()
        });
        report.table(
            &format!("{family} segments"),
            &read("segments.tsv"),
            |row| {
                let tag = &row["segment_tag"];
                of(&row["record_code"]).is_some_and(|record| {
                    let mut segments = record.segments.iter();
                    segments.any(|it| it.path.rsplit('/').next() == Some(tag))
                        && codes_in(&row["condition"]).all(|code| speaks(own, record, &code))
                })
            },
        );
        report.table(&format!("{family} items"), &read("items.tsv"), |row| {
            of(&row["record_code"]).is_some_and(|record| {
                let path = within(record, &row["segment_path"], &row["tag"]);
                record.items.iter().any(|it| it.path == path)
                    && codes_in(&row["rule_notes"]).all(|code| speaks(own, record, &code))
            })
        });
        let mut lists = read("codes.tsv");
        lists.extend(read("codes_large.tsv"));
        let shared = only_of_510(&read("items.tsv"));
        report.table(&format!("{family} codes"), &lists, |row| {
            let list = &row["code_table_id"];
            let edition = if family == "personal" {
                personal
            } else {
                enterprise
            };
            let known = edition.codes().list(list);
            known.map_or(shared.contains(list), |known| known.contains(&row["code"]))
        });
        report.table(&format!("{family} rules"), &read("rules.tsv"), |row| {
            let (id, code) = (&row["rule_id"], &row["error_code"]);
            let record = of(&row["record_code"]);
            let mut rules: Box<dyn Iterator<Item = &RuleCoverage<'_>>> = match record {
                Some(record) => Box::new(record.rules.iter()),
                None => Box::new(own.rules.iter()),
            };
            rules.any(|rule| {
                let same = rule.rule.rsplit('/').next() == Some(id) || rule.code == code;
                same && rule.class != Class::Unclassified
            })
        });
        for plan in plans {
            let read = |table: &str| rows(&folder.join(format!("plan/{plan}-{table}.tsv")));
            report.table(&format!("plan/{plan}-segments"), &read("segments"), |row| {
                of(&row["record"])
                    .is_some_and(|record| record.segments.iter().any(|it| it.path == row["path"]))
            });
            report.table(&format!("plan/{plan}-items"), &read("items"), |row| {
                of(&row["record"]).is_some_and(|record| {
                    let path = within(record, &row["path"], &row["tag"]);
                    record.items.iter().any(|it| it.path == path)
                })
            });
            let mut left = tally(own, &enterprises);
            report.table(&format!("plan/{plan}-rules"), &read("rules"), |row| {
                let classes: &[Class] = match &*row["kind"] {
                    "expr" => &[Class::Data],
                    "predicate" => &[Class::Predicate],
                    "database" => &[Class::Database],
                    "file" => &[Class::File],
                    _ => &[Class::Data, Class::Unsettled],
                };
                let code = row["code"].trim_start_matches('~');
                let mut found = classes.iter().filter_map(|class| {
                    let key = (&*row["record"], official_id(&row["rule"]), code, *class);
                    let key = (key.0.to_owned(), key.1.to_owned(), key.2.to_owned(), key.3);
                    left.contains_key(&key).then_some(key)
                });
                let Some(key) = found.next() else {
                    return false;
                };
                let count = left.entry(key).or_default();
                let enough = *count > 0;
                *count = count.saturating_sub(1);
                // The tables of 510 are those of enterprises, which count some rules differently.
                enough || (*plan == "personal" && row["record"] == "510")
            });
        }
    }
    let files = coverage::files();
    report.table(
        "plan/file-checks",
        &rows(&folder.join("plan/file-checks.tsv")),
        |row| files.iter().any(|check| check.check == row["check"]),
    );
    report.print()
}

/// How often each rule stands, by record, rule, code and class.
fn tally(
    own: &Coverage<'_>,
    enterprises: &Coverage<'_>,
) -> BTreeMap<(String, String, String, Class), usize> {
    let shared = enterprises.records.iter().filter(|it| it.record == "510");
    let records = own.records.iter().chain(shared);
    let mut counts = BTreeMap::new();
    for rule in records.flat_map(|record| &record.rules).chain(&own.rules) {
        let key = (
            rule.record.to_owned(),
            official_id(rule.rule).to_owned(),
            rule.code.to_owned(),
            rule.class,
        );
        *counts.entry(key).or_default() += 1;
    }
    counts
}

fn official_id(rule: &str) -> &str {
    rule.rsplit('/').next().unwrap_or(rule)
}

/// Whether a code that the prose names is given or classified.
fn speaks(own: &Coverage<'_>, record: &RecordCoverage<'_>, code: &str) -> bool {
    let day = jiff::civil::date(2024, 6, 1);
    let plans = Edition::FORMATS
        .iter()
        .filter_map(|format| Edition::embedded(format, day));
    let mut plans = plans.filter_map(|edition| edition.plan(record.record));
    plans.any(|plan| plan.gives().any(|known| known == code))
        || record
            .rules
            .iter()
            .chain(&own.rules)
            .any(|rule| rule.code == code || rule.by == code)
}

/// The bureau's codes in a text: three capitals and three digits.
fn codes_in(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| {
            let (letters, digits) = word.split_at_checked(3).unwrap_or((word, ""));
            digits.len() == 3
                && letters.bytes().all(|b| b.is_ascii_uppercase())
                && digits.bytes().all(|b| b.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

/// The path of an item from the record element.
fn within(record: &RecordCoverage<'_>, segment: &str, tag: &str) -> String {
    let inside = segment.strip_prefix(record.element);
    let segment = inside
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(segment);
    if segment == record.element || ["", ".", "(record root)"].contains(&segment) {
        tag.to_owned()
    } else {
        format!("{segment}/{tag}")
    }
}

/// The code lists that no record but 510 reads.
fn only_of_510(items: &Rows) -> BTreeSet<String> {
    let lists = |of_510: bool| {
        let rows = items
            .iter()
            .filter(move |row| (row["record_code"] == "510") == of_510);
        rows.flat_map(|row| row["code_table_id"].split([' ', '|', '/', ';']))
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    &lists(true) - &lists(false)
}

fn rows(file: &Path) -> Rows {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let row = |line: &str| {
        let cells = line.split('\t').map(str::to_owned);
        header
            .iter()
            .map(|name| (*name).to_owned())
            .zip(cells)
            .collect()
    };
    lines.filter(|line| !line.is_empty()).map(row).collect()
}

#[derive(Default)]
struct Report {
    lines: Vec<(String, usize, Vec<String>)>,
}

impl Report {
    fn table(
        &mut self,
        name: &str,
        rows: &Rows,
        mut loaded: impl FnMut(&BTreeMap<String, String>) -> bool,
    ) {
        let missing = rows.iter().filter(|row| !loaded(row));
        let missing = missing.map(|row| {
            let cells = row
                .iter()
                .filter(|(name, _)| !["source", "note"].contains(&name.as_str()));
            let cells = cells.map(|(name, cell)| format!("{name}={cell}"));
            cells.collect::<Vec<_>>().join(" ")
        });
        self.lines
            .push((name.to_owned(), rows.len(), missing.collect()));
    }

    fn print(&self) -> ExitCode {
        println!("{:<24} {:>7} {:>7}", "table", "rows", "loaded");
        let mut whole = true;
        for (name, rows, missing) in &self.lines {
            println!("{name:<24} {rows:>7} {:>7}", rows - missing.len());
            for row in missing {
                println!("    missing: {row}");
            }
            whole &= missing.is_empty() && *rows > 0;
        }
        ExitCode::from(u8::from(!whole))
    }
}
