//! Inquiries over HTTP.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header::LOCATION},
    middleware::from_fn,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use schemas::{ident::resident_id_checksum_ok, text::Language};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    address::{Path, Query},
    body::{Body, Csv},
    layers::uncut,
    problem::{Finding, Problem},
    who::Asker,
};
use crate::{
    gateway::Gateway,
    inquiries::{
        AskError, DeclineReason, InquiryView, Reconciliation, Record, Request, RequestBody,
        State as InquiryState,
    },
    operators::{Caller, Role},
    platform::ids::{BureauId, InquiryId},
};

mod pages;

/// The longest idempotency key, in bytes.
const LONGEST_KEY: usize = 128;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(ask))
        .route_layer(from_fn(uncut))
        .routes(routes!(show))
        .routes(routes!(report))
        .routes(routes!(pages::page))
        .routes(routes!(pages::changes))
        .routes(routes!(release))
        .routes(routes!(decline))
        .routes(routes!(withdraw))
        .routes(routes!(reread))
        .routes(routes!(propose_again))
        .routes(routes!(agree_again))
        .routes(routes!(reconcile))
        .routes(routes!(bundle))
}

/// Asks a bureau about a subject.
///
/// The same `Idempotency-Key` with the same request is the same inquiry: it is
/// sent once, however often it is posted. `Prefer: wait=N` waits up to N
/// seconds for the end; otherwise, and after them, the answer is 202 with its
/// address.
#[utoipa::path(
    post, path = "/v1/inquiries", tag = "inquiries", request_body = RequestBody,
    params(
        ("Idempotency-Key" = String, Header, description = "1 to 128 printable ASCII characters"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`, seconds"),
    ),
    responses(
        (status = 200, body = InquiryView, description = "It is settled"),
        (status = 202, body = InquiryView, description = "It waits for a person or the bureau"),
        (status = 409, body = Problem, description = "`fresh_report`: a report is at hand"),
        (status = 422, body = Problem, description = "Defects, or the key stands for another request"),
    ),
)]
async fn ask(
    State(gateway): State<Gateway>,
    asker: Asker,
    headers: HeaderMap,
    Body(body): Body<RequestBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Officer]).await?;
    let key = idempotency_key(&headers)?;
    let request = Request::parse(&body, gateway.clock().now()).map_err(|defects| {
        let findings = defects.into_iter().map(|defect| Finding {
            at: defect.at.to_owned(),
            code: defect.code.to_owned(),
            message: defect.message,
        });
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "the request has defects",
        )
        .findings(findings.collect())
    })?;
    let mut asked = gateway.inquiries().ask(caller, request, &key).await?;
    asked.stored().await.map_err(shared)?;
    if let Some(patience) = patience(&headers, gateway.config().inquiries.longest_prefer_seconds) {
        asked.wait(patience).await.map_err(shared)?;
    }
    answer(&gateway, caller, &asked.id).await
}

/// Shows an inquiry.
#[utoipa::path(
    get, path = "/v1/inquiries/{id}", tag = "inquiries",
    params(("id" = String, Path)),
    responses((status = 200, body = InquiryView), (status = 404, body = Problem)),
)]
async fn show(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
) -> Result<Json<InquiryView>, Problem> {
    let roles = [
        Role::Officer,
        Role::Checker,
        Role::Compliance,
        Role::Regulator,
    ];
    let caller = asker.require(&roles).await?;
    Ok(Json(InquiryView::from(&find(&gateway, caller, &id).await?)))
}

/// A decoded report.
#[derive(Serialize, ToSchema)]
struct ReportBody {
    /// The inquiry it answers.
    inquiry: InquiryView,
    /// The report as a tree: units, items with labels and decoded values.
    #[schema(value_type = Object)]
    report: serde_json::Value,
    /// Figures derived from it, each with its formula.
    #[schema(value_type = Vec<Object>)]
    variables: serde_json::Value,
    /// What the dictionary remarked: unknown or misplaced elements.
    #[schema(value_type = Vec<Object>)]
    remarks: serde_json::Value,
}

/// In which language labels are given.
#[derive(Deserialize, IntoParams)]
struct Lang {
    /// `zh` (the default) or `en`.
    #[param(inline)]
    lang: Option<String>,
}

/// Opens the report of an inquiry; each opening is an entry.
#[utoipa::path(
    get, path = "/v1/inquiries/{id}/report", tag = "inquiries",
    params(("id" = String, Path), Lang),
    responses((status = 200, body = ReportBody), (status = 409, body = Problem)),
)]
async fn report(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
    Query(lang): Query<Lang>,
) -> Result<Json<ReportBody>, Problem> {
    let caller = asker.require(&[Role::Officer, Role::Compliance]).await?;
    let language = match lang.lang.as_deref() {
        Some("en") => Language::En,
        _ => Language::Zh,
    };
    let report = gateway.inquiries().report(caller, &id).await?;
    let json = |value: serde_json::Result<serde_json::Value>| {
        value.map_err(|error| {
            tracing::error!(
                error.line = error.line(),
                "a report cannot be written as JSON"
            );
            Problem::internal()
        })
    };
    let remarks: Vec<_> = report
        .remarks()
        .iter()
        .map(|r| r.kind.text(language))
        .collect();
    Ok(Json(ReportBody {
        inquiry: InquiryView::from(&find(&gateway, caller, &id).await?),
        report: json(serde_json::to_value(report.view(language)))?,
        variables: json(serde_json::to_value(report.variables()))?,
        remarks: json(serde_json::to_value(remarks))?,
    }))
}

/// Releases an inquiry that is on hold; never by whoever asked for it.
#[utoipa::path(
    post, path = "/v1/inquiries/{id}/release", tag = "inquiries",
    params(("id" = String, Path), ("Prefer" = Option<String>, Header)),
    responses((status = 200, body = InquiryView), (status = 403, body = Problem)),
)]
async fn release(
    State(gateway): State<Gateway>,
    asker: Asker,
    headers: HeaderMap,
    Path(id): Path<InquiryId>,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Checker]).await?;
    gateway.inquiries().release(caller, &id).await?;
    if let Some(patience) = patience(&headers, gateway.config().inquiries.longest_prefer_seconds) {
        let mut asked = gateway.inquiries().join(&id);
        asked.wait(patience).await.map_err(shared)?;
    }
    answer(&gateway, caller, &id).await
}

/// Why a checker declines.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeclineBody {
    reason: DeclineReason,
}

/// Declines an inquiry that is on hold.
#[utoipa::path(
    post, path = "/v1/inquiries/{id}/decline", tag = "inquiries",
    params(("id" = String, Path)), request_body = DeclineBody,
    responses((status = 200, body = InquiryView), (status = 403, body = Problem)),
)]
async fn decline(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
    Body(body): Body<DeclineBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Checker]).await?;
    gateway
        .inquiries()
        .decline(caller, &id, body.reason)
        .await?;
    answer(&gateway, caller, &id).await
}

/// Takes an inquiry back before it is dispatched.
#[utoipa::path(
    post, path = "/v1/inquiries/{id}/withdraw", tag = "inquiries",
    params(("id" = String, Path)),
    responses((status = 200, body = InquiryView), (status = 409, body = Problem)),
)]
async fn withdraw(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Officer]).await?;
    gateway.inquiries().withdraw(caller, &id).await?;
    answer(&gateway, caller, &id).await
}

/// Reads an unreadable answer again, after the reader was mended.
#[utoipa::path(
    post, path = "/v1/inquiries/{id}/reread", tag = "inquiries",
    params(("id" = String, Path)),
    responses((status = 200, body = InquiryView), (status = 409, body = Problem)),
)]
async fn reread(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Compliance]).await?;
    gateway.inquiries().reread(caller, &id).await?;
    answer(&gateway, caller, &id).await
}

/// The file of the decision to ask again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AgainBody {
    /// Letters, digits and `._:/-`; no free text.
    reason_ref: String,
}

/// Proposes to ask again after an unknown outcome.
#[utoipa::path(
    post, path = "/v1/inquiries/{id}/second-ask", tag = "inquiries",
    params(("id" = String, Path)), request_body = AgainBody,
    responses((status = 204), (status = 409, body = Problem)),
)]
async fn propose_again(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
    Body(body): Body<AgainBody>,
) -> Result<StatusCode, Problem> {
    let caller = asker.require(&[Role::Officer]).await?;
    gateway
        .inquiries()
        .propose_again(caller, &id, &body.reason_ref)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Agrees to ask again: another person than the one who proposed it.
#[utoipa::path(
    post, path = "/v1/inquiries/{id}/second-ask/agree", tag = "inquiries",
    params(("id" = String, Path)),
    responses((status = 202, body = InquiryView, description = "The new inquiry")),
)]
async fn agree_again(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Checker]).await?;
    let successor = gateway.inquiries().agree_again(caller, &id).await?;
    answer(&gateway, caller, &successor).await
}

/// Which list it is.
#[derive(Deserialize, IntoParams)]
struct ListOf {
    /// First moment of the list's period (RFC 3339).
    from: String,
    /// The moment at which its period ends (RFC 3339).
    until: String,
}

/// Holds a bureau's own list of inquiries against the register, and settles
/// what is unknown. The body is CSV with the columns `message_id`,
/// `institution` and `id_number` among others.
#[utoipa::path(
    post, path = "/v1/bureaus/{bureau}/inquiry-list", tag = "inquiries",
    params(("bureau" = String, Path), ListOf),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Reconciliation), (status = 422, body = Problem)),
)]
async fn reconcile(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(bureau): Path<BureauId>,
    Query(of): Query<ListOf>,
    Csv(csv): Csv,
) -> Result<Json<Reconciliation>, Problem> {
    let caller = asker.require(&[Role::Compliance]).await?;
    let moment = |text: &str, at: &str| {
        text.parse::<Timestamp>().map_err(|_| {
            Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "the period has defects",
            )
            .findings(vec![Finding {
                at: at.to_owned(),
                code: "time".to_owned(),
                message: "must be a time such as 2026-11-24T08:00:00+08:00".to_owned(),
            }])
        })
    };
    let period = (moment(&of.from, "/from")?, moment(&of.until, "/until")?);
    Ok(Json(
        gateway
            .inquiries()
            .reconcile(caller, &bureau, period, &csv)
            .await?,
    ))
}

/// The evidence bundle of an inquiry: what is needed to check it with the
/// bundle, the log's key and a checkpoint alone.
#[utoipa::path(
    get, path = "/v1/inquiries/{id}/bundle", tag = "inquiries",
    params(("id" = String, Path)),
    responses((status = 200, body = Object)),
)]
async fn bundle(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Compliance, Role::Regulator]).await?;
    let record = find(&gateway, caller, &id).await?;
    let bytes = gateway.bundle(caller, &record).await.map_err(|error| {
        tracing::error!(error = %error, "a bundle cannot be made");
        Problem::internal()
    })?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(axum::http::header::CONTENT_TYPE, json)], bytes).into_response())
}

async fn find(gateway: &Gateway, caller: &Caller, id: &InquiryId) -> Result<Record, Problem> {
    let found = gateway.inquiries().find(&caller.institution, id).await?;
    found.ok_or_else(Problem::not_found)
}

/// 200 with what is settled, 202 with what is not.
async fn answer(gateway: &Gateway, caller: &Caller, id: &InquiryId) -> Result<Response, Problem> {
    let record = find(gateway, caller, id).await?;
    let settled = record.state().is_settled();
    let status = if settled {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let mut response = (status, Json(InquiryView::from(&record))).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/inquiries/{}", record.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    headers
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok())
        .filter(|key| (1..=LONGEST_KEY).contains(&key.len()) && !names_a_person(key))
        .map(str::to_owned)
        .ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_missing",
                "this needs an idempotency key",
            )
            .detail(
                "send a header Idempotency-Key of 1 to 128 printable ASCII characters, \
                 without an identity number in it",
            )
        })
}

/// Whether a key holds an identity number: keys are kept in clear.
fn names_a_person(key: &str) -> bool {
    let windows = key.as_bytes().windows(18);
    windows
        .filter_map(|window| std::str::from_utf8(window).ok())
        .any(resident_id_checksum_ok)
}

/// How long the client prefers to wait (RFC 7240), up to what is allowed.
fn patience(headers: &HeaderMap, longest_seconds: u32) -> Option<Duration> {
    let prefer = headers.get("prefer")?.to_str().ok()?;
    let wait = prefer
        .split(',')
        .find_map(|part| part.trim().strip_prefix("wait="))?;
    let seconds: u64 = wait.parse().ok()?;
    Some(Duration::from_secs(seconds.min(longest_seconds.into())))
}

fn shared(error: Arc<AskError>) -> Problem {
    Problem::from(&*error)
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        Self::from(&error)
    }
}

impl From<&AskError> for Problem {
    fn from(error: &AskError) -> Self {
        let status = match error {
            AskError::Closing => StatusCode::SERVICE_UNAVAILABLE,
            AskError::Forbidden(forbidden) => return Self::forbidden(forbidden.role.name()),
            AskError::Fresh(_)
            | AskError::Unknown(_)
            | AskError::WrongState(_)
            | AskError::Unreadable(_) => StatusCode::CONFLICT,
            AskError::KeyReused
            | AskError::NoSuchProduct
            | AskError::OtherKind
            | AskError::Reference => StatusCode::UNPROCESSABLE_ENTITY,
            AskError::NotFound => return Self::not_found(),
            AskError::SamePerson => StatusCode::FORBIDDEN,
            _ => {
                tracing::error!(error = %error, "an inquiry failed");
                return Self::internal();
            }
        };
        let problem = Self::new(status, error.code(), &error.to_string());
        match error {
            AskError::Unknown(lost) => problem
                .detail("import the bureau's list, or let two persons decide to ask again")
                .location(format!("/v1/inquiries/{lost}")),
            AskError::Fresh(earlier) => problem
                .detail("open it, or ask again with on_fresh = pull")
                .location(format!("/v1/inquiries/{earlier}")),
            AskError::WrongState(InquiryState::Refused) => {
                problem.detail("its reasons and their cures are in the inquiry")
            }
            _ => problem,
        }
    }
}
