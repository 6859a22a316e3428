//! Pass one: from the input to sealed rows, chunk by chunk.

use std::collections::HashMap;

use schemas::{intake::Corrects, validate::Scratch};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    RecordState, SubmissionState, Submissions, SubmitError,
    candidate::{Candidate, Expected},
    entries,
    feed::{self, Before, Chunk, Form, Parsed},
    gate,
    service::Inner,
    store::{
        accounts::{self, Sought},
        records::{self, NewRow},
        submissions::{self, New, Submission},
    },
};
use crate::{
    operators::{Caller, Role},
    platform::{
        clock::micros,
        db::Urgency,
        fault,
        ids::{BureauId, InstitutionId},
        vault::Blind,
    },
};

/// Chunks that are parsed ahead.
const AHEAD: usize = 2;

/// What a submission begins with, and keeps.
struct Begins {
    bureau: String,
    client: String,
    format: String,
    key: String,
    record: Option<String>,
}

impl Begins {
    /// Whether a submission under that key began so.
    fn is(&self, known: &Submission) -> bool {
        known.bureau == self.bureau && known.format == self.format && known.record == self.record
    }
}

impl Submissions {
    /// Takes in a submission, or goes on with one that was cut: the same client
    /// sends the same content under the same key.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`]; what was durable before it stays.
    pub async fn submit(
        &self,
        caller: &Caller,
        bureau: &BureauId,
        key: &str,
        form: Form,
    ) -> Result<Submission, SubmitError> {
        caller.require(Role::Submitter)?;
        let inner = &self.0;
        let organization = inner
            .reporter(&caller.institution, bureau)?
            .organization_code
            .clone();
        let edition = Inner::edition(self.today())?;
        if form.record().is_some_and(|it| edition.plan(it).is_none()) {
            return Err(SubmitError::NoSuchRecord);
        }
        let client = caller.actor.stored();
        let _claim = inner.claim(format!("{}/{client}/{key}", caller.institution))?;
        let known = submissions::by_key(self.db(), &caller.institution, &client, key).await?;
        let begins = Begins {
            bureau: bureau.to_string(),
            client,
            format: form.name().to_owned(),
            key: key.to_owned(),
            record: form.record().map(str::to_owned),
        };
        if known.as_ref().is_some_and(|known| !begins.is(known)) {
            return Err(SubmitError::ContentDiffers);
        }
        let before = known.as_ref().map_or_else(Before::nothing, |known| Before {
            taken: known.taken as u64,
            chain: known.chain_sha256.clone(),
        });
        let (to, mut chunks) = mpsc::channel(AHEAD);
        let reader = tokio::task::spawn_blocking(move || feed::feed(edition, form, before, to));
        let mut begun = known;
        while let Some(chunk) = chunks.recv().await {
            // What has a bad head is not begun.
            let chunk = chunk?;
            let submission = match begun {
                Some(begun) => begun,
                None => self.begin(caller, &begins).await?,
            };
            if submission.state() == SubmissionState::Taken {
                return Err(SubmitError::ContentDiffers);
            }
            begun = Some(self.chunk(submission, &organization, chunk).await?);
            if inner.is_closing() {
                return Err(SubmitError::Closing);
            }
        }
        if let Err(error) = reader.await {
            std::panic::resume_unwind(error.into_panic());
        }
        let mut submission = match begun {
            Some(begun) => begun,
            None => self.begin(caller, &begins).await?,
        };
        if submission.state() == SubmissionState::Receiving {
            submission = self.end(submission).await?;
        }
        Ok(submission)
    }

    async fn begin(&self, caller: &Caller, begins: &Begins) -> Result<Submission, SubmitError> {
        let at = self.0.parts.clock.now();
        let (client, key) = (begins.client.clone(), begins.key.clone());
        let person = caller.person.as_ref().map(|it| it.as_str().to_owned());
        let person = person.unwrap_or_else(|| client.clone());
        let mut row = Submission {
            no: 0,
            id: Uuid::now_v7().to_string(),
            institution: caller.institution.clone(),
            bureau: begins.bureau.clone(),
            submitter: client.clone(),
            format: begins.format.clone(),
            record: begins.record.clone(),
            state: SubmissionState::Receiving.name().to_owned(),
            taken: 0,
            chain_sha256: Before::nothing().chain,
            set_aside: 0,
            received_at: micros(at),
            ended_at: None,
            receipt: String::new(),
        };
        let draft = entries::of_submission(entries::RECEIVING, &row, at).actor(&caller.actor);
        let (entry, receipt) = entries::finish(draft)?;
        row.receipt = receipt;
        let _numbers = self.0.numbers.lock().await;
        let write = self.db().write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                row.no = submissions::next_no(tx).await?;
                let new = New {
                    client: &client,
                    key: &key,
                    person: &person,
                };
                submissions::insert(tx, &row, &new).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(row)
            })
        });
        write.await
    }

    async fn end(&self, before: Submission) -> Result<Submission, SubmitError> {
        let at = self.0.parts.clock.now();
        let mut after = before.clone();
        SubmissionState::Taken.name().clone_into(&mut after.state);
        after.ended_at = Some(micros(at));
        let draft =
            entries::of_submission(entries::TAKEN, &after, at).number("set_aside", after.set_aside);
        let (entry, receipt) = entries::finish(draft)?;
        after.receipt = receipt;
        let write = self.db().write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                submissions::advance(tx, &before, &after).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(after)
            })
        });
        let after = write.await?;
        self.stir();
        Ok(after)
    }

    /// Takes in one chunk, durably.
    async fn chunk(
        &self,
        before: Submission,
        organization: &str,
        chunk: Chunk,
    ) -> Result<Submission, SubmitError> {
        let today = self.today();
        let (institution, bureau) = (
            before.institution.clone(),
            BureauId::from(before.bureau.as_str()),
        );
        let mut candidates = self
            .candidates(&before, chunk.records, organization, today)
            .await?;
        // Subjects and accounts: they may be enrolled without their records, and
        // then are new to every bureau.
        self.enroll(&institution, &bureau, &mut candidates).await?;
        fault::submission_point("submission.enrolled");
        let keys = self
            .0
            .parts
            .vault
            .keys_of(candidates.iter().filter_map(|it| it.subject.as_ref()))
            .await?;
        self.hold(&institution, &bureau, &mut candidates).await?;
        let house = self.0.parts.vault.house_keys();
        let no = before.no;
        let sealed = tokio::task::spawn_blocking(move || {
            let seal = |candidate: Candidate| candidate.seal(no, &house, &keys);
            candidates
                .into_iter()
                .map(seal)
                .collect::<Result<Vec<_>, _>>()
        });
        let rows = match sealed.await {
            Ok(rows) => rows?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        self.store(before, rows, chunk.chain).await
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
        }
        Ok(())
    }

    async fn store(
        &self,
        before: Submission,
        mut rows: Vec<NewRow>,
        chain: [u8; 32],
    ) -> Result<Submission, SubmitError> {
        let at = self.0.parts.clock.now();
        let _order = self.0.order.lock().await;
        let pending = self.one_under_way(before.no, &mut rows).await?;
        let mut after = before.clone();
        after.taken += rows.len() as i64;
        after.chain_sha256 = chain.to_vec();
        let set_aside = rows.iter().filter(|row| row.state == RecordState::SetAside);
        after.set_aside += set_aside.count() as i64;
        let draft = entries::chunk(
            &before,
            before.taken + 1,
            rows.iter().map(|row| row.sealed_sha256),
            at,
        );
        let (entry, receipt) = entries::finish(draft)?;
        after.receipt = receipt;
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                submissions::advance(tx, &before, &after).await?;
                records::insert(tx, before.no, &rows).await?;
                accounts::set_pending(tx, before.no, &pending).await?;
                let replaced: Vec<(i64, i64)> = rows
                    .iter()
                    .filter(|row| row.state != RecordState::SetAside)
                    .filter_map(|row| row.corrects)
                    .collect();
                records::replace(tx, &replaced).await?;
                tx.append(entry.into());
                fault::submission_point("submission.chunk.before");
                Ok::<_, SubmitError>(after)
            })
        });
        let after = write.await?;
        fault::submission_point("submission.chunk.after");
        Ok(after)
    }

    /// At most one record of an account is under way: of those that are ready,
    /// the first; the others wait for what the bureau says to it. A correction
    /// goes in the place of what it corrects. Gives account and record.
    async fn one_under_way(
        &self,
        no: i64,
        rows: &mut [NewRow],
    ) -> Result<Vec<(i64, i64)>, SubmitError> {
        let ids = rows.iter().filter_map(|row| row.account);
        let mut under_way: HashMap<i64, Option<(i64, i64)>> = accounts::by_ids(self.db(), ids)
            .await?
            .into_iter()
            .map(|(id, account)| {
                let pending = account.pending;
                (id, pending.map(|it| (it.submission, it.seq)))
            })
            .collect();
        let mut pending = HashMap::new();
        for row in rows {
            let Some(account) = row.account else { continue };
            if row.state == RecordState::SetAside {
                continue;
            }
            let slot = under_way.entry(account).or_default();
            let free = slot.is_none() || (row.corrects.is_some() && *slot == row.corrects);
            if free {
                // What is held keeps its place, so that order stays.
                *slot = Some((no, row.seq));
                pending.insert(account, row.seq);
            } else {
                row.state = RecordState::Held;
                row.holds = Some(gate::with_in_flight(row.holds.as_deref()));
            }
        }
        Ok(pending.into_iter().collect())
    }

    /// Judges what was parsed against its plan and the ledger.
    async fn candidates(
        &self,
        of: &Submission,
        parsed: Vec<Parsed>,
        organization: &str,
        today: jiff::civil::Date,
    ) -> Result<Vec<Candidate>, SubmitError> {
        let bureau = BureauId::from(of.bureau.as_str());
        let first = of.taken + 1;
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
                    digests: digests(&blind, &of.institution, &bureau, role.family(), key),
                });
                places.push((n, false));
            }
            if let (Some(role), Some(key)) = (role, &candidate.new_key) {
                sought.push(Sought {
                    family: role.family().to_owned(),
                    digests: digests(&blind, &of.institution, &bureau, role.family(), key),
                });
                places.push((n, true));
            }
        }
        let found = accounts::find(self.db(), &of.institution, &bureau, &sought).await?;
        for ((n, renamed), account) in places.into_iter().zip(found) {
            if renamed {
                all[n].new_is_taken = account.is_some();
            } else {
                all[n].account = account;
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
        let (organization, submission) = (organization.to_owned(), of.no);
        let judged = tokio::task::spawn_blocking(move || {
            let mut scratch = Scratch::default();
            // What the records before it in this chunk will have made of an account.
            let mut expected = Expected::new();
            for candidate in &mut all {
                let by = (edition, organization.as_str(), today);
                candidate.judge(by, submission, &mut expected, &mut scratch);
            }
            all
        });
        match judged.await {
            Ok(all) => Ok(all),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
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

/// What an account is found by: its bureau's key within the institution.
pub(super) fn account_text(
    institution: &InstitutionId,
    bureau: &BureauId,
    family: &str,
    key: &str,
) -> Vec<u8> {
    format!("account\n{institution}\n{bureau}\n{family}\n{key}").into_bytes()
}

pub(super) fn digests(
    blind: &Blind,
    institution: &InstitutionId,
    bureau: &BureauId,
    family: &str,
    key: &str,
) -> Vec<[u8; 32]> {
    blind
        .all(&account_text(institution, bureau, family, key))
        .collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    crate::audit::hex::Hex(bytes).to_string()
}
