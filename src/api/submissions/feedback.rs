//! Feedback over HTTP: what the bureau said of a file, and one brought by hand.

use axum::{
    Json,
    body::Body,
    extract::{DefaultBodyLimit, State},
};
use schemas::{edition::Edition, file::asked};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use super::{READERS, Rows, input};
use crate::{
    api::{
        address::{Path, Query},
        problem::{Finding, Problem},
        who::Asker,
    },
    gateway::Gateway,
    operators::Role,
    platform::clock::china_date,
    submissions::{FeedbackView, FileRow, FileView, SubmitError},
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(give).layer(DefaultBodyLimit::disable()))
        .routes(routes!(show))
}

/// Brings the feedback to a file, where the gateway cannot fetch it: the file as
/// the bureau gave it, sealed or opened. It is held to the same checks as one
/// that was fetched; the same one again changes nothing. `{id}` is the file's
/// identifier or its mandated name.
#[utoipa::path(
    post, path = "/v1/files/{id}/feedback", tag = "submissions",
    params(("id" = String, Path)),
    request_body(content((Vec<u8> = "application/octet-stream"))),
    responses(
        (status = 200, body = FileView, description = "It is taken, and what it says is applied"),
        (status = 409, body = Problem, description = "`wrong_state`: the file was not sent, was answered, or waits for a decision"),
        (status = 422, body = Problem, description = "`feedback_of_another_file`, `feedback_disagrees`: nothing of it was taken"),
    ),
)]
async fn give(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<FileView>, Problem> {
    let caller = asker.require(&[Role::Compliance, Role::Submitter]).await?;
    let caller = caller.clone();
    let submissions = gateway.submissions().clone();
    let reader = Box::new(input::reader(body));
    // Carried on when the client goes away: what is applied is applied whole.
    let task = tokio::spawn(async move { submissions.give_feedback(&caller, &id, reader).await });
    let taken: Result<FileRow, SubmitError> = match task.await {
        Ok(taken) => taken,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The process goes down.
            Err(_) => return Err(Problem::internal()),
        },
    };
    Ok(Json(FileView::from(&taken?)))
}

/// What the bureau said of a file: every record that it rejected, the rule behind
/// each code in Chinese and English, and how to cure it. `{id}` is the file's
/// identifier or its mandated name.
#[utoipa::path(
    get, path = "/v1/files/{id}/feedback", tag = "submissions",
    params(("id" = String, Path), Rows),
    responses((status = 200, body = FeedbackView), (status = 404, body = Problem)),
)]
async fn show(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<String>,
    Query(rows): Query<Rows>,
) -> Result<Json<FeedbackView>, Problem> {
    let caller = asker.require(READERS).await?;
    let all = gateway.submissions();
    let file = all.file_or_named(&caller.institution, &id).await?;
    let file = file.ok_or_else(Problem::not_found)?;
    let after = rows.cursor.unwrap_or(0);
    let (heard, rejected) = all.feedback_of(&file, after, rows.limit()).await?;
    let next = rejected
        .last()
        .filter(|_| rejected.len() as i64 == rows.limit());
    let next = next.map(|last| last.line);
    let today = china_date(gateway.clock().now());
    let edition = Edition::embedded("pboc-submit", today);
    Ok(Json(FeedbackView::of(
        &file, heard, rejected, next, edition,
    )))
}

/// The check that a feedback file breaks, as a finding.
pub(super) fn broken(check: &str) -> Finding {
    let known = asked().find(|asked| asked.check == check);
    let (code, message) = match known {
        Some(asked) => (asked.check, format!("{} / {}", asked.zh, asked.en)),
        None => (
            "unreadable",
            "该文件不能以本机构的密钥解开，或已损坏 / it does not open under the institution's \
             key, or is damaged"
                .to_owned(),
        ),
    };
    Finding {
        at: "/".to_owned(),
        code: code.to_owned(),
        message,
    }
}
