//! A submission in a process that dies: at every fault point of both passes, of
//! delivery and of feedback, and at any moment.
//!
//! However it dies, each file takes effect at the bureau once, each record is in
//! one state that its lists explain, and the log verifies.

mod checks;
mod input;
mod load;
mod points;
mod scripts;
mod stage;
mod trouble;
