//! `creditgate clocks`: what of submissions is late, and what to do about it.

use schemas::text::Language;
use serde_json::Value;

use super::{
    CliError, Common, Exit,
    client::{Call, Client, Token},
    language, out, report,
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Late records and files to show, at most.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// The language of the explanations.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
    #[command(flatten)]
    token: Token,
}

pub(super) async fn run(common: &Common, args: &Args) -> Result<Exit, CliError> {
    let client = Client::new(&common.client()?, &args.token)?;
    let limit = args.limit.clamp(1, 500);
    let path = format!("/v1/submissions/clocks?limit={limit}");
    let view = client.send(Call::get(&path)).await?.json()?;
    if common.json {
        out::json(&view)?;
    } else {
        out::text(&described(&view, args.lang))?;
    }
    let is_late = !report::list(&view["clocks"]).is_empty();
    // What is late is not settled.
    Ok(if is_late { Exit::Unknown } else { Exit::Done })
}

/// The clocks, for a reader.
fn described(view: &Value, lang: Language) -> String {
    let said = report::pick(lang, "zh", "en");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut text = String::new();
    if let Some(cure) = view["calendar"]["cure"][said].as_str() {
        report::line(&mut text, 0, &format!("✗ {cure}"));
    }
    for clock in report::list(&view["clocks"]) {
        let name = clock_name(clock["clock"].as_str().unwrap_or_default(), lang);
        let counts = match lang {
            Language::En => format!(
                "{} critical, {} alarm; the oldest since {}, {} working days",
                clock["critical"],
                clock["alarm"],
                word(&clock["since"]),
                clock["working_days"]
            ),
            Language::Zh => format!(
                "严重{}，告警{}；最早自{}起，已{}个工作日",
                clock["critical"],
                clock["alarm"],
                word(&clock["since"]),
                clock["working_days"]
            ),
        };
        let head = [&clock["rule"], &clock["bureau"]].map(word).join(" ");
        report::line(&mut text, 0, &format!("✗ {head} {name}: {counts}"));
    }
    for late in report::list(&view["late"]) {
        let what = match late["submission"].as_str() {
            Some(submission) => format!("{submission}#{}", late["seq"]),
            None => word(&late["file"]),
        };
        let days = report::pick(lang, "个工作日", "working days");
        let head = format!(
            "{} {} {} {} · {} {days} ({})",
            clock_name(late["clock"].as_str().unwrap_or_default(), lang),
            late["record"].as_str().unwrap_or_default(),
            what,
            word(&late["state"]),
            late["working_days"],
            word(&late["since"]),
        );
        report::line(&mut text, 1, &head);
        report::line(&mut text, 2, &word(&late["to_do"][said]));
    }
    if text.is_empty() {
        report::line(
            &mut text,
            0,
            report::pick(lang, "✓ 均未超时", "✓ nothing is late"),
        );
    }
    text
}

/// What a clock is called.
fn clock_name(clock: &str, lang: Language) -> &str {
    match (clock, lang) {
        ("acceptance", Language::Zh) => "报送时限",
        ("correction", Language::Zh) => "退回更正",
        ("feedback", Language::Zh) => "缺少反馈",
        ("acceptance", Language::En) => "reported late",
        ("correction", Language::En) => "rejected, not corrected",
        ("feedback", Language::En) => "no feedback",
        (other, _) => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_late_is_shown_with_its_days_and_what_to_do() {
        let view = json!({
            "today": "2026-12-01",
            "calendar": {"missing_year": 2027, "cure": {"zh": "缺少2027", "en": "2027 is missing"}},
            "clocks": [{"bureau": "pboc", "clock": "feedback", "rule": "SR-17", "alarm": 1,
                "critical": 0, "since": "2026-11-24", "working_days": 5}],
            "late": [{"clock": "feedback", "level": "alarm", "working_days": 5,
                "since": "2026-11-24", "bureau": "pboc", "record": "210", "state": "arrived",
                "file": "f-1", "to_do": {"zh": "查询", "en": "ask the bureau"}}],
        });
        let text = described(&view, Language::En);
        for part in [
            "✗ 2027 is missing",
            "✗ SR-17 pboc no feedback: 0 critical, 1 alarm",
            "f-1 arrived · 5 working days",
            "ask the bureau",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let quiet = json!({"calendar": {}, "clocks": [], "late": []});
        assert_eq!(described(&quiet, Language::Zh), "✓ 均未超时\n");
    }
}
