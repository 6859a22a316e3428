//! Bureaus (征信机构), and the one line by which each of them is reached.
//!
//! # Promise
//!
//! What leaves for a bureau leaves through [`dispatch`], and that takes an
//! [`AuthorizedInquiry`], whose only constructor commits the intent first. A
//! line keeps the bureau's rates, quotas, concurrency and opening hours, and
//! stops asking while the bureau does not answer. What became of an exchange is
//! told in the only distinction that counts: answered, provably not sent, or
//! unknown.
//!
//! Submission files go by [`FileLine`], which repeats only bytes that have effect
//! once.
//!
//! # What is not here
//!
//! No authorization and no state of an inquiry: `inquiries` decides inside the
//! constructor's transaction. No dialect: the adapters know how to speak.
//!
//! # Failure
//!
//! Nothing here repeats an exchange. Where a repetition is safe, the outcome
//! suggests a delay, and the inquiry is decided again.

mod authorized;
mod breaker;
mod client;
mod credentials;
mod dispatch;
mod files;
mod gate;
mod hours;
mod line;
mod password;
mod permit;
mod quota;
mod rate;
mod registry;
mod schedule;
mod sent;
mod serial;
mod status;
#[cfg(test)]
mod tests;
mod tls;

pub use authorized::{AuthorizedInquiry, Intent, Moment, NotDispatched};
pub use client::ClientError;
pub use credentials::{Credentials, MemberError};
pub use dispatch::{Exchanged, dispatch};
pub use files::{FileFacts, FileLine, FileLineError, Opened, Seal, SealError, Sealing};
pub use hours::Hours;
pub use line::{Fittings, Line, Lines, LinesError};
pub use password::{ChangedPassword, PasswordChangeError, PasswordFate, PasswordStatus};
pub use permit::{Ask, NoPermit, Permit};
pub use quota::{Scope, UsedUp};
pub use registry::{Licence, licence, licences, load};
pub use status::{LicenceStatus, LimitStatus, LineStatus, TransportStatus};
pub use tls::TlsError;
