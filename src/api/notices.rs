//! Prior notices of negative information over HTTP: record, show.

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    account::AccountBody,
    address::Path,
    body::Body,
    findings::Findings,
    problem::{Finding, Problem},
    who::Asker,
};
use crate::{
    gateway::Gateway,
    inquiries::SubjectBody,
    notices::{Channel, KEEPERS, Listed, NewNotice, NoticeError, READERS, Recorded},
    platform::vault::VaultError,
};

/// The largest body, in bytes.
const LARGE: usize = 12 << 20;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(record).layer(DefaultBodyLimit::max(LARGE)))
        .routes(routes!(show))
}

/// A notice that was delivered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeBody {
    /// Whom it was delivered to.
    subject: SubjectBody,
    /// The account that it names; it need not have been reported yet.
    account: AccountBody,
    /// The month that the unpaid amount was due in.
    #[schema(example = "2026-10")]
    due_period: String,
    /// `app`, `email`, `in_person`, `phone`, `post` or `sms`.
    #[schema(example = "sms")]
    channel: String,
    /// When it was delivered (RFC 3339).
    #[schema(example = "2026-11-03T09:30:00+08:00")]
    delivered_at: String,
    /// What proves the delivery, in Base64; at most 8 MiB.
    proof: String,
}

impl Drop for NoticeBody {
    fn drop(&mut self) {
        self.proof.zeroize();
    }
}

/// What recording made.
#[derive(Serialize, ToSchema)]
struct NoticeRecorded {
    /// The notice.
    id: String,
    /// False where the same one was recorded already.
    recorded: bool,
}

/// Records a prior notice that was delivered (CRR Art 15).
///
/// Records that wait for it go on by themselves.
#[utoipa::path(
    post, path = "/v1/notices", tag = "submissions", request_body = NoticeBody,
    responses(
        (status = 200, body = NoticeRecorded, description = "Recorded already"),
        (status = 201, body = NoticeRecorded),
        (status = 404, body = Problem, description = "The account is another subject's"),
        (status = 422, body = Problem),
    ),
)]
async fn record(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<NoticeBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(KEEPERS).await?;
    let now = gateway.clock().now();
    let mut findings = Findings::default();
    let subject = findings.identity("/subject", &body.subject, now);
    let account = body
        .account
        .parse("/account", &caller.institution, &mut findings);
    const MONTH: &str = "must be a month such as 2026-10";
    let due = body.due_period.parse().ok();
    let due = findings.some("/due_period", "month", MONTH, due);
    let channel = findings.one_of("/channel", &body.channel, &Channel::ALL);
    let delivered_at = findings.moment("/delivered_at", &body.delivered_at);
    const BASE64: &str = "must be Base64";
    let proof = STANDARD.decode(&body.proof).ok().map(Zeroizing::new);
    let proof = findings.some("/proof", "base64", BASE64, proof);
    let (Some(subject), Some(account), Some(due)) = (subject, account, due) else {
        return Err(findings.problem());
    };
    let (Some(channel), Some(delivered_at), Some(proof)) = (channel, delivered_at, proof) else {
        return Err(findings.problem());
    };
    let new = NewNotice {
        subject,
        account,
        due,
        channel,
        delivered_at,
        proof,
    };
    let recorded = gateway.notices().record(caller, new, now).await?;
    gateway.submissions().stir();
    let (status, id, recorded) = match recorded {
        Recorded::Already(id) => (StatusCode::OK, id, false),
        Recorded::New(id) => (StatusCode::CREATED, id, true),
    };
    let location = format!("/v1/notices/{id}");
    let body = Json(NoticeRecorded { id, recorded });
    Ok((status, [(LOCATION, location)], body).into_response())
}

/// A notice, without anything personal.
#[derive(Serialize, ToSchema)]
struct NoticeView {
    /// Its identifier.
    id: String,
    /// Our random number of the subject; never derived from the identity.
    subject: String,
    /// Our number of the account.
    account: i64,
    /// The month that the unpaid amount was due in.
    due_period: String,
    /// How it was delivered.
    channel: String,
    /// When it was delivered (RFC 3339).
    delivered_at: String,
    /// Whether its proof is still kept.
    has_proof: bool,
    /// The run of negative state that it served, by its first record.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// When it was recorded (RFC 3339).
    recorded_at: String,
}

impl From<Listed> for NoticeView {
    fn from(it: Listed) -> Self {
        Self {
            id: it.id,
            subject: it.subject,
            account: it.account,
            due_period: it.due,
            channel: it.channel,
            delivered_at: it.delivered_at.to_string(),
            has_proof: it.has_proof,
            run: it.run,
            recorded_at: it.recorded_at.to_string(),
        }
    }
}

/// Shows a notice, and the run of negative state that it served.
#[utoipa::path(
    get, path = "/v1/notices/{id}", tag = "submissions",
    params(("id" = String, Path)),
    responses((status = 200, body = NoticeView), (status = 404, body = Problem)),
)]
async fn show(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Json<NoticeView>, Problem> {
    let caller = asker.require(READERS).await?;
    Ok(Json(gateway.notices().get(caller, &id).await?.into()))
}

impl From<NoticeError> for Problem {
    fn from(error: NoticeError) -> Self {
        match &error {
            NoticeError::Forbidden(forbidden) => Self::forbidden(forbidden.role.name()),
            NoticeError::Invalid { field, right } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "the request has defects",
            )
            .findings(vec![Finding {
                at: format!("/{field}"),
                code: "form".to_owned(),
                message: format!("must be {right}"),
            }]),
            NoticeError::Unknown(what) => {
                Self::not_found().detail(format!("no such {what} in this institution"))
            }
            NoticeError::Vault(VaultError::OtherName) => {
                Self::new(StatusCode::CONFLICT, "other_name", &error.to_string())
            }
            NoticeError::Db(_)
            | NoticeError::Entry(_)
            | NoticeError::Unreadable(_)
            | NoticeError::Vault(_) => {
                tracing::error!(error = %error, "a notice failed");
                Self::internal()
            }
        }
    }
}
