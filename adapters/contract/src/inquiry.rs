//! An inquiry as an adapter sees it: plain values in, the bureau's word out.

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{Failure, Way};

/// What an adapter can do.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    /// Products that may be inquired for.
    pub products: Vec<Product>,
    /// Ways by which it takes submission files; empty where it takes none.
    pub files: Vec<Way>,
}

/// A kind of report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Product {
    /// Our name of it: `personal_report`.
    pub name: &'static str,
    /// Whom it is about.
    pub about: About,
    /// The dictionary that reads it, by name in `schemas`.
    pub dictionary: &'static str,
}

/// Whom a report is about. A report of the one kind is never asked for about
/// the other: the two are numbered in different lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum About {
    /// An enterprise or another organization.
    Enterprise,
    /// A natural person.
    Person,
}

/// What an institution's contract with the bureau says of a product, where it
/// differs from what the dialect takes for granted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Terms {
    /// The list that reasons are numbered by.
    pub reasons: Option<String>,
    /// The bureau's code of the service.
    pub service: Option<String>,
}

/// Terms that the dialect cannot keep.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TermsError {
    /// It has no such product.
    #[error("there is no product {0}")]
    Product(String),
    /// It knows no such list of reasons.
    #[error("product {product}: there is no list of reasons {list}")]
    Reasons {
        /// The product.
        product: String,
        /// The list.
        list: String,
    },
    /// A service code of a form that the dialect cannot carry.
    #[error("product {product}: the service code must be 1 to 100 letters, digits or _")]
    Service {
        /// The product.
        product: String,
    },
    /// Nothing can be set.
    #[error("this dialect takes no terms")]
    Unsupported,
}

/// A request in the bureau's own codes. Holds personal data: `Debug` is masked.
#[derive(Clone)]
pub struct InquiryRequest {
    /// Product name, one of [`Capabilities::products`].
    pub product: String,
    /// Name of the subject, normalized.
    pub subject_name: Zeroizing<String>,
    /// ID type of the subject, in the bureau's code list.
    pub id_type: String,
    /// ID number of the subject, normalized.
    pub id_number: Zeroizing<String>,
    /// The bureau's reason code, from [`crate::Adapter::reason_code`].
    pub reason: String,
    /// The institution that sends the message (14 characters at the PBOC).
    pub institution_code: String,
    /// The member on whose behalf it asks; often the same.
    pub originator_code: String,
    /// The institution's user at the bureau.
    pub user: String,
    /// That user's password, in clear; the adapter hashes it as mandated.
    pub password: Zeroizing<String>,
    /// The member's user at the bureau.
    pub originator_user: String,
    /// Serial number of the message within its day, below 100,000,000; unique
    /// for the institution.
    pub serial: u32,
    /// When the message is made.
    pub at: Timestamp,
}

impl std::fmt::Debug for InquiryRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InquiryRequest")
            .field("product", &self.product)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// How an inquiry ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The bureau answered with a report.
    Answered(Answer),
    /// The exchange failed before or on the way.
    Failed(Failure),
    /// The bureau knows no such subject.
    NoHit {
        /// The bureau's result code.
        code: String,
    },
    /// The bureau refused, in well-formed words.
    Rejected(Rejection),
    /// The bureau answered without a report and without saying whether it
    /// recorded the inquiry, which must not be repeated.
    Undecided {
        /// The bureau's result code.
        code: String,
    },
    /// A whole answer arrived that cannot be read; it is kept as it came.
    Unreadable {
        /// Stable code of the defect: `wrong_encoding` in every dialect, else its own.
        defect: &'static str,
        /// The reply's body.
        raw: Zeroizing<Vec<u8>>,
    },
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A report.
pub struct Answer {
    /// The bureau's result code.
    pub code: String,
    /// The bureau left something out.
    pub partial: bool,
    /// The report's XML.
    pub report: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("code", &self.code)
            .field("partial", &self.partial)
            .field("report_bytes", &self.report.len())
            .finish()
    }
}

/// A refusal by the bureau.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The bureau's result code, as it came.
    pub code: String,
    /// The code stands in our table; otherwise it is unclassified.
    pub listed: bool,
    /// What it means, Chinese then English; empty when not listed.
    pub meaning: [String; 2],
    /// What would cure it, Chinese then English.
    pub cure: [String; 2],
}

/// Fields that the bureau's format cannot carry.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the request does not fit the bureau's format: {}", fields.join(", "))]
pub struct RequestError {
    /// Field and defect, one each, without the value: `subject_name: longer than 30 characters`.
    pub fields: Vec<String>,
}
