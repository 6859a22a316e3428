//! Ready records become lines of a reserved file, if what let them out still
//! holds.
//!
//! A record may have been ready for days, where the bureau's line is closed. An
//! authorization that ended since, or a dispute that was opened or settled, sends
//! it back to those that wait. Who withdraws comes before this transaction and is
//! seen, or after it: then the record is on its way.

use std::collections::HashMap;

use jiff::Timestamp;
use schemas::role::Does;
use tokio::sync::watch;

use super::{
    Submissions, SubmitError, entries, gate,
    service::Inner,
    store::{
        accounts,
        files::{self, FileRow},
        records::{self, Waiting},
    },
};
use crate::{
    authorizations::{Authorizations, Provided},
    ledger::HoldCode,
    platform::{
        db::{Tx, Urgency},
        fault,
        ids::SubjectId,
    },
};

/// Records that are looked at in one transaction.
const STEP: i64 = 250;

/// How far a file is.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Assigned {
    lines: i64,
    /// Whether there was nothing left to be looked at.
    is_whole: bool,
}

/// What some records were found to be.
#[derive(Default)]
struct Found {
    /// They become lines, in this order.
    go: Vec<(i64, i64)>,
    /// They wait again, for these.
    wait: Vec<((i64, i64), Vec<HoldCode>)>,
}

impl Submissions {
    /// Makes ready records the lines of a reserved file, up to its count, and
    /// tells of every step; how many lines it has.
    pub(super) async fn assign(
        &self,
        file: &FileRow,
        steps: watch::Sender<()>,
    ) -> Result<i64, SubmitError> {
        loop {
            // The second is at hand when the first is written.
            let (one, other) = tokio::join!(self.assign_some(file), self.assign_some(file));
            let last = one?.max(other?);
            steps.send_replace(());
            if last.is_whole {
                return Ok(last.lines);
            }
        }
    }

    /// Looks at the next ready records.
    async fn assign_some(&self, file: &FileRow) -> Result<Assigned, SubmitError> {
        let at = self.0.parts.clock.now();
        let marked = marks_count(&file.record, self.today())?;
        let authorizations = self.0.parts.authorizations.clone();
        let own = file.clone();
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                files::hold(tx, own.no).await?;
                let last = records::last_line(tx, own.no).await?;
                let limit = (own.records - (last - 1)).min(STEP);
                let whose = (&own.institution, &own.bureau, own.record.as_str());
                let plain = records::file_plain(tx, whose, (own.no, last), limit).await?;
                let (mut lines, mut seen) = (last - 1 + plain as i64, plain as i64);
                if seen == 0 && limit > 0 {
                    let rows = records::next_ready(tx, whose, limit).await?;
                    seen = rows.len() as i64;
                    let found = look(tx, &authorizations, &own, rows, marked, at).await?;
                    lines += found.go.len() as i64;
                    take(tx, &own, last, found, at).await?;
                }
                Ok::<_, SubmitError>(Assigned {
                    lines,
                    is_whole: seen == 0,
                })
            })
        });
        let assigned = write.await?;
        fault::submission_point("submission.assigned");
        Ok(assigned)
    }
}

/// What was looked at goes, or waits again.
async fn take(
    tx: &mut Tx<'_>,
    file: &FileRow,
    last_line: i64,
    found: Found,
    at: Timestamp,
) -> Result<(), SubmitError> {
    records::file(tx, file.no, last_line, &found.go).await?;
    if found.wait.is_empty() {
        return Ok(());
    }
    for (key, codes) in &found.wait {
        records::hold_again(tx, *key, &gate::names(codes)).await?;
    }
    let draft =
        entries::about_file(entries::HELD_AGAIN, file, at).number("held", found.wait.len() as u64);
    tx.append(entries::finish(draft)?.0.into());
    Ok(())
}

/// Whether an account under dispute is not reported on without its mark by
/// records of this type; corrections and deletions are what a dispute asks for.
fn marks_count(record: &str, today: jiff::civil::Date) -> Result<bool, SubmitError> {
    let role = Inner::edition(today)?.role(record);
    Ok(role.is_none_or(|role| matches!(role.does(), Does::Normal | Does::Event | Does::Rename)))
}

async fn look(
    tx: &mut Tx<'_>,
    authorizations: &Authorizations,
    file: &FileRow,
    rows: Vec<Waiting>,
    marked: bool,
    at: Timestamp,
) -> Result<Found, SubmitError> {
    let openings = rows.iter().filter(|row| row.needs.is_some());
    let subjects: Vec<&SubjectId> = openings.filter_map(|row| row.subject.as_ref()).collect();
    let provided = if subjects.is_empty() {
        HashMap::new()
    } else {
        authorizations
            .provided_locked(tx, &file.institution, subjects)
            .await?
    };
    let ids = rows.iter().filter_map(|row| row.account);
    let disputes = accounts::open_disputes_in(tx, ids).await?;
    let mut found = Found::default();
    for row in rows {
        let own = row.account.and_then(|id| disputes.get(&id));
        let mut codes = Vec::new();
        codes.extend(dispute(own, row.dispute.as_deref(), marked));
        if row.account.is_none() || !covered(&row, &provided, file, at) {
            codes.push(HoldCode::ProvideMissing);
        }
        let key = (row.submission, row.seq);
        if codes.is_empty() {
            found.go.push(key);
        } else {
            found.wait.push((key, codes));
        }
    }
    Ok(found)
}

fn dispute(open: Option<&Vec<String>>, mark: Option<&str>, marked: bool) -> Option<HoldCode> {
    match mark {
        Some(mark) => {
            let known = open.is_some_and(|all| all.iter().any(|it| it == mark));
            (!known).then_some(HoldCode::DisputeUnknown)
        }
        None => (marked && open.is_some()).then_some(HoldCode::DisputedUnmarked),
    }
}

fn covered(
    row: &Waiting,
    provided: &HashMap<SubjectId, Provided>,
    file: &FileRow,
    at: Timestamp,
) -> bool {
    let Some(needs) = &row.needs else { return true };
    let Some(provided) = row.subject.as_ref().and_then(|id| provided.get(id)) else {
        return false;
    };
    let covers = provided.covers(&file.bureau, at).categories;
    let is_covered = |need: &str| covers.iter().any(|it| it.name() == need);
    needs.split(',').all(is_covered)
}
