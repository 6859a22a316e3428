//! The clocks of submissions over HTTP.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{READERS, Rows};
use crate::{
    api::{address::Query, problem::Problem, who::Asker},
    gateway::Gateway,
    submissions::ClocksView,
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(show))
}

/// What is late: from the event to its acceptance (SR-05), from a rejection to
/// its correction (SR-06), from sending a file to its feedback (SR-17), counted
/// in working days; and whether the calendar of working days is complete.
#[utoipa::path(
    get, path = "/v1/submissions/clocks", tag = "submissions",
    params(("limit" = Option<i64>, Query, description = "How many late things to show, up to 500")),
    responses((status = 200, body = ClocksView)),
)]
async fn show(
    State(gateway): State<Gateway>,
    asker: Asker,
    Query(rows): Query<Rows>,
) -> Result<Json<ClocksView>, Problem> {
    let caller = asker.require(READERS).await?;
    let limit = usize::try_from(rows.limit()).unwrap_or_default();
    let submissions = gateway.submissions();
    let view = submissions.clocks(&caller.institution, gateway.calendar(), limit);
    Ok(Json(view.await?))
}
