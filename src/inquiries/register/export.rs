//! The register as one CSV file.

use super::{Filter, MAX_PAGE, RegisterError};
use crate::{
    inquiries::{Inquiries, Record, entries},
    operators::Caller,
    platform::clock::from_micros,
};

/// The most inquiries that one file holds: more are refused, so that no file is
/// cut in silence. One takes some 300 bytes of memory until the file is sent.
pub const MAX_EXPORTED: usize = 50_000;

/// The columns. None of them is personal: the subject is a random number.
const COLUMNS: [&str; 19] = [
    "id",
    "received_at",
    "requester",
    "subject",
    "bureau",
    "product",
    "purpose",
    "business_ref",
    "state",
    "outcome",
    "bureau_code",
    "cause",
    "authorization",
    "checker",
    "attempts",
    "dispatched_at",
    "ended_at",
    "asks_again_for",
    "receipt",
];

impl Inquiries {
    /// All inquiries of a filter as CSV (RFC 4180, with a header), the newest
    /// first. It is read in pages and made whole before it is sent: either all
    /// of it goes out, or none.
    ///
    /// # Errors
    ///
    /// [`RegisterError::TooMany`] for more than [`MAX_EXPORTED`]; else see there.
    pub async fn export_register(
        &self,
        caller: &Caller,
        filter: &Filter,
    ) -> Result<Vec<u8>, RegisterError> {
        let whom = self.searched(caller, filter).await?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS)?;
        let (mut count, mut after) = (0, None);
        loop {
            let page = self
                .page(caller, filter, &whom, after.as_ref(), MAX_PAGE)
                .await?;
            count += page.records.len();
            if count > MAX_EXPORTED {
                return Err(RegisterError::TooMany);
            }
            for record in &page.records {
                writer.write_record(row(record))?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let file = writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))?;
        self.note_search(caller, filter, whom, "csv", count).await?;
        Ok(file)
    }
}

fn row(it: &Record) -> [String; COLUMNS.len()] {
    let time = |at: Option<i64>| at.map(|at| from_micros(at).to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        it.id.to_string(),
        time(Some(it.received_at)),
        it.requester.clone(),
        it.subject.to_string(),
        it.bureau.clone(),
        it.product.clone(),
        it.purpose.clone(),
        it.business_ref.clone(),
        it.state.clone(),
        text(&it.outcome),
        // As it came from outside: what is no word could be a formula.
        it.bureau_code
            .as_deref()
            .map(entries::code)
            .unwrap_or_default()
            .to_owned(),
        text(&it.cause),
        text(&it.authorization_id),
        text(&it.checker),
        it.attempts.to_string(),
        time(it.dispatched_at),
        time(it.ended_at),
        text(&it.asks_again_for),
        it.receipt.clone(),
    ]
}
