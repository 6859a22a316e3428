//! What has not happened yet, for the clocks: counts by the day on which each
//! began, and the oldest of what is late.

use sqlx::FromRow;

use super::files::FileRow;
use crate::{
    args,
    platform::{
        db::{Db, DbError},
        ids::InstitutionId,
    },
};

/// Records of one state whose clock began on the same day.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Begun {
    pub(crate) bureau: String,
    pub(crate) state: String,
    /// The day that they tell of; the clock of acceptance begins there.
    pub(crate) report_date: Option<String>,
    /// When there is none: the day on which they came. Of what was rejected: of
    /// the answer. Days since 1970 at +08:00.
    pub(crate) day: i64,
    pub(crate) count: i64,
}

/// A record that has not come to its end.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Open {
    pub(crate) bureau: String,
    pub(crate) submission: String,
    pub(crate) seq: i64,
    pub(crate) record: String,
    pub(crate) state: String,
    pub(crate) report_date: Option<String>,
    pub(crate) day: i64,
    pub(crate) file: Option<String>,
}

/// The day at +08:00 of a time in microseconds.
macro_rules! day {
    ($time:literal) => {
        concat!("(", $time, " + 28800000000) / 86400000000")
    };
}

/// Of a record: of the answer where it was rejected, else of its coming where it
/// tells no day.
macro_rules! begun {
    () => {
        concat!(
            "CASE WHEN r.state = 'rejected' THEN ",
            day!("COALESCE(f.answered_at, f.arrived_at, s.received_at)"),
            " WHEN r.report_date IS NULL THEN ",
            day!("s.received_at"),
            " ELSE 0 END"
        )
    };
}

/// Records that are not accepted, by where the database finds them: conditions
/// as the indexes have them, and an institution that SQLite does not begin with,
/// since that would go through all its records.
macro_rules! open {
    ($select:expr, $end:expr) => {
        [
            concat!(
                $select,
                " FROM submission_records r JOIN submissions s ON s.no = r.submission \
                 LEFT JOIN submission_files f ON f.no = r.file \
                 WHERE r.state IN ('held', 'ready', 'rejected') AND s.institution || '' = $1",
                $end
            ),
            concat!(
                $select,
                " FROM submission_records r JOIN submissions s ON s.no = r.submission \
                 LEFT JOIN submission_files f ON f.no = r.file \
                 WHERE r.state = 'set_aside' AND s.institution || '' = $1",
                $end
            ),
            concat!(
                $select,
                " FROM submission_files f JOIN submission_records r ON r.file = f.no \
                 JOIN submissions s ON s.no = r.submission \
                 WHERE f.state IN ('reserved', 'written', 'sending', 'delivered', 'arrived', \
                 'refused', 'stopped') AND r.state = 'filed' AND s.institution = $1",
                $end
            ),
        ]
    };
}

/// All records that are neither accepted nor given up, by state and day.
pub(crate) async fn begun(db: &Db, institution: &InstitutionId) -> Result<Vec<Begun>, DbError> {
    let mut all = Vec::new();
    for sql in open!(
        concat!(
            "SELECT s.bureau, r.state, ",
            "CASE WHEN r.state <> 'rejected' THEN r.report_date END AS report_date, ",
            begun!(),
            " AS day, COUNT(*) AS count"
        ),
        " GROUP BY 1, 2, 3, 4"
    ) {
        all.extend(db.all::<Begun>(sql, args![institution]).await?);
    }
    Ok(all)
}

/// The oldest records whose clock of acceptance began on the first day or
/// before, and of rejected ones that of their correction on the second.
pub(crate) async fn late(
    db: &Db,
    institution: &InstitutionId,
    accept_by: (&str, i64),
    correct_by: i64,
    limit: i64,
) -> Result<Vec<Open>, DbError> {
    let mut all = Vec::new();
    for sql in open!(
        concat!(
            "SELECT s.bureau, s.id AS submission, r.seq, r.record, r.state, ",
            "CASE WHEN r.state <> 'rejected' THEN r.report_date END AS report_date, ",
            begun!(),
            " AS day, f.id AS file"
        ),
        concat!(
            " AND CASE WHEN r.state = 'rejected' THEN ",
            day!("COALESCE(f.answered_at, f.arrived_at, s.received_at)"),
            " <= $2 WHEN r.report_date IS NULL THEN ",
            day!("s.received_at"),
            " <= $3 ELSE r.report_date <= $4 END \
             ORDER BY r.report_date, r.submission, r.seq LIMIT $5"
        )
    ) {
        let args = args![institution, correct_by, accept_by.1, accept_by.0, limit];
        all.extend(db.all::<Open>(sql, args).await?);
    }
    Ok(all)
}

/// Files that were sent and have no answer that counts, the oldest first; and
/// those that were refused and still hold their records.
pub(crate) async fn unanswered(
    db: &Db,
    institution: &InstitutionId,
) -> Result<Vec<FileRow>, DbError> {
    db.all(
        "SELECT no, id, institution, bureau, record, day, created, serial, name, state, records, \
         plain_sha256, sealed_sha256, sealed_bytes, attempts, reserved_at, sent_at, arrived_at, \
         answered_at, cause, accepted, rejected, receipt FROM submission_files \
         WHERE institution = $1 AND sent_at IS NOT NULL AND \
         (state IN ('sending', 'delivered', 'arrived', 'stopped') OR (state = 'refused' AND \
          EXISTS (SELECT 1 FROM submission_records r WHERE r.file = submission_files.no \
                  AND r.state = 'filed'))) ORDER BY no",
        args![institution],
    )
    .await
}
