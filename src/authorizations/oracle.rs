//! The property test of the decision: its oracle is a second implementation
//! that knows no rule. It lays out small universes of institutions, subjects,
//! identities, bureaus, purposes and moments, and marks what each paper covers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use super::{
    Category, Purpose,
    decision::{Decision, decide, decide_with},
    model::{Authorization, Evidence, Facts, Kind, Membership, PolicyVersion, Question, Validity},
    rules::{RULES, Rule, RuleId},
};
use crate::{
    bureaus::Licence,
    platform::{clock::from_micros, config::bureau::LicenceKind, identity::Identity},
};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// 2026-03-01 00:00 at +08:00.
const START: i64 = 1_772_294_400_000_000;
/// Its day number since 1970-01-01.
const FIRST: i64 = 20_513;

const HOUSES: [&str; 2] = ["house-a", "house-b"];
const SUBJECTS: [&str; 2] = ["subject-1", "subject-2"];
/// Who a form or a question may name: 0 and 1 differ in the name, 0 and 2 in
/// the number, 3 is an enterprise.
const IDENTITIES: usize = 4;
const BUREAUS: [&str; 2] = ["bureau-x", "bureau-y"];
const PURPOSES: [Purpose; 2] = [Purpose::LoanApproval, Purpose::PostLoan];
/// The last and first microseconds around midnights, and some noons.
const MOMENTS: [i64; 9] = [
    START - DAY,
    START - 1,
    START,
    START + 12 * HOUR,
    START + DAY - 1,
    START + DAY,
    START + DAY + 12 * HOUR,
    START + 2 * DAY - 1,
    START + 2 * DAY,
];

fn identity(n: usize) -> Identity {
    let today = jiff::civil::date(2026, 3, 1);
    match n {
        0 => Identity::person("10", "999999199001010016", "测试甲", today),
        1 => Identity::person("10", "999999199001010016", "测试乙", today),
        2 => Identity::person("10", "999999199001010024", "测试甲", today),
        _ => Identity::enterprise("91999999000000019D", "测试样本有限公司"),
    }
    .unwrap()
}

fn date(day: i64) -> Date {
    jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(day)
}

/// A paper, in plain numbers: indexes into the universes, moments, day numbers.
#[derive(Clone, Debug)]
struct Paper {
    house: usize,
    subject: usize,
    to_inquire: bool,
    bureaus: BTreeSet<usize>,
    purposes: BTreeSet<usize>,
    signer: Option<usize>,
    signed: Option<i64>,
    /// `None` is while a member.
    days: Option<(i64, i64)>,
    text_from: Option<i64>,
    on_form: i64,
    withdrawn: Option<i64>,
    /// When stored, and whether unchanged.
    original: Option<(i64, bool)>,
}

/// Of a registry: bureau, kind, first day, last day, day of revocation.
type Entry = (usize, LicenceKind, i64, Option<i64>, Option<i64>);

#[derive(Clone, Debug)]
struct World {
    papers: Vec<Paper>,
    memberships: Vec<(i64, Option<i64>)>,
    licences: Vec<Entry>,
}

/// House, subject, identity, bureau, purpose, moment: indexes.
type Point = (usize, usize, usize, usize, usize, usize);

fn papers() -> impl Strategy<Value = Paper> {
    let moment = || prop::sample::select(&MOMENTS[..]);
    // Mostly what fits, so that many points are permitted and each defect shows.
    let early = || prop::sample::select(&MOMENTS[..4]);
    let day = || prop_oneof![3 => Just(FIRST - 1), 1 => FIRST..FIRST + 3];
    let last = || prop_oneof![1 => Just(FIRST), 3 => Just(FIRST + 3)];
    let form = (
        prop_oneof![6 => Just(0usize), 1 => Just(1)],
        prop_oneof![6 => Just(0usize), 1 => Just(1)],
        prop::bool::weighted(0.8),
        prop_oneof![3 => Just([0, 1].into()), 1 => prop::collection::btree_set(0..2usize, 0..=2)],
        prop_oneof![3 => Just([0, 1].into()), 1 => prop::collection::btree_set(0..2usize, 0..=2)],
        prop_oneof![1 => Just(None), 9 => Just(Some(0)), 4 => (1..IDENTITIES).prop_map(Some)],
        prop_oneof![1 => Just(None), 9 => early().prop_map(Some)],
    );
    let rest = (
        prop::option::of((day(), last())),
        prop_oneof![1 => Just(None), 6 => day().prop_map(Some)],
        prop_oneof![9 => Just(1i64), 1 => Just(2)],
        prop::option::weighted(0.3, moment()),
        prop::option::weighted(0.9, (early(), prop::bool::weighted(0.9))),
    );
    (form, rest).prop_map(|(form, rest)| {
        let (house, subject, to_inquire, bureaus, purposes, signer, signed) = form;
        let (days, text_from, on_form, withdrawn, original) = rest;
        Paper {
            house,
            subject,
            to_inquire,
            bureaus,
            purposes,
            signer,
            signed,
            days,
            text_from,
            on_form,
            withdrawn,
            original,
        }
    })
}

fn worlds() -> impl Strategy<Value = World> {
    let moment = || prop::sample::select(&MOMENTS[..]);
    let day = || prop_oneof![2 => Just(FIRST - 1), 1 => FIRST..FIRST + 3];
    let kinds = [
        LicenceKind::EnterpriseFiling,
        LicenceKind::PersonalLicence,
        LicenceKind::Statutory,
    ];
    let licence = (
        0..BUREAUS.len(),
        prop::sample::select(kinds.to_vec()),
        day(),
        prop::option::weighted(0.3, day()),
        prop::option::weighted(0.2, day()),
    );
    (
        prop::collection::vec(papers(), 0..5),
        prop::collection::vec((moment(), prop::option::of(moment())), 0..3),
        prop::collection::vec(licence, 0..5),
    )
        .prop_map(|(papers, memberships, licences)| World {
            papers,
            memberships,
            licences,
        })
}

/// The oracle: all points that the world permits.
fn permitted(world: &World) -> BTreeSet<Point> {
    let china_day = |at: i64| (at + 8 * HOUR).div_euclid(DAY);
    let moments = |holds: &dyn Fn(i64) -> bool| -> BTreeSet<usize> {
        (0..MOMENTS.len()).filter(|&n| holds(MOMENTS[n])).collect()
    };
    let mut open = BTreeMap::<(usize, usize), BTreeSet<usize>>::new();
    for &(bureau, kind, from, last, gone) in &world.licences {
        for identity in 0..IDENTITIES {
            let enterprise = identity == 3;
            if kind == LicenceKind::Statutory
                || (kind == LicenceKind::EnterpriseFiling) == enterprise
            {
                let days = from..=last.unwrap_or(i64::MAX).min(gone.unwrap_or(i64::MAX) - 1);
                let days = moments(&|at| days.contains(&china_day(at)));
                open.entry((bureau, identity)).or_default().extend(days);
            }
        }
    }
    let mut points = BTreeSet::new();
    for paper in &world.papers {
        let (Some(signer), Some(signed), Some(text_from), Some((stored, true))) =
            (paper.signer, paper.signed, paper.text_from, paper.original)
        else {
            continue;
        };
        if !paper.to_inquire || paper.on_form != 1 || text_from > china_day(signed) {
            continue;
        }
        let mut when = moments(&|at| at >= signed.max(stored));
        if let Some(withdrawn) = paper.withdrawn {
            when = &when - &moments(&|at| at >= withdrawn);
        }
        when = match paper.days {
            Some((from, last)) => &when & &moments(&|at| (from..=last).contains(&china_day(at))),
            None => {
                let mut member = BTreeSet::new();
                for &(from, until) in &world.memberships {
                    member.extend(moments(&|at| at >= from && at < until.unwrap_or(i64::MAX)));
                }
                let ends = world.memberships.iter().filter_map(|m| m.1);
                if let Some(end) = ends.filter(|end| *end > signed).min() {
                    member = &member - &moments(&|at| at >= end);
                }
                &when & &member
            }
        };
        for &bureau in &paper.bureaus {
            for &purpose in &paper.purposes {
                let Some(open) = open.get(&(bureau, signer)) else {
                    continue;
                };
                for &moment in when.intersection(open) {
                    points.insert((paper.house, paper.subject, signer, bureau, purpose, moment));
                }
            }
        }
    }
    points
}

/// The same world as the gateway would load it.
fn facts(world: &World) -> Facts {
    let authorizations = world
        .papers
        .iter()
        .enumerate()
        .map(|(n, paper)| Authorization {
            id: format!("authorization-{n}").into(),
            institution: HOUSES[paper.house].into(),
            subject: SUBJECTS[paper.subject].into(),
            kind: if paper.to_inquire {
                Kind::Inquire
            } else {
                Kind::Provide
            },
            bureaus: paper.bureaus.iter().map(|&n| BUREAUS[n].into()).collect(),
            purposes: paper.purposes.iter().map(|&n| PURPOSES[n]).collect(),
            categories: [Category::Credit].into(),
            signer: paper.signer.map(identity),
            signed_at: paper.signed.map(from_micros),
            validity: match paper.days {
                None => Validity::WhileMember,
                Some((from, until)) => Validity::Days {
                    from: date(from),
                    until: date(until),
                },
            },
            policy: Some(PolicyVersion {
                policy: "privacy".into(),
                version: "1".into(),
            }),
            policy_first_day: paper.text_from.map(date),
            subjects_on_form: paper.on_form,
            withdrawn_at: paper.withdrawn.map(from_micros),
            evidence: match paper.original {
                None => Evidence::Missing,
                Some((_, false)) => Evidence::Altered,
                Some((stored, true)) => Evidence::Intact {
                    stored_at: from_micros(stored),
                },
            },
        });
    let memberships = world.memberships.iter().map(|&(from, until)| Membership {
        from: from_micros(from),
        until: until.map(from_micros),
    });
    let licences = world
        .licences
        .iter()
        .map(|&(bureau, kind, from, until, revoked)| Licence {
            bureau: BUREAUS[bureau].into(),
            kind,
            from: date(from),
            until: until.map(date),
            revoked: revoked.map(date),
        });
    Facts {
        authorizations: authorizations.collect(),
        memberships: memberships.collect(),
        licences: licences.collect(),
        as_of: None,
    }
}

fn questions() -> Vec<(Point, Question)> {
    let mut all = Vec::new();
    for n in 0..HOUSES.len() * SUBJECTS.len() * IDENTITIES * BUREAUS.len() * PURPOSES.len() {
        let (house, n) = (n % HOUSES.len(), n / HOUSES.len());
        let (subject, n) = (n % SUBJECTS.len(), n / SUBJECTS.len());
        let (who, n) = (n % IDENTITIES, n / IDENTITIES);
        let (bureau, purpose) = (n % BUREAUS.len(), n / BUREAUS.len());
        for (moment, &at) in MOMENTS.iter().enumerate() {
            let question = Question {
                institution: HOUSES[house].into(),
                subject: Some(SUBJECTS[subject].into()),
                identity: identity(who),
                bureau: BUREAUS[bureau].into(),
                purpose: PURPOSES[purpose],
                at: from_micros(at),
            };
            all.push(((house, subject, who, bureau, purpose, moment), question));
        }
    }
    all
}

fn runner() -> TestRunner {
    let config = ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn the_oracle_knows_what_day_it_is() {
    let start: jiff::Timestamp = "2026-03-01T00:00:00+08:00".parse().unwrap();
    assert_eq!(start.as_microsecond(), START);
    assert_eq!(date(FIRST), jiff::civil::date(2026, 3, 1));
}

#[test]
fn what_is_permitted_is_exactly_what_the_papers_cover() {
    let questions = questions();
    let mut runner = runner();
    let hits = std::cell::Cell::new(0);
    runner
        .run(&worlds(), |world| {
            let (facts, expected) = (facts(&world), permitted(&world));
            for (point, question) in &questions {
                let decision = decide(question, &facts);
                let allowed = matches!(decision, Decision::Permitted(_));
                prop_assert_eq!(
                    allowed,
                    expected.contains(point),
                    "{:?} {:?}",
                    point,
                    decision
                );
                if let Decision::Refused(reasons) = &decision {
                    prop_assert!(!reasons.is_empty());
                }
                hits.set(hits.get() + usize::from(allowed));
            }
            Ok(())
        })
        .unwrap();
    assert!(hits.get() > 500, "only {} were permitted", hits.get());
}

/// Without any one rule the oracle disagrees: each is necessary, and the test
/// above would catch its loss.
#[test]
fn with_any_one_rule_disabled_the_oracle_disagrees() {
    let questions = questions();
    let mut runner = runner();
    let mut unnoticed: BTreeSet<RuleId> = RULES.iter().map(|rule| rule.id).collect();
    for _ in 0..512 {
        let world = worlds().new_tree(&mut runner).unwrap().current();
        let (facts, expected) = (facts(&world), permitted(&world));
        unnoticed.retain(|id| {
            let rules: Vec<&Rule> = RULES.iter().filter(|rule| rule.id != *id).collect();
            let agrees = |(point, question): &(Point, Question)| {
                let decision = decide_with(&rules, question, &facts);
                matches!(decision, Decision::Permitted(_)) == expected.contains(point)
            };
            questions.iter().all(agrees)
        });
        if unnoticed.is_empty() {
            return;
        }
    }
    panic!("no case needed {unnoticed:?}");
}
