//! Authorizations over HTTP: record, show, find, withdraw, import.

mod form;
mod import;

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use self::form::FormBody;
use super::{
    address::Path,
    body::Body,
    findings::{DocumentBody, Findings},
    problem::{Finding, Problem},
    who::Asker,
};
use crate::{
    authorizations::{
        AuthorizationError, KEEPERS, Listed, PolicyVersion, READERS, Recorded, Validity,
    },
    gateway::Gateway,
    platform::{db::Urgency, ids::AuthorizationId, vault::VaultError},
};

/// The largest body with an original or many lines, in bytes.
const LARGE: usize = 16 << 20;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(record).layer(DefaultBodyLimit::max(LARGE)))
        .routes(routes!(import::import).layer(DefaultBodyLimit::max(LARGE)))
        .routes(routes!(show))
        .routes(routes!(search))
        .routes(routes!(withdraw))
}

/// What recording made.
#[derive(Serialize, ToSchema)]
struct RecordedBody {
    /// The authorization.
    id: String,
    /// False where the same one was recorded already.
    recorded: bool,
}

/// Records what a subject signed, with its original. The same one again
/// changes nothing.
#[utoipa::path(
    post, path = "/v1/authorizations", tag = "authorizations", request_body = FormBody,
    responses(
        (status = 200, body = RecordedBody, description = "Recorded already"),
        (status = 201, body = RecordedBody),
        (status = 409, body = Problem, description = "`conflict`, `other_name`"),
        (status = 422, body = Problem),
    ),
)]
async fn record(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<FormBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let now = gateway.clock().now();
    let new = body.parse(now)?;
    let recorded = gateway
        .authorizations()
        .record(caller, new, Urgency::Urgent, now)
        .await?;
    gateway.submissions().stir();
    let (status, id, recorded) = match recorded {
        Recorded::Already(id) => (StatusCode::OK, id, false),
        Recorded::New(id) => (StatusCode::CREATED, id, true),
    };
    let location = format!("/v1/authorizations/{id}");
    let body = Json(RecordedBody {
        id: id.to_string(),
        recorded,
    });
    Ok((status, [(LOCATION, location)], body).into_response())
}

/// An authorization, without anything personal.
#[derive(Serialize, ToSchema)]
struct AuthorizationView {
    /// Its identifier.
    id: String,
    /// By which the recording system knows it.
    external_ref: String,
    /// Our random number of the subject; never derived from the identity.
    subject: String,
    /// `inquire` or `provide`.
    kind: &'static str,
    /// The bureaus that it names.
    bureaus: Vec<String>,
    /// The purposes that it names.
    purposes: Vec<&'static str>,
    /// The kinds of information that it names.
    categories: Vec<&'static str>,
    /// When it was signed (RFC 3339); absent where the form is blank.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_at: Option<String>,
    /// For how long.
    validity: Validity,
    /// The text that was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyVersion>,
    /// How many subjects the form names.
    subjects_on_form: i64,
    /// Whether an original is stored.
    has_original: bool,
    /// When it was recorded (RFC 3339).
    recorded_at: String,
    /// Since when it is withdrawn (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn_at: Option<String>,
}

impl From<Listed> for AuthorizationView {
    fn from(listed: Listed) -> Self {
        let it = listed.authorization;
        let text = |at: Timestamp| at.to_string();
        Self {
            id: it.id.to_string(),
            external_ref: listed.external_ref,
            subject: it.subject.to_string(),
            kind: it.kind.name(),
            bureaus: it.bureaus.iter().map(ToString::to_string).collect(),
            purposes: it.purposes.iter().map(|one| one.name()).collect(),
            categories: it.categories.iter().map(|one| one.name()).collect(),
            signed_at: it.signed_at.map(text),
            validity: it.validity,
            policy: it.policy,
            subjects_on_form: it.subjects_on_form,
            has_original: listed.has_original,
            recorded_at: text(listed.recorded_at),
            withdrawn_at: it.withdrawn_at.map(text),
        }
    }
}

/// Shows an authorization.
#[utoipa::path(
    get, path = "/v1/authorizations/{id}", tag = "authorizations",
    params(("id" = String, Path)),
    responses((status = 200, body = AuthorizationView), (status = 404, body = Problem)),
)]
async fn show(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<AuthorizationId>,
) -> Result<Json<AuthorizationView>, Problem> {
    let caller = asker.require(READERS).await?;
    Ok(Json(
        gateway.authorizations().get(caller, &id).await?.into(),
    ))
}

/// Whose authorizations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OfBody {
    /// The full document.
    subject: DocumentBody,
}

/// Authorizations of a subject.
#[derive(Serialize, ToSchema)]
struct FoundBody {
    /// In the order of their recording.
    authorizations: Vec<AuthorizationView>,
}

/// Finds all authorizations that a subject gave the caller's institution.
#[utoipa::path(
    post, path = "/v1/authorizations/search", tag = "authorizations", request_body = OfBody,
    responses((status = 200, body = FoundBody), (status = 422, body = Problem)),
)]
async fn search(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<OfBody>,
) -> Result<Json<FoundBody>, Problem> {
    let caller = asker.require(READERS).await?;
    let mut findings = Findings::default();
    let who = findings.document("/subject", &body.subject, gateway.clock().now());
    let Some(who) = who else {
        return Err(findings.problem());
    };
    let found = gateway.authorizations().of_subject(caller, &who).await?;
    Ok(Json(FoundBody {
        authorizations: found.into_iter().map(Into::into).collect(),
    }))
}

/// What withdrawing did.
#[derive(Serialize, ToSchema)]
struct WithdrawnBody {
    /// False where it was withdrawn before.
    withdrawn: bool,
}

/// Withdraws an authorization: from now on nothing goes out under it.
#[utoipa::path(
    post, path = "/v1/authorizations/{id}/withdraw", tag = "authorizations",
    params(("id" = String, Path)),
    responses((status = 200, body = WithdrawnBody), (status = 404, body = Problem)),
)]
async fn withdraw(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<AuthorizationId>,
) -> Result<Json<WithdrawnBody>, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let now = gateway.clock().now();
    let withdrawn = gateway.authorizations().withdraw(caller, &id, now).await?;
    Ok(Json(WithdrawnBody { withdrawn }))
}

impl From<AuthorizationError> for Problem {
    fn from(error: AuthorizationError) -> Self {
        let conflict = |code| Self::new(StatusCode::CONFLICT, code, &error.to_string());
        match &error {
            AuthorizationError::Conflict(_) => conflict("conflict"),
            AuthorizationError::Forbidden(forbidden) => Self::forbidden(forbidden.role.name()),
            AuthorizationError::Invalid { field, right } => {
                let finding = Finding {
                    at: format!("/{field}"),
                    code: "form".to_owned(),
                    message: format!("must be {right}"),
                };
                Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid",
                    "the request has defects",
                )
                .findings(vec![finding])
            }
            AuthorizationError::Unknown(what) => {
                Self::not_found().detail(format!("no such {what} in this institution"))
            }
            AuthorizationError::Vault(VaultError::OtherName) => conflict("other_name"),
            _ => {
                tracing::error!(error = %error, "authorizations failed a request");
                Self::internal()
            }
        }
    }
}
