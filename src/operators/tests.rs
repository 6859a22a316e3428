//! Operators against both databases.

use std::sync::{Arc, Mutex};

use jiff::{Timestamp, ToSpan as _};
use ring::rand::SystemRandom;

use super::*;
use crate::{
    platform::{
        clock::from_micros,
        db::{BoxFuture, Db, DbError, NewEntry, Sealer, Tx, Urgency},
        ids::OperatorId,
    },
    testing::databases,
};

/// Remembers what was appended.
#[derive(Default)]
struct Remember(Mutex<Vec<String>>);

impl Sealer for Remember {
    fn seal<'t>(
        &'t self,
        _: &'t mut Tx<'_>,
        entries: Vec<NewEntry>,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        let texts = entries
            .into_iter()
            .map(|entry| String::from_utf8(entry.body).unwrap());
        self.0.lock().unwrap().extend(texts);
        Box::pin(async { Ok(()) })
    }
}

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn admin(institution: &str) -> Caller {
    Caller::local(institution.into(), [Role::Administrator])
}

fn person(key: &str) -> PersonKey {
    PersonKey::parse(key).unwrap()
}

async fn operator(db: &Db, by: &Caller, label: &str, key: &str) -> OperatorId {
    let new = NewOperator {
        label: label.into(),
        person: person(key),
        since: NOW,
        until: None,
    };
    record_institution(db, by, "测试银行", "bank", NOW)
        .await
        .unwrap();
    register_operator(db, by, new, NOW).await.unwrap()
}

async fn again(db: &Db, actor: Actor, now: Timestamp) -> Option<Caller> {
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move { reload(tx, &actor, now).await })
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn ur_01_is_checked_on_the_person_over_all_accounts() {
    for test in databases(Arc::<Remember>::default()).await {
        let (db, a, b) = (&test.db, admin("bank-a"), admin("bank-b"));
        let one = operator(db, &a, "one", "p.1").await;
        let two = operator(db, &a, "two", "p.1").await;
        let elsewhere = operator(db, &b, "one", "p.1").await;
        let other = operator(db, &a, "three", "p.2").await;
        grant(db, &a, &one, Role::Administrator, NOW).await.unwrap();
        grant(db, &a, &one, Role::Administrator, NOW).await.unwrap();
        for (by, id) in [(&a, &one), (&a, &two), (&b, &elsewhere)] {
            let refused = grant(db, by, id, Role::Officer, NOW).await;
            assert!(
                matches!(
                    refused,
                    Err(OperatorError::Exclusive {
                        asked: Role::Officer,
                        held: Role::Administrator
                    })
                ),
                "{} {refused:?}",
                test.name
            );
        }
        grant(db, &a, &other, Role::Officer, NOW).await.unwrap();
        grant(db, &a, &two, Role::Checker, NOW).await.unwrap();
        revoke(db, &a, &one, Role::Administrator, NOW)
            .await
            .unwrap();
        grant(db, &a, &two, Role::Officer, NOW).await.unwrap();
    }
}

#[tokio::test]
async fn ur_01_holds_when_two_grants_race() {
    for test in databases(Arc::<Remember>::default()).await {
        let (db, a) = (&test.db, admin("bank-a"));
        let one = operator(db, &a, "one", "p.1").await;
        let two = operator(db, &a, "two", "p.1").await;
        let (first, second) = tokio::join!(
            grant(db, &a, &one, Role::Officer, NOW),
            grant(db, &a, &two, Role::Submitter, NOW)
        );
        assert!(first.is_ok() != second.is_ok(), "{}", test.name);
    }
}

#[tokio::test]
async fn a_token_is_good_until_it_expires_is_revoked_or_its_operator_stops() {
    for test in databases(Arc::<Remember>::default()).await {
        let (db, a) = (&test.db, admin("bank-a"));
        let random = SystemRandom::new();
        let id = operator(db, &a, "one", "p.1").await;
        let expires = NOW + 1.hour();
        let (name, token) = issue_token(db, &a, &id, expires, &random, NOW)
            .await
            .unwrap();
        let (_, kept) = issue_token(db, &a, &id, expires, &random, NOW)
            .await
            .unwrap();
        let found = async |token: &Token, at| by_token(db, token.expose(), at).await.unwrap();

        assert_eq!(
            found(&token, NOW).await.unwrap().roles.len(),
            0,
            "no role yet"
        );
        grant(db, &a, &id, Role::Officer, NOW).await.unwrap();
        grant(db, &a, &id, Role::Checker, NOW).await.unwrap();
        let caller = found(&token, NOW).await.unwrap();
        assert_eq!(caller.person, Some(person("p.1")));
        assert_eq!(caller.roles, [Role::Checker, Role::Officer].into());
        assert_eq!(
            again(db, caller.actor.clone(), NOW).await,
            Some(caller.clone())
        );

        let last = expires - 1.microsecond();
        assert!(found(&token, last).await.is_some());
        assert!(
            found(&token, expires).await.is_none(),
            "expiry is exclusive"
        );
        assert!(
            found(&token, NOW - 1.second()).await.is_none(),
            "before its time"
        );
        assert!(by_token(db, "guess", NOW).await.unwrap().is_none());

        revoke_token(db, &a, &name, NOW).await.unwrap();
        assert!(found(&token, NOW).await.is_none(), "revoked");
        set_standing(db, &a, &id, Standing::Suspended, NOW)
            .await
            .unwrap();
        assert!(found(&kept, NOW).await.is_none(), "suspended");
        assert!(again(db, caller.actor.clone(), NOW).await.is_none());
        set_standing(db, &a, &id, Standing::Active, NOW)
            .await
            .unwrap();
        assert!(found(&kept, NOW).await.is_some(), "back");
        set_standing(db, &a, &id, Standing::Ended, NOW)
            .await
            .unwrap();
        set_standing(db, &a, &id, Standing::Active, NOW)
            .await
            .unwrap();
        assert!(found(&kept, NOW).await.is_none(), "left for good");
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_nobody_from_the_next_request_on() {
    for test in databases(Arc::<Remember>::default()).await {
        let (db, a, b) = (&test.db, admin("bank-a"), admin("bank-b"));
        record_institution(db, &a, "测试银行", "bank", NOW)
            .await
            .unwrap();
        record_institution(db, &b, "测试租赁", "leasing", NOW)
            .await
            .unwrap();
        let new = NewClient {
            key_sha256: [7; 32],
            label: "core".into(),
            role: Role::Officer,
        };
        let id = register_client(db, &a, new.clone(), NOW).await.unwrap();
        let caller = by_certificate(db, [7; 32]).await.unwrap().unwrap();
        assert_eq!(caller.actor, Actor::Client(id.clone()));
        assert_eq!(caller.institution, a.institution);
        assert!(by_certificate(db, [8; 32]).await.unwrap().is_none());
        assert_eq!(
            again(db, caller.actor.clone(), NOW).await,
            Some(caller.clone())
        );

        let foreign = revoke_client(db, &b, &id, NOW).await;
        assert!(
            matches!(foreign, Err(OperatorError::Unknown("client"))),
            "{foreign:?}"
        );
        revoke_client(db, &a, &id, NOW).await.unwrap();
        assert!(by_certificate(db, [7; 32]).await.unwrap().is_none());
        assert!(again(db, caller.actor, NOW).await.is_none());
        for by in [&a, &b] {
            let taken = register_client(db, by, new.clone(), NOW).await;
            assert!(
                matches!(taken, Err(OperatorError::Taken("key"))),
                "{taken:?}"
            );
        }
    }
}

#[tokio::test]
async fn only_an_administrator_who_still_is_one_changes_anything() {
    for test in databases(Arc::<Remember>::default()).await {
        let (db, a) = (&test.db, admin("bank-a"));
        let random = SystemRandom::new();
        let id = operator(db, &a, "one", "p.1").await;
        grant(db, &a, &id, Role::Administrator, NOW).await.unwrap();
        let (_, token) = issue_token(db, &a, &id, NOW + 1.hour(), &random, NOW)
            .await
            .unwrap();
        let stale = by_token(db, token.expose(), NOW).await.unwrap().unwrap();
        grant(db, &stale, &id, Role::Compliance, NOW).await.unwrap();
        revoke(db, &a, &id, Role::Administrator, NOW).await.unwrap();
        let refused = grant(db, &stale, &id, Role::Checker, NOW).await;
        assert!(
            matches!(refused, Err(OperatorError::Forbidden(_))),
            "{refused:?}"
        );
        let officer = Caller::local("bank-a".into(), [Role::Officer]);
        let refused = grant(db, &officer, &id, Role::Checker, NOW).await;
        assert!(
            matches!(refused, Err(OperatorError::Forbidden(_))),
            "{refused:?}"
        );
        let foreign = grant(db, &admin("bank-b"), &id, Role::Checker, NOW).await;
        assert!(
            matches!(foreign, Err(OperatorError::Unknown("operator"))),
            "{foreign:?}"
        );
    }
}

#[tokio::test]
async fn every_change_appends_one_entry_and_a_refused_one_none() {
    let remember = Arc::<Remember>::default();
    for test in databases(remember.clone()).await {
        remember.0.lock().unwrap().clear();
        let (db, a) = (&test.db, admin("bank-a"));
        let id = operator(db, &a, "one", "p.1").await;
        record_institution(db, &a, "测试银行", "bank", NOW)
            .await
            .unwrap();
        grant(db, &a, &id, Role::Officer, NOW).await.unwrap();
        grant(db, &a, &id, Role::Submitter, NOW).await.unwrap_err();
        revoke(db, &a, &id, Role::Officer, from_micros(5))
            .await
            .unwrap();
        let entries = remember.0.lock().unwrap().clone();
        let kinds: Vec<_> = [
            "institution.recorded",
            "operator.registered",
            "role.granted",
            "role.revoked",
        ]
        .into_iter()
        .collect();
        assert_eq!(entries.len(), kinds.len(), "{}: {entries:?}", test.name);
        for (entry, kind) in entries.iter().zip(kinds) {
            assert!(entry.contains(&format!("\"kind\":\"{kind}\"")), "{entry}");
            assert!(
                !entry.contains("p.1") && entry.contains("\"actor\":\"local\""),
                "{entry}"
            );
        }
    }
}
