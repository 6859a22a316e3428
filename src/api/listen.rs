//! A TLS listener that tells handlers whose certificate the peer showed.
//!
//! # Promise
//!
//! Where client certificates are asked for, a peer without one, with one of
//! another authority, or with one that is out of date never gets past the
//! handshake. What the certificate means is asked again at every request: the
//! digest of its public key is all that a connection carries.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, http::Extensions};
use axum_server::{
    Handle,
    accept::NoDelayAcceptor,
    tls::TlsInfo,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

use crate::platform::certs;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// SHA-256 of the public key in the certificate that the peer of a request's
/// connection showed, if it showed one.
#[must_use]
pub fn peer_key(extensions: &Extensions) -> Option<[u8; 32]> {
    let info = extensions.get::<Arc<TlsInfo>>()?;
    certs::spki_sha256(info.peer_certificates.first()?).ok()
}

/// Why a listener's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// PEM that is none, or without the right object.
    #[error("{what} is not valid PEM")]
    Pem {
        /// Which of the three.
        what: &'static str,
        #[source]
        /// The reader's own words.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not fit, or the authority is unusable.
    #[error("the certificates cannot be used")]
    Rustls(#[from] rustls::Error),
    /// The client authority is unusable.
    #[error("the client authority cannot be used")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// A server's TLS settings. With `client_ca`, a certificate of it is required.
///
/// # Errors
///
/// See [`TlsError`].
pub fn server_config(
    chain_pem: &[u8],
    key_pem: &[u8],
    client_ca_pem: Option<&[u8]>,
) -> Result<ServerConfig, TlsError> {
    let chain = certificates("the certificate chain", chain_pem)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|source| TlsError::Pem {
        what: "the private key",
        source,
    })?;
    let builder =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?;
    let builder = match client_ca_pem {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for root in certificates("the client authority", pem)? {
                roots.add(root)?;
            }
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?,
            )
        }
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session would carry an old certificate past its end.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Pem { what, source })
}

/// Serves `router` over TLS on a bound listener until `handle` ends it. New
/// connections take what `tls` was last reloaded with.
///
/// # Errors
///
/// Those of the listener.
pub async fn serve_tls(
    listener: std::net::TcpListener,
    tls: RustlsConfig,
    router: Router,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let tls = RustlsAcceptor::new(tls)
        .handshake_timeout(HANDSHAKE)
        .acceptor(NoDelayAcceptor::new());
    axum_server::from_tcp(listener)?
        .acceptor(tls)
        .handle(handle)
        .http1_only()
        .serve(router.into_make_service())
        .await
}

/// Serves `router` in clear: for the loopback listener of operations only.
///
/// # Errors
///
/// Those of the listener.
pub async fn serve_plain(
    listener: std::net::TcpListener,
    router: Router,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    axum_server::from_tcp(listener)?
        .handle(handle)
        .serve(router.into_make_service())
        .await
}
