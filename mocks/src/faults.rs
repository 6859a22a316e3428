//! Fault switches: what goes wrong, for whom, how often.

use std::convert::Infallible;
use std::mem;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

/// Something that goes wrong between the gateway and the bureau.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The request is read whole, then the connection ends without a byte.
    AcceptThenCut,
    /// The reply ends after so many bytes of its body, without a TLS goodbye.
    CutReply {
        /// Bytes of the body that are sent.
        after_bytes: usize,
    },
    /// The bureau reads so many bytes of an upload, then the connection ends.
    CutUpload {
        /// Bytes of the body that are read.
        after_bytes: usize,
    },
    /// The server shows a certificate that has expired.
    ExpiredCertificate,
    /// The reply is 200 with a body that is no XML.
    Garbage,
    /// The reply answers another message: its identifier is not ours.
    OtherMessage,
    /// The report is about another person.
    OtherSubject,
    /// The reply is a 307 to the same address.
    Redirect,
    /// The handshake completes on our side, then the client certificate is
    /// refused with a fatal alert.
    RefuseCertificate,
    /// Nothing listens: the connection is refused.
    RefuseConnection,
    /// The connection is accepted and reset before a handshake.
    ResetConnection,
    /// The reply is right and slow.
    Slow {
        /// Pause before the first byte, in milliseconds.
        before_ms: u64,
        /// Pause before every KiB of the body, in milliseconds.
        each_kib_ms: u64,
    },
    /// The reply is this HTTP status, from a front machine: 503.
    Status {
        /// The status.
        code: u16,
    },
    /// The reply promises twice its length and ends, with a TLS goodbye.
    Truncated,
    /// The result code is one that stands in no table, and there is no report.
    UnknownCode,
    /// The server's certificate is of another authority.
    WrongAuthority,
    /// The reply promises less than its length and goes on.
    WrongLength,
    /// The server's certificate is for another name.
    WrongName,
}

impl Fault {
    /// It strikes before a request can be read, so it cannot depend on one.
    #[must_use]
    pub fn strikes_at_connection(self) -> bool {
        matches!(
            self,
            Self::ExpiredCertificate
                | Self::RefuseCertificate
                | Self::RefuseConnection
                | Self::ResetConnection
                | Self::WrongAuthority
                | Self::WrongName
        )
    }
}

/// A fault with its reach.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    fault: Fault,
    /// ID number of the only subject it strikes; everybody if absent.
    #[serde(default)]
    subject: Option<String>,
    /// How often it still strikes; always if absent.
    #[serde(default)]
    times: Option<u32>,
    /// What it struck is missing from the inquiry list.
    #[serde(default)]
    unlisted: bool,
}

impl FaultRule {
    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    /// Until the faults are cleared.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            subject: None,
            times: None,
            unlisted: false,
        }
    }

    /// For the next connection or request.
    #[must_use]
    pub fn once(fault: Fault) -> Self {
        Self::times(fault, 1)
    }

    /// For the next so many connections or requests.
    #[must_use]
    pub fn times(fault: Fault, times: u32) -> Self {
        Self {
            times: Some(times),
            ..Self::always(fault)
        }
    }

    /// Only for requests about this ID number.
    #[must_use]
    pub fn for_subject(self, id_number: &str) -> Self {
        Self {
            subject: Some(id_number.to_owned()),
            ..self
        }
    }

    /// The bureau did not process what it struck: it is received and counted,
    /// but stands on no inquiry list.
    #[must_use]
    pub fn unlisted(self) -> Self {
        Self {
            unlisted: true,
            ..self
        }
    }
}

/// Why a fault cannot be set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FaultError {
    /// It strikes connections, which have no subject and are on no list.
    NoRequestYet,
    /// The mock was started without the certificate it needs.
    NoSuchCertificate,
    /// A refused connection is not seen, so it cannot be counted.
    NotCountable,
}

impl std::fmt::Display for FaultError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoRequestYet => "the fault strikes connections, which have no subject",
            Self::NoSuchCertificate => "the mock was started without the certificate for it",
            Self::NotCountable => {
                "refused connections cannot be counted: set it always and clear it"
            }
        })
    }
}

impl std::error::Error for FaultError {}

/// What the acceptor and idle connections watch.
pub(crate) struct Door {
    pub(crate) open: bool,
    /// Grows when connections are to meet a new fault: idle ones then end.
    pub(crate) generation: u64,
    /// A copy is held by each idle connection of this generation.
    pub(crate) idle: mpsc::Sender<Infallible>,
}

/// All rules, in the order in which they were set; the first that fits strikes.
pub(crate) struct Switchboard {
    rules: Mutex<Vec<FaultRule>>,
    door: watch::Sender<Door>,
    /// Ends when no connection of this generation is idle any more.
    idle: Mutex<mpsc::Receiver<Infallible>>,
}

impl Switchboard {
    pub(crate) fn new() -> Self {
        let (held, idle) = mpsc::channel(1);
        let door = watch::Sender::new(Door {
            open: true,
            generation: 0,
            idle: held,
        });
        Self {
            rules: Mutex::default(),
            door,
            idle: Mutex::new(idle),
        }
    }

    pub(crate) fn door(&self) -> watch::Receiver<Door> {
        self.door.subscribe()
    }

    /// Gives what ends when the idle connections that must not live on have ended.
    pub(crate) fn set(
        &self,
        rule: FaultRule,
    ) -> Result<Option<mpsc::Receiver<Infallible>>, FaultError> {
        let at_connection = rule.fault.strikes_at_connection();
        if at_connection && (rule.subject.is_some() || rule.unlisted) {
            return Err(FaultError::NoRequestYet);
        }
        let closes = rule.fault == Fault::RefuseConnection;
        if closes && rule.times.is_some() {
            return Err(FaultError::NotCountable);
        }
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rule);
        if !at_connection {
            return Ok(None);
        }
        let (held, idle) = mpsc::channel(1);
        let before = mem::replace(
            &mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner),
            idle,
        );
        self.door.send_modify(|door| {
            door.open &= !closes;
            door.generation += 1;
            door.idle = held;
        });
        Ok(Some(before))
    }

    pub(crate) fn clear(&self) {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.door.send_modify(|door| door.open = true);
    }

    /// The fault that the next connection meets, used up by this call.
    pub(crate) fn at_connection(&self) -> Option<Fault> {
        self.strike(|rule| rule.fault.strikes_at_connection())
            .map(|rule| rule.fault)
    }

    /// The fault that a request meets, used up by this call, and whether it
    /// keeps the request off the inquiry list.
    pub(crate) fn at_request(&self, id_number: Option<&str>) -> Option<(Fault, bool)> {
        let fits = |rule: &FaultRule| {
            !rule.fault.strikes_at_connection()
                && !matches!(rule.fault, Fault::CutUpload { .. })
                && (rule.subject.is_none() || rule.subject.as_deref() == id_number)
        };
        self.strike(fits).map(|rule| (rule.fault, rule.unlisted))
    }

    /// After how many bytes of its body the next upload ends, used up by this call.
    pub(crate) fn at_upload(&self) -> Option<usize> {
        let rule = self.strike(|rule| matches!(rule.fault, Fault::CutUpload { .. }))?;
        match rule.fault {
            Fault::CutUpload { after_bytes } => Some(after_bytes),
            _ => None,
        }
    }

    fn strike(&self, fits: impl Fn(&FaultRule) -> bool) -> Option<FaultRule> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules
            .iter_mut()
            .find(|rule| fits(rule) && rule.times != Some(0))?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(rule.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_its_subject_as_often_as_it_was_told() {
        let board = Switchboard::new();
        board
            .set(FaultRule::times(Fault::Garbage, 2).for_subject("a"))
            .unwrap();
        board
            .set(
                FaultRule::always(Fault::Truncated)
                    .for_subject("b")
                    .unlisted(),
            )
            .unwrap();
        let met: Vec<_> = ["b", "a", "c", "a", "a", "b"]
            .map(|subject| board.at_request(Some(subject)))
            .to_vec();
        let (garbage, truncated) = (
            Some((Fault::Garbage, false)),
            Some((Fault::Truncated, true)),
        );
        assert_eq!(met, [truncated, garbage, None, garbage, None, truncated]);
        assert_eq!(board.at_connection(), None);
        board.clear();
        assert_eq!(board.at_request(Some("b")), None);
    }

    #[test]
    fn a_connection_has_no_subject() {
        let board = Switchboard::new();
        let rule = FaultRule::once(Fault::WrongName);
        assert_eq!(
            board.set(rule.clone().for_subject("a")).unwrap_err(),
            FaultError::NoRequestYet
        );
        assert_eq!(
            board.set(rule.clone().unlisted()).unwrap_err(),
            FaultError::NoRequestYet
        );
        assert_eq!(
            board
                .set(FaultRule::once(Fault::RefuseConnection))
                .unwrap_err(),
            FaultError::NotCountable
        );
        board.set(rule).unwrap();
        assert_eq!(board.at_request(Some("a")), None);
        assert_eq!(board.at_connection(), Some(Fault::WrongName));
        assert_eq!(board.at_connection(), None);
    }

    #[test]
    fn rules_read_from_json() {
        for (json, fault) in [
            (r#"{"fault":"accept_then_cut"}"#, Fault::AcceptThenCut),
            (
                r#"{"fault":{"status":{"code":503}},"times":1}"#,
                Fault::Status { code: 503 },
            ),
            (
                r#"{"fault":{"cut_reply":{"after_bytes":9}},"unlisted":true}"#,
                Fault::CutReply { after_bytes: 9 },
            ),
        ] {
            assert_eq!(
                serde_json::from_str::<FaultRule>(json).unwrap().fault,
                fault
            );
        }
        assert!(serde_json::from_str::<FaultRule>(r#"{"fault":"garbage","often":1}"#).is_err());
    }
}
