//! Steps of a conversation, and what may become of them.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::Outcome;

/// One operation in a bureau's dialect, as a conversation that somebody else
/// carries out. An inquiry ends in an [`Outcome`], other operations in `O`.
pub trait Conversation<O = Outcome>: Send {
    /// The next thing to do, given what became of the last one (`None` at the
    /// start). After [`Step::Done`] it must not be called again.
    fn next(&mut self, last: Option<Happened>) -> Step<O>;
}

/// What a conversation may ask for. Transports of files will add their own.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<O = Outcome> {
    /// The conversation is over.
    Done(O),
    /// Send this request over the bureau's line.
    Http(WireRequest),
    /// Sign these bytes with the institution's key; answer with [`Happened::Signed`].
    Sign {
        /// The bytes to be covered, not their digest: the signer knows its algorithm.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// Let time pass; answer with [`Happened::Waited`].
    Wait(Duration),
}

/// A request as bytes. It holds personal data: `Debug` shows sizes only.
pub struct WireRequest {
    /// Path below the line's base address, without personal data: `/ServiceAccept`.
    pub path: String,
    /// Header names and values; never personal data.
    pub headers: Vec<(&'static str, String)>,
    /// The body, sent by POST.
    pub body: Zeroizing<Vec<u8>>,
    /// The reply is cut off, and its fate unknown, beyond so many bytes.
    pub reply_limit_bytes: usize,
}

/// A whole reply: its declared length, if any, was met.
pub struct WireReply {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

/// What became of a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum Happened {
    /// The step could not be carried out.
    Failed(Failure),
    /// The bureau replied.
    Replied(WireReply),
    /// The signature, in the form that the signer makes (raw bytes).
    Signed(Vec<u8>),
    /// The time has passed.
    Waited,
}

/// Why a step failed, in the only distinction that counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Failure {
    /// Provably nothing reached the bureau; doing it again cannot count twice.
    NotSent {
        /// Stable code of the cause: `connect`, `handshake`, ...
        cause: &'static str,
    },
    /// The bureau may have acted.
    Unknown {
        /// Stable code of the cause: `timeout`, `cut`, `status_5xx`, ...
        cause: &'static str,
    },
}

impl std::fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireRequest")
            .field("path", &self.path)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for WireReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireReply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
