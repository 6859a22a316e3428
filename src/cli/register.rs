//! `creditgate register`: the list of all inquiries, searched.
//!
//! Every page fetched is an entry of the audit log: who looked, for what.

use std::path::PathBuf;

use jiff::{Timestamp, civil::Date};
use reqwest::header::{ACCEPT, HeaderValue};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    out, report, request,
};
use crate::platform::clock::china_midnight;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The first day, at +08:00.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<Date>,
    /// The last day, at +08:00.
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<Date>,
    /// Who asked, as inquiries name it: operator/… or client/…
    #[arg(long)]
    requester: Option<String>,
    /// Why.
    #[arg(long)]
    purpose: Option<String>,
    /// Whom.
    #[arg(long)]
    bureau: Option<String>,
    /// What became of it: a state; may be repeated.
    #[arg(long = "state", value_name = "STATE")]
    states: Vec<String>,
    /// What the bureau answered: hit, no_hit, partial.
    #[arg(long)]
    outcome: Option<String>,
    /// The business it serves.
    #[arg(long)]
    business_ref: Option<String>,
    /// About whom: a JSON file with kind, id_type and id_number, or - for
    /// standard input.
    #[arg(long, value_name = "FILE")]
    subject: Option<PathBuf>,
    /// Inquiries at most.
    #[arg(long, default_value_t = 1000)]
    limit: usize,
    /// Print CSV.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    token: Token,
}

/// What a line of the list shows.
const COLUMNS: [&str; 7] = [
    "received_at",
    "id",
    "state",
    "outcome",
    "bureau",
    "purpose",
    "requester",
];

pub(super) async fn run(common: &Common, args: &Args) -> Result<Exit, CliError> {
    let client = Client::new(&common.client()?, &args.token)?;
    let mut filter = filter(args)?;
    if args.csv {
        let call = search(&filter)?.header(ACCEPT, HeaderValue::from_static("text/csv"));
        let answer = client.send(call).await?;
        out::raw(&answer.body)?;
        return Ok(Exit::Done);
    }
    let mut found = Vec::new();
    let progress = out::spinner("searching");
    loop {
        let mut page = client.send(search(&filter)?).await?.json()?;
        let Some(Value::Array(inquiries)) = page.get_mut("inquiries").map(Value::take) else {
            return Err(CliError::Answer("it is no page of the register"));
        };
        found.extend(inquiries);
        progress.set_position(found.len() as u64);
        match page["next"].take() {
            next @ Value::String(_) if found.len() < args.limit => {
                filter.insert("cursor".to_owned(), next);
            }
            _ => break,
        }
    }
    progress.finish_and_clear();
    found.truncate(args.limit);
    if common.json {
        out::json(&found)?;
    } else {
        let mut text = String::new();
        for inquiry in &found {
            let cells = COLUMNS.map(|column| inquiry[column].as_str().unwrap_or("-"));
            report::line(&mut text, 0, &cells.join("  "));
        }
        out::text(&text)?;
        out::note(&format!("{} inquiries", found.len()));
    }
    Ok(Exit::Done)
}

fn search(filter: &Map<String, Value>) -> Result<Call<'static>, CliError> {
    let body = serde_json::to_vec(filter).map_err(|error| CliError::Output(error.into()))?;
    Ok(Call::post("/v1/register/search", Zeroizing::new(body)))
}

fn filter(args: &Args) -> Result<Map<String, Value>, CliError> {
    let mut filter = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            filter.insert(name.to_owned(), value);
        }
    };
    let moment = |at: Timestamp| Value::from(at.to_string());
    put("from", args.from.map(|day| moment(china_midnight(day))));
    let after = args.until.map(|day| day.tomorrow().unwrap_or(Date::MAX));
    put("until", after.map(|day| moment(china_midnight(day))));
    for (name, value) in [
        ("requester", &args.requester),
        ("purpose", &args.purpose),
        ("bureau", &args.bureau),
        ("business_ref", &args.business_ref),
        ("outcome", &args.outcome),
    ] {
        put(name, value.as_deref().map(Value::from));
    }
    let states = (!args.states.is_empty()).then(|| args.states.clone().into());
    put("state", states);
    if let Some(path) = &args.subject {
        let subject = request::read(path)?;
        let subject = serde_json::from_slice(&subject)
            .map_err(|_| CliError::Usage("the request is not one JSON object"))?;
        put("subject", Some(subject));
    }
    Ok(filter)
}
