//! How submission files reach a bureau and its feedback comes back.

use std::{collections::HashSet, path::PathBuf};

use schemas::profile::Profile;
use serde::Deserialize;

use super::{Transport, authority};

/// Submission of files to a bureau.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmissionConfig {
    /// The way of the files.
    pub transport: FileTransport,
    /// How long one file may take by HTTPS, in seconds.
    #[serde(default = "ten_minutes")]
    pub transfer_seconds: u64,
    /// The institutions that report, each with its code and its key.
    #[serde(default)]
    pub members: Vec<ReporterConfig>,
}

/// The way of the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FileTransport {
    /// Two folders that the bureau's front machine sees too.
    Exchange {
        /// Where we put files for the bureau. Files move inside it, so it must
        /// be one file system.
        out: PathBuf,
        /// Where the bureau puts acknowledgments and feedback files for us.
        r#in: PathBuf,
    },
    /// HTTPS. What is not written is that of the bureau's line.
    Https {
        /// Where to connect: `host:port`.
        #[serde(default)]
        address: Option<String>,
        /// Path before every path of the dialect; empty or `/…` without a last `/`.
        #[serde(default)]
        base_path: String,
        /// How the way is protected.
        #[serde(default)]
        protection: Option<Transport>,
    },
}

/// An institution that reports.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReporterConfig {
    /// The institution, by our identifier.
    pub institution: String,
    /// Its code as a data provider (数据提供机构区段码): 14 characters at the PBOC.
    pub organization_code: String,
    /// What it may report, by the kind of institution it is; without one, all.
    #[serde(default)]
    pub profile: Option<Profile>,
    /// What seals its files.
    pub seal: SealConfig,
}

/// What seals an institution's files and opens its feedback.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SealConfig {
    /// We do, with a key that a program prints.
    Command {
        /// Program and arguments.
        command: Vec<String>,
    },
    /// The bureau's own component does, as two programs: the clear file on the
    /// standard input and the sealed one on the output, and the other way about.
    Component {
        /// Program and arguments that compress and seal.
        seal: Vec<String>,
        /// Program and arguments that open and unpack.
        open: Vec<String>,
        /// How long either may take for one file, in seconds.
        #[serde(default = "ten_minutes")]
        timeout_seconds: u64,
    },
    /// We do, with a key in a file, mode 0600: 16 characters at the PBOC.
    File {
        /// The file.
        file: PathBuf,
    },
}

impl SealConfig {
    /// Every program it names, by the name of its setting.
    #[must_use]
    pub fn commands(&self) -> Vec<(&'static str, &[String])> {
        match self {
            Self::Command { command } => vec![("command", command)],
            Self::Component { seal, open, .. } => vec![("seal", seal), ("open", open)],
            Self::File { .. } => Vec::new(),
        }
    }
}

impl SubmissionConfig {
    /// Every defect, as place below `submission` and sentence; empty is good.
    pub(super) fn check(&self, find: &mut impl FnMut(&str, &str)) {
        match &self.transport {
            FileTransport::Exchange { out, r#in } => {
                if out == r#in {
                    find("transport.in", "the two folders must be two");
                }
            }
            FileTransport::Https {
                address, base_path, ..
            } => {
                if address.as_ref().is_some_and(|at| authority(at).is_none()) {
                    find("transport.address", "write it as host:port");
                }
                if !base_path.is_empty()
                    && (!base_path.starts_with('/') || base_path.ends_with('/'))
                {
                    find("transport.base_path", "begin it with / and end it without");
                }
            }
        }
        if self.transfer_seconds == 0 {
            find("transfer_seconds", "at least 1");
        }
        let mut institutions = HashSet::new();
        let mut codes = HashSet::new();
        for (n, member) in self.members.iter().enumerate() {
            let at = |name: &str| format!("members[{n}].{name}");
            if !institutions.insert(&member.institution) {
                find(&at("institution"), "it is a member already");
            }
            let code = &member.organization_code;
            let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
            if code.len() != 14 || !code.bytes().all(plain) {
                find(
                    &at("organization_code"),
                    "write it in 14 capital letters and digits",
                );
            } else if !codes.insert(code) {
                find(
                    &at("organization_code"),
                    "two institutions cannot report under one code",
                );
            }
            for (name, command) in member.seal.commands() {
                if command.is_empty() {
                    find(
                        &at(&format!("seal.{name}")),
                        "write the program, then its arguments",
                    );
                }
            }
            if let SealConfig::Component {
                timeout_seconds: 0, ..
            } = member.seal
            {
                find(&at("seal.timeout_seconds"), "at least 1");
            }
        }
    }
}

fn ten_minutes() -> u64 {
    600
}
