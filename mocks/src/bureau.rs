//! The bureau: its start, its doors, and what it does with a request.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    doors,
    faults::{Fault, FaultError, FaultRule, Switchboard},
    http::{Reply, Request},
    inbox::{Inbox, Received},
    members::{Member, Members},
    message, soap,
    subjects::UNLISTED_CODE,
    tls::{self, Acceptors, FaultKey, MutualTls},
    verdict::{self, Verdict},
};

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

/// A running bureau; it stops when this is dropped, and forgets everything.
pub struct MockBureau {
    bureau: Arc<Bureau>,
    address: SocketAddr,
    listening: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl MockBureau {
    /// Starts it; on return it listens.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn start(config: MockConfig) -> Result<Self, StartError> {
        let acceptors = config.tls.as_ref().map(tls::acceptors).transpose()?;
        let bureau = Arc::new(Bureau {
            members: Members::new(config.members.clone()).ok_or(StartError::Pem)?,
            acceptors,
            config,
            inbox: Inbox::default(),
            switchboard: Switchboard::new(),
            serial: AtomicU64::new(1),
        });
        let doors = doors::open(bureau.clone()).map_err(StartError::Listen)?;
        let (address, listening) = (doors.address, doors.listening);
        Ok(Self {
            bureau,
            address,
            listening,
            task: tokio::spawn(doors.task),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets a fault; on return the next connection or request meets it. Idle
    /// connections end if the fault is one that strikes connections.
    ///
    /// # Errors
    ///
    /// [`FaultError`]; nothing is set then.
    pub async fn set_fault(&self, rule: FaultRule) -> Result<(), FaultError> {
        self.control().set_fault(rule).await
    }

    /// Clears all faults; on return the bureau listens again.
    pub async fn clear_faults(&self) {
        self.control().clear_faults().await;
    }

    /// Everything received so far, whole or not, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.bureau.inbox.all()
    }

    /// How many requests arrived whole.
    #[must_use]
    pub fn count(&self) -> usize {
        self.control().count(|_| true)
    }

    /// How many whole requests were about this ID number.
    #[must_use]
    pub fn count_for(&self, id_number: &str) -> usize {
        self.control().count_for(id_number)
    }

    /// The inquiry list from `from` to before `until`, as CSV.
    #[must_use]
    pub fn inquiry_list(&self, from: Timestamp, until: Timestamp) -> String {
        self.bureau.inbox.list(from, until)
    }

    /// What the admin port drives.
    pub(crate) fn control(&self) -> Control {
        Control {
            bureau: self.bureau.clone(),
            listening: self.listening.clone(),
        }
    }
}

impl Drop for MockBureau {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for MockBureau {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockBureau")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A second hand on the switches of a running bureau.
#[derive(Clone)]
pub(crate) struct Control {
    bureau: Arc<Bureau>,
    listening: watch::Receiver<bool>,
}

impl Control {
    pub(crate) async fn set_fault(&self, rule: FaultRule) -> Result<(), FaultError> {
        if let Some(key) = FaultKey::of(rule.fault())
            && !self
                .bureau
                .acceptors
                .as_ref()
                .is_some_and(|all| all.contains_key(&Some(key)))
        {
            return Err(FaultError::NoSuchCertificate);
        }
        let closes = rule.fault() == Fault::RefuseConnection;
        self.bureau.switchboard.set(rule)?;
        if closes {
            self.wait(false).await;
        }
        Ok(())
    }

    pub(crate) async fn clear_faults(&self) {
        self.bureau.switchboard.clear();
        self.wait(true).await;
    }

    pub(crate) fn count(&self, fits: impl Fn(&Received) -> bool) -> usize {
        self.bureau
            .inbox
            .count(|received| received.whole && fits(received))
    }

    pub(crate) fn count_for(&self, id_number: &str) -> usize {
        self.count(|received| {
            received
                .inquiry
                .as_ref()
                .is_some_and(|inquiry| inquiry.id_number == id_number)
        })
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.bureau.inbox.all()
    }

    pub(crate) fn inquiry_list(&self, from: Timestamp, until: Timestamp) -> String {
        self.bureau.inbox.list(from, until)
    }

    async fn wait(&self, listening: bool) {
        // An error means that the bureau has stopped: then nothing listens, for good.
        let _ = self
            .listening
            .clone()
            .wait_for(|now| *now == listening)
            .await;
    }
}

/// What all connections share.
pub(crate) struct Bureau {
    pub(crate) config: MockConfig,
    pub(crate) acceptors: Option<Acceptors>,
    pub(crate) switchboard: Switchboard,
    members: Members,
    inbox: Inbox,
    serial: AtomicU64,
}

impl Bureau {
    /// Remembers the beginning of a request.
    pub(crate) fn remember_partial(&self, seen: &[u8]) {
        self.inbox.push(Received {
            at: (self.config.clock)(),
            whole: false,
            bytes: seen.len(),
            message_id: message::message_id_in(seen),
            inquiry: None,
            result: None,
            listed: false,
        });
    }

    /// Decides on a request, remembers it, and says what is sent; nothing if
    /// the connection is to end without a reply.
    pub(crate) fn answer(&self, request: &Request) -> Option<Reply> {
        let at = (self.config.clock)();
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let (mut verdict, mut reply) = self.decide(request, at, serial);
        let inquiry = verdict.as_mut().and_then(|verdict| verdict.inquiry.take());
        let subject = inquiry.as_ref().map(|inquiry| inquiry.id_number.as_str());
        let fault = self.switchboard.at_request(subject);
        if let (Some((Fault::UnknownCode, _)), Some(verdict)) = (fault, &mut verdict) {
            verdict.code = UNLISTED_CODE;
            verdict.report = None;
            reply = self.reply(verdict, at, serial);
        }
        let unlisted = fault.is_some_and(|(_, unlisted)| unlisted);
        self.inbox.push(Received {
            at,
            whole: true,
            bytes: request.wire_bytes,
            message_id: verdict
                .as_ref()
                .and_then(|verdict| verdict.message_id.clone()),
            listed: inquiry.is_some() && !unlisted,
            inquiry,
            result: verdict.map(|verdict| verdict.code),
        });
        reply.before = self.config.latency;
        apply(fault.map(|(fault, _)| fault), reply, &request.path)
    }

    fn decide(&self, request: &Request, at: Timestamp, serial: u64) -> (Option<Verdict>, Reply) {
        let refuse = |status, reason: &str| (None, Reply::new(status, "text/plain", reason));
        if !request.path.ends_with("/ServiceAccept") {
            return refuse(404, "no such service");
        }
        if request.method != "POST" {
            return refuse(405, "POST only");
        }
        if !request.content_type.starts_with("text/xml") {
            return refuse(415, "SOAP 1.1 is text/xml");
        }
        match soap::read(&request.body) {
            Err(reason) => (None, Reply::new(500, XML, soap::fault(reason))),
            Ok(message) => {
                let bytes = self.config.least_report_bytes;
                let verdict = verdict::judge(&message, &self.members, at, serial, bytes);
                let reply = self.reply(&verdict, at, serial);
                (Some(verdict), reply)
            }
        }
    }

    fn reply(&self, verdict: &Verdict, at: Timestamp, serial: u64) -> Reply {
        let gzip = match self.config.encoding {
            Encoding::Alternating => serial.is_multiple_of(2),
            Encoding::Base64 => false,
            Encoding::Base64Gzip => true,
        };
        let report = verdict
            .report
            .as_deref()
            .map_or_else(String::new, |report| {
                BASE64_STANDARD.encode(if gzip {
                    zipped(report)
                } else {
                    report.as_bytes().to_vec()
                })
            });
        Reply::new(200, XML, soap::reply(&verdict::reply(verdict, at, &report)))
    }
}

/// What a fault makes of the right reply.
fn apply(fault: Option<Fault>, mut reply: Reply, path: &str) -> Option<Reply> {
    let length = reply.body.len();
    match fault {
        Some(Fault::AcceptThenCut) => return None,
        Some(Fault::CutReply { after_bytes }) => {
            reply.stop_after = Some(after_bytes.min(length.saturating_sub(1)));
            reply.goodbye = false;
        }
        Some(Fault::Garbage) => reply.body = GARBAGE.repeat(16),
        Some(Fault::Redirect) => {
            reply.status = 307;
            reply.headers.push(("Location", path.to_owned()));
            reply.body.clear();
        }
        Some(Fault::Slow {
            before_ms,
            each_kib_ms,
        }) => {
            reply.before += Duration::from_millis(before_ms);
            reply.each_kib = Duration::from_millis(each_kib_ms);
        }
        Some(Fault::Status { code }) => {
            reply = Reply {
                before: reply.before,
                ..Reply::new(code, "text/html", "<html></html>")
            };
        }
        Some(Fault::Truncated) => reply.claimed_length = Some(length * 2),
        Some(Fault::WrongLength) => reply.claimed_length = Some(length / 2),
        // The others struck the connection, or are in the reply already.
        _ => {}
    }
    Some(reply)
}

fn zipped(report: &str) -> Vec<u8> {
    use std::io::Write as _;

    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(report.as_bytes());
    encoder.finish().unwrap_or_default()
}

const GARBAGE: &[u8] = b"\x00\xff<<& not a document \x1f\x8b";
const XML: &str = "text/xml;charset=UTF-8";
