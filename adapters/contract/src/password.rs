//! A change of the password at a bureau, as an adapter sees it.

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{Failure, Rejection, RequestError};

/// A change of a user's password. Holds secrets: `Debug` is masked.
#[derive(Clone)]
pub struct PasswordChange {
    /// The institution that sends the message.
    pub institution_code: String,
    /// The user whose password changes, and who asks for it.
    pub user: String,
    /// The password that holds now, in clear.
    pub old: Zeroizing<String>,
    /// The one that shall hold, in clear.
    pub new: Zeroizing<String>,
    /// Serial number of the message, as that of an inquiry.
    pub serial: u32,
    /// When the message is made.
    pub at: Timestamp,
}

impl std::fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

/// How a change of password ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PasswordOutcome {
    /// The new password holds.
    Changed {
        /// The bureau's result code.
        code: String,
    },
    /// The exchange failed before or on the way. After [`Failure::Unknown`] the
    /// one or the other password may hold.
    Failed(Failure),
    /// The bureau refused; the old password holds.
    Refused(Rejection),
    /// A whole answer that cannot be read: the one or the other may hold.
    Unreadable {
        /// Stable code of the defect.
        defect: &'static str,
    },
}

impl From<Failure> for PasswordOutcome {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Why a change of password cannot begin; nothing was sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// What the bureau's format cannot carry.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The dialect knows no change of password.
    #[error("this dialect changes no passwords")]
    Unsupported,
}
