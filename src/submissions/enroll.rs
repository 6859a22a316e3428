//! Subjects and accounts of records: found, or made.

use std::collections::HashMap;

use schemas::role::Does;

use super::{
    Submissions, SubmitError,
    candidate::Candidate,
    service::Inner,
    store::accounts::{self, Sought},
    take::digests,
};
use crate::{
    ledger::index::{AccountName, take_many},
    platform::{
        clock::micros,
        db::Urgency,
        identity::Identity,
        ids::{BureauId, InstitutionId, SubjectId},
        vault::{Known, VaultError},
    },
};

impl Submissions {
    /// Finds or makes the subjects and accounts of records that may go on; what has no
    /// account by then is set aside.
    pub(super) async fn enroll(
        &self,
        institution: &InstitutionId,
        bureau: &BureauId,
        candidates: &mut [Candidate],
    ) -> Result<(), SubmitError> {
        self.enroll_new(institution, bureau, candidates).await?;
        self.meet_late(institution, bureau, candidates).await?;
        for candidate in candidates.iter_mut().filter(|it| it.wants_account()) {
            candidate.is_of_no_account();
        }
        Ok(())
    }

    /// Looks once more for accounts that the chunk before made after this one was
    /// looked up.
    async fn meet_late(
        &self,
        institution: &InstitutionId,
        bureau: &BureauId,
        candidates: &mut [Candidate],
    ) -> Result<(), SubmitError> {
        let edition = Inner::edition(self.today())?;
        let blind = self.0.parts.vault.blind().await?;
        let (mut sought, mut places) = (Vec::new(), Vec::new());
        for (n, candidate) in candidates.iter().enumerate() {
            let role = edition.role(&candidate.record);
            if let (true, Some(role), Some(key)) = (candidate.wants_account(), role, &candidate.key)
            {
                sought.push(Sought {
                    family: role.family().to_owned(),
                    digests: digests(&blind, institution, bureau, role.family(), key),
                });
                places.push(n);
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        let found = accounts::find(self.db(), institution, bureau, &sought).await?;
        for (n, found) in places.into_iter().zip(found) {
            if let Some(found) = found {
                candidates[n].meets(found.account);
            }
        }
        self.keys(candidates).await
    }

    async fn enroll_new(
        &self,
        institution: &InstitutionId,
        bureau: &BureauId,
        candidates: &mut [Candidate],
    ) -> Result<(), SubmitError> {
        let edition = Inner::edition(self.today())?;
        let corrects = |record: &str| {
            let role = edition.role(record);
            role.is_some_and(|role| role.does() == Does::Correct)
        };
        for candidate in candidates.iter_mut() {
            if let Some(account) = &candidate.account {
                candidate.subject.clone_from(&account.subject);
            }
        }
        // Not who was met by the account; and a correction may name the person
        // that the account should have had.
        let wanted: Vec<usize> = (0..candidates.len())
            .filter(|n| candidates[*n].identity.is_some() && candidates[*n].keys.is_none())
            .filter(|n| !corrects(&candidates[*n].record))
            .collect();
        let identities: Vec<Identity> = wanted
            .iter()
            .filter_map(|n| candidates[*n].identity.clone())
            .collect();
        let mut missing = Vec::new();
        let known = match identities.is_empty() {
            true => Vec::new(),
            false => self.0.parts.vault.known_many(&identities).await?,
        };
        for ((n, identity), known) in wanted.into_iter().zip(identities).zip(known) {
            match known {
                Known::Subject(subject, keys) => candidates[n].is_of(subject, Some(keys)),
                Known::OtherName => candidates[n].is_known_by_another_name(),
                Known::Not => missing.push((n, identity)),
            }
        }
        self.make_subjects(candidates, missing).await?;
        self.keys(candidates).await?;
        self.open_accounts(institution, bureau, candidates).await
    }

    /// Makes the subjects that are not known.
    async fn make_subjects(
        &self,
        candidates: &mut [Candidate],
        missing: Vec<(usize, Identity)>,
    ) -> Result<(), SubmitError> {
        if missing.is_empty() {
            return Ok(());
        }
        let (places, identities): (Vec<usize>, Vec<Identity>) = missing.into_iter().unzip();
        let vault = self.0.parts.vault.clone();
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move { vault.enroll_many(tx, &identities).await })
        });
        for (n, subject) in places.into_iter().zip(write.await?) {
            match subject {
                Ok(subject) => candidates[n].is_of(subject, None),
                Err(VaultError::OtherName) => candidates[n].is_known_by_another_name(),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads the keys of subjects that are known only by their accounts, or were
    /// made just now.
    async fn keys(&self, candidates: &mut [Candidate]) -> Result<(), SubmitError> {
        let without = candidates.iter().filter(|it| it.keys.is_none());
        let subjects: Vec<SubjectId> = without.filter_map(|it| it.subject.clone()).collect();
        if subjects.is_empty() {
            return Ok(());
        }
        let keys = self.0.parts.vault.keys_of(&subjects).await?;
        for candidate in candidates.iter_mut().filter(|it| it.keys.is_none()) {
            let own = candidate.subject.as_ref().and_then(|it| keys.get(it));
            candidate.keys = own.cloned();
        }
        Ok(())
    }

    /// Makes the accounts of records that are good and name one that is new, and
    /// those that stand for the names which records give theirs.
    async fn open_accounts(
        &self,
        institution: &InstitutionId,
        bureau: &BureauId,
        candidates: &mut [Candidate],
    ) -> Result<(), SubmitError> {
        let edition = Inner::edition(self.today())?;
        loop {
            let mut keys = HashMap::new();
            let mut wanted: Vec<(AccountName, SubjectId)> = Vec::new();
            let mut places = Vec::new();
            for (n, candidate) in candidates.iter().enumerate() {
                let Some(role) = edition.role(&candidate.record) else {
                    continue;
                };
                let Some((key, subject)) = candidate.seeks() else {
                    continue;
                };
                let name = AccountName {
                    institution: institution.clone(),
                    bureau: bureau.clone(),
                    family: role.family().to_owned(),
                    key: key.to_owned(),
                };
                wanted.push((name, subject.clone()));
                keys.extend(candidate.keys.clone().map(|own| (subject.clone(), own)));
                places.push(n);
            }
            if wanted.is_empty() {
                return Ok(());
            }
            let named: Vec<(String, String)> = (wanted.iter())
                .map(|(name, _)| (name.family.clone(), name.key.clone()))
                .collect();
            let at = micros(self.0.parts.clock.now());
            let vault = self.0.parts.vault.clone();
            let own = keys.clone();
            let write = self.db().write(Urgency::Bulk, move |tx| {
                Box::pin(async move {
                    let blind = vault.blind_held(tx).await?;
                    let wanted: Vec<(&AccountName, &SubjectId)> = wanted
                        .iter()
                        .map(|(name, subject)| (name, subject))
                        .collect();
                    take_many(tx, &blind, &wanted, &own, at).await
                })
            });
            let made = write.await?;
            for (n, (id, subject)) in places.into_iter().zip(&made) {
                candidates[n].finds(*id, subject);
            }
            // What names no subject may name an account that was made just now.
            let made: HashMap<(String, String), (i64, SubjectId)> =
                named.into_iter().zip(made).collect();
            for candidate in candidates.iter_mut().filter(|it| it.is_without_account()) {
                let role = edition.role(&candidate.record);
                let name = role.zip(candidate.key.clone());
                let name = name.map(|(role, key)| (role.family().to_owned(), key));
                if let Some((id, subject)) = name.and_then(|name| made.get(&name)) {
                    candidate.subject = Some(subject.clone());
                    candidate.keys = keys.get(subject).cloned();
                    candidate.finds(*id, subject);
                }
            }
        }
    }
}
