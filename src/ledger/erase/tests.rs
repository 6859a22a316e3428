//! Erasure of what was reported, against both databases.

use std::sync::Arc;

use jiff::{Timestamp, civil::date};

use crate::{
    args,
    audit::{
        Place,
        batch::{chunk_place, record_place},
        merkle::sha256,
        verify::{Payload, Payloads as _},
    },
    gateway::SealedPayloads,
    ledger::index::{AccountName, find, take},
    operators::{Caller, Role},
    platform::{
        clock::Clock,
        db::{Db, Urgency},
        identity::Identity,
        ids::SubjectId,
        vault::{Vault, VaultError},
    },
    retention::{EraseError, ErasureReason, erase_subject, reapply},
    testing::{self, Remember, databases},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn subject() -> Identity {
    // Passports have no checksum.
    Identity::person("2", "E00000001", "测试甲", date(2026, 11, 24)).unwrap()
}

fn name() -> AccountName {
    AccountName {
        institution: "bank".into(),
        bureau: "pboc".into(),
        family: "210".into(),
        key: "A-1".into(),
    }
}

async fn run(db: &Db, sql: String) {
    let write = db.write(Urgency::Bulk, move |tx| {
        Box::pin(async move { tx.execute(sqlx::AssertSqlSafe(sql), args![]).await })
    });
    write.await.unwrap();
}

/// An account of the subject with one record and one notice.
async fn reported(db: &Db, vault: &Vault, account: &str, record: &str) -> SubjectId {
    let inner = vault.clone();
    let write = db.write::<_, VaultError, _>(Urgency::Bulk, move |tx| {
        Box::pin(async move {
            let subject = inner.enroll(tx, &subject()).await?;
            let blind = inner.blind_held(tx).await?;
            let (id, _) = take(tx, &inner, &blind, &name(), &subject, 0).await?;
            tx.execute(
                "INSERT INTO submissions (no, id, institution, bureau, client, idempotency_key, \
                 submitter, submitter_person, format, state, taken, chain_sha256, set_aside, \
                 received_at, receipt) VALUES (7, 's', 'bank', 'pboc', 'c', 'k', 'c', 'p', \
                 'jsonl', 'taken', 1, $1, 0, 0, 'r')",
                args![[0u8; 32]],
            )
            .await?;
            tx.execute(
                "INSERT INTO submission_records (submission, seq, record, account, subject, \
                 state, sealed, sealed_sha256) VALUES (7, 1, '210', $1, $2, 'x', $3, $4)",
                args![id, &subject, &b"sealed"[..], sha256(b"sealed")],
            )
            .await?;
            tx.execute(
                "INSERT INTO notices (id, institution, subject, account, due_period, channel, \
                 delivered_at, proof, proof_sha256, recorded_by, recorded_at) VALUES ('n', \
                 'bank', $1, $2, '2026-10', 'sms', 0, $3, $4, 'o', 0)",
                args![&subject, id, &b"proof"[..], sha256(b"proof")],
            )
            .await?;
            Ok(subject)
        })
    });
    let id = write.await.unwrap();
    run(db, format!("UPDATE accounts SET state = '{account}'")).await;
    run(
        db,
        format!("UPDATE submission_records SET state = '{record}'"),
    )
    .await;
    id
}

async fn erase(db: &Db, vault: &Vault) -> Result<(), EraseError> {
    let by = Caller::local("bank".into(), [Role::Compliance]);
    let reason = ErasureReason::SubjectRequest;
    erase_subject(db, vault, &by, subject().document(), reason, NOW)
        .await
        .map(drop)
}

async fn fresh(db: &Db) -> Vault {
    testing::vault(db, Clock::standing(NOW)).await
}

/// What the verifier of the log finds in the places of record, chunk and proof.
async fn payloads(db: &Db) -> [Payload; 2] {
    let payloads = SealedPayloads(db);
    let proof = Place {
        table: "notices".to_owned(),
        column: "proof".to_owned(),
        row: "n".to_owned(),
    };
    [
        payloads.look(&chunk_place(7, 1, 1)).await.unwrap(),
        payloads.look(&proof).await.unwrap(),
    ]
}

#[tokio::test]
async fn a_subject_stays_while_an_account_must_be_reported_on() {
    let cases = [
        ("open", "accepted", "account_open"),
        ("transferred", "accepted", "account_open"),
        ("new", "ready", "records_under_way"),
        ("new", "held", "records_under_way"),
        ("new", "filed", "records_under_way"),
        ("closed", "filed", "records_under_way"),
        ("deleted", "stopped", "records_under_way"),
    ];
    for (account, record, why) in cases {
        for test in databases(Arc::new(Remember::default())).await {
            let vault = fresh(&test.db).await;
            let id = reported(&test.db, &vault, account, record).await;
            let before = payloads(&test.db).await;
            match erase(&test.db, &vault).await {
                Err(EraseError::Reported(needed)) => {
                    assert_eq!(needed.len(), 1, "{} {account} {record}", test.name);
                    assert_eq!(needed[0].why, why, "{} {account} {record}", test.name);
                    assert_eq!(needed[0].family, "210");
                }
                other => panic!("{} {account} {record}: {other:?}", test.name),
            }
            assert!(vault.keys_read(&id).await.is_ok(), "nothing is erased");
            assert_eq!(payloads(&test.db).await, before, "{}", test.name);
        }
    }
}

#[tokio::test]
async fn what_is_settled_goes_and_the_log_stays_provable() {
    let cases = [
        ("closed", "accepted"),
        ("deleted", "accepted"),
        ("new", "rejected"),
        ("new", "withdrawn"),
        ("new", "replaced"),
        ("new", "set_aside"),
    ];
    for (account, record) in cases {
        for test in databases(Arc::new(Remember::default())).await {
            let vault = fresh(&test.db).await;
            let id = reported(&test.db, &vault, account, record).await;
            let [chunk, proof] = payloads(&test.db).await;
            assert_eq!(proof, Payload::Present(sha256(b"proof")));
            erase(&test.db, &vault).await.unwrap();
            let [after, gone] = payloads(&test.db).await;
            assert_eq!(after, chunk, "{}: the chunk is proven as before", test.name);
            assert_eq!(gone, Payload::Erased);
            assert!(matches!(
                vault.keys_read(&id).await,
                Err(VaultError::Erased)
            ));
            assert_nothing_left(&test.db, &vault).await;
        }
    }
}

#[tokio::test]
async fn a_restored_backup_is_erased_again_whatever_its_accounts_say() {
    for test in databases(Arc::new(Remember::default())).await {
        let vault = fresh(&test.db).await;
        let id = reported(&test.db, &vault, "open", "filed").await;
        let erasure = crate::platform::vault::Erasure {
            subject: id,
            erased_at: 0,
            reason: "subject_request".to_owned(),
        };
        let count = reapply(&test.db, &vault, vec![erasure], NOW).await.unwrap();
        assert_eq!(count, 1, "{}", test.name);
        assert_nothing_left(&test.db, &vault).await;
    }
}

async fn assert_nothing_left(db: &Db, vault: &Vault) {
    type Left = (Option<Vec<u8>>, Option<i64>, Option<Vec<u8>>);
    let account: Option<Left> = db
        .first("SELECT blind, blind_key, code FROM accounts", args![])
        .await
        .unwrap();
    assert_eq!(account, Some((None, None, None)));
    let record: Option<(Vec<u8>, Vec<u8>)> = db
        .first(
            "SELECT sealed, sealed_sha256 FROM submission_records",
            args![],
        )
        .await
        .unwrap();
    assert_eq!(record, Some((Vec::new(), sha256(b"sealed").to_vec())));
    let places: Vec<(String,)> = db
        .all("SELECT place FROM erased_payloads ORDER BY place", args![])
        .await
        .unwrap();
    let record = record_place(7, 1).to_string();
    assert_eq!(places, [("notices/proof/n".to_owned(),), (record,)]);
    let vault = vault.clone();
    let found = db.write::<_, VaultError, _>(Urgency::Bulk, move |tx| {
        Box::pin(async move {
            let blind = vault.blind_held(tx).await?;
            Ok(find(tx, &blind, &name()).await?)
        })
    });
    assert_eq!(found.await.unwrap(), None, "its key names nothing any more");
}
