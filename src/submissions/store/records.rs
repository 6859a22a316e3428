//! The rows of records.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, FromRow};

use super::{accounts::literals, holes, list};
use crate::{
    args,
    platform::{
        db::{Arg, Args, Db, DbError, Kind, Tx},
        ids::{BureauId, InstitutionId, SubjectId},
    },
    submissions::RecordState,
};

/// A record on its way into the database.
#[derive(Clone, Debug)]
pub(crate) struct NewRow {
    /// Whether it was judged by what a record before it was expected to become.
    pub(crate) is_assumed: bool,
    /// Whether its account stands for a name that another one is to get.
    pub(crate) is_reserved: bool,
    /// The account that stands for the name which it gives its own.
    pub(crate) reserves: Option<i64>,
    /// The record that stood for the account at the bureau when it was judged.
    pub(crate) accepted: Option<(i64, i64)>,
    pub(crate) seq: i64,
    pub(crate) record: String,
    pub(crate) account: Option<i64>,
    pub(crate) subject: Option<SubjectId>,
    pub(crate) state: RecordState,
    pub(crate) report_date: Option<String>,
    pub(crate) holds: Option<String>,
    pub(crate) needs: Option<String>,
    pub(crate) findings: Option<String>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) sealed_sha256: [u8; 32],
    pub(crate) corrects: Option<(i64, i64)>,
    pub(crate) dispute: Option<String>,
}

/// What a list shows of a record.
#[derive(Clone, Debug, FromRow)]
pub struct Outline {
    /// The number of its submission.
    pub submission: i64,
    /// Its place in the input, counted from 1.
    pub seq: i64,
    /// Its type.
    pub record: String,
    /// State, by name.
    pub state: String,
    /// The day that it tells of.
    pub report_date: Option<String>,
    /// JSON: what it waits for.
    pub holds: Option<String>,
    /// JSON: findings.
    pub findings: Option<String>,
    /// JSON: what the bureau answered.
    pub answer: Option<String>,
    /// The file it is a line of.
    pub file: Option<i64>,
    /// Its line there.
    pub line: Option<i64>,
    /// What it corrects: submission and place, `/` between.
    pub corrects: Option<String>,
    /// What took its place, likewise.
    pub corrected_by: Option<String>,
}

/// What it takes to open a record again.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Kept {
    pub(crate) submission: i64,
    pub(crate) seq: i64,
    pub(crate) record: String,
    pub(crate) account: Option<i64>,
    pub(crate) subject: Option<SubjectId>,
    pub(crate) state: String,
    pub(crate) holds: Option<String>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) line: Option<i64>,
    pub(crate) dispute: Option<String>,
}

const OUTLINE: &str = "r.submission, r.seq, r.record, r.state, r.report_date, r.holds, \
    r.findings, r.answer, r.file, r.line, \
    (SELECT s.id || '/' || r.corrects_seq FROM submissions s \
     WHERE s.no = r.corrects_submission) AS corrects, \
    (SELECT s.id || '/' || c.seq FROM submission_records c \
     JOIN submissions s ON s.no = c.submission \
     WHERE c.corrects_submission = r.submission AND c.corrects_seq = r.seq \
     AND c.state <> 'set_aside' AND r.state = 'replaced' \
     ORDER BY c.submission, c.seq LIMIT 1) AS corrected_by";
const KEPT: &str = "r.submission, r.seq, r.record, r.account, r.subject, r.state, \
    r.holds, r.sealed, r.line, r.dispute";

/// Inserts a chunk with one statement.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    submission: i64,
    rows: &[NewRow],
) -> Result<(), DbError> {
    for some in rows.chunks(250) {
        let sql = format!(
            "INSERT INTO submission_records (submission, seq, record, account, subject, state, \
             report_date, holds, needs, findings, sealed, sealed_sha256, \
             corrects_submission, corrects_seq, dispute) VALUES {}",
            holes(some.len(), 15)
        );
        let mut args = Args::default();
        for row in some {
            args.0.extend(
                args![
                    submission,
                    row.seq,
                    &row.record,
                    row.account,
                    row.subject.as_ref(),
                    row.state.name(),
                    row.report_date.clone(),
                    row.holds.clone(),
                    row.needs.clone(),
                    row.findings.clone(),
                    row.sealed.clone(),
                    row.sealed_sha256,
                    row.corrects.map(|(submission, _)| submission),
                    row.corrects.map(|(_, seq)| seq),
                    row.dispute.clone()
                ]
                .0,
            );
        }
        tx.execute(AssertSqlSafe(sql), args).await?;
    }
    Ok(())
}

/// A record by its submission and place.
pub(crate) async fn find(db: &Db, submission: i64, seq: i64) -> Result<Option<Kept>, DbError> {
    let sql =
        format!("SELECT {KEPT} FROM submission_records r WHERE r.submission = $1 AND r.seq = $2");
    db.first(AssertSqlSafe(sql), args![submission, seq]).await
}

/// Records of a submission in one state, after `after`.
pub(crate) async fn page(
    db: &Db,
    submission: i64,
    state: Option<RecordState>,
    after: i64,
    limit: i64,
) -> Result<Vec<Outline>, DbError> {
    let state = state.map_or("", RecordState::name);
    let sql = format!(
        "SELECT {OUTLINE} FROM submission_records r WHERE r.submission = $1 AND r.seq > $2 \
         AND ($3 = '' OR r.state = $3) ORDER BY r.seq LIMIT $4"
    );
    db.all(AssertSqlSafe(sql), args![submission, after, state, limit])
        .await
}

/// Held records of a submission after `after`, in their order.
pub(crate) async fn held(
    db: &Db,
    submission: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Kept>, DbError> {
    let sql = format!(
        "SELECT {KEPT} FROM submission_records r WHERE r.state = 'held' \
         AND r.submission = $1 AND r.seq > $2 ORDER BY r.seq LIMIT $3"
    );
    db.all(AssertSqlSafe(sql), args![submission, after, limit])
        .await
}

/// The records of an account that were accepted, in their order.
pub(crate) async fn accepted(db: &Db, account: i64) -> Result<Vec<Kept>, DbError> {
    let sql = format!(
        "SELECT {KEPT} FROM submission_records r WHERE r.account = $1 \
         AND r.state = 'accepted' ORDER BY r.submission, r.seq"
    );
    db.all(AssertSqlSafe(sql), args![account]).await
}

/// A line of a file, as pass two needs it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct FileLine {
    pub(crate) submission: i64,
    pub(crate) seq: i64,
    pub(crate) line: i64,
    pub(crate) sealed: Vec<u8>,
    pub(crate) sealed_sha256: Vec<u8>,
    pub(crate) subject: Option<SubjectId>,
    /// The wrapped keys of the subject; none once it is erased.
    pub(crate) keys: Option<Vec<u8>>,
}

/// Lines of a file, after the line `after`.
pub(crate) async fn lines(
    db: &Db,
    file: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<FileLine>, DbError> {
    db.many(
        "SELECT r.submission, r.seq, r.line, r.sealed, r.sealed_sha256, r.subject, s.keys \
         FROM submission_records r LEFT JOIN subjects s ON s.id = r.subject \
         WHERE r.file = $1 AND r.line > $2 ORDER BY r.line LIMIT $3",
        args![file, after, limit],
    )
    .await
}

/// Ready records, in words by which SQLite finds the index of those that wait:
/// it takes a partial index only for the condition that the index has.
macro_rules! ready {
    () => {
        "r.state IN ('held', 'ready', 'rejected') AND r.state = 'ready'"
    };
}

/// Of the record type $3, in whole submissions of the institution $1 to the
/// bureau $2. The sign keeps SQLite from going through all submissions there
/// ever were: the index gives the order.
macro_rules! of_ours {
    () => {
        "r.record = $3 AND +r.submission IN (SELECT s.no FROM submissions s \
         WHERE s.state = 'taken' AND s.institution = $1 AND s.bureau = $2)"
    };
}

/// Which kinds of ready records wait for a file.
pub(crate) async fn waiting(db: &Db) -> Result<Vec<(String, String, String)>, DbError> {
    db.all(
        concat!(
            "SELECT DISTINCT s.institution, s.bureau, w.record FROM \
             (SELECT DISTINCT r.record, r.submission FROM submission_records r WHERE ",
            ready!(),
            ") AS w JOIN submissions s ON s.no = w.submission WHERE s.state = 'taken' \
             ORDER BY s.institution, s.bureau, w.record"
        ),
        args![],
    )
    .await
}

/// Counts ready records up to a limit.
pub(crate) async fn count_ready(
    db: &Db,
    institution: &InstitutionId,
    bureau: &BureauId,
    record: &str,
    limit: i64,
) -> Result<i64, DbError> {
    let row: Option<(i64,)> = db
        .first(
            concat!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM submission_records r WHERE ",
                ready!(),
                " AND ",
                of_ours!(),
                " LIMIT $4) AS few"
            ),
            args![institution, bureau, record, limit],
        )
        .await?;
    Ok(row.map_or(0, |(count,)| count))
}

/// A ready record, and what must hold of it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Waiting {
    pub(crate) submission: i64,
    pub(crate) seq: i64,
    pub(crate) account: Option<i64>,
    pub(crate) subject: Option<SubjectId>,
    pub(crate) needs: Option<String>,
    pub(crate) dispute: Option<String>,
}

/// The next ready records for a file, in their order; they stay as they are
/// until the transaction ends.
pub(crate) async fn next_ready(
    tx: &mut Tx<'_>,
    (institution, bureau, record): (&InstitutionId, &BureauId, &str),
    limit: i64,
) -> Result<Vec<Waiting>, DbError> {
    // A person may take one back meanwhile; on SQLite there is but one writer.
    let lock = match tx.kind() {
        Kind::Postgres => " FOR UPDATE OF r",
        Kind::Sqlite => "",
    };
    let sql = concat!(
        "SELECT r.submission, r.seq, r.account, r.subject, r.needs, r.dispute \
         FROM submission_records r WHERE ",
        ready!(),
        " AND ",
        of_ours!(),
        " ORDER BY r.submission, r.seq LIMIT $4"
    );
    let sql = format!("{sql}{lock}");
    let args = args![institution, bureau, record, limit];
    tx.all(AssertSqlSafe(sql), args).await
}

/// Makes ready records that need not be looked at the next lines of a file: no
/// authorization must still hold, no dispute is named or open. How many.
pub(crate) async fn file_plain(
    tx: &mut Tx<'_>,
    (institution, bureau, record): (&InstitutionId, &BureauId, &str),
    (file, last_line): (i64, i64),
    limit: i64,
) -> Result<u64, DbError> {
    let lock = match tx.kind() {
        Kind::Postgres => " FOR UPDATE OF r",
        Kind::Sqlite => "",
    };
    let sql = format!(
        concat!(
            "WITH v(s, q, n) AS (SELECT w.submission, w.seq, \
             row_number() OVER (ORDER BY w.submission, w.seq) FROM \
             (SELECT r.submission, r.seq FROM submission_records r WHERE ",
            ready!(),
            " AND ",
            of_ours!(),
            " AND r.account IS NOT NULL AND r.needs IS NULL AND r.dispute IS NULL \
             AND NOT EXISTS (SELECT 1 \
             FROM disputes d WHERE d.account = r.account AND d.closed_at IS NULL) \
             ORDER BY r.submission, r.seq LIMIT $4{}) AS w) \
             UPDATE submission_records AS r \
             SET state = 'filed', file = $5, line = $6 + v.n FROM v \
             WHERE r.submission = v.s AND r.seq = v.q"
        ),
        lock
    );
    let args = args![institution, bureau, record, limit, file, last_line];
    tx.execute(AssertSqlSafe(sql), args).await
}

/// Makes ready records the next lines of a file.
pub(crate) async fn file(
    tx: &mut Tx<'_>,
    file: i64,
    last_line: i64,
    keys: &[(i64, i64)],
) -> Result<(), DbError> {
    let mut line = last_line;
    for some in keys.chunks(500) {
        let rows: Vec<String> = some
            .iter()
            .map(|(submission, seq)| {
                line += 1;
                format!("({submission}, {seq}, {line})")
            })
            .collect();
        let sql = format!(
            "WITH v(s, q, n) AS (VALUES {}) UPDATE submission_records AS r \
             SET state = 'filed', file = $1, line = v.n FROM v \
             WHERE r.submission = v.s AND r.seq = v.q AND r.state = 'ready'",
            rows.join(", ")
        );
        tx.execute(AssertSqlSafe(sql), args![file]).await?;
    }
    Ok(())
}

/// A ready record waits again.
pub(crate) async fn hold_again(
    tx: &mut Tx<'_>,
    (submission, seq): (i64, i64),
    holds: &str,
) -> Result<u64, DbError> {
    tx.execute(
        "UPDATE submission_records SET state = 'held', holds = $1 \
         WHERE submission = $2 AND seq = $3 AND state = 'ready'",
        args![holds, submission, seq],
    )
    .await
}

/// The last line of a file that is assigned; 1, the header, where none is.
pub(crate) async fn last_line(tx: &mut Tx<'_>, file: i64) -> Result<i64, DbError> {
    let row: Option<(Option<i64>,)> = tx
        .first(
            "SELECT MAX(line) FROM submission_records WHERE file = $1",
            args![file],
        )
        .await?;
    Ok(row.and_then(|(line,)| line).unwrap_or(1))
}

/// The first lines of a file that have no answer yet.
pub(crate) async fn unanswered(db: &Db, file: i64, limit: i64) -> Result<Vec<Kept>, DbError> {
    let sql = format!(
        "SELECT {KEPT} FROM submission_records r WHERE r.file = $1 \
         AND r.state = 'filed' ORDER BY r.line LIMIT $2"
    );
    db.all(AssertSqlSafe(sql), args![file, limit]).await
}

/// Some lines of a file, by their numbers.
pub(crate) async fn at_lines(db: &Db, file: i64, lines: &[i64]) -> Result<Vec<Kept>, DbError> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {KEPT} FROM submission_records r WHERE r.file = $1 AND r.line IN ({})",
        list(2, lines.len())
    );
    let mut args = args![file];
    args.0.extend(lines.iter().map(|line| Arg::from(*line)));
    db.all(AssertSqlSafe(sql), args).await
}

/// Settles lines of a file: they were filed and are now accepted.
pub(crate) async fn accept(tx: &mut Tx<'_>, keys: &[(i64, i64)]) -> Result<u64, DbError> {
    change(tx, keys, "state = 'accepted'", "r.state = 'filed'").await
}

/// Settles one line: rejected, with the bureau's codes.
pub(crate) async fn reject(
    tx: &mut Tx<'_>,
    (submission, seq): (i64, i64),
    answer: &str,
) -> Result<u64, DbError> {
    tx.execute(
        "UPDATE submission_records SET state = 'rejected', answer = $1 \
         WHERE submission = $2 AND seq = $3 AND state = 'filed'",
        args![answer, submission, seq],
    )
    .await
}

/// Takes the place of what these correct; which of them could be.
pub(crate) async fn replace(
    tx: &mut Tx<'_>,
    keys: &[(i64, i64)],
) -> Result<HashSet<(i64, i64)>, DbError> {
    let mut replaced = HashSet::with_capacity(keys.len());
    for some in keys.chunks(500) {
        let sql = format!(
            "WITH v(s, q) AS (VALUES {}) UPDATE submission_records SET state = 'replaced' \
             FROM v WHERE submission = v.s AND seq = v.q \
             AND state IN ('set_aside', 'held', 'rejected') RETURNING submission, seq",
            literals(some)
        );
        let rows: Vec<(i64, i64)> = tx.all(AssertSqlSafe(sql), Args::default()).await?;
        replaced.extend(rows);
    }
    Ok(replaced)
}

/// Gives held records a new verdict.
pub(crate) async fn judge_again(
    tx: &mut Tx<'_>,
    (submission, seq): (i64, i64),
    state: RecordState,
    (holds, needs): (Option<&str>, Option<&str>),
    findings: Option<&str>,
) -> Result<u64, DbError> {
    tx.execute(
        "UPDATE submission_records SET state = $1, holds = $2, needs = $3, \
         findings = COALESCE($4, findings) \
         WHERE submission = $5 AND seq = $6 AND state = 'held'",
        args![state.name(), holds, needs, findings, submission, seq],
    )
    .await
}

/// Gives up a name: the lines of its file may go into another one.
pub(crate) async fn unfile(tx: &mut Tx<'_>, file: i64, limit: i64) -> Result<u64, DbError> {
    tx.execute(
        "UPDATE submission_records SET state = 'ready', file = NULL, line = NULL FROM \
         (SELECT r.submission AS s, r.seq AS q FROM submission_records r \
          WHERE r.file = $1 AND r.state = 'filed' ORDER BY r.line LIMIT $2) AS v \
         WHERE submission_records.submission = v.s AND submission_records.seq = v.q",
        args![file, limit],
    )
    .await
}

/// Takes a record back that was not sent; how many changed.
pub(crate) async fn withdraw(
    tx: &mut Tx<'_>,
    (submission, seq): (i64, i64),
) -> Result<u64, DbError> {
    let from = "r.state IN ('held', 'ready', 'rejected')";
    change(tx, &[(submission, seq)], "state = 'withdrawn'", from).await
}

async fn change(
    tx: &mut Tx<'_>,
    keys: &[(i64, i64)],
    set: &str,
    condition: &str,
) -> Result<u64, DbError> {
    let mut changed = 0;
    for some in keys.chunks(500) {
        let sql = format!(
            "WITH v(s, q) AS (VALUES {}) UPDATE submission_records AS r SET {set} FROM v \
             WHERE r.submission = v.s AND r.seq = v.q AND {condition}",
            literals(some)
        );
        changed += tx.execute(AssertSqlSafe(sql), Args::default()).await?;
    }
    Ok(changed)
}

impl Kept {
    /// Its name in entries and messages, and where it is sealed.
    pub(crate) fn row(&self) -> String {
        format!("{}.{}", self.submission, self.seq)
    }
}
