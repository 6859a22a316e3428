//! The dialect of the PBOC financial credit database, second generation.
//!
//! # Promise
//!
//! One inquiry on a person or an enterprise is signed, sent once, and its reply
//! read: a report comes out only when the bureau's words are well-formed and the
//! report names the subject that was asked for. So is a change of password.
//! Batch files of inquiries are written and their answers matched. Submission
//! files go out and feedback files come in by either way, packed as mandated
//! ([`pack`]). `README.md` tells what each outcome means, and how sure we are of
//! each part of the format.
//!
//! # What is not here
//!
//! Sockets, keys, clocks and repetition belong to the gateway. How a batch file
//! travels is not public.
//!
//! # Failure
//!
//! Every defect of a request is named before anything is sent. Whatever comes
//! back ends in an [`contract::Outcome`]; nothing panics.

mod batch;
mod codes;
mod escape;
pub mod pack;
mod password;
mod request;
mod response;
mod upload;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{
    About, Adapter, Batch, BatchError, BatchFile, BatchQuestion, BatchRead, BatchState,
    Capabilities, Codec, CodecError, Conversation, FileConversation, FileTask, InquiryRequest,
    Outcome, PasswordChange, PasswordError, PasswordOutcome, Product, RequestError, Terms,
    TermsError, Way, WireReply,
};
use jiff::Timestamp;
use schemas::message::Interface;
use zeroize::Zeroizing;

use crate::pack::FileKey;
use crate::response::Asked;
use crate::wire::Exchange;

/// The adapter of the PBOC database.
#[derive(Clone, Debug)]
pub struct Pboc {
    capabilities: Capabilities,
    enterprise: Service,
    personal: Service,
}

/// A service of the bureau, as the institution's contract with it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Service {
    interface: Interface,
    /// Its code at the bureau.
    code: String,
    /// The list of reasons in force.
    reasons: &'static str,
}

impl Service {
    /// `FW_QYXYBG_0043` (SQ, HT; medium); another institution has 0087.
    pub(crate) fn enterprise() -> Self {
        Self::new(Interface::Enterprise, "FW_QYXYBG_0043")
    }

    /// `FW_GRXYBG_0074` (S2, S5; high); another institution has 0115.
    pub(crate) fn personal() -> Self {
        Self::new(Interface::Personal, "FW_GRXYBG_0074")
    }

    fn new(interface: Interface, code: &str) -> Self {
        Self {
            interface,
            code: code.to_owned(),
            reasons: interface
                .reason_lists()
                .first()
                .copied()
                .unwrap_or_default(),
        }
    }

    fn keep(&mut self, terms: &Terms) -> Result<(), TermsError> {
        let product = || self.interface.product().to_owned();
        if let Some(code) = &terms.service {
            let mut bytes = code.bytes();
            let plain = bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !plain || !(1..=100).contains(&code.len()) {
                return Err(TermsError::Service { product: product() });
            }
            self.code.clone_from(code);
        }
        if let Some(list) = &terms.reasons {
            let mut known = self.interface.reason_lists().iter();
            let found = known.find(|known| *known == list);
            self.reasons = found.copied().ok_or_else(|| TermsError::Reasons {
                product: product(),
                list: list.clone(),
            })?;
        }
        Ok(())
    }
}

impl Pboc {
    /// The adapter; it has no state.
    #[must_use]
    pub fn new() -> Self {
        let product = |interface: Interface, about| Product {
            name: interface.product(),
            about,
            dictionary: interface.dictionary(),
        };
        Self {
            capabilities: Capabilities {
                products: vec![
                    product(Interface::Personal, About::Person),
                    product(Interface::Enterprise, About::Enterprise),
                ],
                files: vec![Way::Exchange, Way::Https],
            },
            enterprise: Service::enterprise(),
            personal: Service::personal(),
        }
    }

    /// The service of a product. What is offered by no service is asked for by
    /// none: the personal one, which refuses it.
    fn service(&self, product: &str) -> &Service {
        match Interface::of_product(product) {
            Some(Interface::Enterprise) => &self.enterprise,
            Some(Interface::Personal) | None => &self.personal,
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
        let interface = Interface::of_product(product)?;
        let reason = interface.reason(self.service(product).reasons, purpose);
        reason.map(|reason| reason.code)
    }

    fn message_id(&self, serial: u32, at: Timestamp) -> String {
        wire::message_id(serial, at)
    }

    fn inquire(&self, request: InquiryRequest) -> Result<Box<dyn Conversation>, RequestError> {
        let service = self.service(&request.product);
        let message = request::message(&request, service)?;
        let asked = Asked::new(&request, service);
        Ok(Box::new(Exchange::new(message, move |reply| {
            response::read(reply, &asked)
        })))
    }

    fn reread(&self, request: &InquiryRequest, raw: Zeroizing<Vec<u8>>) -> Outcome {
        let reply = WireReply {
            status: 200,
            body: raw,
        };
        response::read(reply, &Asked::new(request, self.service(&request.product)))
    }

    fn under(
        &self,
        terms: &BTreeMap<String, Terms>,
    ) -> Result<Option<Arc<dyn Adapter>>, TermsError> {
        let mut under = self.clone();
        for (product, terms) in terms {
            let service = match Interface::of_product(product) {
                Some(Interface::Enterprise) => &mut under.enterprise,
                Some(Interface::Personal) => &mut under.personal,
                None => return Err(TermsError::Product(product.clone())),
            };
            service.keep(terms)?;
        }
        Ok((!terms.is_empty()).then(|| Arc::new(under) as Arc<dyn Adapter>))
    }

    fn change_password(
        &self,
        change: PasswordChange,
    ) -> Result<Box<dyn Conversation<PasswordOutcome>>, PasswordError> {
        Ok(password::start(change)?)
    }

    fn write_batch(&self, batch: &Batch) -> Result<BatchFile, BatchError> {
        batch::write(batch, &self.personal)
    }

    fn read_batch(&self, batch: &Batch, bytes: &[u8]) -> BatchRead {
        batch::read(batch, &self.personal, bytes)
    }

    fn batch_state(
        &self,
        question: BatchQuestion,
    ) -> Result<Box<dyn Conversation<BatchState>>, BatchError> {
        batch::ask(question)
    }

    fn files(&self, way: Way, task: FileTask) -> Option<Box<dyn FileConversation>> {
        Some(upload::start(way, task))
    }

    fn codec(&self, key: &[u8]) -> Result<Arc<dyn Codec>, CodecError> {
        let key = FileKey::parse(key).map_err(|_| CodecError::Key("16 characters"))?;
        Ok(Arc::new(key))
    }
}

#[cfg(test)]
mod tests;
