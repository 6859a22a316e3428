//! How fast reports are read, and records validated and written: from memory,
//! on one core, beside the least that any reader or writer of XML does.

mod support;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use jiff::civil::date;
use quick_xml::{Reader, Writer, events::Event};
use schemas::{
    edition::Edition,
    report::Dictionary,
    text::Language,
    validate::{FileHeader, Scratch, Severity},
    xml::Limits,
};
use support::{Table, grouped, megabytes, size};

const THIN: &str = include_str!("../schemas/testdata/pboc-query-personal/sample-report-1-thin.xml");
const NORMAL: &str =
    include_str!("../schemas/testdata/pboc-query-personal/sample-report-2-normal.xml");
const NEGATIVE: &str =
    include_str!("../schemas/testdata/pboc-query-personal/sample-report-3-negative.xml");

const HEALTHY: &str =
    include_str!("../schemas/testdata/pboc-query-enterprise/sample-1-healthy-sme.xml");
const TROUBLED: &str =
    include_str!("../schemas/testdata/pboc-query-enterprise/sample-2-troubled.xml");

/// What a report of 150 KB must reach: MB/s decoded, and its variables.
const LEAST_MB_PER_SECOND: f64 = 60.0;
const MOST_FOR_VARIABLES: Duration = Duration::from_millis(10);

/// Record 210 in four shapes.
const RECORDS: [&str; 4] = [
    include_str!("../schemas/testdata/pboc-submit-personal/210.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-c1.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-d1-special.xml"),
    include_str!("../schemas/testdata/pboc-submit-personal/210-r2.xml"),
];

/// Turns of each contestant; the median counts.
const TURNS: usize = 7;

fn main() -> anyhow::Result<()> {
    reports()?;
    records()
}

fn reports() -> anyhow::Result<()> {
    let person = Dictionary::embedded("pboc-query-personal").context("no dictionary")?;
    let firm = Dictionary::embedded("pboc-query-enterprise").context("no dictionary")?;
    let mut table = Table::new(
        "Reports decoded, against a bare loop over quick-xml's events",
        &[
            "report",
            "bytes",
            "decode MB/s",
            "decode ms",
            "quick-xml MB/s",
            "times as long",
            "variables ms",
            "page as text ms",
        ],
    );
    let large = filled_up(NORMAL, "PD01", 150_000)?;
    let large_firm = filled_up(TROUBLED, "ED01", 150_000)?;
    let mut verdicts = Vec::new();
    for (name, dictionary, text) in [
        ("thin", person, THIN),
        ("normal", person, NORMAL),
        ("negative", person, NEGATIVE),
        ("150 KB", person, &large),
        ("enterprise, healthy", firm, HEALTHY),
        ("enterprise, troubled", firm, TROUBLED),
        ("enterprise, 150 KB", firm, &large_firm),
    ] {
        let decode = || dictionary.decode(text.as_bytes(), &Limits::default());
        let report = decode()?;
        ensure!(report.unknown().len() == 0, "{name}: an unknown element");
        let [decoded, bare, variables, page] = contest([
            &mut || drop(black_box(decode())),
            &mut || drop(black_box(events(text))),
            &mut || drop(black_box(report.variables())),
            &mut || drop(black_box(report.render(Language::Zh))),
        ]);
        if text.len() >= 150_000 {
            let speed = text.len() as f64 / decoded.as_secs_f64() / 1e6;
            let reached = speed >= LEAST_MB_PER_SECOND && variables < MOST_FOR_VARIABLES;
            let verdict = if reached { "reached" } else { "MISSED" };
            verdicts.push(format!(
                "{name}: {verdict}: {speed:.0} MB/s (at least {LEAST_MB_PER_SECOND}), \
                 variables in {variables:.1?} (under {MOST_FOR_VARIABLES:?})",
            ));
        }
        table.row([
            name.to_owned(),
            grouped(text.len() as u64),
            megabytes(text.len(), decoded),
            format!("{:.3}", decoded.as_secs_f64() * 1e3),
            megabytes(text.len(), bare),
            format!("{:.1}", decoded.as_secs_f64() / bare.as_secs_f64()),
            format!("{:.3}", variables.as_secs_f64() * 1e3),
            format!("{:.3}", page.as_secs_f64() * 1e3),
        ]);
    }
    table.print();
    for verdict in verdicts {
        println!("{verdict}");
    }
    Ok(())
}

/// Counts the events of a document.
fn events(text: &str) -> anyhow::Result<usize> {
    let (mut reader, mut count) = (Reader::from_str(text), 0);
    loop {
        match reader.read_event()? {
            Event::Eof => return Ok(count),
            _ => count += 1,
        }
    }
}

/// A report with its units of this code again and again, at least so large.
fn filled_up(report: &str, unit: &str, bytes: usize) -> anyhow::Result<String> {
    let close = format!("</{unit}>");
    let end = report.rfind(&close).context("no unit")? + close.len();
    let start = report.find(&format!("<{unit}>")).context("no unit")?;
    let units = &report[start..end];
    let mut text = report[..end].to_owned();
    while text.len() + report.len() - end < bytes {
        text.push_str(units);
    }
    text.push_str(&report[end..]);
    Ok(text)
}

fn records() -> anyhow::Result<()> {
    let day = date(2024, 6, 1);
    let edition = Edition::embedded("pboc-submit-personal", day).context("no edition")?;
    let plan = edition.plan("210").context("no record 210")?;
    let header = FileHeader {
        date: date(2025, 12, 31),
        record: "210".to_owned(),
        org: "T99999999H0001".to_owned(),
        template: "  ".to_owned(),
    };
    let mut records = Vec::new();
    let mut streams = Vec::new();
    for line in RECORDS.map(str::trim_end) {
        records.push(plan.read(line.as_bytes())?);
        let (mut reader, mut stream) = (Reader::from_str(line), Vec::new());
        loop {
            match reader.read_event()? {
                Event::Eof => break,
                event => stream.push(event),
            }
        }
        streams.push(stream);
    }
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    for record in &records {
        let findings = plan.validate_with(record, &header, &mut scratch);
        let stops = findings
            .iter()
            .any(|found| found.severity == Severity::Error);
        ensure!(!stops, "a sample does not pass: {findings:?}");
    }
    let mut failed = false;
    let [both, validated, written, bare] = {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut other = Scratch::default();
        contest([
            &mut || {
                first.clear();
                for record in &records {
                    let findings = plan.validate_with(record, &header, &mut scratch);
                    failed |= plan.write(record, &mut first).is_err();
                    black_box(findings);
                }
            },
            &mut || {
                for record in &records {
                    black_box(plan.validate_with(record, &header, &mut other));
                }
            },
            &mut || {
                second.clear();
                for record in &records {
                    black_box(plan.write(record, &mut second).is_ok());
                }
            },
            &mut || {
                out.clear();
                let mut writer = Writer::new(&mut out);
                for event in streams.iter().flatten() {
                    black_box(writer.write_event(event.borrow()).is_ok());
                }
            },
        ])
    };
    ensure!(!failed, "a sample cannot be written");
    let bytes: usize = RECORDS.iter().map(|line| line.trim_end().len()).sum();
    let mut table = Table::new(
        format!(
            "Records 210, {} bytes on average, from memory to memory",
            bytes / RECORDS.len()
        ),
        &["what", "records/s", "MB/s"],
    );
    for (what, time) in [
        ("validate and write", both),
        ("validate only", validated),
        ("write only", written),
        ("quick-xml's writer, the same events", bare),
    ] {
        table.row([
            what.to_owned(),
            support::rate(RECORDS.len(), time),
            megabytes(bytes, time),
        ]);
    }
    table.print();
    Ok(())
}

/// Lets all run in turns and gives the median time of one call of each.
fn contest<const N: usize>(mut runners: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let turn = Duration::from_millis(size(150, 5));
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..TURNS {
        for (run, times) in runners.iter_mut().zip(&mut times) {
            let (began, mut calls) = (Instant::now(), 0);
            while began.elapsed() < turn {
                run();
                calls += 1;
            }
            times.push(began.elapsed() / calls);
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[TURNS / 2]
    })
}
