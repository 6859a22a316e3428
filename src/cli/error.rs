//! Why a command did not do it.

use std::{error::Error, io, path::PathBuf};

use super::{Exit, out};
use crate::platform::certs::CertError;

/// Why a command did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// A certificate or key could not be made or written.
    #[error(transparent)]
    Cert(#[from] CertError),
    /// The result could not be printed.
    #[error("cannot print the result")]
    Output(#[source] io::Error),
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The arguments do not make sense together.
    #[error("{0}")]
    Usage(&'static str),
}

impl CliError {
    /// How the command ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Cert(_) | Self::Output(_) | Self::Read { .. } => Exit::Failed,
        }
    }

    /// Says it on standard error.
    pub(super) fn print(&self) {
        out::note(&format!("creditgate: {}", sentence(self)));
    }
}

/// An error and its causes as one sentence. A cause whose text its effect
/// repeats is not said twice.
pub(super) fn sentence(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !sentence.contains(&text) {
            sentence.push_str(": ");
            sentence.push_str(&text);
        }
        cause = error.source();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_sentence_with_its_causes() {
        let path = PathBuf::from("a.pem");
        let error = CliError::Read {
            path,
            source: io::Error::other("disk gone"),
        };
        assert_eq!(sentence(&error), "cannot read a.pem: disk gone");
    }
}
