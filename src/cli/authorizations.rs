//! `creditgate authorizations`: taking in what subjects signed.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
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
use crate::authorizations::{Folder, Originals as _};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take in many from a CSV file; what is wrong is set aside with its findings
    Import(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The CSV file; docs/API.md names its columns.
    file: PathBuf,
    /// The folder of the originals that the column evidence_file names; without
    /// it the column holds them in Base64
    #[arg(long, value_name = "DIR")]
    originals: Option<PathBuf>,
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
const COLUMNS: [&str; 5] = ["line", "field", "code", "wrong", "right"];

/// What became of the rows.
const COUNTS: [(&str, &str, &str); 4] = [
    ("rows", "总行数", "Rows"),
    ("recorded", "已导入", "Recorded"),
    ("already", "此前已导入", "Recorded before"),
    ("set_aside", "搁置", "Set aside"),
];

/// The column of an import that names or holds the original.
const ORIGINAL: &[u8] = b"evidence_file";

pub(super) async fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    let Command::Import(args) = command;
    let client = Client::new(&common.client()?, &args.token)?;
    let failed = |source| CliError::Read {
        path: args.file.clone(),
        source,
    };
    let mut file = Zeroizing::new(fs::read(&args.file).map_err(failed)?);
    if let Some(path) = &args.originals {
        let folder = Folder::new(path).map_err(|source| CliError::Read {
            path: path.clone(),
            source,
        })?;
        file = enclose(&file, &folder).map_err(|error| failed(error.into()))?;
    }
    let call = Call::post("/v1/authorizations/import", file)
        .header(CONTENT_TYPE, HeaderValue::from_static("text/csv"));
    let progress = out::spinner("importing");
    let answer = client.send(call).await;
    progress.finish_and_clear();
    let answer = answer?.json()?;
    let taken = &answer["taken"];
    if !taken.is_object() {
        return Err(CliError::Answer("it is no import"));
    }
    let findings = report::list(&answer["findings"]);
    if let Some(path) = &args.findings {
        write(path, findings, args.lang)?;
    }
    if common.json {
        out::json(&answer)?;
    } else {
        let mut text = String::new();
        for (name, zh, en) in COUNTS {
            let label = report::pick(args.lang, zh, en);
            report::line(&mut text, 0, &format!("{label}: {}", taken[name]));
        }
        let label = report::pick(args.lang, "问题", "Findings");
        report::line(&mut text, 0, &format!("{label}: {}", findings.len()));
        if args.findings.is_none() {
            for finding in findings {
                let [line, field, code, wrong, right] = row(finding, args.lang);
                let told = format!("{line} {field} {code}: {wrong}; {right}");
                report::line(&mut text, 1, &told);
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

/// The file with each original in the place of its name. What cannot be read
/// stays a name, which the gateway finds to be no original.
fn enclose(file: &[u8], folder: &Folder) -> csv::Result<Zeroizing<Vec<u8>>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(file);
    let mut out = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    let mut place = None;
    for record in reader.byte_records() {
        let record = record?;
        let original = place.and_then(|place: usize| {
            let name = std::str::from_utf8(record.get(place)?).ok()?;
            Some((place, BASE64.encode(&*folder.read(name).ok()?)))
        });
        place = place.or_else(|| record.iter().position(|cell| cell == ORIGINAL));
        match original {
            None => out.write_byte_record(&record)?,
            Some((place, original)) => {
                out.write_record(record.iter().enumerate().map(|(n, cell)| {
                    if n == place {
                        original.as_bytes()
                    } else {
                        cell
                    }
                }))?
            }
        }
    }
    let bytes = out
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(Zeroizing::new(bytes))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_original_takes_the_place_of_its_name_and_nothing_else_moves() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.pdf"), "original").unwrap();
        let file = "name,evidence_file\n\"测试甲\nx\",a.pdf\n测试乙,../a.pdf\n测试丙,b.pdf\n";
        let folder = Folder::new(folder.path()).unwrap();
        let enclosed = enclose(file.as_bytes(), &folder).unwrap();
        assert_eq!(
            std::str::from_utf8(&enclosed).unwrap(),
            file.replacen("a.pdf", "b3JpZ2luYWw=", 1)
        );
    }
}
