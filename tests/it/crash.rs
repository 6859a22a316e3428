//! The binary as a process: killed at every fault point and at any moment,
//! traced, refused, told to end.

mod ends;
mod load;
mod order;
#[cfg(feature = "fault-points")]
mod points;
#[cfg(feature = "fault-points")]
mod scripts;
mod site;
mod starts;
#[cfg(feature = "fault-points")]
mod submission;
