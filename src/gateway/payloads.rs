//! Where sealed payloads lie, for `audit verify`.

use crate::{
    args,
    audit::{
        AuditError, Batch, Commitment, Place,
        batch::{chunk_place, record_place},
        merkle::sha256,
        verify::{Payload, Payloads},
    },
    platform::db::{BoxFuture, Db},
};

/// The sealed payloads of a database.
pub struct SealedPayloads<'d>(pub &'d Db);

/// Submission, first and last record of a chunk's place.
fn chunk_of(place: &Place) -> Option<(i64, i64, i64)> {
    let (submission, range) = place.row.split_once('.')?;
    let (first, last) = range.split_once('-')?;
    let range = (
        submission.parse().ok()?,
        first.parse().ok()?,
        last.parse().ok()?,
    );
    let (submission, first, last) = range;
    (chunk_place(submission, first, last) == *place).then_some(range)
}

impl SealedPayloads<'_> {
    /// The root over what lies there now. An erased record counts by the digest
    /// that was kept of it.
    async fn chunk(
        &self,
        (submission, first, last): (i64, i64, i64),
    ) -> Result<Payload, AuditError> {
        let sql = "SELECT r.seq, r.sealed, r.sealed_sha256, e.place FROM submission_records r \
            LEFT JOIN erased_payloads e \
            ON e.place = 'submission_records/sealed/' || r.submission || '.' || r.seq \
            WHERE r.submission = $1 AND r.seq BETWEEN $2 AND $3 ORDER BY r.seq";
        type Row = (i64, Vec<u8>, Vec<u8>, Option<String>);
        let rows: Vec<Row> = self.0.all(sql, args![submission, first, last]).await?;
        if rows.len() as i64 != last - first + 1 {
            return Ok(Payload::Missing);
        }
        let mut batch = Batch::default();
        for (seq, sealed, kept, erased) in rows {
            let kept: [u8; 32] = kept
                .try_into()
                .map_err(|_| AuditError::Damaged("submission_records"))?;
            batch.push(&Commitment {
                place: record_place(submission, seq),
                sha256: match erased {
                    Some(_) => kept,
                    None => sha256(&sealed),
                },
                line: None,
            });
        }
        Ok(Payload::Present(batch.root()))
    }
}

impl Payloads for SealedPayloads<'_> {
    fn look<'p>(&'p self, place: &'p Place) -> BoxFuture<'p, Result<Payload, AuditError>> {
        Box::pin(async move {
            if let Some(range) = chunk_of(place) {
                return self.chunk(range).await;
            }
            let sql = match (place.table.as_str(), place.column.as_str()) {
                ("answers", "sealed") => "SELECT sealed FROM answers WHERE inquiry = $1",
                // Its proof goes alone, and the notice stays.
                ("notices", "proof") => {
                    "SELECT proof FROM notices WHERE id = $1 AND proof IS NOT NULL"
                }
                ("evidence", "sealed") => "SELECT sealed FROM evidence WHERE id = $1",
                _ => return Ok(Payload::Missing),
            };
            let sealed: Option<(Vec<u8>,)> = self.0.first(sql, args![&place.row]).await?;
            if let Some((sealed,)) = sealed {
                return Ok(Payload::Present(sha256(&sealed)));
            }
            let erased = "SELECT subject FROM erased_payloads WHERE place = $1";
            let gone: Option<(String,)> = self.0.first(erased, args![place.to_string()]).await?;
            Ok(if gone.is_some() {
                Payload::Erased
            } else {
                Payload::Missing
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{audit::Appender, platform::db::Db, testing::databases};

    async fn run(db: &Db, sql: &'static str) {
        db.write(crate::platform::db::Urgency::Bulk, move |tx| {
            Box::pin(async move { tx.execute(sql, args![]).await })
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_chunk_is_judged_by_all_its_records_and_erased_ones_by_what_was_kept() {
        for test in databases(Arc::new(Appender)).await {
            let db = &test.db;
            run(
                db,
                "INSERT INTO submissions VALUES (7, 's', 'i', 'pboc', 'c', 'k', 'o', 'p', 'jsonl', \
                 NULL, 'taken', 3, '', 0, 1, NULL, 'r')",
            )
            .await;
            let mut batch = Batch::default();
            for seq in 1..=3_i64 {
                let sealed = [seq as u8; 40];
                let digest = sha256(&sealed);
                batch.push(&Commitment {
                    place: record_place(7, seq),
                    sha256: digest,
                    line: None,
                });
                db.write(crate::platform::db::Urgency::Bulk, move |tx| {
                    Box::pin(async move {
                        let sql = "INSERT INTO submission_records \
                            (submission, seq, record, state, sealed, sealed_sha256) \
                            VALUES (7, $1, '210', 'ready', $2, $3)";
                        tx.execute(sql, args![seq, &sealed[..], &digest[..]]).await
                    })
                })
                .await
                .unwrap();
            }
            let look = async |first, last| {
                SealedPayloads(db)
                    .look(&chunk_place(7, first, last))
                    .await
                    .unwrap()
            };
            let good = Payload::Present(batch.root());
            assert_eq!(look(1, 3).await, good, "{}", test.name);
            assert_eq!(look(1, 4).await, Payload::Missing);
            run(
                db,
                "UPDATE submission_records SET sealed = '' WHERE seq = 2",
            )
            .await;
            assert_ne!(
                look(1, 3).await,
                good,
                "a payload that went without a reason"
            );
            run(
                db,
                "INSERT INTO erased_payloads (place, subject) VALUES ('submission_records/sealed/7.2', 's')",
            )
            .await;
            assert_eq!(look(1, 3).await, good);
        }
    }
}
