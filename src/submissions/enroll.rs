//! Subjects and accounts of records: found, or made.

use schemas::role::Does;

use super::{
    Submissions, SubmitError,
    candidate::{self, Candidate},
    service::Inner,
};
use crate::{
    ledger::{
        Account,
        index::{AccountName, take_many},
    },
    platform::{
        clock::micros,
        db::Urgency,
        identity::Identity,
        ids::{BureauId, InstitutionId, SubjectId},
        vault::VaultError,
    },
};

impl Submissions {
    /// Finds or makes the subjects and accounts of records that may go on.
    pub(super) async fn enroll(
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
        // A correction may name the person that the account should have had.
        let wanted: Vec<usize> = (0..candidates.len())
            .filter(|n| candidates[*n].identity.is_some() && !corrects(&candidates[*n].record))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let identities: Vec<Identity> = wanted
            .iter()
            .filter_map(|n| candidates[*n].identity.clone())
            .collect();
        let vault = self.0.parts.vault.clone();
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let enrolled = vault.enroll_many(tx, &identities).await?;
                let known = |one: Result<SubjectId, VaultError>| match one {
                    Ok(subject) => Ok(Some(subject)),
                    Err(VaultError::OtherName) => Ok(None),
                    Err(error) => Err(error),
                };
                enrolled
                    .into_iter()
                    .map(known)
                    .collect::<Result<Vec<_>, VaultError>>()
            })
        });
        for (n, subject) in wanted.into_iter().zip(write.await?) {
            if subject.is_none() {
                candidates[n].findings.push(candidate::finding(
                    &candidates[n].record,
                    "subject_other_name",
                    "Name",
                    "该证件已以另一姓名登记；请核对，或先办理更名",
                    "the document is known under another name; check it, or record the change \
                     of name first",
                ));
            }
            let candidate = &mut candidates[n];
            match (&candidate.account, subject) {
                (Some(account), Some(subject)) if account.subject.as_ref() != Some(&subject) => {
                    candidate.is_of_another_subject();
                }
                (Some(_), _) => {}
                (None, subject) => candidate.subject = subject,
            }
        }
        self.open_accounts(institution, bureau, candidates).await
    }

    /// Makes the accounts of records that are good and name one that is new.
    async fn open_accounts(
        &self,
        institution: &InstitutionId,
        bureau: &BureauId,
        candidates: &mut [Candidate],
    ) -> Result<(), SubmitError> {
        let edition = Inner::edition(self.today())?;
        let vault = &self.0.parts.vault;
        let keys = vault
            .keys_of(candidates.iter().filter_map(|it| it.subject.as_ref()))
            .await?;
        let mut wanted: Vec<(AccountName, SubjectId)> = Vec::new();
        let mut places = Vec::new();
        for (n, candidate) in candidates.iter().enumerate() {
            let role = edition.role(&candidate.record);
            let (Some(subject), Some(key), Some(role)) = (&candidate.subject, &candidate.key, role)
            else {
                continue;
            };
            if candidate.account.is_some() || candidate.is_bad() {
                continue;
            }
            let name = AccountName {
                institution: institution.clone(),
                bureau: bureau.clone(),
                family: role.family().to_owned(),
                key: key.clone(),
            };
            wanted.push((name, subject.clone()));
            places.push(n);
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let at = micros(self.0.parts.clock.now());
        let vault = vault.clone();
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let blind = vault.blind_held(tx).await?;
                let wanted: Vec<(&AccountName, &SubjectId)> = wanted
                    .iter()
                    .map(|(name, subject)| (name, subject))
                    .collect();
                take_many(tx, &blind, &wanted, &keys, at).await
            })
        });
        for (n, (id, subject)) in places.into_iter().zip(write.await?) {
            let candidate = &mut candidates[n];
            if candidate.subject.as_ref() == Some(&subject) {
                candidate.account = Some(Account {
                    id,
                    subject: Some(subject),
                    ..Account::default()
                });
            } else {
                candidate.is_of_another_subject();
            }
        }
        Ok(())
    }
}
