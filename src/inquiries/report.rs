//! Opening a kept answer: every look at it is an entry.

use contract::{InquiryRequest, Outcome};
use schemas::{
    report::{Dictionary, Report},
    xml::Limits,
};
use zeroize::Zeroizing;

use super::{
    AskError, Inquiries, State, entries,
    outcome::place,
    store::{self, Change, Record},
};
use crate::{
    audit::{entry::Kind, merkle::sha256},
    operators::{Caller, Role},
    platform::{
        clock::from_micros,
        db::{DbError, Urgency},
        fault::Commit,
        ids::InquiryId,
    },
};

/// Somebody opened a kept report.
const VIEWED: Kind = Kind::new("report.viewed");

impl Inquiries {
    /// Opens and decodes the report of an inquiry.
    ///
    /// # Errors
    ///
    /// [`AskError::WrongState`] where there is none; [`AskError::Unreadable`].
    pub async fn report(&self, caller: &Caller, id: &InquiryId) -> Result<Report, AskError> {
        caller.require_any(&[Role::Officer, Role::Compliance])?;
        let record = self.of(caller, id).await?;
        if record.state() != State::Answered {
            return Err(AskError::WrongState(record.state()));
        }
        let bytes = self.opened(&record).await?;
        let report = decode(self.dictionary(&record)?, bytes)
            .await
            .map_err(AskError::Unreadable)?;
        let now = self.0.clock.now();
        let (entry, _) = entries::finish(entries::note(VIEWED, &record, &caller.actor, now))?;
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    tx.append(entry.into());
                    Ok::<_, DbError>(())
                })
            })
            .await?;
        Ok(report)
    }

    /// Reads an unreadable answer again, after the reader was mended. Nothing
    /// is sent.
    ///
    /// # Errors
    ///
    /// [`AskError::Unreadable`] where it still cannot be read.
    pub async fn reread(&self, caller: &Caller, id: &InquiryId) -> Result<(), AskError> {
        caller.require(Role::Compliance)?;
        let record = self.of(caller, id).await?;
        if record.state() != State::AnsweredUnreadable {
            return Err(AskError::WrongState(record.state()));
        }
        let dictionary = self.dictionary(&record)?;
        let kept = self.opened(&record).await?;
        // What is kept is a report that the dictionary could not read, or a
        // reply that the adapter could not.
        let (report, partial) = match decode(dictionary, kept.clone()).await {
            Ok(_) => (kept, false),
            Err(_) => self.reply_again(&record, kept).await?,
        };
        decode(dictionary, report.clone())
            .await
            .map_err(AskError::Unreadable)?;
        let now = self.0.clock.now();
        let keys = self.0.vault.keys_read(&record.subject).await?;
        let sealed = keys.seal(&place(&record.id), &report)?;
        let digest = sha256(&sealed);
        let outcome = if partial { "partial" } else { "hit" };
        let draft = entries::change(&record, State::Answered, Some(&caller.actor), None, now)
            .code("outcome", outcome)
            .payload(&entries::answer_place(&record.id), &digest);
        let (entry, receipt) = entries::finish(draft)?;
        let change = Change {
            outcome: Some(outcome),
            receipt,
            ..Change::default()
        };
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let (from, to) = (State::AnsweredUnreadable, State::Answered);
                    if store::advance(tx, &record.id, from, to, change).await? {
                        store::replace_answer(tx, &record.id, sealed, digest).await?;
                        tx.append(entry.into());
                    }
                    Ok::<_, DbError>(())
                })
            })
            .await?;
        State::AnsweredUnreadable.passes(State::Answered, Commit::After);
        Ok(())
    }

    async fn opened(&self, record: &Record) -> Result<Zeroizing<Vec<u8>>, AskError> {
        let sealed = store::answer(&self.0.db, &record.id)
            .await?
            .ok_or(AskError::Unreadable("no_report"))?;
        let keys = self.0.vault.keys_read(&record.subject).await?;
        Ok(keys.open(&place(&record.id), &sealed)?)
    }

    async fn reply_again(
        &self,
        record: &Record,
        raw: Zeroizing<Vec<u8>>,
    ) -> Result<(Zeroizing<Vec<u8>>, bool), AskError> {
        let bureau = record.bureau.as_str().into();
        let line = self.0.lines.line(&bureau).ok_or(AskError::NoSuchProduct)?;
        let identity = self.0.vault.identity_read(&record.subject).await?;
        let credentials = line
            .credentials(&record.institution, "")
            .ok_or(AskError::NoSuchProduct)?;
        let request = InquiryRequest {
            product: record.product.clone(),
            subject_name: identity.expose_name().to_owned().into(),
            id_type: identity.id_type().to_owned(),
            id_number: identity.expose_number().to_owned().into(),
            reason: String::new(),
            institution_code: credentials.institution_code,
            originator_code: credentials.originator_code,
            user: credentials.user,
            password: Zeroizing::default(),
            originator_user: credentials.originator_user,
            serial: 0,
            at: from_micros(record.dispatched_at.unwrap_or(record.received_at)),
        };
        match line.adapter().reread(&request, raw) {
            Outcome::Answered(answer) => Ok((answer.report, answer.partial)),
            Outcome::Unreadable { defect, .. } => Err(AskError::Unreadable(defect)),
            _ => Err(AskError::Unreadable("no_report")),
        }
    }

    fn dictionary(&self, record: &Record) -> Result<&'static Dictionary, AskError> {
        let bureau = record.bureau.as_str().into();
        let line = self.0.lines.line(&bureau).ok_or(AskError::NoSuchProduct)?;
        dictionary(line.adapter(), &record.product).ok_or(AskError::NoSuchProduct)
    }
}

/// The dictionary that reads a product of a bureau.
pub(super) fn dictionary(
    adapter: &dyn contract::Adapter,
    product: &str,
) -> Option<&'static Dictionary> {
    let products = &adapter.capabilities().products;
    Dictionary::embedded(products.iter().find(|p| p.name == product)?.dictionary)
}

/// Decodes a report away from the async threads; the error is a stable code.
pub(super) async fn decode(
    dictionary: &'static Dictionary,
    bytes: Zeroizing<Vec<u8>>,
) -> Result<Report, &'static str> {
    let read = move || {
        dictionary
            .decode(&bytes, &Limits::default())
            .map_err(|e| e.code())
    };
    // A reader that panicked did not read it.
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or(Err("reader"))
}
