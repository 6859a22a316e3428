//! Rows of authorizations, and what they mean.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use sqlx::FromRow;

use super::{
    AuthorizationError, Category, Kind, Purpose,
    model::{Authorization, Evidence, Membership, PolicyVersion, Validity},
};
use crate::platform::{
    clock::from_micros,
    digest::sha256,
    identity::Identity,
    ids::{AuthorizationId, BureauId, InstitutionId, PolicyId, SubjectId},
    vault::{Place, SubjectKeys},
};

/// All columns of an authorization but who did what to it; `$1` is the grantee.
macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT a.id, a.institution, a.external_ref, a.subject, a.kind, a.bureaus, ",
            "a.purposes, a.categories, a.signer, a.signed_at, a.valid_from, a.valid_until, ",
            "a.policy, a.policy_version, a.subjects_on_form, a.evidence, a.recorded_at, ",
            "a.withdrawn_at, ",
            "(SELECT p.first_day FROM policy_versions p WHERE p.institution = a.institution ",
            "AND p.policy = a.policy AND p.version = a.policy_version) AS policy_first_day ",
            "FROM authorizations a WHERE a.institution = $1 AND ",
            $where
        )
    };
}

/// Of whom the rest of the condition names.
pub(super) const SELECT: &str = select!("");
/// Of a subject, in the order in which they are locked.
pub(super) const OF_SUBJECT: &str = select!("a.subject = $2 ORDER BY a.id");
pub(super) const BY_ID: &str = select!("a.id = $2");
pub(super) const BY_REF: &str = select!("a.external_ref = $2");

/// Originals of a subject's authorizations to inquire.
pub(super) const EVIDENCE: &str = "SELECT id, sealed, sealed_sha256, plain_sha256, stored_at \
    FROM evidence WHERE id IN (SELECT evidence FROM authorizations \
    WHERE institution = $1 AND subject = $2 AND kind = 'inquire')";
pub(super) const MEMBERSHIPS: &str = "SELECT starts, ends, ended_at FROM memberships \
    WHERE institution = $1 AND subject = $2 ORDER BY id";

#[derive(Clone, FromRow)]
pub(super) struct Row {
    pub(super) id: AuthorizationId,
    pub(super) institution: InstitutionId,
    pub(super) external_ref: String,
    pub(super) subject: SubjectId,
    kind: String,
    bureaus: String,
    purposes: String,
    categories: String,
    signer: Option<Vec<u8>>,
    signed_at: Option<i64>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    policy: Option<PolicyId>,
    policy_version: Option<String>,
    subjects_on_form: i64,
    pub(super) evidence: Option<String>,
    pub(super) recorded_at: i64,
    pub(super) withdrawn_at: Option<i64>,
    policy_first_day: Option<String>,
}

#[derive(FromRow)]
pub(super) struct EvidenceRow {
    pub(super) id: String,
    sealed: Vec<u8>,
    sealed_sha256: Vec<u8>,
    pub(super) plain_sha256: Vec<u8>,
    stored_at: i64,
}

#[derive(FromRow)]
pub(super) struct MembershipRow {
    starts: i64,
    ends: Option<i64>,
    pub(super) ended_at: Option<i64>,
}

impl From<MembershipRow> for Membership {
    fn from(row: MembershipRow) -> Self {
        Self {
            from: from_micros(row.starts),
            until: row.ends.map(from_micros),
        }
    }
}

impl Row {
    /// What the row says. Without keys the signer stays unread.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::Unreadable`]: nothing is guessed.
    pub(super) fn read(
        self,
        keys: Option<&SubjectKeys>,
        evidence: Evidence,
    ) -> Result<Authorization, AuthorizationError> {
        let bad = || unreadable("authorizations", self.id.as_str());
        let day = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => text.parse::<Date>().map(Some).map_err(|_| bad()),
        };
        let validity = match (day(&self.valid_from)?, day(&self.valid_until)?) {
            (Some(from), Some(until)) => Validity::Days { from, until },
            (None, None) => Validity::WhileMember,
            _ => return Err(bad()),
        };
        let signer = match (&self.signer, keys) {
            (Some(sealed), Some(keys)) => {
                let bytes = keys
                    .open(&signer_place(&self.id), sealed)
                    .map_err(|_| bad())?;
                Some(Identity::from_bytes(&bytes).ok_or_else(bad)?)
            }
            _ => None,
        };
        let policy = self.policy.clone().zip(self.policy_version.clone());
        Ok(Authorization {
            kind: Kind::named(&self.kind).ok_or_else(bad)?,
            bureaus: serde_json::from_str::<BTreeSet<BureauId>>(&self.bureaus)
                .map_err(|_| bad())?,
            purposes: serde_json::from_str::<BTreeSet<Purpose>>(&self.purposes)
                .map_err(|_| bad())?,
            categories: serde_json::from_str::<BTreeSet<Category>>(&self.categories)
                .map_err(|_| bad())?,
            signer,
            signed_at: self.signed_at.map(from_micros),
            validity,
            policy: policy.map(|(policy, version)| PolicyVersion { policy, version }),
            policy_first_day: day(&self.policy_first_day)?,
            subjects_on_form: self.subjects_on_form,
            withdrawn_at: self.withdrawn_at.map(from_micros),
            evidence,
            id: self.id,
            institution: self.institution,
            subject: self.subject,
        })
    }
}

impl EvidenceRow {
    /// Opens the original and compares both digests (QR-08).
    pub(super) fn judge(&self, keys: &SubjectKeys) -> Evidence {
        if sha256(&self.sealed)[..] != self.sealed_sha256 {
            return Evidence::Altered;
        }
        match keys.open(&evidence_place(&self.id), &self.sealed) {
            Err(_) => Evidence::Missing,
            Ok(plain) if sha256(&plain)[..] != self.plain_sha256 => Evidence::Altered,
            Ok(_) => Evidence::Intact {
                stored_at: self.stored_at(),
            },
        }
    }

    fn stored_at(&self) -> Timestamp {
        from_micros(self.stored_at)
    }
}

/// Where an original is sealed.
pub(super) fn evidence_place(row: &str) -> Place<'_> {
    Place {
        table: "evidence",
        column: "sealed",
        row,
    }
}

/// Where a signer is sealed.
pub(super) fn signer_place(id: &AuthorizationId) -> Place<'_> {
    Place {
        table: "authorizations",
        column: "signer",
        row: id.as_str(),
    }
}

pub(super) fn unreadable(table: &'static str, row: &str) -> AuthorizationError {
    AuthorizationError::Unreadable {
        table,
        row: row.to_owned(),
    }
}
