//! The evidence of one record of a submission.

use super::{DISCLOSED, Gateway, GatewayError, LINKED};
use crate::{
    args,
    audit::{AuditError, Batch, Commitment, Disclosure, Draft, RowProof, batch::record_place},
    operators::Caller,
    platform::db::{DbError, Urgency},
    submissions::Submission,
};

/// Sealed bytes, their digest, and the file of a row.
type Row = (i64, Vec<u8>, Vec<u8>, Option<i64>);

impl Gateway {
    /// The evidence that a record was taken in as it lies here: the entry of its
    /// chunk with the record's place in it, the sealed line, and the entries of
    /// the file that it went out in. `None` where there is no such record. Who
    /// took it is an entry, and in the bundle.
    ///
    /// # Errors
    ///
    /// Those of the log and the database.
    pub async fn record_bundle(
        &self,
        by: &Caller,
        of: &Submission,
        seq: i64,
    ) -> Result<Option<Vec<u8>>, GatewayError> {
        let db = &self.0.db;
        let Some((first, entry, count)) = self.chunk_of(of, seq).await? else {
            return Ok(None);
        };
        let sql = "SELECT seq, sealed, sealed_sha256, file FROM submission_records \
            WHERE submission = $1 AND seq >= $2 AND seq < $3 ORDER BY seq";
        let rows: Vec<Row> = db.all(sql, args![of.no, first, first + count]).await?;
        let mut batch = Batch::default();
        let mut wanted = None;
        for (n, sealed, digest, file) in rows {
            let sha256 = digest
                .try_into()
                .map_err(|_| AuditError::Damaged("submission_records"))?;
            let commitment = Commitment {
                place: record_place(of.no, n),
                sha256,
                line: None,
            };
            batch.push(&commitment);
            if n == seq {
                wanted = Some((commitment, sealed, file));
            }
        }
        let Some((commitment, sealed, file)) = wanted else {
            return Ok(None);
        };
        let about = format!("{first}.{}", of.id);
        let taken = Draft::new(DISCLOSED, &of.institution, self.0.clock.now())
            .actor(&by.actor)
            .about(&about)
            .number("seq", seq)
            .finish()
            .map_err(AuditError::from)?;
        db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                tx.append(taken.into());
                Ok::<_, DbError>(())
            })
        })
        .await?;
        let mut also = vec![of.id.clone()];
        if let Some(file) = file {
            let sql = "SELECT id FROM submission_files WHERE no = $1";
            let id: Option<(String,)> = db.first(sql, args![file]).await?;
            also.extend(id.map(|(id,)| id));
        }
        let position = seq - first;
        let proof = RowProof {
            entry,
            position: position as u64,
            body: commitment.body(),
            path: batch.proof(position as usize),
        };
        let disclosure = Disclosure {
            subject: None,
            payloads: vec![(commitment.place, sealed)],
        };
        let kept = self.0.log.reader().all_checkpoints().await?;
        let since = kept.iter().rev().take(LINKED).map(|(size, _)| *size);
        let since: Vec<u64> = since.collect();
        let log = &self.0.log;
        let evidence = log
            .evidence_with_rows(&about, &also, vec![proof], disclosure, &since)
            .await?;
        // Structs of texts and numbers: writing them does not fail.
        Ok(evidence.map(|it| serde_json::to_vec_pretty(&it).unwrap_or_default()))
    }

    /// First record, entry and count of the chunk that a record came in.
    async fn chunk_of(
        &self,
        of: &Submission,
        seq: i64,
    ) -> Result<Option<(i64, String, i64)>, GatewayError> {
        #[derive(serde::Deserialize)]
        struct Body {
            id: String,
            data: Data,
        }
        #[derive(serde::Deserialize)]
        struct Data {
            root: Option<String>,
            count: Option<i64>,
        }
        // A chunk's entry is about its first record: the nearest one before.
        for first in (1..=seq).rev() {
            let about = format!("{first}.{}", of.id);
            let entries = self.0.log.reader().entries_about(&about).await?;
            let bodies = entries
                .iter()
                .filter_map(|entry| serde_json::from_slice::<Body>(&entry.body).ok());
            for body in bodies {
                if let (Some(_), Some(count)) = (body.data.root, body.data.count) {
                    return Ok((seq < first + count).then_some((first, body.id, count)));
                }
            }
        }
        Ok(None)
    }
}
