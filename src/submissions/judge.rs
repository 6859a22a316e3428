//! A chunk of records, judged: against its plan, the ledger and the gate.

use std::sync::Arc;

use schemas::{intake::Corrects, validate::Scratch};

use super::{
    Submissions, SubmitError,
    candidate::{Candidate, Expected},
    feed::{Chunk, Parsed},
    gate,
    service::Inner,
    store::{
        accounts::{self, Sought},
        records,
        submissions::{self, Submission},
    },
    take::digests,
    write::blocking,
};
use crate::platform::{
    fault,
    ids::{BureauId, InstitutionId},
};

/// A chunk of which is known what the ledger knows of it.
pub(super) struct Looked {
    pub(super) candidates: Vec<Candidate>,
    /// The chain of digests up to its end.
    chain: [u8; 32],
    /// How many subjects were erased before their keys were read.
    erasures: i64,
}

/// A judged chunk, to be stored.
pub(super) struct Judged {
    pub(super) candidates: Vec<Candidate>,
    pub(super) chain: [u8; 32],
    pub(super) erasures: i64,
    /// What its records will have made of their accounts.
    pub(super) expected: Arc<Expected>,
}

impl Submissions {
    /// Looks up what the ledger knows of a chunk that begins after `taken` records.
    pub(super) async fn look_up(
        &self,
        of: &Submission,
        taken: i64,
        chunk: Chunk,
    ) -> Result<Looked, SubmitError> {
        let erasures = submissions::erasures_read(self.db()).await?;
        let mut found = self.candidates(of, taken + 1, chunk.records).await?;
        self.recall(&mut found).await?;
        Ok(Looked {
            candidates: found,
            chain: chunk.chain,
            erasures,
        })
    }

    /// Judges one chunk. `earlier` is what the chunks before it, which may not have
    /// been stored when it was looked up, will have made of their accounts: the
    /// latest first.
    pub(super) async fn judge(
        &self,
        of: &Submission,
        organization: &str,
        looked: Looked,
        earlier: Vec<Arc<Expected>>,
    ) -> Result<Judged, SubmitError> {
        let today = self.today();
        let bureau = BureauId::from(of.bureau.as_str());
        let (organization, submission) = (organization.to_owned(), of.no);
        let edition = Inner::edition(today)?;
        let vault = self.0.parts.vault.clone();
        let found = looked.candidates;
        let (mut candidates, expected) = blocking(move || {
            let (mut all, mut scratch) = (found, Scratch::default());
            let mut expected = Expected::new();
            for candidate in &mut all {
                candidate.meet(&vault)?;
                let by = (edition, organization.as_str(), today);
                let known = (earlier.as_slice(), &mut expected);
                candidate.judge(by, submission, known, &mut scratch);
            }
            Ok((all, expected))
        })
        .await?;
        // Subjects and accounts: they may be enrolled without their records, and
        // then are new to every bureau.
        self.enroll(&of.institution, &bureau, &mut candidates)
            .await?;
        fault::submission_point("submission.enrolled");
        self.hold(&of.institution, &bureau, &mut candidates).await?;
        Ok(Judged {
            candidates,
            chain: looked.chain,
            erasures: looked.erasures,
            expected: Arc::new(expected),
        })
    }

    /// Finds what good records wait for.
    async fn hold(
        &self,
        institution: &InstitutionId,
        bureau: &BureauId,
        candidates: &mut [Candidate],
    ) -> Result<(), SubmitError> {
        let mut asked = Vec::new();
        let mut places = Vec::new();
        for (n, candidate) in candidates.iter_mut().enumerate() {
            if let Some(account) = &candidate.account {
                candidate.found.id = account.id;
                candidate.found.subject.clone_from(&account.subject);
            }
            if !candidate.is_bad() && candidate.account.is_some() && candidate.bearing.is_some() {
                places.push(n);
            }
        }
        for n in &places {
            if let Some(bearing) = &candidates[*n].bearing {
                let account = &candidates[*n].found;
                asked.push(gate::Asked { account, bearing });
            }
        }
        let at = self.0.parts.clock.now();
        let judged = gate::judge(self, institution, bureau, &asked, at).await?;
        for (n, judged) in places.into_iter().zip(judged) {
            candidates[n].holds = judged.holds;
            candidates[n].needs = judged.needs;
        }
        Ok(())
    }

    /// Finds what the ledger knows of what was parsed.
    async fn candidates(
        &self,
        of: &Submission,
        first: i64,
        parsed: Vec<Parsed>,
    ) -> Result<Vec<Candidate>, SubmitError> {
        let (today, bureau) = (self.today(), &BureauId::from(of.bureau.as_str()));
        let mut all: Vec<Candidate> = Vec::with_capacity(parsed.len());
        for (n, one) in parsed.into_iter().enumerate() {
            all.push(Candidate::of(first + n as i64, one));
        }
        let edition = Inner::edition(today)?;
        let blind = self.0.parts.vault.blind().await?;
        let mut sought = Vec::new();
        let mut places = Vec::new();
        for (n, candidate) in all.iter_mut().enumerate() {
            candidate.read(edition, today);
            let role = edition.role(&candidate.record);
            if let (Some(role), Some(key)) = (role, &candidate.key) {
                sought.push(Sought {
                    family: role.family().to_owned(),
                    digests: digests(&blind, &of.institution, bureau, role.family(), key),
                });
                places.push((n, false));
            }
            if let (Some(role), Some(key)) = (role, &candidate.new_key) {
                sought.push(Sought {
                    family: role.family().to_owned(),
                    digests: digests(&blind, &of.institution, bureau, role.family(), key),
                });
                places.push((n, true));
            }
        }
        let found = accounts::find(self.db(), &of.institution, bureau, &sought).await?;
        for ((n, renamed), account) in places.into_iter().zip(found) {
            if renamed {
                all[n].new_account = account.map(|found| found.account);
            } else if let Some(found) = account {
                all[n].account = Some(found.account);
                all[n].stored = Some(found.subject);
            }
        }
        for candidate in &mut all {
            let corrects = candidate
                .taken
                .as_ref()
                .and_then(|t| t.meta.corrects.clone());
            if let Some(corrects) = corrects {
                self.find_corrected(&of.institution, candidate, &corrects)
                    .await?;
            }
        }
        Ok(all)
    }

    /// Links a correction to what it corrects.
    async fn find_corrected(
        &self,
        institution: &InstitutionId,
        candidate: &mut Candidate,
        corrects: &Corrects,
    ) -> Result<(), SubmitError> {
        let seq = i64::try_from(corrects.seq).unwrap_or(i64::MAX);
        let of = submissions::find(self.db(), institution, &corrects.submission).await?;
        let kept = match of {
            Some(of) => records::find(self.db(), of.no, seq).await?,
            None => None,
        };
        let account = candidate.account.as_ref().map(|account| account.id);
        let fits = kept.as_ref().is_some_and(|kept| {
            matches!(kept.state.as_str(), "set_aside" | "held" | "rejected")
                && (kept.account.is_none() || kept.account == account)
        });
        match kept.filter(|_| fits) {
            Some(kept) => candidate.corrects = Some((kept.submission, kept.seq)),
            None => candidate.add(
                "corrects_nothing",
                "0000",
                "@corrects应指向本机构一条被退回、搁置或等待中的同一账户的记录",
                "corrects should name a rejected, set aside or held record of the same account",
            ),
        }
        Ok(())
    }
}
