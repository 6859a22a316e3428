//! Files to and from a bureau, as conversations that somebody else carries out.
//!
//! # Promise
//!
//! An adapter says what to put where and reads the bureau's small answers; the
//! bodies of files never pass through it. What became of a delivery is told in
//! the distinction that counts: arrived, provably not, or unknown. Delivering
//! again is always the same name and the same bytes, so that it has effect once.
//!
//! # What is not here
//!
//! No folder and no socket: the gateway knows what [`Folder`] and path mean, and
//! keeps the file. No record, no seal, no meaning of a feedback file.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::{Failure, WireReply};

/// How a bureau takes files, as far as its dialect differs by it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// By two folders that both sides see.
    Exchange,
    /// By HTTPS.
    Https,
}

/// A file that was written once and never changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileToSend {
    /// Its mandated name, without an ending.
    pub name: String,
    /// Length of the sealed bytes.
    pub size_bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// What is to be done with files.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FileTask {
    /// Ask whether a delivered file has arrived; ends in [`FileOutcome::Absent`]
    /// while nothing tells, also where the way knows no such question.
    Ask(FileToSend),
    /// Deliver it, for the first time or again.
    Deliver(FileToSend),
    /// Fetch the feedback file of that name (without an ending).
    Fetch(String),
    /// List the feedback files that wait.
    List,
}

/// How a task ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FileOutcome {
    /// It is not there, or not yet.
    Absent,
    /// The bureau's word on a file, or the lack of it.
    Delivery(Delivery),
    /// The exchange failed before or on the way.
    Failed(Failure),
    /// The feedback file is kept by the gateway.
    Fetched,
    /// Names of feedback files, without an ending.
    Listed(Vec<String>),
}

/// What became of a delivery.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Delivery {
    /// The bureau had a file of this name before: after an acknowledgment that
    /// was lost, the same as arrived.
    AlreadyReceived,
    /// The bureau acknowledged these very bytes.
    Arrived,
    /// Nothing reached the bureau.
    NotSent {
        /// Stable code of the cause.
        cause: &'static str,
    },
    /// It lies durably where the bureau will take it; the acknowledgment is to
    /// be asked for.
    Placed,
    /// The bureau refused it; a person must look.
    Refused {
        /// The bureau's code, or `digest_mismatch` where it names other bytes
        /// than ours.
        code: String,
    },
    /// The bureau may have it. Deliver the same bytes again.
    Unknown {
        /// Stable code of the cause.
        cause: &'static str,
    },
}

impl Delivery {
    /// Whether the bureau has the file.
    #[must_use]
    pub fn has_arrived(&self) -> bool {
        matches!(self, Self::AlreadyReceived | Self::Arrived)
    }

    /// Whether the same bytes may be delivered again; effect once.
    #[must_use]
    pub fn may_go_again(&self) -> bool {
        matches!(self, Self::NotSent { .. } | Self::Unknown { .. })
    }
}

impl From<Failure> for Delivery {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent { cause } => Self::NotSent { cause },
            Failure::Unknown { cause } => Self::Unknown { cause },
        }
    }
}

/// A task in a bureau's dialect.
pub trait FileConversation: Send {
    /// The next thing to do, given what became of the last one (`None` at the
    /// start). After [`FileStep::Done`] it must not be called again.
    fn next(&mut self, last: Option<FileHappened>) -> FileStep;
}

/// What a conversation about files may ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FileStep {
    /// The conversation is over.
    Done(FileOutcome),
    /// Fetch something; answer with [`FileHappened::Got`],
    /// [`FileHappened::Replied`] or [`FileHappened::Missing`].
    GetFile {
        /// From where.
        from: Place,
        /// The fetch ends as unknown beyond so many bytes.
        limit_bytes: u64,
        /// Where to.
        keep: Keep,
    },
    /// List the names in a folder; answer with [`FileHappened::Listed`].
    ListFiles(Folder),
    /// Put the file that is to be delivered; answer with [`FileHappened::Put`]
    /// or [`FileHappened::Replied`].
    PutFile(Place),
    /// Let time pass; answer with [`FileHappened::Waited`].
    Wait(Duration),
}

/// Where something is or goes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// A name in a folder that both sides see.
    Folder(Folder, String),
    /// A path below the line's base address, and headers: PUT or GET.
    Http {
        /// The path.
        path: String,
        /// Header names and values.
        headers: Vec<(&'static str, String)>,
        /// Largest reply to a PUT, and to a GET that did not succeed.
        reply_limit_bytes: usize,
    },
}

/// A folder, seen from us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Folder {
    /// What the bureau put there for us.
    In,
    /// What we put there for the bureau.
    Out,
}

/// Where the gateway keeps what it fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keep {
    /// In the file that the caller named, durably.
    Disk,
    /// In memory, for the conversation to read.
    Memory,
}

/// What became of a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileHappened {
    /// The step could not be carried out.
    Failed(Failure),
    /// The bytes, whole: in memory as asked for, else empty.
    Got(Zeroizing<Vec<u8>>),
    /// The names in the folder; names of what is still being written excepted.
    Listed(Vec<String>),
    /// There is no such file.
    Missing,
    /// The file stands there under its name, durably.
    Put,
    /// The bureau replied to a PUT, or to a GET with another status than 200.
    Replied(WireReply),
    /// The time has passed.
    Waited,
}
