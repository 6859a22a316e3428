//! What the ledger and the submissions keep of a subject, and when it may go.

#[cfg(test)]
mod tests;

use crate::{
    args,
    platform::{
        db::{DbError, Tx},
        ids::{BureauId, SubjectId},
    },
};

/// An account that still needs its subject.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Needed {
    /// Its number.
    pub account: i64,
    /// The bureau that has it, or is to get it.
    pub bureau: BureauId,
    /// The type of its records.
    pub family: String,
    /// Why it is needed, by code: `account_open`, `records_under_way`.
    pub why: &'static str,
}

/// Accounts at a bureau that are neither closed nor deleted: there is a duty to
/// go on reporting them. One that no bureau knows is needed by its records only.
const OPEN: &str = "SELECT id, bureau, family FROM accounts WHERE subject = $1 \
    AND state NOT IN ('new', 'closed', 'deleted') ORDER BY id";

/// Accounts with a record that may still go out, or whose fate is not known.
const UNDER_WAY: &str = "SELECT id, bureau, family FROM accounts a WHERE subject = $1 \
    AND EXISTS (SELECT 1 FROM submission_records r WHERE r.account = a.id \
    AND r.state IN ('held', 'ready', 'filed', 'stopped')) ORDER BY id";

/// Deletes what is kept of a subject in accounts, records and notices; a part of
/// its erasure, in the same transaction, after the subject's row was locked.
/// Digests stay, so that the log remains provable. Gives the accounts that still
/// need the subject: where there are any, the caller must give the transaction
/// up.
///
/// # Errors
///
/// Those of the database.
pub async fn erase(tx: &mut Tx<'_>, subject: &SubjectId) -> Result<Vec<Needed>, DbError> {
    let mut needed: Vec<Needed> = Vec::new();
    for (sql, why) in [(OPEN, "account_open"), (UNDER_WAY, "records_under_way")] {
        let rows: Vec<(i64, BureauId, String)> = tx.all(sql, args![subject]).await?;
        for (account, bureau, family) in rows {
            if needed.iter().all(|one| one.account != account) {
                needed.push(Needed {
                    account,
                    bureau,
                    family,
                    why,
                });
            }
        }
    }
    // In this order: what was sealed is remembered before it goes.
    for sql in [
        "INSERT INTO erased_payloads (place, subject) \
         SELECT 'submission_records/sealed/' || submission || '.' || seq, subject \
         FROM submission_records WHERE subject = $1 ON CONFLICT (place) DO NOTHING",
        "UPDATE submission_records SET sealed = $2 WHERE subject = $1",
        "INSERT INTO erased_payloads (place, subject) \
         SELECT 'notices/proof/' || id, subject FROM notices \
         WHERE subject = $1 AND proof IS NOT NULL \
         ON CONFLICT (place) DO NOTHING",
        "UPDATE notices SET proof = NULL WHERE subject = $1",
        "UPDATE accounts SET blind = NULL, blind_key = NULL, code = NULL WHERE subject = $1",
    ] {
        let mut args = args![subject];
        if sql.contains("$2") {
            args.0.push(Vec::new().into());
        }
        tx.execute(sql, args).await?;
    }
    Ok(needed)
}
