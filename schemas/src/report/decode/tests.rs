use proptest::prelude::*;

use super::*;
use crate::text::Language;

pub(in crate::report) const THIN: &str =
    include_str!("../../../testdata/pboc-query-personal/sample-report-1-thin.xml");
pub(in crate::report) const NORMAL: &str =
    include_str!("../../../testdata/pboc-query-personal/sample-report-2-normal.xml");
pub(in crate::report) const NEGATIVE: &str =
    include_str!("../../../testdata/pboc-query-personal/sample-report-3-negative.xml");

pub(in crate::report) const HEALTHY: &str =
    include_str!("../../../testdata/pboc-query-enterprise/sample-1-healthy-sme.xml");
pub(in crate::report) const TROUBLED: &str =
    include_str!("../../../testdata/pboc-query-enterprise/sample-2-troubled.xml");

pub(in crate::report) fn decode_enterprise(xml: &str) -> Result<Report, DecodeError> {
    let dictionary = Dictionary::embedded("pboc-query-enterprise").unwrap();
    dictionary.decode(xml.as_bytes(), &Limits::default())
}

pub(in crate::report) fn decode(xml: &str) -> Result<Report, DecodeError> {
    let dictionary = Dictionary::embedded("pboc-query-personal").unwrap();
    dictionary.decode(xml.as_bytes(), &Limits::default())
}

#[test]
fn the_samples_hold_nothing_unknown_and_nothing_odd() {
    for (name, xml, elements) in [
        ("thin", THIN, 81),
        ("normal", NORMAL, 2082),
        ("negative", NEGATIVE, 2733),
    ] {
        let report = decode(xml).unwrap();
        assert_eq!(report.nodes.len(), elements, "case {name}");
        assert_eq!(report.unknown().len(), 0, "case {name}");
        assert_eq!(report.remarks(), [], "case {name}");
    }
    for (name, xml) in [("healthy", HEALTHY), ("troubled", TROUBLED)] {
        let report = decode_enterprise(xml).unwrap();
        // As many elements as start tags, the comment and the XML declaration aside.
        let tags = xml.matches('<').count() - xml.matches("</").count() - 2;
        assert_eq!(report.nodes.len(), tags, "case {name}");
        assert_eq!(report.unknown().len(), 0, "case {name}");
        assert_eq!(report.remarks(), [], "case {name}");
    }
}

#[test]
fn two_known_revisions_are_read_and_what_is_neither_is_remarked() {
    let cases = [
        (
            "reason of the other list",
            "<EA01BD02>03<",
            "<EA01BD02>10<",
            None,
        ),
        (
            "reason of none",
            "<EA01BD02>03<",
            "<EA01BD02>77<",
            Some("unknown_code"),
        ),
        (
            "a day for the month",
            "<EA01ER01>2025-02<",
            "<EA01ER01>2025-02-28<",
            None,
        ),
        (
            "neither",
            "<EA01ER01>2025-02<",
            "<EA01ER01>202502<",
            Some("wrong_kind"),
        ),
        (
            "statement of the other list",
            "<EI010D02>4<",
            "<EI010D02>5<",
            None,
        ),
        (
            "amount with decimals",
            "<EF010J01>28<",
            "<EF010J01>28.50<",
            Some("wrong_kind"),
        ),
        (
            "a list that is not public",
            "<ED04AD01/>",
            "<ED04AD01>X</ED04AD01>",
            None,
        ),
        (
            "the facility in another place",
            "<EDD>",
            "<EDD><ED06/>",
            Some("unknown_element"),
        ),
        (
            "too few rows",
            "<EA01CS01>3<",
            "<EA01CS01>4<",
            Some("wrong_count"),
        ),
    ];
    for (name, from, to, expected) in cases {
        let xml = TROUBLED.replacen(from, to, 1);
        assert_ne!(xml, TROUBLED, "case {name}");
        let report = decode_enterprise(&xml).unwrap();
        let found: Vec<_> = report.remarks().iter().map(|one| one.kind.code()).collect();
        assert_eq!(found, Vec::from_iter(expected), "case {name}");
    }
}

#[test]
fn one_report_is_not_read_as_the_other() {
    // Both have the same root: what tells them apart is that nothing below is known.
    let personal = decode(TROUBLED).unwrap();
    assert_eq!(personal.nodes.len(), 1);
    assert!(personal.unknown().len() > 10);
}

#[test]
fn items_are_decoded_by_kind_and_list() {
    let report = decode(NEGATIVE).unwrap();
    let account = report.units("PD01").nth(3).unwrap();
    assert_eq!(account.path(), "Document/PDA/PD01[4]");
    let meaning = |code| account.item(code).unwrap().meaning().unwrap();
    assert_eq!(meaning("PD01AD01").zh, "非循环贷账户");
    // The list of the status depends on the type of the account.
    assert_eq!(meaning("PD01CD01").en, "Overdue");
    let card = report.units("PD01").nth(7).unwrap();
    assert_eq!(
        card.item("PD01CD01").unwrap().meaning().unwrap().en,
        "Payment stopped"
    );
    let overdue = account.item("PD01CJ06").unwrap();
    assert_eq!(overdue.number(), Some(11550));
    assert_eq!(overdue.text(Language::En), "11,550");
    let made = report.first("PA01AR01").unwrap();
    assert_eq!(
        made.date_time(),
        Some(jiff::civil::date(2026, 3, 16).at(11, 20, 9, 0))
    );
    assert_eq!(made.text(Language::Zh), "2026.03.16 11:20:09");
    let not_there = report
        .items("PC02KJ01")
        .find(|item| item.raw() == "--")
        .unwrap();
    assert!(!not_there.is_filled() && not_there.number().is_none());
    assert_eq!(not_there.text(Language::Zh), "--");
}

#[test]
fn a_value_in_pieces_is_joined_and_trimmed() {
    let xml = "<Document><PRH><PA01><PA01B><PA01BQ01> 测<!-- c -->试<![CDATA[ <]]>&amp;\
               &#x20000; </PA01BQ01><PA01BI01>&#32;</PA01BI01></PA01B></PA01></PRH></Document>";
    let report = decode(xml).unwrap();
    assert_eq!(report.first("PA01BQ01").unwrap().raw(), "测试 <&𠀀");
    assert_eq!(report.items("PA01BI01").next().unwrap().raw(), "");
}

#[test]
fn what_is_unknown_is_kept_with_its_path() {
    let cases = [
        (
            "element",
            "<PD01A>",
            "<PD01A><PD01AX99 a=\"1\">x<y>&amp;</y></PD01AX99>",
            "Document/PDA/PD01[1]/PD01A/PD01AX99",
            "<PD01AX99 a=\"1\">x<y>&amp;</y></PD01AX99>",
        ),
        (
            "empty element",
            "<PDA>",
            "<PDA><NEW/>",
            "Document/PDA/NEW",
            "<NEW/>",
        ),
        (
            "known element in another place",
            "<PDA>",
            "<PDA><PB01/>",
            "Document/PDA/PB01",
            "<PB01/>",
        ),
        (
            "in the second of several",
            "<PD01AI01>10002",
            "<NEW/><PD01AI01>10002",
            "Document/PDA/PD01[2]/PD01A/NEW",
            "<NEW/>",
        ),
        (
            "text",
            "<PDA>",
            "<PDA>测试",
            "Document/PDA/#text",
            "测试\n  ",
        ),
        (
            "attribute",
            "<PDA>",
            "<PDA v=\"2\">",
            "Document/PDA/#attributes",
            " v=\"2\">",
        ),
        (
            "element in a value",
            "<PD01AD01>",
            "<PD01AD01><b>D1</b>",
            "Document/PDA/PD01[1]/PD01A/PD01AD01/b",
            "<b>D1</b>",
        ),
    ];
    for (name, from, to, path, content) in cases {
        let report = decode(&NORMAL.replacen(from, to, 1)).unwrap();
        let unknown: Vec<_> = report.unknown().map(|u| (u.path(), u.content())).collect();
        assert_eq!(unknown, [(path.to_owned(), content)], "case {name}");
        let remark = &report.remarks()[0];
        assert_eq!(
            (remark.kind.code(), &*remark.path),
            ("unknown_element", path)
        );
        assert_eq!(report.nodes.len(), 2082, "case {name}: the rest is read");
    }
}

#[test]
fn hostile_bytes_are_refused_with_a_reason() {
    let bomb = "<!DOCTYPE Document [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
                <Document>&b;</Document>";
    let gbk = NORMAL.replacen("UTF-8", "GBK", 1);
    let deep = format!(
        "<Document>{}{}</Document>",
        "<a>".repeat(90),
        "</a>".repeat(90)
    );
    let many = format!("<Document>{}</Document>", "<a/>".repeat(600_000));
    let large = format!("<Document>{}</Document>", " ".repeat(17 << 20));
    let cases = [
        ("entity bomb", bomb, "doctype"),
        (
            "entity without declaration",
            "<Document>&b;</Document>",
            "unknown_entity",
        ),
        ("declared GBK", &gbk, "wrong_encoding"),
        ("deep nesting", &deep, "too_deep"),
        ("many elements", &many, "too_many_elements"),
        ("oversize", &large, "too_large"),
        ("page instead of a report", "<html/>", "wrong_root"),
        ("nothing", "", "cut_short"),
    ];
    for (name, xml, code) in cases {
        assert_eq!(decode(xml).unwrap_err().code(), code, "case {name}");
    }
}

#[test]
fn a_report_cut_anywhere_is_no_report() {
    let dictionary = Dictionary::embedded("pboc-query-personal").unwrap();
    let cuts = (0..10).map(|tenth| NORMAL.len() * tenth / 10);
    for cut in cuts.chain(NORMAL.len() - 200..NORMAL.trim_end().len()) {
        let error = dictionary.decode(&NORMAL.as_bytes()[..cut], &Limits::default());
        assert_eq!(error.unwrap_err().code(), "cut_short", "cut at {cut}");
    }
}

#[test]
fn debug_shows_no_value() {
    let report = decode(&NORMAL.replacen("<PDA>", "<PDA><X>示例</X>", 1)).unwrap();
    let item = report.first("PA01BQ01").unwrap();
    let shown = format!(
        "{report:?} {item:?} {:?} {:?} {:?} {:?}",
        report.root(),
        report.unknown().next(),
        report.remarks(),
        report.sections(),
    );
    for secret in ["示例", "99000019", "10000"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

/// Everything that can be done with a report.
fn use_all_of(report: &Report, other: &Report) {
    let _ = (report.render(Language::Zh), report.variables());
    let _ = serde_json::to_string(&report.view(Language::En));
    let _ = serde_json::to_string(&report.page(Language::En));
    for (before, after) in [(report, other), (other, report)] {
        if let Ok(comparison) = crate::report::compare(before, after) {
            let _ = comparison.render(Language::Zh);
            let _ = serde_json::to_string(&comparison.view(Language::En));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_bytes_make_it_panic(
        enterprise in any::<bool>(),
        changes in prop::collection::vec(
            (0usize..60_000, prop::collection::vec(any::<u8>(), 0..12)),
            1..4,
        ),
    ) {
        let (name, sample) = match enterprise {
            true => ("pboc-query-enterprise", TROUBLED),
            false => ("pboc-query-personal", NEGATIVE),
        };
        let dictionary = Dictionary::embedded(name).unwrap();
        let whole = dictionary.decode(sample.as_bytes(), &Limits::default()).unwrap();
        let mut xml = sample.as_bytes().to_vec();
        for (at, bytes) in changes {
            let at = at.min(xml.len());
            xml.splice(at..(at + bytes.len()).min(xml.len()), bytes);
        }
        if let Ok(report) = dictionary.decode(&xml, &Limits::default()) {
            use_all_of(&report, &whole);
        }
    }

    /// Bytes that stay XML: values and whole elements change places.
    #[test]
    fn no_well_formed_mutation_makes_it_panic(
        enterprise in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..6), 1..12),
    ) {
        let (name, sample) = match enterprise {
            true => ("pboc-query-enterprise", TROUBLED),
            false => ("pboc-query-personal", NEGATIVE),
        };
        let dictionary = Dictionary::embedded(name).unwrap();
        let whole = dictionary.decode(sample.as_bytes(), &Limits::default()).unwrap();
        let mut lines: Vec<&str> = sample.lines().collect();
        for (index, how) in changes {
            let values: Vec<usize> = lines
                .iter()
                .enumerate()
                .filter(|(_, line)| line.contains("</") && line.matches('<').count() == 2)
                .map(|(place, _)| place)
                .collect();
            let place = *index.get(&values);
            match how {
                0 => {
                    lines.remove(place);
                }
                1 => lines.insert(place, lines[place]),
                2 => lines[place] = "<X>示例</X>",
                3 => lines[place] = "<PD01CJ06>99999999999999999999</PD01CJ06>",
                4 => lines[place] = "<ED01BR01>9999-12-31</ED01BR01>",
                _ => lines[place] = "<EA01AR01>-001-01-01T00:00:00</EA01AR01>",
            }
        }
        if let Ok(report) = dictionary.decode(lines.join("\n").as_bytes(), &Limits::default()) {
            use_all_of(&report, &whole);
        }
    }
}

#[test]
fn extreme_values_make_nothing_panic() {
    let values = [
        i64::MAX.to_string(),
        i64::MIN.to_string(),
        "9999-12-31".to_owned(),
        "0000-01-01".to_owned(),
        "9999-12".to_owned(),
        "-0.01".to_owned(),
        "99999999999999999.99".to_owned(),
        String::new(),
    ];
    for (name, sample) in [
        ("pboc-query-enterprise", TROUBLED),
        ("pboc-query-personal", NEGATIVE),
    ] {
        let dictionary = Dictionary::embedded(name).unwrap();
        let whole = dictionary
            .decode(sample.as_bytes(), &Limits::default())
            .unwrap();
        for value in &values {
            let mut xml = String::new();
            for line in sample.lines() {
                let (open, rest) = line.split_once('>').unwrap_or((line, ""));
                // Codes stay, so that the values are put to use.
                let is_code = open.as_bytes().get(open.len().saturating_sub(3)) == Some(&b'D');
                match rest.split_once("</") {
                    Some((_, close)) if !is_code => {
                        xml += &format!("{open}>{value}</{close}\n");
                    }
                    _ => xml += &format!("{line}\n"),
                }
            }
            let report = dictionary
                .decode(xml.as_bytes(), &Limits::default())
                .unwrap();
            use_all_of(&report, &whole);
        }
    }
}
