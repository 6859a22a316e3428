//! Where sealed payloads lie, for `audit verify`.

use crate::{
    args,
    audit::{
        AuditError, Place,
        merkle::sha256,
        verify::{Payload, Payloads},
    },
    platform::db::{BoxFuture, Db},
};

/// The sealed payloads of a database.
pub struct SealedPayloads<'d>(pub &'d Db);

impl Payloads for SealedPayloads<'_> {
    fn look<'p>(&'p self, place: &'p Place) -> BoxFuture<'p, Result<Payload, AuditError>> {
        Box::pin(async move {
            let (sql, erased) = match (place.table.as_str(), place.column.as_str()) {
                ("answers", "sealed") => (
                    "SELECT sealed FROM answers WHERE inquiry = $1",
                    "SELECT e.subject FROM erasures e JOIN inquiries i ON i.subject = e.subject \
                     WHERE i.id = $1",
                ),
                ("evidence", "sealed") => (
                    "SELECT sealed FROM evidence WHERE id = $1",
                    // Its row is gone with the subject, so the subject is not
                    // known any more; that somebody was erased must do.
                    "SELECT subject FROM erasures WHERE $1 <> '' LIMIT 1",
                ),
                _ => return Ok(Payload::Missing),
            };
            let sealed: Option<(Vec<u8>,)> = self.0.first(sql, args![&place.row]).await?;
            if let Some((sealed,)) = sealed {
                return Ok(Payload::Present(sha256(&sealed)));
            }
            let gone: Option<(String,)> = self.0.first(erased, args![&place.row]).await?;
            Ok(if gone.is_some() {
                Payload::Erased
            } else {
                Payload::Missing
            })
        })
    }
}
