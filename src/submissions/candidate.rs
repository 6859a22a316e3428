//! A record on its way through pass one.

use std::{collections::HashMap, sync::Arc};

use jiff::civil::Date;
use schemas::{
    edition::Edition,
    event::{self, Reported},
    intake::Taken,
    plan::RecordPlan,
    record::Record,
    role::Role,
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
        identity::{Document, Identity},
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
    /// The event that it is of, where it is of one.
    pub(super) reported: Option<Reported>,
    /// What the bureau last accepted of the account, where an event asks for it.
    pub(super) state: Option<(&'static RecordPlan, Record)>,
    pub(super) findings: Vec<Finding>,
    pub(super) key: Option<String>,
    pub(super) new_key: Option<String>,
    /// The account that has the key which it gives.
    pub(super) new_account: Option<Account>,
    /// The account that stands for that key until the bureau has answered.
    pub(super) reserves: Option<i64>,
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
            reported: parsed.reported,
            state: None,
            findings,
            key: None,
            new_key: None,
            new_account: None,
            reserves: None,
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
        if let Some(subject) = role.subject(taken.plan, &taken.record) {
            // What is wrong with it the plan's own rules tell.
            self.identity = identity_of(role, subject, today);
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
        (earlier, expected): (&[Arc<Expected>], &mut Expected),
        scratch: &mut Scratch,
    ) {
        let named = |key: &Option<String>| {
            let role = edition.role(&self.record)?;
            Some((role.family().to_owned(), key.clone()?))
        };
        let (name, new_name) = (named(&self.key), named(&self.new_key));
        let before = name.as_ref().and_then(|name| {
            let earlier = || earlier.iter().find_map(|it| it.get(name));
            expected.get(name).or_else(earlier)
        });
        // What a correction renames to may be expected of what it corrects.
        let new_is_taken = self.new_is_taken()
            || self.corrects.is_none()
                && new_name.as_ref().is_some_and(|name| {
                    expected.contains_key(name) || earlier.iter().any(|it| it.contains_key(name))
                });
        self.is_assumed = before.is_some() || self.is_behind();
        self.found = before.cloned().unwrap_or_else(|| self.account_found());
        let (Some(taken), Some(role)) = (&mut self.taken, edition.role(&self.record)) else {
            return;
        };
        let (plan, known) = (taken.plan, self.found.account_type.clone());
        let known = known.as_deref();
        if let Some(reported) = &self.reported {
            // What stands now is not what will when one before it is accepted.
            let state = self.state.as_ref().filter(|_| !self.is_assumed);
            let standing = event::Known {
                is_accepted: self.found.standing.is_accepted(),
                account_type: known,
                state: state.map(|(plan, state)| (*plan, state)),
            };
            reported.complete(taken, &standing);
        }
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
        // What comes under a name that is reserved is judged once it is known of
        // which account it is.
        if self.found.reserved_for.is_none() {
            self.findings
                .extend(sequence::judge(&self.found, &bearing.told));
        }
        if new_is_taken {
            self.findings
                .push(sequence::renamed_onto_another(&self.record));
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
            if let Some(new_name) = new_name {
                let reserved = Account {
                    reserved_for: Some(next.id),
                    ..next.clone()
                };
                expected.insert(new_name, reserved);
            }
            expected.insert(name, next);
        }
        self.bearing = Some(bearing);
    }

    /// Whether another record of the account is under way that this does not
    /// take the place of.
    fn is_behind(&self) -> bool {
        let pending = self.account.as_ref().and_then(|account| account.pending);
        pending.is_some() && pending != self.corrected()
    }

    fn corrected(&self) -> Option<RecordRef> {
        self.corrects
            .map(|(submission, seq)| RecordRef { submission, seq })
    }

    /// Whether the key that it gives is another account's: more than a name that
    /// no bureau knows, or reserved by a record that this does not correct.
    fn new_is_taken(&self) -> bool {
        let Some(other) = &self.new_account else {
            return false;
        };
        let own = self.account.as_ref();
        let same = own.is_some_and(|own| own.id != other.id && own.subject == other.subject);
        let free = other.pending.is_none() || other.pending == self.corrected();
        !(same && free && other.standing == Standing::New)
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

    /// The key of an account that is to be found or made, and whose it is: its own,
    /// then the one that it gives.
    pub(super) fn seeks(&self) -> Option<(&str, &SubjectId)> {
        if self.is_bad() {
            return None;
        }
        match &self.account {
            None => self.key.as_deref().zip(self.subject.as_ref()),
            Some(_) if self.reserves.is_some() => None,
            Some(account) => self.new_key.as_deref().zip(account.subject.as_ref()),
        }
    }

    /// An account that it [seeks](Self::seeks) is this one.
    pub(super) fn finds(&mut self, id: i64, subject: &SubjectId) {
        if self.account.is_some() {
            self.reserves = Some(id);
        } else if self.subject.as_ref() == Some(subject) {
            self.account = Some(Account {
                id,
                subject: Some(subject.clone()),
                ..Account::default()
            });
        } else {
            self.is_of_another_subject();
        }
    }

    /// Whether it is good and neither its account nor whose that is is known.
    pub(super) fn is_without_account(&self) -> bool {
        self.subject.is_none() && self.wants_account()
    }

    /// Whether it is good and its account is not known.
    pub(super) fn wants_account(&self) -> bool {
        self.account.is_none() && !self.is_bad()
    }

    /// Its account was made by a record before it, meanwhile.
    pub(super) fn meets(&mut self, found: Account) {
        let subject = found.subject.clone();
        if self.subject.is_some() && self.subject != subject {
            return self.is_of_another_subject();
        }
        if self.subject.is_none() {
            (self.subject, self.keys) = (subject, None);
        }
        self.account = Some(found);
    }

    /// Nothing goes out that no account stands behind: no gate would look at it.
    pub(super) fn is_of_no_account(&mut self) {
        self.add(
            "account_unknown",
            "0000",
            "该记录所属的账户尚未登记：开立该账户的记录未被接收；请先报送开立记录",
            "no account of this key is known: the record that opens it was not taken; hand that \
             in first",
        );
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
            is_reserved: self.found.reserved_for.is_some(),
            reserves: self.reserves.filter(|_| !bad),
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

/// Whom a record is about, by document type, number and name. Who pledges (record
/// 510) may be a person or an organization.
pub(super) fn identity_of(
    role: &Role,
    (kind, number, name): (&str, &str, &str),
    today: Date,
) -> Option<Identity> {
    let person = || Identity::person(kind, number, name, today).ok();
    if !role.is_of_organization() {
        return person();
    }
    let organization = Document::enterprise(kind, number)
        .and_then(|document| Identity::new(document, name))
        .ok();
    let pledger = || (role.family() == "510").then(person).flatten();
    organization.or_else(pledger)
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
