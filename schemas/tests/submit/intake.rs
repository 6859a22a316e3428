//! What institutions send in: both forms, both names, and every fault of them.

use std::io::Cursor;

use proptest::prelude::*;
use schemas::intake::csv::{CsvError, Input, Layout, misplaced};
use schemas::intake::{Corrects, Intake, Names, Taken, to_json};
use schemas::plan::RecordPlan;
use schemas::record::Record;
use schemas::validate::{Finding, Scratch};

use crate::generate::{self, Choices};
use crate::support::{header, personal, samples};

fn intake() -> Intake<'static> {
    Intake::new(personal())
}

fn input(text: impl Into<Vec<u8>>) -> Input<'static> {
    Box::new(Cursor::new(text.into()))
}

fn written(taken: &mut Taken<'_>) -> String {
    let findings = taken.judge(&header(taken.plan.code()), &mut Scratch::default());
    assert_eq!(findings, []);
    let mut line = Vec::new();
    taken.plan.write(&taken.record, &mut line).unwrap();
    String::from_utf8(line).unwrap()
}

fn rules(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings
        .iter()
        .map(|f| (f.code.as_str(), f.path.as_str()))
        .collect()
}

/// A table as CSV text.
fn table(header: &[String], rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Records as tables: main, and those of the groups by their path.
fn tables(
    plan: &RecordPlan,
    records: &[Record],
    names: Names,
) -> (Vec<u8>, Vec<(String, Vec<u8>)>) {
    let layout = Layout::new(plan);
    let keyed = |at: usize, row: Vec<&str>| {
        let mut cells = vec![format!("K{at}")];
        cells.extend(row.into_iter().map(str::to_owned));
        cells
    };
    let mut header = vec!["@key".to_owned()];
    header.extend(layout.columns(names));
    let rows: Vec<_> = (0..)
        .zip(records)
        .map(|(at, r)| keyed(at, layout.row(r)))
        .collect();
    let main = table(&header, &rows);
    let mut children = Vec::new();
    for (place, (path, columns)) in layout.groups(names).into_iter().enumerate() {
        let mut header = vec!["@key".to_owned()];
        header.extend(columns.into_iter().map(str::to_owned));
        let mut rows = Vec::new();
        for (at, record) in records.iter().enumerate() {
            rows.extend(
                layout
                    .rows(record, place)
                    .into_iter()
                    .map(|row| keyed(at, row)),
            );
        }
        children.push((path, table(&header, &rows)));
    }
    (main, children)
}

fn inputs(children: &[(String, Vec<u8>)]) -> Vec<(String, Input<'static>)> {
    children
        .iter()
        .map(|(name, text)| (name.clone(), input(text.clone())))
        .collect()
}

#[test]
fn every_sample_comes_back_from_json_byte_for_byte() {
    for plan in personal().plans() {
        for (name, line) in samples(plan.code()) {
            let record = plan.read(line.as_bytes()).unwrap();
            for names in [Names::Tag, Names::Chinese] {
                let json = to_json(plan, &record, names);
                let mut taken = intake().json(json.as_bytes()).unwrap();
                assert_eq!(taken.findings, [], "sample {name}");
                assert_eq!(written(&mut taken), line, "sample {name}");
            }
        }
    }
}

#[test]
fn every_sample_comes_back_from_csv_byte_for_byte() {
    for plan in personal().plans() {
        let lines = samples(plan.code());
        let read = |(_, line): &(String, String)| plan.read(line.as_bytes()).unwrap();
        let records: Vec<Record> = lines.iter().map(read).collect();
        for names in [Names::Tag, Names::Chinese] {
            let (main, children) = tables(plan, &records, names);
            let code = plan.code();
            let wrong = misplaced(&intake(), code, input(main.clone()), inputs(&children));
            assert_eq!(wrong.unwrap(), []);
            let source = intake().csv(code, input(main), inputs(&children)).unwrap();
            let back: Vec<String> = source.map(|taken| written(&mut taken.unwrap())).collect();
            let sent: Vec<&String> = lines.iter().map(|(_, line)| line).collect();
            assert_eq!(back.iter().collect::<Vec<_>>(), sent, "record {code}");
        }
    }
}

#[test]
fn what_follows_from_the_rest_may_be_left_out() {
    let (_, line) = samples("210")
        .into_iter()
        .find(|(name, _)| name == "210.xml")
        .unwrap();
    let plan = personal().plan("210").unwrap();
    let json = to_json(plan, &plan.read(line.as_bytes()).unwrap(), Names::Tag);
    for item in ["\"InfRecType\":\"210\",", "\"RltRepymtNm\":\"2\","] {
        assert!(json.contains(item), "{item}");
    }
    let json = json
        .replace("\"InfRecType\":\"210\",", "")
        .replace("\"RltRepymtNm\":\"2\",", "");
    // Explicit nothings are nothing, numbers are text.
    let json = json.replace(
        "\"LoanAmt\":\"500000\"",
        "\"AcctCredLine\":null,\"LoanAmt\":500000,\"CreditID\":\"\"",
    );
    let json = json.replace(
        "\"data\":{",
        "\"data\":{\"SpecPrdSgmt\":{\"SpecLine\":null},",
    );
    let mut taken = intake().json(json.as_bytes()).unwrap();
    assert_eq!(written(&mut taken), line);
    // A second time changes nothing.
    assert_eq!(written(&mut taken), line);
}

#[test]
fn what_is_said_about_a_record_is_taken_with_it() {
    let cases = [
        ("", Ok((None, None))),
        (",\"dispute\":\"D-1\"", Ok((Some("D-1"), None))),
        (",\"dispute\":null,\"corrects\":null", Ok((None, None))),
        (
            ",\"corrects\":{\"submission\":\"s\",\"seq\":7}",
            Ok((None, Some(("s", 7)))),
        ),
        (",\"dispute\":1", Err(vec![("intake_meta", ".")])),
        (
            ",\"corrects\":{\"submission\":\"s\"}",
            Err(vec![("intake_meta", ".")]),
        ),
        (",\"note\":1", Err(vec![("intake_name_unknown", ".")])),
        (
            ",\"bloodType\":1",
            Err(vec![("intake_name_forbidden", ".")]),
        ),
    ];
    for (said, expected) in cases {
        let line = format!("{{\"data\":{{\"DelRecCode\":\"x\"}},\"record\":\"214\"{said}}}");
        let taken = intake().json(line.as_bytes()).unwrap();
        match expected {
            Ok((dispute, corrects)) => {
                assert_eq!(taken.findings, [], "case {said}");
                assert_eq!(taken.meta.dispute.as_deref(), dispute, "case {said}");
                let corrects = corrects.map(|(s, seq): (&str, u64)| Corrects {
                    submission: s.to_owned(),
                    seq,
                });
                assert_eq!(taken.meta.corrects, corrects, "case {said}");
            }
            Err(rule) => assert_eq!(rules(&taken.findings), rule, "case {said}"),
        }
    }
}

#[test]
fn a_line_that_is_no_record_is_told_so() {
    let cases: [(&[u8], &str); 10] = [
        (b"", "intake_not_json"),
        (b"{", "intake_not_json"),
        (b"[]", "intake_not_json"),
        (
            b"{\"record\":\"210\",\"record\":\"210\",\"data\":{}}",
            "intake_not_json",
        ),
        (b"{\"record\":\"210\",\"data\":{}} x", "intake_not_json"),
        (b"\xff{}", "intake_not_utf8"),
        (b"{\"data\":{}}", "intake_record_unknown"),
        (b"{\"record\":\"999\",\"data\":{}}", "intake_record_unknown"),
        (b"{\"record\":{},\"data\":{}}", "intake_record_unknown"),
        (
            b"{\"record\":\"210\",\"data\":{\"a\":\"\xc3\"}}",
            "intake_not_utf8",
        ),
    ];
    for (line, code) in cases {
        let findings = intake().json(line).unwrap_err();
        assert_eq!(
            findings[0].code,
            code,
            "case {}",
            String::from_utf8_lossy(line)
        );
    }
    let taken = intake().json(b"{\"record\":210}").unwrap();
    assert_eq!(rules(&taken.findings), [("intake_name_missing", ".")]);
}

#[test]
fn all_faults_of_a_line_are_told_at_once_and_none_quotes_a_value() {
    let line = r#"{"record":"210","data":{
        "AcctBsSgmt":{"Name":"测试甲","姓名":"x","借款人姓名":"测试甲","IDNum":true,"AcctCode":{"a":1},"测试甲":1},
        "AcctBsInfSgmt":[1],
        "BusiLines":"1",
        "血型":"A",
        "RltRepymtInfSgmt":{"RltRepymtInf":[
            {"ArlpName":"测试乙"},
            {"ArlpName":"\u0001","宗教信仰":"x","Nope":1},
            7
        ]},
        "MotgaCltalCtrctInfSgmt":{"CccInf":{"Ccc":"x"}},
        "AcctCredSgmt":"x"
    }}"#;
    let taken = intake().json(line.as_bytes()).unwrap();
    assert_eq!(
        rules(&taken.findings),
        [
            ("intake_name_unknown", "AcctBsSgmt"),
            ("intake_name_repeated", "AcctBsSgmt/Name"),
            ("intake_value", "AcctBsSgmt/IDNum"),
            ("intake_nesting", "AcctBsSgmt/AcctCode"),
            ("intake_name_unknown", "AcctBsSgmt"),
            ("intake_nesting", "AcctBsInfSgmt"),
            ("intake_nesting", "."),
            ("intake_name_forbidden", "."),
            (
                "intake_character",
                "RltRepymtInfSgmt/RltRepymtInf[2]/ArlpName"
            ),
            ("intake_name_forbidden", "RltRepymtInfSgmt/RltRepymtInf[2]"),
            ("intake_name_unknown", "RltRepymtInfSgmt/RltRepymtInf[2]"),
            ("intake_nesting", "RltRepymtInfSgmt/RltRepymtInf[3]"),
            ("intake_nesting", "MotgaCltalCtrctInfSgmt/CccInf"),
            ("intake_nesting", "AcctCredSgmt"),
        ]
    );
    for finding in &taken.findings {
        assert!(
            !finding.zh.contains("测试") && !finding.en.contains("测试"),
            "{finding:?}"
        );
    }
    // The rest was taken.
    let values = taken.plan.values(&taken.record);
    assert!(values.contains(&("AcctBsSgmt/Name".to_owned(), Some("测试甲"))));
    assert!(values.contains(&(
        "RltRepymtInfSgmt/RltRepymtInf[1]/ArlpName".to_owned(),
        Some("测试乙")
    )));
}

#[test]
fn headers_with_faults_are_refused_with_all_of_them() {
    let open = |header: &str, children: Vec<(&str, &str)>| {
        let children = children.into_iter();
        let children = children
            .map(|(n, text)| (n.to_owned(), input(text)))
            .collect();
        match intake().csv("210", input(header), children) {
            Err(CsvError::Findings(found)) => found,
            Err(error) => panic!("{error}"),
            Ok(_) => Vec::new(),
        }
    };
    type Case<'c> = (&'c str, Vec<(&'c str, &'c str)>, &'c [&'c str]);
    let cases: [Case<'_>; 12] = [
        (
            "AcctCode,AcctMthlyBlgInfSgmt/AcctStatus,@dispute",
            vec![],
            &[],
        ),
        ("\u{feff}账户标识码,月度表现信息段/账户状态", vec![], &[]),
        (
            "抵质押物信息段/抵(质)押合同个数",
            vec![("抵(质)押合同信息", "@key,抵(质)押合同标识码")],
            &["intake_key_missing"],
        ),
        ("AcctCode,AcctStatus", vec![], &["intake_name_ambiguous"]),
        (
            "AcctCode,Nope,血型",
            vec![],
            &["intake_name_unknown", "intake_name_forbidden"],
        ),
        ("AcctCode,账户标识码", vec![], &["intake_name_repeated"]),
        ("AcctCode,ArlpName", vec![], &["intake_nesting"]),
        ("AcctCode", vec![("RltRepymtInf", "AcctCode,ArlpName")], &[]),
        ("AcctCode", vec![("责任人信息", "AcctCode,责任人名称")], &[]),
        (
            "Name",
            vec![("RltRepymtInf", "AcctCode,ArlpName")],
            &["intake_key_missing"],
        ),
        (
            "AcctCode",
            vec![("Nope", "AcctCode")],
            &["intake_child_table"],
        ),
        (
            "AcctCode",
            vec![
                ("RltRepymtInf", "AcctCode,Name"),
                ("RltRepymtInfSgmt/RltRepymtInf", "AcctCode"),
            ],
            &["intake_nesting", "intake_column", "intake_child_table"],
        ),
    ];
    for (header, children, expected) in cases {
        let found = open(header, children);
        let codes: Vec<&str> = found.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes, expected, "case {header}: {found:#?}");
    }
}

#[test]
fn child_rows_join_their_records_and_one_that_is_misplaced_is_told() {
    let main = "AcctCode,Name\nA,测试甲\nB,测试乙\nC,测试丙\n";
    let count = |children: &str| {
        let children = || vec![("RltRepymtInf".to_owned(), input(children))];
        let source = intake().csv("210", input(main), children()).unwrap();
        let plan = personal().plan("210").unwrap();
        let group = plan.find("RltRepymtInfSgmt/RltRepymtInf").unwrap();
        let mut counts = Vec::new();
        let mut told = Vec::new();
        for taken in source {
            match taken {
                Ok(taken) => {
                    let place = schemas::record::Place::RECORD;
                    counts.push(plan.entries(&taken.record, place, group).count());
                }
                Err(CsvError::Findings(found)) => told.extend(found),
                Err(error) => panic!("{error}"),
            }
        }
        let before = misplaced(&intake(), "210", input(main), children()).unwrap();
        assert_eq!(before, told);
        (counts, told.into_iter().map(|f| f.en).collect::<Vec<_>>())
    };
    let (counts, told) = count("AcctCode,ArlpName\nA,x\nA,y\nC,z\n");
    assert_eq!((counts, told.len()), (vec![2, 0, 1], 0));
    let (counts, told) = count("AcctCode,ArlpName\nB,x\nA,y\nC,z\n");
    assert_eq!(counts, [0, 1, 0]);
    assert!(told[0].contains("line 3"), "{told:?}");
    let (_, told) = count("AcctCode,ArlpName\nZ,x\n");
    assert!(told[0].contains("line 2"), "{told:?}");
}

#[test]
fn a_bad_row_is_told_and_the_rows_after_it_go_on() {
    let mut main = b"AcctCode,Name,@corrects,@dispute\nA,x,s/7,D-1\nB\n".to_vec();
    main.extend(b"C,\xff,,\nD,x,s,\nE,\x01,,\nF,x,,\n");
    let mut source = intake().csv("210", input(main), Vec::new()).unwrap();
    let mut found = Vec::new();
    let mut record = Record::default();
    while let Some(taken) = source.read(record) {
        record = match taken {
            Ok(taken) => {
                found.push(
                    rules(&taken.findings)
                        .first()
                        .map_or("", |(code, _)| code)
                        .to_owned(),
                );
                if found.len() == 1 {
                    assert_eq!(taken.meta.dispute.as_deref(), Some("D-1"));
                    assert_eq!(taken.meta.corrects.unwrap().seq, 7);
                    assert_eq!(source.raw(), b"A\x1fx\x1fs/7\x1fD-1\x1f\n");
                }
                taken.record
            }
            Err(CsvError::Findings(findings)) => {
                found.push(findings[0].code.clone());
                assert_eq!(source.raw(), b"C\xff");
                Record::default()
            }
            Err(error) => panic!("{error}"),
        };
    }
    assert_eq!(
        found,
        [
            "",
            "intake_row_width",
            "intake_not_utf8",
            "intake_meta",
            "intake_character",
            ""
        ]
    );
}

#[test]
fn an_open_quotation_mark_does_not_fill_the_memory() {
    use std::io::Read;
    let main = "AcctCode,Name\n\"A,x\n"
        .as_bytes()
        .chain(std::io::repeat(b'x').take(1 << 30));
    let mut source = intake().csv("210", Box::new(main), Vec::new()).unwrap();
    assert!(matches!(source.next(), Some(Err(CsvError::Io(_)))));
    assert!(source.next().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_record_survives_json_and_csv(
        code in prop::sample::select(vec!["110", "210", "212", "220", "230"]),
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        names in prop::sample::select(vec![Names::Tag, Names::Chinese]),
    ) {
        let plan = personal().plan(code).unwrap();
        let record = generate::record(plan, &mut Choices::new(&bytes));
        // Blanks around a value, and what is blank, mean nothing.
        let said = |record: &Record| {
            let values = plan.values(record).into_iter();
            let trimmed = values.filter_map(|(path, value)| {
                let value = value?.trim_ascii();
                (!value.is_empty()).then(|| (path, value.to_owned()))
            });
            trimmed.collect::<Vec<_>>()
        };
        let taken = intake().json(to_json(plan, &record, names).as_bytes()).unwrap();
        prop_assert_eq!(&taken.findings, &[]);
        // An entry without any value is none, so that those after it move up.
        let whole = |values: &[(String, String)]| values.len();
        prop_assert_eq!(whole(&said(&taken.record)), whole(&said(&record)));
        let (main, children) = tables(plan, std::slice::from_ref(&record), names);
        let mut source = intake().csv(code, input(main), inputs(&children)).unwrap();
        let taken = source.next().unwrap().unwrap();
        prop_assert_eq!(&taken.findings, &[]);
        prop_assert_eq!(said(&taken.record), said(&record));
        prop_assert!(source.next().is_none());
    }

    #[test]
    fn no_line_stops_the_reader(line in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = intake().json(&line);
    }

    #[test]
    fn no_damage_stops_the_reader(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<char>()), 1..6),
    ) {
        let plan = personal().plan("210").unwrap();
        let (_, line) = samples("210").remove(0);
        let json = to_json(plan, &plan.read(line.as_bytes()).unwrap(), Names::Chinese);
        let mut text: Vec<char> = json.chars().collect();
        for (at, what, c) in cuts {
            let at = at.index(text.len());
            match what {
                0 => text[at] = c,
                1 => text.insert(at, c),
                _ => drop(text.remove(at)),
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(mut taken) = intake().json(text.as_bytes()) {
            let _ = taken.judge(&header("210"), &mut Scratch::default());
        }
    }
}
