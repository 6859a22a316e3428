//! `creditgate schemas show`: the manual page of a record type.

use jiff::civil::Date;
use schemas::{manual::Manual, text::Language};
use serde_json::json;

use super::super::{CliError, Common, Exit, language, out};
use super::{editions, known};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    /// The record type, such as 210.
    record: String,
    /// The language of the page.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
}

pub(super) fn run(common: &Common, args: &Args, today: Date) -> Result<Exit, CliError> {
    let editions = editions(today);
    known(std::slice::from_ref(&args.record), &editions)?;
    let pages = editions.iter().filter_map(|(format, edition)| {
        let manual = Manual::of(format, edition, args.lang);
        Some((*format, manual.page(&args.record)?))
    });
    if common.json {
        let pages: Vec<_> = pages
            .map(|(format, page)| json!({"format": format, "page": page}))
            .collect();
        out::json(&json!({"record": args.record, "pages": pages}))?;
    } else {
        let pages: Vec<String> = pages.map(|(_, page)| page).collect();
        out::text(&pages.join("\n"))?;
    }
    Ok(Exit::Done)
}
