//! Versions of the policy texts that subjects sign.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{address::Path, body::Body, findings::Findings, problem::Problem, who::Asker};
use crate::{
    authorizations::{NewPolicyVersion, PolicyVersion},
    gateway::Gateway,
    operators::Role,
};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(record))
}

/// A version of a policy text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VersionBody {
    /// As forms name it.
    #[schema(example = "2026-1")]
    version: String,
    /// SHA-256 of the text, hexadecimal.
    text_sha256: String,
    /// The first day on which it is signed, at +08:00.
    #[schema(example = "2026-01-01")]
    first_day: String,
    /// Whether subjects must sign anew because of it.
    material: bool,
}

/// What recording did.
#[derive(Serialize, ToSchema)]
struct VersionRecorded {
    /// False where it was recorded already.
    recorded: bool,
}

/// Records a version of a policy. A version never changes.
#[utoipa::path(
    post, path = "/v1/policies/{policy}/versions", tag = "authorizations",
    params(("policy" = String, Path, description = "The policy, as forms name it")),
    request_body = VersionBody,
    responses(
        (status = 200, body = VersionRecorded, description = "Recorded already"),
        (status = 201, body = VersionRecorded),
        (status = 409, body = Problem, description = "`conflict`: known with other content"),
    ),
)]
async fn record(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(policy): Path<String>,
    Body(body): Body<VersionBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Compliance]).await?;
    let mut findings = Findings::default();
    findings.word("/policy", &policy);
    findings.word("/version", &body.version);
    let text_sha256 = findings.sha256("/text_sha256", &body.text_sha256);
    let first_day = findings.day("/first_day", &body.first_day);
    let (Some(text_sha256), Some(first_day)) = (text_sha256, first_day) else {
        return Err(findings.problem());
    };
    findings.none()?;
    let version = PolicyVersion {
        policy: policy.as_str().into(),
        version: body.version,
    };
    let new = NewPolicyVersion {
        version,
        text_sha256,
        first_day,
        material: body.material,
    };
    let now = gateway.clock().now();
    let recorded = gateway
        .authorizations()
        .record_policy_version(caller, new, now)
        .await?;
    let status = if recorded {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(VersionRecorded { recorded })).into_response())
}
