//! `creditgate ledger`: taking over what an institution reported before this
//! gateway. It owns the database meanwhile, as `keys rotate` does.

use std::{path::PathBuf, sync::Arc};

use clap::Subcommand;
use contract::Adapter;
use schemas::text::Language;
use serde_json::json;

use super::{CliError, Common, Exit, language, out, report, settings};
use crate::{
    bureaus::Seal,
    platform::{clock::Clock, config::Config},
    submissions::import::{ImportFinding, ImportReport, Importer, StockFiles, Taken, Wanted},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Build the opening state from earlier files, their feedback, and a stock
    ///
    /// Only what the feedback says was accepted enters the ledger. Nothing is
    /// written while anything is wrong, unless --skip-invalid is given. Stopped
    /// anywhere, the same call goes on; done again, it changes nothing.
    Import(Import),
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The bureau reported to.
    #[arg(long, default_value = "pboc")]
    bureau: String,
    /// The institution, as the configuration names it.
    #[arg(long)]
    institution: String,
    /// Earlier submission files under their mandated names: opened (.txt),
    /// compressed (.txt.zip) or sealed (.enc).
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "stock")]
    from: Vec<PathBuf>,
    /// The feedback files to them, likewise.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "from")]
    feedback: Vec<PathBuf>,
    /// The state of accounts, in the form of a submission: JSON Lines, or CSV
    /// with --record.
    #[arg(long, value_name = "FILE")]
    stock: Option<PathBuf>,
    /// The record type of a CSV, such as 210.
    #[arg(long, requires = "stock")]
    record: Option<String>,
    /// A child table of a CSV, as group and file: RltRepymtInf=parties.csv; may
    /// be repeated.
    #[arg(long = "child", value_name = "GROUP=FILE", requires = "record")]
    children: Vec<String>,
    /// Take a file without feedback as accepted whole; the audit log says so.
    #[arg(long)]
    assume_accepted: bool,
    /// Leave out what is wrong, and take the rest.
    #[arg(long)]
    skip_invalid: bool,
    /// Look at everything and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// The language of the findings.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
}

pub(super) async fn run(
    common: &Common,
    command: &Command,
    clock: Clock,
) -> Result<Exit, CliError> {
    let Command::Import(args) = command;
    let config = common.check(crate::platform::config::Depth::Text)?;
    let wanted = wanted(args)?;
    let (organization, seal) = reporter(&config, args).await?;
    let owned = settings::own(common, clock.clone()).await?;
    let importer = Importer {
        clock,
        db: owned.db.clone(),
        vault: owned.vault.clone(),
        institution: args.institution.as_str().into(),
        bureau: args.bureau.as_str().into(),
        organization,
        seal: Some(seal),
    };
    let progress = out::spinner("findings");
    let mut findings = Vec::new();
    let mut failed = None;
    let mut tell = |finding: ImportFinding| {
        progress.inc(1);
        if common.json {
            findings.push(finding);
        } else if failed.is_none() {
            // One by one: there may be as many as there are records.
            failed = out::text(&told(&finding, args.lang)).err();
        }
    };
    let done = importer.run(&wanted, &mut tell).await;
    progress.finish_and_clear();
    let report = done?;
    if let Some(error) = failed {
        return Err(error);
    }
    if common.json {
        out::json(&json!({"report": report, "findings": findings}))?;
    } else {
        out::text(&summary(&report, wanted.dry_run, args.lang))?;
    }
    Ok(if report.findings > 0 {
        Exit::Refused
    } else {
        Exit::Done
    })
}

fn wanted(args: &Import) -> Result<Wanted, CliError> {
    let mut stock = Vec::new();
    if let Some(main) = &args.stock {
        let ending = main.extension().and_then(|it| it.to_str());
        let is_csv = ending.is_some_and(|it| it.eq_ignore_ascii_case("csv"));
        if is_csv != args.record.is_some() {
            return Err(CliError::Usage(
                "a CSV needs --record, such as --record 210; JSON Lines name it in each line",
            ));
        }
        let children = args.children.iter().map(|text| {
            let parts = text.split_once('=');
            let parts = parts.filter(|(group, file)| !group.is_empty() && !file.is_empty());
            parts
                .map(|(group, file)| (group.to_owned(), PathBuf::from(file)))
                .ok_or(CliError::Usage("a child table is GROUP=FILE"))
        });
        stock.push(StockFiles {
            main: main.clone(),
            record: args.record.clone(),
            children: children.collect::<Result<_, _>>()?,
        });
    }
    Ok(Wanted {
        files: args.from.clone(),
        feedback: args.feedback.clone(),
        stock,
        assume_accepted: args.assume_accepted,
        skip_invalid: args.skip_invalid,
        dry_run: args.dry_run,
    })
}

/// The code under which the institution reports, and what opens its files.
async fn reporter(config: &Config, args: &Import) -> Result<(String, Seal), CliError> {
    let mut bureaus = config.bureaus.iter();
    let bureau = bureaus.find(|bureau| bureau.id == args.bureau);
    let submission = bureau.and_then(|bureau| bureau.submission.as_ref());
    let member = submission.and_then(|submission| {
        let mut members = submission.members.iter();
        members.find(|member| member.institution == args.institution)
    });
    let member = member.ok_or(CliError::Usage(
        "the configuration names no such bureau with that institution among its \
         [[bureaus.submission.members]]",
    ))?;
    let adapter: Arc<dyn Adapter> = Arc::new(pboc::Pboc::new());
    let seal = Seal::load(&member.seal, &*adapter).await?;
    Ok((member.organization_code.clone(), seal))
}

/// A finding in one line.
fn told(finding: &ImportFinding, lang: Language) -> String {
    let place = match finding.line {
        Some(line) => format!("{}:{line}", finding.file),
        None => finding.file.clone(),
    };
    let said = report::pick(lang, &finding.zh, &finding.en);
    format!("✗ {place} {} {} {said}", finding.code, finding.path)
}

/// What became of all inputs, for a reader.
fn summary(report: &ImportReport, dry_run: bool, lang: Language) -> String {
    let mut text = String::new();
    for input in &report.inputs {
        let Taken {
            file,
            taken,
            rejected,
            known,
            wrong,
            ..
        } = input;
        let counts = match lang {
            Language::En => format!(
                "{taken} into the ledger, {rejected} rejected, {known} known, {wrong} wrong"
            ),
            Language::Zh => {
                format!("入账{taken}，退回{rejected}，已有{known}，有误{wrong}")
            }
        };
        let mut line = format!("{file}: {counts}");
        if input.before {
            line = format!(
                "{file}: {}",
                report::pick(lang, "此前已导入", "imported before")
            );
        } else if input.assumed {
            line.push_str(report::pick(
                lang,
                "（视为全部接收）",
                " (assumed accepted)",
            ));
        }
        report::line(&mut text, 0, &line);
    }
    let end = match (report.written, dry_run) {
        (true, _) => report::pick(lang, "✓ 已写入台账", "✓ the ledger is written"),
        (false, true) => report::pick(lang, "试运行：未写入", "dry run: nothing was written"),
        (false, false) => report::pick(
            lang,
            "✗ 有校验发现，未写入任何内容；改正后重试，或以--skip-invalid略去有误的部分",
            "✗ there are findings and nothing was written; mend them, or leave them out with \
             --skip-invalid",
        ),
    };
    report::line(&mut text, 0, end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_and_counts_are_told_in_both_languages() {
        let finding = ImportFinding {
            file: "T99999999H00012026083121000010.txt".to_owned(),
            line: Some(3),
            code: "account_unknown".to_owned(),
            path: ".".to_owned(),
            zh: "没有该账户".to_owned(),
            en: "no such account".to_owned(),
        };
        let line = told(&finding, Language::En);
        assert!(
            line.contains("0010.txt:3 account_unknown . no such account"),
            "{line}"
        );
        assert!(told(&finding, Language::Zh).contains("没有该账户"));
        let report = ImportReport {
            inputs: vec![Taken {
                file: "a".to_owned(),
                taken: 2,
                assumed: true,
                ..Taken::default()
            }],
            findings: 1,
            written: false,
        };
        let text = summary(&report, false, Language::En);
        assert!(text.contains("a: 2 into the ledger") && text.contains("(assumed accepted)"));
        assert!(text.contains("--skip-invalid"), "{text}");
        assert!(summary(&report, true, Language::Zh).contains("试运行"));
    }
}
