//! Two readings of the same tables: what the desk refuses in a record, the
//! `schemas` crate must find, too. Neither shares code with the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use schemas::{
    edition::Edition,
    validate::{FileHeader, Severity},
};

use crate::desk_samples::{answer, door, sample};

/// The codes that only the bureau's database gives, and that of a key twice in a file.
fn database_codes() -> BTreeSet<String> {
    let table = "../schemas/pboc-submit-personal/2020-01-19/errors.tsv";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(table);
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|row| row.contains("load (needs"));
    let codes = rows.map(|row| row.split('\t').next().unwrap().to_owned());
    codes.chain(["ABR002".to_owned()]).collect()
}

/// The record with one item changed, for each item: left out, emptied, there
/// twice, or with another value.
fn mutants(record: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in record.match_indices("</") {
        let open = record[..at].rfind('>').unwrap() + 1;
        let end = at + record[at..].find('>').unwrap() + 1;
        let tag = &record[at + 2..end - 1];
        let start = open.saturating_sub(tag.len() + 2);
        if record.get(start..open) != Some(&format!("<{tag}>")) {
            // The end of a segment.
            continue;
        }
        let mut put = |text: &str| {
            found.push(format!("{}{text}{}", &record[..start], &record[end..]));
        };
        put("");
        put(&record[start..end].repeat(2));
        for value in [
            "",
            "0",
            "2",
            "X",
            "99",
            "2024-05-30",
            "2099-12-31",
            "测试",
            "&amp;",
        ] {
            put(&format!("<{tag}>{value}</{tag}>"));
        }
        put(&format!("<{tag}>{}</{tag}>", "9".repeat(90)));
    }
    found
}

/// The codes of the schemas crate that stop a record.
fn stops(code: &str, line: &str) -> BTreeSet<String> {
    let day = "2026-06-01".parse().unwrap();
    let edition = Edition::embedded("pboc-submit-personal", day).unwrap();
    let plan = edition.plan(code).unwrap();
    let header = FileHeader {
        date: day,
        record: code.to_owned(),
        org: crate::parcel::ORG.to_owned(),
        template: if code == "110" { "10" } else { "  " }.to_owned(),
    };
    match plan.read(line.as_bytes()) {
        Ok(record) => {
            let findings = plan.validate(&record, &header).into_iter();
            let errors = findings.filter(|it| it.severity == Severity::Error);
            errors.map(|it| it.code).collect()
        }
        Err(error) => [plan.unreadable(&error).code].into(),
    }
}

#[tokio::test]
async fn what_the_desk_refuses_the_schemas_find_too() {
    let door = door().await;
    let by_database = database_codes();
    let samples = [
        "110",
        "120",
        "130",
        "140",
        "210",
        "210-c1",
        "210-d1-special",
        "210-r2",
        "212",
        "212-d",
        "213",
        "215",
        "220",
        "222",
        "230",
        "232",
        "211",
        "214",
    ];
    let mut quarrels: BTreeMap<String, String> = BTreeMap::new();
    let mut refused = 0;
    for (serial, name) in (1..).zip(samples) {
        let code = &name[..3];
        let lines = mutants(sample(name).trim());
        for (line, codes) in answer(&door, code, serial, &lines).await {
            let codes: BTreeSet<_> = codes.into_iter().collect();
            if codes.is_subset(&by_database) {
                continue;
            }
            refused += 1;
            let theirs = stops(code, &lines[line]);
            if !codes.iter().all(|code| theirs.contains(code)) {
                let key = format!("{name}: {codes:?} {theirs:?}");
                quarrels.insert(key, lines[line].clone());
            }
        }
    }
    for (quarrel, line) in &quarrels {
        println!("{quarrel}\n    {line}");
    }
    assert!(refused > 1000, "{refused}");
    assert_eq!(quarrels.len(), 0);
}
