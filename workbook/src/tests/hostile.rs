//! Files that mean no good, or have come to harm.

use super::*;

fn code(bytes: &[u8]) -> &'static str {
    try_take(bytes, Limits::default()).map_or_else(|error| error.code(), |_| "taken")
}

#[test]
fn what_is_no_workbook_is_told_by_what_it_is() {
    let good = filled("410");
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("nothing", Vec::new(), "workbook_broken"),
        ("text", b"a,b,c\n1,2,3\n".to_vec(), "workbook_broken"),
        (
            "an old file",
            [
                &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1][..],
                &[0; 600],
            ]
            .concat(),
            "workbook_old_or_locked",
        ),
        (
            "cut short",
            good[..good.len() / 2].to_vec(),
            "workbook_broken",
        ),
        (
            "a ZIP of something else",
            packed(&[("a.txt".to_owned(), b"x".to_vec())]),
            "workbook_broken",
        ),
        ("sound", good, "taken"),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(code(&bytes), expected, "{name}");
    }
}

#[test]
fn entities_are_refused_wherever_they_stand() {
    let good = filled("410");
    let declared = |text: &str| text.replacen("?>", "?><!DOCTYPE x [<!ENTITY a \"b\">]>", 1);
    for part in [
        "xl/worksheets/sheet1.xml",
        "xl/sharedStrings.xml",
        "xl/workbook.xml",
        "xl/styles.xml",
        "_rels/.rels",
    ] {
        assert_eq!(
            code(&changed(&good, part, declared)),
            "workbook_entity",
            "{part}"
        );
    }
    let used = |text: &str| text.replacen("</t>", "&xxe;</t>", 1);
    assert_eq!(
        code(&changed(&good, "xl/sharedStrings.xml", used)),
        "workbook_entity"
    );
}

#[test]
fn what_inflates_without_end_is_stopped_at_the_limits() {
    let good = filled("410");
    let sheet = "xl/worksheets/sheet1.xml";
    let rows = |row: &dyn Fn(u32) -> String, count: u32| {
        changed(&good, sheet, |text| {
            let rows: String = (4..count).map(row).collect();
            text.replacen("</sheetData>", &format!("{rows}</sheetData>"), 1)
        })
    };
    let small = Limits {
        inflated: 3 << 20,
        ..Limits::default()
    };
    let bomb = rows(&|n| format!("<row r=\"{n}\"></row>"), 200_000);
    assert!(bomb.len() < 600_000, "{}", bomb.len());
    let error = try_take(&bomb, small).unwrap_err();
    assert_eq!(error.code(), "workbook_too_large");
    // Empty rows within the limits are no records, and cost no memory.
    let empty = |n| format!("<row r=\"{n}\"/>");
    assert_eq!(take(&rows(&empty, 100_000)).records.len(), 1);
    assert_eq!(code(&rows(&|n| empty(n + 1_048_573), 5)), "workbook_broken");

    let long = changed(&good, "xl/sharedStrings.xml", |text| {
        text.replacen("</t>", &format!("{}</t>", "0".repeat(6 << 20)), 1)
    });
    assert_eq!(code(&long), "workbook_too_large", "one text");
    let runs = changed(&good, "xl/sharedStrings.xml", |text| {
        let run = format!("<r><t>{}</t></r>", "0".repeat(1 << 20));
        text.replacen("<si>", &format!("<si>{}", run.repeat(6)), 1)
    });
    assert_eq!(code(&runs), "workbook_too_large", "one text in many runs");
    for limits in [
        Limits {
            file: 1_000,
            ..Limits::default()
        },
        Limits {
            parts: 3,
            ..Limits::default()
        },
        Limits {
            cells: 20,
            ..Limits::default()
        },
        Limits {
            text: 100,
            ..Limits::default()
        },
        Limits {
            strings: 100,
            ..Limits::default()
        },
    ] {
        let error = try_take(&good, limits).unwrap_err();
        assert_eq!(error.code(), "workbook_too_large", "{limits:?}");
    }
}

#[test]
fn cells_that_lie_about_themselves_are_refused() {
    let good = filled("410");
    let sheet = "xl/worksheets/sheet1.xml";
    let text = |change: fn(&str) -> String| code(&changed(&good, sheet, change));
    type Change = fn(&str) -> String;
    let cases: [(&str, Change); 7] = [
        ("a text that is not there", |it| {
            it.replacen("t=\"s\"><v>0<", "t=\"s\"><v>99999999<", 1)
        }),
        ("a text without number", |it| {
            it.replacen("t=\"s\"><v>0<", "t=\"s\"><v>x<", 1)
        }),
        ("an unknown kind", |it| it.replacen("t=\"s\"", "t=\"q\"", 1)),
        ("a row twice", |it| {
            it.replacen("<row r=\"2\"", "<row r=\"1\"", 1)
        }),
        ("a cell of another row", |it| {
            it.replacen("r=\"A2\"", "r=\"A7\"", 1)
        }),
        ("a column beyond all", |it| {
            it.replacen("r=\"B2\"", "r=\"ZZZZZZZZZZZZ2\"", 1)
        }),
        ("elements without end", |it| {
            it.replacen("<sheetData>", &"<a>".repeat(100), 1)
        }),
    ];
    for (name, change) in cases {
        assert_eq!(text(change), "workbook_broken", "{name}");
    }
    // Neither a size that is a lie nor a dimension is believed.
    let lie = changed(&good, "xl/sharedStrings.xml", |text| {
        let from = text.find("uniqueCount=\"").unwrap();
        let to = from + 13 + text[from + 13..].find('"').unwrap();
        format!(
            "{}uniqueCount=\"18446744073709551615{}",
            &text[..from],
            &text[to..]
        )
    });
    assert_eq!(code(&lie), "taken");
    let lie = changed(&good, sheet, |it| {
        it.replacen("<dimension ref=\"", "<dimension ref=\"C3:A1:XFD", 1)
    });
    assert_eq!(code(&lie), "taken");
}

#[test]
fn a_formula_is_told_whatever_it_came_to() {
    let told = Sheets::of(&filled("410"))
        .with("410 基础段!C3", Put::Formula("=\"Z\"&\"1\""))
        .take()
        .told();
    assert!(
        told.contains(&"410 基础段!C3 intake_cell_formula".to_owned()),
        "{told:?}"
    );
}
