//! Erasing a subject.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::Body,
    findings::{DocumentBody, Findings},
    problem::{Finding, Problem},
    who::Asker,
};
use crate::{
    gateway::Gateway,
    operators::Role,
    retention::{EraseError, ErasureReason, erase_subject},
};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(erase))
}

/// Whom to erase, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EraseBody {
    /// The full document: nothing shorter is unambiguous.
    subject: DocumentBody,
    /// `retention_ended`, `subject_request` or `unlawful_processing`.
    #[schema(example = "subject_request")]
    reason: String,
}

/// What an erasure did.
#[derive(Serialize, ToSchema)]
struct ErasedBody {
    /// The random number that remains of the subject.
    subject: String,
    /// Whether the database's own log was emptied too.
    log_emptied: bool,
}

/// Erases a subject: keys, salt, identity, answers and originals.
///
/// It cannot be undone. It is refused while an inquiry about the subject is not
/// settled or its outcome unknown, while a bureau has an account of it that is
/// neither closed nor deleted, and while records of it are under way.
#[utoipa::path(
    post, path = "/v1/subjects/erase", tag = "subjects", request_body = EraseBody,
    responses(
        (status = 200, body = ErasedBody),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`unsettled`, `accounts_unsettled`, `subject_needed`"),
    ),
)]
async fn erase(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<EraseBody>,
) -> Result<Json<ErasedBody>, Problem> {
    let caller = asker.require(&[Role::Compliance]).await?;
    let now = gateway.clock().now();
    let mut findings = Findings::default();
    let who = findings.document("/subject", &body.subject, now);
    let reason = findings.one_of("/reason", &body.reason, &ErasureReason::ALL);
    let (Some(who), Some(reason)) = (who, reason) else {
        return Err(findings.problem());
    };
    let erased = erase_subject(gateway.db(), gateway.vault(), caller, &who, reason, now).await?;
    let (subject, log_emptied) = (erased.subject.to_string(), erased.log_emptied);
    Ok(Json(ErasedBody {
        subject,
        log_emptied,
    }))
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        let conflict = |code| Self::new(StatusCode::CONFLICT, code, &error.to_string());
        match &error {
            EraseError::Authorizations(_)
            | EraseError::Db(_)
            | EraseError::Entry(_)
            | EraseError::Vault(_) => {
                tracing::error!(error = %error, "an erasure failed");
                Self::internal()
            }
            EraseError::Forbidden(forbidden) => Self::forbidden(forbidden.role.name()),
            EraseError::Needed => conflict("subject_needed"),
            EraseError::Reported(accounts) => {
                let findings = accounts.iter().map(|one| Finding {
                    at: "/subject".to_owned(),
                    code: one.why.to_owned(),
                    message: format!(
                        "account {} (type {}) at {}: report it closed or deleted, and settle or \
                         withdraw its records, first",
                        one.account, one.family, one.bureau
                    ),
                });
                conflict("accounts_unsettled").findings(findings.collect())
            }
            EraseError::Unknown => Self::not_found(),
            EraseError::Unsettled(inquiries) => {
                let findings = inquiries.iter().map(|(id, state)| Finding {
                    at: "/subject".to_owned(),
                    code: state.name().to_owned(),
                    message: format!("inquiry {id} must be settled first"),
                });
                conflict("unsettled").findings(findings.collect())
            }
        }
    }
}
