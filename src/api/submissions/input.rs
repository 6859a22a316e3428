//! The body of a submission, as the reader of records wants it.

use std::{
    future::poll_fn,
    io::{self, Read},
    pin::Pin,
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
};
use tokio::sync::mpsc;
use workbook::MEDIA_TYPE;

use crate::{api::problem::Problem, submissions::Form};

/// Parts of a body that are read ahead.
const AHEAD: usize = 4;

/// A client that is silent for so long has gone: its submission is free again.
const SILENCE: Duration = Duration::from_secs(120);

/// JSON Lines (of records, or of events), CSV or a workbook, by its type.
pub(super) fn form(
    headers: &HeaderMap,
    record: Option<String>,
    events: bool,
    body: Body,
) -> Result<Form, Problem> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            "the body is not of a type that this takes",
        )
        .detail("send it as it is, without a header Content-Encoding"));
    }
    let essence = kind.split(';').next().unwrap_or_default().trim();
    match (essence.to_ascii_lowercase().as_str(), record) {
        ("application/x-ndjson", None) if events => Ok(Form::Events(Box::new(reader(body)))),
        ("text/csv", _) if events => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "query",
            "the parameter events does not go with the body",
        )
        .detail("events are JSON Lines: send a header Content-Type: application/x-ndjson")),
        ("application/x-ndjson", None) => Ok(Form::JsonLines(Box::new(reader(body)))),
        ("text/csv", Some(record)) => Ok(Form::Csv {
            record,
            main: Box::new(reader(body)),
            children: Vec::new(),
        }),
        (MEDIA_TYPE, None) => Ok(Form::Workbook(Box::new(reader(body)))),
        ("application/x-ndjson" | "text/csv" | MEDIA_TYPE, _) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "query",
            "the parameter record does not go with the body",
        )
        .detail(
            "a CSV needs ?record=210 or another type; JSON Lines name it in each line, workbooks \
             in the names of their sheets",
        )),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            "the body is not of a type that this takes",
        )
        .detail(format!(
            "send a header Content-Type: application/x-ndjson, text/csv or {MEDIA_TYPE}"
        ))),
    }
}

/// A body that a thread reads while it comes. It holds a few parts at most.
pub(super) fn reader(mut body: Body) -> BodyReader {
    let (to, parts) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        loop {
            let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
            let part = match tokio::time::timeout(SILENCE, next).await {
                Ok(None) => break,
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(part) if !part.is_empty() => Ok(part),
                    // Trailers say nothing of interest.
                    _ => continue,
                },
                Ok(Some(Err(error))) => Err(io::Error::other(error)),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            let last = part.is_err();
            if to.send(part).await.is_err() || last {
                return;
            }
        }
        // An empty part is the end; without it the body was cut.
        let _ = to.send(Ok(Bytes::new())).await;
    });
    BodyReader {
        parts,
        part: Bytes::new(),
        ended: false,
    }
}

pub(super) struct BodyReader {
    parts: mpsc::Receiver<io::Result<Bytes>>,
    part: Bytes,
    ended: bool,
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            if self.ended {
                return Ok(0);
            }
            match self.parts.blocking_recv() {
                Some(Ok(part)) if part.is_empty() => self.ended = true,
                Some(part) => self.part = part?,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = into.len().min(self.part.len());
        into[..count].copy_from_slice(&self.part.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        task::{Context, Poll},
    };

    use http_body::Frame;
    use tokio::time::Instant;

    use super::*;

    /// Says something once, and then nothing for ever.
    struct Silent(Option<Bytes>);

    impl http_body::Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.0.take() {
                Some(said) => Poll::Ready(Some(Ok(Frame::data(said)))),
                None => Poll::Pending,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_falls_silent_is_cut() {
        let body = Body::new(Silent(Some(Bytes::from_static(b"{}\n"))));
        let (mut reader, begun) = (reader(body), Instant::now());
        let said = reader.parts.recv().await.unwrap();
        assert_eq!(said.unwrap(), &b"{}\n"[..]);
        let cut = reader.parts.recv().await.unwrap();
        assert_eq!(cut.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= SILENCE);
        assert!(reader.parts.recv().await.is_none(), "nothing says an end");
    }
}
