//! `creditgate submit`: hand records in, or check them without handing them in.
//!
//! The key of a submission is the digest of its content unless another is
//! given: the same files are the same submission, however often they are sent.

mod book;
mod check;
mod stream;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use ring::digest::{Context, SHA256};
use schemas::text::Language;
use serde_json::{Value, json};

pub(super) use self::stream::Parts;
use self::stream::Table;
use super::{
    CliError, Common, Exit,
    client::{Answer, Call, Client, Token},
    language, out, report,
};
use crate::audit::hex::Hex;

/// A day and a night: longer than a million records take.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Records that are printed at most with what they wait for, in each state.
const SHOWN: usize = 20;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// JSON Lines (.jsonl, .ndjson), CSV (.csv) or workbooks (.xlsx), a
    /// submission each.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The bureau reported to.
    #[arg(long, default_value = "pboc")]
    bureau: String,
    /// The record type of a CSV, such as 210.
    #[arg(long)]
    record: Option<String>,
    /// A child table of a CSV, as group and file: RltRepymtInf=parties.csv; may
    /// be repeated.
    #[arg(long = "child", value_name = "GROUP=FILE", requires = "record")]
    children: Vec<String>,
    /// The files are negative events, as JSON Lines: the gateway makes of each the
    /// records that the institution's profile reports it in.
    #[arg(long, conflicts_with_all = ["dry_run", "record"])]
    events: bool,
    /// Go on with, or repeat, an earlier call: the key that it printed.
    #[arg(long)]
    key: Option<String>,
    /// Check the records here and send nothing; what the gateway alone knows
    /// (authorizations, notices, the ledger) is not asked.
    #[arg(long)]
    dry_run: bool,
    /// Write all findings of a dry run into a file: .csv, .json, or .xlsx, which
    /// for a workbook is a copy of it with the findings marked.
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    findings: Option<PathBuf>,
    /// The language of the findings.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
    #[command(flatten)]
    token: Token,
}

pub(super) async fn run(common: &Common, args: &Args) -> Result<Exit, CliError> {
    if args.files.len() > 1 && (args.key.is_some() || !args.children.is_empty()) {
        return Err(CliError::Usage("--key and --child go with one file"));
    }
    if args.files.len() > 1 && args.findings.is_some() {
        return Err(CliError::Usage("--findings goes with one file"));
    }
    if args.dry_run {
        return check::run(common, args);
    }
    let client = Client::new(&common.client()?, &args.token)?;
    let mut exit = Exit::Done;
    for file in &args.files {
        if args.events && extension(file) == "csv" {
            return Err(CliError::Usage("events are JSON Lines: .jsonl or .ndjson"));
        }
        let table = Table::of(file, args.record.as_deref(), &args.children)?;
        table.in_order().map_err(|source| CliError::Read {
            path: file.clone(),
            source,
        })?;
        let key = match &args.key {
            Some(key) => key.clone(),
            None => key_of(&table, &args.bureau, args.events)?,
        };
        // Said before anything leaves: whoever loses the answer needs it.
        out::note(&format!("idempotency key: {key}"));
        let key = HeaderValue::from_str(&key)
            .map_err(|_| CliError::Usage("a key is of printable ASCII characters"))?;
        let path = match table.content_record() {
            None if args.events => format!("/v1/submissions?bureau={}&events=true", args.bureau),
            Some(record) => format!("/v1/submissions?bureau={}&record={record}", args.bureau),
            None => format!("/v1/submissions?bureau={}", args.bureau),
        };
        let kind = HeaderValue::from_static(table.content_type());
        let call = Call::stream(&path, table.body())
            .header(CONTENT_TYPE, kind)
            .header(HeaderName::from_static("idempotency-key"), key)
            .wait(LONGEST);
        let progress = out::spinner("handing in");
        let answer = client.send(call).await;
        progress.finish_and_clear();
        if show(common, &client, args.lang, &answer?).await? {
            exit = Exit::Refused;
        }
    }
    Ok(exit)
}

/// The digest of the content: where it goes, what its records are, and all
/// tables in their order.
fn key_of(table: &Table, bureau: &str, events: bool) -> Result<String, CliError> {
    let mut context = Context::new(&SHA256);
    let form = if events { "events" } else { "" };
    for word in [bureau, table.record().unwrap_or(form)] {
        context.update(word.as_bytes());
        context.update(&[0xff]);
    }
    for path in table.paths() {
        let failed = |source| CliError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let mut part = vec![0; 1 << 16];
        loop {
            let read = match file.read(&mut part) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            context.update(&part[..read]);
        }
        // Where one table ends and the next begins is part of the content.
        context.update(&[0xff]);
    }
    Ok(format!("sha256-{}", Hex(context.finish().as_ref())))
}

/// Prints a submission; tells whether some of its records wait for a person.
async fn show(
    common: &Common,
    client: &Client,
    lang: Language,
    answer: &Answer,
) -> Result<bool, CliError> {
    let view = answer.json()?;
    let id = view["id"].as_str().unwrap_or_default().to_owned();
    let count = |state: &str| {
        let mut counts = report::list(&view["records"]).iter();
        let found = counts.find(|it| it["state"] == state);
        found.and_then(|it| it["count"].as_u64()).unwrap_or(0)
    };
    let waiting = ["set_aside", "held", "rejected"];
    let all: u64 = waiting.iter().map(|state| count(state)).sum();
    let mut details = Vec::new();
    for state in waiting {
        if count(state) > 0 {
            let path = format!("/v1/submissions/{id}/records?state={state}&limit={SHOWN}");
            let page = client.send(Call::get(&path)).await?.json()?;
            details.extend(report::list(&page["records"]).iter().cloned());
        }
    }
    if common.json {
        out::json(&json!({"submission": view, "waiting": details}))?;
        return Ok(all > 0);
    }
    let mut text = String::new();
    report::line(
        &mut text,
        0,
        &format!("{}: {id}", report::pick(lang, "报送", "Submission")),
    );
    for row in report::list(&view["records"]) {
        let state = row["state"].as_str().unwrap_or_default();
        report::line(
            &mut text,
            1,
            &format!("{}: {}", state_name(state, lang), row["count"]),
        );
    }
    for record in &details {
        describe(&mut text, record, lang);
    }
    if all as usize > details.len() {
        let more = all as usize - details.len();
        let told = report::pick(lang, "条未列出", "more");
        report::line(
            &mut text,
            1,
            &format!("… {more} {told}: /v1/submissions/{id}/records"),
        );
    }
    out::text(&text)?;
    Ok(all > 0)
}

/// One record that waits, and for what.
fn describe(text: &mut String, record: &Value, lang: Language) {
    let state = record["state"].as_str().unwrap_or_default();
    let head = format!(
        "#{} {} {}",
        record["seq"],
        record["record"].as_str().unwrap_or_default(),
        state_name(state, lang)
    );
    report::line(text, 1, &head);
    let said = report::pick(lang, "zh", "en");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (list, name) in [("findings", "path"), ("answer", "tag")] {
        for one in report::list(&record[list]) {
            // Of a workbook the cell says more.
            let place = one.get("at").unwrap_or(&one[name]);
            let told = [&one["code"], place, &one[said]].map(word).join(" ");
            report::line(text, 2, &told);
        }
    }
    for hold in report::list(&record["holds"]) {
        let told = [&hold["code"], &hold["what"][said], &hold["cure"][said]].map(word);
        report::line(text, 2, &told.join(" · "));
    }
}

/// What a state is called.
fn state_name(state: &str, lang: Language) -> String {
    let zh = match state {
        "set_aside" => "校验未通过，已搁置",
        "held" => "待处理",
        "ready" => "可报送",
        "filed" => "已入报文",
        "accepted" => "已接收",
        "rejected" => "被退回",
        "replaced" => "已被更正",
        "withdrawn" => "已撤回",
        other => other,
    };
    match lang {
        Language::En => state.replace('_', " "),
        Language::Zh => zh.to_owned(),
    }
}

/// The extension of a file, in lower case.
fn extension(path: &Path) -> String {
    let extension = path.extension().and_then(|it| it.to_str());
    extension.unwrap_or_default().to_ascii_lowercase()
}
