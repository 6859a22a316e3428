//! What the tests share.

use std::path::{Path, PathBuf};

use schemas::edition::Edition;
use schemas::plan::RecordPlan;
use schemas::validate::{FileHeader, Finding, Severity};

/// The embedded personal edition.
pub(crate) fn personal() -> &'static Edition {
    let day = "2024-06-01".parse().unwrap();
    Edition::embedded("pboc-submit-personal", day).unwrap()
}

/// A file of test data.
pub(crate) fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(path)
}

/// The samples whose name begins with a record type: name and line.
pub(crate) fn samples(record: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(testdata("pboc-submit-personal")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with(record) {
            found.push((
                name,
                std::fs::read_to_string(path).unwrap().trim_end().to_owned(),
            ));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "samples of {record}");
    found
}

/// The header of a file that could hold such a record.
pub(crate) fn header(record: &str) -> FileHeader {
    let template = if ["110", "310"].contains(&record) {
        "10"
    } else {
        "  "
    };
    FileHeader {
        date: "2025-12-31".parse().unwrap(),
        record: record.to_owned(),
        org: "T99999999H0001".to_owned(),
        template: template.to_owned(),
    }
}

/// All findings on a line.
pub(crate) fn findings(plan: &RecordPlan, line: &str) -> Vec<Finding> {
    let record = plan.read(line.as_bytes()).unwrap();
    plan.validate(&record, &header(plan.code()))
}

/// The error codes among findings, warnings with a `~`.
pub(crate) fn codes(findings: &[Finding]) -> Vec<String> {
    let code = |finding: &Finding| match finding.severity {
        Severity::Error => finding.code.clone(),
        Severity::Warning => format!("~{}", finding.code),
    };
    findings.iter().map(code).collect()
}
