//! The dispatch transaction, and the only value that can reach a socket.

use std::{fmt, time::Duration};

use contract::{Conversation, InquiryRequest, RequestError};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Permit, credentials::Member, quota::UsedUp};
use crate::platform::{
    db::{BoxFuture, DbError, NewEntry, Tx, Urgency},
    ids::InquiryId,
};

/// How long after the commit it may still begin to leave.
const VALID: Duration = Duration::from_secs(5);

/// An inquiry whose intent is durable and which was decided in that same
/// transaction. It goes to one bureau once, within seconds.
///
/// It holds personal data: `Debug` names the inquiry only.
#[must_use = "the intent is durable: what is not dispatched now must be settled as unsent"]
pub struct AuthorizedInquiry {
    inquiry: InquiryId,
    conversation: Box<dyn Conversation>,
    permit: Permit,
    valid_until: Instant,
}

/// What the deciding closure returns when the inquiry may leave.
pub struct Intent {
    /// The inquiry, already moved to `dispatched`.
    pub inquiry: InquiryId,
    /// What goes out.
    pub request: InquiryRequest,
    /// The entry of the intent.
    pub entry: NewEntry,
}

/// What the constructor fixed in the transaction, for the closure to use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Moment {
    /// The time of the dispatch.
    pub at: Timestamp,
    /// This start of the server, as inquiries keep it.
    pub epoch: i64,
    /// Serial number of the message.
    pub serial: u32,
}

/// Why the constructor itself refused; nothing has changed and nothing left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDispatched {
    /// The permit waited beyond its deadline.
    #[error("the deadline passed before dispatch")]
    Late,
    /// Another start of the server owns the database by now.
    #[error("this server no longer owns the database")]
    Ownership,
    /// A quota was used up meanwhile.
    #[error(transparent)]
    Quota(#[from] UsedUp),
    /// The bureau's format cannot carry it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The institution has sent as many messages today as can be numbered.
    #[error("no serial number is left for today")]
    Serials,
    /// The closure made the request in another member's name.
    #[error("the request is in the name of another institution")]
    WrongMember,
}

impl NotDispatched {
    /// Stable code, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Late => "deadline",
            Self::Ownership => "ownership_lost",
            Self::Quota(_) => "quota_used_up",
            Self::Request(_) => "request",
            Self::Serials => "no_serial",
            Self::WrongMember => "wrong_member",
        }
    }
}

impl AuthorizedInquiry {
    /// Runs the dispatch transaction: checks that this server owns the database,
    /// lets `decide` read again, decide again and move the inquiry, counts the
    /// quotas, appends the intent, and commits. Only then there is a value.
    ///
    /// # Errors
    ///
    /// That of `decide`, or [`NotDispatched`]: nothing has changed. After an
    /// error of the database nothing has left either, but after
    /// [`DbError::InDoubt`] the intent may be durable.
    pub async fn commit<E, F>(permit: Permit, decide: F) -> Result<Self, E>
    where
        E: From<DbError> + From<NotDispatched> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>, Moment) -> BoxFuture<'t, Result<Intent, E>>
            + Send
            + 'static,
    {
        let line = permit.line.clone();
        let at = line.clock.now();
        if at > permit.deadline {
            return Err(NotDispatched::Late.into());
        }
        let institution = permit.institution.clone();
        let serial = line.serials.next(&line.db, &institution, at).await?;
        let moment = Moment {
            at,
            epoch: line.epoch.number(),
            serial: serial.ok_or(NotDispatched::Serials)?,
        };
        let quotas = line.quotas(&institution, &permit.operator);
        let db = line.db.clone();
        let (inquiry, conversation) = db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    if !line.epoch.holds(tx).await? {
                        return Err(NotDispatched::Ownership.into());
                    }
                    let intent = decide(tx, moment).await?;
                    let member = line.members.get(&institution);
                    let code = member.map(Member::institution_code);
                    if code != Some(&intent.request.institution_code) {
                        return Err(NotDispatched::WrongMember.into());
                    }
                    // Before the commit: what cannot be said must not be intended.
                    let conversation = line
                        .adapter
                        .inquire(intent.request)
                        .map_err(NotDispatched::Request)?;
                    // Last, since others wait for these rows until the commit.
                    quotas.count(tx, at).await?.map_err(NotDispatched::Quota)?;
                    tx.append(intent.entry);
                    Ok::<_, E>((intent.inquiry, conversation))
                })
            })
            .await?;
        Ok(Self {
            inquiry,
            conversation,
            permit,
            valid_until: Instant::now() + VALID,
        })
    }

    /// Takes it apart, for dispatch only: from its parts no second one is made.
    pub(super) fn into_parts(self) -> (InquiryId, Box<dyn Conversation>, Permit, Instant) {
        (
            self.inquiry,
            self.conversation,
            self.permit,
            self.valid_until,
        )
    }

    /// The inquiry.
    #[must_use]
    pub fn inquiry(&self) -> &InquiryId {
        &self.inquiry
    }
}

impl fmt::Debug for AuthorizedInquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizedInquiry")
            .field("inquiry", &self.inquiry)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intent")
            .field("inquiry", &self.inquiry)
            .finish_non_exhaustive()
    }
}
