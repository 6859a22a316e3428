//! Rows, keys and columns.

use super::*;

const BASE: &str = "410 基础段";
const PARTY: &str = "410 相关还款责任人信息";

#[test]
fn rows_are_joined_by_their_key_in_whatever_order_they_stand() {
    let one = sample_of("410");
    let two = crate::template::filled(
        plan("410"),
        &[one.clone(), one],
        schemas::text::Language::Zh,
    );
    let mut sheets = Sheets::of(&two.unwrap());
    let straight = sheets.take();
    assert_eq!(straight.told(), [""; 0]);
    for (name, rows) in &mut sheets.0 {
        if name != BASE {
            rows[2..].reverse();
        }
    }
    assert_eq!(sheets.take().records, straight.records);
}

#[test]
fn a_row_without_its_record_is_told_and_not_dropped() {
    let sheets = Sheets::of(&filled("410"))
        .with(&format!("{PARTY}!A4"), "elsewhere")
        .with(&format!("{PARTY}!C4"), "测试有限公司")
        .with(&format!("{PARTY}!C6"), "测试有限公司");
    let taken = sheets.take();
    assert_eq!(
        taken.told(),
        [
            format!("{PARTY}!A4 intake_child_orphan"),
            format!("{PARTY}!A6 intake_key_missing"),
        ]
    );
    let seqs: Vec<_> = taken.findings.iter().map(|it| it.seq).collect();
    assert_eq!(seqs, [Some(2), Some(3)]);
    assert_eq!(taken.records.len(), 1);
}

#[test]
fn a_key_that_stands_twice_is_told_where_it_does() {
    let mut sheets = Sheets::of(&filled("410"));
    for (name, rows) in &mut sheets.0 {
        if [BASE, "410 基本信息段"].contains(&name.as_str()) {
            let row = rows[2].clone();
            rows.push(row);
        }
    }
    let told = sheets.take().told();
    assert!(
        told.contains(&format!("{BASE}!A4 intake_key_repeated")),
        "{told:?}"
    );
    assert!(
        told.contains(&"410 基本信息段!A4 intake_key_repeated".to_owned()),
        "{told:?}"
    );
}

#[test]
fn a_key_may_be_a_whole_number_and_nothing_else_that_is_no_text() {
    let mut sheets = Sheets::of(&filled("410"));
    let names: Vec<String> = sheets.0.iter().map(|(name, _)| name.clone()).collect();
    for (n, name) in names.iter().enumerate() {
        if sheets.0[n].1.len() > 2 {
            let key = if n % 2 == 0 {
                Put::Number(7.0)
            } else {
                Put::from("7")
            };
            *sheets.cell(&format!("{name}!A3")) = key;
        }
    }
    assert_eq!(sheets.take().told(), [""; 0]);
    let told = sheets
        .with(&format!("{BASE}!A3"), Put::Bool(true))
        .take()
        .told();
    assert!(
        told.contains(&format!("{BASE}!A3 intake_value")),
        "{told:?}"
    );
}

#[test]
fn identifiers_kept_as_numbers_are_refused_and_their_cell_is_named() {
    let told = Sheets::of(&filled("410"))
        .with(&format!("{BASE}!C3"), Put::Number(1234.0))
        .with(&format!("{BASE}!H3"), Put::Number(91_999_999_123_456_789.0))
        .take()
        .told();
    assert!(
        told.contains(&format!("{BASE}!C3 intake_cell_number")),
        "{told:?}"
    );
    assert!(
        told.contains(&format!("{BASE}!H3 intake_cell_number")),
        "{told:?}"
    );
}

#[test]
fn dates_and_amounts_may_be_what_spreadsheets_make_of_them() {
    let sheets = Sheets::of(&filled("410"))
        .with(&format!("{BASE}!D3"), Put::Day(45_382.0))
        .with("410 基本信息段!G3", Put::Number(1_000_000.0));
    let taken = sheets.take();
    assert_eq!(taken.told(), [""; 0]);
    let (_, values) = &taken.records[0];
    let day = values.iter().find(|(path, _)| path == "AcctBsSgmt/RptDate");
    assert_eq!(day.unwrap().1.as_deref(), Some("2024-03-31"));
}

#[test]
fn what_is_wrong_with_sheets_and_columns_is_told_at_once_and_nothing_is_taken() {
    let mut sheets = Sheets::of(&filled("410"))
        .with(&format!("{BASE}!C2"), "NoSuchItem")
        .with(&format!("{BASE}!E2"), "RptDate")
        .with(&format!("{PARTY}!A2"), "key")
        .with("410 授信额度信息段!C2", "religion");
    sheets
        .0
        .push(("410 没有的段".to_owned(), vec![vec![Put::from("x")]]));
    sheets
        .0
        .push(("测试甲的表".to_owned(), vec![vec![Put::from("x")]]));
    sheets.0.push(("Sheet9".to_owned(), Vec::new()));
    let taken = sheets.take();
    assert_eq!(
        taken.told(),
        [
            format!("{BASE}!C2 intake_name_unknown"),
            format!("{BASE}!E2 intake_name_repeated"),
            format!("{PARTY}!A2 intake_key_column"),
            "410 授信额度信息段!C2 intake_name_forbidden".to_owned(),
            "410 没有的段 intake_sheet".to_owned(),
            "测试甲的表 intake_record_unknown".to_owned(),
        ]
    );
    assert!(taken.records.is_empty());
    for it in taken.findings {
        assert!(!it.finding.zh.contains("测试甲") && !it.finding.en.contains("测试甲"));
    }
}

#[test]
fn content_in_a_column_without_a_tag_is_told() {
    let told = Sheets::of(&filled("410"))
        .with(&format!("{BASE}!Z3"), "x")
        .take()
        .told();
    assert_eq!(told, [format!("{BASE}!A3 intake_row_width")]);
}

#[test]
fn findings_tell_their_cell_in_every_form() {
    let taken = Sheets::of(&filled("410"))
        .with(&format!("{BASE}!C3"), Put::Number(1.0))
        .take();
    let json = crate::to_json(&taken.findings);
    assert_eq!(
        (&json[0]["sheet"], &json[0]["row"], &json[0]["column"]),
        (&BASE.into(), &3.into(), &"C".into())
    );
    let table = String::from_utf8(crate::to_csv(&taken.findings)).unwrap();
    let mut lines = table.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("\u{feff}sheet,row,column,seq,record,code")
    );
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("410 基础段,3,C,1,410,intake_cell_number,error,AcctBsSgmt/AcctCode")
    );
}
