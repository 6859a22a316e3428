//! `creditgate schemas coverage`: what of the mandated formats is loaded, and who judges it.

use std::fmt::Write as _;

use jiff::civil::Date;
use schemas::classified::Class;
use schemas::coverage::{self, CheckCoverage, Coverage, RecordCoverage, RuleCoverage};
use schemas::text::{Label, Language};
use serde_json::json;

use super::super::{CliError, Common, Exit, language, out, report::pick};
use super::{editions, known};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Args {
    /// Record types to list in full; all of them in short where none is named.
    records: Vec<String>,
    /// The language of the list.
    #[arg(long, default_value = "zh", value_parser = language())]
    lang: Language,
}

pub(super) fn run(common: &Common, args: &Args, today: Date) -> Result<Exit, CliError> {
    let editions = editions(today);
    known(&args.records, &editions)?;
    let mut covered: Vec<Coverage<'_>> = editions
        .into_iter()
        .map(|(format, edition)| Coverage::of(format, edition))
        .collect();
    let files = coverage::files();
    if !args.records.is_empty() {
        for edition in &mut covered {
            let named = |it: &RecordCoverage<'_>| args.records.iter().any(|code| code == it.record);
            edition.records.retain(named);
        }
    }
    if common.json {
        out::json(&json!({"editions": covered, "files": files}))?;
    } else if args.records.is_empty() {
        out::text(&summary(&covered, &files, args.lang))?;
    } else {
        let records = covered.iter().flat_map(|edition| &edition.records);
        let text: String = records.map(|record| listed(record, args.lang)).collect();
        out::text(&text)?;
    }
    let whole = covered
        .iter()
        .all(|edition| !edition.classes().contains_key(&Class::Unclassified));
    Ok(if whole { Exit::Done } else { Exit::Unproven })
}

/// Everything in numbers, and what is not settled.
fn summary(covered: &[Coverage<'_>], files: &[CheckCoverage], lang: Language) -> String {
    let mut text = String::new();
    for edition in covered {
        let _ = writeln!(text, "{} {}", edition.format, edition.first_day);
        for record in &edition.records {
            let off = if record.off {
                pick(lang, "（停用）", " (off)")
            } else {
                ""
            };
            let (segments, items) = (record.segments.len(), record.items.len());
            let sizes = match lang {
                Language::En => format!("{segments} segments, {items} items, rules: "),
                Language::Zh => format!("段{segments}，数据项{items}，规则："),
            };
            let _ = writeln!(
                text,
                "  {} {}{off}: {sizes}{}",
                record.record,
                record.name.text(lang),
                classes(record.rules.iter().map(|rule| rule.class), lang)
            );
        }
        let codes: usize = edition.codes.iter().map(|list| list.codes).sum();
        let lists = edition.codes.len();
        let all = classes(edition.rules.iter().map(|rule| rule.class), lang);
        let _ = match lang {
            Language::En => writeln!(
                text,
                "  rules of every record: {all}\n  {lists} code lists, {codes} codes"
            ),
            Language::Zh => writeln!(
                text,
                "  各记录共有的规则：{all}\n  代码表{lists}个，代码{codes}个"
            ),
        };
        for conflict in &edition.conflicts {
            let chosen = conflict.chosen.map_or(String::new(), |chosen| {
                let readings = conflict.readings.join("|");
                format!(" [{readings}: {chosen}]")
            });
            let _ = writeln!(
                text,
                "  ? {}{chosen}: {}",
                conflict.conflict,
                conflict.name.text(lang)
            );
        }
    }
    let _ = writeln!(
        text,
        "{}: {}",
        pick(lang, "文件检查", "Checks of files"),
        classes(files.iter().map(|check| check.class), lang)
    );
    text
}

/// A record with all that belongs to it.
fn listed(record: &RecordCoverage<'_>, lang: Language) -> String {
    let mut text = format!("{} {}\n", record.record, record.name.text(lang));
    for it in record.segments.iter().chain(&record.items) {
        let lists = it.codes.join("|");
        let form = [it.kind, &it.length, &lists];
        let form = form.iter().filter(|part| !part.is_empty());
        let form: Vec<&str> = form.copied().collect();
        let _ = writeln!(
            text,
            "  {} {}: {} ({} {})",
            it.path,
            it.name.text(lang),
            form.join(" "),
            class(it.class, lang),
            it.conditions
        );
    }
    for rule in &record.rules {
        told(&mut text, rule, lang);
    }
    text
}

fn told(text: &mut String, rule: &RuleCoverage<'_>, lang: Language) {
    let warns = if rule.warns { "~" } else { "" };
    let said = Label {
        zh: &rule.zh,
        en: &rule.en,
    };
    let _ = writeln!(
        text,
        "  {} {warns}{} [{}] {}",
        rule.rule,
        rule.code,
        class(rule.class, lang),
        said.text(lang)
    );
    if !rule.by.is_empty() {
        let _ = writeln!(text, "    -> {}", rule.by);
    }
    if let Some(cure) = rule.cure {
        let _ = writeln!(text, "    -> {}", cure.text(lang));
    }
}

/// How many of each class, those without any left out.
fn classes(all: impl Iterator<Item = Class>, lang: Language) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for class in all {
        *counts.entry(class).or_insert(0) += 1;
    }
    let counts = counts.iter();
    let counts = counts.map(|(it, count)| format!("{} {count}", class(*it, lang)));
    counts.collect::<Vec<_>>().join(", ")
}

fn class(class: Class, lang: Language) -> &'static str {
    let (zh, en) = match class {
        Class::Data => ("表内", "data"),
        Class::Predicate => ("函数", "predicate"),
        Class::Database => ("需征信机构库", "database"),
        Class::File => ("需同文件其他记录", "file"),
        Class::Unsettled => ("未定", "not settled"),
        _ => ("未分类", "not classified"),
    };
    pick(lang, zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_every_record_and_names_what_is_not_settled() {
        let editions = editions("2026-11-24".parse().unwrap());
        let covered: Vec<_> = editions
            .iter()
            .map(|(format, edition)| Coverage::of(format, edition))
            .collect();
        let text = summary(&covered, &coverage::files(), Language::En);
        for part in [
            "  210 Personal credit account record: ",
            "  520 Maximum-amount guarantee contract record (off): ",
            "  ? dropped_checks [dropped|kept: dropped]: ",
            "\nChecks of files: ",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("not classified"), "{text}");
    }
}
