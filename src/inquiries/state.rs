//! The states of an inquiry and the only ways between them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::fault::{self, Commit};

/// Where an inquiry stands. The order is that of its life.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Taken in and not yet decided. It lives in memory only: the first commit
    /// already carries the decision.
    Received,
    /// Refused by the decision, with its reasons.
    Refused,
    /// Waiting for a second person.
    OnHold,
    /// Permitted, waiting for the bureau's line.
    Permitted,
    /// The intent is durable; the bureau may have been asked.
    Dispatched,
    /// The bureau answered: hit, no hit, or partial.
    Answered,
    /// A whole answer arrived that cannot be read; kept sealed.
    AnsweredUnreadable,
    /// The bureau refused, with its code.
    Rejected,
    /// Provably never reached the bureau, and given up.
    Unsent,
    /// The bureau may have recorded it.
    Unknown,
    /// Was unknown; the bureau's own list told.
    Reconciled,
    /// Taken back before it was dispatched.
    Withdrawn,
}

use State::{
    Answered, AnsweredUnreadable, Dispatched, OnHold, Permitted, Received, Reconciled, Refused,
    Rejected, Unknown, Unsent, Withdrawn,
};

/// Every edge. What is not here cannot be written: the store compares and sets.
pub const EDGES: &[(State, State)] = &[
    (Received, Refused),
    (Received, OnHold),
    (Received, Permitted),
    (Received, Dispatched),
    (OnHold, Permitted),
    (OnHold, Refused),
    (OnHold, Withdrawn),
    (Permitted, Dispatched),
    (Permitted, Refused),
    (Permitted, Unsent),
    (Permitted, Withdrawn),
    (Dispatched, Answered),
    (Dispatched, AnsweredUnreadable),
    (Dispatched, Permitted),
    (Dispatched, Rejected),
    (Dispatched, Unknown),
    (Dispatched, Unsent),
    (AnsweredUnreadable, Answered),
    (Unknown, Reconciled),
];

impl State {
    /// All states, in the order of an inquiry's life.
    pub const ALL: [Self; 12] = [
        Received,
        Refused,
        OnHold,
        Permitted,
        Dispatched,
        Answered,
        AnsweredUnreadable,
        Rejected,
        Unsent,
        Unknown,
        Reconciled,
        Withdrawn,
    ];

    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Received => "received",
            Refused => "refused",
            OnHold => "on_hold",
            Permitted => "permitted",
            Dispatched => "dispatched",
            Answered => "answered",
            AnsweredUnreadable => "answered_unreadable",
            Rejected => "rejected",
            Unsent => "unsent",
            Unknown => "unknown",
            Reconciled => "reconciled",
            Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether an edge leads from here to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        EDGES.contains(&(self, next))
    }

    /// Stands on either side of the commit of a change: a test may stop the
    /// process here.
    pub(super) fn passes(self, next: Self, commit: Commit) {
        fault::edge(self.name(), next.name(), commit);
    }

    /// Whether the gateway itself will do no more about it.
    #[must_use]
    pub fn is_settled(self) -> bool {
        !matches!(self, Received | OnHold | Permitted | Dispatched)
    }

    /// The kind of the audit entry that stands for arriving here.
    #[must_use]
    pub fn entry_kind(self) -> &'static str {
        match self {
            Received => "inquiry.received",
            Refused => "inquiry.refused",
            OnHold => "inquiry.on_hold",
            Permitted => "inquiry.permitted",
            Dispatched => "inquiry.dispatched",
            Answered => "inquiry.answered",
            AnsweredUnreadable => "inquiry.answered_unreadable",
            Rejected => "inquiry.rejected",
            Unsent => "inquiry.unsent",
            Unknown => "inquiry.unknown",
            Reconciled => "inquiry.reconciled",
            Withdrawn => "inquiry.withdrawn",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_state() {
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
            assert_eq!(state.entry_kind(), format!("inquiry.{}", state.name()));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{}\"", state.name()));
        }
    }

    #[test]
    fn what_was_dispatched_becomes_permitted_only_by_the_one_edge() {
        // Only a provably unsent dispatch may be repeated; the service is the
        // only user of this edge, and an unknown one never comes back.
        assert!(State::Dispatched.may_become(State::Permitted));
        for lost in [
            State::Unknown,
            State::Answered,
            State::AnsweredUnreadable,
            State::Rejected,
        ] {
            assert!(!lost.may_become(State::Permitted), "{lost:?}");
            assert!(!lost.may_become(State::Dispatched), "{lost:?}");
        }
    }

    #[test]
    fn every_state_is_reachable_and_settled_ones_stay_settled() {
        for state in State::ALL {
            assert!(state == State::Received || EDGES.iter().any(|(_, to)| *to == state));
        }
        for (from, to) in EDGES {
            assert!(!from.is_settled() || to.is_settled(), "{from:?} -> {to:?}");
        }
    }
}
