//! What is wrong with a configuration, and where.

use std::fmt;

/// One thing to mend. Holds no value of the configuration but names and paths.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Serialize)]
pub struct ConfigFinding {
    /// Line in the file, from 1; 0 where the file itself is the matter.
    pub line: usize,
    /// Where in the configuration: `bureaus[0].transport.ca`.
    pub path: String,
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What helps.
    pub cure: String,
}

impl fmt::Display for ConfigFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            path,
            code,
            message,
            cure,
        } = self;
        write!(f, "line {line}: {path}: {message} ({code}); {cure}")
    }
}
