//! A notice as it comes and as it is shown, and what can be wrong with it.

use std::fmt;

use jiff::Timestamp;
use schemas::text::Label;
use zeroize::Zeroizing;

use super::MAX_PROOF_BYTES;
use crate::{
    audit::entry::EntryError,
    ledger::{Month, index::AccountName},
    operators::Forbidden,
    platform::{
        db::DbError,
        identity::Identity,
        vault::{CipherError, VaultError},
    },
};

/// How a notice was delivered (SR-04 names text message, mail and post).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Channel {
    /// In the institution's app.
    App,
    /// By electronic mail.
    Email,
    /// Handed over.
    InPerson,
    /// By telephone, recorded.
    Phone,
    /// By registered post.
    Post,
    /// By text message.
    Sms,
}

impl Channel {
    /// All of them, by their stored and published names.
    pub const ALL: [(&'static str, Self); 6] = [
        ("app", Self::App),
        ("email", Self::Email),
        ("in_person", Self::InPerson),
        ("phone", Self::Phone),
        ("post", Self::Post),
        ("sms", Self::Sms),
    ];

    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, one)| *one == self);
        found.map_or("", |(name, _)| name)
    }

    /// What people call it.
    #[must_use]
    pub fn label(self) -> Label<'static> {
        let (zh, en) = match self {
            Self::App => ("应用内消息", "In the app"),
            Self::Email => ("电子邮件", "Electronic mail"),
            Self::InPerson => ("当面送达", "Handed over"),
            Self::Phone => ("电话（录音）", "Telephone, recorded"),
            Self::Post => ("挂号信", "Registered post"),
            Self::Sms => ("短信", "Text message"),
        };
        Label { zh, en }
    }
}

/// A notice that was delivered, to be recorded.
#[derive(Clone)]
pub struct NewNotice {
    /// Whom it was delivered to.
    pub subject: Identity,
    /// The account that it names.
    pub account: AccountName,
    /// The month that the unpaid amount was due in.
    pub due: Month,
    /// How it was delivered.
    pub channel: Channel,
    /// When it was delivered.
    pub delivered_at: Timestamp,
    /// What proves it: a receipt, a scan, a message with its report.
    pub proof: Zeroizing<Vec<u8>>,
}

impl NewNotice {
    pub(super) fn check(&self, now: Timestamp) -> Result<(), NoticeError> {
        if self.delivered_at > now {
            return Err(NoticeError::Invalid {
                field: "delivered_at",
                right: "not later than now: only what was delivered is recorded",
            });
        }
        if !(1..=MAX_PROOF_BYTES).contains(&self.proof.len()) {
            return Err(NoticeError::Invalid {
                field: "proof",
                right: "of 1 byte to 8 MiB",
            });
        }
        Ok(())
    }
}

impl fmt::Debug for NewNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewNotice(masked)")
    }
}

/// What recording did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Recorded {
    /// Nothing: this one is recorded already.
    Already(String),
    /// A new notice.
    New(String),
}

/// A notice, as it is shown: nothing personal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// Its identifier.
    pub id: String,
    /// Our random number of the subject.
    pub subject: String,
    /// The number of the account.
    pub account: i64,
    /// The month that the unpaid amount was due in.
    pub due: String,
    /// How it was delivered, by name.
    pub channel: String,
    /// When it was delivered.
    pub delivered_at: Timestamp,
    /// Whether its proof is still kept.
    pub has_proof: bool,
    /// The run of negative state that it served: its first record.
    pub run: Option<String>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// Why something about notices did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeError {
    /// The database's error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No audit entry can be made of it.
    #[error("the notice cannot be written to the audit log")]
    Entry(#[from] EntryError),
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A value that cannot be recorded.
    #[error("{field} must be {right}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What would be right.
        right: &'static str,
    },
    /// There is no such thing in the caller's institution.
    #[error("there is no such {0} in this institution")]
    Unknown(&'static str),
    /// A stored row says something that no version of this program wrote.
    #[error("cannot read notice {0}")]
    Unreadable(String),
    /// The vault's error.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<CipherError> for NoticeError {
    fn from(error: CipherError) -> Self {
        Self::Vault(error.into())
    }
}
