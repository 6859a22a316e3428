//! A record on its way through pass one.

use std::collections::HashMap;

use jiff::civil::Date;
use schemas::{
    edition::Edition,
    intake::Taken,
    validate::{Finding, Scratch, Severity},
};
use workbook::Origin;

use super::{
    RecordState, SubmitError,
    feed::Parsed,
    gate::{self, Bearing},
    lines::{self, Keys},
    service::Inner,
    store::records::NewRow,
    view,
};
use crate::{
    ledger::{Account, Hold, RecordRef, Standing, Told, sequence},
    platform::{
        identity::Identity,
        ids::SubjectId,
        vault::{HouseKeys, StoredSubject, SubjectKeys, Vault},
    },
};

/// What the records of a chunk will have made of their accounts, by family and
/// key.
pub(super) type Expected = HashMap<(String, String), Account>;

/// A record on its way through a chunk.
pub(super) struct Candidate {
    raw: Vec<u8>,
    origin: Option<Origin>,
    pub(super) seq: i64,
    pub(super) record: String,
    pub(super) taken: Option<Taken<'static>>,
    pub(super) findings: Vec<Finding>,
    pub(super) key: Option<String>,
    pub(super) new_key: Option<String>,
    /// Whether another account has the key that it gives.
    pub(super) new_is_taken: bool,
    pub(super) identity: Option<Identity>,
    /// The account as it is stored.
    pub(super) account: Option<Account>,
    /// The account as the record will find it.
    pub(super) found: Account,
    /// Whether that rests on a record that is not answered, or not stored, yet:
    /// then what it waits for is told once that is settled.
    is_assumed: bool,
    pub(super) subject: Option<SubjectId>,
    /// The subject of the account, as it is stored.
    pub(super) stored: Option<StoredSubject>,
    /// The keys of the subject.
    pub(super) keys: Option<SubjectKeys>,
    pub(super) bearing: Option<Bearing>,
    line: Vec<u8>,
    pub(super) holds: Vec<Hold>,
    pub(super) needs: Option<String>,
    pub(super) corrects: Option<(i64, i64)>,
}

impl Candidate {
    pub(super) fn of(seq: i64, parsed: Parsed) -> Self {
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
            origin: parsed.origin,
            seq,
            record,
            taken,
            findings,
            key: None,
            new_key: None,
            new_is_taken: false,
            identity: None,
            account: None,
            found: Account::default(),
            is_assumed: false,
            subject: None,
            stored: None,
            keys: None,
            bearing: None,
            line: Vec::new(),
            holds: Vec::new(),
            needs: None,
            corrects: None,
        }
    }

    /// Reads keys and subject.
    pub(super) fn read(&mut self, edition: &Edition, today: Date) {
        let Some(taken) = &self.taken else { return };
        let Some(role) = edition.role(&self.record) else {
            self.add(
                "record_without_ledger",
                "0000",
                "本系统尚不能报送该类记录",
                "records of this type cannot be submitted yet",
            );
            return;
        };
        self.key = role.key(taken.plan, &taken.record);
        self.new_key = role.new_key(taken.plan, &taken.record);
        if let Some((kind, number, name)) = role.subject(taken.plan, &taken.record) {
            // What is wrong with it the plan's own rules tell.
            self.identity = Identity::person(kind, number, name, today).ok();
        }
    }

    /// Takes the subject of the account for its own, where it names the same.
    pub(super) fn meet(&mut self, vault: &Vault) -> Result<(), SubmitError> {
        let (Some(stored), Some(identity)) = (self.stored.take(), &self.identity) else {
            return Ok(());
        };
        let subject = stored.id.clone();
        let (keys, known) = vault.open_stored(stored)?;
        if known == *identity {
            self.subject = Some(subject);
            self.keys = Some(keys);
        }
        Ok(())
    }

    /// All findings, and the line where there are none that stop it.
    pub(super) fn judge(
        &mut self,
        (edition, organization, today): (&Edition, &str, Date),
        submission: i64,
        (earlier, expected): (&Expected, &mut Expected),
        scratch: &mut Scratch,
    ) {
        let name = self.key.clone().and_then(|key| {
            let role = edition.role(&self.record)?;
            Some((role.family().to_owned(), key))
        });
        let before = name
            .as_ref()
            .and_then(|name| expected.get(name).or_else(|| earlier.get(name)));
        self.is_assumed = before.is_some() || self.is_behind();
        self.found = before.cloned().unwrap_or_else(|| self.account_found());
        let (Some(taken), Some(role)) = (&mut self.taken, edition.role(&self.record)) else {
            return;
        };
        let (plan, known) = (taken.plan, self.found.account_type.clone());
        let known = known.as_deref();
        let told = Told::of(role, plan, &taken.record, known);
        if told.report_code.is_none()
            && let Some(code) = sequence::report_code(&self.found, &told)
        {
            role.put_report_code(plan, &mut taken.record, code);
        }
        let header = Inner::header(&self.record, organization, today);
        self.findings.extend(taken.judge(&header, scratch));
        let mark = taken.meta.dispute.clone();
        let bearing = Bearing::of(role, plan, &taken.record, known, mark, Some(scratch));
        self.findings
            .extend(sequence::judge(&self.found, &bearing.told));
        if self.new_is_taken {
            let finding = sequence::renamed_onto_another(&bearing.told);
            self.findings.push(finding);
        }
        if !is_bad(&self.findings)
            && let Err(error) = plan.write(&taken.record, &mut self.line)
        {
            self.findings.push(finding(
                &self.record,
                "not_writable",
                "0000",
                "记录含有XML不允许的字符",
                &error.to_string(),
            ));
        }
        if role.names_subject() && self.identity.is_none() && !self.is_bad() {
            self.add(
                "subject_unreadable",
                "IDNum",
                "证件类型、号码与姓名应可识别信息主体",
                "type, number and name should tell who the subject is",
            );
        }
        if !self.is_bad()
            && let Some(name) = name
        {
            let seq = self.seq;
            let next = self
                .found
                .after(&bearing.told, RecordRef { submission, seq });
            expected.insert(name, next);
        }
        self.bearing = Some(bearing);
    }

    /// Whether another record of the account is under way that this does not
    /// take the place of.
    fn is_behind(&self) -> bool {
        let own = self
            .corrects
            .map(|(submission, seq)| RecordRef { submission, seq });
        let pending = self.account.as_ref().and_then(|account| account.pending);
        pending.is_some() && pending != own
    }

    /// The account as it is stored; one whose record is under way will have been
    /// opened by that, unless this takes its place.
    fn account_found(&self) -> Account {
        let mut found = self.account.clone().unwrap_or_default();
        if self.is_behind() && !found.standing.is_accepted() {
            found.standing = Standing::Open;
        }
        found
    }

    pub(super) fn is_bad(&self) -> bool {
        is_bad(&self.findings)
    }

    /// Its subject is this one; no other than its account's.
    pub(super) fn is_of(&mut self, subject: SubjectId, keys: Option<SubjectKeys>) {
        match &self.account {
            Some(account) if account.subject.as_ref() != Some(&subject) => {
                self.is_of_another_subject();
            }
            _ => {
                self.subject = Some(subject);
                self.keys = keys;
            }
        }
    }

    /// Its subject's document is known under another name.
    pub(super) fn is_known_by_another_name(&mut self) {
        self.add(
            "subject_other_name",
            "Name",
            "该证件已以另一姓名登记；请核对，或先办理更名",
            "the document is known under another name; check it, or record the change of name \
             first",
        );
    }

    /// Its account is another subject's.
    pub(super) fn is_of_another_subject(&mut self) {
        self.add(
            "subject_differs",
            "IDNum",
            "该账户已登记的信息主体与本记录不同；应以更正记录更改",
            "the account is another subject's; a correction should change that",
        );
    }

    /// Adds a finding of ours that stops the record.
    pub(super) fn add(&mut self, code: &str, tag: &str, zh: &str, en: &str) {
        self.findings.push(finding(&self.record, code, tag, zh, en));
    }

    /// The row of it, sealed under its subject's key, else under the house's.
    pub(super) fn seal(self, submission: i64, house: &HouseKeys) -> Result<NewRow, SubmitError> {
        let row = format!("{submission}.{}", self.seq);
        let bad = self.is_bad();
        let own = self.keys.as_ref();
        let subject = self.subject.clone().filter(|_| own.is_some());
        let with = own.map_or(Keys::House(house), Keys::Subject);
        let bytes = if bad { &self.raw } else { &self.line };
        let (sealed, sealed_sha256) = lines::seal(&with, &row, bytes)?;
        let state = match (bad, self.holds.is_empty()) {
            (true, _) => RecordState::SetAside,
            (false, true) => RecordState::Ready,
            (false, false) => RecordState::Held,
        };
        let day = self.bearing.as_ref().and_then(|it| it.told.report_date);
        Ok(NewRow {
            is_assumed: self.is_assumed,
            accepted: (self.account.as_ref().and_then(|it| it.accepted))
                .map(|it| (it.submission, it.seq)),
            seq: self.seq,
            record: self.record,
            account: self.account.map(|account| account.id).filter(|_| !bad),
            subject,
            state,
            report_date: day.map(|day| day.to_string()),
            holds: gate::json(&self.holds).filter(|_| !bad),
            needs: self.needs,
            findings: view::findings_json_in(&self.findings, self.origin.as_ref()),
            sealed,
            sealed_sha256,
            corrects: self.corrects,
            dispute: self.bearing.and_then(|it| it.mark),
        })
    }
}

/// A finding of ours on a record as a whole or one of its items.
pub(super) fn finding(record: &str, code: &str, tag: &str, zh: &str, en: &str) -> Finding {
    Finding {
        rule: code.to_owned(),
        record: record.to_owned(),
        path: if tag == "0000" { "." } else { tag }.to_owned(),
        tag: tag.to_owned(),
        code: code.to_owned(),
        severity: Severity::Error,
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

fn is_bad(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}
