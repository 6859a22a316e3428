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
            let sql = match (place.table.as_str(), place.column.as_str()) {
                ("answers", "sealed") => "SELECT sealed FROM answers WHERE inquiry = $1",
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
