//! Health and metrics, on the loopback listener of operations.

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::gateway::Gateway;

/// The routes: `/healthz`, `/readyz`, `/metrics`.
pub fn router(gateway: Gateway) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(gateway)
}

/// Ready: the database answers and the gateway takes work.
async fn ready(State(gateway): State<Gateway>) -> (StatusCode, &'static str) {
    match gateway.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(cause) => (StatusCode::SERVICE_UNAVAILABLE, cause),
    }
}

async fn metrics(State(gateway): State<Gateway>) -> String {
    gateway.metrics()
}
