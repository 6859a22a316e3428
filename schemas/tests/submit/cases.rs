//! Whole editions: their samples, ten refused changes of each record type, and what comes of
//! records that satisfy the rules.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use schemas::edition::Edition;
use schemas::plan::RecordPlan;
use schemas::record::Record;

use crate::case;
use crate::generate::Choices;
use crate::sound::{seeds, sound};
use crate::support::codes;

const EDITIONS: [&str; 2] = ["personal", "enterprise"];

fn edition(name: &str) -> &'static Edition {
    let day = jiff::civil::date(2026, 11, 24);
    Edition::embedded(&format!("pboc-submit-{name}"), day).unwrap()
}

/// What a line is answered with, whether it can be read or not.
fn answer(plan: &RecordPlan, line: &str) -> Vec<String> {
    match plan.read(line.as_bytes()) {
        Ok(record) => codes(&plan.validate(&record, &case::header(plan.code()))),
        Err(error) => vec![plan.unreadable(&error).code],
    }
}

#[test]
fn all_synthetic_samples_are_here_and_in_order() {
    let mut counts = Vec::new();
    for name in EDITIONS {
        let mut count = 0;
        for entry in
            std::fs::read_dir(case::testdata().join(format!("pboc-submit-{name}"))).unwrap()
        {
            let path = entry.unwrap().path();
            let record = &path.file_name().unwrap().to_str().unwrap()[..3];
            // Collateral contracts of persons are records of the other edition.
            let plan = edition(name)
                .plan(record)
                .or(edition("enterprise").plan(record));
            let line = std::fs::read_to_string(&path).unwrap();
            assert_eq!(answer(plan.unwrap(), line.trim_end()), [""; 0], "{path:?}");
            count += 1;
        }
        counts.push(count);
    }
    assert_eq!(counts, [31, 55]);
}

/// Changes of a line that no table row stands for: tags that the tables do not name, and lines
/// that are no record, are answered with ABR000 (grammar of the tables; line checks of the files).
fn damaged(plan: &RecordPlan, line: &str) -> Vec<String> {
    let element = plan.root().tag();
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let item = line.find("<InfRecType>").unwrap();
    let end = line.find("</InfRecType>").unwrap() + "</InfRecType>".len();
    vec![
        line.replacen(&open, &format!("{open}<Unknown>1</Unknown>"), 1),
        line.replacen(&open, &format!("{open}text"), 1),
        line.replacen(&open, &format!("<{element} a=\"1\">"), 1),
        format!("{}{}{}", &line[..end], &line[item..end], &line[end..]),
        line.replace(element, "OtherRecord"),
        line.replacen(&close, "", 1),
        line.replacen("</Document>", "", 1),
        format!("{line} "),
        format!("{line}{line}"),
    ]
}

#[test]
fn of_each_record_type_at_least_ten_changes_are_refused_as_expected() {
    for name in EDITIONS {
        let mut refused: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for case in case::cases(name).into_iter().filter(|it| !it.unbroken) {
            let plan = edition(name).plan(&case.record).unwrap();
            let [_, bad] = case.records(plan);
            let mut found = codes(&plan.validate(&bad, &case.header()));
            found.sort();
            found.dedup();
            assert_eq!(found, case.codes, "{:?}", case);
            let stops = case.codes.iter().any(|code| !code.starts_with('~'));
            let mut line = Vec::new();
            if stops && plan.write(&bad, &mut line).is_ok() {
                let line = String::from_utf8(line).unwrap();
                refused.entry(case.record).or_default().insert(line);
            }
        }
        for plan in edition(name).plans() {
            let lines = refused.entry(plan.code().to_owned()).or_default();
            let mut sample = Vec::new();
            plan.write(&seeds(name, plan)[0], &mut sample).unwrap();
            for line in damaged(plan, &String::from_utf8(sample).unwrap()) {
                let found = answer(plan, &line);
                assert!(found.contains(&"ABR000".to_owned()), "{found:?} for {line}");
                lines.insert(line);
            }
            assert!(lines.len() >= 10, "{}: {}", plan.code(), lines.len());
        }
    }
}

#[test]
fn a_record_that_satisfies_the_rules_is_read_as_it_was_written() {
    for name in EDITIONS {
        for plan in edition(name).plans() {
            let (seeds, header) = (seeds(name, plan), case::header(plan.code()));
            let others = RefCell::new(BTreeSet::new());
            let known = |record: &Record| format!("{:?}", plan.values(record));
            let dull: BTreeSet<_> = seeds.iter().map(known).collect();
            let bytes = prop::collection::vec(any::<u8>(), 0..600);
            let mut runner = TestRunner::new(Config::with_cases(CASES));
            let ran = runner.run(&bytes, |bytes| {
                let mut choices = Choices::new(&bytes);
                let seed = &seeds[choices.below(seeds.len())];
                let record = sound(plan, seed, &header, &mut choices);
                prop_assert_eq!(plan.validate(&record, &header), []);
                let mut line = Vec::new();
                plan.write(&record, &mut line).unwrap();
                let read = plan.read(&line).unwrap();
                prop_assert_eq!(plan.values(&read), plan.values(&record));
                prop_assert_eq!(plan.validate(&read, &header), []);
                let mut again = Vec::new();
                plan.write(&read, &mut again).unwrap();
                prop_assert_eq!(again, line);
                others.borrow_mut().insert(known(&record));
                Ok(())
            });
            ran.unwrap();
            let fresh = others.borrow().difference(&dull).count();
            assert!(
                fresh > 0,
                "{}: nothing but the seeds came of it",
                plan.code()
            );
        }
    }
}

/// Of each record type.
const CASES: u32 = 24;
