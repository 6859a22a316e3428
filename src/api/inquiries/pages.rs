//! A report laid out for people, and beside an earlier one.

use axum::{Json, extract::State, http::StatusCode};
use schemas::{report::compare, text::Language};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::{
    address::{Path, Query},
    problem::Problem,
    who::Asker,
};
use crate::{gateway::Gateway, operators::Role, platform::ids::InquiryId};

/// A report as a page.
#[derive(Serialize, ToSchema)]
pub(super) struct PageBody {
    /// Sections with fields, tables and grids of months; figures and notes.
    #[schema(value_type = Object)]
    page: serde_json::Value,
    /// The same as plain text.
    text: String,
}

/// What changed from one report to another.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangesBody {
    /// By area: new, worse, better, changed, closed, gone; and what is untold.
    #[schema(value_type = Object)]
    changes: serde_json::Value,
    /// The same as plain text.
    text: String,
}

#[derive(Deserialize, IntoParams)]
pub(super) struct Lang {
    /// `zh` (the default) or `en`.
    #[param(inline)]
    lang: Option<String>,
}

#[derive(Deserialize, IntoParams)]
pub(super) struct Since {
    /// The inquiry whose report is the earlier one, of the same subject.
    #[param(value_type = String)]
    since: InquiryId,
    /// `zh` (the default) or `en`.
    #[param(inline)]
    lang: Option<String>,
}

/// Opens the report of an inquiry as a page; each opening is an entry.
#[utoipa::path(
    get, path = "/v1/inquiries/{id}/report/page", tag = "inquiries",
    params(("id" = String, Path), Lang),
    responses((status = 200, body = PageBody), (status = 409, body = Problem)),
)]
pub(super) async fn page(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
    Query(Lang { lang }): Query<Lang>,
) -> Result<Json<PageBody>, Problem> {
    let caller = asker.require(&[Role::Officer, Role::Compliance]).await?;
    let language = language(lang.as_deref());
    let report = gateway.inquiries().report(caller, &id).await?;
    Ok(Json(PageBody {
        page: json(&report.page(language))?,
        text: report.render(language).to_string(),
    }))
}

/// Tells what changed since an earlier report; each opening is an entry.
#[utoipa::path(
    get, path = "/v1/inquiries/{id}/report/changes", tag = "inquiries",
    params(("id" = String, Path), Since),
    responses((status = 200, body = ChangesBody), (status = 409, body = Problem,
        description = "`other_subject`, `other_kind`, `wrong_order`: not to be compared")),
)]
pub(super) async fn changes(
    State(gateway): State<Gateway>,
    asker: Asker,
    Path(id): Path<InquiryId>,
    Query(Since { since, lang }): Query<Since>,
) -> Result<Json<ChangesBody>, Problem> {
    let caller = asker.require(&[Role::Officer, Role::Compliance]).await?;
    let language = language(lang.as_deref());
    let earlier = gateway.inquiries().report(caller, &since).await?;
    let later = gateway.inquiries().report(caller, &id).await?;
    let comparison = compare(&earlier, &later).map_err(|error| {
        Problem::new(StatusCode::CONFLICT, error.code(), &error.to_string())
            .detail("two reports of one kind and one subject, the earlier one in `since`")
    })?;
    Ok(Json(ChangesBody {
        changes: json(&comparison.view(language))?,
        text: comparison.render(language).to_string(),
    }))
}

fn language(name: Option<&str>) -> Language {
    match name {
        Some("en") => Language::En,
        _ => Language::Zh,
    }
}

fn json(value: &impl Serialize) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(value).map_err(|error| {
        tracing::error!(
            error.line = error.line(),
            "a report cannot be written as JSON"
        );
        Problem::internal()
    })
}
