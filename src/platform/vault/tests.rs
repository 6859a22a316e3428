//! The vault against both databases.

use std::{path::Path, sync::Arc};

use jiff::{Timestamp, civil::date};

use super::*;
use crate::testing::{self, Forget, TestDb, databases};

const PLACE: Place<'static> = Place {
    table: "answers",
    column: "sealed",
    row: "1",
};

fn person(n: u32) -> Identity {
    // Passports have no checksum.
    Identity::person("2", &format!("E{n:08}"), "测试甲", date(2026, 11, 24)).unwrap()
}

fn clock() -> Clock {
    Clock::standing(Timestamp::UNIX_EPOCH)
}

fn ring(keys: &[(u32, &MasterKey)]) -> MasterKeys {
    MasterKeys::new(keys.iter().map(|(version, key)| (*version, (*key).clone()))).unwrap()
}

async fn open(db: &Db, masters: MasterKeys) -> Result<Vault, VaultError> {
    Vault::open(db.clone(), masters, Cipher::default(), clock()).await
}

async fn fresh(test: &TestDb) -> (Vault, MasterKey) {
    let master = MasterKey::generate().unwrap();
    let vault = open(&test.db, ring(&[(1, &master)])).await.unwrap();
    (vault, master)
}

async fn enroll(vault: &Vault, identity: &Identity) -> Result<SubjectId, VaultError> {
    let (vault, identity) = (vault.clone(), identity.clone());
    let db = vault.0.db.clone();
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move { vault.enroll(tx, &identity).await })
    })
    .await
}

async fn erase(vault: &Vault, id: &SubjectId) -> Result<bool, VaultError> {
    let (vault, id) = (vault.clone(), id.clone());
    let db = vault.0.db.clone();
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move { vault.erase(tx, &id, "test").await })
    })
    .await
}

async fn execute(db: &Db, sql: &'static str) {
    db.write::<_, DbError, _>(Urgency::Urgent, move |tx| {
        Box::pin(async move { tx.execute(sql, args![]).await })
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn one_document_is_one_subject_also_at_once() {
    for test in databases(Arc::new(Forget)).await {
        let vault = testing::vault(&test.db, clock()).await;
        let one = person(1);
        assert_eq!(vault.find(&one).await.unwrap(), None);
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (vault, one) = (vault.clone(), one.clone());
                tokio::spawn(async move { enroll(&vault, &one).await.unwrap() })
            })
            .collect();
        let mut ids = std::collections::HashSet::new();
        for task in tasks {
            ids.insert(task.await.unwrap());
        }
        assert_eq!(ids.len(), 1, "{}", test.name);
        let id = ids.into_iter().next();
        assert_eq!(vault.find(&one).await.unwrap(), id, "{}", test.name);
        assert_eq!(vault.find(one.document()).await.unwrap(), id);
        assert_ne!(enroll(&vault, &person(2)).await.ok(), id, "{}", test.name);
        assert_eq!(vault.identity_read(&id.unwrap()).await.unwrap(), one);
    }
}

#[tokio::test]
async fn another_name_is_refused_until_the_subject_is_renamed() {
    for test in databases(Arc::new(Forget)).await {
        let vault = testing::vault(&test.db, clock()).await;
        let id = enroll(&vault, &person(1)).await.unwrap();
        let other = Identity::new(person(1).document().clone(), "测试乙").unwrap();
        let refused = enroll(&vault, &other).await;
        assert!(
            matches!(refused, Err(VaultError::OtherName)),
            "{}",
            test.name
        );
        let stranger = Identity::new(person(2).document().clone(), "测试乙").unwrap();
        for (identity, good) in [(other, true), (stranger, false)] {
            let (vault, id) = (vault.clone(), id.clone());
            let renamed: Result<(), VaultError> = test
                .db
                .write(Urgency::Urgent, move |tx| {
                    Box::pin(async move { vault.rename(tx, &id, &identity).await })
                })
                .await;
            assert_eq!(renamed.is_ok(), good, "{}", test.name);
        }
        assert_eq!(
            vault.identity_read(&id).await.unwrap().expose_name(),
            "测试乙"
        );
    }
}

#[tokio::test]
async fn a_field_opens_under_its_own_subject_only() {
    for test in databases(Arc::new(Forget)).await {
        let vault = testing::vault(&test.db, clock()).await;
        let mut all = Vec::new();
        for n in 1..=2 {
            let id = enroll(&vault, &person(n)).await.unwrap();
            all.push(vault.keys_read(&id).await.unwrap());
        }
        let sealed = all[0].seal(&PLACE, b"report").unwrap();
        assert_eq!(&**all[0].open(&PLACE, &sealed).unwrap(), b"report");
        assert!(all[1].open(&PLACE, &sealed).is_err(), "{}", test.name);
        assert!(vault.house_keys().open(&PLACE, &sealed).is_err());
        assert_ne!(all[0].expose_salt(), all[1].expose_salt());
        let house = vault.house_keys().seal(&PLACE, b"list").unwrap();
        assert_eq!(&**vault.house_keys().open(&PLACE, &house).unwrap(), b"list");
        assert!(matches!(
            vault.keys_read(&SubjectId::new()).await,
            Err(VaultError::Unknown)
        ));
    }
}

#[tokio::test]
async fn an_erased_subject_is_gone_and_stays_gone_after_a_restore() {
    for test in databases(Arc::new(Forget)).await {
        let vault = testing::vault(&test.db, clock()).await;
        let id = enroll(&vault, &person(1)).await.unwrap();
        execute(&test.db, "CREATE TABLE backup AS SELECT * FROM subjects").await;
        assert!(erase(&vault, &id).await.unwrap(), "{}", test.name);
        assert!(!erase(&vault, &id).await.unwrap(), "{}", test.name);
        vault.forget().await.unwrap();
        assert!(matches!(
            vault.keys_read(&id).await,
            Err(VaultError::Erased)
        ));
        assert!(matches!(
            vault.identity_read(&id).await,
            Err(VaultError::Erased)
        ));
        assert_eq!(vault.find(&person(1)).await.unwrap(), None);
        let erasures = vault.erasures().await.unwrap();
        assert_eq!(erasures.len(), 1);
        assert_ne!(enroll(&vault, &person(1)).await.unwrap(), id, "comes again");

        execute(&test.db, "DELETE FROM subjects").await;
        execute(&test.db, "INSERT INTO subjects SELECT * FROM backup").await;
        execute(&test.db, "DELETE FROM erasures").await;
        assert!(vault.keys_read(&id).await.is_ok(), "the backup has it");
        let list = erasures.clone();
        let again = vault.clone();
        let done: Result<_, VaultError> = test
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move { again.reapply(tx, &list).await })
            })
            .await;
        assert_eq!(done.unwrap(), std::slice::from_ref(&id), "{}", test.name);
        assert!(matches!(
            vault.keys_read(&id).await,
            Err(VaultError::Erased)
        ));
        assert_eq!(vault.erasures().await.unwrap(), erasures);
    }
}

#[tokio::test]
async fn after_a_rotation_the_old_master_key_opens_nothing() {
    for test in databases(Arc::new(Forget)).await {
        let (vault, old) = fresh(&test).await;
        let mut ids = Vec::new();
        for n in 0..3 {
            ids.push(enroll(&vault, &person(n)).await.unwrap());
        }
        erase(&vault, &ids[0]).await.unwrap();
        let sealed = vault
            .keys_read(&ids[1])
            .await
            .unwrap()
            .seal(&PLACE, b"x")
            .unwrap();
        let new = MasterKey::generate().unwrap();
        let lonely = vault.rotate_master(ring(&[(2, &new)]), |_| ()).await;
        assert!(matches!(
            lonely,
            Err(VaultError::MasterMissing { version: 1 })
        ));
        let done = vault
            .rotate_master(ring(&[(1, &old), (2, &new)]), |_| ())
            .await;
        assert_eq!(done.unwrap(), 2, "{}", test.name);

        let again = open(&test.db, ring(&[(2, &new)])).await.unwrap();
        assert_eq!(again.identity_read(&ids[1]).await.unwrap(), person(1));
        assert_eq!(again.find(&person(2)).await.unwrap(), Some(ids[2].clone()));
        let keys = again.keys_read(&ids[1]).await.unwrap();
        assert_eq!(&**keys.open(&PLACE, &sealed).unwrap(), b"x");

        let missing = open(&test.db, ring(&[(1, &old)])).await;
        assert!(matches!(
            missing,
            Err(VaultError::MasterMissing { version: 2 })
        ));
        // Under whatever version it is presented.
        let forged = ring(&[(1, &old), (2, &old)]);
        let subjects: Vec<(String, Vec<u8>)> = test
            .db
            .all(
                "SELECT id, keys FROM subjects WHERE keys IS NOT NULL",
                args![],
            )
            .await
            .unwrap();
        let own: Vec<(i64, Vec<u8>)> = test
            .db
            .all("SELECT id, wrapped FROM vault_keys", args![])
            .await
            .unwrap();
        assert_eq!((subjects.len(), own.len()), (2, 2));
        for (id, wrapped) in subjects {
            assert!(forged.unwrap(&keys_place(&id), &wrapped).is_err());
        }
        for (id, wrapped) in own {
            let place = id.to_string();
            assert!(forged.unwrap(&house::place(&place), &wrapped).is_err());
        }
    }
}

#[tokio::test]
async fn a_new_blind_key_finds_everybody_and_the_old_one_is_gone() {
    for test in databases(Arc::new(Forget)).await {
        let vault = testing::vault(&test.db, clock()).await;
        let first = enroll(&vault, &person(1)).await.unwrap();
        let before: Vec<(Vec<u8>,)> = blinds(&test.db).await;
        let gone = enroll(&vault, &person(2)).await.unwrap();
        erase(&vault, &gone).await.unwrap();
        // An interrupted rotation: the key is made, the subjects not yet moved.
        let begun = vault.clone();
        test.db
            .write::<_, VaultError, _>(Urgency::Urgent, move |tx| {
                Box::pin(async move { begun.newest_blind_key(tx).await })
            })
            .await
            .unwrap();
        let third = enroll(&vault, &person(3)).await.unwrap();
        assert_eq!(
            enroll(&vault, &person(1)).await.unwrap(),
            first,
            "both keys serve"
        );
        assert_eq!(
            vault.rotate_blind(&[], |_| ()).await.unwrap(),
            1,
            "{}",
            test.name
        );
        assert_eq!(vault.find(&person(1)).await.unwrap(), Some(first));
        assert_eq!(vault.find(&person(3)).await.unwrap(), Some(third));
        assert!(
            !blinds(&test.db).await.contains(&before[0]),
            "{}",
            test.name
        );
        let keys = house::rows_read(&test.db, Use::Blind).await.unwrap();
        assert_eq!(keys.len(), 1);
    }
}

async fn blinds(db: &Db) -> Vec<(Vec<u8>,)> {
    db.all(
        "SELECT blind FROM subjects WHERE blind IS NOT NULL",
        args![],
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn nothing_in_clear_reaches_the_files_and_nothing_erased_stays() {
    for test in databases(Arc::new(Forget)).await {
        let Some(path) = test.address.strip_prefix("sqlite:") else {
            continue;
        };
        let vault = testing::vault(&test.db, clock()).await;
        let identity = person(7);
        let id = enroll(&vault, &identity).await.unwrap();
        let (blind,) = blinds(&test.db).await.remove(0);
        let (wrapped, sealed): (Vec<u8>, Vec<u8>) =
            test.db.first(SUBJECT, args![&id]).await.unwrap().unwrap();
        for clear in [identity.expose_number(), identity.expose_name()] {
            assert!(!holds(path, clear.as_bytes()));
        }
        for bytes in [&wrapped, &sealed, &blind] {
            assert!(holds(path, bytes));
        }
        erase(&vault, &id).await.unwrap();
        vault.forget().await.unwrap();
        for bytes in [&wrapped, &sealed, &blind] {
            assert!(!holds(path, bytes));
        }
    }
}

/// Whether the bytes stand in the database file, its log or its shared memory.
fn holds(path: &str, bytes: &[u8]) -> bool {
    ["", "-wal", "-shm"].iter().any(|end| {
        let name = format!("{path}{end}");
        let all = std::fs::read(Path::new(&name)).unwrap_or_default();
        all.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test]
async fn many_are_enrolled_as_each_alone_would_be() {
    for test in databases(Arc::new(Forget)).await {
        let (vault, _) = fresh(&test).await;
        let known = enroll(&vault, &person(1)).await.unwrap();
        let other = Identity::person("2", "E00000001", "测试乙", date(2026, 11, 24)).unwrap();
        let asked = vec![person(3), person(1), other, person(2), person(3)];
        let run = |asked: Vec<Identity>| {
            let vault = vault.clone();
            test.db.write(Urgency::Bulk, move |tx| {
                Box::pin(async move { vault.enroll_many(tx, &asked).await })
            })
        };
        let got = run(asked.clone()).await.unwrap();
        let ids: Vec<_> = got.iter().map(|it| it.as_ref().ok()).collect();
        assert_eq!(ids[1], Some(&known), "{}", test.name);
        assert!(
            matches!(got[2], Err(VaultError::OtherName)),
            "{}",
            test.name
        );
        assert!(ids[0].is_some() && ids[0] == ids[4], "{}", test.name);
        assert_ne!(ids[0], ids[3], "{}", test.name);
        for (identity, id) in [(person(3), ids[0]), (person(2), ids[3])] {
            let found = vault.find(&identity).await.unwrap();
            assert_eq!(found.as_ref(), id, "{}", test.name);
            let kept = vault.identity_read(id.unwrap()).await.unwrap();
            assert_eq!(kept, identity, "{}", test.name);
        }
        let again = run(asked).await.unwrap();
        let again: Vec<_> = again.iter().map(|it| it.as_ref().ok()).collect();
        assert_eq!(again, ids, "{}", test.name);
        assert!(run(Vec::new()).await.unwrap().is_empty(), "{}", test.name);
    }
}

#[tokio::test]
async fn two_that_enroll_the_same_many_at_once_agree() {
    for test in databases(Arc::new(Forget)).await {
        let (vault, _) = fresh(&test).await;
        let people: Vec<Identity> = (1..=700).map(person).collect();
        let backward: Vec<Identity> = people.iter().rev().cloned().collect();
        let run = |asked: Vec<Identity>| {
            let vault = vault.clone();
            test.db.write(Urgency::Bulk, move |tx| {
                Box::pin(async move { vault.enroll_many(tx, &asked).await })
            })
        };
        let (one, two) = tokio::join!(run(people), run(backward));
        let ids = |got: Vec<Result<SubjectId, VaultError>>| -> Vec<SubjectId> {
            got.into_iter().map(Result::unwrap).collect()
        };
        let (one, mut two) = (ids(one.unwrap()), ids(two.unwrap()));
        two.reverse();
        assert_eq!(one, two, "{}", test.name);
    }
}
