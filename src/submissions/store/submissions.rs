//! The rows of submissions.

use sqlx::FromRow;

use crate::{
    args,
    platform::{
        db::{Db, DbError, Tx},
        ids::InstitutionId,
    },
    submissions::{SubmissionState, SubmitError},
};

/// A submission as the database keeps it. No field is a personal datum.
#[derive(Clone, Debug, FromRow)]
pub struct Submission {
    /// Its number: records and entries name it so.
    pub no: i64,
    /// Its identifier.
    pub id: String,
    /// The institution that reports.
    pub institution: InstitutionId,
    /// The bureau reported to.
    pub bureau: String,
    /// Operator or machine client that submits.
    pub submitter: String,
    /// `jsonl`, `csv` or `xlsx`.
    pub format: String,
    /// The record type of a CSV.
    pub record: Option<String>,
    /// State, by name.
    pub state: String,
    /// Records taken in durably.
    pub taken: i64,
    /// The chain of digests over them.
    pub chain_sha256: Vec<u8>,
    /// How many of them were set aside.
    pub set_aside: i64,
    /// When it came, UTC microseconds; so are all times here.
    pub received_at: i64,
    /// When all its records were durable.
    pub ended_at: Option<i64>,
    /// The entry that stands for its last change.
    pub receipt: String,
}

/// What names one: a client's key, or its identifier.
pub(crate) struct New<'n> {
    pub(crate) client: &'n str,
    pub(crate) key: &'n str,
    pub(crate) person: &'n str,
}

macro_rules! columns {
    () => {
        "no, id, institution, bureau, submitter, format, record, state, taken, chain_sha256, \
         set_aside, received_at, ended_at, receipt"
    };
}

pub(crate) async fn by_key(
    db: &Db,
    institution: &InstitutionId,
    client: &str,
    key: &str,
) -> Result<Option<Submission>, DbError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM submissions WHERE institution = $1 AND client = $2 AND idempotency_key = $3"
    );
    db.first(sql, args![institution, client, key]).await
}

pub(crate) async fn find(
    db: &Db,
    institution: &InstitutionId,
    id: &str,
) -> Result<Option<Submission>, DbError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM submissions WHERE institution = $1 AND id = $2"
    );
    db.first(sql, args![institution, id]).await
}

/// The latest first, before the number `before`.
pub(crate) async fn page(
    db: &Db,
    institution: &InstitutionId,
    before: i64,
    limit: i64,
) -> Result<Vec<Submission>, DbError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM submissions WHERE institution = $1 AND no < $2 ORDER BY no DESC LIMIT $3"
    );
    db.all(sql, args![institution, before, limit]).await
}

pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    row: &Submission,
    new: &New<'_>,
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO submissions (no, id, institution, bureau, client, idempotency_key, \
         submitter, submitter_person, format, record, state, taken, chain_sha256, set_aside, \
         received_at, ended_at, receipt) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        args![
            row.no,
            &row.id,
            &row.institution,
            &row.bureau,
            new.client,
            new.key,
            &row.submitter,
            new.person,
            &row.format,
            row.record.clone(),
            &row.state,
            row.taken,
            row.chain_sha256.clone(),
            row.set_aside,
            row.received_at,
            row.ended_at,
            &row.receipt
        ],
    )
    .await?;
    Ok(())
}

/// The number of the next one. Only one at a time may ask.
pub(crate) async fn next_no(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    let last: Option<(Option<i64>,)> = tx.first("SELECT MAX(no) FROM submissions", args![]).await?;
    Ok(last.and_then(|(no,)| no).unwrap_or(0) + 1)
}

/// Moves the count of what is durable on; refuses where another was faster.
pub(crate) async fn advance(
    tx: &mut Tx<'_>,
    before: &Submission,
    after: &Submission,
) -> Result<(), SubmitError> {
    let changed = tx
        .execute(
            "UPDATE submissions SET state = $1, taken = $2, chain_sha256 = $3, set_aside = $4, \
             ended_at = $5, receipt = $6 WHERE no = $7 AND state = $8 AND taken = $9",
            args![
                &after.state,
                after.taken,
                after.chain_sha256.clone(),
                after.set_aside,
                after.ended_at,
                &after.receipt,
                before.no,
                &before.state,
                before.taken
            ],
        )
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(SubmitError::Busy)
    }
}

/// Submissions with held records, in their order.
pub(crate) async fn with_held(db: &Db) -> Result<Vec<Submission>, DbError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM submissions WHERE state = 'taken' AND no IN \
         (SELECT submission FROM submission_records WHERE state = 'held') ORDER BY no"
    );
    db.all(sql, args![]).await
}

/// How many records of a submission are in each state.
pub(crate) async fn counts(db: &Db, no: i64) -> Result<Vec<(String, i64)>, DbError> {
    db.all(
        "SELECT state, COUNT(*) FROM submission_records WHERE submission = $1 \
         GROUP BY state ORDER BY state",
        args![no],
    )
    .await
}

impl Submission {
    /// Its state; what the database does not know is still being received.
    #[must_use]
    pub fn state(&self) -> SubmissionState {
        SubmissionState::named(&self.state).unwrap_or(SubmissionState::Receiving)
    }
}

/// How many subjects were erased so far.
pub(crate) async fn erasures(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    let row: Option<(i64,)> = tx.first(ERASURES, args![]).await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// As [`erasures`], outside any transaction.
pub(crate) async fn erasures_read(db: &Db) -> Result<i64, DbError> {
    let row: Option<(i64,)> = db.first(ERASURES, args![]).await?;
    Ok(row.map_or(0, |(count,)| count))
}

const ERASURES: &str = "SELECT COUNT(*) FROM erasures";
