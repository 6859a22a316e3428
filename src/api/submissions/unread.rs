//! A body that goes on being read when its answer is known already.
//!
//! # Promise
//!
//! A client that is still sending gets its answer, whatever it is: closing a
//! connection on which bytes wait unread would take the answer away from it, and
//! it could not tell a refusal from a broken line.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};
use tokio::runtime::Handle;

/// How long a client may go on sending what nobody wants.
const PATIENCE: Duration = Duration::from_secs(20);

/// A body, until it was read to its end.
struct Unread(Option<Body>);

/// Reads on what the handler leaves of a body.
pub(super) async fn read_on(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = Body::new(Unread(Some(body)));
    next.run(Request::from_parts(parts, body)).await
}

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.0.as_ref().map(HttpBody::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let left = self.0.take().filter(|body| !body.is_end_stream());
        // Where nothing runs any more, nobody is answered either.
        if let (Some(mut body), Ok(runtime)) = (left, Handle::try_current()) {
            let reading = async move {
                while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
            };
            runtime.spawn(tokio::time::timeout(PATIENCE, reading));
        }
    }
}
