//! Held records, judged again when what they wait for may have come.

use std::{collections::HashSet, sync::atomic::Ordering};

use schemas::validate::Finding;

use super::{
    RecordState, Submissions, SubmitError, entries,
    gate::{self, Bearing},
    lines,
    service::Inner,
    store::{
        accounts::{self, Taking},
        names,
        records::{self, Kept},
        submissions::{self, Submission},
    },
    view,
    write::blocking,
};
use crate::{
    ledger::{Account, RecordRef, sequence},
    operators::{Caller, Role},
    platform::{db::Urgency, ids::BureauId},
};

/// Records that are judged together.
const STEP: i64 = 250;

/// What a held record is found to be now.
pub(super) struct Verdict {
    key: (i64, i64),
    state: RecordState,
    holds: Option<String>,
    needs: Option<String>,
    findings: Option<String>,
    /// It becomes the one under way of this account.
    takes: Option<Taking>,
    /// It holds neither place nor name of this account any more.
    frees: Option<i64>,
}

/// A held record that was looked at.
struct Looked {
    row: Kept,
    account: Account,
    bearing: Bearing,
    findings: Vec<Finding>,
}

impl Looked {
    fn verdict(&self, judged: gate::Judged) -> Verdict {
        let holds = &judged.holds[..];
        let (submission, seq) = (self.row.submission, self.row.seq);
        let own = self.account.pending == Some(RecordRef { submission, seq });
        let state = match (self.findings.is_empty(), holds.is_empty()) {
            (false, _) => RecordState::SetAside,
            (true, false) => RecordState::Held,
            (true, true) => RecordState::Ready,
        };
        let bad = state == RecordState::SetAside;
        Verdict {
            key: (submission, seq),
            state,
            holds: gate::json(holds).filter(|_| !bad),
            needs: judged.needs,
            findings: view::findings_json(&self.findings),
            takes: (!bad && !own).then_some(Taking {
                account: self.account.id,
                seq,
                corrects: None,
                accepted: self.account.accepted.map(|it| (it.submission, it.seq)),
            }),
            // A name may be reserved by one that is not under way yet.
            frees: bad.then_some(self.account.id),
        }
    }
}

impl Submissions {
    /// Judges held records again, where anything happened since.
    pub(super) async fn release(&self) -> Result<(), SubmitError> {
        if !self.0.stirred.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        let released = self.release_all().await;
        if released.is_err() {
            self.stir();
        }
        released
    }

    async fn release_all(&self) -> Result<(), SubmitError> {
        // A record that cannot be read must not keep other submissions waiting.
        let mut failed = Ok(());
        for of in submissions::with_held(self.db()).await? {
            if self.0.is_closing() {
                self.stir();
                return failed;
            }
            failed = failed.and(self.release_of(&of).await);
        }
        failed
    }

    async fn release_of(&self, of: &Submission) -> Result<(), SubmitError> {
        let mut after = 0;
        loop {
            let rows = records::held(self.db(), of.no, after, STEP).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.seq;
            if self.0.is_closing() {
                self.stir();
                return Ok(());
            }
            self.judge_again(of, rows).await?;
        }
    }

    async fn judge_again(&self, of: &Submission, rows: Vec<Kept>) -> Result<(), SubmitError> {
        let known = accounts::by_ids(self.db(), rows.iter().filter_map(|row| row.account)).await?;
        // The one under way goes before; others of its account are not looked at.
        let mut taken: HashSet<i64> = HashSet::new();
        let mut looked: Vec<(Kept, Account)> = Vec::new();
        let mut late = Vec::new();
        for row in rows {
            let Some(account) = row.account.and_then(|id| known.get(&id)) else {
                continue;
            };
            if let Some(became) = account.became {
                late.push(((row.submission, row.seq), became));
                continue;
            }
            let own = RecordRef {
                submission: row.submission,
                seq: row.seq,
            };
            let free = account.pending.is_none_or(|pending| pending == own);
            if free && taken.insert(account.id) {
                looked.push((row, account.clone()));
            }
        }
        if !late.is_empty() {
            self.follow(late).await?;
        }
        if looked.is_empty() {
            return Ok(());
        }
        let judged = self.judge_held(of, looked).await?;
        self.store_verdicts(of, judged).await
    }

    /// Gives records to the accounts that theirs became; they are looked at
    /// with the next turn.
    async fn follow(&self, late: Vec<((i64, i64), i64)>) -> Result<(), SubmitError> {
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                for (key, account) in late {
                    names::follow(tx, key, account).await?;
                }
                Ok::<_, SubmitError>(())
            })
        });
        write.await?;
        self.stir();
        Ok(())
    }

    pub(super) async fn judge_held(
        &self,
        of: &Submission,
        looked: Vec<(Kept, Account)>,
    ) -> Result<Vec<Verdict>, SubmitError> {
        let edition = Inner::edition(self.today())?;
        let vault = &self.0.parts.vault;
        let keys = vault
            .keys_of(looked.iter().filter_map(|(row, _)| row.subject.as_ref()))
            .await?;
        let house = vault.house_keys();
        let read = blocking(move || {
            let mut read: Vec<Looked> = Vec::new();
            for (row, account) in looked {
                let text = lines::open(&row, &house, &keys)?;
                let (record, plan, role) = lines::record(&row, edition, &text)?;
                let known = account.account_type.as_deref();
                let mark = row.dispute.clone();
                let bearing = Bearing::of(role, plan, &record, known, mark, None);
                let findings = sequence::judge(&account, &bearing.told);
                read.push(Looked {
                    row,
                    account,
                    bearing,
                    findings,
                });
            }
            Ok(read)
        })
        .await?;
        let asked: Vec<gate::Asked<'_>> = read
            .iter()
            .map(|it| gate::Asked {
                account: &it.account,
                bearing: &it.bearing,
            })
            .collect();
        let bureau = BureauId::from(of.bureau.as_str());
        let at = self.0.parts.clock.now();
        let judged = gate::judge(self, &of.institution, &bureau, &asked, at).await?;
        let verdicts = read
            .iter()
            .zip(judged)
            .map(|(looked, judged)| (looked, looked.verdict(judged)));
        // What is as it was is not written again.
        let changed = verdicts.filter(|(looked, verdict)| {
            let codes = |holds: Option<&str>| gate::codes(holds);
            verdict.state != RecordState::Held
                || verdict.takes.is_some()
                || codes(looked.row.holds.as_deref()) != codes(verdict.holds.as_deref())
        });
        Ok(changed.map(|(_, verdict)| verdict).collect())
    }

    pub(super) async fn store_verdicts(
        &self,
        of: &Submission,
        verdicts: Vec<Verdict>,
    ) -> Result<(), SubmitError> {
        if verdicts.is_empty() {
            return Ok(());
        }
        let at = self.0.parts.clock.now();
        let count = |state| verdicts.iter().filter(|it| it.state == state).count() as u64;
        let draft = entries::of_submission(entries::RELEASED, of, at)
            .number("ready", count(RecordState::Ready))
            .number("held", count(RecordState::Held))
            .number("set_aside", count(RecordState::SetAside));
        let (entry, _) = entries::finish(draft)?;
        let freed = verdicts.iter().any(|verdict| verdict.frees.is_some());
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let takes = verdicts.iter().filter_map(|one| one.takes);
                let frees = verdicts.iter().filter_map(|one| one.frees);
                accounts::hold(tx, takes.map(|it| it.account).chain(frees)).await?;
                for one in &verdicts {
                    if let Some(taking) = one.takes {
                        let submission = one.key.0;
                        // Another one may have taken the place meanwhile.
                        if accounts::take_place(tx, submission, &[taking])
                            .await?
                            .is_empty()
                        {
                            continue;
                        }
                    }
                    let waits = (one.holds.as_deref(), one.needs.as_deref());
                    let findings = one.findings.as_deref();
                    let judged =
                        records::judge_again(tx, one.key, one.state, waits, findings).await?;
                    if let (0, Some(taking)) = (judged, one.takes) {
                        // A person took it back meanwhile.
                        accounts::free(tx, taking.account, one.key).await?;
                    }
                    if let Some(account) = one.frees {
                        accounts::free(tx, account, one.key).await?;
                    }
                }
                tx.append(entry.into());
                Ok::<_, SubmitError>(())
            })
        });
        write.await?;
        if freed {
            self.stir();
        }
        Ok(())
    }

    /// Takes a record back that was not sent or was rejected: what waited behind
    /// it goes on.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`].
    pub async fn withdraw(
        &self,
        caller: &Caller,
        submission: &str,
        seq: i64,
    ) -> Result<(), SubmitError> {
        caller.require_any(&[Role::Submitter, Role::Compliance])?;
        let of = self.find(&caller.institution, submission).await?;
        let of = of.ok_or(SubmitError::NotFound)?;
        let row = records::find(self.db(), of.no, seq).await?;
        let row = row.ok_or(SubmitError::NotFound)?;
        let at = self.0.parts.clock.now();
        let draft = entries::of_submission(entries::WITHDRAWN, &of, at)
            .actor(&caller.actor)
            .number("seq", seq);
        let (entry, _) = entries::finish(draft)?;
        let write = self.db().write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                let key = (row.submission, row.seq);
                // In the order of a release.
                accounts::hold(tx, row.account).await?;
                if records::withdraw(tx, key).await? == 0 {
                    return Err(SubmitError::WrongRecordState);
                }
                if let Some(account) = row.account {
                    accounts::free(tx, account, key).await?;
                }
                tx.append(entry.into());
                Ok(())
            })
        });
        write.await?;
        self.stir();
        Ok(())
    }
}
