//! Since when, and until when, a subject is a user of the institution.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{body::Body, findings::Findings, problem::Problem, who::Asker};
use crate::{authorizations::KEEPERS, gateway::Gateway, inquiries::SubjectBody};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(record))
        .routes(routes!(end))
}

/// A membership that begins.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BeginBody {
    /// The member.
    subject: SubjectBody,
    /// Its first moment (RFC 3339).
    #[schema(example = "2026-01-01T00:00:00+08:00")]
    from: String,
}

/// What recording did.
#[derive(Serialize, ToSchema)]
struct MembershipRecorded {
    /// False where the subject is a member already, since whenever.
    recorded: bool,
}

/// Records that a subject is a member of the caller's institution.
#[utoipa::path(
    post, path = "/v1/memberships", tag = "authorizations", request_body = BeginBody,
    responses(
        (status = 200, body = MembershipRecorded, description = "A member already"),
        (status = 201, body = MembershipRecorded),
        (status = 409, body = Problem, description = "`other_name`"),
    ),
)]
async fn record(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<BeginBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let now = gateway.clock().now();
    let mut findings = Findings::default();
    let who = findings.identity("/subject", &body.subject, now);
    let from = findings.moment("/from", &body.from);
    let (Some(who), Some(from)) = (who, from) else {
        return Err(findings.problem());
    };
    let recorded = gateway
        .authorizations()
        .record_membership(caller, &who, from, now)
        .await?;
    let status = if recorded {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(MembershipRecorded { recorded })).into_response())
}

/// A membership that ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndBody {
    /// The member.
    subject: SubjectBody,
    /// The first moment after it (RFC 3339).
    #[schema(example = "2026-07-01T00:00:00+08:00")]
    until: String,
}

/// What ending did.
#[derive(Serialize, ToSchema)]
struct MembershipEnded {
    /// False where there was no open membership.
    ended: bool,
}

/// Ends the open membership of a subject.
#[utoipa::path(
    post, path = "/v1/memberships/end", tag = "authorizations", request_body = EndBody,
    responses((status = 200, body = MembershipEnded), (status = 422, body = Problem)),
)]
async fn end(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<EndBody>,
) -> Result<Json<MembershipEnded>, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let now = gateway.clock().now();
    let mut findings = Findings::default();
    let who = findings.identity("/subject", &body.subject, now);
    let until = findings.moment("/until", &body.until);
    let (Some(who), Some(until)) = (who, until) else {
        return Err(findings.problem());
    };
    let ended = gateway
        .authorizations()
        .end_membership(caller, &who, until, now)
        .await?;
    Ok(Json(MembershipEnded { ended }))
}
