use std::collections::BTreeSet;

use super::super::decode::tests::{
    HEALTHY, NEGATIVE, NORMAL, THIN, TROUBLED, decode, decode_enterprise,
};
use super::super::dictionary::Dictionary;
use super::facts::{class_rank, mark_rank};
use super::*;

/// Report, name, value, and how the value was found without this code.
const EXPECTED: &str = include_str!("../../../testdata/variables/expected.tsv");

fn told(value: Option<Figure<'_>>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Figure::Amount(n)) => format!("amount {n}"),
        Some(Figure::Count(n)) => format!("count {n}"),
        Some(Figure::Flag(n)) => format!("flag {n}"),
        Some(Figure::Hundredths(n)) => format!("hundredths {n}"),
        Some(Figure::Mark(n)) => format!("mark {n}"),
        Some(Figure::Months(n)) => format!("months {n}"),
        Some(Figure::Ratio(n)) => format!("ratio {n}"),
        Some(Figure::Score(n)) => format!("score {n}"),
        Some(Figure::Wan(n)) => format!("wan {n}"),
        Some(Figure::Years(n)) => format!("years {n}"),
    }
}

#[test]
fn every_figure_of_every_sample_is_the_one_found_otherwise() {
    let reports = [
        ("thin", decode(THIN).unwrap()),
        ("normal", decode(NORMAL).unwrap()),
        ("negative", decode(NEGATIVE).unwrap()),
        ("healthy", decode_enterprise(HEALTHY).unwrap()),
        ("troubled", decode_enterprise(TROUBLED).unwrap()),
    ];
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for line in EXPECTED.lines().skip(1) {
        let [sample, name, expected, _] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let report = &reports.iter().find(|one| one.0 == sample).unwrap().1;
        assert!(seen.insert((sample, name)), "{sample} {name} stands twice");
        let found = told(report.variable(name));
        if found != expected {
            wrong.push(format!("{sample} {name}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (sample, report) in &reports {
        for variable in report.variables() {
            assert!(
                seen.remove(&(*sample, variable.name)),
                "{sample} {}",
                variable.name
            );
        }
    }
    assert!(seen.is_empty(), "no row of variables.tsv: {seen:?}");
}

/// 57 of persons and 57 of enterprises were collected; 21 are ours.
#[test]
fn the_114_collected_variables_are_there_with_their_confidence() {
    let counted = |name: &str, confidence| {
        let rows = &Dictionary::embedded(name).unwrap().variables;
        let collected = rows.iter().filter(|row| row.name.as_bytes()[1] == b'_');
        collected.filter(|row| row.confidence == confidence).count()
    };
    let of = |name| {
        [Confidence::High, Confidence::Medium, Confidence::Low].map(|one| counted(name, one))
    };
    assert_eq!(of("pboc-query-personal"), [0, 57, 0]);
    assert_eq!(of("pboc-query-enterprise"), [4, 38, 15]);
    let report = decode_enterprise(HEALTHY).unwrap();
    let all = report.variables();
    let tax = all.iter().find(|one| one.name == "E_TAX_ARREARS").unwrap();
    assert_eq!(tax.confidence, Confidence::Medium);
}

#[test]
fn the_table_names_the_kind_of_each_figure() {
    for (name, xml) in [
        ("pboc-query-personal", NEGATIVE),
        ("pboc-query-enterprise", TROUBLED),
    ] {
        let dictionary = Dictionary::embedded(name).unwrap();
        let report = dictionary.decode(xml.as_bytes(), &crate::xml::Limits::default());
        let report = report.unwrap();
        for (row, variable) in dictionary.variables.iter().zip(report.variables()) {
            let found = told(variable.value);
            let found = found.split(' ').next().unwrap();
            assert!(
                found == "none" || found == row.kind,
                "{}: {found}",
                row.name
            );
        }
    }
}

#[test]
fn a_sum_with_a_value_that_cannot_be_read_is_no_sum() {
    let cases = [
        ("P_OVD_NOW_AMT", "<PD01CJ06>11550<", "<PD01CJ06>1.155万<"),
        ("overdue_total_now", "<PD01CJ06>11550<", "<PD01CJ06>x<"),
        ("P_LOAN_BAL", "<PD01CJ01>27400<", "<PD01CJ01>x<"),
        ("P_REL_BAL", "<PD03AJ02>120000<", "<PD03AJ02>x<"),
    ];
    for (name, from, to) in cases {
        let broken = NEGATIVE.replace(from, to);
        assert_ne!(broken, NEGATIVE, "case {name}");
        assert_eq!(decode(&broken).unwrap().variable(name), None, "case {name}");
    }
    let broken = TROUBLED.replace("<ED01BJ01>460<", "<ED01BJ01>460.5<");
    let report = decode_enterprise(&broken).unwrap();
    assert_eq!(report.variable("E_TOTAL_DEBT"), None);
    assert_eq!(report.variable("E_LOAN_BAL"), Some(Figure::Wan(1525)));
}

#[test]
fn what_the_samples_do_not_show_is_counted_as_the_table_says() {
    let cases = [
        ("E_STATUS_ABN", "<EC010D05>1<", "<EC010D05>2<", "flag true"),
        ("E_CLASS_WORST", "<ED01BD01>5<", "<ED01BD01>6<", "mark 5"),
        ("E_LIMIT_UTIL", "<ED060J03>900</ED060J03>", "", "none"),
        ("E_FIN_LEVERAGE", "<EGA/>", STATEMENTS, "ratio 5000"),
        ("E_FIN_NET_PROFIT", "<EGA/>", STATEMENTS, "none"),
        ("E_CASE_AMT", "<EF020J01>260</EF020J01>", "", "none"),
    ];
    for (name, from, to, expected) in cases {
        let report = decode_enterprise(&TROUBLED.replace(from, to)).unwrap();
        assert_eq!(told(report.variable(name)), expected, "case {name}");
    }
    let foreign = NEGATIVE.replace("<PD03AD04>CNY<", "<PD03AD04>USD<");
    let of_person = decode(&foreign.replace("<PD03AD08>2<", "<PD03AD08>1<")).unwrap();
    assert_eq!(told(of_person.variable("P_REL_BAL")), "amount 153000");
    if foreign.contains("<PD03AD08>2<") {
        assert_eq!(
            told(decode(&foreign).unwrap().variable("P_REL_BAL")),
            "none"
        );
    }
}

/// A balance sheet of two years, and an income statement of the older.
const STATEMENTS: &str = "<EGA><EG02><EG02A><EG02AR01>2023</EG02AR01></EG02A><EG02B>\
    <EG02BJ31>100.00</EG02BJ31><EG02BJ53>90.00</EG02BJ53></EG02B></EG02>\
    <EG02><EG02A><EG02AR01>2024</EG02AR01></EG02A><EG02B>\
    <EG02BJ31>200.00</EG02BJ31><EG02BJ53>100.00</EG02BJ53></EG02B></EG02>\
    <EG04><EG04A><EG04AR01>2023</EG04AR01></EG04A><EG04B>\
    <EG04BJ17>5.00</EG04BJ17></EG04B></EG04></EGA>";

#[test]
fn a_figure_is_told_with_its_unit() {
    let cases = [
        (
            Figure::Amount(-1_234_567),
            "-1,234,567 元",
            "CNY -1,234,567",
        ),
        (Figure::Wan(1_060), "1,060 万元", "CNY 1,060 × 10,000"),
        (Figure::Ratio(10_522), "105.22%", "105.22%"),
        (Figure::Ratio(-5), "-0.05%", "-0.05%"),
        (Figure::Months(7), "7 个月", "7 months"),
        (Figure::Flag(true), "是", "yes"),
        (Figure::Hundredths(27_200), "272.00", "272.00"),
    ];
    for (figure, zh, en) in cases {
        assert_eq!(figure.text(Language::Zh), zh);
        assert_eq!(figure.text(Language::En), en);
    }
}

#[test]
fn worse_marks_and_classes_weigh_more() {
    let order = ["N", "1", "2", "3", "4", "5", "6", "7", "D", "B"];
    assert!(order.is_sorted_by_key(|mark| mark_rank(mark)));
    assert!(
        ["*", "C", "M", "A"]
            .iter()
            .all(|mark| mark_rank(mark) == Some(0))
    );
    assert!(
        ["#", "/", "", "--"]
            .iter()
            .all(|mark| mark_rank(mark).is_none())
    );
    assert_eq!(mark_rank("D"), mark_rank("G"));
    assert_eq!(mark_rank("D"), mark_rank("Z"));
    assert!(["1", "2", "3", "4", "5"].is_sorted_by_key(|class| class_rank(class)));
    assert_eq!(class_rank("6"), class_rank("5"));
    assert_eq!(class_rank("9"), None);
}
