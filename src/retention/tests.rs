//! Erasure against both databases.

use std::sync::Arc;

use super::*;
use crate::{
    platform::{
        clock::{Clock, from_micros},
        identity::Identity,
        vault::Place,
    },
    testing::{self, Remember, databases},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn caller(role: Role) -> Caller {
    Caller::local("demo-bank".into(), [role])
}

fn subject() -> Identity {
    let today = jiff::civil::date(2026, 11, 24);
    Identity::person("10", &mocks::synthetic_resident_id(1), "测试甲", today).unwrap()
}

/// An inquiry in a state, with a sealed answer; gives the subject.
async fn store(db: &Db, vault: &Vault, house: &'static str, state: &'static str) -> SubjectId {
    let vault = vault.clone();
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            let id = vault.enroll(tx, &subject()).await?;
            let inquiry = InquiryId::new();
            tx.execute(
                "INSERT INTO inquiries (id, institution, subject, bureau, product, purpose, \
                 business_ref, requester, requester_person, state, received_at, deadline_at, \
                 receipt) VALUES ($1, $2, $3, 'pboc', 'p', 'loan_approval', 'L', 'o', 'o', $4, 0, \
                 0, 'r')",
                args![&inquiry, house, &id, state],
            )
            .await?;
            let place = Place {
                table: "answers",
                column: "sealed",
                row: inquiry.as_str(),
            };
            let sealed = vault.keys(tx, &id).await?.seal(&place, b"secret")?;
            tx.execute(
                "INSERT INTO answers (inquiry, subject, sealed, sealed_sha256, kept_at) \
                 VALUES ($1, $2, $3, $4, 0)",
                args![&inquiry, &id, sealed, [0u8; 32]],
            )
            .await?;
            Ok::<_, VaultError>(id)
        })
    })
    .await
    .unwrap()
}

async fn answers(db: &Db) -> i64 {
    let row: Option<(i64,)> = db
        .first("SELECT COUNT(*) FROM answers", args![])
        .await
        .unwrap();
    row.unwrap().0
}

#[tokio::test]
async fn erasure_takes_keys_identity_and_answers_and_leaves_an_entry() {
    let sealer = Arc::new(Remember::default());
    for test in databases(sealer.clone()).await {
        let (db, who) = (&test.db, subject());
        let vault = testing::vault(db, Clock::standing(from_micros(0))).await;
        let id = store(db, &vault, "demo-bank", "answered").await;
        sealer.take();
        let reason = ErasureReason::SubjectRequest;
        let document = who.document();
        let officer = caller(Role::Officer);
        let refused = erase_subject(db, &vault, &officer, document, reason, NOW).await;
        assert!(
            matches!(refused, Err(EraseError::Forbidden(_))),
            "{}",
            test.name
        );
        let by = caller(Role::Compliance);
        let erased = erase_subject(db, &vault, &by, document, reason, NOW)
            .await
            .unwrap();
        assert_eq!(
            erased,
            Erased {
                subject: id.clone(),
                log_emptied: true
            },
            "{}",
            test.name
        );
        assert!(
            matches!(vault.keys_read(&id).await, Err(VaultError::Erased)),
            "{}",
            test.name
        );
        assert_eq!(answers(db).await, 0, "{}", test.name);
        let entries = sealer.take();
        assert_eq!(entries.len(), 1, "{}", test.name);
        assert!(entries[0].contains("subject.erased") && entries[0].contains(id.as_str()));
        let again = erase_subject(db, &vault, &by, document, reason, NOW).await;
        assert!(matches!(again, Err(EraseError::Unknown)), "{}", test.name);
    }
}

#[tokio::test]
async fn nothing_is_erased_while_somebody_needs_the_subject() {
    let cases = [
        ("demo-bank", "dispatched", "unsettled"),
        ("demo-bank", "on_hold", "unsettled"),
        ("demo-bank", "permitted", "unsettled"),
        ("demo-bank", "unknown", "unsettled"),
        ("other-bank", "answered", "needed"),
    ];
    for (house, state, expected) in cases {
        for test in databases(Arc::new(Remember::default())).await {
            let db = &test.db;
            let vault = testing::vault(db, Clock::standing(from_micros(0))).await;
            let id = store(db, &vault, "demo-bank", "answered").await;
            store(db, &vault, house, state).await;
            let by = caller(Role::Compliance);
            let reason = ErasureReason::RetentionEnded;
            let got = erase_subject(db, &vault, &by, subject().document(), reason, NOW).await;
            let got = match got {
                Err(EraseError::Needed) => "needed",
                Err(EraseError::Unsettled(which)) if which.len() == 1 => "unsettled",
                other => panic!("{} {state}: {other:?}", test.name),
            };
            assert_eq!(got, expected, "{} {state}", test.name);
            assert!(vault.keys_read(&id).await.is_ok(), "{} {state}", test.name);
            assert_eq!(answers(db).await, 2, "{} {state}", test.name);
        }
    }
}
