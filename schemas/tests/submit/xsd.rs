//! A second judge: xmllint under the schema made from the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use schemas::edition::Edition;
use schemas::kind::{Kind, Length};
use schemas::plan::{RecordPlan, What};
use schemas::record::Record;
use schemas::validate::Severity;

use crate::generate::{self, Choices};
use crate::support::{codes, findings, header, personal, samples, testdata};

/// The places of the lines that xmllint refuses; `None` where there is no xmllint.
fn refused(plan: &RecordPlan, lines: &[String]) -> Option<BTreeSet<usize>> {
    let folder = tempfile::tempdir().unwrap();
    let (schema, document) = (
        folder.path().join("plan.xsd"),
        folder.path().join("lines.xml"),
    );
    // All lines in one go: each is one line of one document.
    let wrapper = "<xs:element name=\"Lines\"><xs:complexType><xs:sequence>\
                   <xs:element ref=\"Document\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>\
                   </xs:sequence></xs:complexType></xs:element>\n</xs:schema>";
    std::fs::write(&schema, plan.xsd().replace("</xs:schema>", wrapper)).unwrap();
    std::fs::write(
        &document,
        format!("<Lines>\n{}\n</Lines>\n", lines.join("\n")),
    )
    .unwrap();
    let output = Command::new("xmllint")
        .args(["--noout", "--schema"])
        .args([&schema, &document])
        .output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(
                std::env::var_os("CI").is_none(),
                "xmllint is missing (libxml2-utils)"
            );
            eprintln!("SKIPPED: xmllint is missing (libxml2-utils); nothing was compared");
            return None;
        }
        output => output.unwrap(),
    };
    let told = String::from_utf8(output.stderr).unwrap();
    let prefix = format!("{}:", document.display());
    let mut refused = BTreeSet::new();
    for error in told.lines().filter_map(|line| line.strip_prefix(&prefix)) {
        let line: usize = error.split(':').next().unwrap().parse().unwrap();
        refused.insert(line - 2);
    }
    assert!(
        told.contains("validates") || (!refused.is_empty() && told.contains("fails to validate")),
        "xmllint: {told}"
    );
    Some(refused)
}

/// The same decisions in every run: a judge should not change with the weather.
fn decisions(count: usize) -> Vec<Vec<u8>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let bytes = proptest::collection::vec(proptest::num::u8::ANY, 400);
    (0..count)
        .map(|_| bytes.new_tree(&mut runner).unwrap().current())
        .collect()
}

#[test]
fn xmllint_takes_every_line_that_we_accept() {
    for (plan, samples) in all() {
        let mut accepted = Vec::new();
        for sample in samples {
            for bytes in decisions(100) {
                let record = generate::mutate(plan, &sample, 40, &mut Choices::new(&bytes));
                let found = plan.validate(&record, &header(plan.code()));
                if found
                    .iter()
                    .all(|finding| finding.severity == Severity::Warning)
                {
                    accepted.push(written(plan, &record));
                }
            }
            accepted.push(written(plan, &sample));
        }
        assert!(
            accepted.len() > 10,
            "{}: {} accepted",
            plan.code(),
            accepted.len()
        );
        let Some(refused) = refused(plan, &accepted) else {
            return;
        };
        let refused: Vec<&String> = refused.iter().map(|line| &accepted[*line]).collect();
        assert!(
            refused.is_empty(),
            "{}: xmllint refuses {refused:#?}",
            plan.code()
        );
    }
}

#[test]
fn xmllint_refuses_the_same_breaks_of_every_item_of_every_record_as_we_do() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (plan, samples) in all() {
        let mut broken = Vec::new();
        for sample in &samples {
            breaks(plan, sample, &mut broken);
        }
        // Whoever breaks nothing proves nothing.
        assert!(broken.len() >= 10, "{}: {}", plan.code(), broken.len());
        let lines: Vec<String> = broken.iter().map(|it| it.line.clone()).collect();
        let Some(refused) = refused(plan, &lines) else {
            return;
        };
        for (place, Break { how, at, line }) in broken.iter().enumerate() {
            // The order is free for whoever reads (`line-tags` of checks.tsv), not for a schema.
            let found = codes(&findings(plan, line));
            let ours = *how == "order" || found.iter().any(|code| !code.starts_with('~'));
            assert!(
                refused.contains(&place) == ours,
                "{}: {how} at {at}: we say {found:?}, xmllint the opposite: {line}",
                plan.code()
            );
            if ours {
                *counts.entry(how).or_default() += 1;
            }
        }
    }
    eprintln!("breaks refused by both: {counts:?}");
}

/// A line with one thing wrong.
struct Break {
    how: &'static str,
    at: String,
    line: String,
}

/// Every way to break each item of a sample that stands at one place only.
fn breaks(plan: &RecordPlan, sample: &Record, broken: &mut Vec<Break>) {
    let line = written(plan, sample);
    let mut before: Option<String> = None;
    for (path, value) in plan.values(sample) {
        let tag = path.rsplit('/').next().unwrap();
        let (start, end) = (format!("<{tag}>"), format!("</{tag}>"));
        if value.is_none() || line.matches(&start).count() != 1 {
            before = None;
            continue;
        }
        let from = line.find(&start).unwrap();
        let to = line.find(&end).unwrap() + end.len();
        let own = line[from..to].to_owned();
        let node = plan.find(&without_ordinals(&path)).unwrap();
        let element = plan.element(node);
        let What::Item { kind, length } = element.what() else {
            continue;
        };
        let mut put = |how, new: String| {
            let line = format!("{}{new}{}", &line[..from], &line[to..]);
            let at = path.clone();
            broken.push(Break { how, at, line });
        };
        put("unknown", format!("<Nom>x</Nom>{own}"));
        put("twice", format!("{own}{own}"));
        // Any character but a control is text.
        if kind != Kind::Text {
            put("kind", format!("{start}\u{1f600}{end}"));
        }
        if kind == Kind::Code {
            put("code", format!("{start}ZZ9{end}"));
        }
        if kind == Kind::Date {
            put("day", format!("{start}2024-02-31{end}"));
            put("year", format!("{start}1888-01-01{end}"));
        }
        if let Length::UpTo(n) | Length::Exactly(n) = length
            && kind != Kind::Decimal2
        {
            put(
                "length",
                format!("{start}{}{end}", "1".repeat(n as usize + 1)),
            );
        }
        if kind == Kind::Decimal2 {
            put("decimals", format!("{start}1.5{end}"));
        }
        if element.always_there() {
            put("missing", String::new());
        }
        if element.always_filled() {
            put("empty", format!("{start}{end}"));
            put("blank", format!("{start}  {end}"));
        }
        // Siblings, the later one first.
        if let Some(last) = before.replace(own.clone())
            && line[..from].ends_with(&last)
        {
            let head = &line[..from - last.len()];
            let line = format!("{head}{own}{last}{}", &line[to..]);
            broken.push(Break {
                how: "order",
                at: path.clone(),
                line,
            });
        }
    }
}

/// A path as the tables have it.
fn without_ordinals(path: &str) -> String {
    let parts = path.split('/');
    let parts = parts.map(|part| part.split('[').next().unwrap());
    parts.collect::<Vec<_>>().join("/")
}

fn written(plan: &RecordPlan, record: &Record) -> String {
    let mut line = Vec::new();
    plan.write(record, &mut line).unwrap();
    String::from_utf8(line).unwrap()
}

/// The plans of every record of both families, each with its samples.
fn all() -> Vec<(&'static RecordPlan, Vec<Record>)> {
    let mut all = Vec::new();
    for format in Edition::FORMATS {
        let edition = Edition::embedded(format, "2024-06-01".parse().unwrap()).unwrap();
        for plan in edition.plans() {
            let mut samples = Vec::new();
            for entry in std::fs::read_dir(testdata(format)).unwrap() {
                let path = entry.unwrap().path();
                if path
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with(plan.code())
                {
                    let line = std::fs::read_to_string(path).unwrap();
                    samples.push(plan.read(line.trim_end().as_bytes()).unwrap());
                }
            }
            assert!(!samples.is_empty(), "samples of {}", plan.code());
            all.push((&**plan, samples));
        }
    }
    all
}

#[test]
fn xmllint_refuses_what_breaks_structure_kind_length_or_list() {
    let broken = [
        ("110", "missing item", "<Name>测试甲</Name>", ""),
        ("110", "empty item", "<Name>测试甲</Name>", "<Name></Name>"),
        (
            "110",
            "blank item",
            "<Name>测试甲</Name>",
            "<Name>  </Name>",
        ),
        ("110", "unknown tag", "<Name>", "<Nom>x</Nom><Name>"),
        ("110", "no code", "<IDType>10<", "<IDType>77<"),
        (
            "110",
            "no date",
            "<RptDate>2024-05-31<",
            "<RptDate>2024-02-31<",
        ),
        ("110", "early date", "<DOB>1988-08-08<", "<DOB>1888-08-08<"),
        ("110", "short digits", "<CellPhone>1", "<CellPhone>"),
        (
            "110",
            "not a number",
            "<AnnlInc>120000<",
            "<AnnlInc>+120000<",
        ),
        ("110", "not half-width", "<Cimoc>T9", "<Cimoc>Ｔ9"),
        (
            "110",
            "segment out of place",
            "<BsSgmt>",
            "<IncInfSgmt/><BsSgmt>",
        ),
        ("210", "no month", "<Month>2024-05<", "<Month>2024-13<"),
        ("210", "long number", "<RepayPrd>120<", "<RepayPrd>1200<"),
        (
            "210",
            "item twice",
            "<Cy>CNY</Cy>",
            "<Cy>CNY</Cy><Cy>CNY</Cy>",
        ),
        (
            "210",
            "long text",
            "<ArlpName>测试丙",
            &format!("<ArlpName>{}", "测".repeat(81)),
        ),
    ];
    for record in ["110", "210"] {
        let plan = personal().plan(record).unwrap();
        let name = format!("{record}.xml");
        let (_, sample) = samples(record)
            .into_iter()
            .find(|(found, _)| *found == name)
            .unwrap();
        let cases: Vec<_> = broken
            .iter()
            .filter(|(of, _, from, _)| *of == record && sample.contains(from))
            .map(|(_, name, from, to)| (name, sample.replace(from, to)))
            .collect();
        assert!(cases.len() >= 4, "cases of {record}");
        let lines: Vec<String> = cases.iter().map(|(_, line)| line.clone()).collect();
        for (name, line) in &cases {
            assert!(
                !codes(&findings(plan, line)).is_empty(),
                "{record}: we take {name}"
            );
        }
        let Some(refused) = refused(plan, &lines) else {
            return;
        };
        for (place, (name, _)) in cases.iter().enumerate() {
            assert!(refused.contains(&place), "{record}: xmllint takes {name}");
        }
    }
}
