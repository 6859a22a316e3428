//! Rows that an import makes: files that the bureau answered before, and
//! accounts that stand as it accepted them.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, FromRow};

use super::{files::FileRow, list};
use crate::{
    args,
    platform::db::{Arg, Args, Db, DbError, Tx},
};

/// When what was accepted last of an account was sent, or tells of.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Moment {
    id: i64,
    /// The time in the header of its file; none of a stock.
    pub(crate) created: Option<String>,
    pub(crate) report_date: Option<String>,
}

/// The moments of accounts, by their numbers.
pub(crate) async fn moments(
    db: &Db,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Moment>, DbError> {
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut found = HashMap::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let sql = format!(
            "SELECT a.id, f.created, r.report_date FROM accounts a \
             JOIN submission_records r ON r.submission = a.accepted_submission \
             AND r.seq = a.accepted_seq \
             LEFT JOIN submission_files f ON f.no = r.file WHERE a.id IN ({})",
            list(1, some.len())
        );
        let args = Args(some.iter().map(|id| Arg::from(*id)).collect());
        let rows: Vec<Moment> = db.all(AssertSqlSafe(sql), args).await?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

/// The last place of an input that is durable; 0 where none is.
pub(crate) async fn last_place(db: &Db, submission: i64) -> Result<i64, DbError> {
    let row: Option<(Option<i64>,)> = db
        .first(
            "SELECT MAX(line) FROM submission_records WHERE submission = $1",
            args![submission],
        )
        .await?;
    Ok(row.and_then(|(line,)| line).unwrap_or(0))
}

/// The number of the next file. Only one at a time may ask.
pub(crate) async fn next_file(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    let last: Option<(Option<i64>,)> = tx
        .first("SELECT MAX(no) FROM submission_files", args![])
        .await?;
    Ok(last.and_then(|(no,)| no).unwrap_or(0) + 1)
}

/// Inserts a file as it was answered.
pub(crate) async fn insert_file(tx: &mut Tx<'_>, file: &FileRow) -> Result<(), DbError> {
    super::files::insert(tx, file).await?;
    tx.execute(
        "UPDATE submission_files SET plain_sha256 = $1, sent_at = $2, arrived_at = $3, \
         answered_at = $4, cause = $5, accepted = $6, rejected = $7 WHERE no = $8",
        args![
            file.plain_sha256.clone(),
            file.sent_at,
            file.arrived_at,
            file.answered_at,
            file.cause.clone(),
            file.accepted,
            file.rejected,
            file.no
        ],
    )
    .await?;
    Ok(())
}

/// Says of records which lines they are, of the file where there is one.
pub(crate) async fn place(
    tx: &mut Tx<'_>,
    submission: i64,
    file: Option<i64>,
    places: &[(i64, i64)],
) -> Result<(), DbError> {
    for some in places.chunks(500) {
        let sql = format!(
            "WITH v(q, n) AS (VALUES {}) UPDATE submission_records SET file = $1, line = v.n \
             FROM v WHERE submission_records.submission = $2 AND submission_records.seq = v.q",
            super::accounts::literals(some)
        );
        tx.execute(AssertSqlSafe(sql), args![file, submission])
            .await?;
    }
    Ok(())
}
