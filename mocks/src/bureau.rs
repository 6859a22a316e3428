//! What the bureau does with a request.

use std::{
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;

use crate::{
    config::{Encoding, MockConfig, StartError},
    desk::{Parcel, Said},
    faults::{Fault, Switchboard},
    http::{Reply, Request},
    inbox::{Inbox, Received},
    members::Members,
    message, soap,
    subjects::{UNLISTED_CODE, synthetic_resident_id},
    tls::{self, Acceptors},
    verdict::{self, Verdict},
};

/// What all connections share.
pub(crate) struct Bureau {
    pub(crate) config: MockConfig,
    pub(crate) acceptors: Option<Acceptors>,
    pub(crate) switchboard: Switchboard,
    members: Members,
    pub(crate) inbox: Inbox,
    serial: AtomicU64,
}

impl Bureau {
    pub(crate) fn new(config: MockConfig) -> Result<Self, StartError> {
        Ok(Self {
            members: Members::new(config.members.clone()).ok_or(StartError::Pem)?,
            acceptors: config.tls.as_ref().map(tls::acceptors).transpose()?,
            config,
            inbox: Inbox::default(),
            switchboard: Switchboard::new(),
            serial: AtomicU64::new(1),
        })
    }

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
    pub(crate) fn answer(&self, request: &mut Request) -> Option<Reply> {
        if self.config.desk.is_some() && request.path.contains("/submissions/") {
            let (fault, unlisted) = match self.switchboard.at_request(None) {
                Some((fault, unlisted)) => (Some(fault), unlisted),
                None => (None, false),
            };
            let mut reply = if unlisted {
                // The front machine failed: the desk never saw it.
                Reply::new(502, "text/plain", "")
            } else {
                self.at_the_desk(request)?
            };
            reply.before = self.config.latency;
            return broken(reply, fault, &request.path);
        }
        let request = &*request;
        let at = (self.config.clock)();
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let mut decision = self.decide(request, at, serial);
        let (fault, unlisted) = match self.switchboard.at_request(subject(&decision)) {
            Some((fault, unlisted)) => (Some(fault), unlisted),
            None => (None, false),
        };
        if let (Ok(verdict), Some(Fault::UnknownCode)) = (&mut decision, fault) {
            verdict.code = UNLISTED_CODE;
            verdict.report = None;
        }
        let verdict = decision.as_ref().ok();
        let inquiry = verdict.and_then(|verdict| verdict.inquiry.clone());
        // Remembered before a byte is sent, so that nobody knows of an answer
        // that the bureau does not know.
        self.inbox.push(Received {
            at,
            whole: true,
            bytes: request.wire_bytes,
            message_id: verdict.and_then(|verdict| verdict.message_id.clone()),
            listed: inquiry.is_some() && !unlisted,
            inquiry,
            result: verdict.map(|verdict| verdict.code),
        });
        let mut reply = match decision {
            Ok(verdict) => self.reply(confused(verdict, fault), at, serial),
            Err(reply) => reply,
        };
        reply.before = self.config.latency;
        broken(reply, fault, &request.path)
    }

    /// What the desk replies; nothing without a desk.
    fn at_the_desk(&self, request: &mut Request) -> Option<Reply> {
        let desk = self.config.desk.as_ref()?;
        let json = |status, text: String| Reply::new(status, "application/json", text);
        let lost = || Reply::new(404, "text/plain", "no such service");
        let Request {
            method, path, body, ..
        } = request;
        let (_, what) = path.split_once("/submissions/")?;
        let (folder, file) = what.split_once('/').unwrap_or((what, ""));
        Some(match (method.as_str(), folder, file.strip_suffix(".enc")) {
            ("PUT", "files", Some(name)) => {
                let parcel = Parcel::Memory(std::mem::take(body));
                let Ok(digest) = parcel.digest() else {
                    return Some(lost());
                };
                let ours = format!("sha-256=:{}:", BASE64_STANDARD.encode(digest));
                if request
                    .content_digest
                    .as_ref()
                    .is_some_and(|it| *it != ours)
                {
                    return Some(json(400, "{\"code\":\"MOCK04\"}".to_owned()));
                }
                match desk.receive(name, parcel) {
                    Ok(Said::Received(digest)) => json(
                        201,
                        format!("{{\"name\":\"{name}\",\"sha256\":\"{digest}\"}}"),
                    ),
                    Ok(Said::ReceivedBefore) => json(409, "{\"code\":\"ABF009\"}".to_owned()),
                    Ok(Said::Nothing) | Err(_) => Reply::new(504, "text/plain", ""),
                }
            }
            ("GET", "feedback", None) if file.is_empty() => {
                let names = desk.feedback_names();
                let names = names.iter().map(|name| format!("\"{name}.enc\""));
                let names: Vec<_> = names.collect();
                json(200, format!("{{\"files\":[{}]}}", names.join(",")))
            }
            ("GET", "feedback", Some(name)) => match desk.feedback(name) {
                Some(sealed) => Reply::new(200, "application/octet-stream", sealed),
                None => Reply::new(404, "text/plain", "no such feedback"),
            },
            _ => lost(),
        })
    }

    /// The decision, or the reply to what is no request.
    fn decide(&self, request: &Request, at: Timestamp, serial: u64) -> Result<Verdict, Reply> {
        let refuse = |status, reason: &str| Err(Reply::new(status, "text/plain", reason));
        if !request.path.ends_with("/ServiceAccept") {
            return refuse(404, "no such service");
        }
        if request.method != "POST" {
            return refuse(405, "POST only");
        }
        if !request.content_type.starts_with("text/xml") {
            return refuse(415, "SOAP 1.1 is text/xml");
        }
        let (operation, message) = soap::read(&request.body)
            .map_err(|reason| Reply::new(500, XML, soap::fault(reason)))?;
        if !request.path.contains(operation.channel()) {
            return refuse(404, "not a service of this operation");
        }
        let bytes = self.config.least_report_bytes;
        let members = &self.members;
        Ok(verdict::judge(
            operation, &message, members, at, serial, bytes,
        ))
    }

    fn reply(&self, verdict: Verdict, at: Timestamp, serial: u64) -> Reply {
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
        let message = verdict::reply(&verdict, at, &report);
        Reply::new(200, XML, soap::reply(verdict.operation, &message))
    }
}

fn subject(decision: &Result<Verdict, Reply>) -> Option<&str> {
    let inquiry = decision.as_ref().ok()?.inquiry.as_ref()?;
    Some(&inquiry.id_number)
}

/// The verdict with which a confused bureau answers; what it remembers is right.
fn confused(mut verdict: Verdict, fault: Option<Fault>) -> Verdict {
    match fault {
        Some(Fault::OtherMessage) => {
            if let Some(last) = verdict.message_id.as_mut().and_then(String::pop) {
                let other = if last == '9' { '8' } else { '9' };
                verdict.message_id.get_or_insert_default().push(other);
            }
        }
        Some(Fault::OtherSubject) => {
            if let (Some(report), Some(inquiry)) = (&mut verdict.report, &verdict.inquiry) {
                let other = synthetic_resident_id(OTHER_SUBJECT);
                *report = report.replace(&inquiry.id_number, &other);
            }
        }
        _ => {}
    }
    verdict
}

/// What a fault makes of a reply.
fn broken(mut reply: Reply, fault: Option<Fault>, path: &str) -> Option<Reply> {
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
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(report.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// Whose report comes under [`Fault::OtherSubject`]: nobody's in the tests.
const OTHER_SUBJECT: u32 = 9_999_001;
const GARBAGE: &[u8] = b"\x00\xff<<& not a document \x1f\x8b";
const XML: &str = "text/xml;charset=UTF-8";
