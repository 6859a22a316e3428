//! What each fuzzer begins with: the samples of the repository, each in the form in which its
//! reader takes it.

use std::error::Error;
use std::fs;
use std::path::Path;

use schemas::edition::Edition;
use schemas::file::Header;
use schemas::intake::csv::Layout;
use schemas::intake::{Names, to_json};
use schemas::plan::RecordPlan;
use schemas::record::Record;

/// A value, or why there is none.
pub type Done<T> = Result<T, Box<dyn Error>>;

/// One seed.
pub struct Seed {
    /// Whose.
    pub target: &'static str,
    /// The sample that it was made of.
    pub name: String,
    /// What the fuzzer takes.
    pub bytes: Vec<u8>,
}

/// All seeds, made of the samples below the root of the repository.
///
/// # Errors
///
/// A sample that cannot be read.
pub fn all(root: &Path) -> Done<Vec<Seed>> {
    let mut seeds = Vec::new();
    let mut add = |target, name: String, bytes| {
        seeds.push(Seed {
            target,
            name,
            bytes,
        });
    };
    for (name, bytes) in samples(root, "schemas/testdata/pboc-query-personal")? {
        add("report", name, bytes);
    }
    for (name, bytes) in samples(root, "adapters/pboc/testdata")? {
        add("soap", format!("{name}.soap"), soap(&bytes));
        add("soap", name, bytes);
    }
    for (name, bytes) in samples(root, "schemas/testdata/pboc-submit-files")? {
        let kind = match name.starts_with("feedback") {
            true => "feedback",
            false => "submission",
        };
        let stem = name.trim_start_matches(|c| c != 'T').as_bytes();
        let head = bytes.split(|byte| *byte == b'\r').next();
        add("header", format!("{name}.name"), stem.to_vec());
        add("header", name.clone(), head.unwrap_or_default().to_vec());
        add(kind, name, bytes);
    }
    let day = "2024-06-01".parse()?;
    let editions = Edition::FORMATS.map(|format| Edition::embedded(format, day));
    for format in Edition::FORMATS {
        for (name, bytes) in samples(root, &format!("schemas/testdata/{format}"))? {
            let code = name.get(..3).unwrap_or_default();
            // Collateral stands in both formats, and in the tables of one.
            let plan = { editions.iter().flatten() }.find_map(|edition| edition.plan(code));
            let plan = plan.ok_or("a sample of no record type")?;
            let line = String::from_utf8(bytes)?;
            let record = plan.read(line.trim_end().as_bytes())?;
            let json = to_json(plan, &record, Names::Tag);
            add(
                "submission",
                name.clone(),
                file(plan.code(), line.trim_end()),
            );
            add("csv", name.clone(), tables(plan, &record));
            add("jsonl", name, json.into_bytes());
        }
    }
    Ok(seeds)
}

/// The files of a folder of the repository.
fn samples(root: &Path, folder: &str) -> Done<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        found.push((name.into_owned(), fs::read(&path)?));
    }
    Ok(found)
}

/// A submission file of one record.
fn file(record: &str, line: &str) -> Vec<u8> {
    let template = Header::template_of(record);
    let header = format!("A050{record}2.0.0{template}T99999999H00012024060109300000000001");
    format!("{header}\r\n{line}\r\n").into_bytes()
}

/// A record as the tables of a CSV intake.
fn tables(plan: &RecordPlan, record: &Record) -> Vec<u8> {
    let layout = Layout::new(plan);
    let mut text = format!("{}\x1e", plan.code());
    let table = |text: &mut String, columns: &[&str], rows: &[Vec<&str>]| {
        text.push_str(&format!("@key,{}\n", columns.join(",")));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| format!("\"{cell}\"")).collect();
            text.push_str(&format!("1,{}\n", cells.join(",")));
        }
    };
    let columns = layout.columns(Names::Tag);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    table(&mut text, &columns, &[layout.row(record)]);
    for (at, (group, columns)) in layout.groups(Names::Tag).into_iter().enumerate() {
        let rows = layout.rows(record, at);
        if !rows.is_empty() {
            text.push_str(&format!("\x1e{group}\x1e"));
            table(&mut text, &columns, &rows);
        }
    }
    text.into_bytes()
}

/// A message as the reply of the inquiry service.
fn soap(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let service = "http://ws.serviceaccept.ws.service.query.channel.pbccrc.org/";
    format!(
        "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body>\
         <q:psCreditReportQueryReqResponse xmlns:q=\"{service}\"><return>{text}</return>\
         </q:psCreditReportQueryReqResponse></S:Body></S:Envelope>"
    )
    .into_bytes()
}
