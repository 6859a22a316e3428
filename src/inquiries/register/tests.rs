//! The register against both databases.

use std::sync::Arc;

use super::*;
use crate::{
    authorizations::Authorizations,
    bureaus::{Fittings, Lines},
    operators::Actor,
    platform::{
        clock::{Clock, from_micros},
        config::inquiries::InquiriesConfig,
        db::{Db, Epoch},
        identity::Identity,
        ids::InquiryId,
    },
    testing::{self, Remember, TestDb, databases},
};

const HOUSE: &str = "demo-bank";

/// Inquiries without any line.
async fn inquiries(db: &Db) -> Inquiries {
    let clock = Clock::standing(from_micros(1_000_000));
    let vault = testing::vault(db, clock.clone()).await;
    let epoch = Epoch::take(db, &clock).await.unwrap();
    let fittings = Fittings {
        adapters: Vec::new(),
        clock: clock.clone(),
        db: db.clone(),
        epoch,
    };
    let lines = Lines::open(Vec::new(), fittings).await.unwrap();
    let authorizations = Authorizations::new(db.clone(), vault.clone());
    let config = InquiriesConfig::default();
    Inquiries::new(
        authorizations,
        clock,
        config,
        db.clone(),
        epoch,
        lines,
        vault,
    )
}

fn caller(actor: &str, role: Role) -> Caller {
    let actor = Actor::Operator(actor.into());
    Caller {
        actor,
        ..Caller::local(HOUSE.into(), [role])
    }
}

fn person(n: u32) -> Identity {
    let today = jiff::civil::date(2026, 11, 24);
    Identity::person("10", &mocks::synthetic_resident_id(n), "测试甲", today).unwrap()
}

/// Stores an inquiry that came at `at` microseconds.
async fn store(all: &Inquiries, house: &str, at: i64, subject: &Identity, by: &str) -> InquiryId {
    let id = InquiryId::new();
    let (vault, made, subject) = (all.0.vault.clone(), id.clone(), subject.clone());
    let (house, by) = (house.to_owned(), format!("operator/{by}"));
    all.0
        .db
        .write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let subject = vault.enroll(tx, &subject).await?;
                let outcome = (at % 2 == 0).then_some("hit");
                tx.execute(
                    "INSERT INTO inquiries (id, institution, subject, bureau, product, purpose, \
                     business_ref, requester, requester_person, state, received_at, deadline_at, \
                     outcome, bureau_code, receipt) VALUES ($1, $2, $3, 'pboc', \
                     'personal_report', 'loan_approval', 'LOAN-1', $4, $4, 'answered', $5, 0, $6, \
                     '=cmd', 'r')",
                    args![&made, house, &subject, by, at, outcome],
                )
                .await?;
                Ok::<_, VaultError>(())
            })
        })
        .await
        .unwrap();
    id
}

async fn each(test: impl AsyncFn(&TestDb, &Inquiries, &Remember)) {
    let sealer = Arc::new(Remember::default());
    for db in databases(sealer.clone()).await {
        let all = inquiries(&db.db).await;
        sealer.take();
        test(&db, &all, &sealer).await;
    }
}

#[tokio::test]
async fn pages_go_through_all_once_while_others_come_in() {
    each(async |db, all, _| {
        let mut expected = Vec::new();
        for at in [5, 7, 7, 7, 9] {
            expected.push((at, store(all, HOUSE, at, &person(1), "o").await));
        }
        store(all, "other-bank", 7, &person(1), "o").await;
        expected.sort_by(|one, two| two.cmp(one));
        let (by, filter) = (caller("c", Role::Compliance), Filter::default());
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = all.search(&by, &filter, after.as_ref(), 2).await.unwrap();
            seen.extend(page.records.into_iter().map(|it| (it.received_at, it.id)));
            store(all, HOUSE, 100, &person(1), "o").await;
            let Some(next) = page.next else { break };
            after = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(seen, expected, "{}", db.name);
    })
    .await;
}

#[tokio::test]
async fn every_filter_narrows_and_all_of_them_together() {
    each(async |db, all, _| {
        let id = store(all, HOUSE, 6, &person(1), "o").await;
        store(all, HOUSE, 7, &person(2), "p").await;
        let time = |at| Some(from_micros(at));
        let good = Filter {
            from: time(6),
            until: time(7),
            requester: Some("operator/o".into()),
            purpose: Some(Purpose::LoanApproval),
            bureau: Some("pboc".into()),
            subject: Some(person(1).document().clone()),
            states: vec![State::Unknown, State::Answered],
            outcome: Some("hit"),
            business_ref: Some("LOAN-1".into()),
        };
        let by = caller("c", Role::Regulator);
        let found = all.search(&by, &good, None, 10).await.unwrap();
        assert_eq!(found.records.len(), 1, "{}", db.name);
        assert_eq!(found.records[0].id, id, "{}", db.name);
        let none = || Filter::default();
        let cases = [
            (
                "from",
                Filter {
                    from: time(8),
                    ..none()
                },
            ),
            (
                "until",
                Filter {
                    until: time(6),
                    ..none()
                },
            ),
            (
                "requester",
                Filter {
                    requester: Some("operator/x".into()),
                    ..none()
                },
            ),
            (
                "purpose",
                Filter {
                    purpose: Some(Purpose::PostLoan),
                    ..none()
                },
            ),
            (
                "bureau",
                Filter {
                    bureau: Some("other".into()),
                    ..none()
                },
            ),
            (
                "subject",
                Filter {
                    subject: Some(person(3).document().clone()),
                    ..none()
                },
            ),
            (
                "states",
                Filter {
                    states: vec![State::Unknown],
                    ..none()
                },
            ),
            (
                "outcome",
                Filter {
                    outcome: Some("partial"),
                    ..none()
                },
            ),
            (
                "business_ref",
                Filter {
                    business_ref: Some("' OR 1=1 --".into()),
                    ..none()
                },
            ),
        ];
        for (name, filter) in cases {
            let found = all.search(&by, &filter, None, 10).await.unwrap();
            assert!(found.records.is_empty(), "{} {name}", db.name);
        }
    })
    .await;
}

#[tokio::test]
async fn an_officer_sees_only_their_own_and_a_submitter_nothing() {
    each(async |db, all, _| {
        let own = store(all, HOUSE, 5, &person(1), "o").await;
        store(all, HOUSE, 6, &person(1), "p").await;
        let officer = caller("o", Role::Officer);
        let found = all
            .search(&officer, &Filter::default(), None, 10)
            .await
            .unwrap();
        let ids: Vec<_> = found.records.into_iter().map(|it| it.id).collect();
        assert_eq!(ids, [own], "{}", db.name);
        let other = Filter {
            requester: Some("operator/p".into()),
            ..Filter::default()
        };
        let refused = all.search(&officer, &other, None, 10).await;
        assert!(
            matches!(refused, Err(RegisterError::OwnOnly)),
            "{}",
            db.name
        );
        let refused = all
            .search(&caller("s", Role::Submitter), &other, None, 10)
            .await;
        assert!(
            matches!(refused, Err(RegisterError::Forbidden(_))),
            "{}",
            db.name
        );
    })
    .await;
}

#[tokio::test]
async fn a_search_is_an_entry_that_names_filters_and_no_identifier() {
    each(async |db, all, sealer| {
        store(all, HOUSE, 5, &person(1), "o").await;
        let by = caller("c", Role::Compliance);
        for (n, tagged) in [(1, true), (2, false)] {
            let subject = person(n);
            let filter = Filter {
                subject: Some(subject.document().clone()),
                ..Filter::default()
            };
            all.search(&by, &filter, None, 10).await.unwrap();
            let entries = sealer.take();
            let [entry] = &entries[..] else {
                panic!("{}: {entries:?}", db.name)
            };
            assert!(entry.contains(r#""filters":["subject"]"#), "{entry}");
            assert!(entry.contains("register.searched"), "{entry}");
            assert!(!entry.contains(subject.expose_number()), "{entry}");
            assert_eq!(entry.contains(r#""subject":""#), tagged, "{entry}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_holds_all_that_fits_and_nothing_personal() {
    each(async |db, all, sealer| {
        for at in 0..3 {
            store(all, HOUSE, at, &person(1), "o").await;
        }
        let by = caller("r", Role::Regulator);
        let file = all.export_register(&by, &Filter::default()).await.unwrap();
        let text = String::from_utf8(file).unwrap();
        assert_eq!(text.lines().count(), 4, "{}", db.name);
        assert!(!text.contains(person(1).expose_number()), "{}", db.name);
        assert!(!text.contains("=cmd"), "no formula: {text}");
        assert!(sealer.take()[0].contains(r#""count":3"#), "{}", db.name);
    })
    .await;
}
