//! How the lines to the bureaus stand.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{problem::Problem, who::Asker};
use crate::{bureaus::LineStatus, gateway::Gateway};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(list))
}

/// All lines.
#[derive(Serialize, ToSchema)]
struct Bureaus {
    /// By bureau.
    bureaus: Vec<LineStatus>,
}

/// Shows every line: title, protection, hours, breaker, limits and what is used
/// of them by the caller. Any known caller may ask.
#[utoipa::path(
    get, path = "/v1/bureaus", tag = "bureaus",
    responses((status = 200, body = Bureaus), (status = 401, body = Problem)),
)]
async fn list(State(gateway): State<Gateway>, asker: Asker) -> Result<Json<Bureaus>, Problem> {
    let caller = &asker.caller;
    let operator = caller.actor.to_string();
    let bureaus = gateway
        .lines()
        .status(&caller.institution, &operator)
        .await?;
    Ok(Json(Bureaus { bureaus }))
}
