//! Names that records give accounts: reserved while such a record is under way,
//! given once the bureau has accepted it.
//!
//! An account of the new name stands for the name alone, and its record under way
//! is the one that renames: so what comes under the name waits behind that, as
//! behind any other.

use crate::{
    args,
    ledger::{HoldCode, RecordRef},
    platform::db::{DbError, Tx},
};

use super::accounts::{Renamed, hold};

/// Reserves the name of the account `name` for another account, by a record that
/// renames that; false where `name` is more than a name, or another's.
pub(crate) async fn reserve(
    tx: &mut Tx<'_>,
    name: i64,
    account: i64,
    record: RecordRef,
) -> Result<bool, DbError> {
    let changed = tx
        .execute(
            "UPDATE accounts SET reserved_for = $1, pending_submission = $2, pending_seq = $3 \
             WHERE id = $4 AND id <> $1 AND blind IS NOT NULL AND state = 'new' \
             AND pending_submission IS NULL \
             AND subject = (SELECT o.subject FROM accounts o WHERE o.id = $1)",
            args![account, record.submission, record.seq, name],
        )
        .await?;
    Ok(changed == 1)
}

/// Lets go of the name that is reserved by a record of an account: what waited
/// for it is judged anew, as that of an account of its own.
pub(crate) async fn give_up(
    tx: &mut Tx<'_>,
    account: i64,
    record: RecordRef,
) -> Result<(), DbError> {
    for name in reserved(tx, account, record).await? {
        waits_behind_another(tx, name).await?;
        tx.execute(
            "UPDATE accounts SET reserved_for = NULL, pending_submission = NULL, \
             pending_seq = NULL WHERE id = $1",
            args![name],
        )
        .await?;
    }
    Ok(())
}

/// Lets go of the names that are reserved by records of these accounts.
pub(crate) async fn give_up_all(
    tx: &mut Tx<'_>,
    renamed: &[(i64, RecordRef)],
) -> Result<(), DbError> {
    hold(tx, renamed.iter().map(|(account, _)| *account)).await?;
    for (account, record) in renamed {
        give_up(tx, *account, *record).await?;
    }
    Ok(())
}

/// Gives an account the name that an accepted record gives it, with all that came
/// under it; false, and it keeps its own, where another account has that.
pub(crate) async fn rename(
    tx: &mut Tx<'_>,
    account: i64,
    record: RecordRef,
    renamed: &Renamed,
) -> Result<bool, DbError> {
    for name in reserved(tx, account, record).await? {
        waits_behind_another(tx, name).await?;
        for sql in [
            "UPDATE submission_records SET account = $1 WHERE account = $2",
            "UPDATE notices SET account = $1 WHERE account = $2",
            "UPDATE disputes SET account = $1 WHERE account = $2",
            "UPDATE accounts SET reserved_for = $1 WHERE reserved_for = $2",
            // What is under way of it stays: no record takes that place any more.
            "UPDATE accounts SET reserved_for = NULL, became = $1, \
             blind = NULL, blind_key = NULL, code = NULL WHERE id = $2",
        ] {
            tx.execute(sql, args![account, name]).await?;
        }
    }
    let changed = tx
        .execute(
            "UPDATE accounts SET blind = $1, blind_key = $2, code = $3 WHERE id = $4 \
             AND NOT EXISTS (SELECT 1 FROM accounts o WHERE o.id <> accounts.id \
             AND o.institution = accounts.institution AND o.bureau = accounts.bureau \
             AND o.family = accounts.family AND o.blind = $1)",
            args![
                renamed.blind,
                renamed.blind_key,
                renamed.code.clone(),
                account
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// A held record that was judged before its name was given to an account, and
/// stored after that, is of that account.
pub(crate) async fn follow(
    tx: &mut Tx<'_>,
    (submission, seq): (i64, i64),
    account: i64,
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE submission_records SET account = $1 \
         WHERE submission = $2 AND seq = $3 AND state = 'held'",
        args![account, submission, seq],
    )
    .await?;
    Ok(())
}

/// The accounts that stand for names which a record of an account reserves.
async fn reserved(tx: &mut Tx<'_>, account: i64, record: RecordRef) -> Result<Vec<i64>, DbError> {
    let rows: Vec<(i64,)> = tx
        .all(
            "SELECT id FROM accounts WHERE reserved_for = $1 \
             AND pending_submission = $2 AND pending_seq = $3 ORDER BY id",
            args![account, record.submission, record.seq],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What waited for a name waits, if at all, for a record of its account.
async fn waits_behind_another(tx: &mut Tx<'_>, name: i64) -> Result<(), DbError> {
    tx.execute(
        "UPDATE submission_records SET holds = REPLACE(holds, $1, $2) \
         WHERE account = $3 AND state = 'held'",
        args![
            HoldCode::NameReserved.name(),
            HoldCode::AccountInFlight.name(),
            name
        ],
    )
    .await?;
    Ok(())
}
