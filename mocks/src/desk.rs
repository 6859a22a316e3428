//! The desk that takes submission files: by two folders, or by the bureau's own
//! TLS door.
//!
//! # Promise
//!
//! A file takes effect once, however often it arrives; its name is remembered.
//! Files are judged one after the other, as they came. The desk keeps what the
//! bureau's database has of each account, answers every file with a feedback
//! file, and lies as [`Lie`] says. A file of a million records is read as a
//! stream.
//!
//! # What is not here
//!
//! A database of statements and of collateral: their records are judged by the
//! tables alone.

#[cfg(test)]
mod agreement;
mod answer;
mod ask;
mod condition;
mod database;
mod family;
mod identify;
mod judge;
mod line;
mod seal;
mod tables;
mod text;
mod work;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Sender, channel},
    },
    thread,
};

use database::Database;
use serde::{Deserialize, Serialize};

pub(crate) use self::text::Parcel;
pub use database::BureauAccount;

use crate::config::Clock;

/// What a desk is opened with.
#[derive(Clone)]
pub struct DeskConfig {
    /// The reporting organizations, each with the 16 characters that its files
    /// are sealed under.
    pub keys: BTreeMap<String, [u8; 16]>,
    /// What the institution puts out, and what it takes in; none where files
    /// come by HTTPS only.
    pub folders: Option<(PathBuf, PathBuf)>,
    /// The time.
    pub clock: Clock,
}

/// In what way the desk lies about the next feedback file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lie {
    /// It is cut off in its middle.
    Cut,
    /// It is no feedback file at all.
    Garbage,
    /// Its header names another file.
    OtherFile,
    /// It comes with another one of flag 1, that accepts everything.
    Twice,
    /// Its codes stand in no table.
    UnknownCodes,
    /// Its header counts one accepted record too many.
    WrongCounts,
    /// Its line numbers are one too many.
    WrongLines,
    /// The records in it are none of the file's.
    WrongRecords,
}

/// A file, as often as it arrived.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ReceivedFile {
    /// How often it arrived.
    pub arrivals: usize,
    /// SHA-256 of the bytes that arrived, each time, in hexadecimal.
    pub digests: Vec<String>,
    /// How often its records were taken in: never more than once.
    pub effects: usize,
    /// How many of its records were accepted.
    pub accepted: usize,
    /// How many were rejected.
    pub rejected: usize,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, ReceivedFile>,
    /// Feedback files, sealed, by name.
    feedback: BTreeMap<String, Vec<u8>>,
    /// Those that are not given out yet.
    withheld: BTreeMap<String, Vec<u8>>,
    withholds: bool,
    /// Feedback files as they were before a lie broke their bytes.
    unbroken: BTreeMap<String, Vec<u8>>,
    loses_acknowledgments: usize,
    refuses_whole: usize,
    away: bool,
    lies: Vec<Lie>,
    spite: BTreeMap<String, String>,
}

/// A hand on a desk; clones share it. Its folders are watched until the last
/// hand is dropped.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    config: DeskConfig,
    state: Mutex<State>,
    database: Mutex<Database>,
    jobs: Sender<work::Job>,
}

/// What the desk says when a file is handed in at the door.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Said {
    /// Taken; the digest of what arrived.
    Received(String),
    /// A file of that name came before.
    ReceivedBefore,
    /// Taken, and the acknowledgment is lost.
    Nothing,
}

impl Desk {
    /// Opens it, and watches its folders.
    #[must_use]
    pub fn open(config: DeskConfig) -> Self {
        let (jobs, waiting) = channel();
        let desk = Self(Arc::new(Inner {
            config,
            state: Mutex::default(),
            database: Mutex::default(),
            jobs,
        }));
        let weak = Arc::downgrade(&desk.0);
        thread::spawn(move || work::judge(&waiting, &weak));
        if let Some((out, _)) = desk.0.config.folders.clone() {
            let weak = Arc::downgrade(&desk.0);
            thread::spawn(move || work::watch(&out, &weak));
        }
        desk
    }

    /// What the bureau has of the account, by record family and key.
    #[must_use]
    pub fn account(&self, family: &str, key: &str) -> Option<BureauAccount> {
        self.database().account(family, key)
    }

    /// How many accounts of a family the bureau has.
    #[must_use]
    pub fn accounts(&self, family: &str) -> usize {
        self.database().count(family)
    }

    /// All files, by name.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, ReceivedFile> {
        self.state().files.clone()
    }

    /// Takes nothing out of its folders until told otherwise.
    pub fn go_away(&self, away: bool) {
        self.state().away = away;
    }

    /// Loses the acknowledgments of the next files.
    pub fn lose_acknowledgments(&self, count: usize) {
        self.state().loses_acknowledgments = count;
    }

    /// Refuses the next files whole, for no reason.
    pub fn refuse_whole(&self, count: usize) {
        self.state().refuses_whole = count;
    }

    /// Puts the feedback files that were cut or garbage right, in their places.
    pub fn mend_feedback(&self) {
        let mut state = self.state();
        for (name, sealed) in std::mem::take(&mut state.unbroken) {
            self.hand_out(&mut state, name, sealed);
        }
    }

    /// Keeps feedback files back; what was kept goes out when that ends.
    pub fn withhold_feedback(&self, withholds: bool) {
        let mut state = self.state();
        state.withholds = withholds;
        if !withholds {
            for (name, sealed) in std::mem::take(&mut state.withheld) {
                self.give(&mut state, name, sealed);
            }
        }
    }

    /// Puts all feedback files into the folder once more.
    pub fn repeat_feedback(&self) {
        let mut state = self.state();
        for (name, sealed) in std::mem::take(&mut state.feedback) {
            self.give(&mut state, name, sealed);
        }
    }

    /// Lies about the next feedback file.
    pub fn lie(&self, lie: Lie) {
        self.state().lies.push(lie);
    }

    /// Rejects the next record of the account for no reason, with this code.
    pub fn spite(&self, key: &str, code: &str) {
        self.state().spite.insert(key.to_owned(), code.to_owned());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn database(&self) -> MutexGuard<'_, Database> {
        let database = self.0.database.lock();
        database.unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of all feedback files.
    pub(crate) fn feedback_names(&self) -> Vec<String> {
        self.state().feedback.keys().cloned().collect()
    }

    /// A feedback file.
    pub(crate) fn feedback(&self, name: &str) -> Option<Vec<u8>> {
        self.state().feedback.get(name).cloned()
    }
}
