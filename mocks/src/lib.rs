//! A mock of the PBOC query interface, with fault switches.
//!
//! # Promise
//!
//! [`MockBureau`] answers D101 and D103 over SOAP and mutual TLS as the published
//! tables say, changes passwords (L101), remembers everything that reached it, whole or cut, and fails in every
//! way of [`Fault`], once or always, for all or for one subject. It reads
//! messages by itself: nothing is shared with the adapters, so that one mistake
//! cannot agree with itself.
//!
//! # What is not here
//!
//! Batch inquiries: only the single inquiry, and the [`Desk`] that takes
//! submission files. What the bureau does beyond its tables is not public; where the mock had to choose,
//! `README.md` says so.
//!
//! # Failure
//!
//! What is no request is answered as such and remembered as a partial one. The
//! mock refuses every resident ID number that is not synthetic.

mod admin;
mod bureau;
mod config;
mod desk;
mod document;
mod doors;
mod faults;
mod handle;
mod http;
mod inbox;
mod members;
mod message;
mod report;
mod soap;
mod subjects;
mod tls;
mod verdict;

pub use self::{
    admin::Admin,
    config::{Clock, Encoding, MockConfig, StartError},
    desk::{BureauAccount, Desk, DeskConfig, Lie, ReceivedFile},
    faults::{Fault, FaultError, FaultRule},
    handle::MockBureau,
    inbox::{Inquiry, Received},
    members::{Member, User},
    subjects::{
        PERSONAS, Persona, Sample, Says, UNLISTED_CODE, synthetic_credit_code,
        synthetic_resident_id,
    },
    tls::{Identity, MutualTls},
};
