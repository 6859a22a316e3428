//! What a bureau is started with, and why it may not start.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{desk::Desk, members::Member, tls::MutualTls};

/// How the mock reads the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the mock is started with.
#[derive(Clone)]
pub struct MockConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Mutual TLS; plain HTTP without it.
    pub tls: Option<MutualTls>,
    /// The institutions it knows; all, with any signature, if empty.
    pub members: Vec<Member>,
    /// How it puts the report into the answer.
    pub encoding: Encoding,
    /// Every report is filled up to at least so many bytes.
    pub least_report_bytes: usize,
    /// Pause before every answer.
    pub latency: Duration,
    /// The time.
    pub clock: Clock,
    /// Takes submission files at the same door.
    pub desk: Option<Desk>,
}

impl MockConfig {
    /// A bureau on a free loopback port: plain, open to all, at once.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            members: Vec::new(),
            encoding: Encoding::Base64Gzip,
            least_report_bytes: 0,
            latency: Duration::ZERO,
            clock,
            desk: None,
        }
    }
}

impl fmt::Debug for MockConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockConfig")
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// How a report is put into the answer; both forms are seen at clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// The one and the other in turn, by report.
    Alternating,
    /// Base64 of the XML.
    Base64,
    /// Base64 of the XML after GZIP.
    Base64Gzip,
}

/// Why the mock did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The roots of client certificates are none.
    ClientRoots,
    /// It cannot listen there.
    Listen(io::Error),
    /// A certificate, key or signing key is not readable.
    Pem,
    /// Certificate and key do not go together.
    Tls(rustls::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientRoots => "there is no usable root for client certificates",
            Self::Listen(_) => "cannot listen at the address",
            Self::Pem => "a certificate or key is not readable",
            Self::Tls(_) => "certificate and key make no TLS server",
        })
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(error) => Some(error),
            Self::Tls(error) => Some(error),
            Self::ClientRoots | Self::Pem => None,
        }
    }
}

impl From<rustls::Error> for StartError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}
