//! `creditgate notices`: prior notices of negative information.

use std::{fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use clap::Subcommand;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    out, request,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Record a notice that was delivered
    Record(Record),
    /// Show a notice, and the run of negative state that it served
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(super) struct Record {
    /// A JSON file with subject, account, `due_period`, channel and `delivered_at`,
    /// or - for standard input; docs/API.md shows one
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file that proves the delivery; without it the notice holds it in Base64
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    token: Token,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The notice, as `record` printed it.
    id: String,
    #[command(flatten)]
    token: Token,
}

pub(super) async fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    match command {
        Command::Record(args) => record(common, args).await,
        Command::Show(args) => show(common, args).await,
    }
}

async fn record(common: &Common, args: &Record) -> Result<Exit, CliError> {
    let client = Client::new(&common.client()?, &args.token)?;
    let mut body = request::read(&args.file)?;
    if let Some(path) = &args.proof {
        let proof = fs::read(path).map_err(|source| CliError::Read {
            path: path.clone(),
            source,
        })?;
        body = with_proof(&body, &proof)?;
    }
    let answer = client.send(Call::post("/v1/notices", body)).await?;
    let answer = answer.json()?;
    if common.json {
        out::json(&answer)?;
        return Ok(Exit::Done);
    }
    let id = answer["id"].as_str();
    let id = id.ok_or(CliError::Answer("it names no notice"))?;
    let told = if answer["recorded"] == true {
        "recorded"
    } else {
        "recorded before"
    };
    out::text(&format!("{id}: {told}"))?;
    Ok(Exit::Done)
}

async fn show(common: &Common, args: &Show) -> Result<Exit, CliError> {
    // It becomes a part of an address.
    let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    if args.id.is_empty() || !args.id.as_bytes().iter().all(plain) {
        return Err(CliError::Usage("a notice is named as it was printed"));
    }
    let client = Client::new(&common.client()?, &args.token)?;
    let path = format!("/v1/notices/{}", args.id);
    let answer = client.send(Call::get(&path)).await?.json()?;
    out::json(&answer)?;
    Ok(Exit::Done)
}

/// The notice with its proof in it.
fn with_proof(notice: &[u8], proof: &[u8]) -> Result<Zeroizing<Vec<u8>>, CliError> {
    const NO_OBJECT: CliError = CliError::Usage("the notice is not one JSON object");
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(notice) else {
        return Err(NO_OBJECT);
    };
    fields.insert("proof".to_owned(), Value::String(BASE64.encode(proof)));
    let bytes = serde_json::to_vec(&fields).map_err(|_| NO_OBJECT)?;
    Ok(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_stands_in_the_notice_in_base64() {
        let with = with_proof(br#"{"channel":"sms"}"#, b"delivered").unwrap();
        let with: Value = serde_json::from_slice(&with).unwrap();
        assert_eq!(with["channel"], "sms");
        assert_eq!(with["proof"], "ZGVsaXZlcmVk");
        assert!(with_proof(b"[]", b"x").is_err());
    }
}
