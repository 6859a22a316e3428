//! Files over the line: a PUT that reads from the disk, a GET that writes to it.
//! What `sent` says of a failure holds here too.

use std::{
    io,
    path::Path,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Bytes;
use contract::{Failure, WireReply};
use http_body::{Body, Frame, SizeHint};
use tokio::{
    fs::File,
    io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf},
};
use zeroize::Zeroizing;

use super::{Client, Wire, sent};
use crate::bureaus::files::Sum;

/// Bytes of a file in memory at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// Header names and values.
type Headers = [(&'static str, String)];

/// Where the bytes of a reply go as they come.
pub(in crate::bureaus) enum Sink {
    /// Into a file, digested on the way.
    Disk(File, Box<Sum>),
    /// Into memory.
    Memory(Zeroizing<Vec<u8>>),
}

impl Sink {
    async fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Disk(file, sum) => {
                sum.add(bytes);
                file.write_all(bytes).await
            }
            Self::Memory(body) => {
                body.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}

impl Client {
    /// Sends a file of `size_bytes` by PUT and waits for the whole reply.
    pub(in crate::bureaus) async fn put_file(
        &self,
        path: &str,
        headers: &Headers,
        file: (&Path, u64),
        reply_limit_bytes: usize,
        time: Duration,
    ) -> Result<WireReply, Failure> {
        let (source, size_bytes) = file;
        let file = File::open(source).await.map_err(|error| {
            tracing::error!(bureau.name = %self.bureau, %error, "a file to be sent cannot be read");
            Failure::NotSent {
                cause: "file_unreadable",
            }
        })?;
        let body = FileBody {
            file,
            left: size_bytes,
            buffer: vec![0; BUFFER_BYTES],
        };
        let wire = self.begin().await?;
        let put = wire.http.put(format!("{}{path}", self.base_url));
        let put = with(put, headers).body(reqwest::Body::wrap(body));
        let exchange = async {
            let mut reply = execute(&wire, put).await?;
            let body = whole(&mut reply, reply_limit_bytes).await?;
            Ok(WireReply {
                status: reply.status().as_u16(),
                body,
            })
        };
        let reply = within(time, exchange).await?;
        self.rest(wire);
        Ok(reply)
    }

    /// Asks by GET. A body with status 200 goes into `sink`, up to
    /// `limit_bytes`, and the reply that is returned has none.
    pub(in crate::bureaus) async fn get(
        &self,
        path: &str,
        headers: &Headers,
        sink: &mut Sink,
        (limit_bytes, reply_limit_bytes): (u64, usize),
        time: Duration,
    ) -> Result<WireReply, Failure> {
        let wire = self.begin().await?;
        let get = with(wire.http.get(format!("{}{path}", self.base_url)), headers);
        let exchange = async {
            let mut reply = execute(&wire, get).await?;
            let status = reply.status().as_u16();
            if status != 200 {
                let body = whole(&mut reply, reply_limit_bytes).await?;
                return Ok(WireReply { status, body });
            }
            let mut left = limit_bytes;
            while let Some(part) = reply.chunk().await.map_err(|_| unknown("truncated"))? {
                left = left
                    .checked_sub(part.len() as u64)
                    .ok_or(unknown("reply_over_limit"))?;
                sink.take(&part).await.map_err(|error| {
                    tracing::error!(bureau.name = %self.bureau, %error, "a file cannot be kept");
                    unknown("disk")
                })?;
            }
            Ok(WireReply {
                status,
                body: Zeroizing::default(),
            })
        };
        let reply = within(time, exchange).await?;
        self.rest(wire);
        Ok(reply)
    }

    async fn begin(&self) -> Result<Wire, Failure> {
        self.reload().await;
        self.take().map_err(|error| {
            tracing::error!(bureau.name = %self.bureau, %error, "no HTTP client");
            Failure::NotSent { cause: "request" }
        })
    }
}

fn with(mut request: reqwest::RequestBuilder, headers: &Headers) -> reqwest::RequestBuilder {
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request
}

async fn execute(
    wire: &Wire,
    request: reqwest::RequestBuilder,
) -> Result<reqwest::Response, Failure> {
    let before = wire.connections.load(super::Ordering::SeqCst);
    let request = request
        .build()
        .map_err(|error| sent::failure(&error, false))?;
    wire.http.execute(request).await.map_err(|error| {
        let fresh = wire.connections.load(super::Ordering::SeqCst) > before;
        sent::failure(&error, fresh)
    })
}

async fn whole(
    reply: &mut reqwest::Response,
    limit_bytes: usize,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(part) = reply.chunk().await.map_err(|_| unknown("truncated"))? {
        if body.len() + part.len() > limit_bytes {
            return Err(unknown("reply_over_limit"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

async fn within<T>(
    time: Duration,
    exchange: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(time, exchange).await {
        Ok(result) => result,
        Err(_) => Err(unknown("timeout")),
    }
}

fn unknown(cause: &'static str) -> Failure {
    Failure::Unknown { cause }
}

/// A file as a body of a length that was promised.
struct FileBody {
    file: File,
    left: u64,
    buffer: Vec<u8>,
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let most = usize::try_from(this.left).map_or(BUFFER_BYTES, |left| left.min(BUFFER_BYTES));
        let mut buffer = ReadBuf::new(&mut this.buffer[..most]);
        if let Err(error) = ready!(Pin::new(&mut this.file).poll_read(context, &mut buffer)) {
            return Poll::Ready(Some(Err(error)));
        }
        let read = buffer.filled();
        if read.is_empty() {
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        this.left -= read.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(read)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
