//! How the lines to the bureaus stand.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{problem::Problem, who::Asker};
use crate::{bureaus::LineStatus, gateway::Gateway, submissions::FileWayView};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(list))
}

/// All lines.
#[derive(Serialize, ToSchema)]
struct Bureaus {
    /// By bureau.
    bureaus: Vec<BureauStatus>,
}

/// A bureau: the line of inquiries, and the way of files.
#[derive(Serialize, ToSchema)]
struct BureauStatus {
    /// The line.
    #[serde(flatten)]
    line: LineStatus,
    /// The way of the files of the caller's institution, where it reports here.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<FileWayView>,
}

/// Shows every line: title, protection, hours, breaker, limits and what is used
/// of them by the caller; and the way of the institution's submission files, with
/// what waits on it. Any known caller may ask.
#[utoipa::path(
    get, path = "/v1/bureaus", tag = "bureaus",
    responses((status = 200, body = Bureaus), (status = 401, body = Problem)),
)]
async fn list(State(gateway): State<Gateway>, asker: Asker) -> Result<Json<Bureaus>, Problem> {
    let caller = &asker.caller;
    let operator = caller.actor.to_string();
    let lines = gateway
        .lines()
        .status(&caller.institution, &operator)
        .await?;
    let mut ways = gateway.submissions().file_ways(&caller.institution).await?;
    let status = |line: LineStatus| BureauStatus {
        files: ways.remove(line.bureau.as_str()),
        line,
    };
    let bureaus = lines.into_iter().map(status).collect();
    Ok(Json(Bureaus { bureaus }))
}
