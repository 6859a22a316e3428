//! All routes of the machines' and the people's listener.

use axum::{Extension, Router};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{inquiries, log, who::Listener};
use crate::gateway::Gateway;

/// The routes of a listener.
#[must_use]
pub fn router(gateway: Gateway, listener: Listener) -> Router {
    let (router, _) = OpenApiRouter::new()
        .merge(inquiries::routes())
        .routes(routes!(log::receipt))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::tile))
        .routes(routes!(log::vkey))
        .split_for_parts();
    router.layer(Extension(listener)).with_state(gateway)
}
