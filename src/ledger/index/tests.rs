//! The index of accounts against both databases.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::{Timestamp, civil::date};

use super::*;
use crate::{
    platform::{
        clock::Clock,
        db::{Db, Urgency},
        identity::Identity,
    },
    testing::{self, Forget, databases},
};

fn person(n: u32) -> Identity {
    // Passports have no checksum.
    Identity::person("2", &format!("E{n:08}"), "测试甲", date(2026, 11, 24)).unwrap()
}

fn name(institution: &str, bureau: &str, family: &str, key: &str) -> AccountName {
    AccountName {
        institution: institution.into(),
        bureau: bureau.into(),
        family: family.into(),
        key: key.into(),
    }
}

async fn vault(db: &Db) -> Vault {
    testing::vault(db, Clock::standing(Timestamp::UNIX_EPOCH)).await
}

/// Takes an account of a person; a new one where there is none.
async fn take_one(db: &Db, vault: &Vault, n: u32, name: AccountName) -> (i64, SubjectId) {
    let vault = vault.clone();
    let write = db.write::<_, VaultError, _>(Urgency::Bulk, move |tx| {
        Box::pin(async move {
            let subject = vault.enroll(tx, &person(n)).await?;
            let blind = vault.blind_held(tx).await?;
            take(tx, &vault, &blind, &name, &subject, 0).await
        })
    });
    write.await.unwrap()
}

/// Takes many accounts of a person at once.
async fn take_all(
    db: &Db,
    vault: &Vault,
    n: u32,
    names: Vec<AccountName>,
) -> Vec<(i64, SubjectId)> {
    let vault = vault.clone();
    let write = db.write::<_, VaultError, _>(Urgency::Bulk, move |tx| {
        Box::pin(async move {
            let subject = vault.enroll(tx, &person(n)).await?;
            let keys = HashMap::from([(subject.clone(), vault.keys(tx, &subject).await?)]);
            let blind = vault.blind_held(tx).await?;
            let wanted: Vec<_> = names.iter().map(|name| (name, &subject)).collect();
            take_many(tx, &blind, &wanted, &keys, 0).await
        })
    });
    write.await.unwrap()
}

async fn look(db: &Db, vault: &Vault, name: AccountName) -> Option<i64> {
    let vault = vault.clone();
    let write = db.write::<_, VaultError, _>(Urgency::Bulk, move |tx| {
        Box::pin(async move {
            let blind = vault.blind_held(tx).await?;
            Ok(find(tx, &blind, &name).await?.map(|(id, _)| id))
        })
    });
    write.await.unwrap()
}

#[tokio::test]
async fn an_account_is_one_of_its_institution_bureau_family_and_key() {
    for test in databases(Arc::new(Forget)).await {
        let vault = vault(&test.db).await;
        let names = [
            name("bank", "pboc", "210", "A-1"),
            name("bank", "pboc", "210", "A-2"),
            name("bank", "pboc", "230", "A-1"),
            name("bank", "baihang", "210", "A-1"),
            name("other", "pboc", "210", "A-1"),
        ];
        let mut ids = HashSet::new();
        for one in &names {
            assert_eq!(look(&test.db, &vault, one.clone()).await, None);
            let (id, subject) = take_one(&test.db, &vault, 1, one.clone()).await;
            let again = take_one(&test.db, &vault, 2, one.clone()).await;
            assert_eq!(again, (id, subject), "it stays whose it is");
            ids.insert(id);
        }
        assert_eq!(ids.len(), names.len(), "{}", test.name);
    }
}

#[tokio::test]
async fn many_are_taken_in_order_each_once_and_keep_their_subject() {
    for test in databases(Arc::new(Forget)).await {
        let vault = vault(&test.db).await;
        let key = |n: usize| name("bank", "pboc", "210", &format!("A-{n}"));
        let (seventh, first) = take_one(&test.db, &vault, 1, key(7)).await;
        let mut names: Vec<AccountName> = (0..1300).map(key).collect();
        names.push(key(3));
        names.push(name("bank", "pboc", "230", "A-3"));
        let taken = take_all(&test.db, &vault, 2, names.clone()).await;
        assert_eq!(taken.len(), names.len(), "{}", test.name);
        assert_eq!(taken[7], (seventh, first.clone()), "it was there before");
        assert!(taken[8].1 != first);
        assert_eq!(taken[1300], taken[3], "named twice, it is one");
        assert_ne!(taken[1301], taken[3], "another family");
        let ids: HashSet<i64> = taken.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids.len(), 1301, "{}", test.name);
        let again = take_all(&test.db, &vault, 3, names.clone()).await;
        assert_eq!(again, taken, "{}: and again they are the same", test.name);
        assert_eq!(look(&test.db, &vault, key(1299)).await, Some(taken[1299].0));
    }
}

#[tokio::test]
async fn taken_twenty_times_at_once_it_is_one() {
    for test in databases(Arc::new(Forget)).await {
        let vault = vault(&test.db).await;
        let tasks: Vec<_> = (0..20)
            .map(|n| {
                let (db, vault) = (test.db.clone(), vault.clone());
                let key = format!("A-{}", n % 2);
                let name = name("bank", "pboc", "210", &key);
                tokio::spawn(async move { take_one(&db, &vault, 1, name).await.0 })
            })
            .collect();
        let mut ids = HashSet::new();
        for task in tasks {
            ids.insert(task.await.unwrap());
        }
        assert_eq!(ids.len(), 2, "{}", test.name);
    }
}

#[tokio::test]
async fn accounts_follow_the_blind_key_and_are_found_all_the_while() {
    for test in databases(Arc::new(Forget)).await {
        let vault = vault(&test.db).await;
        let names: Vec<AccountName> = (0..700)
            .map(|n| name("bank", "pboc", "210", &format!("A-{n}")))
            .collect();
        let (all, inner) = (names.clone(), vault.clone());
        let write = test.db.write::<_, VaultError, _>(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let subject = inner.enroll(tx, &person(1)).await?;
                let blind = inner.blind_held(tx).await?;
                for name in &all {
                    take(tx, &inner, &blind, name, &subject, 0).await?;
                }
                Ok(())
            })
        });
        write.await.unwrap();
        let before = digests(&test.db).await;
        let accounts: Arc<dyn Blinded> = Arc::new(Accounts(vault.clone()));
        let mut heard = 0;
        for round in 1..=2 {
            let moved = vault
                .rotate_blind(&[Arc::clone(&accounts)], |done| heard = done)
                .await
                .unwrap();
            assert_eq!(moved, 1, "{} {round}: subjects", test.name);
            assert_eq!(heard, 701, "{} {round}: and accounts", test.name);
            for (n, name) in names.iter().enumerate().step_by(99) {
                let found = look(&test.db, &vault, name.clone()).await;
                assert_eq!(found, Some(n as i64 + 1), "{} {round}", test.name);
            }
        }
        let after = digests(&test.db).await;
        assert_eq!(after.len(), 700);
        assert!(before.is_disjoint(&after), "{}", test.name);
    }
}

/// An old key goes only once nothing is found by it.
#[tokio::test]
async fn a_rotation_without_the_accounts_keeps_the_old_key() {
    for test in databases(Arc::new(Forget)).await {
        let vault = vault(&test.db).await;
        let one = name("bank", "pboc", "210", "A-1");
        let (id, _) = take_one(&test.db, &vault, 1, one.clone()).await;
        let refused = vault.rotate_blind(&[], |_| ()).await;
        assert!(matches!(refused, Err(VaultError::Db(_))), "{}", test.name);
        assert_eq!(look(&test.db, &vault, one.clone()).await, Some(id));
        let accounts: Arc<dyn Blinded> = Arc::new(Accounts(vault.clone()));
        vault.rotate_blind(&[accounts], |_| ()).await.unwrap();
        assert_eq!(look(&test.db, &vault, one).await, Some(id), "{}", test.name);
    }
}

#[tokio::test]
async fn the_key_of_an_account_is_nowhere_in_clear() {
    for test in databases(Arc::new(Forget)).await {
        let vault = vault(&test.db).await;
        let secret = "ACCOUNT-9999";
        let one = name("bank", "pboc", "210", secret);
        assert!(!format!("{one:?}").contains(secret));
        take_one(&test.db, &vault, 1, one).await;
        let row: Option<(Vec<u8>, Vec<u8>)> = test
            .db
            .first("SELECT blind, code FROM accounts", args![])
            .await
            .unwrap();
        let (blind, code) = row.unwrap();
        for bytes in [blind, code] {
            let mut windows = bytes.windows(secret.len());
            assert!(!windows.any(|some| some == secret.as_bytes()));
        }
    }
}

async fn digests(db: &Db) -> HashSet<Vec<u8>> {
    let rows: Vec<(Vec<u8>,)> = db
        .all(
            "SELECT blind FROM accounts WHERE blind IS NOT NULL",
            args![],
        )
        .await
        .unwrap();
    rows.into_iter().map(|(digest,)| digest).collect()
}
