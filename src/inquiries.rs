//! Inquiries (查询): decide, hold, permit, dispatch, keep, answer.

mod state;

pub use state::{EDGES, State};
