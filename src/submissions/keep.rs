//! A judged chunk, sealed and stored: rows, the one under way of each account,
//! and the entry that commits to them, in one transaction.

use std::collections::{HashMap, HashSet};

use super::{
    RecordState, Submissions, SubmitError, candidate, entries, gate,
    judge::Judged,
    store::{
        accounts::{self, Taking},
        names,
        records::{self, NewRow},
        submissions::{self, Submission},
    },
    view,
    write::blocking,
};
use crate::{
    audit::BatchRoot,
    ledger::{HoldCode, RecordRef, sequence},
    platform::{
        db::{DbError, Tx, Urgency},
        fault,
    },
};

/// A sealed chunk, to be stored.
pub(super) struct Packed {
    pub(super) rows: Vec<NewRow>,
    batch: BatchRoot,
    chain: [u8; 32],
    erasures: i64,
}

impl Submissions {
    /// Seals the rows of a chunk that begins after `taken` records.
    pub(super) async fn pack(
        &self,
        submission: i64,
        taken: i64,
        judged: Judged,
    ) -> Result<Packed, SubmitError> {
        let house = self.0.parts.vault.house_keys();
        blocking(move || {
            let candidates = judged.candidates.into_iter();
            let rows: Vec<NewRow> = candidates
                .map(|it| it.seal(submission, &house))
                .collect::<Result<_, _>>()?;
            let digests = rows.iter().map(|row| row.sealed_sha256);
            Ok(Packed {
                batch: entries::batch(submission, taken + 1, digests),
                rows,
                chain: judged.chain,
                erasures: judged.erasures,
            })
        })
        .await
    }

    /// Stores a chunk; the submission after it.
    pub(super) async fn store(
        &self,
        before: Submission,
        packed: Packed,
    ) -> Result<Submission, SubmitError> {
        let Packed {
            mut rows,
            batch,
            chain,
            erasures,
        } = packed;
        let at = self.0.parts.clock.now();
        let mut after = before.clone();
        after.taken += rows.len() as i64;
        after.chain_sha256 = chain.to_vec();
        let set_aside = rows.iter().filter(|row| row.state == RecordState::SetAside);
        after.set_aside += set_aside.count() as i64;
        let draft = entries::chunk(&before, before.taken + 1, &batch, at);
        let (entry, receipt) = entries::finish(draft)?;
        after.receipt = receipt;
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                if submissions::erasures(tx).await? != erasures {
                    // It may be sealed under keys that are gone: the caller
                    // sends it again, and it is judged anew.
                    return Err(SubmitError::Erased);
                }
                let reserved = rows.iter().filter_map(|row| row.reserves);
                accounts::hold(
                    tx,
                    rows.iter().filter_map(|row| row.account).chain(reserved),
                )
                .await?;
                after.set_aside += replace(tx, &mut rows).await?;
                after.set_aside += reserve(tx, before.no, &mut rows).await?;
                submissions::advance(tx, &before, &after).await?;
                one_under_way(tx, before.no, &mut rows).await?;
                records::insert(tx, before.no, &rows).await?;
                tx.append(entry.into());
                fault::submission_point("submission.chunk.before");
                Ok::<_, SubmitError>(after)
            })
        });
        let after = write.await?;
        fault::submission_point("submission.chunk.after");
        Ok(after)
    }
}

/// Corrections take the places of what they correct. One whose record has gone on
/// meanwhile is set aside; how many are.
async fn replace(tx: &mut Tx<'_>, rows: &mut [NewRow]) -> Result<i64, DbError> {
    let good = |row: &NewRow| row.state != RecordState::SetAside;
    let wanted: Vec<(i64, i64)> = rows
        .iter()
        .filter(|row| good(row))
        .filter_map(|row| row.corrects)
        .collect();
    if wanted.is_empty() {
        return Ok(0);
    }
    let mut replaced = records::replace(tx, &wanted).await?;
    let mut late = 0;
    for row in rows.iter_mut().filter(|row| good(row)) {
        // Of two that correct the same one the first does.
        if row.corrects.is_some_and(|key| !replaced.remove(&key)) {
            let finding = candidate::finding(
                &row.record,
                "corrects_nothing",
                "0000",
                "@corrects所指的记录已在报送途中；请待其反馈后再更正",
                "the record that corrects names is on its way by now; correct it once it is \
                 answered",
            );
            row.state = RecordState::SetAside;
            row.findings = view::findings_json(&[finding]);
            (row.holds, row.needs, row.corrects) = (None, None, None);
            late += 1;
        }
    }
    Ok(late)
}

/// Records that rename reserve the name that they give; a correction lets go of
/// what its record reserved. One whose name was taken meanwhile is set aside; how
/// many are.
async fn reserve(tx: &mut Tx<'_>, submission: i64, rows: &mut [NewRow]) -> Result<i64, DbError> {
    let mut late = 0;
    let good = rows
        .iter_mut()
        .filter(|row| row.state != RecordState::SetAside);
    for row in good {
        let Some(account) = row.account else { continue };
        if let Some((submission, seq)) = row.corrects {
            names::give_up(tx, account, RecordRef { submission, seq }).await?;
        }
        let Some(name) = row.reserves else { continue };
        let seq = row.seq;
        let record = RecordRef { submission, seq };
        if !names::reserve(tx, name, account, record).await? {
            let finding = sequence::renamed_onto_another(&row.record);
            row.state = RecordState::SetAside;
            row.findings = view::findings_json(&[finding]);
            (row.holds, row.needs) = (None, None);
            late += 1;
        }
    }
    Ok(late)
}

/// At most one record of an account is under way: the first that finds none, or
/// one that it corrects. The others wait for what the bureau says to it. What is
/// held keeps its place, so that order stays: also what was judged by a record before
/// it that may have come to nothing, and is judged again.
async fn one_under_way(
    tx: &mut Tx<'_>,
    submission: i64,
    rows: &mut [NewRow],
) -> Result<(), DbError> {
    let mut by_account: HashMap<i64, Vec<Taking>> = HashMap::with_capacity(rows.len());
    for row in rows.iter() {
        if let Some(account) = row.account.filter(|_| row.state != RecordState::SetAside) {
            by_account.entry(account).or_default().push(Taking {
                account,
                seq: row.seq,
                corrects: row.corrects,
                accepted: row.accepted,
            });
        }
    }
    let mut under_way = HashSet::with_capacity(rows.len());
    let mut turn = 0;
    loop {
        // Of each account whose place is not taken by this chunk, the next one.
        let mut next: Vec<Taking> = by_account
            .values()
            .filter_map(|all| all.get(turn).copied())
            .filter(|it| turn == 0 || it.corrects.is_some())
            .collect();
        if next.is_empty() && by_account.values().all(|all| all.len() <= turn) {
            break;
        }
        next.sort_by_key(|it| it.seq);
        let taken = accounts::take_place(tx, submission, &next).await?;
        for it in next.iter().filter(|it| taken.contains(&it.account)) {
            under_way.insert(it.seq);
            by_account.remove(&it.account);
        }
        turn += 1;
    }
    for row in rows {
        let is_bad = row.state == RecordState::SetAside;
        let waits = row.is_assumed || !under_way.contains(&row.seq);
        if row.account.is_some() && !is_bad && waits {
            row.state = RecordState::Held;
            let behind = match row.is_reserved {
                true => HoldCode::NameReserved,
                false => HoldCode::AccountInFlight,
            };
            row.holds = Some(gate::with(row.holds.as_deref(), behind));
        }
    }
    Ok(())
}
