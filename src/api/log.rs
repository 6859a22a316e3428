//! The audit log: receipts for their owners, tiles for regulators, checkpoints
//! for anyone who is configured.

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

use super::{address::Path, problem::Problem, who::Asker};
use crate::{
    audit::{log::Proven, tile::Resource},
    gateway::Gateway,
    operators::Role,
};

/// Where an entry stands in the log, with its proof.
///
/// Whoever holds the receipt of an entry may prove it: it is a random number
/// that only those learn who may see what it stands for.
#[utoipa::path(
    get, path = "/v1/receipts/{entry}", tag = "log",
    params(("entry" = String, Path, description = "Identifier of the entry")),
    responses((status = 200, body = Proven), (status = 404, body = Problem)),
)]
pub(crate) async fn receipt(
    State(gateway): State<Gateway>,
    _: Asker,
    Path(entry): Path<String>,
) -> Result<Json<Proven>, Problem> {
    let proven = gateway.log().receipt(&entry).await.map_err(failed)?;
    proven.map(Json).ok_or_else(Problem::not_found)
}

/// The newest signed checkpoint.
#[utoipa::path(
    get, path = "/v1/log/checkpoint", tag = "log",
    responses((status = 200, body = String, content_type = "text/plain")),
)]
pub(crate) async fn checkpoint(
    State(gateway): State<Gateway>,
    _: Asker,
) -> Result<Response, Problem> {
    serve(&gateway, Resource::Checkpoint).await
}

/// A tile of hashes or a bundle of entries, by the paths of C2SP tlog-tiles.
#[utoipa::path(
    get, path = "/v1/log/tile/{*path}", tag = "log",
    params(("path" = String, Path, description = "Below `tile/`: `0/000`, `entries/000.p/5`")),
    responses((status = 200, body = Vec<u8>), (status = 403, body = Problem)),
)]
pub(crate) async fn tile(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    asker.require(&[Role::Regulator]).await?;
    let resource = format!("tile/{path}")
        .parse()
        .map_err(|_| Problem::not_found())?;
    serve(&gateway, resource).await
}

/// The public key that signs the log, in the form of `--vkey`.
#[utoipa::path(
    get, path = "/v1/log/vkey", tag = "log",
    responses((status = 200, body = String, content_type = "text/plain")),
)]
pub(crate) async fn vkey(State(gateway): State<Gateway>, _: Asker) -> String {
    gateway.log().vkey()
}

async fn serve(gateway: &Gateway, resource: Resource) -> Result<Response, Problem> {
    let bytes = gateway
        .log()
        .reader()
        .resource(resource)
        .await
        .map_err(failed)?;
    let kind = match resource {
        Resource::Checkpoint => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    let bytes = bytes.ok_or_else(Problem::not_found)?;
    Ok(([(CONTENT_TYPE, kind)], bytes).into_response())
}

fn failed(error: crate::audit::AuditError) -> Problem {
    tracing::error!(error = %error, "the audit log could not be read");
    Problem::internal()
}
