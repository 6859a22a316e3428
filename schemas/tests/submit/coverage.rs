//! Every rule is classified, every reading compiles, and every manual page is current.

use std::collections::BTreeMap;
use std::path::Path;

use schemas::classified::Class;
use schemas::coverage::{self, Coverage};
use schemas::edition::Edition;
use schemas::intake::Intake;
use schemas::manual::Manual;
use schemas::plan::RecordPlan;
use schemas::text::Language;
use schemas::validate::Severity;

use crate::support::{codes, findings, testdata};

fn editions() -> [(&'static str, &'static Edition); 2] {
    let day = "2024-06-01".parse().unwrap();
    Edition::FORMATS.map(|format| (format, Edition::embedded(format, day).unwrap()))
}

/// An embedded edition with other settings.
fn set(format: &str, settings: &[(&str, &str)]) -> Edition {
    let folder = tempfile::tempdir().unwrap();
    let rows = settings
        .iter()
        .map(|(key, value)| format!("{key}\t{value}\n"));
    let table = format!("key\tvalue\n{}", rows.collect::<String>());
    std::fs::write(folder.path().join("edition.tsv"), table).unwrap();
    let (_, edition) = editions()
        .into_iter()
        .find(|(it, _)| *it == format)
        .unwrap();
    edition.overlay(folder.path()).unwrap()
}

fn sample(format: &str, name: &str) -> String {
    let path = testdata(&format!("{format}/{name}.xml"));
    std::fs::read_to_string(path).unwrap().trim_end().to_owned()
}

#[test]
fn every_rule_of_both_families_is_classified() {
    for (format, edition) in editions() {
        let covered = Coverage::of(format, edition);
        let of_records = covered.records.iter().flat_map(|record| &record.rules);
        let rules: Vec<_> = of_records.chain(&covered.rules).collect();
        let open = rules
            .iter()
            .filter(|rule| rule.class == Class::Unclassified);
        let open: Vec<_> = open.map(|rule| (rule.rule, rule.record)).collect();
        assert_eq!(open, [("", ""); 0], "{format}");
        for rule in rules {
            let what = format!("{format} {} of {}", rule.rule, rule.record);
            assert!(
                !rule.zh.is_empty() && !rule.en.is_empty(),
                "{what}: no text"
            );
            if rule.class == Class::Database && !rule.judged && !rule.by.is_empty() {
                assert!(rule.cure.is_some(), "{what}: no cure");
            }
        }
        eprintln!("{format}: {:?}", covered.classes());
    }
    let mut files: BTreeMap<Class, usize> = BTreeMap::new();
    for check in coverage::files() {
        *files.entry(check.class).or_default() += 1;
    }
    eprintln!("files: {files:?}");
}

#[test]
fn what_is_classified_as_data_is_given_by_a_plan_under_the_code_it_names() {
    for (format, edition) in editions() {
        for row in edition
            .classified()
            .filter(|row| row.class() == Class::Data)
        {
            let code = if row.by().is_empty() {
                row.code()
            } else {
                row.by()
            };
            let plan = edition.plan(row.record()).unwrap();
            let given = code.is_empty() || plan.gives().any(|known| known == code);
            assert!(given, "{format} {} of {}: {code}", row.rule(), row.record());
        }
    }
}

#[test]
fn a_reading_is_chosen_by_the_edition() {
    let personal = "pboc-submit-personal";
    let enterprise = "pboc-submit-enterprise";
    let kept = set(
        enterprise,
        &[
            ("dropped_checks", "kept"),
            ("original_creditor_d2", "refused"),
        ],
    );
    let embedded = editions()[1].1;
    let judge = |edition: &Edition, record: &str, line: &str| {
        codes(&findings(edition.plan(record).unwrap(), line))
    };
    // The registration number of a public institution, which the newest tool does not ask for.
    let institution = sample(enterprise, "310_full").replace("<OrgType>11<", "<OrgType>51<");
    assert_eq!(judge(embedded, "310", &institution), [""; 0]);
    assert_eq!(judge(&kept, "310", &institution), ["CBE006"]);
    // The original claim of a discounted bill.
    let claim = "<OrigCreditorInfSgmt></OrigCreditorInfSgmt></EnAcctInf>";
    let bill = sample(enterprise, "410_D2_bill_discount").replace("</EnAcctInf>", claim);
    let refused = |edition: &Edition| judge(edition, "410", &bill).contains(&"CLR001".to_owned());
    assert!(!refused(embedded) && refused(&kept));
    // A correction whose plan of instalments begins and ends on one day.
    let same_day = set(personal, &[("special_period_equal", "accepted")]);
    let period = "<MdfcSgmt><SpecPrdSgmt><SpecEfctDate>2024-05-01</SpecEfctDate>\
                  <SpecEndDate>2024-05-01</SpecEndDate></SpecPrdSgmt></MdfcSgmt>";
    let line = sample(personal, "212");
    let (head, _) = line.split_once("<MdfcSgmt>").unwrap();
    let [from, to] = ["<MdfcSgmtCode>", "</MdfcSgmtCode>"].map(|tag| head.find(tag).unwrap());
    let line = format!(
        "{}<MdfcSgmtCode>I{}{period}</InAcctMdfc></Document>",
        &head[..from],
        &head[to..]
    );
    let refused = |edition: &Edition| judge(edition, "212", &line).contains(&"BLE007".to_owned());
    assert!(refused(editions()[0].1) && !refused(&same_day));
}

#[test]
fn a_reading_that_nobody_knows_and_a_key_that_nobody_reads_are_refused() {
    for (key, value) in [("dropped_checks", "maybe"), ("no_such_key", "1")] {
        let folder = tempfile::tempdir().unwrap();
        let table = format!("key\tvalue\n{key}\t{value}\n");
        std::fs::write(folder.path().join("edition.tsv"), table).unwrap();
        let error = editions()[1].1.overlay(folder.path()).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("column"), "{key}: {told}");
    }
}

#[test]
fn what_only_warns_stops_a_record_where_the_edition_says_so() {
    let format = "pboc-submit-enterprise";
    let line = sample(format, "440_bank_acceptance");
    let [from, to] = ["<Cy>", "</Cy>"].map(|tag| line.find(tag).unwrap());
    let line = format!("{}<Cy>ZZZ{}", &line[..from], &line[to..]);
    let strict = set(format, &[("stricter_texts", "refuse")]);
    for (edition, severity) in [
        (editions()[1].1, Severity::Warning),
        (&strict, Severity::Error),
    ] {
        let found = findings(edition.plan("440").unwrap(), &line);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, severity);
    }
}

#[test]
fn a_record_type_that_is_off_is_not_taken_in_until_an_overlay_turns_it_on() {
    let format = "pboc-submit-enterprise";
    let line = b"{\"record\":\"520\",\"data\":{}}";
    let off = Intake::new(editions()[1].1).json(line).err().unwrap();
    assert_eq!(codes(&off), ["intake_record_off"]);
    let on = set(format, &[("off", "")]);
    let taken = Intake::new(&on).json(line).unwrap();
    assert_eq!(codes(&taken.findings), [""; 0]);
}

/// `UPDATE=1` writes what has changed.
#[test]
fn every_manual_page_is_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats");
    let mut pages = Vec::new();
    let mut index = String::from(
        "# Mandated records\n\nOne page for each record type, made from the tables in `schemas/` \
         ([how](../FORMATS.md)). `creditgate schemas show 210 --lang zh` prints one in Chinese.\n",
    );
    for (format, edition) in editions() {
        let manual = Manual::of(format, edition, Language::En);
        index.push_str(&format!("\n## {format}\n\n{}", manual.index()));
        for plan in edition.plans() {
            let plan: &RecordPlan = plan;
            let page = manual.page(plan.code()).unwrap();
            pages.push((
                folder.join(format).join(format!("{}.md", plan.code())),
                page,
            ));
        }
    }
    pages.push((folder.join("README.md"), index));
    let update = std::env::var_os("UPDATE").is_some();
    for (path, page) in pages {
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        let stands = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stands == page,
            "{} is not current; UPDATE=1",
            path.display()
        );
    }
}
