//! Authorizations (授权) of subjects, and the decision whether one covers an inquiry.
//!
//! # Promise
//!
//! An inquiry is permitted only by a stored authorization of that subject to
//! that institution, for that bureau, purpose and moment, with its original
//! intact. [`decide`] is pure and gives all reasons at once; none of its rules
//! can be overridden. Withdrawing is one call, as giving is, and bites at once.
//!
//! # What is not here
//!
//! Rules that look at the business behind an inquiry or at how often it is
//! made are others' work, and so is what may be provided without an
//! authorization: here is only what authorizations cover ([`Provided`]). Names
//! and numbers are sealed by [`platform::vault`](crate::platform::vault).
//!
//! # Failure
//!
//! What cannot be read counts as missing, and what is missing refuses.

mod decision;
mod error;
mod explain;
mod facts;
mod import;
mod membership;
mod model;
#[cfg(test)]
mod oracle;
mod provide;
mod purpose;
mod recording;
mod rules;
#[cfg(test)]
mod sample;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use decision::{
    Cell, Decision, Obligation, Permission, Reason, coverage, decide, refuse_identifier,
};
pub use error::AuthorizationError;
pub use explain::Explanation;
pub use import::{COLUMNS, Finding, FindingsFile, Folder, ImportError, Imported, Originals};
pub use membership::NewPolicyVersion;
pub use model::{
    Authorization, Evidence, Facts, Kind, Membership, PolicyVersion, Question, Validity,
};
pub use provide::{Covered, Provided};
pub use purpose::{Category, Purpose};
pub use recording::{MAX_EVIDENCE_BYTES, NewAuthorization, Recorded};
pub use rules::{Bilingual, Defect, RULES, Rule, RuleId};
pub use service::{Authorizations, KEEPERS, Listed, READERS};
