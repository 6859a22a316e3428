//! What inquiries keep of a subject, and when it may go.

use super::{Inquiries, State};
use crate::{
    args,
    platform::{
        db::{DbError, Tx},
        ids::{InquiryId, SubjectId},
    },
};

impl Inquiries {
    /// Deletes the answers kept about a subject; a part of its erasure, in the
    /// same transaction, after the subject's row was locked. Gives the
    /// inquiries that still need the subject: where there are any, the caller
    /// must give the transaction up.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn erase(
        tx: &mut Tx<'_>,
        subject: &SubjectId,
    ) -> Result<Vec<(InquiryId, State)>, DbError> {
        // A dispatch holds the subject's row, so none can come between.
        let rows: Vec<(InquiryId, String)> = tx
            .all(
                "SELECT id, state FROM inquiries WHERE subject = $1 ORDER BY received_at, id",
                args![subject],
            )
            .await?;
        let needed = rows
            .into_iter()
            .map(|(id, name)| (id, State::named(&name).unwrap_or(State::Unknown)))
            .filter(|(_, state)| !state.is_settled() || *state == State::Unknown)
            .collect();
        tx.execute(
            "INSERT INTO erased_payloads (place, subject) \
             SELECT 'answers/sealed/' || inquiry, subject FROM answers WHERE subject = $1",
            args![subject],
        )
        .await?;
        tx.execute("DELETE FROM answers WHERE subject = $1", args![subject])
            .await?;
        Ok(needed)
    }
}
