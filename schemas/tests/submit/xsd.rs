//! A second judge: xmllint under the schema made from the plan.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use schemas::plan::RecordPlan;
use schemas::validate::Severity;

use crate::generate::{self, Choices};
use crate::support::{codes, findings, header, personal, samples};

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
    for plan in personal().plans() {
        let mut accepted = Vec::new();
        for (_, line) in samples(plan.code()) {
            let sample = plan.read(line.as_bytes()).unwrap();
            for bytes in decisions(300) {
                let record = generate::mutate(plan, &sample, 40, &mut Choices::new(&bytes));
                let found = plan.validate(&record, &header(plan.code()));
                if found
                    .iter()
                    .all(|finding| finding.severity == Severity::Warning)
                {
                    let mut line = Vec::new();
                    plan.write(&record, &mut line).unwrap();
                    accepted.push(String::from_utf8(line).unwrap());
                }
            }
            accepted.push(line);
        }
        assert!(
            accepted.len() > 20,
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
