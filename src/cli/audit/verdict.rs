//! What a verification says, and how much that is worth.

use serde_json::json;

use crate::{
    audit::{
        evidence::BundleReport,
        hex::Hex,
        verify::{Report, Trust},
    },
    cli::{CliError, Common, Exit, out},
};

/// Prints what became of a whole log.
pub(super) fn log(common: &Common, report: &Report) -> Result<Exit, CliError> {
    let good = report.is_good();
    if common.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|it| json!({ "code": it.code(), "message": it.to_string() }))
            .collect();
        out::json(&json!({
            "good": good,
            "origin": report.origin,
            "size": report.size,
            "signed": report.signed,
            "root": Hex(&report.root).to_string(),
            "trust": trust_code(&report.trust),
            "since": report.since,
            "findings": findings,
        }))?;
    } else {
        let mut lines = vec![format!(
            "{}: {} entries, {} of them under a signed checkpoint",
            report.origin, report.size, report.signed
        )];
        lines.push(format!("root {}", Hex(&report.root)));
        lines.push(trust(&report.trust));
        lines.extend(
            report
                .since
                .iter()
                .map(|size| format!("contains the log of {size} entries that you brought")),
        );
        lines.extend(report.findings.iter().map(|it| format!("✗ {it}")));
        lines.push(end(good, report.findings.len()));
        out::text(&lines.join("\n"))?;
    }
    Ok(exit(good))
}

/// Prints what became of a file of evidence.
pub(super) fn bundle(common: &Common, report: &BundleReport) -> Result<Exit, CliError> {
    let good = report.is_good();
    let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    if common.json {
        out::json(&json!({
            "good": good,
            "about": report.about,
            "size": report.size,
            "trust": trust_code(&report.trust),
            "proven": report.proven,
            "subject_proven": report.subject_proven,
            "payloads_proven": report.payloads_proven,
            "rows_proven": report.rows_proven,
            "findings": findings,
        }))?;
    } else {
        let mut lines = vec![format!(
            "{}: {} entries proven in a log of {}",
            report.about,
            report.proven.len(),
            report.size
        )];
        if report.subject_proven {
            lines.push("they concern the disclosed subject".to_owned());
        }
        lines.extend(
            report
                .rows_proven
                .iter()
                .map(|place| format!("one of them stands for the row at {place}")),
        );
        lines.extend(
            report
                .payloads_proven
                .iter()
                .map(|place| format!("they bind the payload at {place}")),
        );
        lines.push(trust(&report.trust));
        lines.extend(findings.iter().map(|it| format!("✗ {it}")));
        lines.push(end(good, findings.len()));
        out::text(&lines.join("\n"))?;
    }
    Ok(exit(good))
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::Key(key) => format!("signed by the key that you brought: {key}"),
        Trust::SelfConsistent => {
            "self-consistent only: bring --vkey, and --since with a checkpoint that you kept"
                .to_owned()
        }
    }
}

fn trust_code(trust: &Trust) -> &'static str {
    match trust {
        Trust::Key(_) => "key",
        Trust::SelfConsistent => "self_consistent",
    }
}

fn end(good: bool, findings: usize) -> String {
    if good {
        "✓ verified".to_owned()
    } else {
        format!("✗ not verified: {findings} findings")
    }
}

fn exit(good: bool) -> Exit {
    if good { Exit::Done } else { Exit::Unproven }
}
