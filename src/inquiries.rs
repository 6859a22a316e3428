//! Inquiries (查询): decide, hold, permit, dispatch, keep, answer.
//!
//! # Promise
//!
//! An inquiry reaches the bureau at most once, and only after the transaction
//! that decided it for the last time has made its intent durable. Whatever
//! happens, its state says what is known, and every change of it is an entry.
//!
//! # What is not here
//!
//! The decision itself (`crate::authorizations`), the socket and the only
//! constructor of what may reach it (`crate::bureaus`).
//!
//! # Failure
//!
//! Before the intent is durable, an error leaves everything as it was. After
//! it, an inquiry that cannot be answered is unknown, and has ways out:
//! [`Inquiries::reconcile`] and [`Inquiries::propose_again`].

mod again;
mod bureau_list;
mod entries;
mod erase;
mod error;
mod hold;
mod intake;
mod outcome;
mod reconcile;
mod recover;
mod register;
mod report;
mod request;
mod service;
mod state;
mod store;
mod travel;
mod view;

pub use bureau_list::Disagreement;
pub use error::AskError;
pub use hold::DeclineReason;
pub use reconcile::Reconciliation;
pub use register::{
    Cursor, CursorError, Filter, MAX_EXPORTED, MAX_PAGE, OUTCOMES, Page, RegisterError, SEARCHERS,
};
pub use request::{Defect, OnFresh, Request, RequestBody, SubjectBody};
pub use service::{Asked, Inquiries};
pub use state::{EDGES, State};
pub use store::Record;
pub use view::{BureauSays, InquiryView, Texts};
