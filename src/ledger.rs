//! The ledger (台账): what a bureau last accepted of each account, and what may follow.
//!
//! # Promise
//!
//! [`sequence`] says whether a record may follow what was accepted, [`gate`]
//! whether law lets it out, [`Account::after`] what its acceptance makes of the
//! account. All three are pure. Accounts are kept by a keyed digest of their
//! key ([`index`]), and the key itself sealed under the subject's; with the
//! subject both go ([`erase`]).
//!
//! # What is not here
//!
//! Records, files and answers; they are in `submissions`. Which items of a
//! record tell what is a table of the format (`schemas::role`).
//!
//! # Failure
//!
//! What is not known counts as missing: a record waits rather than goes.

mod account;
pub mod clocks;
pub mod erase;
pub mod gate;
pub mod index;
mod month;
pub mod sequence;
mod told;

pub use account::{Account, RecordRef, Standing};
pub use gate::{Hold, HoldCode, Notice};
pub use month::Month;
pub use told::Told;
