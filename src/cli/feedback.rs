//! `creditgate feedback`: what the bureau said of files, and how to cure it; or a
//! feedback file brought by hand, where the gateway cannot fetch it.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::body::Bytes;
use clap::Subcommand;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use schemas::text::Language;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    language, out, report,
    submit::Parts,
};

/// A feedback file of a million records is applied in less.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Bytes of a part, and parts that wait to be sent.
const PART: usize = 1 << 18;
const AHEAD: usize = 4;

/// Rows of one page.
const PAGE: usize = 200;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List files, and how far the bureau has answered them
    List(List),
    /// Show what the bureau said of a file: every rejected record, the rule
    /// behind each code, and how to cure it
    Show(Show),
    /// Take feedback files that came another way: sealed (.enc) or opened (.txt)
    Take(Take),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Only files in this state: arrived, answered, stopped, …
    #[arg(long)]
    state: Option<String>,
    /// Files at most.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    token: Token,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The file: its identifier, or its mandated name.
    file: String,
    /// The language of the explanations.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
    #[command(flatten)]
    token: Token,
}

#[derive(Debug, clap::Args)]
pub(super) struct Take {
    /// The feedback files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The file that is answered, where the name of the feedback file does not
    /// tell it: identifier or mandated name.
    #[arg(long)]
    file: Option<String>,
    /// The language of the explanations.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
    #[command(flatten)]
    token: Token,
}

pub(super) async fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    match command {
        Command::List(args) => list(common, args).await,
        Command::Show(args) => {
            let client = Client::new(&common.client()?, &args.token)?;
            let view = whole(&client, plain(&args.file)?).await?;
            if common.json {
                out::json(&view)?;
            } else {
                out::text(&described(&view, args.lang))?;
            }
            Ok(Exit::Done)
        }
        Command::Take(args) => take(common, args).await,
    }
}

async fn list(common: &Common, args: &List) -> Result<Exit, CliError> {
    let client = Client::new(&common.client()?, &args.token)?;
    let state = match &args.state {
        Some(state) => format!("&state={}", plain(state)?),
        None => String::new(),
    };
    let limit = args.limit.clamp(1, 500);
    let path = format!("/v1/files?limit={limit}{state}");
    let page = client.send(Call::get(&path)).await?.json()?;
    let files = report::list(&page["files"]);
    if common.json {
        out::json(&files)?;
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for file in files {
        report::line(&mut text, 0, &summary(file));
    }
    out::text(&text)?;
    out::note(&format!("{} files", files.len()));
    Ok(Exit::Done)
}

async fn take(common: &Common, args: &Take) -> Result<Exit, CliError> {
    if args.file.is_some() && args.files.len() > 1 {
        return Err(CliError::Usage("--file goes with one feedback file"));
    }
    let client = Client::new(&common.client()?, &args.token)?;
    let mut all = Vec::new();
    for path in &args.files {
        let of = match &args.file {
            Some(file) => plain(file)?.to_owned(),
            None => answered(path)?,
        };
        let at = format!("/v1/files/{of}/feedback");
        let kind = HeaderValue::from_static("application/octet-stream");
        let call = Call::stream(&at, body(path)).header(CONTENT_TYPE, kind);
        let progress = out::spinner("taking");
        let answer = client.send(call.wait(LONGEST)).await;
        progress.finish_and_clear();
        answer?.json()?;
        let view = whole(&client, &of).await?;
        if common.json {
            all.push(view);
        } else {
            out::text(&described(&view, args.lang))?;
        }
    }
    if common.json {
        out::json(&all)?;
    }
    Ok(Exit::Done)
}

/// The name of the file that a feedback file answers, by its own name.
fn answered(path: &Path) -> Result<String, CliError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| name.get(..29));
    let named = |stem: &&str| stem.bytes().all(|b| b.is_ascii_alphanumeric());
    stem.filter(named)
        .map(|stem| format!("{stem}0"))
        .ok_or(CliError::Usage(
            "the name does not begin with that of a file: say with --file which one it answers",
        ))
}

/// All pages of what the bureau said of a file, as one.
async fn whole(client: &Client, file: &str) -> Result<Value, CliError> {
    let mut rejected = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/files/{file}/feedback?limit={PAGE}{cursor}");
        let mut page = client.send(Call::get(&path)).await?.json()?;
        rejected.extend(report::list(&page["rejected"]).iter().cloned());
        match page["next"].as_i64() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                page["rejected"] = json!(rejected);
                return Ok(page);
            }
        }
    }
}

/// A file in one line.
fn summary(file: &Value) -> String {
    let word = |name: &str| file[name].as_str().unwrap_or("-").to_owned();
    let count = |name: &str| {
        file[name]
            .as_i64()
            .map_or("-".to_owned(), |n| n.to_string())
    };
    let mut text = format!(
        "{}  {}  {}  {}  accepted {}  rejected {}",
        word("name"),
        word("id"),
        word("record"),
        word("state"),
        count("accepted"),
        count("rejected")
    );
    if let Some(cause) = file["cause"].as_str() {
        text.push_str(&format!("  ({cause})"));
    }
    text
}

/// What the bureau said of a file, for a reader.
fn described(view: &Value, lang: Language) -> String {
    let said = report::pick(lang, "zh", "en");
    let mut text = String::new();
    report::line(&mut text, 0, &summary(&view["file"]));
    for heard in report::list(&view["feedback"]) {
        let told = ["name", "outcome", "taken_at"].map(|name| heard[name].as_str().unwrap_or("-"));
        report::line(&mut text, 1, &told.join("  "));
    }
    for record in report::list(&view["rejected"]) {
        let line = report::pick(lang, "行", "line");
        let head = format!(
            "{line} {}  {}  {}  {}#{}",
            record["line"],
            record["record"].as_str().unwrap_or_default(),
            record["state"].as_str().unwrap_or_default(),
            record["submission"].as_str().unwrap_or_default(),
            record["seq"],
        );
        report::line(&mut text, 1, &head);
        for reason in report::list(&record["reasons"]) {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let told = [&reason["code"], &reason["tag"], &reason[said]].map(word);
            report::line(&mut text, 2, &told.join(" "));
            let cure = report::pick(lang, "如何改正", "Cure");
            let told = word(&reason["cure"][said]);
            report::line(&mut text, 3, &format!("{cure}: {told}"));
        }
    }
    text
}

/// The bytes of a file, read while they are sent.
fn body(path: &Path) -> reqwest::Body {
    let (to, parts) = mpsc::channel(AHEAD);
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let read = (|| {
            let mut file = File::open(&path)?;
            loop {
                let mut part = Vec::with_capacity(PART);
                (&mut file).take(PART as u64).read_to_end(&mut part)?;
                if part.is_empty() || to.blocking_send(Ok(Bytes::from(part))).is_err() {
                    return Ok(());
                }
            }
        })();
        if let Err(error) = read {
            // Nobody being there any more is an end, too.
            let _ = to.blocking_send(Err(error));
        }
    });
    reqwest::Body::wrap(Parts(parts))
}

/// What may become a part of an address.
fn plain(text: &str) -> Result<&str, CliError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !text.is_empty() && text.bytes().all(plain) {
        Ok(text)
    } else {
        Err(CliError::Usage(
            "a file is named as it was printed: identifier or mandated name",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_feedback_file_tells_which_file_it_answers() {
        let of = |name: &str| answered(Path::new(name)).ok();
        let file = Some("T99999999H00012026112421000010".to_owned());
        assert_eq!(of("in/T99999999H00012026112421000013.enc"), file);
        assert_eq!(of("T99999999H00012026112421000011.txt"), file);
        assert_eq!(of("answer.txt"), None);
        assert!(plain("../v1").is_err() && plain("").is_err());
    }

    #[test]
    fn a_rejected_record_is_shown_with_its_rule_and_its_cure() {
        let view = json!({
            "file": {"name": "N", "id": "i", "record": "210", "state": "answered",
                     "accepted": 1, "rejected": 1, "cause": null},
            "feedback": [{"name": "N", "outcome": "taken", "taken_at": "2026-11-24T02:00:00Z"}],
            "rejected": [{"line": 3, "record": "210", "state": "rejected", "submission": "s",
                "seq": 2, "reasons": [{"code": "ABE001", "tag": "Cy", "zh": "规则", "en": "rule",
                "cure": {"zh": "改正", "en": "correct it"}}]}],
        });
        let text = described(&view, Language::En);
        assert!(text.contains("line 3  210  rejected  s#2"), "{text}");
        assert!(text.contains("ABE001 Cy rule"), "{text}");
        assert!(text.contains("Cure: correct it"), "{text}");
        assert!(described(&view, Language::Zh).contains("如何改正: 改正"));
    }
}
