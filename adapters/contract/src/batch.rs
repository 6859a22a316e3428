//! Many inquiries in one file, as an adapter sees them.

use std::fmt;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{Failure, InquiryRequest, Outcome, Rejection, RequestError};

/// Inquiries of one institution that go out in one file. Each was authorized by
/// itself before.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Number of the file within its day, 1 to 999.
    pub number: u16,
    /// When the file is made.
    pub at: Timestamp,
    /// The inquiries, in the order of the file.
    pub records: Vec<BatchRecord>,
}

/// One inquiry of a batch.
#[derive(Clone, Debug)]
pub struct BatchRecord {
    /// Its identifier, unique in the file.
    pub id: String,
    /// What is asked. Its serial is not used: a file has its own number.
    pub request: InquiryRequest,
}

/// A request file. It holds personal data: `Debug` shows sizes only.
pub struct BatchFile {
    /// Its mandated name.
    pub name: String,
    /// Its bytes, not packed and not sealed.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for BatchFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchFile")
            .field("name", &self.name)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Why there is no file; nothing was sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The file as a whole.
    #[error("{0}")]
    File(&'static str),
    /// Records that do not fit, all of them, each with its place from 1.
    #[error("{} records do not fit the bureau's format", .0.len())]
    Records(Vec<(usize, RequestError)>),
    /// The question for the state of a file.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The dialect knows no batches.
    #[error("this dialect takes no batches of inquiries")]
    Unsupported,
}

/// What an answer file says of the inquiries of a batch.
#[derive(Debug, Default)]
pub struct BatchRead {
    /// What became of each inquiry that the file answers, by its identifier.
    pub answers: Vec<(String, Outcome)>,
    /// What does not agree. Where there is anything, nothing of the file may
    /// take effect before a person has looked.
    pub findings: Vec<BatchFinding>,
    /// Inquiries that the file does not answer: the bureau may have recorded
    /// them.
    pub unanswered: Vec<String>,
}

/// Something wrong in an answer file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BatchFinding {
    /// Line from 1; the header is line 1.
    pub line: usize,
    /// Stable code.
    pub code: &'static str,
}

/// The question for the state of a file that was sent.
#[derive(Clone)]
pub struct BatchQuestion {
    /// Name of the request file.
    pub file: String,
    /// The institution that sends the message.
    pub institution_code: String,
    /// Its user at the bureau.
    pub user: String,
    /// That user's password, in clear.
    pub password: Zeroizing<String>,
    /// Serial number of the message, as that of an inquiry.
    pub serial: u32,
    /// When the message is made.
    pub at: Timestamp,
}

impl fmt::Debug for BatchQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchQuestion")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// What the bureau says of a file that was sent. Asking changes nothing, so it
/// may be asked again.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BatchState {
    /// The exchange failed before or on the way.
    Failed(Failure),
    /// The bureau refused to tell.
    Refused(Rejection),
    /// Where the file stands, in the bureau's own code and words.
    Stands {
        /// The bureau's code of the state.
        code: String,
        /// The bureau's words.
        words: String,
    },
    /// A whole answer that cannot be read.
    Unreadable {
        /// Stable code of the defect.
        defect: &'static str,
    },
}

impl From<Failure> for BatchState {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
