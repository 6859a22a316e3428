//! "May I, and if not, what is missing?", without an inquiry.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AuthorizationError, Authorizations, Purpose,
    decision::{Cell, Decision, Permission, Reason, coverage, decide},
    model::Question,
    service::READERS,
};
use crate::{
    bureaus::Licence,
    operators::Caller,
    platform::{identity::Identity, ids::BureauId},
};

/// What the rules would say of an inquiry now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// Whether QR-01 to QR-09 permit it. Other rules may still hold it.
    pub permitted: bool,
    /// What permits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<Permission>,
    /// What stands in the way, and what would make it right.
    pub reasons: Vec<Reason>,
    /// What this subject's authorizations permit now: bureau by purpose.
    pub coverage: Vec<Cell>,
}

impl Authorizations {
    /// Explains what an inquiry of the caller's institution would meet.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn explain(
        &self,
        by: &Caller,
        who: &Identity,
        bureau: &BureauId,
        purpose: Purpose,
        licences: Vec<Licence>,
        now: Timestamp,
    ) -> Result<Explanation, AuthorizationError> {
        by.require_any(READERS)?;
        let subject = self.vault.find(who).await?;
        let facts = self
            .facts(&by.institution, subject.as_ref(), licences)
            .await?;
        let question = Question {
            institution: by.institution.clone(),
            subject,
            identity: who.clone(),
            bureau: bureau.clone(),
            purpose,
            at: now,
        };
        let (permission, reasons) = match decide(&question, &facts) {
            Decision::Permitted(permission) => (Some(permission), Vec::new()),
            Decision::Refused(reasons) => (None, reasons),
        };
        Ok(Explanation {
            permitted: permission.is_some(),
            permission,
            reasons,
            coverage: coverage(&question, &facts),
        })
    }
}
