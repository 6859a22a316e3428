//! Submissions over HTTP: hand records in, see what became of each.

mod clocks;
mod feedback;
mod files;
mod input;
mod unread;

use axum::{
    Json,
    body::Body,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::LOCATION},
    middleware,
    response::{IntoResponse, Response},
};
use schemas::{edition::Edition, validate::Severity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use super::{
    address::{Path, Query},
    inquiries::idempotency_key,
    problem::{Finding, Problem},
    who::Asker,
};
use crate::{
    gateway::Gateway,
    operators::Role,
    platform::{clock::china_date, ids::BureauId},
    submissions::{RecordState, RecordView, SubmissionView, SubmitError},
};

/// Who may read what became of records.
const READERS: &[Role] = &[Role::Submitter, Role::Compliance, Role::Regulator];

/// Rows on a page, and the most of them.
const PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 500;

/// What to do where a subject was erased while records were taken in.
const SEND_AGAIN: &str = "受理期间有信息主体的资料被删除，本批记录未写入；此前写入的记录已保留，\
    请以同一幂等键重新发送相同内容 / \
    the records that were on their way are not taken; those before them are kept: send the same \
    content again under the same key";

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(
            routes!(submit)
                .layer(DefaultBodyLimit::disable())
                .layer(middleware::from_fn(unread::read_on)),
        )
        .routes(routes!(page))
        .routes(routes!(show))
        .routes(routes!(records))
        .routes(routes!(withdraw))
        .merge(clocks::routes())
        .merge(feedback::routes())
        .merge(files::routes())
}

/// What is handed in.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct HandedIn {
    /// The bureau reported to.
    bureau: String,
    /// The record type of a CSV, such as `210`.
    record: Option<String>,
    /// Whether the lines are negative events, not records.
    events: Option<bool>,
}

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Rows {
    /// The cursor of the page before.
    cursor: Option<i64>,
    /// How many, up to 500.
    limit: Option<i64>,
    /// Only those in this state.
    state: Option<String>,
}

/// Which submissions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Submissions {
    /// The cursor of the page before.
    cursor: Option<i64>,
    /// How many, up to 500.
    limit: Option<i64>,
}

/// A page of submissions.
#[derive(Serialize, ToSchema)]
struct SubmissionPage {
    submissions: Vec<SubmissionView>,
    /// The cursor of the next page.
    next: Option<i64>,
}

/// A page of records.
#[derive(Serialize, ToSchema)]
struct RecordPage {
    records: Vec<RecordView>,
    /// The cursor of the next page.
    next: Option<i64>,
}

impl Rows {
    fn limit(&self) -> i64 {
        page_of(self.limit)
    }
}

/// Rows on a page that asks for so many.
fn page_of(limit: Option<i64>) -> i64 {
    limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE)
}

/// Hands records in: JSON Lines, CSV of one record type, or a workbook filled from
/// the template (at most 64 MiB); or, with `events=true`, negative events as JSON
/// Lines, each of which becomes the records that the institution's profile reports
/// it in. Lines are taken in as they come, so their body may be of any length. After
/// a cut, the same content under the same `Idempotency-Key` goes on where it ended.
#[utoipa::path(
    post, path = "/v1/submissions", tag = "submissions",
    params(
        HandedIn,
        ("Idempotency-Key" = String, Header, description = "1 to 128 printable ASCII characters"),
    ),
    request_body(content(
        (String = "application/x-ndjson"),
        (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )),
    responses(
        (status = 201, body = SubmissionView, description = "All records are durable"),
        (status = 409, body = Problem, description = "`busy`: it is being received at this moment; \
            `subject_erased_meanwhile`: send the same again under the same key"),
        (status = 422, body = Problem, description = "Defects of the head, or the key stands for other content"),
    ),
)]
async fn submit(
    State(gateway): State<Gateway>,
    asker: Asker,
    Query(of): Query<HandedIn>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let caller = asker.require(&[Role::Submitter]).await?.clone();
    let key = idempotency_key(&headers)?;
    let form = input::form(&headers, of.record, of.events.unwrap_or(false), body)?;
    let submissions = gateway.submissions().clone();
    let bureau = BureauId::from(of.bureau);
    // Carried on when the client goes away: what it had sent is kept.
    let task = tokio::spawn(async move {
        let taken = submissions.submit(&caller, &bureau, &key, form).await?;
        let counts = submissions.counts(&taken).await?;
        Ok::<_, SubmitError>(SubmissionView::of(&taken, &counts))
    });
    match task.await {
        Ok(view) => {
            let view = view?;
            let location = format!("/v1/submissions/{}", view.id);
            Ok((StatusCode::CREATED, [(LOCATION, location)], Json(view)).into_response())
        }
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The process goes down.
            Err(_) => Err(Problem::internal()),
        },
    }
}

/// Submissions of the caller's institution, the latest first.
#[utoipa::path(
    get, path = "/v1/submissions", tag = "submissions", params(Submissions),
    responses((status = 200, body = SubmissionPage)),
)]
async fn page(
    State(gateway): State<Gateway>,
    asker: Asker,
    Query(which): Query<Submissions>,
) -> Result<Json<SubmissionPage>, Problem> {
    let caller = asker.require(READERS).await?;
    let (all, limit) = (gateway.submissions(), page_of(which.limit));
    let found = all.page(&caller.institution, which.cursor, limit).await?;
    let next = found.last().filter(|_| found.len() as i64 == limit);
    let next = next.map(|last| last.no);
    let mut submissions = Vec::with_capacity(found.len());
    for row in &found {
        submissions.push(SubmissionView::of(row, &all.counts(row).await?));
    }
    Ok(Json(SubmissionPage { submissions, next }))
}

/// A submission, and how many of its records are in each state.
#[utoipa::path(
    get, path = "/v1/submissions/{id}", tag = "submissions",
    params(("id" = String, Path)),
    responses((status = 200, body = SubmissionView), (status = 404, body = Problem)),
)]
async fn show(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
) -> Result<Json<SubmissionView>, Problem> {
    let caller = asker.require(READERS).await?;
    let all = gateway.submissions();
    let row = all.find(&caller.institution, &id).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    Ok(Json(SubmissionView::of(&row, &all.counts(&row).await?)))
}

/// Records of a submission, with what they wait for, what is wrong with them and
/// what the bureau said; never their content.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/records", tag = "submissions",
    params(("id" = String, Path), Rows),
    responses((status = 200, body = RecordPage), (status = 404, body = Problem)),
)]
async fn records(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
    Query(rows): Query<Rows>,
) -> Result<Json<RecordPage>, Problem> {
    let caller = asker.require(READERS).await?;
    let state = rows.state.as_deref().map(|name| {
        RecordState::named(name).ok_or_else(|| unknown_state(RecordState::ALL.map(|it| it.name())))
    });
    let state = state.transpose()?;
    let all = gateway.submissions();
    let of = all.find(&caller.institution, &id).await?;
    let of = of.ok_or_else(Problem::not_found)?;
    let after = rows.cursor.unwrap_or(0);
    let found = all.records(&of, state, after, rows.limit()).await?;
    let next = found.last().filter(|_| found.len() as i64 == rows.limit());
    let next = next.map(|last| last.seq);
    let today = china_date(gateway.clock().now());
    let edition = Edition::embedded("pboc-submit", today);
    let records = found.iter().map(|row| RecordView::of(row, edition));
    Ok(Json(RecordPage {
        records: records.collect(),
        next,
    }))
}

/// Takes a record back that was not sent, or that the bureau rejected.
#[utoipa::path(
    post, path = "/v1/submissions/{id}/records/{seq}/withdraw", tag = "submissions",
    params(("id" = String, Path), ("seq" = i64, Path)),
    responses((status = 204), (status = 409, body = Problem)),
)]
async fn withdraw(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path((id, seq)): Path<(String, i64)>,
) -> Result<StatusCode, Problem> {
    let caller = asker.require(&[Role::Submitter, Role::Compliance]).await?;
    gateway.submissions().withdraw(caller, &id, seq).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown_state<const N: usize>(known: [&'static str; N]) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "query", "there is no such state")
        .detail(format!("one of {}", known.join(", ")))
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let status = match &error {
            SubmitError::Busy
            | SubmitError::Erased
            | SubmitError::WrongFileState(_)
            | SubmitError::WrongRecordState
            | SubmitError::Serials => StatusCode::CONFLICT,
            SubmitError::Closing => StatusCode::SERVICE_UNAVAILABLE,
            SubmitError::ContentDiffers
            | SubmitError::FeedbackDisagrees(_)
            | SubmitError::FeedbackOfAnother
            | SubmitError::Header(_)
            | SubmitError::NoSuchBureau
            | SubmitError::NoSuchRecord
            | SubmitError::Workbook(_) => StatusCode::UNPROCESSABLE_ENTITY,
            SubmitError::Forbidden(forbidden) => return Self::forbidden(forbidden.role.name()),
            SubmitError::Input(_) => StatusCode::BAD_REQUEST,
            SubmitError::NotFound => return Self::not_found(),
            _ => {
                tracing::error!(error = %error, "a submission failed");
                return Self::internal();
            }
        };
        let problem = Self::new(status, error.code(), &error.to_string());
        let findings = match &error {
            SubmitError::FeedbackDisagrees(check) => {
                return problem.findings(vec![feedback::broken(check)]);
            }
            SubmitError::Header(findings) => findings,
            SubmitError::Erased => return problem.detail(SEND_AGAIN),
            _ => return problem,
        };
        let stopping = findings.iter().filter(|it| it.severity == Severity::Error);
        problem.findings(
            stopping
                .map(|it| Finding {
                    at: it.path.clone(),
                    code: it.code.clone(),
                    message: format!("{} / {}", it.zh, it.en),
                })
                .collect(),
        )
    }
}
