//! The binary, killed: at every fault point, and at any moment.

mod load;
#[cfg(feature = "fault-points")]
mod points;
#[cfg(feature = "fault-points")]
mod scripts;
mod site;
