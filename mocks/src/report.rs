//! The sample reports with the facts of one request put in.

use quick_xml::escape::partial_escape;

use crate::subjects::Sample;

/// What is put into a report for one request.
pub(crate) struct Facts<'a> {
    pub(crate) number: &'a str,
    pub(crate) made_at: &'a str,
    pub(crate) name: &'a str,
    pub(crate) id_type: &'a str,
    pub(crate) id_number: &'a str,
    pub(crate) institution: &'a str,
    pub(crate) reason: &'a str,
}

/// The report of `sample`, filled up to at least `min_bytes` by repeating
/// genuine accounts of the normal sample; the summary does not follow.
pub(crate) fn write(sample: Sample, min_bytes: usize, facts: &Facts<'_>) -> String {
    if matches!(sample, Sample::Enterprise | Sample::EnterpriseTroubled) {
        return enterprise(sample, facts);
    }
    let text = match sample {
        Sample::Negative => NEGATIVE,
        Sample::Thin => THIN,
        _ => NORMAL,
    };
    let mut report = String::with_capacity(text.len().max(min_bytes) + 4096);
    let mut rest = text;
    for (element, value) in [
        ("PA01AI01", facts.number),
        ("PA01AR01", facts.made_at),
        ("PA01BQ01", facts.name),
        ("PA01BD01", facts.id_type),
        ("PA01BI01", facts.id_number),
        ("PA01BI02", facts.institution),
        ("PA01BD02", facts.reason),
    ] {
        let Some((before, after)) = cut_out(rest, element) else {
            continue;
        };
        report.push_str(before);
        report.push_str(&partial_escape(value));
        rest = after;
    }
    match accounts_place(rest) {
        Some((before, close, after)) if report.len() + rest.len() < min_bytes => {
            report.push_str(before);
            report.push_str("<PDA>\n");
            fill(
                &mut report,
                min_bytes.saturating_sub(close.len() + after.len()),
            );
            report.push_str(close);
            report.push_str(after);
        }
        _ => report.push_str(rest),
    }
    report
}

/// The report of an enterprise: its head is written anew, with the number that
/// was asked for only.
fn enterprise(sample: Sample, facts: &Facts<'_>) -> String {
    let text = match sample {
        Sample::EnterpriseTroubled => ENTERPRISE_TROUBLED,
        _ => ENTERPRISE,
    };
    let mut report = String::with_capacity(text.len() + 1024);
    let mut rest = text;
    for (element, value) in [
        ("EA01AI01", facts.number),
        ("EA01AR01", facts.made_at),
        ("EA01BI01", facts.institution),
        ("EA01BD02", facts.reason),
        ("EA01CQ01", facts.name),
        ("EA01CS01", "1"),
    ] {
        let Some((before, after)) = cut_out(rest, element) else {
            continue;
        };
        report.push_str(before);
        report.push_str(&partial_escape(value));
        rest = after;
    }
    let numbers = rest.split_once("</EA01CS01>");
    let after = numbers.and_then(|(_, after)| Some(&after[after.find("</EA01C>")?..]));
    report.push_str(&format!(
        "</EA01CS01>\n        <EA01CH>\n          <EA01CD01>{}</EA01CD01>\n          \
         <EA01CI01>{}</EA01CI01>\n        </EA01CH>\n      ",
        partial_escape(facts.id_type),
        partial_escape(facts.id_number)
    ));
    report.push_str(after.unwrap_or_default());
    report
}

/// Text before and after the content of the first `<element>`.
fn cut_out<'a>(text: &'a str, element: &str) -> Option<(&'a str, &'a str)> {
    let start = text.find(&format!("<{element}>"))? + element.len() + 2;
    let end = start + text[start..].find("</")?;
    Some((&text[..start], &text[end..]))
}

/// Text before the list of accounts, what closes the list, and text after its start.
fn accounts_place(text: &str) -> Option<(&str, &'static str, &str)> {
    let empty = text
        .split_once("<PDA />\n")
        .map(|(before, after)| (before, " </PDA>\n", after));
    empty.or_else(|| {
        text.split_once("<PDA>\n")
            .map(|(before, after)| (before, "", after))
    })
}

fn fill(report: &mut String, min_bytes: usize) {
    let accounts: Vec<&str> = NORMAL
        .split_inclusive("</PD01>\n")
        .filter_map(|part| part.find("  <PD01>\n").map(|start| &part[start..]))
        .collect();
    let smallest = accounts.iter().min_by_key(|account| account.len());
    // Whole rounds first, then the smallest one, so that the size is met closely.
    let mut next = accounts.iter().cycle();
    while report.len() < min_bytes {
        let missing = min_bytes - report.len();
        let account = next
            .next()
            .filter(|account| account.len() <= missing)
            .or(smallest);
        report.push_str(account.copied().unwrap_or_default());
    }
}

const ENTERPRISE: &str = include_str!("../testdata/report-enterprise.xml");
const ENTERPRISE_TROUBLED: &str = include_str!("../testdata/report-enterprise-troubled.xml");
const NEGATIVE: &str = include_str!("../testdata/report-negative.xml");
const NORMAL: &str = include_str!("../testdata/report-normal.xml");
const THIN: &str = include_str!("../testdata/report-thin.xml");

#[cfg(test)]
mod tests {
    use quick_xml::{Reader, events::Event};

    use super::*;

    const FACTS: Facts<'static> = Facts {
        number: "2026031610050000000001",
        made_at: "2026-03-16T10:05:00",
        name: "测试<甲>&",
        id_type: "10",
        id_number: "999999197001010018",
        institution: "Z99990000H0009",
        reason: "01",
    };

    /// Element contents by name; fails if the report is not well-formed.
    fn read(report: &str) -> Vec<(String, String)> {
        let (mut reader, mut open, mut found) = (Reader::from_str(report), Vec::new(), Vec::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => {
                    open.push((start.name().into_inner().to_owned(), String::new()))
                }
                Event::Text(text) => open
                    .last_mut()
                    .map(|(_, all)| all.push_str(&text))
                    .unwrap_or(()),
                Event::GeneralRef(name) => open
                    .last_mut()
                    .unwrap()
                    .1
                    .push_str(&format!("&{};", &*name)),
                Event::End(_) => found.push(open.pop().unwrap()),
                Event::Eof => return found,
                _ => {}
            }
        }
    }

    #[test]
    fn a_report_speaks_of_the_one_who_was_asked_for() {
        for sample in [Sample::Negative, Sample::Normal, Sample::Thin] {
            let found = read(&write(sample, 0, &FACTS));
            for (element, value) in [
                ("PA01AI01", FACTS.number),
                ("PA01AR01", FACTS.made_at),
                ("PA01BQ01", "测试&lt;甲&gt;&amp;"),
                ("PA01BD01", FACTS.id_type),
                ("PA01BI01", FACTS.id_number),
                ("PA01BI02", FACTS.institution),
                ("PA01BD02", FACTS.reason),
            ] {
                let all: Vec<_> = found.iter().filter(|(name, _)| name == element).collect();
                assert_eq!(all.len(), 1, "{sample:?} {element}");
                assert_eq!(all[0].1, value, "{sample:?} {element}");
            }
        }
    }

    #[test]
    fn a_report_of_an_enterprise_has_the_number_that_was_asked_for() {
        for sample in [Sample::Enterprise, Sample::EnterpriseTroubled] {
            let found = read(&write(sample, 0, &FACTS));
            for (element, value) in [
                ("EA01AI01", FACTS.number),
                ("EA01BI01", FACTS.institution),
                ("EA01BD02", FACTS.reason),
                ("EA01CQ01", "测试&lt;甲&gt;&amp;"),
                ("EA01CD01", FACTS.id_type),
                ("EA01CI01", FACTS.id_number),
            ] {
                let all: Vec<_> = found.iter().filter(|(name, _)| name == element).collect();
                assert_eq!(all.len(), 1, "{sample:?} {element}");
                assert_eq!(all[0].1, value, "{sample:?} {element}");
            }
        }
    }

    #[test]
    fn a_report_is_filled_up_to_the_size_asked_for() {
        for (sample, min_bytes) in [
            (Sample::Thin, 4_000),
            (Sample::Thin, 150_000),
            (Sample::Normal, 150_000),
        ] {
            let report = write(sample, min_bytes, &FACTS);
            assert!(
                (min_bytes..min_bytes + 600).contains(&report.len()),
                "{}",
                report.len()
            );
            assert!(
                read(&report)
                    .iter()
                    .filter(|(name, _)| name == "PD01")
                    .count()
                    > 2
            );
        }
    }
}
