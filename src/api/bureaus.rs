//! How the lines to the bureaus stand, and the passwords that are sent by them.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{address::Path, problem::Problem, who::Asker};
use crate::{
    bureaus::{ChangedPassword, LineStatus, PasswordChangeError},
    gateway::Gateway,
    operators::Role,
    submissions::FileWayView,
};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(password))
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

/// Changes the password of the caller's institution at a bureau to the one in
/// the file that the configuration names; the password itself is never sent to
/// this address. Where the answer is `unknown`, the one or the other may hold.
#[utoipa::path(
    post, path = "/v1/bureaus/{bureau}/password", tag = "bureaus",
    params(("bureau" = String, Path, description = "The bureau")),
    responses(
        (status = 200, body = ChangedPassword),
        (status = 403, body = Problem),
        (status = 422, body = Problem, description = "`no_member`, `not_supported`, \
            `next_password_not_configured`, `next_password_unreadable`, `password_unfit`"),
    ),
)]
async fn password(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(bureau): Path<String>,
) -> Result<Json<ChangedPassword>, Problem> {
    let caller = asker.require(&[Role::Administrator]).await?;
    let changed = gateway
        .lines()
        .change_password(
            &bureau.as_str().into(),
            &caller.institution,
            &caller.actor.to_string(),
        )
        .await?;
    Ok(Json(changed))
}

impl From<PasswordChangeError> for Problem {
    fn from(error: PasswordChangeError) -> Self {
        let status = match error {
            PasswordChangeError::Db(_) => {
                tracing::error!(error = %error, "a change of password failed");
                return Self::internal();
            }
            PasswordChangeError::Ownership | PasswordChangeError::Serials => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.code(), "the password was not changed").detail(error.to_string())
    }
}
