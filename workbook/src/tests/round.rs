//! What goes out comes back.

use std::io::Cursor;

use schemas::text::Language;

use super::*;
use crate::{annotate, sample, template};

#[test]
fn the_example_of_every_record_type_comes_back_from_a_workbook_without_findings() {
    let mut seen = 0;
    for edition in editions() {
        for plan in edition.plans() {
            let Some(line) = sample(plan.code()) else {
                panic!("{} has no example", plan.code());
            };
            let mut record = plan.read(line.as_bytes()).unwrap();
            // 511 and 514 stand in both editions and are one.
            let own = super::plan(plan.code());
            if !std::sync::Arc::ptr_eq(own, plan) {
                continue;
            }
            let bytes = crate::template::filled(plan, &[record.clone()], Language::En).unwrap();
            let taken = take(&bytes);
            assert_eq!(taken.told(), [""; 0], "{}", plan.code());
            let code = plan.code();
            plan.complete(&mut record, &header(code), &mut Scratch::default());
            let filled = |values: Vec<(String, Option<String>)>| {
                let filled = |(_, value): &(String, Option<String>)| {
                    value.as_ref().is_some_and(|value| !value.is_empty())
                };
                values.into_iter().filter(filled).collect::<Vec<_>>()
            };
            let values = plan.values(&record).into_iter();
            let values = values.map(|(path, value)| (path, value.map(str::to_owned)));
            let [(_, found)] = &taken.records[..] else {
                panic!("{code}: {} records", taken.records.len());
            };
            assert_eq!(filled(found.clone()), filled(values.collect()), "{code}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn a_template_of_any_record_type_is_read_and_holds_no_record() {
    for edition in editions() {
        for plan in edition.plans() {
            // Both languages, by turns: a template is large.
            let odd = plan.code().ends_with(['1', '3', '5']);
            let language = if odd { Language::En } else { Language::Zh };
            let taken = take(&template(&[plan], language).unwrap());
            assert_eq!(taken.told(), [""; 0], "{}", plan.code());
            assert!(taken.records.is_empty(), "{}", plan.code());
        }
    }
    assert_eq!(
        template(&[plan("410")], Language::Zh).unwrap(),
        template(&[plan("410")], Language::Zh).unwrap(),
        "the same plans give the same bytes"
    );
}

#[test]
fn a_template_offers_every_code_of_a_list_and_marks_what_is_required() {
    let sheets = Sheets::of(&template(&[plan("410"), plan("210")], Language::Zh).unwrap());
    let names: Vec<&str> = sheets.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names[..10],
        [
            "说明",
            "410 基础段",
            "410 基本信息段",
            "410 相关还款责任人信息",
            "410 抵（质）押合同信息",
            "410 授信额度信息段",
            "410 初始债权说明段",
            "410 还款表现信息段",
            "410 交易信息",
            "210 基础段",
        ]
    );
    let (_, base) = &sheets.0[1];
    assert_eq!(
        base[0][..2],
        [Put::from("记录键 *"), Put::from("账户类型 *")]
    );
    assert_eq!(base[1][..2], [Put::from("@key"), Put::from("AcctType")]);
    let (_, codes) = sheets.0.iter().find(|(name, _)| name == "代码表").unwrap();
    let column = codes[0]
        .iter()
        .position(|it| *it == Put::from("Cy"))
        .unwrap();
    let offered = codes[1..].iter().filter_map(|row| row.get(column));
    let offered: Vec<&Put> = offered.filter(|it| **it != Put::from("")).collect();
    let currencies = plan("410").find("AcctBsInfSgmt/Cy").unwrap();
    assert_eq!(
        offered.len(),
        plan("410").element(currencies).codes().count()
    );
    assert!(
        offered.contains(&&Put::from("CNY 人民币元"))
            || offered.contains(&&Put::from("CNY 人民币"))
    );
}

#[test]
fn a_bad_workbook_comes_back_marked_and_once_mended_has_no_finding() {
    let good = Sheets::of(&filled("410"));
    let spots = [
        "410 基础段!B3",
        "410 基础段!D3",
        "410 基本信息段!G3",
        "410 相关还款责任人信息!F3",
    ];
    let right = spots.map(|spot| good.clone().cell(spot).clone());
    let bad = good
        .clone()
        .with(spots[0], "D1 循环贷款")
        .with(spots[1], Put::Number(45_382.0))
        .with(spots[2], Put::Formula("=1000*1000"))
        .with(spots[3], "8");
    let bytes = bad.written();
    let taken = take(&bytes);
    let told = taken.told();
    for (spot, code) in spots.iter().zip([
        "intake_cell_code",
        "intake_cell_date",
        "intake_cell_formula",
        "ABE001",
    ]) {
        let expected = format!("{spot} {code}");
        assert!(told.contains(&expected), "{expected} in {told:?}");
    }

    let mut book = Book::open(Cursor::new(&bytes[..]), Limits::default()).unwrap();
    let mut copy = Cursor::new(Vec::new());
    annotate(
        &mut book,
        &editions(),
        &taken.findings,
        Language::Zh,
        &mut copy,
    )
    .unwrap();
    let copy = copy.into_inner();
    // Read as it is, the copy has the same findings in the same cells: the formula is its text.
    let again = take(&copy);
    let others = |told: Vec<String>| -> Vec<String> {
        told.into_iter()
            .filter(|it| !it.starts_with(spots[2]))
            .collect()
    };
    assert_eq!(others(again.told()), others(told.clone()));
    let mut marked = Sheets::of(&copy);
    let (first, rows) = &marked.0[0];
    assert_eq!(
        (first.as_str(), rows.len()),
        ("检查结果", taken.findings.len() + 1)
    );
    for (name, rows) in &good.0 {
        let (_, copied) = marked.0.iter().find(|(copied, _)| copied == name).unwrap();
        assert_eq!(copied.len(), rows.len(), "{name}");
    }
    assert_eq!(
        *marked.cell(spots[1]),
        Put::Number(45_382.0),
        "values are untouched"
    );
    assert_eq!(*marked.cell(spots[2]), Put::from("=1000*1000"));
    let xml = |part: &str| {
        let parts = parts(&copy);
        let found = parts.iter().filter(|(name, _)| name.contains(part));
        found
            .map(|(_, it)| String::from_utf8(it.clone()).unwrap())
            .collect::<String>()
    };
    assert!(
        xml("comments").contains("intake_cell_date"),
        "findings stand in notes"
    );
    assert!(xml("styles").contains("FFFFC7CE"), "cells are colored");

    for (spot, value) in spots.iter().zip(right) {
        *marked.cell(spot) = value;
    }
    let mended = marked.take();
    assert_eq!(mended.told(), [""; 0]);
    assert_eq!(mended.records, Sheets::take(&good).records);
}

#[test]
fn records_of_several_types_stand_in_one_workbook() {
    let mut both = Sheets::of(&filled("410"));
    both.0.extend(Sheets::of(&filled("420")).0);
    let taken = both.take();
    assert_eq!(taken.told(), [""; 0]);
    let codes: Vec<&str> = taken.records.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["410", "420"]);
}
