//! Pass one: from the input to sealed rows, chunk by chunk.

use std::collections::HashMap;

use schemas::{
    intake::{Corrects, Taken},
    role::Does,
    validate::{FileHeader, Finding, Scratch, Severity},
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    RecordState, SubmissionState, Submissions, SubmitError, entries,
    feed::{self, Before, Chunk, Form, Parsed},
    gate::{self, Hold},
    judge::{self, Told},
    lines::{self, Keys},
    service::Inner,
    store::{
        accounts::{self, Account, NewAccount, Sought},
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
        identity::Identity,
        ids::{BureauId, InstitutionId, SubjectId},
        vault::{Blind, Place, VaultError},
    },
};

/// Chunks that are parsed ahead.
const AHEAD: usize = 2;

/// A record on its way through a chunk.
struct Candidate {
    raw: Vec<u8>,
    seq: i64,
    record: String,
    taken: Option<Taken<'static>>,
    findings: Vec<Finding>,
    key: Option<String>,
    identity: Option<Identity>,
    account: Option<Account>,
    subject: Option<SubjectId>,
    told: Option<Told>,
    line: Vec<u8>,
    holds: Vec<Hold>,
    corrects: Option<(i64, i64)>,
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
        let client = caller.actor.stored();
        let _claim = inner.claim(format!("{}/{client}/{key}", caller.institution))?;
        let mut submission =
            match submissions::by_key(self.db(), &caller.institution, &client, key).await? {
                Some(known) => {
                    let same = known.bureau == bureau.as_str()
                        && known.format == form.name()
                        && known.record.as_deref() == form.record();
                    if !same {
                        return Err(SubmitError::ContentDiffers);
                    }
                    known
                }
                None => self.begin(caller, bureau, &client, key, &form).await?,
            };
        let before = Before {
            taken: submission.taken as u64,
            chain: submission.chain_sha256.clone(),
        };
        let (to, mut chunks) = mpsc::channel(AHEAD);
        let reader = tokio::task::spawn_blocking(move || feed::feed(edition, form, before, to));
        while let Some(chunk) = chunks.recv().await {
            let chunk = chunk?;
            if submission.state() == SubmissionState::Taken {
                return Err(SubmitError::ContentDiffers);
            }
            submission = self.chunk(submission, &organization, chunk).await?;
            if inner.is_closing() {
                return Err(SubmitError::Closing);
            }
        }
        if let Err(error) = reader.await {
            std::panic::resume_unwind(error.into_panic());
        }
        if submission.state() == SubmissionState::Receiving {
            submission = self.end(submission).await?;
        }
        Ok(submission)
    }

    async fn begin(
        &self,
        caller: &Caller,
        bureau: &BureauId,
        client: &str,
        key: &str,
        form: &Form,
    ) -> Result<Submission, SubmitError> {
        let at = self.0.parts.clock.now();
        let person = caller.person.as_ref().map(|it| it.as_str().to_owned());
        let person = person.unwrap_or_else(|| client.to_owned());
        let mut row = Submission {
            no: 0,
            id: Uuid::now_v7().to_string(),
            institution: caller.institution.clone(),
            bureau: bureau.to_string(),
            submitter: client.to_owned(),
            format: form.name().to_owned(),
            record: form.record().map(str::to_owned),
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
        let (client, key) = (client.to_owned(), key.to_owned());
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
        gate::judge(
            self,
            &institution,
            &bureau,
            &mut candidates
                .iter_mut()
                .map(|it| gate::Asked {
                    subject: it.subject.as_ref(),
                    account: it.account.as_ref(),
                    record: &it.record,
                    told: it.told.as_ref(),
                    good: it.findings.iter().all(|f| f.severity != Severity::Error),
                    holds: &mut it.holds,
                })
                .collect::<Vec<_>>(),
        )
        .await?;
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

    async fn store(
        &self,
        before: Submission,
        mut rows: Vec<NewRow>,
        chain: [u8; 32],
    ) -> Result<Submission, SubmitError> {
        let at = self.0.parts.clock.now();
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
            .map(|(id, account)| (id, account.pending()))
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
                places.push(n);
            }
        }
        let found = accounts::find(self.db(), &of.institution, &bureau, &sought).await?;
        for (n, account) in places.into_iter().zip(found) {
            all[n].account = account;
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
        let organization = organization.to_owned();
        let judged = tokio::task::spawn_blocking(move || {
            let mut scratch = Scratch::default();
            // What the records before it in this chunk will have made of an account.
            let mut expected: HashMap<(String, String), &'static str> = HashMap::new();
            for candidate in &mut all {
                candidate.judge(edition, &organization, today, &mut expected, &mut scratch);
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
            None => candidate.findings.push(judge::finding(
                &candidate.record,
                "corrects_nothing",
                "0000",
                "@corrects应指向本机构一条被退回、搁置或等待中的同一账户的记录",
                "corrects should name a rejected, set aside or held record of the same account",
            )),
        }
        Ok(())
    }

    /// Finds or makes the subjects and accounts of records that may go on.
    async fn enroll(
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
                candidate.subject = Some(account.subject.clone());
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
                let mut enrolled = Vec::with_capacity(identities.len());
                for identity in &identities {
                    enrolled.push(match vault.enroll(tx, identity).await {
                        Ok(subject) => Some(subject),
                        Err(VaultError::OtherName) => None,
                        Err(error) => return Err(error),
                    });
                }
                Ok::<_, VaultError>(enrolled)
            })
        });
        for (n, subject) in wanted.into_iter().zip(write.await?) {
            if subject.is_none() {
                candidates[n].findings.push(judge::finding(
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
                (Some(account), Some(subject)) if account.subject != subject => {
                    candidate.findings.push(judge::finding(
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
                candidates[place].account = Some(Account::fresh(first + n as i64, subject.clone()));
            }
        }
        Ok(())
    }
}

impl Candidate {
    fn of(seq: i64, parsed: Parsed) -> Self {
        let (taken, findings, record) = match parsed.taken {
            Ok(taken) => {
                let record = taken.plan.code().to_owned();
                (Some(taken), Vec::new(), record)
            }
            Err(findings) => {
                let record = findings.first().map(|it| it.record.clone());
                (None, findings, record.unwrap_or_default())
            }
        };
        Self {
            raw: parsed.raw,
            seq,
            record,
            taken,
            findings,
            key: None,
            identity: None,
            account: None,
            subject: None,
            told: None,
            line: Vec::new(),
            holds: Vec::new(),
            corrects: None,
        }
    }

    /// Reads key and subject.
    fn read(&mut self, edition: &schemas::edition::Edition, today: jiff::civil::Date) {
        let Some(taken) = &self.taken else { return };
        let Some(role) = edition.role(&self.record) else {
            self.findings.push(judge::finding(
                &self.record,
                "record_without_ledger",
                "0000",
                "本系统尚不能报送该类记录",
                "records of this type cannot be submitted yet",
            ));
            return;
        };
        self.key = role.key(taken.plan, &taken.record);
        if let Some((kind, number, name)) = role.subject(taken.plan, &taken.record) {
            // What is wrong with it the plan's own rules tell.
            self.identity = Identity::person(kind, number, name, today).ok();
        }
    }

    /// All findings, and the line where there are none that stop it.
    fn judge(
        &mut self,
        edition: &schemas::edition::Edition,
        organization: &str,
        today: jiff::civil::Date,
        expected: &mut HashMap<(String, String), &'static str>,
        scratch: &mut Scratch,
    ) {
        let (Some(taken), Some(role)) = (&mut self.taken, edition.role(&self.record)) else {
            return;
        };
        let known = self.account.as_ref().and_then(|it| it.account_type.clone());
        let mut told = Told::of(role, taken.plan, &taken.record, known.as_deref());
        let name = self.key.clone().map(|key| (role.family().to_owned(), key));
        let state = name
            .as_ref()
            .and_then(|name| expected.get(name).copied())
            .or_else(|| {
                let account = self.account.as_ref()?;
                let now = account.state_now();
                // A record that is under way will have opened it.
                let opening = account.pending().is_some() && account.pending() != self.corrects;
                Some(if opening && now != "closed" {
                    "open"
                } else {
                    now
                })
            })
            .unwrap_or("new");
        if told.report_code.is_none()
            && let Some(code) = judge::report_code(&self.record, state, &told)
        {
            role.put_report_code(taken.plan, &mut taken.record, code);
            told = Told::of(role, taken.plan, &taken.record, known.as_deref());
        }
        let header: FileHeader = Inner::header(&self.record, organization, today);
        self.findings.extend(taken.judge(&header, scratch));
        self.findings.extend(judge::sequence(
            &self.record,
            state,
            self.account.as_ref(),
            &told,
        ));
        if role.names_subject() && self.identity.is_none() && !is_bad(&self.findings) {
            self.findings.push(judge::finding(
                &self.record,
                "subject_unreadable",
                "IDNum",
                "证件类型、号码与姓名应可识别信息主体",
                "type, number and name should tell who the subject is",
            ));
        }
        if !is_bad(&self.findings)
            && let Err(error) = taken.plan.write(&taken.record, &mut self.line)
        {
            self.findings.push(judge::finding(
                &self.record,
                "not_writable",
                "0000",
                "记录含有XML不允许的字符",
                &error.to_string(),
            ));
        }
        if !is_bad(&self.findings)
            && let Some(name) = name
        {
            expected.insert(name, told.next_state(state));
        }
        self.told = Some(told);
    }

    fn is_bad(&self) -> bool {
        is_bad(&self.findings)
    }

    fn seal(
        self,
        submission: i64,
        house: &crate::platform::vault::HouseKeys,
        keys: &HashMap<SubjectId, crate::platform::vault::SubjectKeys>,
    ) -> Result<NewRow, SubmitError> {
        let row = format!("{submission}.{}", self.seq);
        let bad = self.is_bad();
        let own = self.subject.as_ref().and_then(|subject| keys.get(subject));
        let subject = self.subject.clone().filter(|_| own.is_some());
        let with = own.map_or(Keys::House(house), Keys::Subject);
        let bytes = if bad { &self.raw } else { &self.line };
        let (sealed, sealed_sha256) = lines::seal(&with, &row, bytes)?;
        let state = match (bad, self.holds.is_empty()) {
            (true, _) => RecordState::SetAside,
            (false, true) => RecordState::Ready,
            (false, false) => RecordState::Held,
        };
        Ok(NewRow {
            seq: self.seq,
            record: self.record,
            account: self.account.map(|account| account.id).filter(|_| !bad),
            subject,
            state,
            report_date: self
                .told
                .and_then(|told| told.report_date)
                .map(|day| day.to_string()),
            holds: gate::json(&self.holds),
            findings: super::view::findings_json(&self.findings),
            sealed,
            sealed_sha256,
            corrects: self.corrects,
        })
    }
}

fn is_bad(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}

impl Account {
    /// One that no bureau knows.
    fn fresh(id: i64, subject: SubjectId) -> Self {
        Self {
            id,
            subject,
            state: "new".to_owned(),
            account_type: None,
            opened_on: None,
            reported_on: None,
            month: None,
            accepted_submission: None,
            accepted_seq: None,
            pending_submission: None,
            pending_seq: None,
        }
    }

    /// Its state, as one of the known words.
    pub(super) fn state_now(&self) -> &'static str {
        match self.state.as_str() {
            "closed" => "closed",
            "deleted" => "deleted",
            "new" => "new",
            _ => "open",
        }
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

/// Where the key of an account is sealed: by its number.
pub(super) fn code_place(row: &str) -> Place<'_> {
    Place {
        table: "accounts",
        column: "code",
        row,
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    crate::audit::hex::Hex(bytes).to_string()
}
