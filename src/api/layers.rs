//! What every request goes through: a number, a span, a net for panics.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::Poll,
    time::Instant,
};

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{problem::Problem, router::LARGEST_BODY};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Numbers a request, watches over it, and says that nobody may store the
/// answer.
///
/// The span names the route's pattern, never the path, the query or the body.
/// A client's own number is not taken up: it could hold anything.
pub(super) async fn around(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        http.method = method(&request),
        http.route = route.unwrap_or("none"),
    );
    let mut response = watched(next.run(request)).instrument(span).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// Reads a request whole, and then carries it on even if its client goes away.
pub(super) async fn uncut(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST_BODY).await else {
        let title = "the body is too large or was cut";
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body", title).into_response();
    };
    let whole = Request::from_parts(parts, Body::from(bytes));
    match tokio::spawn(next.run(whole).in_current_span()).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The process goes down.
            Err(_) => Problem::internal().into_response(),
        },
    }
}

/// There is no such path.
pub(super) async fn no_such_path() -> Problem {
    Problem::not_found()
}

/// There is such a path, but not with this method.
pub(super) async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path does not know the method",
    )
}

/// A method of ours; any other could hold anything.
fn method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "DELETE" => "DELETE",
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "other",
    }
}

/// Answers 500 where a handler panics: the panic is a defect of ours, and cuts
/// no connection.
async fn watched(handler: impl Future<Output = Response>) -> Response {
    let started = Instant::now();
    let mut handler = Box::pin(handler);
    let response = poll_fn(|cx| {
        // It is dropped after a panic, so nobody sees what it left undone.
        match catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(_) => {
                tracing::error!("a handler panicked");
                Poll::Ready(Problem::internal().into_response())
            }
        }
    })
    .await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        http.status = response.status().as_u16(),
        elapsed_ms,
        "request answered"
    );
    response
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::header::CONTENT_TYPE, middleware::from_fn, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    async fn panics() -> &'static str {
        panic!("测试甲 must not leave")
    }

    #[tokio::test]
    async fn a_panic_no_path_and_a_wrong_method_are_problems() {
        let router = Router::new()
            .route("/ok", get(|| async { "ok" }))
            .route("/panics", get(panics))
            .fallback(no_such_path)
            .method_not_allowed_fallback(no_such_method)
            .layer(from_fn(around));
        let cases = [
            ("GET", "/ok", 200, "text/plain; charset=utf-8"),
            ("GET", "/panics", 500, "application/problem+json"),
            ("GET", "/none", 404, "application/problem+json"),
            ("POST", "/ok", 405, "application/problem+json"),
        ];
        for (method, path, status, kind) in cases {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(Body::empty())
                .unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], kind, "{path}");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store", "{path}");
            assert_eq!(response.headers()[REQUEST_ID].len(), 36, "{path}");
            let body = to_bytes(response.into_body(), 10_000).await.unwrap();
            assert!(!String::from_utf8_lossy(&body).contains("测试甲"), "{path}");
        }
    }
}
