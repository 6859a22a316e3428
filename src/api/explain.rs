//! "May I, and if not, what is missing?"

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{body::Body, findings::Findings, problem::Problem, who::Asker};
use crate::{
    authorizations::{Explanation, READERS},
    bureaus,
    gateway::Gateway,
    inquiries::SubjectBody,
};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(explain))
}

/// An inquiry that might be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuestionBody {
    /// About whom.
    subject: SubjectBody,
    /// The bureau, as configuration names it.
    #[schema(example = "pboc")]
    bureau: String,
    /// What for.
    #[schema(example = "loan_approval")]
    purpose: String,
}

/// Explains what an inquiry would meet, without making one.
///
/// Every reason names its rule, the law behind it, and what would make it
/// right, in Chinese and English; the coverage matrix shows what the subject's
/// authorizations permit now.
#[utoipa::path(
    post, path = "/v1/explain", tag = "authorizations", request_body = QuestionBody,
    responses((status = 200, body = Explanation), (status = 422, body = Problem)),
)]
async fn explain(
    State(gateway): State<Gateway>,
    asker: Asker,
    Body(body): Body<QuestionBody>,
) -> Result<Json<Explanation>, Problem> {
    let caller = asker.require(READERS).await?;
    let now = gateway.clock().now();
    let mut findings = Findings::default();
    let who = findings.identity("/subject", &body.subject, now);
    let bureau = findings.word("/bureau", &body.bureau);
    let purpose = findings.purpose("/purpose", &body.purpose);
    let (Some(who), Some(bureau), Some(purpose)) = (who, bureau, purpose) else {
        return Err(findings.problem());
    };
    let licences = bureaus::licences(gateway.db()).await?;
    let explained = gateway
        .authorizations()
        .explain(caller, &who, &bureau.into(), purpose, licences, now)
        .await?;
    Ok(Json(explained))
}
