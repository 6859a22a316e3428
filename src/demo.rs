//! A house in small: everything that a gateway needs, made in one folder, with
//! synthetic people and a mock bureau.
//!
//! `creditgate demo` plays in it, tests break it, benches measure it. Nothing
//! of it is for real people: production refuses what is made here.

mod client;
mod house;
pub mod loans;
mod play;
mod scenes;
mod staff;

pub use client::{Client, Reply};
pub use house::{BUREAU, House, HouseError, Plan};
pub use play::{PlayError, Stage, play};
pub use staff::{INSTITUTION, Staff, authorization, consent_to_provide, person};
