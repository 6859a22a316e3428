//! `creditgate inquire`: one inquiry, and what became of it.

use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    inquiry::{self, Style},
    out,
    request::{Asked, Request},
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    request: Request,
    /// Repeat an earlier call: the key that it printed.
    #[arg(long)]
    key: Option<String>,
    /// Seconds to wait for the outcome.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=600))]
    wait: u64,
    #[command(flatten)]
    style: Style,
    #[command(flatten)]
    token: Token,
}

pub(super) async fn run(common: &Common, args: &Args) -> Result<Exit, CliError> {
    let client = Client::new(&common.client()?, &args.token)?;
    let request = args.request.read(Asked::Inquiry)?;
    let key = match &args.key {
        Some(key) => key.clone(),
        None => uuid::Uuid::new_v4().to_string(),
    };
    let key_header = HeaderValue::from_str(&key)
        .map_err(|_| CliError::Usage("a key is of printable ASCII characters"))?;
    // Said before anything leaves: whoever loses the answer needs it.
    out::note(&format!("idempotency key: {key}"));
    let call = Call::post("/v1/inquiries", request)
        .header(HeaderName::from_static("idempotency-key"), key_header)
        .header(
            HeaderName::from_static("prefer"),
            HeaderValue::from_str(&format!("wait={}", args.wait))
                .unwrap_or(HeaderValue::from_static("wait=60")),
        )
        .wait(Duration::from_secs(args.wait));
    let progress = out::spinner("waiting for the outcome");
    let answer = client.send(call).await;
    progress.finish_and_clear();
    match answer {
        Ok(answer) => inquiry::show(common, &client, &args.style, &answer.body).await,
        Err(CliError::Problem(problem)) if problem.code() == "fresh_report" => {
            if let Some(id) = problem.location().and_then(inquiry::id_of) {
                out::note(&format!(
                    "a fresh report is at hand: creditgate inquiry show {id}; with \
                     \"on_fresh\": \"pull\" the request asks the bureau all the same"
                ));
            }
            Err(CliError::Problem(problem))
        }
        Err(error) => Err(error),
    }
}
