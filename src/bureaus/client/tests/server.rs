//! A bureau of sockets: it does one thing with every request, and tells what it met.

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

use crate::platform::certs::{CertificateAuthority, Identity};

/// What a bureau does with every request that it has read.
#[derive(Clone, Copy)]
pub(super) enum Act {
    /// Closes the connection without a word.
    Close,
    /// Says nothing, for ever.
    Hang,
    /// Answers, and keeps the connection.
    Keep(&'static str),
    /// Answers, says goodbye and closes.
    Last(&'static str),
    /// Answers and drops the connection without the goodbye of TLS.
    Torn(&'static str),
}

/// What a bureau met.
#[derive(Debug)]
pub(super) enum Met {
    /// A connection on which it has closed its side, and so has the other.
    Closed,
    /// A connection, with the certificate of the peer if TLS stands.
    Connection(Option<Vec<u8>>),
    Request,
}

pub(super) struct Bureau {
    pub(super) address: SocketAddr,
    pub(super) met: mpsc::Receiver<Met>,
}

impl Bureau {
    pub(super) async fn start(tls: Option<ServerConfig>, act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = tls.map(|tls| TlsAcceptor::from(Arc::new(tls)));
        let (tell, met) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, tell) = (acceptor.clone(), tell.clone());
                tokio::spawn(async move {
                    match acceptor {
                        Some(acceptor) => secure(acceptor, socket, act, tell).await,
                        None => {
                            tell.send(Met::Connection(None)).await.unwrap();
                            talk(socket, act, tell).await;
                        }
                    }
                });
            }
        });
        Self { address, met }
    }

    /// All that it has met so far.
    pub(super) fn met(&mut self) -> Vec<Met> {
        std::iter::from_fn(|| self.met.try_recv().ok()).collect()
    }

    pub(super) fn requests(&mut self) -> usize {
        self.met()
            .iter()
            .filter(|met| matches!(met, Met::Request))
            .count()
    }
}

async fn secure(acceptor: TlsAcceptor, socket: TcpStream, act: Act, tell: mpsc::Sender<Met>) {
    match acceptor.accept(socket).into_fallible().await {
        Ok(stream) => {
            let certificates = stream.get_ref().1.peer_certificates();
            let shown = certificates.map(|shown| shown[0].to_vec());
            tell.send(Met::Connection(shown)).await.unwrap();
            talk(stream, act, tell).await;
        }
        // The alert is written; a reset must not overtake it.
        Err((_, mut socket)) => {
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
    }
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, act: Act, tell: mpsc::Sender<Met>) {
    while read_request(&mut stream).await {
        tell.send(Met::Request).await.unwrap();
        match act {
            Act::Close => return,
            Act::Hang => std::future::pending().await,
            Act::Keep(reply) => stream.write_all(reply.as_bytes()).await.unwrap(),
            Act::Last(reply) => {
                stream.write_all(reply.as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
                tell.send(Met::Closed).await.unwrap();
                return;
            }
            Act::Torn(reply) => {
                stream.write_all(reply.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                return;
            }
        }
        stream.flush().await.unwrap();
    }
}

/// Reads one whole request; `false` at the end of the connection.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut bytes = Vec::new();
    loop {
        if let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8(bytes[..head].to_vec())
                .unwrap()
                .to_lowercase();
            // A GET has no body.
            let length = text.split("content-length: ").nth(1).unwrap_or("0");
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if bytes.len() >= head + 4 + length {
                return true;
            }
        }
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            return false;
        }
    }
}

/// A server that shows `identity` and trusts clients of `roots`.
pub(in crate::bureaus) fn server(
    identity: &Identity,
    roots: &CertificateAuthority,
    version: &'static SupportedProtocolVersion,
) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let mut trusted = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(roots.certificate_pem().as_bytes()).unwrap();
    trusted.add(root).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(trusted.into(), Arc::clone(&provider));
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap(),
        )
        .unwrap()
}
