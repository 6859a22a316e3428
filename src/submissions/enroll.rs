//! Subjects and accounts of records: found, or made.

use std::collections::HashMap;

use schemas::role::Does;

use super::{
    Submissions, SubmitError,
    candidate::{self, Candidate},
    service::Inner,
    store::accounts::{self, NewAccount},
    take::account_text,
};
use crate::{
    ledger::{Account, index::code_place},
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
        let mut wanted: Vec<usize> = (0..candidates.len())
            .filter(|n| candidates[*n].identity.is_some() && !corrects(&candidates[*n].record))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        // In one order, so that two transactions cannot wait for each other.
        wanted.sort_by_cached_key(|n| {
            let identity = candidates[*n].identity.as_ref();
            identity.map(|it| it.document().canonical().to_vec())
        });
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
                    candidate.findings.push(candidate::finding(
                        &candidate.record,
                        "subject_differs",
                        "IDNum",
                        "该账户已接收的信息主体与本记录不同；应以更正记录更改",
                        "the account is another subject's; a correction should change that",
                    ));
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
        let blind = vault.blind().await?;
        let keys = vault
            .keys_of(candidates.iter().filter_map(|it| it.subject.as_ref()))
            .await?;
        // Others wait: a number is taken when it is stored.
        let _numbers = self.0.numbers.lock().await;
        let first = accounts::next_id(self.db()).await?;
        let mut new: Vec<NewAccount> = Vec::new();
        let mut of: HashMap<(String, String), Vec<usize>> = HashMap::new();
        let mut order = Vec::new();
        for (n, candidate) in candidates.iter().enumerate() {
            let (Some(subject), Some(key)) = (&candidate.subject, &candidate.key) else {
                continue;
            };
            if candidate.account.is_some() || candidate.is_bad() {
                continue;
            }
            let Some(role) = edition.role(&candidate.record) else {
                continue;
            };
            let name = (role.family().to_owned(), key.clone());
            let all = of.entry(name.clone()).or_default();
            all.push(n);
            if all.len() > 1 {
                continue;
            }
            let Some(own) = keys.get(subject) else {
                continue;
            };
            let text = account_text(institution, bureau, role.family(), key);
            let (blind_key, digest) = blind.newest(&text).ok_or(SubmitError::NotFound)?;
            order.push(name);
            let row = (first + new.len() as i64).to_string();
            new.push(NewAccount {
                family: role.family().to_owned(),
                blind_key,
                blind: digest,
                subject: subject.clone(),
                code: own.seal(&code_place(&row), key.as_bytes())?,
            });
        }
        if new.is_empty() {
            return Ok(());
        }
        let at = micros(self.0.parts.clock.now());
        let (institution, bureau) = (institution.clone(), bureau.clone());
        let subjects: Vec<SubjectId> = new.iter().map(|it| it.subject.clone()).collect();
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(
                async move { accounts::insert(tx, &institution, &bureau, first, &new, at).await },
            )
        });
        write.await?;
        for (n, (name, subject)) in order.into_iter().zip(subjects).enumerate() {
            for place in of.remove(&name).unwrap_or_default() {
                let (id, subject) = (first + n as i64, Some(subject.clone()));
                candidates[place].account = Some(Account {
                    id,
                    subject,
                    ..Account::default()
                });
            }
        }
        Ok(())
    }
}
