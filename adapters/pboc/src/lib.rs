//! The dialect of the PBOC financial credit database, second generation.
//!
//! # Promise
//!
//! One inquiry on a person is signed, sent once, and its reply read: a report
//! comes out only when the bureau's words are well-formed and the report names
//! the subject that was asked for. Submission files go out and feedback files
//! come in by either way, packed as mandated ([`pack`]). `README.md` tells what each outcome means,
//! and how sure we are of each part of the format.
//!
//! # What is not here
//!
//! Sockets, keys, clocks and repetition belong to the gateway. Batches,
//! companies and changes of password are not among the capabilities.
//!
//! # Failure
//!
//! Every defect of a request is named before anything is sent. Whatever comes
//! back ends in an [`contract::Outcome`]; nothing panics.

mod codes;
mod escape;
pub mod pack;
mod request;
mod response;
mod upload;

use std::sync::Arc;

use contract::{
    Adapter, Capabilities, Codec, CodecError, Conversation, Failure, FileConversation, FileTask,
    Happened, InquiryRequest, Outcome, Product, RequestError, Step, Way, WireReply,
};
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::pack::FileKey;
use crate::request::Message;
use crate::response::Asked;

/// The adapter of the PBOC database.
#[derive(Debug)]
pub struct Pboc {
    capabilities: Capabilities,
}

impl Pboc {
    /// The adapter; it has no state.
    #[must_use]
    pub fn new() -> Self {
        let report = Product {
            name: PERSONAL_REPORT,
            dictionary: "pboc-query-personal",
        };
        Self {
            capabilities: Capabilities {
                products: vec![report],
                files: vec![Way::Exchange, Way::Https],
            },
        }
    }
}

impl Default for Pboc {
    fn default() -> Self {
        Self::new()
    }
}

impl Adapter for Pboc {
    fn name(&self) -> &'static str {
        "pboc"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn reason_code(&self, product: &str, purpose: &str) -> Option<&str> {
        (product == PERSONAL_REPORT)
            .then(|| schemas::message::reason(purpose))?
            .map(|reason| reason.code)
    }

    fn message_id(&self, serial: u32, at: Timestamp) -> String {
        request::message_id(serial, at)
    }

    fn inquire(&self, request: InquiryRequest) -> Result<Box<dyn Conversation>, RequestError> {
        let message = request::message(&request)?;
        let asked = Asked::from(&request);
        Ok(Box::new(Inquiry {
            asked,
            state: State::Unsigned(message),
        }))
    }

    fn reread(&self, request: &InquiryRequest, raw: Zeroizing<Vec<u8>>) -> Outcome {
        let reply = WireReply {
            status: 200,
            body: raw,
        };
        response::read(reply, &Asked::from(request))
    }

    fn files(&self, way: Way, task: FileTask) -> Option<Box<dyn FileConversation>> {
        Some(upload::start(way, task))
    }

    fn codec(&self, key: &[u8]) -> Result<Arc<dyn Codec>, CodecError> {
        let key = FileKey::parse(key).map_err(|_| CodecError::Key("16 characters"))?;
        Ok(Arc::new(key))
    }
}

/// The personal report of service `FW_GRXYBG_0074`.
const PERSONAL_REPORT: &str = "personal_report";

/// One inquiry: sign, send, read. It sends once and never again.
struct Inquiry {
    asked: Asked,
    state: State,
}

enum State {
    /// Composed, nothing asked for yet.
    Unsigned(Message),
    /// Waiting for the signature.
    Signing(Message),
    /// On the line; the bureau may act from here on.
    Sent,
    Over,
}

impl Conversation for Inquiry {
    fn next(&mut self, last: Option<Happened>) -> Step {
        match (std::mem::replace(&mut self.state, State::Over), last) {
            (State::Unsigned(message), None) => {
                let bytes = Zeroizing::new(message.as_bytes().to_vec());
                self.state = State::Signing(message);
                Step::Sign { bytes }
            }
            (State::Signing(message), Some(Happened::Signed(signature))) => {
                match request::envelope(&message, &signature) {
                    Ok(request) => {
                        self.state = State::Sent;
                        Step::Http(request)
                    }
                    Err(cause) => not_sent(cause),
                }
            }
            // A signer that may have signed has sent nothing to the bureau.
            (State::Signing(_), Some(Happened::Failed(failure))) => match failure {
                Failure::NotSent { cause } | Failure::Unknown { cause } => not_sent(cause),
            },
            (State::Unsigned(_) | State::Signing(_), _) => not_sent("out_of_turn"),
            (State::Sent, Some(Happened::Replied(reply))) => {
                Step::Done(response::read(reply, &self.asked))
            }
            (State::Sent, Some(Happened::Failed(failure))) => Step::Done(Outcome::Failed(failure)),
            (State::Sent | State::Over, _) => Step::Done(Outcome::Failed(Failure::Unknown {
                cause: "out_of_turn",
            })),
        }
    }
}

fn not_sent(cause: &'static str) -> Step {
    Step::Done(Outcome::Failed(Failure::NotSent { cause }))
}

#[cfg(test)]
mod tests;
