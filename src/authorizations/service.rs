//! Recording, withdrawing and reading authorizations.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{
    AuthorizationError, Category, Kind, Purpose,
    model::{Authorization, Evidence, PolicyVersion, Validity},
    store::{BY_ID, BY_REF, OF_SUBJECT, Row, evidence_place, sha256, signer_place},
};
use crate::{
    args,
    audit::{self, Draft, SubjectTag, identity_digest},
    operators::{Caller, Role, confirm},
    platform::{
        clock::from_micros,
        db::{BoxFuture, Db, Tx, Urgency},
        identity::{Document, Identity},
        ids::{AuthorizationId, BureauId, SubjectId},
        vault::{SubjectKeys, Vault, VaultError},
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

/// The largest original, in bytes. It is opened at every inquiry.
pub const MAX_EVIDENCE_BYTES: usize = 8 << 20;

/// Authorizations of all institutions; clones share them.
#[derive(Clone)]
pub struct Authorizations {
    pub(super) db: Db,
    pub(super) vault: Vault,
}

/// A form as it came. A blank is `None`, or an empty set: it is recorded, and
/// never permits anything (QR-09).
#[derive(Clone)]
pub struct NewAuthorization {
    /// By which the recording system knows it; unique in the institution.
    pub external_ref: String,
    /// Whose it is.
    pub subject: Identity,
    /// To inquire or to provide.
    pub kind: Kind,
    /// The bureaus that it names.
    pub bureaus: BTreeSet<BureauId>,
    /// The purposes that it names.
    pub purposes: BTreeSet<Purpose>,
    /// The kinds of information that it names.
    pub categories: BTreeSet<Category>,
    /// Name and document on the form.
    pub signer: Option<Identity>,
    /// When it was signed.
    pub signed_at: Option<Timestamp>,
    /// For how long.
    pub validity: Validity,
    /// The text that was signed.
    pub policy: Option<PolicyVersion>,
    /// How many subjects the form names.
    pub subjects_on_form: i64,
    /// The original: a scan, or a signed file.
    pub evidence: Option<Zeroizing<Vec<u8>>>,
}

/// What recording did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Recorded {
    /// Nothing: this one is recorded already.
    Already(AuthorizationId),
    /// A new authorization.
    New(AuthorizationId),
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

    /// Records what a subject signed, for the caller's institution, and seals
    /// its original. The same one again changes nothing.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::Conflict`] where the reference is known with other
    /// content; else see there.
    pub async fn record(
        &self,
        by: &Caller,
        new: NewAuthorization,
        urgency: Urgency,
        now: Timestamp,
    ) -> Result<Recorded, AuthorizationError> {
        let evidence_fits =
            |bytes: &Zeroizing<Vec<u8>>| (1..=MAX_EVIDENCE_BYTES).contains(&bytes.len());
        if !new.evidence.as_ref().is_none_or(evidence_fits) {
            return Err(AuthorizationError::Invalid {
                field: "evidence",
                right: "of 1 byte to 8 MiB",
            });
        }
        word("external_ref", &new.external_ref)?;
        let new = Arc::new(new);
        let again = Arc::clone(&new);
        match self.try_record(by, new, urgency, now).await {
            // Another transaction was first, with the form or its subject.
            Err(AuthorizationError::Vault(VaultError::OtherName)) => {}
            Err(AuthorizationError::Db(error)) if error.is_unique_violation() => {}
            result => return result,
        }
        self.try_record(by, again, urgency, now).await
    }

    async fn try_record(
        &self,
        by: &Caller,
        new: Arc<NewAuthorization>,
        urgency: Urgency,
        now: Timestamp,
    ) -> Result<Recorded, AuthorizationError> {
        // A subject known under another name stays who it is: the form's name
        // is kept with the form, and QR-07 compares with that one.
        let known = self.vault.find(&new.subject).await?;
        self.change(by, KEEPERS, urgency, now, move |tx, by, vault| {
            Box::pin(async move {
                let subject = match known {
                    Some(subject) => subject,
                    None => vault.enroll(tx, &new.subject).await?,
                };
                let keys = vault.keys(tx, &subject).await?;
                let args = args![&by.institution, &new.external_ref];
                if let Some(row) = tx.first::<Row>(BY_REF, args).await? {
                    return already(tx, row, &subject, &keys, &new).await;
                }
                insert(tx, by, &subject, &keys, &new, now).await
            })
        })
        .await
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

const RECORDED: audit::Kind = audit::Kind::new("authorization.recorded");
const WITHDRAWN: audit::Kind = audit::Kind::new("authorization.withdrawn");

/// What a change does in its transaction.
pub(super) type Change<'t, T> = BoxFuture<'t, Result<T, AuthorizationError>>;

async fn insert(
    tx: &mut Tx<'_>,
    by: &Caller,
    subject: &SubjectId,
    keys: &SubjectKeys,
    new: &NewAuthorization,
    now: Timestamp,
) -> Result<Recorded, AuthorizationError> {
    let id = AuthorizationId::new();
    let mut entry = draft(RECORDED, by, now)
        .about(&id)
        .subject(&tag(keys, new.subject.document()))
        .code("kind", new.kind.name())
        .words("bureaus", &new.bureaus)
        .words("purposes", new.purposes.iter().map(|it| it.name()));
    let evidence = match &new.evidence {
        None => None,
        Some(plain) => {
            let row = uuid::Uuid::now_v7().to_string();
            let sealed = keys.seal(&evidence_place(&row), plain)?;
            let sum = sha256(&sealed);
            let place = audit::Place {
                table: "evidence".to_owned(),
                column: "sealed".to_owned(),
                row: row.clone(),
            };
            entry = entry.payload(&place, &sum);
            tx.execute(
                "INSERT INTO evidence \
                 (id, subject, sealed, sealed_sha256, plain_sha256, stored_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                args![&row, subject, sealed, sum, sha256(plain), now],
            )
            .await?;
            Some(row)
        }
    };
    let signer = match &new.signer {
        None => None,
        Some(signer) => Some(keys.seal(&signer_place(&id), &signer.to_bytes())?),
    };
    let (from, until) = match new.validity {
        Validity::Days { from, until } => (Some(from.to_string()), Some(until.to_string())),
        Validity::WhileMember => (None, None),
    };
    if let Some(policy) = &new.policy {
        entry = entry.word("policy", &policy.policy);
        entry = entry.word("version", &policy.version);
    }
    if let Some(signed_at) = new.signed_at {
        entry = entry.time("signed", signed_at);
    }
    tx.execute(
        "INSERT INTO authorizations (id, institution, external_ref, subject, kind, bureaus, \
         purposes, categories, signer, signed_at, valid_from, valid_until, policy, \
         policy_version, subjects_on_form, evidence, recorded_by, recorded_at) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        args![
            &id,
            &by.institution,
            &new.external_ref,
            subject,
            new.kind.name(),
            names(new.bureaus.iter().map(|it| it.as_str())),
            names(new.purposes.iter().map(|it| it.name())),
            names(new.categories.iter().map(|it| it.name())),
            signer,
            new.signed_at,
            from,
            until,
            new.policy.as_ref().map(|it| it.policy.as_str()),
            new.policy.as_ref().map(|it| it.version.as_str()),
            new.subjects_on_form,
            evidence,
            by.actor.stored(),
            now
        ],
    )
    .await?;
    append(tx, entry)?;
    Ok(Recorded::New(id))
}

/// The reference is taken: by the same authorization, or by another.
async fn already(
    tx: &mut Tx<'_>,
    row: Row,
    subject: &SubjectId,
    keys: &SubjectKeys,
    new: &NewAuthorization,
) -> Result<Recorded, AuthorizationError> {
    const OTHER: AuthorizationError = AuthorizationError::Conflict("external_ref");
    if row.subject != *subject {
        return Err(OTHER);
    }
    let stored: Option<(Vec<u8>,)> = match &row.evidence {
        None => None,
        Some(id) => {
            tx.first("SELECT plain_sha256 FROM evidence WHERE id = $1", args![id])
                .await?
        }
    };
    let it = row.read(Some(keys), Evidence::Missing)?;
    let same = it.kind == new.kind
        && it.bureaus == new.bureaus
        && it.purposes == new.purposes
        && it.categories == new.categories
        && it.signer == new.signer
        && it.signed_at == new.signed_at
        && it.validity == new.validity
        && it.policy == new.policy
        && it.subjects_on_form == new.subjects_on_form
        && stored.map(|(sum,)| sum) == new.evidence.as_ref().map(|it| sha256(it).to_vec());
    if same {
        Ok(Recorded::Already(it.id))
    } else {
        Err(OTHER)
    }
}

fn listed(row: Row) -> Result<Listed, AuthorizationError> {
    Ok(Listed {
        external_ref: row.external_ref.clone(),
        has_original: row.evidence.is_some(),
        recorded_at: from_micros(row.recorded_at),
        authorization: row.read(None, Evidence::Missing)?,
    })
}

/// Names as a column keeps them. They are ours, so no JSON can fail of them.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    serde_json::Value::from(names.collect::<Vec<_>>()).to_string()
}

/// A reference that is no personal datum by its form.
pub(super) fn word(field: &'static str, text: &str) -> Result<(), AuthorizationError> {
    let narrow = |b: &u8| b.is_ascii_alphanumeric() || b"._:/-".contains(b);
    let digits = text
        .split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .max();
    let good = (1..=64).contains(&text.len())
        && text.as_bytes().iter().all(narrow)
        && (uuid::Uuid::try_parse(text).is_ok() || digits < Some(15));
    if good {
        Ok(())
    } else {
        Err(AuthorizationError::Invalid {
            field,
            right: "1 to 64 of A-Z a-z 0-9 . _ : / - with fewer than 15 digits in a row",
        })
    }
}

/// The subject as audit entries name it.
pub(super) fn tag(keys: &SubjectKeys, who: &Document) -> SubjectTag {
    let parts = [who.kind().as_str(), who.id_type(), who.expose()];
    SubjectTag::new(keys.expose_salt(), &identity_digest(&parts))
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
            Ok(Some(tag(&keys, identity.document())))
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
