//! Operators, their roles and tokens: for administrators.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{address::Path, body::Body, findings::Findings, problem::Problem, who::Asker};
use crate::{
    gateway::Gateway,
    operators::{self, NewOperator, OperatorError, PersonKey, PersonKeyError, Role, Standing},
    platform::ids::OperatorId,
};

/// Who keeps operators and clients.
pub(super) const ADMINISTRATORS: &[Role] = &[Role::Administrator];

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(change_role))
        .routes(routes!(issue_token))
        .routes(routes!(revoke_token))
        .routes(routes!(set_standing))
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OperatorBody {
    /// Login name, unique in the institution.
    #[schema(example = "officer-1")]
    label: String,
    /// The human, by a key that is no name and no identity number.
    #[schema(example = "demo-bank.1042")]
    person: String,
    /// From when it may act (RFC 3339); now, where absent.
    since: Option<String>,
    /// The first moment at which it may not any more.
    until: Option<String>,
}

/// What was made.
#[derive(Serialize, ToSchema)]
pub(super) struct Made {
    /// Its identifier.
    pub(super) id: String,
}

/// Makes an account for a person, without any role.
#[utoipa::path(
    post, path = "/v1/operators", tag = "operators", request_body = OperatorBody,
    responses(
        (status = 201, body = Made),
        (status = 409, body = Problem, description = "`taken`"),
    ),
)]
async fn register(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<OperatorBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(ADMINISTRATORS).await?;
    let now = gateway.clock().now();
    let mut findings = Findings::default();
    findings.word("/label", &body.label);
    let person = PersonKey::parse(&body.person);
    let person = findings.some(
        "/person",
        "person",
        &PersonKeyError.to_string(),
        person.ok(),
    );
    let since = findings
        .moment_if("/since", body.since.as_deref())
        .unwrap_or(now);
    let until = findings.moment_if("/until", body.until.as_deref());
    if until.is_some_and(|until| until <= since) {
        findings.add("/until", "range", "must be after `since`");
    }
    let Some(person) = person else {
        return Err(findings.problem());
    };
    findings.none()?;
    let new = NewOperator {
        label: body.label,
        person,
        since,
        until,
    };
    let id = operators::register_operator(gateway.db(), caller, new, now).await?;
    Ok((StatusCode::CREATED, Json(Made { id: id.to_string() })).into_response())
}

/// A role to be given or taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleBody {
    /// `grant` or `revoke`.
    #[schema(example = "grant")]
    change: String,
    /// The role.
    #[schema(example = "officer")]
    role: String,
}

/// Grants a role, or takes it back from the next request on.
#[utoipa::path(
    post, path = "/v1/operators/{id}/roles", tag = "operators",
    params(("id" = String, Path)), request_body = RoleBody,
    responses(
        (status = 204),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`exclusive_roles` (UR-01)"),
    ),
)]
async fn change_role(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<OperatorId>,
    Body(body): Body<RoleBody>,
) -> Result<StatusCode, Problem> {
    let caller = asker.require(ADMINISTRATORS).await?;
    let mut findings = Findings::default();
    let grant = findings.one_of(
        "/change",
        &body.change,
        &[("grant", true), ("revoke", false)],
    );
    let role = findings.one_of("/role", &body.role, &roles());
    let (Some(grant), Some(role)) = (grant, role) else {
        return Err(findings.problem());
    };
    let (db, now) = (gateway.db(), gateway.clock().now());
    if grant {
        operators::grant(db, caller, &id, role, now).await?;
    } else {
        operators::revoke(db, caller, &id, role, now).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// All roles, by name.
pub(super) fn roles() -> [(&'static str, Role); 6] {
    Role::ALL.map(|role| (role.name(), role))
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenBody {
    /// The first moment at which it is worth nothing (RFC 3339).
    expires_at: String,
}

/// A new token.
#[derive(Serialize, ToSchema)]
struct TokenMade {
    /// Names the token, to revoke it.
    id: String,
    /// The token. It is shown this once and not kept.
    token: String,
}

/// Makes a bearer token for an operator.
#[utoipa::path(
    post, path = "/v1/operators/{id}/tokens", tag = "operators",
    params(("id" = String, Path)), request_body = TokenBody,
    responses((status = 201, body = TokenMade), (status = 404, body = Problem)),
)]
async fn issue_token(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<OperatorId>,
    Body(body): Body<TokenBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(ADMINISTRATORS).await?;
    let (db, now) = (gateway.db(), gateway.clock().now());
    let mut findings = Findings::default();
    let expires_at = findings.moment("/expires_at", &body.expires_at);
    if expires_at.is_some_and(|at| at <= now) {
        findings.add("/expires_at", "range", "must be in the future");
    }
    let Some(expires_at) = expires_at else {
        return Err(findings.problem());
    };
    findings.none()?;
    let random = SystemRandom::new();
    let (id, token) = operators::issue_token(db, caller, &id, expires_at, &random, now).await?;
    let made = TokenMade {
        id,
        token: token.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Makes a token worthless.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "operators",
    params(("id" = String, Path, description = "The `id` of the token, not the token")),
    responses((status = 204), (status = 404, body = Problem)),
)]
async fn revoke_token(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let caller = asker.require(ADMINISTRATORS).await?;
    operators::revoke_token(gateway.db(), caller, &id, gateway.clock().now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether an operator may act.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StandingBody {
    /// `active`, `suspended` (away for a while) or `ended` (for good: its
    /// tokens are revoked too).
    standing: String,
}

/// Lets an operator act, or not. A revoked token does not come back with it.
#[utoipa::path(
    post, path = "/v1/operators/{id}/standing", tag = "operators",
    params(("id" = String, Path)), request_body = StandingBody,
    responses((status = 204), (status = 404, body = Problem)),
)]
async fn set_standing(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<OperatorId>,
    Body(body): Body<StandingBody>,
) -> Result<StatusCode, Problem> {
    const ALL: [(&str, Standing); 3] = [
        ("active", Standing::Active),
        ("ended", Standing::Ended),
        ("suspended", Standing::Suspended),
    ];
    let caller = asker.require(ADMINISTRATORS).await?;
    let mut findings = Findings::default();
    let Some(standing) = findings.one_of("/standing", &body.standing, &ALL) else {
        return Err(findings.problem());
    };
    let (db, now) = (gateway.db(), gateway.clock().now());
    operators::set_standing(db, caller, &id, standing, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<OperatorError> for Problem {
    fn from(error: OperatorError) -> Self {
        let conflict = |code| Self::new(StatusCode::CONFLICT, code, &error.to_string());
        match &error {
            OperatorError::Exclusive { .. } => conflict("exclusive_roles"),
            OperatorError::Forbidden(forbidden) => Self::forbidden(forbidden.role.name()),
            OperatorError::Taken(_) => conflict("taken"),
            OperatorError::Unknown(what) => {
                Self::not_found().detail(format!("no such {what} in this institution"))
            }
            _ => {
                tracing::error!(error = %error, "operators failed a request");
                Self::internal()
            }
        }
    }
}
