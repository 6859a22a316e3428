//! What every bureau adapter promises.
//!
//! # Promise
//!
//! An adapter is a codec and a protocol without I/O: for an operation it yields
//! [`Step`]s and takes what became of them, until it is [`Step::Done`]. Sockets,
//! certificates, limits, retries, clocks and the audit trail belong to the
//! gateway and exist once.
//!
//! # What is not here
//!
//! No authorization: an adapter takes plain requests. Only the gateway's
//! dispatch, which holds an authorized inquiry, carries its steps to a socket.

pub mod batch;
pub mod codec;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod files;
pub mod inquiry;
pub mod password;
pub mod step;

use std::{collections::BTreeMap, sync::Arc};

use zeroize::Zeroizing;

pub use batch::{
    Batch, BatchError, BatchFile, BatchFinding, BatchQuestion, BatchRead, BatchRecord, BatchState,
};
pub use codec::{Codec, CodecError, Packing};
pub use files::{
    Delivery, FileConversation, FileHappened, FileOutcome, FileStep, FileTask, FileToSend, Way,
};
pub use inquiry::{
    About, Answer, Capabilities, InquiryRequest, Outcome, Product, Rejection, RequestError, Terms,
    TermsError,
};
pub use password::{PasswordChange, PasswordError, PasswordOutcome};
pub use step::{Conversation, Failure, Happened, Step, WireReply, WireRequest};

/// One bureau dialect.
pub trait Adapter: Send + Sync {
    /// Stable name of the dialect, as configuration names it: `pboc`.
    fn name(&self) -> &'static str;

    /// What it can do; what is not listed is not there to be called.
    fn capabilities(&self) -> &Capabilities;

    /// The bureau's reason code for one of the gateway's purposes, by product.
    ///
    /// `None` means unmapped: the gateway refuses such an inquiry.
    fn reason_code(&self, product: &str, purpose: &str) -> Option<&str>;

    /// How the bureau's own list will name the message with this serial number.
    fn message_id(&self, serial: u32, at: jiff::Timestamp) -> String;

    /// Starts one inquiry.
    ///
    /// # Errors
    ///
    /// Every field that the bureau's format cannot carry, all at once; nothing
    /// was sent.
    fn inquire(&self, request: InquiryRequest) -> Result<Box<dyn Conversation>, RequestError>;

    /// Reads again the body of a reply to `request` that was kept as unreadable.
    /// Nothing is sent.
    fn reread(&self, request: &InquiryRequest, raw: Zeroizing<Vec<u8>>) -> Outcome;

    /// The dialect under an institution's terms, by product; `None` where it is
    /// the same without them.
    ///
    /// # Errors
    ///
    /// The first term that it cannot keep.
    fn under(
        &self,
        terms: &BTreeMap<String, Terms>,
    ) -> Result<Option<Arc<dyn Adapter>>, TermsError> {
        match terms.is_empty() {
            true => Ok(None),
            false => Err(TermsError::Unsupported),
        }
    }

    /// Starts a change of the password that inquiries are made with.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Unsupported`], unless the dialect knows one; every field
    /// that the bureau's format cannot carry.
    fn change_password(
        &self,
        change: PasswordChange,
    ) -> Result<Box<dyn Conversation<PasswordOutcome>>, PasswordError> {
        let _ = change;
        Err(PasswordError::Unsupported)
    }

    /// Writes the file of a batch.
    ///
    /// # Errors
    ///
    /// [`BatchError::Unsupported`], unless the dialect knows batches; every
    /// record that does not fit.
    fn write_batch(&self, batch: &Batch) -> Result<BatchFile, BatchError> {
        let _ = batch;
        Err(BatchError::Unsupported)
    }

    /// Reads the answer to the file of a batch, and matches it record by record.
    fn read_batch(&self, batch: &Batch, bytes: &[u8]) -> BatchRead {
        let _ = bytes;
        BatchRead {
            unanswered: batch.records.iter().map(|it| it.id.clone()).collect(),
            findings: vec![BatchFinding {
                line: 1,
                code: "unsupported",
            }],
            ..BatchRead::default()
        }
    }

    /// Starts the question where the file of a batch stands.
    ///
    /// # Errors
    ///
    /// As [`Adapter::write_batch`].
    fn batch_state(
        &self,
        question: BatchQuestion,
    ) -> Result<Box<dyn Conversation<BatchState>>, BatchError> {
        let _ = question;
        Err(BatchError::Unsupported)
    }

    /// Starts a task with files; `None` unless [`Capabilities::files`] names the
    /// way.
    fn files(&self, way: Way, task: FileTask) -> Option<Box<dyn FileConversation>> {
        let _ = (way, task);
        None
    }

    /// What packs and seals the files of who holds this key; line ends behind
    /// the key do not count.
    ///
    /// # Errors
    ///
    /// [`CodecError::Absent`], unless it takes files; [`CodecError::Key`].
    fn codec(&self, key: &[u8]) -> Result<Arc<dyn Codec>, CodecError> {
        let _ = key;
        Err(CodecError::Absent)
    }
}
