//! Authorizations against both databases.

mod provided;
mod standing;

use std::sync::{Arc, Mutex};

use jiff::{Timestamp, ToSpan as _, civil::date};
use zeroize::Zeroizing;

use super::*;
use crate::{
    args,
    audit::SubjectTag,
    bureaus::Licence,
    operators::{Caller, Role, record_institution},
    platform::{
        clock::Clock,
        db::{BoxFuture, Db, DbError, Kind as Engine, NewEntry, Sealer, Tx, Urgency},
        identity::Identity,
        ids::AuthorizationId,
        vault::VaultError,
    },
    testing::{self, databases},
};

/// Remembers what was appended.
#[derive(Default)]
pub(super) struct Remember(Mutex<Vec<String>>);

impl Remember {
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Sealer for Remember {
    fn seal<'t>(
        &'t self,
        _: &'t mut Tx<'_>,
        entries: Vec<NewEntry>,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        let texts = entries
            .into_iter()
            .map(|it| String::from_utf8(it.body).unwrap());
        self.0.lock().unwrap().extend(texts);
        Box::pin(async { Ok(()) })
    }
}

pub(super) const NOW: Timestamp = sample::NOON;

pub(super) fn caller(institution: &str) -> Caller {
    Caller::local(institution.into(), Role::ALL)
}

pub(super) fn licences() -> Vec<Licence> {
    sample::good().1.licences
}

fn version() -> PolicyVersion {
    PolicyVersion {
        policy: "privacy".into(),
        version: "1".into(),
    }
}

pub(super) fn form(reference: &str) -> NewAuthorization {
    NewAuthorization {
        external_ref: reference.into(),
        subject: sample::me(),
        kind: Kind::Inquire,
        bureaus: ["pboc".into()].into(),
        purposes: [Purpose::LoanApproval].into(),
        categories: [Category::Credit].into(),
        signer: Some(sample::me()),
        signed_at: Some(NOW - 1.minute()),
        validity: Validity::WhileMember,
        policy: Some(version()),
        subjects_on_form: 1,
        evidence: Some(Zeroizing::new("测试甲 signed".into())),
    }
}

/// A bank with a policy, whose member the subject is.
pub(super) async fn house(db: &Db) -> (Authorizations, Caller) {
    let by = caller("bank");
    let all = Authorizations::new(db.clone(), testing::vault(db, Clock::standing(NOW)).await);
    for institution in ["bank", "other"] {
        let by = caller(institution);
        record_institution(db, &by, "测试银行", "bank", NOW)
            .await
            .unwrap();
        let policy = NewPolicyVersion {
            version: version(),
            text_sha256: [1; 32],
            first_day: date(2026, 3, 1),
            material: true,
        };
        assert!(all.record_policy_version(&by, policy, NOW).await.unwrap());
    }
    let member = all
        .record_membership(&by, &sample::me(), NOW - 1.hour(), NOW)
        .await;
    assert!(member.unwrap());
    (all, by)
}

async fn record(all: &Authorizations, by: &Caller, new: NewAuthorization) -> AuthorizationId {
    match all.record(by, new, Urgency::Urgent, NOW).await.unwrap() {
        Recorded::New(id) | Recorded::Already(id) => id,
    }
}

/// Rules that stand in the way, as read and as read under lock.
async fn rules(all: &Authorizations, by: &Caller, who: &Identity) -> Vec<&'static str> {
    let told = all
        .explain(
            by,
            who,
            &"pboc".into(),
            Purpose::LoanApproval,
            licences(),
            NOW,
        )
        .await
        .unwrap();
    let question = Question {
        institution: by.institution.clone(),
        subject: all.vault.find(who).await.unwrap(),
        identity: who.clone(),
        bureau: "pboc".into(),
        purpose: Purpose::LoanApproval,
        at: NOW,
    };
    let (same, asked) = (all.clone(), question.clone());
    let facts = all
        .db
        .write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                let subject = asked.subject.as_ref();
                same.facts_locked(tx, &asked.institution, subject, licences())
                    .await
            })
        })
        .await
        .unwrap();
    match decide(&question, &facts) {
        Decision::Permitted(permission) => assert_eq!(Some(permission), told.permission),
        Decision::Refused(reasons) => assert_eq!(reasons, told.reasons),
    }
    assert_eq!(told.permitted, told.reasons.is_empty());
    told.reasons.iter().map(|it| it.rule.name()).collect()
}

async fn execute(db: &Db, sql: &'static str) {
    db.write::<_, DbError, _>(Urgency::Urgent, move |tx| {
        Box::pin(async move { tx.execute(sql, args![]).await })
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn the_same_form_again_changes_nothing_and_another_is_refused() {
    let remember = Arc::<Remember>::default();
    for test in databases(remember.clone()).await {
        let (all, by) = house(&test.db).await;
        let id = record(&all, &by, form("1")).await;
        remember.take();
        let again = all
            .record(&by, form("1"), Urgency::Urgent, NOW + 1.hour())
            .await;
        assert_eq!(again.unwrap(), Recorded::Already(id), "{}", test.name);
        let mut other = form("1");
        other.evidence = Some(Zeroizing::new(b"another".to_vec()));
        let refused = all.record(&by, other, Urgency::Urgent, NOW).await;
        assert!(matches!(refused, Err(AuthorizationError::Conflict(_))));
        let mut stranger = form("1");
        stranger.subject = sample::person("999999199001010024", "测试甲");
        let refused = all.record(&by, stranger, Urgency::Urgent, NOW).await;
        assert!(matches!(refused, Err(AuthorizationError::Conflict(_))));
        assert!(remember.take().is_empty(), "{}", test.name);
    }
}

#[tokio::test]
async fn twenty_recordings_at_once_are_one() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (all, by) = (all.clone(), by.clone());
            tasks.spawn(async move {
                all.record(&by, form("1"), Urgency::Bulk, NOW)
                    .await
                    .unwrap()
            });
        }
        let results = tasks.join_all().await;
        let made = results
            .iter()
            .filter(|it| matches!(it, Recorded::New(_)))
            .count();
        assert_eq!(made, 1, "{}", test.name);
        let listed = all.of_subject(&by, sample::me().document()).await.unwrap();
        assert_eq!(listed.len(), 1, "{}", test.name);
    }
}

#[tokio::test]
async fn only_those_with_the_role_record_and_read() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        let id = record(&all, &by, form("1")).await;
        let administrator = Caller::local("bank".into(), [Role::Administrator]);
        let regulator = Caller::local("bank".into(), [Role::Regulator]);
        for caller in [&administrator, &regulator] {
            let refused = all.record(caller, form("2"), Urgency::Urgent, NOW).await;
            assert!(matches!(refused, Err(AuthorizationError::Forbidden(_))));
            let refused = all.withdraw(caller, &id, NOW).await;
            assert!(matches!(refused, Err(AuthorizationError::Forbidden(_))));
        }
        assert!(all.get(&regulator, &id).await.is_ok());
        assert!(all.get(&administrator, &id).await.is_err());
    }
}

#[tokio::test]
async fn every_change_appends_one_entry_without_a_personal_datum() {
    let remember = Arc::<Remember>::default();
    for test in databases(remember.clone()).await {
        remember.take();
        let (all, by) = house(&test.db).await;
        let id = record(&all, &by, form("1")).await;
        all.withdraw(&by, &id, NOW).await.unwrap();
        all.end_membership(&by, &sample::me(), NOW, NOW)
            .await
            .unwrap();
        let entries = remember.take();
        let kinds = [
            "institution.recorded",
            "policy.recorded",
            "institution.recorded",
            "policy.recorded",
            "membership.recorded",
            "authorization.recorded",
            "authorization.withdrawn",
            "membership.ended",
        ];
        assert_eq!(entries.len(), kinds.len(), "{}: {entries:?}", test.name);
        let subject = all.vault.find(&sample::me()).await.unwrap().unwrap();
        let keys = all.vault.keys_read(&subject).await.unwrap();
        let tag = SubjectTag::of(&keys, &sample::me()).to_hex();
        for (entry, kind) in entries.iter().zip(kinds) {
            assert!(entry.contains(&format!("\"kind\":\"{kind}\"")), "{entry}");
            assert!(
                !entry.contains("999999") && !entry.contains("测试甲"),
                "{entry}"
            );
            let names_subject = !kind.starts_with("institution") && !kind.starts_with("policy");
            assert_eq!(entry.contains(&tag), names_subject, "{entry}");
        }
        assert!(entries[5].contains("evidence/sealed/"), "{}", entries[5]);
    }
}

#[tokio::test]
async fn nothing_personal_is_stored_in_clear() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        record(&all, &by, form("1")).await;
        let Some(path) = test.address.strip_prefix("sqlite:") else {
            continue;
        };
        for file in [path.to_owned(), format!("{path}-wal")] {
            let bytes = std::fs::read(&file).unwrap_or_default();
            for clear in ["999999199001010016", "测试甲"] {
                let found = bytes.windows(clear.len()).any(|it| it == clear.as_bytes());
                assert!(!found, "{file}");
            }
        }
    }
}
