//! What can go wrong around authorizations.

use crate::{
    audit::entry::EntryError,
    operators::Forbidden,
    platform::{
        db::DbError,
        vault::{CipherError, VaultError},
    },
};

/// Why something about authorizations did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// That reference or version is known, and says something else.
    #[error("the {0} is known already, with other content")]
    Conflict(&'static str),
    /// The database's own error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No audit entry can be made of it.
    #[error("the change cannot be written to the audit log")]
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
    /// There is no such thing in this institution.
    #[error("there is no such {0} in this institution")]
    Unknown(&'static str),
    /// A stored row says something that no version of this program wrote.
    #[error("cannot read row {row} of {table}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The primary key; ids here are random.
        row: String,
    },
    /// The vault's own error.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<CipherError> for AuthorizationError {
    fn from(error: CipherError) -> Self {
        Self::Vault(error.into())
    }
}
