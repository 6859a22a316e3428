//! Submissions (报送): take in, validate, gate, write, deliver, hear, correct.
//!
//! # Promise
//!
//! A record is never dropped: it is set aside with its findings, waits for what
//! its holds name, or is a line of a file whose state says how far that is. A
//! file's name and bytes are frozen before it goes out, and its intent is
//! durable before the transport is touched; delivering again is the same bytes,
//! with effect once. An answer is taken only where line number and bytes agree
//! with what was sent.
//!
//! # What is not here
//!
//! What a record must look like (`schemas`), how files travel (`crate::bureaus`).
//!
//! # Failure
//!
//! Everything goes on from its last durable step: a cut input when the same is
//! sent again, the rest by [`Submissions::sweep`]. What disagrees stops a file
//! for a person.

mod accept;
mod assign;
mod candidate;
mod clocks;
mod cure;
mod deliver;
mod enroll;
mod entries;
mod error;
mod feed;
mod feedback;
mod gate;
mod given;
mod heard;
pub mod import;
mod judge;
mod keep;
mod lines;
mod recall;
mod release;
mod service;
mod state;
mod store;
mod sweep;
mod take;
#[cfg(test)]
mod tests;
mod view;
mod ways;
mod write;

pub use crate::ledger::Hold;
pub use clocks::{CalendarView, ClockView, ClocksView, LateView};
pub use cure::Both;
pub use error::SubmitError;
pub use feed::{Form, Input};
pub use heard::{FeedbackView, HeardView, Reason, RejectedView};
pub use service::{Parts, Submissions};
pub use state::{FILE_EDGES, FileState, RECORD_EDGES, RecordState, SubmissionState};
pub use store::{
    answers::{Answered, Heard},
    files::FileRow,
    records::Outline,
    submissions::Submission,
};
pub use sweep::Decision;
pub use view::{Answer, Count, FileView, RecordFinding, RecordName, RecordView, SubmissionView};
pub use ways::FileWayView;
