//! The people of a demo institution: operators with tokens, subjects, papers.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::{
    audit::merkle::sha256,
    authorizations::{
        AuthorizationError, Category, Kind, NewAuthorization, NewPolicyVersion, PolicyVersion,
        Purpose, Validity,
    },
    gateway::Gateway,
    operators::{self, Caller, NewOperator, OperatorError, PersonKey, Role},
    platform::{
        clock::china_date,
        identity::Identity,
        ids::{InstitutionId, OperatorId},
    },
};

use super::BUREAU;

/// The institution that the demo plays for.
pub const INSTITUTION: &str = "demo-bank";

/// Operators with their tokens.
pub struct Staff {
    /// Asks.
    pub officer: (OperatorId, SecretString),
    /// Checks.
    pub checker: (OperatorId, SecretString),
    /// Settles and reads.
    pub compliance: (OperatorId, SecretString),
    /// Reads.
    pub regulator: (OperatorId, SecretString),
    /// Hands records in.
    pub submitter: (OperatorId, SecretString),
    /// Manages operators and clients.
    pub administrator: (OperatorId, SecretString),
}

impl Staff {
    /// Makes the operators, and the policy that subjects sign.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn hire(gateway: &Gateway) -> Result<Self, OperatorError> {
        Ok(Self {
            officer: hire(gateway, "officer", Role::Officer).await?,
            checker: hire(gateway, "checker", Role::Checker).await?,
            compliance: hire(gateway, "compliance", Role::Compliance).await?,
            regulator: hire(gateway, "regulator", Role::Regulator).await?,
            submitter: hire(gateway, "submitter", Role::Submitter).await?,
            administrator: hire(gateway, "administrator", Role::Administrator).await?,
        })
    }
}

async fn hire(
    gateway: &Gateway,
    label: &str,
    role: Role,
) -> Result<(OperatorId, SecretString), OperatorError> {
    let by = local(Role::Administrator);
    let now = gateway.clock().now();
    let new = NewOperator {
        label: label.to_owned(),
        person: PersonKey::parse(&format!("demo-{label}"))?,
        since: now - SignedDuration::from_hours(1),
        until: None,
    };
    let id = operators::register_operator(gateway.db(), &by, new, now).await?;
    operators::grant(gateway.db(), &by, &id, role, now).await?;
    let expires = now + SignedDuration::from_hours(24 * 30);
    let (_, token) =
        operators::issue_token(gateway.db(), &by, &id, expires, &SystemRandom::new(), now).await?;
    Ok((id, token.expose().to_owned().into()))
}

/// Whoever stands at the demo's shell.
pub(super) fn local(role: Role) -> Caller {
    Caller::local(InstitutionId::from(INSTITUTION), [role])
}

/// A synthetic person with a resident identity card; `None` where the number
/// is not synthetic.
#[must_use]
pub fn person(name: &str, id_number: &str, now: Timestamp) -> Option<Identity> {
    Identity::person("10", id_number, name, china_date(now)).ok()
}

/// A paper of a person that permits inquiries for some purposes for a year.
#[must_use]
pub fn authorization(subject: &Identity, purposes: &[Purpose], now: Timestamp) -> NewAuthorization {
    let signed = now - SignedDuration::from_hours(1);
    let from = china_date(signed);
    NewAuthorization {
        // Bare: a digit run of a prefixed one could pass for a telephone number.
        external_ref: uuid::Uuid::now_v7().to_string(),
        subject: subject.clone(),
        kind: Kind::Inquire,
        bureaus: [BUREAU.into()].into(),
        purposes: purposes.iter().copied().collect(),
        categories: BTreeSet::from([Category::Credit]),
        signer: Some(subject.clone()),
        signed_at: Some(signed),
        validity: Validity::Days {
            from,
            until: from.saturating_add(jiff::Span::new().days(365)),
        },
        policy: Some(policy_version()),
        subjects_on_form: 1,
        evidence: Some(Zeroizing::new(b"%PDF-1.4 synthetic signed form".to_vec())),
    }
}

/// A paper of a person that lets credit and negative information be provided
/// for a year.
#[must_use]
pub fn consent_to_provide(subject: &Identity, now: Timestamp) -> NewAuthorization {
    NewAuthorization {
        kind: Kind::Provide,
        purposes: BTreeSet::new(),
        categories: BTreeSet::from([Category::PersonBasics, Category::Credit, Category::Negative]),
        ..authorization(subject, &[], now)
    }
}

fn policy_version() -> PolicyVersion {
    PolicyVersion {
        policy: "privacy-policy".into(),
        version: "2026-01".to_owned(),
    }
}

impl Staff {
    /// Records the version of the policy that [`authorization`] names.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn publish_policy(gateway: &Gateway) -> Result<(), AuthorizationError> {
        let now = gateway.clock().now();
        let new = NewPolicyVersion {
            version: policy_version(),
            text_sha256: sha256("隐私政策（演示）2026-01".as_bytes()),
            first_day: china_date(now - SignedDuration::from_hours(24 * 60)),
            material: true,
        };
        let by = local(Role::Compliance);
        gateway
            .authorizations()
            .record_policy_version(&by, new, now)
            .await?;
        Ok(())
    }
}
