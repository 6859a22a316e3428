//! Recording what a subject signed.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{
    AuthorizationError, Authorizations, Category, Kind, Purpose,
    model::{Evidence, PolicyVersion, Validity},
    service::{KEEPERS, append, draft, word},
    store::{BY_REF, Row, evidence_place, signer_place},
};
use crate::{
    args,
    audit::{self, SubjectTag},
    operators::Caller,
    platform::{
        db::{Tx, Urgency},
        digest::sha256,
        identity::Identity,
        ids::{AuthorizationId, BureauId, SubjectId},
        vault::{SubjectKeys, VaultError},
    },
};

/// The largest original, in bytes. It is opened at every inquiry.
pub const MAX_EVIDENCE_BYTES: usize = 8 << 20;

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

impl Authorizations {
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
}

const RECORDED: audit::Kind = audit::Kind::new("authorization.recorded");

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
        .subject(&SubjectTag::of(keys, &new.subject))
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

/// Names as a column keeps them. They are ours, so no JSON can fail of them.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    serde_json::Value::from(names.collect::<Vec<_>>()).to_string()
}
