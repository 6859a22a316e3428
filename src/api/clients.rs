//! Machine clients: for administrators.

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
    address::Path,
    body::Body,
    findings::Findings,
    operators::{ADMINISTRATORS, roles},
    problem::Problem,
    who::Asker,
};
use crate::{
    audit::hex::{Hex, hash_from_hex},
    gateway::Gateway,
    operators::{self, NewClient},
    platform::{certs, ids::ClientId},
};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(revoke))
}

/// A machine to be let in, by its certificate or by the digest of its key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClientBody {
    /// What people call it.
    #[schema(example = "loan-system")]
    label: String,
    /// Its one role.
    #[schema(example = "officer")]
    role: String,
    /// Its certificate, PEM.
    certificate: Option<String>,
    /// SHA-256 of its public key (`SubjectPublicKeyInfo`), hexadecimal.
    key_sha256: Option<String>,
}

/// What was let in.
#[derive(Serialize, ToSchema)]
struct ClientMade {
    /// Its identifier.
    id: String,
    /// By what it is known.
    key_sha256: String,
}

/// Lets a machine in, with one role.
#[utoipa::path(
    post, path = "/v1/clients", tag = "operators", request_body = ClientBody,
    responses(
        (status = 201, body = ClientMade),
        (status = 409, body = Problem, description = "`taken`: a key is never registered twice"),
    ),
)]
async fn register(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<ClientBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(ADMINISTRATORS).await?;
    let mut findings = Findings::default();
    findings.word("/label", &body.label);
    let role = findings.one_of("/role", &body.role, &roles());
    let key_sha256 = key(&body, &mut findings);
    let (Some(role), Some(key_sha256)) = (role, key_sha256) else {
        return Err(findings.problem());
    };
    findings.none()?;
    let new = NewClient {
        key_sha256,
        label: body.label,
        role,
    };
    let id = operators::register_client(gateway.db(), caller, new, gateway.clock().now()).await?;
    let made = ClientMade {
        id: id.to_string(),
        key_sha256: Hex(&key_sha256).to_string(),
    };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

fn key(body: &ClientBody, findings: &mut Findings) -> Option<[u8; 32]> {
    match (&body.certificate, &body.key_sha256) {
        (Some(pem), None) => {
            let digest = certs::spki_sha256_hex(pem.as_bytes()).ok();
            let digest = digest.as_deref().and_then(hash_from_hex);
            findings.some(
                "/certificate",
                "certificate",
                "must be a certificate in PEM",
                digest,
            )
        }
        (None, Some(digest)) => findings.sha256("/key_sha256", digest),
        _ => {
            findings.add(
                "/certificate",
                "missing",
                "give `certificate` or `key_sha256`, not both",
            );
            None
        }
    }
}

/// Shuts a machine out, from its next request on, also on an open connection.
#[utoipa::path(
    post, path = "/v1/clients/{id}/revoke", tag = "operators",
    params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
async fn revoke(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<ClientId>,
) -> Result<StatusCode, Problem> {
    let caller = asker.require(ADMINISTRATORS).await?;
    operators::revoke_client(gateway.db(), caller, &id, gateway.clock().now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
