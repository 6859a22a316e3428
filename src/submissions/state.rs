//! The states of submissions, records and files, and the only ways between them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::fault::{self, Commit};

/// Where a submission stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubmissionState {
    /// Its records are being taken in. One that was cut stays so, and goes on
    /// when the same content is sent again under the same key.
    Receiving,
    /// All its records are durable.
    Taken,
}

/// Where a record stands. The order is that of its life.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordState {
    /// It has findings that stop it, and is kept with them.
    SetAside,
    /// It waits for what its holds name.
    Held,
    /// It may be sent.
    Ready,
    /// It is a line of a file; the file's state says how far that is.
    Filed,
    /// The bureau took it.
    Accepted,
    /// The bureau did not; it waits for its correction.
    Rejected,
    /// A correction took its place.
    Replaced,
    /// A person took it back before it was sent.
    Withdrawn,
}

/// Where a file stands. The order is that of its life.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileState {
    /// Name and serial are its own; records become its lines.
    Reserved,
    /// Its bytes are written and their digest is frozen.
    Written,
    /// The intent to deliver is durable; the bureau may have it.
    Sending,
    /// It lies where the bureau will take it.
    Delivered,
    /// The bureau has it.
    Arrived,
    /// The bureau answered each record.
    Answered,
    /// The bureau refused it whole, with its code.
    Refused,
    /// Something disagrees; a person must look.
    Stopped,
}

/// Every edge of a record. What is not here cannot be written.
pub const RECORD_EDGES: &[(RecordState, RecordState)] = {
    use RecordState::{Accepted, Filed, Held, Ready, Rejected, Replaced, SetAside, Withdrawn};
    &[
        (SetAside, Replaced),
        (Held, Ready),
        (Held, Replaced),
        (Held, SetAside),
        (Held, Withdrawn),
        (Ready, Filed),
        // What let it out holds no more.
        (Ready, Held),
        (Ready, Withdrawn),
        (Filed, Accepted),
        (Filed, Ready),
        (Filed, Rejected),
        (Rejected, Replaced),
        (Rejected, Withdrawn),
    ]
};

/// Every edge of a file. What is not here cannot be written: the store compares
/// and sets.
pub const FILE_EDGES: &[(FileState, FileState)] = {
    use FileState::{Answered, Arrived, Delivered, Refused, Reserved, Sending, Stopped, Written};
    &[
        (Reserved, Written),
        (Written, Sending),
        (Written, Stopped),
        (Sending, Delivered),
        (Sending, Arrived),
        (Sending, Refused),
        (Sending, Stopped),
        (Delivered, Arrived),
        (Delivered, Refused),
        (Delivered, Stopped),
        (Arrived, Answered),
        (Arrived, Refused),
        (Arrived, Stopped),
        // By a person: deliver the same bytes again, wait for the feedback
        // again, or give the name up.
        (Delivered, Sending),
        (Stopped, Sending),
        (Stopped, Arrived),
        (Stopped, Refused),
    ]
};

impl SubmissionState {
    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Taken => "taken",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Receiving, Self::Taken]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

impl RecordState {
    /// All states, in the order of a record's life.
    pub const ALL: [Self; 8] = [
        Self::SetAside,
        Self::Held,
        Self::Ready,
        Self::Filed,
        Self::Accepted,
        Self::Rejected,
        Self::Replaced,
        Self::Withdrawn,
    ];

    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SetAside => "set_aside",
            Self::Held => "held",
            Self::Ready => "ready",
            Self::Filed => "filed",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Replaced => "replaced",
            Self::Withdrawn => "withdrawn",
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
        RECORD_EDGES.contains(&(self, next))
    }
}

impl FileState {
    /// All states, in the order of a file's life.
    pub const ALL: [Self; 8] = [
        Self::Reserved,
        Self::Written,
        Self::Sending,
        Self::Delivered,
        Self::Arrived,
        Self::Answered,
        Self::Refused,
        Self::Stopped,
    ];

    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Written => "written",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Arrived => "arrived",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
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
        FILE_EDGES.contains(&(self, next))
    }

    /// Stands on either side of the commit of a change: a test may stop the
    /// process here.
    pub(super) fn passes(self, next: Self, commit: Commit) {
        fault::edge(self.point(), next.point(), commit);
    }

    /// The name at points, which are those of inquiries, too.
    #[must_use]
    pub fn point(self) -> &'static str {
        match self {
            Self::Reserved => "file.reserved",
            Self::Written => "file.written",
            Self::Sending => "file.sending",
            Self::Delivered => "file.delivered",
            Self::Arrived => "file.arrived",
            Self::Answered => "file.answered",
            Self::Refused => "file.refused",
            Self::Stopped => "file.stopped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_state() {
        for state in RecordState::ALL {
            assert_eq!(RecordState::named(state.name()), Some(state));
        }
        for state in FileState::ALL {
            assert_eq!(FileState::named(state.name()), Some(state));
            assert_eq!(state.point(), format!("file.{}", state.name()));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{}\"", state.name()));
        }
    }

    #[test]
    fn nothing_reaches_the_transport_but_through_the_durable_intent() {
        for state in FileState::ALL {
            for sent in [FileState::Delivered, FileState::Arrived] {
                let by = [FileState::Sending, FileState::Delivered, FileState::Stopped];
                assert!(!state.may_become(sent) || by.contains(&state), "{state:?}");
            }
            assert!(state == FileState::Reserved || FILE_EDGES.iter().any(|(_, to)| *to == state));
        }
    }

    #[test]
    fn what_was_answered_or_refused_stays_so() {
        for end in [FileState::Answered, FileState::Refused] {
            assert!(FileState::ALL.iter().all(|next| !end.may_become(*next)));
        }
        for end in [
            RecordState::Accepted,
            RecordState::Replaced,
            RecordState::Withdrawn,
        ] {
            assert!(RecordState::ALL.iter().all(|next| !end.may_become(*next)));
        }
    }
}
