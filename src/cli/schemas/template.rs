//! `creditgate schemas template`: a workbook to be filled.

use std::{fs, path::PathBuf};

use schemas::{edition::Edition, plan::RecordPlan, text::Language};

use super::super::{CliError, Common, Exit, language, out};

/// The formats whose records can be filled in, as far as this program knows them.
const FORMATS: [&str; 2] = ["pboc-submit-personal", "pboc-submit-enterprise"];

/// Arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Record types, such as 410; several go into one workbook.
    #[arg(required = true)]
    records: Vec<String>,
    /// The workbook to be written.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The language of names, notes and codes.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
}

pub(super) fn run(common: &Common, args: &Args) -> Result<Exit, CliError> {
    let is_workbook = args
        .output
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("xlsx"));
    if !is_workbook {
        return Err(CliError::Usage("the workbook is named .xlsx"));
    }
    let mut plans: Vec<&RecordPlan> = Vec::new();
    for code in &args.records {
        let plan = plan(code).ok_or(CliError::Usage("the formats know no such record type"))?;
        if !plans.iter().any(|known| known.code() == plan.code()) {
            plans.push(plan);
        }
    }
    let path = || args.output.clone();
    let bytes = workbook::template(&plans, args.lang).map_err(|source| CliError::Book {
        path: path(),
        source,
    })?;
    fs::write(&args.output, bytes).map_err(|source| CliError::Write {
        path: path(),
        source,
    })?;
    if common.json {
        out::json(&serde_json::json!({"file": args.output, "records": args.records}))?;
    } else {
        out::note(&format!("written: {}", args.output.display()));
    }
    Ok(Exit::Done)
}

/// The plan of a record type in the editions in force.
fn plan(code: &str) -> Option<&'static RecordPlan> {
    FORMATS.iter().find_map(|format| {
        let edition = Edition::embedded(format, jiff::civil::Date::MAX)?;
        edition.plan(code).map(|plan| &**plan)
    })
}
