//! An operator's desk: a folder with a configuration, a token, and files; and
//! the program, run there.

use std::{fs, path::Path, process::Output};

use creditgate::platform::certs::{Existing, write_secret};
use serde_json::Value;
use tempfile::TempDir;

use super::site::Site;
use crate::cli::{configure, creditgate};

pub(super) struct Operator(TempDir);

/// What a command said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Site {
    /// The desk of the submitter.
    pub(super) fn operator(&self) -> Operator {
        self.operator_with(self.token())
    }

    pub(super) fn operator_with(&self, token: &str) -> Operator {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let ca = self.test.house.authority.certificate_pem();
        fs::write(root.join("ca.pem"), ca).unwrap();
        configure(root, &self.test.addresses.people.to_string());
        write_secret(&root.join("token"), token.as_bytes(), Existing::Keep).unwrap();
        Operator(folder)
    }
}

impl Operator {
    /// A desk without a gateway.
    pub(super) fn alone() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).unwrap();
    }

    /// Runs a command with the token.
    pub(super) fn run(&self, line: &str) -> Said {
        self.say(&format!("{line} --token-file token"))
    }

    /// Runs a command as it is.
    pub(super) fn say(&self, line: &str) -> Said {
        let words: Vec<&str> = line.split_whitespace().collect();
        // The gateway of the test goes on in the meantime.
        let Output {
            status,
            stdout,
            stderr,
        } = tokio::task::block_in_place(|| creditgate(self.folder(), &words));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said {
            code: status.code().unwrap(),
            out: text(stdout),
            err: text(stderr),
        }
    }
}

impl Said {
    /// Expects an exit code.
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Expects nothing of these anywhere.
    #[track_caller]
    pub(super) fn without(self, secrets: &[&str]) -> Self {
        for secret in secrets {
            let found = self.out.contains(secret) || self.err.contains(secret);
            assert!(!found, "{secret}: {self:?}");
        }
        self
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The key that was said before anything left.
    pub(super) fn key(&self) -> &str {
        let line = self.err.lines().next().unwrap_or_default();
        line.strip_prefix("idempotency key: ").unwrap()
    }
}
