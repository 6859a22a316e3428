//! Why an inquiry was not taken, or a step of it not made.

use crate::{
    audit::entry::EntryError,
    authorizations::AuthorizationError,
    operators::Forbidden,
    platform::{
        db::DbError,
        ids::InquiryId,
        vault::{CipherError, VaultError},
    },
};

/// Why not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The facts of the decision cannot be read.
    #[error("the authorizations cannot be read")]
    Authorizations(#[from] AuthorizationError),
    /// Something cannot be sealed.
    #[error("an answer cannot be sealed")]
    Cipher(#[from] CipherError),
    /// The gateway is going down.
    #[error("the gateway is going down and takes no more")]
    Closing,
    /// The database's error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No audit entry can be made, so nothing may happen.
    #[error("no audit entry can be made of it")]
    Entry(#[from] EntryError),
    /// A fresh enough report is at hand; it is offered before a new one is pulled.
    #[error("a fresh enough report is at hand")]
    Fresh(InquiryId),
    /// The caller's role does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The product is about persons and the subject is an enterprise, or the
    /// reverse: no authorization of the one covers the other.
    #[error("the product is not about a subject of this kind")]
    OtherKind,
    /// The key stands for another request.
    #[error("the idempotency key stands for another request")]
    KeyReused,
    /// The bureau is not configured, or has no such product.
    #[error("no such bureau or product is configured")]
    NoSuchProduct,
    /// There is no such inquiry in the caller's institution.
    #[error("there is no such inquiry")]
    NotFound,
    /// A reference to a decision is no word.
    #[error("the reference must be 1 to 128 letters, digits or ._:/-")]
    Reference,
    /// Maker and checker are the same human (QR-26).
    #[error("who asked cannot be who checks")]
    SamePerson,
    /// The same business asked the same before, and what became of it is
    /// unknown: asking again may be a second mark, and takes two persons.
    #[error("the same was asked for this business, and its outcome is unknown")]
    Unknown(InquiryId),
    /// The kept answer cannot be read.
    #[error("the kept answer cannot be read: {0}")]
    Unreadable(&'static str),
    /// The vault's error.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The inquiry is not in a state that allows this.
    #[error("an inquiry that is {} does not allow this", .0.name())]
    WrongState(super::State),
}

impl AskError {
    /// Stable code, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Authorizations(_) | Self::Cipher(_) | Self::Db(_) | Self::Entry(_) => "internal",
            Self::Closing => "closing",
            Self::Forbidden(_) => "forbidden",
            Self::Fresh(_) => "fresh_report",
            Self::KeyReused => "idempotency_key_reused",
            Self::NoSuchProduct => "no_such_product",
            Self::NotFound => "not_found",
            Self::OtherKind => "subject_kind",
            Self::Reference => "reference",
            Self::SamePerson => "same_person",
            Self::Unknown(_) => "unknown_outcome",
            Self::Unreadable(_) => "unreadable",
            Self::Vault(_) => "internal",
            Self::WrongState(_) => "wrong_state",
        }
    }
}
