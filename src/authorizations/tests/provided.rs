//! What many subjects allow to be provided.

use std::collections::HashMap;

use super::*;
use crate::platform::ids::SubjectId;

fn to_provide(reference: &str, who: Identity) -> NewAuthorization {
    NewAuthorization {
        kind: Kind::Provide,
        subject: who.clone(),
        signer: Some(who),
        purposes: [].into(),
        categories: [Category::Credit, Category::Negative].into(),
        validity: Validity::Days {
            from: date(2026, 3, 1),
            until: date(2026, 3, 31),
        },
        ..form(reference)
    }
}

fn you() -> Identity {
    sample::person("999999199001010032", "测试乙")
}

async fn provided(
    all: &Authorizations,
    institution: &str,
    subjects: &[SubjectId],
) -> HashMap<SubjectId, Provided> {
    let read = all.provided(&institution.into(), subjects).await.unwrap();
    let (same, institution, subjects) = (all.clone(), institution.into(), subjects.to_vec());
    let locked = all
        .db
        .write::<_, AuthorizationError, _>(Urgency::Bulk, move |tx| {
            Box::pin(async move { same.provided_locked(tx, &institution, &subjects).await })
        })
        .await
        .unwrap();
    assert_eq!(read.len(), locked.len());
    for (subject, one) in &read {
        let same = locked[subject].covers(&"pboc".into(), NOW);
        assert_eq!(one.covers(&"pboc".into(), NOW), same);
    }
    read
}

#[tokio::test]
async fn each_subject_is_covered_by_what_it_signed_itself() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        let one = record(&all, &by, to_provide("1", sample::me())).await;
        record(
            &all,
            &by,
            NewAuthorization {
                categories: [Category::PersonBasics].into(),
                ..to_provide("2", you())
            },
        )
        .await;
        let find = async |who: &Identity| all.vault.find(who).await.unwrap().unwrap();
        let (me, you) = (find(&sample::me()).await, find(&you()).await);
        let asked = [me.clone(), you.clone(), SubjectId::new(), me.clone()];
        let found = provided(&all, "bank", &asked).await;
        assert_eq!(found.len(), 2, "{}", test.name);
        let covered = |of: &SubjectId| found[of].covers(&"pboc".into(), NOW);
        assert_eq!(
            covered(&me).categories,
            [Category::Credit, Category::Negative].into()
        );
        assert_eq!(covered(&you).categories, [Category::PersonBasics].into());
        let elsewhere = found[&me].covers(&"baihang".into(), NOW);
        assert_eq!(elsewhere.defects, ["bureau_not_authorized"].into());
        let others = provided(&all, "other", &asked).await;
        let none = others[&me].covers(&"pboc".into(), NOW);
        assert_eq!(none, Covered::default(), "{}", test.name);

        all.withdraw(&by, &one, NOW).await.unwrap();
        let found = provided(&all, "bank", &asked).await;
        let gone = found[&me].covers(&"pboc".into(), NOW - 1.hour());
        assert_eq!(gone.defects, ["withdrawn"].into(), "{}", test.name);
    }
}

#[tokio::test]
async fn without_a_stored_original_or_a_membership_nothing_is_covered() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, by) = house(&test.db).await;
        let blank = NewAuthorization {
            evidence: None,
            ..to_provide("1", sample::me())
        };
        record(&all, &by, blank).await;
        let while_member = NewAuthorization {
            validity: Validity::WhileMember,
            ..to_provide("2", sample::me())
        };
        record(&all, &by, while_member).await;
        let me = [all.vault.find(&sample::me()).await.unwrap().unwrap()];
        let found = provided(&all, "bank", &me).await;
        let covered = found[&me[0]].covers(&"pboc".into(), NOW);
        assert_eq!(covered.defects, ["original_missing"].into());
        assert_eq!(covered.categories.len(), 2, "{}", test.name);
        all.end_membership(&by, &sample::me(), NOW, NOW)
            .await
            .unwrap();
        let found = provided(&all, "bank", &me).await;
        let covered = found[&me[0]].covers(&"pboc".into(), NOW);
        assert!(covered.categories.is_empty(), "{}", test.name);
        assert!(covered.defects.contains("membership_ended"));
    }
}

/// More subjects than one statement asks for.
#[tokio::test]
async fn many_are_read_in_few_statements() {
    for test in databases(Arc::<Remember>::default()).await {
        let (all, _) = house(&test.db).await;
        let me = all.vault.find(&sample::me()).await.unwrap().unwrap();
        let mut asked: Vec<SubjectId> = (0..2500).map(|_| SubjectId::new()).collect();
        asked.push(me.clone());
        let found = provided(&all, "bank", &asked).await;
        assert!(found.len() == 1 && found.contains_key(&me), "{}", test.name);
    }
}
