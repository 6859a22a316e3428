//! Disputes against both databases.

use std::sync::Arc;

use super::*;
use crate::{
    ledger::index,
    platform::{clock::Clock, identity::Identity},
    testing::{self, Remember, databases},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn compliance(house: &str) -> Caller {
    Caller::local(house.into(), [Role::Compliance])
}

fn person(n: u32) -> Identity {
    let today = jiff::civil::date(2026, 11, 24);
    Identity::person("10", &mocks::synthetic_resident_id(n), "测试甲", today).unwrap()
}

fn name(key: &str) -> AccountName {
    AccountName {
        institution: "bank".into(),
        bureau: "pboc".into(),
        family: "210".to_owned(),
        key: key.to_owned(),
    }
}

/// An account of a person; gives its number.
async fn account(db: &Db, vault: &Vault, n: u32, key: &'static str) -> i64 {
    let vault = vault.clone();
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            let subject = vault.enroll(tx, &person(n)).await?;
            let blind = vault.blind_held(tx).await?;
            let made = index::take(tx, &vault, &blind, &name(key), &subject, 0).await?;
            Ok::<_, VaultError>(made.0)
        })
    })
    .await
    .unwrap()
}

fn new(number: &str, n: u32, key: &str) -> NewDispute {
    NewDispute {
        number: number.to_owned(),
        subject: person(n).document().clone(),
        account: name(key),
    }
}

#[tokio::test]
async fn a_dispute_is_open_until_it_is_closed_and_its_number_is_used_once() {
    let sealer = Arc::new(Remember::default());
    for test in databases(sealer.clone()).await {
        let vault = testing::vault(&test.db, Clock::standing(NOW)).await;
        let disputes = Disputes::new(test.db.clone(), vault.clone());
        let one = account(&test.db, &vault, 1, "A-1").await;
        let two = account(&test.db, &vault, 2, "A-2").await;
        let by = compliance("bank");
        sealer.take();
        let opened = disputes.open(&by, new("D-1", 1, "A-1"), NOW).await.unwrap();
        let Opened::New(id) = opened else {
            panic!("{}: {opened:?}", test.name)
        };
        let again = disputes.open(&by, new("D-1", 1, "A-1"), NOW).await.unwrap();
        assert_eq!(again, Opened::Already(id.clone()), "{}", test.name);
        let other = disputes.open(&by, new("D-1", 2, "A-2"), NOW).await;
        assert!(
            matches!(other, Err(DisputeError::Conflict)),
            "{}",
            test.name
        );
        let open = disputes.open_on([one, two]).await.unwrap();
        assert_eq!(open, HashMap::from([(one, vec!["D-1".to_owned()])]));
        assert_eq!(disputes.list(&by).await.unwrap().len(), 1, "{}", test.name);
        assert!(
            disputes.close(&by, &id, NOW).await.unwrap(),
            "{}",
            test.name
        );
        assert!(
            !disputes.close(&by, &id, NOW).await.unwrap(),
            "{}",
            test.name
        );
        assert!(disputes.open_on([one, two]).await.unwrap().is_empty());
        let closed = disputes.open(&by, new("D-1", 1, "A-1"), NOW).await;
        assert!(
            matches!(closed, Err(DisputeError::Conflict)),
            "{}",
            test.name
        );
        let entries = sealer.take();
        assert_eq!(entries.len(), 2, "{}: {entries:?}", test.name);
        assert!(entries[0].contains("dispute.opened") && entries[1].contains("dispute.closed"));
    }
}

#[tokio::test]
async fn a_dispute_is_of_the_subject_s_own_account_in_the_caller_s_institution() {
    for test in databases(Arc::new(Remember::default())).await {
        let vault = testing::vault(&test.db, Clock::standing(NOW)).await;
        let disputes = Disputes::new(test.db.clone(), vault.clone());
        account(&test.db, &vault, 1, "A-1").await;
        account(&test.db, &vault, 2, "A-2").await;
        let cases = [
            ("another's account", "bank", new("D-1", 1, "A-2")),
            ("no account", "bank", new("D-1", 1, "A-3")),
            ("nobody", "bank", new("D-1", 9, "A-1")),
            ("another house", "other", new("D-1", 1, "A-1")),
        ];
        for (case, house, new) in cases {
            let got = disputes.open(&compliance(house), new, NOW).await;
            assert!(
                matches!(got, Err(DisputeError::Unknown(_))),
                "{} {case}",
                test.name
            );
        }
        let by = compliance("bank");
        let bad = disputes.open(&by, new("测试甲", 1, "A-1"), NOW).await;
        assert!(matches!(bad, Err(DisputeError::Number)), "{}", test.name);
        let officer = Caller::local("bank".into(), [Role::Officer]);
        let refused = disputes.open(&officer, new("D-1", 1, "A-1"), NOW).await;
        assert!(
            matches!(refused, Err(DisputeError::Forbidden(_))),
            "{}",
            test.name
        );
        let Opened::New(id) = disputes.open(&by, new("D-1", 1, "A-1"), NOW).await.unwrap() else {
            panic!("{}", test.name)
        };
        let other = disputes.close(&compliance("other"), &id, NOW).await;
        assert!(
            matches!(other, Err(DisputeError::Unknown(_))),
            "{}",
            test.name
        );
    }
}
