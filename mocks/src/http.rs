//! HTTP/1.1 by hand, because a fault switch must own the socket: a whole server
//! would not let a reply lie about its length or stop in its middle.
//!
//! Requests need a `Content-Length`; anything else ends the connection.

use std::time::Duration;

use tokio::{
    io::{self, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::sleep,
};

/// A request that arrived whole.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) keep_alive: bool,
    /// RFC 9530, as it stands there.
    pub(crate) content_digest: Option<String>,
    pub(crate) body: Vec<u8>,
    /// Bytes of head and body.
    pub(crate) wire_bytes: usize,
}

/// What a connection brought.
pub(crate) enum Incoming {
    /// The peer ended it between two requests.
    Closed,
    /// It ended, or stopped being HTTP, inside a request; these bytes were seen.
    Partial(Vec<u8>),
    /// A request.
    Whole(Request),
}

/// Reads one request; bytes beyond it stay in `buffer` for the next call. `cut`
/// is asked at each upload after how many bytes of its body the reading ends.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    cut: impl Fn() -> Option<usize>,
) -> Incoming {
    let (head, head_bytes) = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break (Head::parse(&buffer[..end]), end + 4);
        }
        if buffer.len() > MAX_HEAD_BYTES || !more(stream, buffer).await {
            let seen = std::mem::take(buffer);
            return if seen.is_empty() {
                Incoming::Closed
            } else {
                Incoming::Partial(seen)
            };
        }
    };
    let Some(head) = head.filter(|head| head.content_length <= MAX_BODY_BYTES) else {
        return Incoming::Partial(std::mem::take(buffer));
    };
    let wire_bytes = head_bytes + head.content_length;
    if head.method == "PUT"
        && let Some(after_bytes) = cut()
    {
        let end = wire_bytes.min(head_bytes + after_bytes);
        while buffer.len() < end && more(stream, buffer).await {}
        buffer.truncate(end);
        return Incoming::Partial(std::mem::take(buffer));
    }
    while buffer.len() < wire_bytes {
        if !more(stream, buffer).await {
            return Incoming::Partial(std::mem::take(buffer));
        }
    }
    let rest = buffer.split_off(wire_bytes);
    let body = std::mem::replace(buffer, rest).split_off(head_bytes);
    Incoming::Whole(Request {
        method: head.method,
        path: head.path,
        content_type: head.content_type,
        keep_alive: head.keep_alive,
        content_digest: head.content_digest,
        body,
        wire_bytes,
    })
}

async fn more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> bool {
    matches!(stream.read_buf(buffer).await, Ok(read) if read > 0)
}

struct Head {
    method: String,
    path: String,
    content_type: String,
    content_length: usize,
    content_digest: Option<String>,
    keep_alive: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.split("\r\n");
        let mut request_line = lines.next()?.split(' ');
        let (method, path) = (request_line.next()?, request_line.next()?);
        if request_line.next()? != "HTTP/1.1" || request_line.next().is_some() {
            return None;
        }
        let mut head = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            content_type: String::new(),
            content_length: 0,
            content_digest: None,
            keep_alive: true,
        };
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "connection" => head.keep_alive = !value.eq_ignore_ascii_case("close"),
                "content-digest" => head.content_digest = Some(value.to_owned()),
                "content-length" => head.content_length = value.parse().ok()?,
                "content-type" => head.content_type = value.to_ascii_lowercase(),
                "transfer-encoding" => return None,
                _ => {}
            }
        }
        Some(head)
    }
}

/// A reply, and how it departs from an honest one.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The `Content-Length` to claim; the true one if `None`.
    pub(crate) claimed_length: Option<usize>,
    /// Bytes of the body after which the sending stops.
    pub(crate) stop_after: Option<usize>,
    /// Pause before the first byte.
    pub(crate) before: Duration,
    /// Pause before every further KiB of the body.
    pub(crate) each_kib: Duration,
    /// The connection ends in order after it, if it ends.
    pub(crate) goodbye: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            body: body.into(),
            claimed_length: None,
            stop_after: None,
            before: Duration::ZERO,
            each_kib: Duration::ZERO,
            goodbye: true,
        }
    }

    /// Sends it; does not close the stream.
    pub(crate) async fn send(&self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        pause(self.before).await;
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = self.claimed_length.unwrap_or(self.body.len());
        head.push_str(&format!("Content-Length: {length}\r\n\r\n"));
        let body = &self.body[..self.stop_after.unwrap_or(usize::MAX).min(self.body.len())];
        if self.each_kib.is_zero() {
            // One write, so that head and body share their first packet.
            stream.write_all(&[head.as_bytes(), body].concat()).await?;
        } else {
            stream.write_all(head.as_bytes()).await?;
            for kib in body.chunks(1024) {
                stream.flush().await?;
                pause(self.each_kib).await;
                stream.write_all(kib).await?;
            }
        }
        stream.flush().await
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        307 => "Temporary Redirect",
        404 => "Not Found",
        405 => "Method Not Allowed",
        415 => "Unsupported Media Type",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

/// A sealed file of a million records fits.
const MAX_BODY_BYTES: usize = 512 << 20;
const MAX_HEAD_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(mut bytes: &[u8]) -> (Incoming, Vec<u8>) {
        let mut buffer = Vec::new();
        let incoming = read(&mut bytes, &mut buffer, || None).await;
        (incoming, buffer)
    }

    #[tokio::test]
    async fn a_request_is_whole_only_with_its_last_byte() {
        let whole = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
        for end in 0..whole.len() {
            match read_all(&whole[..end]).await.0 {
                Incoming::Closed => assert_eq!(end, 0),
                Incoming::Partial(seen) => assert_eq!(seen, &whole[..end]),
                Incoming::Whole(_) => panic!("whole after {end} bytes"),
            }
        }
        let (Incoming::Whole(request), rest) = read_all(whole).await else {
            panic!("not whole")
        };
        assert_eq!(
            (request.body.as_slice(), request.keep_alive),
            (&b"abc"[..], false)
        );
        assert!(rest.is_empty());
    }

    #[tokio::test]
    async fn what_follows_a_request_is_kept_for_the_next() {
        let two = b"POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\naGET";
        let (incoming, rest) = read_all(two).await;
        assert!(matches!(incoming, Incoming::Whole(request) if request.body == b"a"));
        assert_eq!(rest, b"GET");
    }

    #[tokio::test]
    async fn what_is_not_http_is_a_partial_request() {
        for bytes in [
            &b"hello\r\n\r\n"[..],
            b"POST / HTTP/1.0\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        ] {
            assert!(matches!(read_all(bytes).await.0, Incoming::Partial(_)));
        }
    }
}
