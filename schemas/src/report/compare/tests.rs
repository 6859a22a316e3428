use super::super::decode::tests::{HEALTHY, NEGATIVE, NORMAL, TROUBLED, decode, decode_enterprise};
use super::*;
use crate::text::Language;

/// `area kind path` of each change, the path after `Document/`.
fn changes(comparison: &Comparison<'_>) -> Vec<String> {
    let told = |change: &Change<'_>| {
        let path = change.after.or(change.before).unwrap().path();
        let path = path.trim_start_matches("Document/").to_owned();
        format!("{} {} {path}", change.area.code(), change.kind.code())
    };
    comparison.changes.iter().map(told).collect()
}

fn compared(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (decode(before).unwrap(), decode(after).unwrap());
    changes(&compare(&before, &after).unwrap())
}

fn without(xml: &str, from: &str, to: &str, nth: usize) -> String {
    let start = xml.match_indices(from).nth(nth).unwrap().0;
    let end = start + xml[start..].find(to).unwrap() + to.len();
    format!("{}{}", &xml[..start], &xml[end..])
}

#[test]
fn a_report_beside_itself_has_no_change() {
    for xml in [NORMAL, NEGATIVE] {
        assert_eq!(compared(xml, xml), [""; 0]);
    }
    for xml in [HEALTHY, TROUBLED] {
        let (before, after) = (decode_enterprise(xml), decode_enterprise(xml));
        let (before, after) = (before.unwrap(), after.unwrap());
        let comparison = compare(&before, &after).unwrap();
        assert_eq!(changes(&comparison), [""; 0]);
        assert_eq!(comparison.untold, [Area::Inquiries]);
    }
}

#[test]
fn each_way_to_change_is_told_of_persons() {
    let cases = [
        (
            "overdue more",
            NEGATIVE.replace("<PD01CJ06>11550<", "<PD01CJ06>11551<"),
            "accounts worse",
        ),
        (
            "overdue less",
            NEGATIVE.replace("<PD01CJ06>11550<", "<PD01CJ06>0<"),
            "accounts better",
        ),
        (
            "class lower",
            NORMAL.replacen("<PD01CD02>1<", "<PD01CD02>2<", 1),
            "accounts worse",
        ),
        (
            "bad debt",
            NORMAL.replacen("<PD01BD01 />", "<PD01BD01>4</PD01BD01>", 1),
            "accounts worse",
        ),
        (
            "balance",
            NORMAL.replacen("<PD01CJ01>702500<", "<PD01CJ01>702499<", 1),
            "accounts changed",
        ),
        (
            "alert",
            NORMAL.replacen("<PA01DQ01 />", "<PA01DQ01>1</PA01DQ01>", 1),
            "alerts new",
        ),
        (
            "account gone",
            without(NORMAL, "<PD01>", "</PD01>", 0),
            "accounts gone",
        ),
        (
            "penalty gone",
            without(NEGATIVE, "<PF04>", "</PF04>", 0),
            "public gone",
        ),
        (
            "duty gone",
            without(NORMAL, "<PD03>", "</PD03>", 0),
            "guarantees gone",
        ),
    ];
    for (name, after, expected) in cases {
        let before = if after.contains("PF01AJ01") {
            NEGATIVE
        } else {
            NORMAL
        };
        assert_ne!(before, after, "case {name}: the sample has it so already");
        let told = compared(before, &after);
        assert_eq!(told.len(), 1, "case {name}: {told:?}");
        assert!(told[0].starts_with(expected), "case {name}: {told:?}");
    }
    let added = [
        ("<PD01>", "</PD01>", "accounts new"),
        ("<PH01>", "</PH01>", "inquiries new"),
        ("<PD02>", "</PD02>", "facilities new"),
    ];
    for (from, to, expected) in added {
        let told = compared(&without(NORMAL, from, to, 0), NORMAL);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(expected), "{told:?}");
    }
    // An inquiry that left the report was only old.
    assert_eq!(
        compared(NORMAL, &without(NORMAL, "<PH01>", "</PH01>", 0)),
        [""; 0]
    );
}

#[test]
fn each_way_to_change_is_told_of_enterprises() {
    let cases = [
        (
            "overdue",
            "<ED01BJ04>58<",
            "<ED01BJ04>59<",
            "accounts worse EDA/ED01[4]",
        ),
        (
            "class",
            "<ED04BD02>3<",
            "<ED04BD02>2<",
            "guarantees better EDB/ED04[2]",
        ),
        (
            "settled",
            "<ED01AD01>1<",
            "<ED01AD01>2<",
            "accounts closed EDA/ED01[1]",
        ),
        (
            "enforced",
            "<EF030J02>0<",
            "<EF030J02>260<",
            "public better EFB/EF03[1]",
        ),
        (
            "taxes",
            "<EF010J01>28<",
            "<EF010J01>30<",
            "public worse EFA/EF01[1]",
        ),
        (
            "interest",
            "<ED030J01>12<",
            "<ED030J01>0<",
            "overdue better EDA/ED03[1]",
        ),
        (
            "duty",
            "<ED070S01>1<",
            "<ED070S01>2<",
            "guarantees worse EDD/ED07[1]",
        ),
        (
            "status",
            "<EC010D05>1<",
            "<EC010D05>2<",
            "alerts worse ECA/EC01",
        ),
        (
            "limit",
            "<ED060J01>800<",
            "<ED060J01>900<",
            "facilities changed EDC/ED06[1]",
        ),
    ];
    let before = decode_enterprise(TROUBLED).unwrap();
    for (name, from, to, expected) in cases {
        let after = decode_enterprise(&TROUBLED.replacen(from, to, 1)).unwrap();
        let comparison = compare(&before, &after).unwrap();
        assert_eq!(changes(&comparison), [expected], "case {name}");
        // And the other way around.
        let back = compare(&after, &before).unwrap();
        let kind = match comparison.changes[0].kind {
            ChangeKind::Better => ChangeKind::Worse,
            ChangeKind::Worse => ChangeKind::Better,
            ChangeKind::Closed => ChangeKind::Changed,
            kind => kind,
        };
        let found: Vec<_> = back.changes.iter().map(|change| change.kind).collect();
        assert!(
            found.is_empty() || found == [kind],
            "case {name}: {found:?}"
        );
    }
}

#[test]
fn accounts_are_found_again_whatever_their_number_and_mask() {
    let first = NORMAL.find("<PD01>").unwrap();
    let end = NORMAL.find("</PD01>").unwrap() + "</PD01>".len();
    let last = NORMAL.rfind("</PD01>").unwrap() + "</PD01>".len();
    let moved = format!(
        "{}{}{}{}",
        &NORMAL[..first],
        &NORMAL[end..last],
        &NORMAL[first..end],
        &NORMAL[last..],
    );
    assert_eq!(compared(NORMAL, &moved), [""; 0]);
    let renamed = NORMAL.replacen("<PD01AI02>QA<", "<PD01AI02>ZZ<", 1);
    assert_ne!(renamed, NORMAL);
    assert_eq!(compared(NORMAL, &renamed), [""; 0]);
    let worse = renamed.replacen("<PD01CD02>1<", "<PD01CD02>3<", 1);
    let (before, after) = (decode(NORMAL).unwrap(), decode(&worse).unwrap());
    let comparison = compare(&before, &after).unwrap();
    assert!(comparison.changes[0].likely);
    assert_eq!(comparison.changes[0].kind, ChangeKind::Worse);
}

#[test]
fn two_subjects_two_kinds_and_the_wrong_order_are_refused() {
    let normal = decode(NORMAL).unwrap();
    let healthy = decode_enterprise(HEALTHY).unwrap();
    let later = decode(&NORMAL.replacen("<PA01AR01>2026-", "<PA01AR01>2027-", 1)).unwrap();
    let nameless = decode(&without(NORMAL, "<PA01BI01>", "</PA01BI01>", 0)).unwrap();
    let timeless = decode(&without(NORMAL, "<PA01AR01>", "</PA01AR01>", 0)).unwrap();
    let other = decode(NEGATIVE).unwrap();
    let troubled = decode_enterprise(TROUBLED).unwrap();
    let cases = [
        ("two persons", &normal, &other, "other_subject"),
        ("two enterprises", &healthy, &troubled, "other_subject"),
        ("no number", &nameless, &normal, "other_subject"),
        ("two kinds", &normal, &healthy, "other_kind"),
        ("backwards", &later, &normal, "wrong_order"),
        ("no time", &timeless, &normal, "wrong_order"),
    ];
    for (name, before, after, code) in cases {
        assert_eq!(
            compare(before, after).unwrap_err().code(),
            code,
            "case {name}"
        );
    }
    assert!(compare(&normal, &later).is_ok());
    // One identifier in common is enough, but not beside two of one kind.
    let zhongzheng = "<EA01CD01>20</EA01CD01>\n          <EA01CI01>91999900MA0000015N";
    let other = HEALTHY.replace("91999900MA0000015N", "91999900MA0000099Q");
    let less = HEALTHY.replace(zhongzheng, "<EA01CD01>20</EA01CD01>\n          <EA01CI01>");
    assert_ne!(less, HEALTHY);
    let [other, less] = [other, less].map(|xml| decode_enterprise(&xml).unwrap());
    assert_eq!(
        compare(&healthy, &other).unwrap_err().code(),
        "other_subject"
    );
    assert!(compare(&healthy, &less).is_ok());
    // A passport in common makes no one person of two identity numbers.
    let stranger = NEGATIVE.replace("990000197909300357", "990000200401050013");
    let (one, two) = (decode(NEGATIVE).unwrap(), decode(&stranger).unwrap());
    assert_eq!(compare(&one, &two).unwrap_err().code(), "other_subject");
}

#[test]
fn a_comparison_is_told_in_both_languages_and_as_json() {
    let before = decode_enterprise(TROUBLED).unwrap();
    let after = TROUBLED.replacen("<ED01BJ04>58<", "<ED01BJ04>1059<", 1);
    let after = decode_enterprise(&after).unwrap();
    let comparison = compare(&before, &after).unwrap();
    let text = comparison.render(Language::Zh);
    assert!(
        text.starts_with("账户\n  [恶化] 借贷账户信息单元 · 非循环贷账户"),
        "{}",
        *text
    );
    assert!(text.contains("    ↑ 逾期总额: 58 → 1,059\n"), "{}", *text);
    assert!(text.contains("查询记录：此类报告不含该内容，未比较\n"));
    let json = serde_json::to_value(comparison.view(Language::En)).unwrap();
    let change = &json["changes"][0];
    assert_eq!(change["kind"], "worse");
    assert_eq!(change["after"], "Document/EDA/ED01[4]");
    assert_eq!(change["differences"][0]["direction"], "worse");
    assert_eq!(json["untold"][0], "inquiries");
}
