//! `creditgate authorizations`: taking in what subjects signed.

use std::{fs, path::PathBuf};

use clap::Subcommand;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use schemas::text::Language;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    language, out, report,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take in many from a CSV file; what is wrong is set aside with its findings
    Import(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The CSV file; docs/API.md names its columns.
    file: PathBuf,
    /// Write the findings to this CSV file.
    #[arg(long, value_name = "OUT")]
    findings: Option<PathBuf>,
    /// The language of the findings.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
    #[command(flatten)]
    token: Token,
}

/// Columns of a findings file, and fields of a finding.
const COLUMNS: [&str; 5] = ["line", "field", "code", "message", "cure"];

pub(super) async fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    let Command::Import(args) = command;
    let client = Client::new(&common.client()?, &args.token)?;
    let file = fs::read(&args.file).map_err(|source| CliError::Read {
        path: args.file.clone(),
        source,
    })?;
    let call = Call::post("/v1/authorizations/import", Zeroizing::new(file))
        .header(CONTENT_TYPE, HeaderValue::from_static("text/csv"));
    let progress = out::spinner("importing");
    let answer = client.send(call).await;
    progress.finish_and_clear();
    let answer = answer?.json()?;
    let taken = answer["taken"]
        .as_u64()
        .ok_or(CliError::Answer("it is no import"))?;
    let findings = report::list(&answer["findings"]);
    if let Some(path) = &args.findings {
        write(path, findings, args.lang)?;
    }
    if common.json {
        out::json(&answer)?;
    } else {
        let mut text = String::new();
        let label = report::pick(args.lang, "已导入", "Taken in");
        report::line(&mut text, 0, &format!("{label}: {taken}"));
        let label = report::pick(args.lang, "问题", "Findings");
        report::line(&mut text, 0, &format!("{label}: {}", findings.len()));
        if args.findings.is_none() {
            for finding in findings {
                let [line, field, code, message, cure] = row(finding, args.lang);
                let cure = if cure.is_empty() {
                    cure
                } else {
                    format!(" ({cure})")
                };
                report::line(
                    &mut text,
                    1,
                    &format!("{line} {field} {code}: {message}{cure}"),
                );
            }
        }
        out::text(&text)?;
    }
    Ok(if findings.is_empty() {
        Exit::Done
    } else {
        Exit::Refused
    })
}

fn write(path: &PathBuf, findings: &[Value], lang: Language) -> Result<(), CliError> {
    let failed = |source| CliError::Write {
        path: path.clone(),
        source,
    };
    let mut csv = csv::Writer::from_writer(Vec::new());
    let rows = findings.iter().map(|finding| row(finding, lang));
    let done = std::iter::once(COLUMNS.map(str::to_owned))
        .chain(rows)
        .try_for_each(|row| csv.write_record(row));
    done.map_err(|error| failed(error.into()))?;
    let bytes = csv
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    fs::write(path, bytes).map_err(failed)
}

fn row(finding: &Value, lang: Language) -> [String; 5] {
    COLUMNS.map(|column| match &finding[column] {
        Value::Null => String::new(),
        Value::Number(number) => number.to_string(),
        value => report::text(value, lang).unwrap_or_default().to_owned(),
    })
}
