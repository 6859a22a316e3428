//! What is stored, and what the rules make of it.

use super::*;

#[tokio::test]
async fn what_is_stored_permits_until_it_is_withdrawn() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        let me = sample::me();
        assert_eq!(rules(&all, &by, &me).await, ["QR-01"], "{}", test.name);
        let id = record(&all, &by, form("1")).await;
        assert_eq!(rules(&all, &by, &me).await, [""; 0], "{}", test.name);
        let listed = all.of_subject(&by, me.document()).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert!(listed[0].has_original && listed[0].authorization.id == id);
        assert!(all.withdraw(&by, &id, NOW).await.unwrap());
        assert!(!all.withdraw(&by, &id, NOW).await.unwrap());
        assert_eq!(rules(&all, &by, &me).await, ["QR-03"], "{}", test.name);
        let it = all.get(&by, &id).await.unwrap().authorization;
        assert_eq!(it.withdrawn_at, Some(NOW));
    }
}

#[tokio::test]
async fn what_ended_stays_ended_when_the_clock_is_behind() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        let (me, later) = (sample::me(), NOW + 1.hour());
        let id = record(&all, &by, form("1")).await;
        all.end_membership(&by, &me, later, NOW).await.unwrap();
        assert_eq!(rules(&all, &by, &me).await, [""; 0], "it is to end later");
        execute(&test.db, "UPDATE memberships SET ended_at = ends").await;
        assert_eq!(rules(&all, &by, &me).await, ["QR-03"], "{}", test.name);
        execute(
            &test.db,
            "UPDATE memberships SET ends = NULL, ended_at = NULL",
        )
        .await;
        assert_eq!(rules(&all, &by, &me).await, [""; 0]);
        all.withdraw(&by, &id, later).await.unwrap();
        assert_eq!(rules(&all, &by, &me).await, ["QR-03"], "{}", test.name);
    }
}

#[tokio::test]
async fn each_rule_refuses_what_is_stored() {
    type Change = fn(&mut NewAuthorization);
    let cases: [(&str, Change, &[&str]); 8] = [
        ("to provide", |it| it.kind = Kind::Provide, &["QR-01"]),
        (
            "signed later",
            |it| it.signed_at = Some(NOW + 1.minute()),
            &["QR-02"],
        ),
        (
            "expired",
            |it| {
                it.validity = Validity::Days {
                    from: date(2026, 3, 1),
                    until: date(2026, 3, 1),
                };
            },
            &["QR-03"],
        ),
        (
            "purpose",
            |it| it.purposes = [Purpose::PostLoan].into(),
            &["QR-04"],
        ),
        (
            "bureau",
            |it| it.bureaus = ["baihang".into()].into(),
            &["QR-05"],
        ),
        (
            "name on the form",
            |it| it.signer = Some(sample::person("999999199001010016", "测试乙")),
            &["QR-07"],
        ),
        ("no original", |it| it.evidence = None, &["QR-08"]),
        ("unknown text", |it| it.policy = None, &["QR-09"]),
    ];
    for (name, change, expected) in cases {
        for test in databases(Arc::<Remember>::default()).await {
            let (all, by) = house(&test.db).await;
            let mut new = form("1");
            change(&mut new);
            record(&all, &by, new).await;
            let found = rules(&all, &by, &sample::me()).await;
            assert_eq!(found, expected, "{name} on {}", test.name);
        }
    }
}

#[tokio::test]
async fn qr_03_bites_when_the_membership_ends() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        let me = sample::me();
        record(&all, &by, form("1")).await;
        assert!(!all.record_membership(&by, &me, NOW, NOW).await.unwrap());
        assert!(all.end_membership(&by, &me, NOW, NOW).await.unwrap());
        assert!(!all.end_membership(&by, &me, NOW, NOW).await.unwrap());
        assert_eq!(rules(&all, &by, &me).await, ["QR-03"], "{}", test.name);
        assert!(all.record_membership(&by, &me, NOW, NOW).await.unwrap());
        assert_eq!(rules(&all, &by, &me).await, ["QR-03"], "member again");
        let mut anew = form("2");
        anew.signed_at = Some(NOW);
        record(&all, &by, anew).await;
        assert_eq!(rules(&all, &by, &me).await, [""; 0], "signed anew");
    }
}

#[tokio::test]
async fn qr_08_notices_an_original_that_was_changed_or_lost() {
    let changes = [
        "UPDATE evidence SET sealed = sealed_sha256",
        "UPDATE evidence SET plain_sha256 = sealed_sha256",
        "UPDATE evidence SET id = 'moved'",
        "UPDATE authorizations SET evidence = NULL",
    ];
    for change in changes {
        for test in databases(Arc::<Remember>::default()).await {
            let (all, by) = house(&test.db).await;
            record(&all, &by, form("1")).await;
            if change.contains("moved") {
                execute(&test.db, "UPDATE authorizations SET evidence = NULL").await;
                execute(&test.db, change).await;
                execute(&test.db, "UPDATE authorizations SET evidence = 'moved'").await;
            } else {
                execute(&test.db, change).await;
            }
            let found = rules(&all, &by, &sample::me()).await;
            assert_eq!(found, ["QR-08"], "{change} on {}", test.name);
        }
    }
}

#[tokio::test]
async fn another_institution_neither_sees_nor_uses_nor_withdraws_it() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        let (me, other) = (sample::me(), caller("other"));
        let id = record(&all, &by, form("1")).await;
        assert_eq!(rules(&all, &other, &me).await, ["QR-01"], "{}", test.name);
        assert!(
            all.of_subject(&other, me.document())
                .await
                .unwrap()
                .is_empty()
        );
        assert!(all.get(&other, &id).await.is_err());
        let withdrawn = all.withdraw(&other, &id, NOW).await;
        assert!(matches!(withdrawn, Err(AuthorizationError::Unknown(_))));
        let told = all
            .explain(
                &other,
                &me,
                &"pboc".into(),
                Purpose::LoanApproval,
                licences(),
                NOW,
            )
            .await
            .unwrap();
        assert!(told.reasons.iter().all(|it| it.authorization.is_none()));
    }
}

#[tokio::test]
async fn of_an_erased_subject_nothing_is_left_that_permits() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        record(&all, &by, form("1")).await;
        let subject = all.vault.find(&sample::me()).await.unwrap().unwrap();
        let (vault, id) = (all.vault.clone(), subject.clone());
        all.db
            .write::<_, AuthorizationError, _>(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    Authorizations::erase(tx, &id).await?;
                    vault.erase(tx, &id, "test").await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
        assert_eq!(
            rules(&all, &by, &sample::me()).await,
            ["QR-01"],
            "{}",
            test.name
        );
        let facts = all
            .facts(&by.institution, Some(&subject), licences())
            .await
            .unwrap();
        assert!(facts.authorizations.is_empty(), "{}", test.name);
        let left: Option<(i64,)> = all
            .db
            .first("SELECT COUNT(*) FROM evidence", args![])
            .await
            .unwrap();
        assert_eq!(left, Some((0,)));
        assert!(matches!(
            all.vault.keys_read(&subject).await,
            Err(VaultError::Erased)
        ));
    }
}

/// On PostgreSQL: who reads the facts for dispatch holds them.
#[tokio::test]
async fn a_withdrawal_waits_for_a_dispatch_that_read_the_facts() {
    for test in databases(Arc::<Remember>::default()).await {
        if test.db.kind() == Engine::Sqlite {
            continue;
        }
        let (all, by) = house(&test.db).await;
        let id = record(&all, &by, form("1")).await;
        let subject = all.vault.find(&sample::me()).await.unwrap();
        let (same, who) = (all.clone(), by.clone());
        let withdrawal = all
            .db
            .write::<_, AuthorizationError, _>(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let house = &who.institution;
                    same.facts_locked(tx, house, subject.as_ref(), licences())
                        .await?;
                    let (other, by) = (same.clone(), who.clone());
                    let task = tokio::spawn(async move { other.withdraw(&by, &id, NOW).await });
                    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
                    loop {
                        let waiting: Option<(i64,)> = same
                            .db
                            .first(
                                "SELECT COUNT(*) FROM pg_stat_activity \
                                 WHERE datname = current_database() \
                                 AND wait_event_type = 'Lock'",
                                args![],
                            )
                            .await?;
                        assert!(!task.is_finished(), "the withdrawal did not wait");
                        if waiting != Some((0,)) {
                            return Ok(task);
                        }
                        assert!(std::time::Instant::now() < deadline, "nobody waits");
                        tokio::task::yield_now().await;
                    }
                })
            })
            .await
            .unwrap();
        assert!(withdrawal.await.unwrap().unwrap(), "and then it withdraws");
    }
}
