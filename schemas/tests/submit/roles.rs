//! What a record is to its account, and what the law asks of it.

use schemas::role::Does;

use crate::support::{personal, samples, testdata};

#[test]
fn every_embedded_record_has_a_role_in_a_family_that_something_opens() {
    let edition = personal();
    for plan in edition.plans() {
        let role = edition.role(plan.code()).unwrap();
        // Collateral contracts come as an overlay.
        if role.family() != "510" {
            let opener = edition.role(role.family()).unwrap();
            assert_eq!(opener.does(), Does::Normal, "record {}", plan.code());
        }
    }
    assert_eq!(edition.roles().len(), 24);
}

#[test]
fn the_samples_of_a_family_speak_of_one_account() {
    let cases = [
        ("210.xml", "T99999999H0001DK2024000001"),
        ("211.xml", "T99999999H0001DK2024000001"),
        ("212.xml", "T99999999H0001DK2024000001"),
        ("213.xml", "T99999999H0001DK2024000001"),
        ("214.xml", "T99999999H0001DK2024000001"),
        (
            "110.xml",
            "测试甲\u{1f}10\u{1f}999999198808080010\u{1f}T99999999H0001000001",
        ),
        (
            "114.xml",
            "测试甲\u{1f}10\u{1f}999999198808080010\u{1f}T99999999H0001000001",
        ),
    ];
    for (name, key) in cases {
        let (plan, record) = sample(name);
        let role = personal().role(plan.code()).unwrap();
        assert_eq!(
            role.key(plan, &record).as_deref(),
            Some(key),
            "sample {name}"
        );
    }
    for plan in personal().plans() {
        let role = personal().role(plan.code()).unwrap();
        for (name, line) in samples(plan.code()) {
            let record = plan.read(line.as_bytes()).unwrap();
            assert!(role.key(plan, &record).is_some(), "sample {name}");
            let renames = role.new_key(plan, &record).is_some();
            assert_eq!(renames, role.does() == Does::Rename, "sample {name}");
            if role.names_subject() {
                let (kind, number, person) = role.subject(plan, &record).unwrap();
                assert!(!kind.is_empty() && !number.is_empty() && !person.is_empty());
            }
            if role.does() == Does::DeleteSegments {
                let (from, to) = role.range(plan, &record).unwrap();
                assert!(from <= to);
            }
            if matches!(role.does(), Does::Correct) {
                let mark = role.segment(plan, &record).unwrap();
                assert!(role.marked(mark).is_some(), "sample {name}: {mark}");
            }
        }
    }
}

#[test]
fn status_month_and_code_are_found() {
    let (plan, record) = sample("210.xml");
    let role = personal().role("210").unwrap();
    assert_eq!(role.account_type(plan, &record), Some("D1"));
    assert_eq!(role.report_code(plan, &record), Some("10"));
    assert_eq!(role.month(plan, &record), Some("2024-05"));
    assert_eq!(role.status(plan, &record), Some("1"));
    assert_eq!(
        role.report_date(plan, &record).unwrap().to_string(),
        "2024-05-20"
    );
    assert!(role.opens(plan, &record) && !role.closes(plan, &record, None));
    for (kind, status, closed) in [
        ("D1", "3", true),
        ("R2", "3", false),
        ("R2", "4", true),
        ("C1", "2", true),
        ("D1", "2", false),
    ] {
        assert_eq!(
            role.is_closed(Some(kind), status),
            closed,
            "case {kind} {status}"
        );
    }
    let (plan, record) = sample("215.xml");
    let role = personal().role("215").unwrap();
    assert!(role.event(plan, &record).is_some());
}

#[test]
fn what_is_negative_is_found_by_its_rule() {
    let line = sample_line("210.xml");
    let plan = personal().plan("210").unwrap();
    let cases: [(&str, &str, &[&str]); 6] = [
        ("<OverdPrd>0<", "<OverdPrd>0<", &[]),
        ("<OverdPrd>0<", "<OverdPrd>1<", &["NEG-OVERDUE"]),
        ("<TotOverd>0<", "<TotOverd>100<", &["NEG-OVERDUE"]),
        ("<AcctStatus>1<", "<AcctStatus>2<", &["NEG-STATUS"]),
        ("<RpyStatus>*<", "<RpyStatus>1<", &["NEG-REPAYMENT"]),
        ("<FiveCate>1<", "<FiveCate>4<", &["NEG-GRADE"]),
    ];
    for (from, to, expected) in cases {
        assert!(line.contains(from), "{from}");
        let record = plan.read(line.replacen(from, to, 1).as_bytes()).unwrap();
        let found: Vec<&str> = plan.negative(&record).iter().map(|n| n.rule()).collect();
        assert_eq!(found, expected, "case {to}");
        let mut scratch = schemas::validate::Scratch::default();
        let _ = plan.validate_with(&record, &crate::support::header("210"), &mut scratch);
        let judged = plan.negative_judged(&record, &scratch);
        assert_eq!(
            judged.iter().map(|n| n.rule()).collect::<Vec<_>>(),
            expected
        );
    }
}

#[test]
fn income_needs_a_consent_of_its_own_and_faith_is_never_taken_in() {
    let (plan, record) = sample("110.xml");
    let found: Vec<&str> = plan
        .restricted(&record)
        .iter()
        .map(|r| r.category())
        .collect();
    assert_eq!(found, ["income", "tax"]);
    let (plan, record) = sample("210.xml");
    assert!(plan.restricted(&record).is_empty());
    for (name, category) in [
        ("宗教信仰", Some("religion")),
        ("借款人血型", Some("blood_type")),
        ("bloodType", Some("blood_type")),
        ("GENE_DATA", Some("genes")),
        ("既往病史", Some("illness")),
        ("GeneralInfo", None),
        ("Gender", None),
        ("姓名", None),
    ] {
        let found = personal()
            .forbidden(name)
            .map(|forbidden| forbidden.category());
        assert_eq!(found, category, "case {name}");
    }
}

fn sample_line(name: &str) -> String {
    let path = testdata("pboc-submit-personal").join(name);
    std::fs::read_to_string(path).unwrap().trim_end().to_owned()
}

fn sample(name: &str) -> (&'static schemas::plan::RecordPlan, schemas::record::Record) {
    let plan = personal().plan(&name[..3]).unwrap();
    let record = plan.read(sample_line(name).as_bytes()).unwrap();
    (plan, record)
}

#[test]
fn the_samples_that_are_negative_are_these() {
    let mut found = Vec::new();
    for plan in personal().plans() {
        for (name, line) in samples(plan.code()) {
            let record = plan.read(line.as_bytes()).unwrap();
            let rules: Vec<&str> = plan.negative(&record).iter().map(|n| n.rule()).collect();
            if !rules.is_empty() {
                found.push((name, rules));
            }
        }
    }
    let overdue = vec!["NEG-OVERDUE", "NEG-STATUS", "NEG-REPAYMENT"];
    let expected = [
        (
            "210-c1.xml".to_owned(),
            vec!["NEG-COLLECTION", "NEG-ORIGINAL"],
        ),
        ("210-d1-special.xml".to_owned(), overdue),
    ];
    assert_eq!(found, expected);
}

#[test]
fn transactions_and_guarantees_are_negative_too_and_a_quasi_card_only_after_60_days() {
    let cases = [
        (
            "210-d1-special.xml",
            "<ChanTranType>1<",
            "<ChanTranType>15<",
            "NEG-TRANSACTION",
        ),
        (
            "230.xml",
            "<CompAdvFlag>0<",
            "<CompAdvFlag>1<",
            "NEG-COMPENSATED",
        ),
        ("230.xml", "<FiveCate>1<", "<FiveCate>3<", "NEG-GRADE"),
        ("212.xml", "<OverdPrd>0<", "<OverdPrd>1<", "NEG-OVERDUE"),
    ];
    for (name, from, to, rule) in cases {
        let (plan, line) = (personal().plan(&name[..3]).unwrap(), sample_line(name));
        assert!(line.contains(from), "{name} holds {from}");
        let record = plan.read(line.replacen(from, to, 1).as_bytes()).unwrap();
        let found: Vec<&str> = plan.negative(&record).iter().map(|n| n.rule()).collect();
        assert!(found.contains(&rule), "case {name} {to}: {found:?}");
    }
    let plan = personal().plan("212").unwrap();
    for (status, negative) in [("2", false), ("3", true), ("B", true)] {
        let line = sample_line("212.xml").replace("<AcctType>D1<", "<AcctType>R3<");
        let line = line.replace("<RpyStatus>*<", &format!("<RpyStatus>{status}<"));
        let record = plan.read(line.as_bytes()).unwrap();
        assert_eq!(
            !plan.negative(&record).is_empty(),
            negative,
            "case {status}"
        );
    }
}
