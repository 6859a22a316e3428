//! Institutions (机构), the people and machines that act for them, and their roles.
//!
//! # Promise
//!
//! Every request is looked up anew, so a revocation bites on the next one, even
//! on an open connection. Roles that exclude one another are never held by one
//! person, over all accounts of that person. Each change commits with its audit
//! entry. A bearer token is shown once and kept only as a digest.
//!
//! # What is not here
//!
//! Which role an operation needs is said where the operation is. Maker and
//! checker are told apart per inquiry, by [`Caller::is_same_human`].
//!
//! # Failure
//!
//! A credential that is unknown, expired or revoked is no caller at all: the
//! look-ups return `None` and tell nobody which of the three it was.

mod administration;
mod caller;
mod credentials;
mod lookup;
mod role;
#[cfg(test)]
mod tests;
mod token;

pub use administration::{
    NewOperator, OperatorError, Standing, grant, record_institution, register_operator, revoke,
    set_standing,
};
pub use caller::{Actor, Caller, Forbidden, PersonKey, PersonKeyError};
pub use credentials::{NewClient, issue_token, register_client, revoke_client, revoke_token};
pub use lookup::{by_certificate, by_token, confirm, reload};
pub use role::{EXCLUSIVE, Role};
pub use token::{Token, TokenError};
