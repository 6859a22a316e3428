//! What was heard of files: feedback that was looked at, records rejected in it.

use sqlx::FromRow;

use crate::{
    args,
    platform::db::{Db, DbError},
};

/// A feedback file that was looked at.
#[derive(Clone, Debug, FromRow)]
pub struct Heard {
    /// Its name.
    pub name: String,
    /// SHA-256 of its sealed bytes.
    pub sealed_sha256: Vec<u8>,
    /// What became of it.
    pub outcome: String,
    /// When, UTC microseconds.
    pub taken_at: i64,
}

/// A record that the bureau rejected.
#[derive(Clone, Debug, FromRow)]
pub struct Answered {
    /// Its line in the file.
    pub line: i64,
    /// The submission that it came in.
    pub submission: String,
    /// Its place there.
    pub seq: i64,
    /// Its type.
    pub record: String,
    /// State, by name.
    pub state: String,
    /// JSON: the bureau's codes, with the tags they name.
    pub answer: String,
}

/// The feedback files on a file, the latest first.
pub(crate) async fn heard(db: &Db, file: i64) -> Result<Vec<Heard>, DbError> {
    db.all(
        "SELECT name, sealed_sha256, outcome, taken_at FROM submission_feedback \
         WHERE file = $1 ORDER BY taken_at DESC, name",
        args![file],
    )
    .await
}

/// Records of a file that the bureau rejected, after the line `after`.
pub(crate) async fn rejected(
    db: &Db,
    file: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Answered>, DbError> {
    db.all(
        "SELECT r.line, s.id AS submission, r.seq, r.record, r.state, r.answer \
         FROM submission_records r JOIN submissions s ON s.no = r.submission \
         WHERE r.file = $1 AND r.line > $2 AND r.answer IS NOT NULL ORDER BY r.line LIMIT $3",
        args![file, after, limit],
    )
    .await
}

/// Feedback that is being applied: name, digest and bureau.
pub(crate) async fn under_way(db: &Db) -> Result<Vec<(String, Vec<u8>, String)>, DbError> {
    db.all(
        "SELECT b.name, b.sealed_sha256, f.bureau FROM submission_files f \
         JOIN submission_feedback b ON b.file = f.no \
         WHERE f.state = 'arrived' AND b.outcome = 'taking' ORDER BY f.no",
        args![],
    )
    .await
}
