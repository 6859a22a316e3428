//! Decoded reports, reasons and receipts for a reader at a terminal.
//!
//! What is missing in an answer is left out; nothing here fails.

use std::fmt::Write as _;

use schemas::text::Language;
use serde_json::Value;

/// The section that a reader sees unless the whole report is asked for.
const SUMMARY: &str = "summary";

/// The report: its summary, or all of it where there is none, then the derived
/// figures.
pub(super) fn describe(out: &mut String, report: &Value, lang: Language) {
    let sections = list(&report["sections"]);
    let summary = sections.iter().filter(|it| it["id"] == SUMMARY);
    let chosen: Vec<_> = if summary.clone().next().is_none() {
        sections.iter().collect()
    } else {
        summary.collect()
    };
    for it in chosen {
        section(out, it, 0);
    }
    let known: Vec<_> = list(&report["variables"])
        .iter()
        .filter_map(|it| Some((text(&it["label"], lang)?, it["text"].as_str()?)))
        .collect();
    if !known.is_empty() {
        line(out, 0, pick(lang, "衍生变量", "Variables"));
        for (label, value) in known {
            line(out, 1, &format!("{label}: {value}"));
        }
    }
    let remarks = list(&report["remarks"]).len() + list(&report["unknown"]).len();
    if remarks > 0 {
        let what = pick(
            lang,
            "解读备注(见 --json)",
            "Remarks on reading, see --json",
        );
        line(out, 0, &format!("{what}: {remarks}"));
    }
}

/// Why not, each with its law and its cure.
pub(super) fn reasons(out: &mut String, reasons: &Value, lang: Language) {
    for reason in list(reasons) {
        let rule = reason["rule"].as_str().or(reason["code"].as_str());
        let what = text(&reason["what"], lang).unwrap_or_default();
        line(out, 0, &format!("✗ {} {what}", rule.unwrap_or_default()));
        for (field, label) in [
            ("source", pick(lang, "依据", "Source")),
            ("cure", pick(lang, "如何补正", "Cure")),
            ("authorization", pick(lang, "授权", "Authorization")),
        ] {
            if let Some(text) = text(&reason[field], lang) {
                line(out, 1, &format!("{label}: {text}"));
            }
        }
    }
}

/// What names the audit entry: by it anybody can ask for the proof.
pub(super) fn receipt(out: &mut String, receipt: &Value, lang: Language) {
    let label = pick(lang, "回执", "Receipt");
    match receipt {
        Value::String(entry) => line(out, 0, &format!("{label}: {entry}")),
        Value::Object(parts) => {
            let part = |name| parts.get(name).and_then(Value::as_str);
            if let Some(entry) = part("entry") {
                let leaf = part("leaf").unwrap_or_default();
                line(out, 0, &format!("{label}: {entry} {leaf}"));
            }
        }
        _ => {}
    }
}

fn section(out: &mut String, section: &Value, depth: usize) {
    line(out, depth, section["title"].as_str().unwrap_or_default());
    for it in list(&section["units"]) {
        unit(out, it, depth + 1);
    }
    for it in list(&section["sections"]) {
        self::section(out, it, depth + 1);
    }
}

fn unit(out: &mut String, unit: &Value, depth: usize) {
    let items: Vec<_> = list(&unit["items"])
        .iter()
        .filter(|item| item["raw"] != "")
        .filter_map(|item| Some((item["label"].as_str()?, item["text"].as_str()?)))
        .collect();
    let units = list(&unit["units"]);
    if items.is_empty() && units.is_empty() {
        return;
    }
    line(
        out,
        depth,
        &format!("[{}]", unit["label"].as_str().unwrap_or_default()),
    );
    for (label, text) in items {
        line(out, depth + 1, &format!("{label}: {text}"));
    }
    for it in units {
        self::unit(out, it, depth + 1);
    }
}

/// A text that may come in one language or in both.
pub(super) fn text(value: &Value, lang: Language) -> Option<&str> {
    let value = match value {
        Value::Object(both) => both.get(pick(lang, "zh", "en"))?,
        other => other,
    };
    value.as_str()
}

/// The Chinese or the English text.
pub(super) fn pick<'a>(lang: Language, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Language::En => en,
        Language::Zh => zh,
    }
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn line(out: &mut String, depth: usize, text: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "{:indent$}{text}", "", indent = depth * 2);
}

#[cfg(test)]
mod tests {
    use schemas::{report::Dictionary, xml::Limits};
    use serde_json::json;

    use super::*;

    fn shown(lang: Language) -> String {
        let xml = include_bytes!("../../mocks/testdata/report-normal.xml");
        shown_of("pboc-query-personal", xml, lang)
    }

    fn shown_of(dictionary: &str, xml: &[u8], lang: Language) -> String {
        let dictionary = Dictionary::embedded(dictionary).unwrap();
        let report = dictionary.decode(xml, &Limits::default()).unwrap();
        let report = serde_json::to_value(report.view(lang)).unwrap();
        let mut out = String::new();
        describe(&mut out, &report, lang);
        out
    }

    #[test]
    fn a_report_is_shown_by_its_summary_and_figures() {
        let (zh, en) = (shown(Language::Zh), shown(Language::En));
        assert!(zh.starts_with("二 信息概要\n"), "{zh}");
        assert!(zh.contains("  余额合计: 728,655 元\n"), "{zh}");
        assert!(en.contains("  Total balance: CNY 728,655\n"), "{en}");
        assert!(!zh.contains("身份信息"), "{zh}");
    }

    #[test]
    fn a_report_on_an_enterprise_is_shown_the_same_way() {
        let xml =
            include_bytes!("../../schemas/testdata/pboc-query-enterprise/sample-2-troubled.xml");
        let zh = shown_of("pboc-query-enterprise", xml, Language::Zh);
        assert!(zh.starts_with("信息概要\n"), "{zh}");
        assert!(zh.contains("  借贷交易余额: 1,525 万元\n"), "{zh}");
        assert!(zh.contains("  授信使用率: 92.71%\n"), "{zh}");
    }

    #[test]
    fn a_reason_is_told_with_its_law_and_cure() {
        let both = |zh: &str, en: &str| json!({ "zh": zh, "en": en });
        let told = json!([{
            "rule": "QR-02", "code": "expired", "authorization": "a1",
            "source": both("条例第十八条", "CRR Art 18"),
            "what": both("授权已过期", "the authorization has expired"),
            "cure": both("重新取得授权", "obtain a new one"),
        }]);
        let mut out = String::new();
        reasons(&mut out, &told, Language::En);
        assert_eq!(
            out,
            "✗ QR-02 the authorization has expired\n  Source: CRR Art 18\n  \
             Cure: obtain a new one\n  Authorization: a1\n"
        );
    }
}
