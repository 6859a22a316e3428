//! The rows of files.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, FromRow};

use crate::{
    args,
    platform::{
        db::{Db, DbError, Kind, Tx},
        fault::Commit,
        ids::{BureauId, InstitutionId},
    },
    submissions::{FileState, SubmitError},
};

/// A file as the database keeps it.
#[derive(Clone, Debug, FromRow)]
pub struct FileRow {
    /// Its number: records name it so.
    pub no: i64,
    /// Its identifier.
    pub id: String,
    /// The institution that reports.
    pub institution: InstitutionId,
    /// The bureau.
    pub bureau: BureauId,
    /// The type of its records.
    pub record: String,
    /// The day in its name, yyyyMMdd.
    pub day: String,
    /// The time in its header, yyyyMMddHHmmss.
    pub created: String,
    /// Its serial.
    pub serial: i64,
    /// Its mandated name.
    pub name: String,
    /// State, by name.
    pub state: String,
    /// How many records it holds.
    pub records: i64,
    /// SHA-256 of the text.
    pub plain_sha256: Option<Vec<u8>>,
    /// SHA-256 of the sealed bytes.
    pub sealed_sha256: Option<Vec<u8>>,
    /// How many sealed bytes.
    pub sealed_bytes: Option<i64>,
    /// Deliveries begun.
    pub attempts: i64,
    /// When its name was reserved, UTC microseconds; so are all times here.
    pub reserved_at: i64,
    /// When it was delivered first.
    pub sent_at: Option<i64>,
    /// When it was known to have arrived.
    pub arrived_at: Option<i64>,
    /// When it was answered or refused.
    pub answered_at: Option<i64>,
    /// Why it waits for a person, or the code that refused it.
    pub cause: Option<String>,
    /// Accepted records, once answered.
    pub accepted: Option<i64>,
    /// Rejected records, once answered.
    pub rejected: Option<i64>,
    /// The entry that stands for its last change.
    pub receipt: String,
}

const COLUMNS: &str = "no, id, institution, bureau, record, day, created, serial, name, state, \
    records, plain_sha256, sealed_sha256, sealed_bytes, attempts, reserved_at, sent_at, \
    arrived_at, answered_at, cause, accepted, rejected, receipt";

pub(crate) async fn insert(tx: &mut Tx<'_>, file: &FileRow) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO submission_files (no, id, institution, bureau, record, day, created, \
         serial, name, state, records, attempts, reserved_at, receipt) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        args![
            file.no,
            &file.id,
            &file.institution,
            &file.bureau,
            &file.record,
            &file.day,
            &file.created,
            file.serial,
            &file.name,
            &file.state,
            file.records,
            file.attempts,
            file.reserved_at,
            &file.receipt
        ],
    )
    .await?;
    Ok(())
}

/// Number of the next file, and its serial of that day. Only one at a time may
/// ask; the constraint of the table bears witness.
pub(crate) async fn next(
    tx: &mut Tx<'_>,
    institution: &InstitutionId,
    bureau: &BureauId,
    record: &str,
    day: &str,
) -> Result<(i64, i64), DbError> {
    let no: Option<(Option<i64>,)> = tx
        .first("SELECT MAX(no) FROM submission_files", args![])
        .await?;
    let serial: Option<(Option<i64>,)> = tx
        .first(
            "SELECT MAX(serial) FROM submission_files \
             WHERE institution = $1 AND bureau = $2 AND record = $3 AND day = $4",
            args![institution, bureau, record, day],
        )
        .await?;
    let after = |row: Option<(Option<i64>,)>| row.and_then(|(last,)| last).unwrap_or(0) + 1;
    Ok((after(no), after(serial)))
}

/// Files in a state, in the order of their reservation.
pub(crate) async fn in_state(db: &Db, state: FileState) -> Result<Vec<FileRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM submission_files WHERE state = $1 ORDER BY no");
    db.all(AssertSqlSafe(sql), args![state.name()]).await
}

pub(crate) async fn find(
    db: &Db,
    institution: &InstitutionId,
    id: &str,
) -> Result<Option<FileRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM submission_files WHERE institution = $1 AND id = $2");
    db.first(AssertSqlSafe(sql), args![institution, id]).await
}

/// The file whose name begins so.
pub(crate) async fn by_name(db: &Db, name: &str) -> Result<Option<FileRow>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM submission_files WHERE name = $1");
    db.first(AssertSqlSafe(sql), args![name]).await
}

/// The latest first, before the number `before`.
pub(crate) async fn page(
    db: &Db,
    institution: &InstitutionId,
    state: Option<FileState>,
    before: i64,
    limit: i64,
) -> Result<Vec<FileRow>, DbError> {
    let state = state.map_or("", FileState::name);
    let sql = format!(
        "SELECT {COLUMNS} FROM submission_files WHERE institution = $1 AND no < $2 \
         AND ($3 = '' OR state = $3) ORDER BY no DESC LIMIT $4"
    );
    db.all(AssertSqlSafe(sql), args![institution, before, state, limit])
        .await
}

/// Changes the state of a file as it was read, with everything else that its
/// row may change in.
pub(crate) async fn change(
    tx: &mut Tx<'_>,
    before: &FileRow,
    after: &FileRow,
) -> Result<(), SubmitError> {
    let (from, to) = (before.state(), after.state());
    if from != to && !from.may_become(to) {
        return Err(SubmitError::WrongFileState(from));
    }
    let changed = tx
        .execute(
            "UPDATE submission_files SET state = $1, records = $2, plain_sha256 = $3, \
             sealed_sha256 = $4, sealed_bytes = $5, attempts = $6, sent_at = $7, \
             arrived_at = $8, answered_at = $9, cause = $10, accepted = $11, rejected = $12, \
             receipt = $13 WHERE no = $14 AND state = $15 AND attempts = $16",
            args![
                &after.state,
                after.records,
                after.plain_sha256.clone(),
                after.sealed_sha256.clone(),
                after.sealed_bytes,
                after.attempts,
                after.sent_at,
                after.arrived_at,
                after.answered_at,
                after.cause.clone(),
                after.accepted,
                after.rejected,
                &after.receipt,
                before.no,
                &before.state,
                before.attempts
            ],
        )
        .await?;
    if changed != 1 {
        return Err(SubmitError::WrongFileState(from));
    }
    from.passes(to, Commit::Before);
    Ok(())
}

/// Says whether the lines of a file are on their way out of it.
pub(crate) async fn give_up(tx: &mut Tx<'_>, no: i64, is_under_way: bool) -> Result<(), DbError> {
    tx.execute(
        "UPDATE submission_files SET giving_up = $1 WHERE no = $2",
        args![is_under_way, no],
    )
    .await?;
    Ok(())
}

/// The files whose lines are on their way out of them.
pub(crate) async fn giving_up(db: &Db) -> Result<Vec<i64>, DbError> {
    let rows: Vec<(i64,)> = db
        .all(
            "SELECT no FROM submission_files WHERE giving_up ORDER BY no",
            args![],
        )
        .await?;
    Ok(rows.into_iter().map(|(no,)| no).collect())
}

/// The names of feedback files of which any has another outcome than these.
pub(crate) async fn settled_feedback(
    db: &Db,
    [one, two, three]: [&str; 3],
) -> Result<HashSet<String>, DbError> {
    let rows: Vec<(String,)> = db
        .all(
            "SELECT DISTINCT name FROM submission_feedback WHERE outcome NOT IN ($1, $2, $3)",
            args![one, two, three],
        )
        .await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// What was read of a feedback file of that name before, newest first.
pub(crate) async fn feedback_named(db: &Db, name: &str) -> Result<Vec<(Vec<u8>, String)>, DbError> {
    db.all(
        "SELECT sealed_sha256, outcome FROM submission_feedback WHERE name = $1 \
         ORDER BY taken_at DESC",
        args![name],
    )
    .await
}

/// Notes what became of a feedback file.
pub(crate) async fn note_feedback(
    tx: &mut Tx<'_>,
    name: &str,
    sha256: &[u8],
    file: Option<i64>,
    outcome: &str,
    at: i64,
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO submission_feedback (name, sealed_sha256, file, outcome, taken_at) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (name, sealed_sha256) DO UPDATE SET outcome = $4, taken_at = $5",
        args![name, sha256, file, outcome, at],
    )
    .await?;
    Ok(())
}

/// Gives the feedback on a file that has one outcome another one.
pub(crate) async fn count_again(
    tx: &mut Tx<'_>,
    file: i64,
    from: &'static str,
    to: &'static str,
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE submission_feedback SET outcome = $1 WHERE file = $2 AND outcome = $3",
        args![to, file, from],
    )
    .await?;
    Ok(())
}

/// Gives all feedback on a file another outcome.
pub(crate) async fn look_again(
    tx: &mut Tx<'_>,
    file: i64,
    outcome: &'static str,
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE submission_feedback SET outcome = $1 WHERE file = $2",
        args![outcome, file],
    )
    .await?;
    Ok(())
}

impl FileRow {
    /// Its state; what the database does not know needs a person.
    #[must_use]
    pub fn state(&self) -> FileState {
        FileState::named(&self.state).unwrap_or(FileState::Stopped)
    }
}

/// Holds a file until the transaction ends, so that one after another gives it
/// lines; on SQLite there is but one writer.
pub(crate) async fn hold(tx: &mut Tx<'_>, no: i64) -> Result<(), DbError> {
    if tx.kind() == Kind::Postgres {
        let lock = "SELECT no FROM submission_files WHERE no = $1 FOR UPDATE";
        let _: Option<(i64,)> = tx.first(lock, args![no]).await?;
    }
    Ok(())
}
