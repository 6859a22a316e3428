//! What the exit code says.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How a command ended. `docs/COMMANDS.md` has the same table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Exit {
    /// It was done.
    Done,
    /// It could not be done.
    Failed,
    /// It was not understood, or the configuration is wrong.
    Usage,
    /// It may not be done.
    Refused,
    /// It may have been done, or is not settled.
    Unknown,
    /// What was to be proven is not so.
    Unproven,
}

impl Exit {
    /// All of them, by code.
    pub const ALL: [Self; 6] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::Unknown,
        Self::Unproven,
    ];

    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unknown => 4,
            Self::Unproven => 5,
        }
    }

    /// What it means, for help and manual.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed; nothing that matters happened",
            Self::Usage => "wrong usage or configuration",
            Self::Refused => "refused, by a rule, a role, a limit or the bureau",
            Self::Unknown => {
                "outcome unknown or not settled; the same call with the same key is safe"
            }
            Self::Unproven => "verification failed",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table at the end of `--help`.
pub(super) fn table() -> String {
    let mut table = "Exit codes:".to_owned();
    for exit in Exit::ALL {
        // Writing to a String does not fail.
        let _ = write!(table, "\n  {}  {}", exit.code(), exit.meaning());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_the_same_table() {
        let manual = include_str!("../../docs/COMMANDS.md");
        for exit in Exit::ALL {
            let row = format!("| {} | {} |", exit.code(), exit.meaning());
            assert!(manual.contains(&row), "{row}");
        }
    }
}
