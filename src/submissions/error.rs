//! Why a submission was not taken, or a step of it not made.

use std::io;

use schemas::validate::Finding;
use workbook::BookError;

use super::FileState;
use crate::{
    audit::entry::EntryError,
    authorizations::AuthorizationError,
    operators::Forbidden,
    platform::{
        db::DbError,
        vault::{CipherError, VaultError},
    },
};

/// Why not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// Authorizations cannot be read.
    #[error("the authorizations cannot be read")]
    Authorizations(#[from] AuthorizationError),
    /// The same submission is being received already.
    #[error("this submission is being received at this moment")]
    Busy,
    /// Something cannot be sealed.
    #[error("a record cannot be sealed")]
    Cipher(#[from] CipherError),
    /// The gateway is going down.
    #[error("the gateway is going down and takes no more")]
    Closing,
    /// The content under this key is another than before.
    #[error("the idempotency key stands for other content")]
    ContentDiffers,
    /// The database's error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No audit entry can be made, so nothing may happen.
    #[error("no audit entry can be made of it")]
    Entry(#[from] EntryError),
    /// A feedback file that a person brought breaks this check, or is not what
    /// was sent.
    #[error("the feedback does not agree with the file that was sent: {0}")]
    FeedbackDisagrees(String),
    /// A feedback file that a person brought answers another file.
    #[error("the feedback answers another file than this")]
    FeedbackOfAnother,
    /// A subject was erased while records of the submission were on their way into
    /// the database: they may be sealed under keys that are gone.
    #[error(
        "a subject was erased meanwhile; what came before is kept, send the same again to go on"
    )]
    Erased,
    /// The caller's role does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The head of the input has defects; nothing of it was taken.
    #[error("the head of the input has defects")]
    Header(Vec<Finding>),
    /// A file of ours cannot be read or written.
    #[error("a file cannot be read or written")]
    Io(#[source] io::Error),
    /// The input ended with an error.
    #[error("the input was cut; what came before is kept, send the same again to go on")]
    Input(#[source] io::Error),
    /// The bureau is not configured for this institution's submissions.
    #[error("no such bureau is configured for submissions")]
    NoSuchBureau,
    /// The record type of a CSV is none of the format.
    #[error("the format knows no such record type")]
    NoSuchRecord,
    /// There is no such thing in the caller's institution.
    #[error("there is no such submission, record or file")]
    NotFound,
    /// A day has no more serial numbers for files of a record type.
    #[error("the day has no more serial numbers for files of this record type")]
    Serials,
    /// The vault's error.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The workbook cannot be read; nothing of it was taken.
    #[error(transparent)]
    Workbook(#[from] BookError),
    /// The file is not in a state that allows this.
    #[error("a file that is {} does not allow this", .0.name())]
    WrongFileState(FileState),
    /// The record is not in a state that allows this.
    #[error("the record is in a state that does not allow this")]
    WrongRecordState,
    /// What is stored cannot be read.
    #[error("{what} of {row} cannot be read: {why}")]
    Damaged {
        /// What.
        what: &'static str,
        /// The row.
        row: String,
        /// Why.
        why: String,
    },
}

impl SubmitError {
    /// Stable code, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Closing => "closing",
            Self::ContentDiffers => "idempotency_key_reused",
            Self::Erased => "subject_erased_meanwhile",
            Self::FeedbackDisagrees(_) => "feedback_disagrees",
            Self::FeedbackOfAnother => "feedback_of_another_file",
            Self::Forbidden(_) => "forbidden",
            Self::Header(_) => "invalid",
            Self::Input(_) => "input_cut",
            Self::NoSuchBureau => "no_such_bureau",
            Self::NoSuchRecord => "no_such_record",
            Self::NotFound => "not_found",
            Self::Serials => "serials_used_up",
            Self::Workbook(error) => error.code(),
            Self::WrongFileState(_) | Self::WrongRecordState => "wrong_state",
            Self::Authorizations(_)
            | Self::Cipher(_)
            | Self::Damaged { .. }
            | Self::Db(_)
            | Self::Entry(_)
            | Self::Io(_)
            | Self::Vault(_) => "internal",
        }
    }
}
