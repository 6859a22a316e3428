//! Who judges each rule.

use std::collections::BTreeMap;

use super::RuleCoverage;
use crate::classified::{Class, Classified};
use crate::edition::{Edition, Official};
use crate::explain::Problem;
use crate::expr::{Number, NumberId, Program, Test, TestId};
use crate::file;
use crate::plan::{RecordPlan, Rule};
use crate::text::Label;

/// The rules of one record: those judged, those classified, those that the conditions of segments
/// and items say.
pub(super) fn of_record<'e>(edition: &'e Edition, plan: &'e RecordPlan) -> Vec<RuleCoverage<'e>> {
    let mut rules: Vec<_> = plan.rules.iter().map(|rule| judged(plan, rule)).collect();
    let own = edition.classified().filter(|it| it.record() == plan.code());
    rules.extend(own.map(|it| classified(edition, it)));
    for official in edition.officials() {
        let spoken = |rule: &RuleCoverage<'_>| is(rule.rule, &official.rule);
        if official.record != plan.code() || rules.iter().any(spoken) {
            continue;
        }
        let class = if plan.gives().any(|code| code == official.code) {
            Class::Data
        } else {
            Class::Unclassified
        };
        rules.push(told(official, class));
    }
    rules
}

/// The rules that belong to every record.
pub(super) fn of_all(edition: &Edition) -> Vec<RuleCoverage<'_>> {
    let own = edition.classified().filter(|it| it.record() == "all");
    let mut rules: Vec<_> = own.map(|it| classified(edition, it)).collect();
    let judged: BTreeMap<&str, Class> = edition
        .plans()
        .flat_map(|plan| {
            let rules = plan.rules.iter();
            rules.map(|rule| (official_id(&rule.id), class(&plan.program, rule)))
        })
        .collect();
    for official in edition.officials().filter(|it| it.record == "all") {
        let spoken =
            |rule: &RuleCoverage<'_>| is(rule.rule, &official.rule) && rule.code == official.code;
        if rules.iter().any(spoken) {
            continue;
        }
        let gives = |plan: &RecordPlan| plan.gives().any(|code| code == official.code);
        let mut checks = file::asked().filter(|asked| asked.code == official.code);
        let mut elsewhere = edition
            .classified()
            .filter(|row| is(row.rule(), &official.rule));
        let elsewhere = elsewhere.next().map(Classified::class);
        let class = match judged.get(&*official.rule).copied().or(elsewhere) {
            Some(class) => class,
            None if edition.plans().any(|plan| gives(plan)) => Class::Data,
            None => checks.next().map_or(Class::Unclassified, of_check),
        };
        rules.push(told(official, class));
    }
    rules
}

/// Who makes a check of files.
pub(super) fn of_check(asked: &file::Asked) -> Class {
    match asked.how {
        "record" => Class::Data,
        "centre" if asked.applies_to == "file" => Class::File,
        "centre" => Class::Database,
        _ => Class::Predicate,
    }
}

fn judged<'e>(plan: &'e RecordPlan, rule: &'e Rule) -> RuleCoverage<'e> {
    let (zh, en) = plan.explain(&Problem::Rule(rule));
    RuleCoverage {
        rule: &rule.id,
        record: plan.code(),
        code: &rule.code.code,
        tags: &rule.tag,
        class: class(&plan.program, rule),
        warns: rule.code.warns,
        zh,
        en,
        by: "",
        cure: None,
        confidence: "",
    }
}

fn classified<'e>(edition: &'e Edition, row: &'e Classified) -> RuleCoverage<'e> {
    let mut official = edition.official(row.code());
    let official = official.find(|it| is(row.rule(), &it.rule));
    let (zh, en) = match (row.names(), official) {
        (("", ""), Some(official)) => (&*official.zh, &*official.en),
        (names, _) => names,
    };
    let cure = (row.class() == Class::Database)
        .then(|| edition.cure(row.record(), row.code()))
        .flatten()
        .map(|cure| {
            let (zh, en) = cure.names();
            Label { zh, en }
        });
    RuleCoverage {
        rule: row.rule(),
        record: row.record(),
        code: row.code(),
        tags: row.tags(),
        class: row.class(),
        warns: false,
        zh: zh.to_owned(),
        en: en.to_owned(),
        by: if cure.is_some() { "" } else { row.by() },
        cure,
        confidence: match official {
            Some(official) if row.confidence().is_empty() => &official.confidence,
            _ => row.confidence(),
        },
    }
}

fn told(official: &Official, class: Class) -> RuleCoverage<'_> {
    RuleCoverage {
        rule: &official.rule,
        record: &official.record,
        code: &official.code,
        tags: "",
        class,
        warns: false,
        zh: official.zh.clone(),
        en: official.en.clone(),
        by: "",
        cure: None,
        confidence: &official.confidence,
    }
}

/// Whether a rule of the tables is this official one.
fn is(rule: &str, official: &str) -> bool {
    rule == official || official_id(rule) == official
}

/// The official rule in `a/b`, which is rule b by way of rule a.
fn official_id(rule: &str) -> &str {
    rule.rsplit('/').next().unwrap_or(rule)
}

fn class(program: &Program, rule: &Rule) -> Class {
    let named = |test: TestId| needs_function(program, test);
    if named(rule.must) || rule.when.is_some_and(named) {
        Class::Predicate
    } else {
        Class::Data
    }
}

/// Whether a condition asks more than the language of the rules can say by itself.
fn needs_function(program: &Program, test: TestId) -> bool {
    let named = |test: TestId| needs_function(program, test);
    let counts = |number: NumberId| match program.numbers[number as usize] {
        Number::Count {
            test: Some(test), ..
        } => needs_function(program, test),
        _ => false,
    };
    match program.tests[test as usize] {
        Test::Differ { .. }
        | Test::Identifier { .. }
        | Test::Known { .. }
        | Test::Predicate(..) => true,
        Test::And(left, right) | Test::Or(left, right) => named(left) || named(right),
        Test::Each { test, .. } | Test::Not(test) => named(test),
        Test::Number { left, right, .. } => counts(left) || counts(right),
        Test::NumberIn { left, .. } => counts(left),
        _ => false,
    }
}
