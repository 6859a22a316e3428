//! Withdrawing and reading authorizations, and what all changes share.

use jiff::Timestamp;

use super::{
    AuthorizationError,
    model::{Authorization, Evidence},
    store::{BY_ID, OF_SUBJECT, Row},
};
use crate::{
    args,
    audit::{self, Draft, SubjectTag, entry::is_word},
    operators::{Caller, Role, confirm},
    platform::{
        clock::from_micros,
        db::{BoxFuture, Db, Tx, Urgency},
        identity::Document,
        ids::{AuthorizationId, SubjectId},
        vault::{Vault, VaultError},
    },
};

/// Who may record what a subject signed, and take it back for them.
pub const KEEPERS: &[Role] = &[Role::Submitter, Role::Officer, Role::Compliance];

/// Who may see which authorizations there are.
pub const READERS: &[Role] = &[
    Role::Officer,
    Role::Checker,
    Role::Compliance,
    Role::Regulator,
    Role::Submitter,
];

/// Authorizations of all institutions; clones share them.
#[derive(Clone)]
pub struct Authorizations {
    pub(super) db: Db,
    pub(super) vault: Vault,
}

/// An authorization as lists show it: nothing personal.
#[derive(Clone, Debug)]
pub struct Listed {
    /// All that the form says, but for the signer, who stays sealed. The
    /// original is not opened: `evidence` tells nothing here.
    pub authorization: Authorization,
    /// By which the recording system knows it.
    pub external_ref: String,
    /// Whether an original is stored.
    pub has_original: bool,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl Authorizations {
    /// Those of a database and its vault.
    #[must_use]
    pub fn new(db: Db, vault: Vault) -> Self {
        Self { db, vault }
    }

    /// Withdraws an authorization, from now on: no inquiry that is not on its
    /// way yet goes out under it. False where it was withdrawn before.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn withdraw(
        &self,
        by: &Caller,
        id: &AuthorizationId,
        now: Timestamp,
    ) -> Result<bool, AuthorizationError> {
        let id = id.clone();
        self.change(by, KEEPERS, Urgency::Urgent, now, move |tx, by, vault| {
            Box::pin(async move {
                let row: Option<(SubjectId, Option<i64>)> = tx
                    .first_locked(
                        "SELECT subject, withdrawn_at FROM authorizations \
                         WHERE id = $1 AND institution = $2",
                        args![&id, &by.institution],
                    )
                    .await?;
                let (subject, withdrawn) =
                    row.ok_or(AuthorizationError::Unknown("authorization"))?;
                if withdrawn.is_some() {
                    return Ok(false);
                }
                tx.execute(
                    "UPDATE authorizations SET withdrawn_by = $2, withdrawn_at = $3 WHERE id = $1",
                    args![&id, by.actor.stored(), now],
                )
                .await?;
                let draft = draft(WITHDRAWN, by, now).about(&id);
                let tag = tx_tag(tx, vault, &subject).await?;
                append(tx, about_subject(tag, draft))?;
                Ok(true)
            })
        })
        .await
    }

    /// One authorization of the caller's institution.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn get(
        &self,
        by: &Caller,
        id: &AuthorizationId,
    ) -> Result<Listed, AuthorizationError> {
        by.require_any(READERS)?;
        let row: Option<Row> = self.db.first(BY_ID, args![&by.institution, id]).await?;
        listed(row.ok_or(AuthorizationError::Unknown("authorization"))?)
    }

    /// All authorizations that a subject gave the caller's institution, in the
    /// order of their recording.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn of_subject(
        &self,
        by: &Caller,
        who: &Document,
    ) -> Result<Vec<Listed>, AuthorizationError> {
        by.require_any(READERS)?;
        let Some(subject) = self.vault.find(who).await? else {
            return Ok(Vec::new());
        };
        let rows: Vec<Row> = self
            .db
            .all(OF_SUBJECT, args![&by.institution, &subject])
            .await?;
        rows.into_iter().map(listed).collect()
    }

    /// Deletes what is sealed here for a subject; a part of its erasure, in the
    /// same transaction. Nothing is permitted any more: the originals are gone.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn erase(tx: &mut Tx<'_>, subject: &SubjectId) -> Result<(), AuthorizationError> {
        tx.execute(
            "UPDATE authorizations SET signer = NULL, evidence = NULL WHERE subject = $1",
            args![subject],
        )
        .await?;
        tx.execute(
            "INSERT INTO erased_payloads (place, subject) \
             SELECT 'evidence/sealed/' || id, subject FROM evidence WHERE subject = $1",
            args![subject],
        )
        .await?;
        tx.execute("DELETE FROM evidence WHERE subject = $1", args![subject])
            .await?;
        Ok(())
    }

    /// Runs a change as a caller who, read again, still has one of the roles.
    pub(super) async fn change<T, F>(
        &self,
        by: &Caller,
        roles: &'static [Role],
        urgency: Urgency,
        now: Timestamp,
        work: F,
    ) -> Result<T, AuthorizationError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>, &'t Caller, &'t Vault) -> Change<'t, T> + Send + 'static,
    {
        let (by, vault) = (by.clone(), self.vault.clone());
        self.db
            .write(urgency, move |tx| {
                Box::pin(async move {
                    let by: Caller = confirm::<AuthorizationError>(tx, &by, roles, now).await?;
                    work(tx, &by, &vault).await
                })
            })
            .await
    }
}

const WITHDRAWN: audit::Kind = audit::Kind::new("authorization.withdrawn");

/// What a change does in its transaction.
pub(super) type Change<'t, T> = BoxFuture<'t, Result<T, AuthorizationError>>;

fn listed(row: Row) -> Result<Listed, AuthorizationError> {
    Ok(Listed {
        external_ref: row.external_ref.clone(),
        has_original: row.evidence.is_some(),
        recorded_at: from_micros(row.recorded_at),
        authorization: row.read(None, Evidence::Missing)?,
    })
}

/// A reference that is no personal datum by its form: what entries take too.
pub(super) fn word(field: &'static str, text: &str) -> Result<(), AuthorizationError> {
    if text.len() <= 64 && is_word(text) {
        Ok(())
    } else {
        Err(AuthorizationError::Invalid {
            field,
            right: "1 to 64 of A-Z a-z 0-9 . _ : / - and no identity, card or telephone number",
        })
    }
}

/// The tag of a subject, if it was not erased.
pub(super) async fn tx_tag(
    tx: &mut Tx<'_>,
    vault: &Vault,
    subject: &SubjectId,
) -> Result<Option<SubjectTag>, AuthorizationError> {
    match vault.identity(tx, subject).await {
        Err(VaultError::Erased) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(identity) => {
            let keys = vault.keys(tx, subject).await?;
            Ok(Some(SubjectTag::of(&keys, &identity)))
        }
    }
}

pub(super) fn about_subject(tag: Option<SubjectTag>, draft: Draft) -> Draft {
    match tag {
        Some(tag) => draft.subject(&tag),
        None => draft,
    }
}

pub(super) fn draft(kind: audit::Kind, by: &Caller, now: Timestamp) -> Draft {
    Draft::new(kind, &by.institution, now).actor(&by.actor)
}

pub(super) fn append(tx: &mut Tx<'_>, draft: Draft) -> Result<(), AuthorizationError> {
    tx.append(draft.finish()?.into());
    Ok(())
}
