//! Configuration: one file, one typed struct, a struct for each section.
//!
//! # Promise
//!
//! Unknown keys are refused. [`check`] finds everything at once, each with its
//! line: defects of form, of meaning, and of the files that are named. Relative
//! paths are relative to the file's folder. Nothing comes from the environment
//! but secrets that the file asks for by variable, and the path of the file
//! itself (`CREDITGATE_CONFIG`).
//!
//! # What is not here
//!
//! Nothing is opened, connected or changed; secrets are read where they are used.
//!
//! # Failure
//!
//! [`ConfigFinding`] repeats no value, since any of them may be a secret.

pub mod audit;
pub mod bureau;
pub mod calendar;
pub mod client;
pub mod database;
mod files;
mod finding;
mod form;
pub mod inquiries;
pub mod institution;
pub mod listeners;
pub mod logging;
mod mend;
mod rules;
pub mod signer;
pub mod submissions;
#[cfg(test)]
mod tests;
pub mod vault;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

pub use files::{DEMO_AUTHORITY, DEMO_FILE_KEY, is_demo_key};
pub use finding::ConfigFinding;

use form::Document;

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How strict the house is with itself.
    pub profile: Profile,
    /// Where the database is.
    pub database: database::DatabaseConfig,
    /// The vault.
    pub vault: vault::VaultConfig,
    /// The audit log.
    pub audit: audit::AuditConfig,
    /// Where it listens.
    pub listeners: listeners::ListenersConfig,
    /// Where the commands of people find it.
    #[serde(default)]
    pub client: Option<client::ClientConfig>,
    /// The institutions that it serves.
    pub institutions: Vec<institution::InstitutionConfig>,
    /// The bureaus that it asks.
    #[serde(default)]
    pub bureaus: Vec<bureau::BureauConfig>,
    /// Working days.
    #[serde(default)]
    pub calendar: calendar::CalendarConfig,
    /// How inquiries go.
    #[serde(default)]
    pub inquiries: inquiries::InquiriesConfig,
    /// How submissions go.
    #[serde(default)]
    pub submissions: submissions::SubmissionsConfig,
    /// Logs.
    #[serde(default)]
    pub logging: logging::LoggingConfig,
}

/// How strict the house is with itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Synthetic people, a mock bureau, everything on one machine.
    Demo,
    /// As the demo, for those who build on the gateway.
    Development,
    /// Real people: no mock, no demo key, no default password, no plain transport.
    Production,
}

/// How far to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Also at the files that are named.
    Files,
    /// At the text only.
    Text,
}

/// Words that the configuration uses and others define.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary<'a> {
    /// Names of dialects.
    pub adapters: &'a [&'a str],
    /// Names of purposes.
    pub purposes: &'a [&'a str],
}

/// Reads and checks a configuration.
///
/// # Errors
///
/// Everything that is wrong, in the order of lines.
pub fn check(
    path: &Path,
    depth: Depth,
    words: &Vocabulary<'_>,
    now: Timestamp,
) -> Result<Config, Vec<ConfigFinding>> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        vec![ConfigFinding {
            line: 0,
            path: String::new(),
            code: "unreadable",
            message: format!("cannot read {}: {error}", path.display()),
            cure: "name the file with --config".to_owned(),
        }]
    })?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    check_text(&text, folder, depth, words, now)
}

/// As [`check`], of a text; its relative paths begin at `folder`.
///
/// # Errors
///
/// As [`check`].
pub fn check_text(
    text: &str,
    folder: &Path,
    depth: Depth,
    words: &Vocabulary<'_>,
    now: Timestamp,
) -> Result<Config, Vec<ConfigFinding>> {
    let document = Document::parse(text)?;
    let form = document.read::<Config>();
    let mut findings = form.findings;
    if let Some(mut config) = form.value {
        config.resolve(folder);
        let mut judge = rules::Judge::new(&document, &form.mended);
        rules::check(&config, words, now, &mut judge);
        if depth == Depth::Files {
            files::check(&mut config, now, &mut judge);
        }
        findings.extend(judge.into_findings());
        if findings.is_empty() {
            return Ok(config);
        }
    }
    findings.sort();
    Err(findings)
}

impl Config {
    /// Makes relative paths begin at `folder`.
    fn resolve(&mut self, folder: &Path) {
        if let Some(path) = self.database.sqlite_path() {
            self.database.address = format!("sqlite:{}", folder.join(path).display());
        }
        let data = self.data_folder();
        let files = self.submissions.folder.take();
        self.submissions.folder = Some(match (files, data) {
            (Some(files), _) => folder.join(files),
            (None, Some(data)) => data,
            (None, None) => folder.join("submissions"),
        });
        for named in files::named(self) {
            let path = folder.join(&*named.file);
            *named.file = path;
        }
    }

    /// The folder of a SQLite database: what is backed up and copied with it.
    #[must_use]
    pub fn data_folder(&self) -> Option<PathBuf> {
        let path = Path::new(self.database.sqlite_path()?);
        Some(path.parent()?.to_owned())
    }
}
