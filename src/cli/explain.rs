//! `creditgate explain`: may I ask, and if not, what is missing?

use schemas::text::Language;
use zeroize::Zeroizing;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    language, out, report,
    request::{Asked, Request},
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    request: Request,
    /// The language of the reasons.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
    #[command(flatten)]
    token: Token,
}

pub(super) async fn run(common: &Common, args: &Args) -> Result<Exit, CliError> {
    let client = Client::new(&common.client()?, &args.token)?;
    let request = args.request.read(Asked::Question)?;
    let answer = client.send(Call::post("/v1/explain", request)).await?;
    let decision = answer.json()?;
    let permitted = decision["permitted"]
        .as_bool()
        .ok_or(CliError::Answer("it is no decision"))?;
    if common.json {
        out::json(&decision)?;
    } else {
        let mut text = Zeroizing::new(String::new());
        let verdict = if permitted {
            report::pick(args.lang, "✓ 可以查询", "✓ an inquiry would be permitted")
        } else {
            report::pick(args.lang, "✗ 不可查询", "✗ an inquiry would be refused")
        };
        report::line(&mut text, 0, verdict);
        report::reasons(&mut text, &decision["reasons"], args.lang);
        out::text(&text)?;
    }
    Ok(if permitted { Exit::Done } else { Exit::Refused })
}
