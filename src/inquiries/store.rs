//! The rows of inquiries. Every change of state compares and sets.

use jiff::Timestamp;
use sqlx::FromRow;

use super::state::State;
use crate::{
    args,
    platform::{
        clock::from_micros,
        db::{Db, DbError, Tx},
        fault::Commit,
        ids::{BureauId, InquiryId, InstitutionId, SubjectId},
    },
};

/// An inquiry as the database keeps it. No field is a personal datum.
#[derive(Clone, Debug, FromRow)]
pub struct Record {
    /// Its identifier.
    pub id: InquiryId,
    /// The institution that asks.
    pub institution: InstitutionId,
    /// Whom it is about.
    pub subject: SubjectId,
    /// The bureau asked.
    pub bureau: String,
    /// The product asked for.
    pub product: String,
    /// The purpose, by name.
    pub purpose: String,
    /// The business it serves.
    pub business_ref: String,
    /// Operator or machine client that asks.
    pub requester: String,
    /// The person behind it; a machine client stands for itself.
    pub requester_person: String,
    /// State, by name.
    pub state: String,
    /// When it came, UTC microseconds; so are all times here.
    pub received_at: i64,
    /// When to stop waiting for the line.
    pub deadline_at: i64,
    /// The authorization that the last decision relied on.
    pub authorization_id: Option<String>,
    /// JSON: findings of the last decision, or why it is on hold.
    pub reasons: Option<String>,
    /// Who checked it.
    pub checker: Option<String>,
    /// The person who checked it.
    pub checker_person: Option<String>,
    /// When it was checked.
    pub checked_at: Option<i64>,
    /// Dispatches so far.
    pub attempts: i64,
    /// The start of the server that dispatched it last.
    pub epoch: Option<i64>,
    /// When it was dispatched last.
    pub dispatched_at: Option<i64>,
    /// The identifier of the message at the bureau.
    pub message_id: Option<String>,
    /// When it was settled.
    pub ended_at: Option<i64>,
    /// `hit`, `no_hit`, `partial`; `recorded`, `not_recorded` when reconciled.
    pub outcome: Option<String>,
    /// The bureau's result code.
    pub bureau_code: Option<String>,
    /// Stable code of what went wrong on the way.
    pub cause: Option<String>,
    /// The inquiry that this one mends.
    pub asks_again_for: Option<String>,
    /// The audit entry of its last change.
    pub receipt: String,
}

impl Record {
    /// Its state. A name that this version does not know counts as unknown:
    /// nothing will be sent for it.
    #[must_use]
    pub fn state(&self) -> State {
        State::named(&self.state).unwrap_or(State::Unknown)
    }

    /// When it came.
    #[must_use]
    pub fn received(&self) -> Timestamp {
        from_micros(self.received_at)
    }
}

/// What a change of state also writes; `None` leaves a column as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) authorization_id: Option<String>,
    pub(crate) reasons: Option<String>,
    pub(crate) checker: Option<(String, String, Timestamp)>,
    pub(crate) dispatched: Option<(i64, Timestamp, String)>,
    pub(crate) deadline_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) outcome: Option<&'static str>,
    pub(crate) bureau_code: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) receipt: String,
}

/// Inserts a new inquiry with all its columns.
pub(crate) async fn insert(tx: &mut Tx<'_>, new: &Record) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO inquiries (id, institution, subject, bureau, product, purpose, business_ref, \
         requester, requester_person, state, received_at, deadline_at, authorization_id, reasons, \
         checker, checker_person, checked_at, attempts, epoch, dispatched_at, message_id, \
         ended_at, outcome, cause, asks_again_for, receipt) VALUES ($1, $2, $3, $4, $5, $6, $7, \
         $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, \
         $26)",
        args![
            &new.id,
            &new.institution,
            &new.subject,
            &new.bureau,
            &new.product,
            &new.purpose,
            &new.business_ref,
            &new.requester,
            &new.requester_person,
            &new.state,
            new.received_at,
            new.deadline_at,
            new.authorization_id.clone(),
            new.reasons.clone(),
            new.checker.clone(),
            new.checker_person.clone(),
            new.checked_at,
            new.attempts,
            new.epoch,
            new.dispatched_at,
            new.message_id.clone(),
            new.ended_at,
            new.outcome.clone(),
            new.cause.clone(),
            new.asks_again_for.clone(),
            &new.receipt,
        ],
    )
    .await?;
    State::Received.passes(new.state(), Commit::Before);
    Ok(())
}

/// Moves an inquiry along an edge; `false` where it no longer stands at `from`.
///
/// # Errors
///
/// [`DbError::Refused`] where no such edge is in [`super::state::EDGES`]; those
/// of the database.
pub(crate) async fn advance(
    tx: &mut Tx<'_>,
    id: &InquiryId,
    from: State,
    to: State,
    change: Change,
) -> Result<bool, DbError> {
    if !from.may_become(to) {
        return Err(DbError::Refused(format!(
            "no way from {} to {}",
            from.name(),
            to.name()
        )));
    }
    let (checker, checker_person, checked_at) = change
        .checker
        .map_or((None, None, None), |(who, person, at)| {
            (Some(who), Some(person), Some(at))
        });
    let (epoch, dispatched_at, message_id) = change
        .dispatched
        .map_or((None, None, None), |(epoch, at, id)| {
            (Some(epoch), Some(at), Some(id))
        });
    let attempts = i64::from(epoch.is_some());
    let changed = tx
        .execute(
            "UPDATE inquiries SET state = $1, receipt = $2, attempts = attempts + $3, \
             authorization_id = COALESCE($4, authorization_id), \
             reasons = COALESCE($5, reasons), checker = COALESCE($6, checker), \
             checker_person = COALESCE($7, checker_person), \
             checked_at = COALESCE($8, checked_at), epoch = COALESCE($9, epoch), \
             dispatched_at = COALESCE($10, dispatched_at), \
             message_id = COALESCE($11, message_id), ended_at = COALESCE($12, ended_at), \
             outcome = COALESCE($13, outcome), bureau_code = COALESCE($14, bureau_code), \
             cause = COALESCE($15, cause), deadline_at = COALESCE($16, deadline_at) \
             WHERE id = $17 AND state = $18",
            args![
                to.name(),
                change.receipt,
                attempts,
                change.authorization_id,
                change.reasons,
                checker,
                checker_person,
                checked_at,
                epoch,
                dispatched_at,
                message_id,
                change.ended_at,
                change.outcome,
                change.bureau_code,
                change.cause,
                change.deadline_at,
                id,
                from.name(),
            ],
        )
        .await?;
    if changed == 1 {
        from.passes(to, Commit::Before);
    }
    Ok(changed == 1)
}

/// Moves an inquiry from permitted to dispatched, as `record` says; `false`
/// where it no longer waits.
pub(crate) async fn dispatch(tx: &mut Tx<'_>, record: &Record) -> Result<bool, DbError> {
    let change = Change {
        authorization_id: record.authorization_id.clone(),
        dispatched: record
            .epoch
            .zip(record.dispatched_at)
            .zip(record.message_id.clone())
            .map(|((epoch, at), message_id)| (epoch, from_micros(at), message_id)),
        receipt: record.receipt.clone(),
        ..Change::default()
    };
    advance(tx, &record.id, State::Permitted, State::Dispatched, change).await
}

/// An inquiry of an institution.
pub(crate) async fn find(
    db: &Db,
    institution: &InstitutionId,
    id: &InquiryId,
) -> Result<Option<Record>, DbError> {
    db.first(
        "SELECT * FROM inquiries WHERE id = $1 AND institution = $2",
        args![id, institution],
    )
    .await
}

/// All inquiries in a state, oldest first.
pub(crate) async fn in_state(db: &Db, state: State) -> Result<Vec<Record>, DbError> {
    db.all(
        "SELECT * FROM inquiries WHERE state = $1 ORDER BY received_at, id",
        args![state.name()],
    )
    .await
}

/// The identifiers of all inquiries in a state, oldest first.
pub(crate) async fn ids_in_state(db: &Db, state: State) -> Result<Vec<InquiryId>, DbError> {
    let rows: Vec<(InquiryId,)> = db
        .all(
            "SELECT id FROM inquiries WHERE state = $1 ORDER BY received_at, id",
            args![state.name()],
        )
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What a key of a client stands for: the digest of the request, and its inquiry.
pub(crate) async fn key(
    db: &Db,
    institution: &InstitutionId,
    client: &str,
    key: &str,
) -> Result<Option<(Vec<u8>, InquiryId)>, DbError> {
    db.first(
        "SELECT request_sha256, inquiry FROM idempotency_keys \
         WHERE institution = $1 AND client = $2 AND idempotency_key = $3",
        args![institution, client, key],
    )
    .await
}

/// Claims a key; a second claim is a unique violation and rolls all back.
pub(crate) async fn claim_key(
    tx: &mut Tx<'_>,
    new: &Record,
    key: &str,
    digest: [u8; 32],
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO idempotency_keys \
         (institution, client, idempotency_key, request_sha256, inquiry, made_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        args![
            &new.institution,
            &new.requester,
            key,
            digest,
            &new.id,
            new.received_at
        ],
    )
    .await?;
    Ok(())
}

/// Keeps an answer, sealed.
pub(crate) async fn keep_answer(
    tx: &mut Tx<'_>,
    inquiry: &InquiryId,
    subject: &SubjectId,
    sealed: Vec<u8>,
    sealed_sha256: [u8; 32],
    at: Timestamp,
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO answers (inquiry, subject, sealed, sealed_sha256, kept_at) \
         VALUES ($1, $2, $3, $4, $5)",
        args![inquiry, subject, sealed, sealed_sha256, at],
    )
    .await?;
    Ok(())
}

/// A kept answer, sealed as it is.
pub(crate) async fn answer(db: &Db, inquiry: &InquiryId) -> Result<Option<Vec<u8>>, DbError> {
    let row: Option<(Vec<u8>,)> = db
        .first(
            "SELECT sealed FROM answers WHERE inquiry = $1",
            args![inquiry],
        )
        .await?;
    Ok(row.map(|(sealed,)| sealed))
}

/// The latest inquiry answered with a report of an institution on a subject at a bureau, for
/// a product and purpose under one authorization, that came at or after `since`.
pub(crate) async fn latest_answer(
    db: &Db,
    like: &Record,
    since: Timestamp,
) -> Result<Option<Record>, DbError> {
    db.first(
        "SELECT * FROM inquiries WHERE institution = $1 AND subject = $2 AND bureau = $3 \
         AND product = $4 AND purpose = $5 AND authorization_id = $6 AND state = 'answered' \
         AND outcome IN ('hit', 'partial') \
         AND ended_at >= $7 ORDER BY ended_at DESC LIMIT 1",
        args![
            &like.institution,
            &like.subject,
            &like.bureau,
            &like.product,
            &like.purpose,
            like.authorization_id.clone(),
            since,
        ],
    )
    .await
}

/// An inquiry of whatever institution: for the gateway's own tasks.
pub(crate) async fn by_id(db: &Db, id: &InquiryId) -> Result<Option<Record>, DbError> {
    db.first("SELECT * FROM inquiries WHERE id = $1", args![id])
        .await
}

/// The inquiries of an institution at a bureau that were dispatched in a period.
pub(crate) async fn dispatched_between(
    db: &Db,
    institution: &InstitutionId,
    bureau: &BureauId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Record>, DbError> {
    db.all(
        "SELECT * FROM inquiries WHERE institution = $1 AND bureau = $2 \
         AND dispatched_at >= $3 AND dispatched_at < $4 ORDER BY dispatched_at",
        args![institution, bureau, from, until],
    )
    .await
}

/// Puts a readable answer in the place of an unreadable one.
pub(crate) async fn replace_answer(
    tx: &mut Tx<'_>,
    inquiry: &InquiryId,
    sealed: Vec<u8>,
    sealed_sha256: [u8; 32],
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE answers SET sealed = $1, sealed_sha256 = $2 WHERE inquiry = $3",
        args![sealed, sealed_sha256, inquiry],
    )
    .await?;
    Ok(())
}

/// The latest inquiry of an institution that was answered with a report.
pub(crate) async fn last_report(
    db: &Db,
    institution: &InstitutionId,
) -> Result<Option<Record>, DbError> {
    db.first(
        "SELECT * FROM inquiries WHERE institution = $1 AND state = 'answered' \
         AND outcome = 'hit' ORDER BY received_at DESC, id DESC LIMIT 1",
        args![institution],
    )
    .await
}

/// How many inquiries are unknown and were dispatched before a moment.
pub(crate) async fn unknown_since(db: &Db, before: Timestamp) -> Result<i64, DbError> {
    let row: Option<(i64,)> = db
        .first(
            "SELECT COUNT(*) FROM inquiries WHERE state = 'unknown' AND dispatched_at < $1",
            args![before],
        )
        .await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// An inquiry that asked the same for the same business, and whose outcome is
/// unknown.
pub(crate) async fn unknown_like(db: &Db, like: &Record) -> Result<Option<InquiryId>, DbError> {
    let row: Option<(InquiryId,)> = db
        .first(
            "SELECT id FROM inquiries WHERE subject = $1 AND institution = $2 AND bureau = $3 \
             AND product = $4 AND business_ref = $5 AND state = 'unknown' LIMIT 1",
            args![
                &like.subject,
                &like.institution,
                &like.bureau,
                &like.product,
                &like.business_ref
            ],
        )
        .await?;
    Ok(row.map(|(id,)| id))
}
