//! Records that satisfy all rules, made without knowing any of them.
//!
//! A record that is in order is shaken: items take other values of their kind and list, come and
//! go. Then what the validator finds is mended, or taken back, until it finds nothing.

use schemas::plan::{RecordPlan, What};
use schemas::record::Record;
use schemas::validate::FileHeader;

use super::case::{self, Fields};
use super::generate::{self, Choices};

/// Records of a type that are in order: all samples, and what passes of the cases.
pub(crate) fn seeds(edition: &'static str, plan: &RecordPlan) -> Vec<Record> {
    let mut seeds = Vec::new();
    let folder = case::testdata().join(format!("pboc-submit-{edition}"));
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with(plan.code())
        {
            let line = std::fs::read_to_string(path).unwrap();
            seeds.push(plan.read(line.trim_end().as_bytes()).unwrap());
        }
    }
    let mut known: Vec<_> = seeds.iter().map(|seed| case::fields(plan, seed)).collect();
    let cases = case::cases(edition).into_iter();
    let plain = case::header(plan.code());
    for case in cases.filter(|it| it.record == plan.code() && it.header() == plain && !it.unmet) {
        let [good, _] = case.records(plan);
        let fields = case::fields(plan, &good);
        if !known.contains(&fields) {
            known.push(fields);
            seeds.push(good);
        }
    }
    seeds
}

/// A record without any finding, somewhere near `seed`.
pub(crate) fn sound(
    plan: &RecordPlan,
    seed: &Record,
    header: &FileHeader,
    choices: &mut Choices<'_>,
) -> Record {
    let shaken = generate::mutate(plan, seed, 4, choices);
    let mut fields = case::fields(plan, &shaken);
    let mut origin = case::fields(plan, seed);
    origin.sort();
    for round in 0.. {
        let record = case::record(plan, &fields);
        let findings = plan.validate(&record, header);
        if findings.is_empty() {
            return record;
        }
        let path = &findings[choices.below(findings.len())].path;
        let mended =
            round < MENDINGS && choices.below(3) > 0 && mend(plan, &mut fields, path, choices);
        if !mended && !take_back(&mut fields, &origin, path) {
            // The fault lies in what the finding does not point to.
            let rest = (0..fields.len() + origin.len()).find(|at| {
                let (path, _) = fields.iter().chain(&origin).nth(*at).unwrap();
                let of = |all: &Fields| all.iter().find(|(known, _)| known == path).cloned();
                of(&fields) != of(&origin)
            });
            let Some(at) = rest else { break };
            let path = fields.iter().chain(&origin).nth(at).unwrap().0.clone();
            take_back(&mut fields, &origin, &path);
        }
    }
    seed.clone()
}

/// After so many, what is still wrong is taken back.
const MENDINGS: usize = 40;

/// Tries to put right what stands at a path.
fn mend(plan: &RecordPlan, fields: &mut Fields, path: &str, choices: &mut Choices<'_>) -> bool {
    let plain: String = path
        .split('/')
        .map(|part| part.split('[').next().unwrap())
        .collect::<Vec<_>>()
        .join("/");
    let Some(id) = plan.find(&plain).filter(|_| path != ".") else {
        return false;
    };
    let element = plan.element(id);
    let there = fields.iter().any(|(known, _)| case::inside(known, path));
    match element.what() {
        What::Item { kind, length } => {
            let value = fields.iter().find(|(known, _)| known == path);
            let value = value.and_then(|(_, value)| value.as_deref());
            let filled = value.is_some_and(|value| !value.is_empty());
            if filled && choices.below(3) == 0 {
                case::edit(fields, &format!("-{path}"));
                return true;
            }
            let mut value = choices.value(element, kind, length);
            if value.contains("; ") {
                value.clear();
            }
            case::edit(fields, &format!("{path}={value}"));
        }
        _ if there => case::edit(fields, &format!("-{path}")),
        What::Segment => case::edit(fields, &format!("+{path}")),
        What::Group { .. } => case::edit(fields, &format!("+{path}[1]")),
    }
    true
}

/// Puts what stands at a path as it was; whether that changes anything.
fn take_back(fields: &mut Fields, origin: &Fields, path: &str) -> bool {
    let part = |all: &Fields| -> Fields {
        let mut part: Fields = all.clone();
        part.retain(|(known, _)| case::inside(known, path));
        part.sort();
        part
    };
    let was = part(origin);
    if part(fields) == was {
        return false;
    }
    fields.retain(|(known, value)| {
        !case::inside(known, path) && (value.is_some() || !case::inside(path, known))
    });
    fields.extend(was);
    true
}
