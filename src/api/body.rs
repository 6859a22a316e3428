//! JSON bodies, read so that a defect is told without the value.
//!
//! # Promise
//!
//! A body that is no JSON, or not of the wanted form, is answered with where it
//! is wrong and what would be right. No text of the body is in the answer.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::IntoResponse as _,
};
use serde::de::DeserializeOwned;

use super::problem::{Finding, Problem};

/// The body of a request, as JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        media(request.headers(), &["application/json"])?;
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| malformed(&bytes, &error))
    }
}

/// The body of a request, as CSV.
pub(crate) struct Csv(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Csv {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        media(request.headers(), &["text/csv"])?;
        Bytes::from_request(request, state)
            .await
            .map(Self)
            .map_err(unread)
    }
}

fn media(headers: &HeaderMap, wanted: &[&str]) -> Result<(), Problem> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    if wanted.iter().any(|it| it.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    let problem = Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media_type",
        "the body is not of a type that this takes",
    );
    Err(problem.detail(format!(
        "send a header Content-Type: {}",
        wanted.join(" or ")
    )))
}

fn unread(error: BytesRejection) -> Problem {
    if error.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the body is too large",
        )
    } else {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "body_unread",
            "the body could not be read whole",
        )
    }
}

fn malformed(bytes: &[u8], error: &serde_json::Error) -> Problem {
    if error.is_data() {
        let finding = Finding {
            at: pointer(bytes, error.line(), error.column()),
            code: "form".to_owned(),
            message: expected(error),
        };
        return Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "the request has defects",
        )
        .findings(vec![finding]);
    }
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body is not JSON").detail(format!(
        "line {}, byte {} of it",
        error.line(),
        error.column()
    ))
}

/// What serde wanted. It quotes what it found before that, so only its last
/// words are ours.
fn expected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text);
    if text.starts_with("missing field ") || text.starts_with("duplicate field ") {
        return text.to_owned();
    }
    match text.rsplit_once(", expected ") {
        Some((_, wanted)) => format!("expected {wanted}"),
        None => "not of the expected form".to_owned(),
    }
}

/// The JSON pointer of the place before which JSON that is well-formed so far
/// was refused. It names only fields that were accepted.
fn pointer(bytes: &[u8], line: usize, column: usize) -> String {
    let before = bytes
        .split_inclusive(|b| *b == b'\n')
        .take(line.saturating_sub(1));
    let offset = before.map(<[u8]>::len).sum::<usize>() + column;
    let mut levels: Vec<Level> = Vec::new();
    let mut rest = bytes[..offset.min(bytes.len())].iter();
    let mut last = String::new();
    while let Some(byte) = rest.next() {
        match (byte, levels.last_mut()) {
            (b'{', _) => levels.push(Level::Object(None)),
            (b'[', _) => levels.push(Level::Array(0)),
            (b'}' | b']', _) => {
                levels.pop();
            }
            (b'"', _) => last = string(&mut rest),
            (b':', Some(Level::Object(key))) => *key = Some(std::mem::take(&mut last)),
            (b',', Some(Level::Object(key))) => *key = None,
            (b',', Some(Level::Array(index))) => *index += 1,
            _ => {}
        }
    }
    let steps = levels.iter().filter_map(|level| match level {
        Level::Array(index) => Some(format!("/{index}")),
        Level::Object(key) => key.as_ref().map(|key| format!("/{key}")),
    });
    steps.collect()
}

/// An open object with the member that is being read, or an open array.
enum Level {
    Array(usize),
    Object(Option<String>),
}

/// The rest of a string whose first quote was read.
fn string<'b>(rest: &mut impl Iterator<Item = &'b u8>) -> String {
    let mut text = Vec::new();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => break,
            b'\\' => text.extend(rest.next()),
            _ => text.push(*byte),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use axum::body::Body as Bare;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by nobody but serde")]
    struct Outer {
        kind: Kind,
        count: u32,
        inner: Option<Inner>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Two,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by nobody but serde")]
    struct Inner {
        name: String,
    }

    async fn read(kind: &str, body: &str) -> Problem {
        let request = Request::post("/")
            .header(CONTENT_TYPE, kind)
            .body(Bare::from(body.to_owned()))
            .unwrap();
        Body::<Outer>::from_request(request, &())
            .await
            .map(|it| it.0)
            .unwrap_err()
    }

    #[tokio::test]
    async fn a_defect_is_told_by_place_and_never_by_value() {
        let cases = [
            (
                "variant",
                r#"{"kind":"测试甲","count":1}"#,
                "/kind",
                "expected `one` or `two`",
            ),
            (
                "type",
                r#"{"kind":"one","count":"999999199001010016"}"#,
                "/count",
                "expected u32",
            ),
            ("missing", r#"{"kind":"one"}"#, "", "missing field `count`"),
            (
                "missing below",
                "{\"kind\":\"one\",\n\"count\":1, \"inner\":{}}",
                "/inner",
                "missing field `name`",
            ),
            (
                "unknown below",
                r#"{"kind":"one","count":1,"inner":{"测试甲":1}}"#,
                "/inner",
                "expected `name`",
            ),
            (
                "in a list",
                r#"{"kind":"one","count":1,"list":[{"name":"a\",]"},{"name":999999199001010016}]}"#,
                "/list/1/name",
                "expected a string",
            ),
            (
                "forged expectation",
                r#"{"kind":"x, expected 测试甲","count":1}"#,
                "/kind",
                "expected `one` or `two`",
            ),
            (
                "object for text",
                r#"{"kind":"one","count":{}}"#,
                "/count",
                "expected u32",
            ),
        ];
        for (name, body, at, message) in cases {
            let problem = read("application/json; charset=utf-8", body).await;
            assert_eq!((problem.status, problem.code), (422, "invalid"), "{name}");
            assert_eq!(problem.findings[0].at, at, "{name}");
            assert_eq!(problem.findings[0].message, message, "{name}");
        }
    }

    #[tokio::test]
    async fn what_is_no_json_is_told_by_line_and_byte() {
        let problem = read("application/json", "{\"kind\":\n测试甲}").await;
        assert_eq!((problem.status, problem.code), (400, "malformed"));
        assert_eq!(problem.detail.as_deref(), Some("line 2, byte 1 of it"));
        assert_eq!(read("text/plain", "{}").await.code, "media_type");
    }
}
