//! The mark that an account is under dispute, over HTTP: open, close, list.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    account::AccountBody,
    address::Path,
    body::Body,
    findings::{DocumentBody, Findings},
    problem::Problem,
    who::Asker,
};
use crate::{
    disputes::{Dispute, DisputeError, KEEPERS, NewDispute, Opened},
    gateway::Gateway,
};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(open, list))
        .routes(routes!(close))
}

/// A dispute that begins.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DisputeBody {
    /// By which the institution knows it; records bear it as their mark.
    #[schema(example = "D-2026-0001")]
    number: String,
    /// Whose account it is.
    subject: DocumentBody,
    /// The account.
    account: AccountBody,
}

/// What opening made.
#[derive(Serialize, ToSchema)]
struct DisputeOpened {
    /// The dispute.
    id: String,
    /// False where the same one is open already.
    opened: bool,
}

/// Opens a dispute on an account: its records need the mark from now on.
#[utoipa::path(
    post, path = "/v1/disputes", tag = "submissions", request_body = DisputeBody,
    responses(
        (status = 200, body = DisputeOpened, description = "Open already"),
        (status = 201, body = DisputeOpened),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "`conflict`"),
    ),
)]
async fn open(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<DisputeBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let now = gateway.clock().now();
    let mut findings = Findings::default();
    findings.word("/number", &body.number);
    let subject = findings.document("/subject", &body.subject, now);
    let account = body
        .account
        .parse("/account", &caller.institution, &mut findings);
    let (Some(subject), Some(account)) = (subject, account) else {
        return Err(findings.problem());
    };
    findings.none()?;
    let new = NewDispute {
        number: body.number,
        subject,
        account,
    };
    let (status, id, opened) = match gateway.disputes().open(caller, new, now).await? {
        Opened::Already(id) => (StatusCode::OK, id, false),
        Opened::New(id) => (StatusCode::CREATED, id, true),
    };
    Ok((status, Json(DisputeOpened { id, opened })).into_response())
}

/// What closing did.
#[derive(Serialize, ToSchema)]
struct DisputeClosed {
    /// False where it was closed before.
    closed: bool,
}

/// Closes a dispute: records of the account go without its mark again.
#[utoipa::path(
    post, path = "/v1/disputes/{id}/close", tag = "submissions",
    params(("id" = String, Path)),
    responses((status = 200, body = DisputeClosed), (status = 404, body = Problem)),
)]
async fn close(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Json<DisputeClosed>, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let now = gateway.clock().now();
    let closed = gateway.disputes().close(caller, &id, now).await?;
    gateway.submissions().stir();
    Ok(Json(DisputeClosed { closed }))
}

/// Disputes that are open.
#[derive(Serialize, ToSchema)]
struct DisputeList {
    /// In the order of their opening.
    disputes: Vec<DisputeView>,
}

/// An open dispute, without anything personal.
#[derive(Serialize, ToSchema)]
struct DisputeView {
    /// Its identifier.
    id: String,
    /// The institution's number of it.
    number: String,
    /// Our number of the account.
    account: i64,
    /// When it was opened (RFC 3339).
    opened_at: String,
}

impl From<Dispute> for DisputeView {
    fn from(it: Dispute) -> Self {
        Self {
            id: it.id,
            number: it.number,
            account: it.account,
            opened_at: it.opened_at.to_string(),
        }
    }
}

/// The open disputes of the caller's institution.
#[utoipa::path(
    get, path = "/v1/disputes", tag = "submissions",
    responses((status = 200, body = DisputeList)),
)]
async fn list(State(gateway): State<Gateway>, asker: Asker) -> Result<Json<DisputeList>, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let disputes = gateway.disputes().list(caller).await?;
    Ok(Json(DisputeList {
        disputes: disputes.into_iter().map(Into::into).collect(),
    }))
}

impl From<DisputeError> for Problem {
    fn from(error: DisputeError) -> Self {
        match &error {
            DisputeError::Conflict => {
                Self::new(StatusCode::CONFLICT, "conflict", &error.to_string())
            }
            DisputeError::Forbidden(forbidden) => Self::forbidden(forbidden.role.name()),
            DisputeError::Number => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "the request has defects",
            )
            .detail(error.to_string()),
            DisputeError::Unknown(what) => {
                Self::not_found().detail(format!("no such {what} in this institution"))
            }
            DisputeError::Db(_) | DisputeError::Entry(_) | DisputeError::Vault(_) => {
                tracing::error!(error = %error, "a dispute failed");
                Self::internal()
            }
        }
    }
}
