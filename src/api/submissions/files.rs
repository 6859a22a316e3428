//! Mandated files over HTTP: where each stands, and what a person decides.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{READERS, Rows, unknown_state};
use crate::{
    api::{
        address::{Path, Query},
        body::Body,
        problem::Problem,
        who::Asker,
    },
    gateway::Gateway,
    operators::Role,
    submissions::{Decision, FileState, FileView},
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(show))
        .routes(routes!(decide))
}

/// A page of files.
#[derive(Serialize, ToSchema)]
struct FilePage {
    files: Vec<FileView>,
    /// The cursor of the next page.
    next: Option<i64>,
}

/// What a person decides.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    /// `resend`, `look_again` or `give_up`.
    decision: Decision,
}

/// Files of the caller's institution, the latest first.
#[utoipa::path(
    get, path = "/v1/files", tag = "submissions", params(Rows),
    responses((status = 200, body = FilePage)),
)]
async fn page(
    State(gateway): State<Gateway>,
    asker: Asker,
    Query(rows): Query<Rows>,
) -> Result<Json<FilePage>, Problem> {
    let caller = asker.require(READERS).await?;
    let state = rows.state.as_deref().map(|name| {
        FileState::named(name).ok_or_else(|| unknown_state(FileState::ALL.map(|it| it.name())))
    });
    let state = state.transpose()?;
    let all = gateway.submissions();
    let found = all
        .files(&caller.institution, state, rows.cursor, rows.limit())
        .await?;
    let next = found.last().filter(|_| found.len() as i64 == rows.limit());
    Ok(Json(FilePage {
        next: next.map(|last| last.no),
        files: found.iter().map(FileView::from).collect(),
    }))
}

/// A file, by its identifier or its mandated name.
#[utoipa::path(
    get, path = "/v1/files/{id}", tag = "submissions",
    params(("id" = String, Path)),
    responses((status = 200, body = FileView), (status = 404, body = Problem)),
)]
async fn show(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Json<FileView>, Problem> {
    let caller = asker.require(READERS).await?;
    let all = gateway.submissions();
    let row = all.file_or_named(&caller.institution, &id).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    Ok(Json(FileView::from(&row)))
}

/// Decides about a file that stopped or was refused: deliver the same bytes
/// again, look at the feedback again, or give the name up, so that its records
/// go into another file.
#[utoipa::path(
    post, path = "/v1/files/{id}/decide", tag = "submissions",
    params(("id" = String, Path)), request_body = DecisionBody,
    responses((status = 204), (status = 409, body = Problem)),
)]
async fn decide(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
    Body(body): Body<DecisionBody>,
) -> Result<StatusCode, Problem> {
    let caller = asker.require(&[Role::Compliance, Role::Submitter]).await?;
    gateway
        .submissions()
        .decide(caller, &id, body.decision)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
