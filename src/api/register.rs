//! The register over HTTP.

use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::Body,
    findings::{DocumentBody, Findings},
    problem::Problem,
    who::Asker,
};
use crate::{
    gateway::Gateway,
    inquiries::{
        Cursor, Filter, InquiryView, MAX_PAGE, OUTCOMES, RegisterError, SEARCHERS,
        State as InquiryState,
    },
};

/// Inquiries on a page, where the request does not say.
const PAGE: u32 = 50;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(search))
}

/// What to search for; what is absent limits nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SearchBody {
    /// Came at or after this moment (RFC 3339).
    from: Option<String>,
    /// Came before this moment (RFC 3339).
    until: Option<String>,
    /// Operator or machine client, as inquiries name it: `operator/…`, `client/…`.
    requester: Option<String>,
    /// The purpose.
    purpose: Option<String>,
    /// The bureau asked.
    bureau: Option<String>,
    /// Whom it is about, by full document.
    subject: Option<DocumentBody>,
    /// In one of these states.
    #[serde(default)]
    state: Vec<String>,
    /// `hit`, `no_hit`, `partial`; `recorded`, `not_recorded` when reconciled.
    outcome: Option<String>,
    /// The business it serves.
    business_ref: Option<String>,
    /// Inquiries on a page: 1 to 500, else 50.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page of the register.
#[derive(Serialize, ToSchema)]
struct PageBody {
    /// The inquiries, the newest first.
    inquiries: Vec<InquiryView>,
    /// The `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Searches the register; each search is an entry of the audit log.
///
/// Officers see their own inquiries, compliance and regulators all of their
/// institution. With `Accept: text/csv` the answer is one file of all that
/// fits, up to 50,000, without anything personal; `limit` and `cursor` must be
/// absent then.
#[utoipa::path(
    post, path = "/v1/register/search", tag = "register", request_body = SearchBody,
    responses(
        (status = 200, content((PageBody), (String = "text/csv"))),
        (status = 403, body = Problem),
        (status = 422, body = Problem, description = "Defects, or `too_many`"),
    ),
)]
async fn search(
    State(gateway): State<Gateway>,
    asker: Asker,
    headers: HeaderMap,
    Body(body): Body<SearchBody>,
) -> Result<Response, Problem> {
    let caller = asker.require(SEARCHERS).await?;
    let mut findings = Findings::default();
    let filter = filter(&body, gateway.clock().now(), &mut findings);
    let limit = body.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        findings.add("/limit", "range", format!("must be 1 to {MAX_PAGE}"));
    }
    let cursor: Option<Cursor> = body.cursor.as_deref().and_then(|text| {
        findings.some(
            "/cursor",
            "cursor",
            "must be `next` of a page",
            text.parse().ok(),
        )
    });
    let csv = wants_csv(&headers);
    for (at, given) in [
        ("/limit", body.limit.is_some()),
        ("/cursor", body.cursor.is_some()),
    ] {
        if csv && given {
            findings.add(at, "form", "not with text/csv, which is one whole file");
        }
    }
    findings.none()?;
    if csv {
        let file = gateway.inquiries().export_register(caller, &filter).await?;
        return Ok((
            [(CONTENT_TYPE, "text/csv; charset=utf-8; header=present")],
            file,
        )
            .into_response());
    }
    let page = gateway
        .inquiries()
        .search(caller, &filter, cursor.as_ref(), limit)
        .await?;
    let inquiries = page.records.iter().map(InquiryView::from).collect();
    let next = page.next.map(|cursor| cursor.to_string());
    Ok(Json(PageBody { inquiries, next }).into_response())
}

fn filter(body: &SearchBody, now: jiff::Timestamp, findings: &mut Findings) -> Filter {
    let from = findings.moment_if("/from", body.from.as_deref());
    let until = findings.moment_if("/until", body.until.as_deref());
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        findings.add("/until", "range", "must be after `from`");
    }
    let states: Vec<_> = InquiryState::ALL
        .iter()
        .map(|state| (state.name(), *state))
        .collect();
    let outcomes = OUTCOMES.map(|name| (name, name));
    let mut word = |at, text: &Option<String>| {
        text.as_deref()
            .and_then(|text| findings.word(at, text))
            .map(str::to_owned)
    };
    let requester = word("/requester", &body.requester);
    let bureau = word("/bureau", &body.bureau);
    let business_ref = word("/business_ref", &body.business_ref);
    Filter {
        from,
        until,
        requester,
        purpose: body
            .purpose
            .as_ref()
            .and_then(|name| findings.purpose("/purpose", name)),
        bureau: bureau.map(|name| name.as_str().into()),
        subject: body
            .subject
            .as_ref()
            .and_then(|it| findings.document("/subject", it, now)),
        states: body
            .state
            .iter()
            .enumerate()
            .filter_map(|(n, name)| findings.one_of(&format!("/state/{n}"), name, &states))
            .collect(),
        outcome: body
            .outcome
            .as_ref()
            .and_then(|it| findings.one_of("/outcome", it, &outcomes)),
        business_ref,
    }
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        range
            .split(';')
            .next()
            .unwrap_or("")
            .trim()
            .eq_ignore_ascii_case("text/csv")
    })
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match &error {
            RegisterError::Forbidden(forbidden) => Self::forbidden(forbidden.role.name()),
            RegisterError::OwnOnly => {
                Self::new(StatusCode::FORBIDDEN, "own_only", &error.to_string())
            }
            RegisterError::TooMany => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too_many",
                &error.to_string(),
            ),
            _ => {
                tracing::error!(error = %error, "the register could not be searched");
                Self::internal()
            }
        }
    }
}
