//! `creditgate bureaus`: what is done with a bureau itself.

use clap::Subcommand;
use schemas::text::Language;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    language, out, report,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Change the institution's password at a bureau to the one in its file
    Password(Args),
}

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bureau, as the configuration names it
    #[arg(default_value = "pboc")]
    bureau: String,
    /// The language of what is to be done
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
    #[command(flatten)]
    token: Token,
}

pub(super) async fn run(common: &Common, command: &Command) -> Result<Exit, CliError> {
    let Command::Password(args) = command;
    let client = Client::new(&common.client()?, &args.token)?;
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    if args.bureau.is_empty() || !args.bureau.bytes().all(known) {
        return Err(CliError::Usage("no bureau has that name"));
    }
    let path = format!("/v1/bureaus/{}/password", args.bureau);
    let changed = client.send(Call::act(&path)).await?.json()?;
    let fate = changed["fate"].as_str().unwrap_or_default();
    let exit = exit(fate, changed["in_place"] == true);
    if common.json {
        out::json(&changed)?;
        return Ok(exit);
    }
    let code = changed["code"].as_str().unwrap_or_default();
    let place = usize::from(args.lang == Language::En);
    let to_do = changed["to_do"][place].as_str().unwrap_or_default();
    out::text(&format!("{} ({code}) {to_do}", said(fate, exit, args.lang)))?;
    Ok(exit)
}

/// A change that is not in its file is not settled, and neither is an unknown one.
fn exit(fate: &str, in_place: bool) -> Exit {
    match (fate, in_place) {
        ("changed", true) => Exit::Done,
        ("unchanged", _) => Exit::Refused,
        _ => Exit::Unknown,
    }
}

fn said(fate: &str, exit: Exit, lang: Language) -> &'static str {
    match (fate, exit) {
        ("changed", Exit::Done) => report::pick(
            lang,
            "✓ 密码已修改，新密码已写入密码文件",
            "✓ changed; the new password stands in the password file",
        ),
        ("changed", _) => report::pick(
            lang,
            "✗ 密码已修改，但未能写入密码文件：下次启动前请手工写入",
            "✗ changed, but not put into the password file: do it by hand before the next start",
        ),
        ("unchanged", _) => report::pick(
            lang,
            "✗ 未修改，原密码仍有效",
            "✗ not changed; the old password holds",
        ),
        _ => report::pick(
            lang,
            "✗ 结果未知：新旧密码均可能有效",
            "✗ unknown: the one or the other password may hold",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_that_is_in_its_file_is_done() {
        for (fate, in_place, expected, sign) in [
            ("changed", true, Exit::Done, "✓"),
            ("changed", false, Exit::Unknown, "✗"),
            ("unchanged", false, Exit::Refused, "✗"),
            ("unknown", false, Exit::Unknown, "✗"),
        ] {
            let exit = exit(fate, in_place);
            assert_eq!(exit, expected, "{fate} {in_place}");
            for lang in [Language::En, Language::Zh] {
                assert!(
                    said(fate, exit, lang).starts_with(sign),
                    "{fate} {in_place}"
                );
            }
        }
    }
}
