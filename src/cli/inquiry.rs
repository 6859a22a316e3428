//! `creditgate inquiry`: what became of an inquiry, and a checker's word on it.

use std::fmt::Write as _;

use clap::Subcommand;
use schemas::text::{Label, Language};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    language, out, report,
};
use crate::inquiries::State;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tell what changed from the report of one to that of a later one
    Compare(Compare),
    /// Release one that waits for a second person
    Release(Args),
    /// Show what became of one, and its report
    Show(Args),
    /// Take one back before it leaves
    Withdraw(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Compare {
    /// The inquiry with the earlier report.
    earlier: String,
    /// The inquiry with the later report, of the same subject.
    later: String,
    /// The language of the answer.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
    #[command(flatten)]
    token: Token,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The inquiry's identifier.
    id: String,
    #[command(flatten)]
    style: Style,
    #[command(flatten)]
    token: Token,
}

/// How to show it.
#[derive(Debug, clap::Args)]
pub(super) struct Style {
    /// Show the whole report, not its summary.
    #[arg(long)]
    full: bool,
    /// The language of the report.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
}

pub(super) async fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    let (args, act) = match command {
        Command::Compare(args) => return compare(common, args).await,
        Command::Release(args) => (args, "/release"),
        Command::Show(args) => (args, ""),
        Command::Withdraw(args) => (args, "/withdraw"),
    };
    let path = path(&args.id, act)?;
    let client = Client::new(&common.client()?, &args.token)?;
    let call = if act.is_empty() {
        Call::get(&path)
    } else {
        Call::act(&path)
    };
    let answer = client.send(call).await?;
    show(common, &client, &args.style, &answer.body).await
}

async fn compare(common: &Common, args: &Compare) -> Result<Exit, CliError> {
    let path = path(&args.later, "/report/changes")?;
    if !is_id(&args.earlier) {
        return Err(CliError::Usage("that is no identifier of an inquiry"));
    }
    let path = format!("{path}?since={}&lang={}", args.earlier, code(args.lang));
    let client = Client::new(&common.client()?, &args.token)?;
    let answer = client.send(Call::get(&path)).await?.json()?;
    if common.json {
        out::json(&answer["changes"])?;
    } else {
        out::text(answer["text"].as_str().unwrap_or_default())?;
    }
    Ok(Exit::Done)
}

fn code(lang: Language) -> &'static str {
    match lang {
        Language::En => "en",
        Language::Zh => "zh",
    }
}

/// Prints an inquiry as the gateway answered it and, where there is one, its
/// report; tells how the command ends.
pub(super) async fn show(
    common: &Common,
    client: &Client,
    style: &Style,
    body: &[u8],
) -> Result<Exit, CliError> {
    let inquiry: Value =
        serde_json::from_slice(body).map_err(|_| CliError::Answer("it is no JSON"))?;
    let id = inquiry["id"].as_str().filter(|id| is_id(id));
    let state = inquiry["state"].as_str().and_then(State::named);
    let (Some(id), Some(state)) = (id, state) else {
        return Err(CliError::Answer("it is no inquiry"));
    };
    let lang = style.lang;
    let report = if state == State::Answered && inquiry["outcome"] != "no_hit" {
        // The page is for people; a program gets the tree.
        let form = if style.full && !common.json {
            "/page"
        } else {
            ""
        };
        let path = format!("/v1/inquiries/{id}/report{form}?lang={}", code(lang));
        Some(client.send(Call::get(&path)).await?.json()?)
    } else {
        None
    };
    if !state.is_settled() {
        out::note(&format!(
            "not settled yet; later: creditgate inquiry show {id}"
        ));
    }
    if common.json {
        let mut whole = inquiry;
        if let Some(mut body) = report {
            whole["report"] = body["report"].take();
        }
        out::json(&whole)?;
    } else {
        let mut text = Zeroizing::new(String::new());
        describe(&mut text, &inquiry, lang);
        if let Some(body) = report {
            text.push('\n');
            match body["text"].as_str() {
                Some(page) => text.push_str(page),
                None => report::describe(&mut text, &body["report"], lang),
            }
        }
        out::text(&text)?;
    }
    Ok(exit(state))
}

/// How a command ends whose inquiry is in that state.
fn exit(state: State) -> Exit {
    match state {
        State::Answered => Exit::Done,
        State::Refused | State::Rejected | State::Withdrawn => Exit::Refused,
        State::AnsweredUnreadable | State::Reconciled | State::Unsent => Exit::Failed,
        State::Dispatched | State::OnHold | State::Permitted | State::Received | State::Unknown => {
            Exit::Unknown
        }
    }
}

/// The inquiry's own fields, one a line; what is missing is left out.
fn describe(out: &mut String, inquiry: &Value, lang: Language) {
    for (name, label) in FIELDS {
        let text = match &inquiry[*name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        // Writing to a String does not fail.
        let _ = writeln!(out, "{}: {text}", label.text(lang));
    }
    let says = &inquiry["bureau_says"];
    if let Some(code) = says["code"].as_str() {
        let label = report::pick(lang, "征信机构答复", "The bureau says");
        let meaning = report::text(&says["meaning"], lang).unwrap_or_default();
        report::line(out, 0, &format!("{label}: {code} {meaning}"));
        if let Some(cure) = report::text(&says["cure"], lang) {
            let label = report::pick(lang, "如何补正", "Cure");
            report::line(out, 1, &format!("{label}: {cure}"));
        }
    }
    report::reasons(out, &inquiry["reasons"], lang);
    report::receipt(out, &inquiry["receipt"], lang);
}

/// What is told of an inquiry, in this order.
const FIELDS: &[(&str, Label<'_>)] = &[
    (
        "id",
        Label {
            zh: "查询编号",
            en: "Inquiry",
        },
    ),
    (
        "state",
        Label {
            zh: "状态",
            en: "State",
        },
    ),
    (
        "outcome",
        Label {
            zh: "结果",
            en: "Outcome",
        },
    ),
    (
        "bureau",
        Label {
            zh: "征信机构",
            en: "Bureau",
        },
    ),
    (
        "product",
        Label {
            zh: "产品",
            en: "Product",
        },
    ),
    (
        "purpose",
        Label {
            zh: "用途",
            en: "Purpose",
        },
    ),
    (
        "business_ref",
        Label {
            zh: "业务编号",
            en: "Business reference",
        },
    ),
    (
        "received_at",
        Label {
            zh: "受理时间",
            en: "Received",
        },
    ),
    (
        "ended_at",
        Label {
            zh: "完成时间",
            en: "Settled",
        },
    ),
    (
        "cause",
        Label {
            zh: "原因",
            en: "Cause",
        },
    ),
];

/// Where the gateway has an inquiry, and what is below it.
pub(super) fn path(id: &str, below: &str) -> Result<String, CliError> {
    if is_id(id) {
        Ok(format!("/v1/inquiries/{id}{below}"))
    } else {
        Err(CliError::Usage("that is no identifier of an inquiry"))
    }
}

/// The identifier in the location of an inquiry.
pub(super) fn id_of(location: &str) -> Option<&str> {
    let id = location.strip_prefix("/v1/inquiries/")?;
    is_id(id).then_some(id)
}

/// Whether it can stand in a path.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_identifier_goes_into_a_path() {
        let cases = [
            ("/v1/inquiries/0192-ab", Some("0192-ab")),
            ("/v1/inquiries/", None),
            ("/v1/inquiries/a/b", None),
            ("/v1/inquiries/..", None),
            ("https://elsewhere.test/v1/inquiries/a", None),
        ];
        for (location, expected) in cases {
            assert_eq!(id_of(location), expected, "{location}");
        }
    }

    #[test]
    fn only_an_answer_ends_well() {
        for state in State::ALL {
            assert_eq!(
                exit(state) == Exit::Done,
                state == State::Answered,
                "{state:?}"
            );
            if !state.is_settled() {
                assert_eq!(exit(state), Exit::Unknown, "{state:?}");
            }
        }
    }
}
