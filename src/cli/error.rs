//! Why a command did not do it.

use std::{error::Error, io, path::PathBuf};

use workbook::BookError;

use super::{Exit, out, problem::Problem};
use crate::{
    audit::AuditError,
    bureaus::SealError,
    demo::PlayError,
    gateway::{GatewayError, ServeError},
    operators::OperatorError,
    platform::{
        certs::CertError,
        config::{ConfigFinding, client::NoClientConfig},
        db::OpenError,
        secret::SecretError,
        telemetry::TelemetryError,
        vault::{MasterError, VaultError},
    },
    retention::EraseError,
    submissions::SubmitError,
};

/// Why a command did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The gateway answered what this command does not understand.
    #[error("the gateway's answer is not understood: {0}")]
    Answer(&'static str),
    /// The audit log could not be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A workbook could not be read or written.
    #[error("{}", path.display())]
    Book {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: BookError,
    },
    /// A certificate or key could not be made or written.
    #[error(transparent)]
    Cert(#[from] CertError),
    /// The configuration is wrong.
    #[error("{} is not a good configuration{}", .0.display(), listed(.1))]
    Config(PathBuf, Vec<ConfigFinding>),
    /// A subject could not be erased.
    #[error(transparent)]
    Erase(#[from] EraseError),
    /// The gateway does not open.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// A master key could not be read.
    #[error(transparent)]
    Master(#[from] MasterError),
    /// Whether the gateway did it cannot be told.
    #[error("the gateway at {address} was asked and gave no whole answer")]
    NoAnswer {
        /// `host:port`.
        address: String,
        /// The client's own words.
        #[source]
        source: reqwest::Error,
    },
    /// The configuration does not tell where the gateway is.
    #[error(transparent)]
    NoClient(#[from] NoClientConfig),
    /// The gateway was not asked.
    #[error("cannot reach the gateway at {address}")]
    NotSent {
        /// `host:port`.
        address: String,
        /// The client's own words.
        #[source]
        source: reqwest::Error,
    },
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The demo stopped.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// An account could not be made.
    #[error(transparent)]
    Operators(#[from] OperatorError),
    /// The result could not be printed.
    #[error("cannot print the result")]
    Output(#[source] io::Error),
    /// The gateway said why not.
    #[error(transparent)]
    Problem(#[from] Box<Problem>),
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A secret could not be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The gateway does not listen.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The system gave no threads.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// Logs or metrics cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// What seals and opens the files of an institution cannot be had.
    #[error("the key of the submission files")]
    Seal(#[from] SealError),
    /// Something was not submitted or taken over.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The arguments or the configuration do not make sense.
    #[error("{0}")]
    Usage(&'static str),
    /// The vault did not do it.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl CliError {
    /// How the command ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            // It was asked, and what it did is not known.
            Self::Answer(_) | Self::NoAnswer { .. } => Exit::Unknown,
            Self::Problem(problem) => problem.exit(),
            Self::Config(..)
            | Self::Master(_)
            | Self::NoClient(_)
            | Self::Secret(_)
            | Self::Usage(_) => Exit::Usage,
            Self::Audit(_)
            | Self::Book { .. }
            | Self::Cert(_)
            | Self::Erase(_)
            | Self::Gateway(_)
            | Self::Play(_)
            | Self::Seal(_)
            | Self::Serve(_)
            | Self::Submit(_)
            | Self::Telemetry(_)
            | Self::NotSent { .. }
            | Self::Open(_)
            | Self::Operators(_)
            | Self::Output(_)
            | Self::Read { .. }
            | Self::Start(_)
            | Self::Vault(_)
            | Self::Write { .. } => Exit::Failed,
        }
    }

    /// Says it on standard error; with `json` the gateway's own problem goes to
    /// standard output as well.
    pub(super) fn print(&self, json: bool) {
        if json && let Self::Problem(problem) = self {
            // What cannot be printed is still said below.
            let _ = out::line(&problem.document);
        }
        out::note(&format!("creditgate: {}", sentence(self)));
    }
}

/// Findings, a line each.
fn listed(findings: &[ConfigFinding]) -> String {
    findings.iter().map(|it| format!("\n  {it}")).collect()
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
