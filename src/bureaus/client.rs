//! HTTP to one bureau: one POST, one whole reply, or why not.
//!
//! # Promise
//!
//! A request goes to the configured address and to a server that proves the
//! configured name, under the certificate that stands on disk at that moment.
//! It is written at most once: no redirect is followed, no proxy variable read,
//! nothing repeated, nothing sent before the handshake ends.
//!
//! # Failure
//!
//! `sent` tells what a failure is. A connection on which one happened is never
//! used again.

mod transfer;

use std::{
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use contract::{Failure, Happened, WireReply, WireRequest};
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower::{Layer, Service};
use zeroize::Zeroizing;

use super::{
    sent::{self, NameLookup},
    tls::{Material, Protection, TlsError},
};
use crate::platform::config::bureau::{BureauConfig, Transport, authority};

pub(super) use transfer::Sink;

/// The way to one bureau.
pub(super) struct Client {
    bureau: String,
    transport: Arc<Transport>,
    host: Host,
    base_url: String,
    connect: Duration,
    answer: Duration,
    idle: Duration,
    /// What stood on disk last and was usable.
    protection: ArcSwap<Protection>,
    /// Why what stands on disk now is not usable.
    reload_error: ArcSwapOption<String>,
    /// Wires at rest; the one that was used last lies on top.
    resting: Mutex<Vec<Wire>>,
}

/// One connection at most, and one exchange at a time: only so can be told
/// whether a request had a connection made for it.
struct Wire {
    http: reqwest::Client,
    digest: [u8; 32],
    connections: Arc<AtomicU64>,
}

/// Why there is no way to a bureau.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is not `host:port`.
    #[error("the address of bureau {0} is not host:port")]
    Address(String),
    /// The HTTP client cannot be made.
    #[error("cannot make an HTTP client for bureau {0}")]
    Http(String, #[source] reqwest::Error),
    /// The files that protect the line.
    #[error("bureau {0}")]
    Tls(String, #[source] TlsError),
}

impl Client {
    /// Reads the files of the transport; blocks for a moment.
    pub(super) fn new(config: &BureauConfig) -> Result<Self, ClientError> {
        let (host, port) =
            authority(&config.address).ok_or_else(|| ClientError::Address(config.id.clone()))?;
        let (scheme, name) = match &config.transport {
            Transport::Mtls { server_name, .. } | Transport::Tls { server_name, .. } => {
                ("https", server_name.as_str())
            }
            Transport::PlainInVpn { .. } => ("http", host),
        };
        let name = if name.contains(':') {
            format!("[{name}]")
        } else {
            name.to_owned()
        };
        let transport = Arc::new(config.transport.clone());
        let protection = Material::read(&transport)
            .and_then(|material| Protection::new(&transport, &material))
            .map_err(|error| ClientError::Tls(config.id.clone(), error))?;
        let client = Self {
            bureau: config.id.clone(),
            transport,
            host: Host(host.into(), port),
            base_url: format!("{scheme}://{name}:{port}{}", config.base_path),
            connect: Duration::from_secs(config.timeouts.connect_seconds),
            answer: Duration::from_secs(config.timeouts.answer_seconds),
            idle: Duration::from_secs(config.timeouts.idle_seconds),
            protection: ArcSwap::from_pointee(protection),
            reload_error: ArcSwapOption::empty(),
            resting: Mutex::default(),
        };
        // One that cannot be made shall not be found out by the first inquiry.
        let wire = client.wire(&client.protection.load());
        client.rest(wire.map_err(|error| ClientError::Http(config.id.clone(), error))?);
        Ok(client)
    }

    /// Sends a request and waits for the whole reply. Dropping it cuts the line.
    pub(super) async fn exchange(&self, request: WireRequest) -> Happened {
        self.reload().await;
        let wire = match self.take() {
            Ok(wire) => wire,
            Err(error) => {
                tracing::error!(bureau.name = %self.bureau, %error, "no HTTP client");
                return Happened::Failed(Failure::NotSent { cause: "request" });
            }
        };
        let before = wire.connections.load(Ordering::SeqCst);
        let fresh = || wire.connections.load(Ordering::SeqCst) > before;
        let exchange = self.send(&wire, request, &fresh);
        match tokio::time::timeout(self.answer, exchange).await {
            Ok(Ok(reply)) => {
                self.rest(wire);
                Happened::Replied(reply)
            }
            Ok(Err(failure)) => Happened::Failed(failure),
            Err(_) => Happened::Failed(Failure::Unknown { cause: "timeout" }),
        }
    }

    /// The last moment of our certificate, where we show one.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.protection.load().expires_at
    }

    /// Why the files on disk are not the ones in use.
    pub(super) fn reload_error(&self) -> Option<String> {
        self.reload_error.load().as_deref().cloned()
    }

    /// Takes up what stands on disk. What is not usable, such as a certificate
    /// whose key is not there yet, changes nothing.
    pub(super) async fn reload(&self) {
        if matches!(*self.transport, Transport::PlainInVpn { .. }) {
            return;
        }
        let (transport, before) = (Arc::clone(&self.transport), self.protection.load().digest);
        match tokio::task::spawn_blocking(move || renewed(&transport, before)).await {
            Ok(Ok(renewed)) => {
                self.reload_error.store(None);
                if let Some(renewed) = renewed {
                    tracing::info!(bureau.name = %self.bureau, "the line took up new certificates");
                    self.protection.store(Arc::new(renewed));
                }
            }
            Ok(Err(error)) => {
                let error = error.to_string();
                if self.reload_error().as_ref() != Some(&error) {
                    tracing::error!(bureau.name = %self.bureau, %error, "the line keeps its old certificates");
                    self.reload_error.store(Some(Arc::new(error)));
                }
            }
            // The runtime is going down.
            Err(_) => {}
        }
    }

    async fn send(
        &self,
        wire: &Wire,
        mut request: WireRequest,
        fresh: &impl Fn() -> bool,
    ) -> Result<WireReply, Failure> {
        let body = std::mem::take(&mut *request.body);
        let mut post = wire.http.post(format!("{}{}", self.base_url, request.path));
        for (name, value) in &request.headers {
            post = post.header(*name, value);
        }
        let post = post
            .body(body)
            .build()
            .map_err(|error| sent::failure(&error, false))?;
        let mut reply = wire.http.execute(post).await.map_err(|error| {
            let failure = sent::failure(&error, fresh());
            // The address in it holds no personal data, by the adapters' contract.
            tracing::debug!(bureau.name = %self.bureau, ?failure, error = &error as &dyn Error);
            failure
        })?;
        let unknown = |cause| Failure::Unknown { cause };
        let mut body = Zeroizing::new(Vec::new());
        while let Some(part) = reply.chunk().await.map_err(|_| unknown("truncated"))? {
            if body.len() + part.len() > request.reply_limit_bytes {
                return Err(unknown("reply_over_limit"));
            }
            body.extend_from_slice(&part);
        }
        Ok(WireReply {
            status: reply.status().as_u16(),
            body,
        })
    }

    /// A resting wire under the protection of now, or a new one.
    fn take(&self) -> Result<Wire, reqwest::Error> {
        let protection = self.protection.load();
        let resting = {
            let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
            resting.retain(|wire| wire.digest == protection.digest);
            resting.pop()
        };
        match resting {
            Some(wire) => Ok(wire),
            None => self.wire(&protection),
        }
    }

    fn rest(&self, wire: Wire) {
        self.resting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(wire);
    }

    fn wire(&self, protection: &Protection) -> Result<Wire, reqwest::Error> {
        let connections = Arc::new(AtomicU64::new(0));
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .https_only(!matches!(*self.transport, Transport::PlainInVpn { .. }))
            .connect_timeout(self.connect)
            .pool_idle_timeout(self.idle)
            .pool_max_idle_per_host(1)
            .dns_resolver(self.host.clone())
            .connector_layer(Count(Arc::clone(&connections)))
            .tls_backend_preconfigured(protection.config.clone())
            .build()?;
        Ok(Wire {
            http,
            digest: protection.digest,
            connections,
        })
    }
}

/// Reads the files and makes something of them, unless they are as before.
fn renewed(transport: &Transport, before: [u8; 32]) -> Result<Option<Protection>, TlsError> {
    let material = Material::read(transport)?;
    if material.digest == before {
        return Ok(None);
    }
    Protection::new(transport, &material).map(Some)
}

/// Resolves every name to the configured address: the name in the URL is the
/// one that the certificate must carry.
#[derive(Clone)]
struct Host(Arc<str>, u16);

impl Resolve for Host {
    fn resolve(&self, _: Name) -> Resolving {
        let Self(host, port) = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((&*host, port))
                .await
                .map_err(NameLookup)?;
            let found: Vec<_> = found.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Counts connections that stand, TLS included.
#[derive(Clone)]
struct Count(Arc<AtomicU64>);

impl<S> Layer<S> for Count {
    type Service = Counted<S>;

    fn layer(&self, connector: S) -> Counted<S> {
        Counted {
            connector,
            count: Arc::clone(&self.0),
        }
    }
}

#[derive(Clone)]
struct Counted<S> {
    connector: S,
    count: Arc<AtomicU64>,
}

impl<S, R> Service<R> for Counted<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send + 'static>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let connecting = self.connector.call(target);
        let count = Arc::clone(&self.count);
        Box::pin(async move {
            let connection = connecting.await?;
            count.fetch_add(1, Ordering::SeqCst);
            Ok(connection)
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
