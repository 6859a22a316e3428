//! How long what is kept, and the end of it: the erasure of a subject.
//!
//! # Promise
//!
//! Erasing a subject destroys its keys, salt, blind index and identity, its
//! answers, signers and originals, the records submitted of it, the keys of its
//! accounts and the proofs of its notices, in one transaction with the entry that says
//! so. What remains proves that something happened, not to whom.
//!
//! # What is not here
//!
//! Periods after which something goes by itself.
//!
//! # Failure
//!
//! Nothing is erased while an inquiry about the subject is under way or its
//! outcome unknown, while a bureau has an account of it that must be reported on
//! or a record is under way, or while another institution keeps something of the
//! subject: its data are not the caller's to destroy.

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::{
    args,
    audit::entry::{Draft, EntryError, Kind},
    authorizations::{AuthorizationError, Authorizations},
    inquiries::{Inquiries, State},
    ledger::erase::{self as ledger, Needed},
    operators::{Caller, Forbidden, Role, confirm},
    platform::{
        db::{Db, DbError, Tx, Urgency},
        identity::Document,
        ids::{InquiryId, InstitutionId, SubjectId},
        vault::{Erasure, Vault, VaultError},
    },
};

const ERASED: Kind = Kind::new("subject.erased");

/// Why a subject is erased.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErasureReason {
    /// The time for which it may be kept is over.
    RetentionEnded,
    /// The subject asked for it (PIPL Art 47).
    SubjectRequest,
    /// It should never have been kept.
    UnlawfulProcessing,
}

impl ErasureReason {
    /// All of them, by their stored and published names.
    pub const ALL: [(&'static str, Self); 3] = [
        ("retention_ended", Self::RetentionEnded),
        ("subject_request", Self::SubjectRequest),
        ("unlawful_processing", Self::UnlawfulProcessing),
    ];

    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RetentionEnded => "retention_ended",
            Self::SubjectRequest => "subject_request",
            Self::UnlawfulProcessing => "unlawful_processing",
        }
    }
}

/// What an erasure did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Erased {
    /// The random number that remains of the subject.
    pub subject: SubjectId,
    /// Whether the database's own log was emptied too. If not, it goes with
    /// the next erasure, or with the upkeep that `docs/OPERATIONS.md` describes.
    pub log_emptied: bool,
}

/// Why a subject was not erased.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// Of its authorizations.
    #[error(transparent)]
    Authorizations(#[from] AuthorizationError),
    /// The database's error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No audit entry can be made of it.
    #[error("the erasure cannot be written to the audit log")]
    Entry(#[from] EntryError),
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Another institution keeps something of the subject.
    #[error("something else in this gateway still needs the subject")]
    Needed,
    /// There is no such subject here.
    #[error("there is no such subject here")]
    Unknown,
    /// A bureau has accounts of it that must be reported on, or records of them
    /// are under way.
    #[error("accounts of the subject are not settled")]
    Reported(Vec<Needed>),
    /// Inquiries about it are under way, or their outcome is unknown.
    #[error("inquiries about the subject are not settled")]
    Unsettled(Vec<(InquiryId, State)>),
    /// The vault's error.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Erases a subject that the caller's institution keeps something of.
///
/// # Errors
///
/// See [`EraseError`]; then nothing was erased.
pub async fn erase_subject(
    db: &Db,
    vault: &Vault,
    by: &Caller,
    who: &Document,
    reason: ErasureReason,
    now: Timestamp,
) -> Result<Erased, EraseError> {
    const ROLES: &[Role] = &[Role::Compliance];
    by.require_any(ROLES)?;
    let subject = vault.find(who).await?.ok_or(EraseError::Unknown)?;
    let (id, inner, by) = (subject.clone(), vault.clone(), by.clone());
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            let by: Caller = confirm::<EraseError>(tx, &by, ROLES, now).await?;
            // It locks the subject's row first: a dispatch came before, or waits.
            if !inner.erase(tx, &id, reason.name()).await? {
                return Err(EraseError::Unknown);
            }
            keepers(tx, &by.institution, &id).await?;
            let unsettled = Inquiries::erase(tx, &id).await?;
            if !unsettled.is_empty() {
                return Err(EraseError::Unsettled(unsettled));
            }
            let reported = ledger::erase(tx, &id).await?;
            if !reported.is_empty() {
                return Err(EraseError::Reported(reported));
            }
            Authorizations::erase(tx, &id).await?;
            let entry = Draft::new(ERASED, &by.institution, now)
                .actor(&by.actor)
                .about(&id)
                .code("reason", reason.name());
            tx.append(entry.finish()?.into());
            Ok::<_, EraseError>(())
        })
    })
    .await?;
    let log_emptied = match vault.forget().await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(error = %error, "erased, but the database's own log was not emptied");
            false
        }
    };
    Ok(Erased {
        subject,
        log_emptied,
    })
}

/// Erases again what a restored backup brought back: to be run before it
/// serves. Returns how many subjects there were to erase.
///
/// # Errors
///
/// Those of the database; then nothing was erased.
pub async fn reapply(
    db: &Db,
    vault: &Vault,
    erasures: Vec<Erasure>,
    now: Timestamp,
) -> Result<usize, EraseError> {
    let inner = vault.clone();
    let count = db
        .write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                let again = inner.reapply(tx, &erasures).await?;
                for subject in &again {
                    // What the backup holds as unsettled was settled before the
                    // erasure: the later state is lost, the erasure is not.
                    Inquiries::erase(tx, subject).await?;
                    ledger::erase(tx, subject).await?;
                    Authorizations::erase(tx, subject).await?;
                    let entry = Draft::new(ERASED, "gateway", now)
                        .actor("local")
                        .about(subject)
                        .code("reason", "reapplied");
                    tx.append(entry.finish()?.into());
                }
                Ok::<_, EraseError>(again.len())
            })
        })
        .await?;
    vault.forget().await?;
    Ok(count)
}

/// The caller's institution must keep something of the subject, and no other
/// one may.
async fn keepers(
    tx: &mut Tx<'_>,
    own: &InstitutionId,
    subject: &SubjectId,
) -> Result<(), EraseError> {
    let keepers: Vec<(InstitutionId,)> = tx
        .all(
            "SELECT institution FROM authorizations WHERE subject = $1 \
             UNION SELECT institution FROM memberships WHERE subject = $1 \
             UNION SELECT institution FROM inquiries WHERE subject = $1 \
             UNION SELECT institution FROM accounts WHERE subject = $1 \
             UNION SELECT s.institution FROM submissions s JOIN submission_records r \
             ON r.submission = s.no WHERE r.subject = $1",
            args![subject],
        )
        .await?;
    if !keepers.iter().any(|(keeper,)| keeper == own) {
        return Err(EraseError::Unknown);
    }
    if keepers.iter().any(|(keeper,)| keeper != own) {
        return Err(EraseError::Needed);
    }
    Ok(())
}
