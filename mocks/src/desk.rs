//! The desk that takes submission files: by two folders, or by the bureau's own
//! TLS door.
//!
//! # Promise
//!
//! A file takes effect once, however often it arrives; its name is remembered.
//! The desk keeps what the bureau's database has of each account, answers every
//! file with a feedback file, and lies as [`Lie`] says.
//!
//! # What is not here
//!
//! Rules between items: the desk knows tags, lengths, lists, and its database.

mod answer;
mod database;
mod line;
mod seal;
mod tables;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use answer::{Answer, judge};
use database::Database;
use sha2::{Digest as _, Sha256};

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
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lie {
    /// It is cut off in its middle.
    Cut,
    /// It is no feedback file at all.
    Garbage,
    /// Its header names another file.
    OtherFile,
    /// It comes with another one of flag 1, that accepts everything.
    Twice,
    /// Its line numbers are one too many.
    WrongLines,
}

/// A file, as often as it arrived.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
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
    database: Database,
    files: BTreeMap<String, ReceivedFile>,
    /// Feedback files, sealed, by name.
    feedback: BTreeMap<String, Vec<u8>>,
    /// Those that are not given out yet.
    withheld: BTreeMap<String, Vec<u8>>,
    withholds: bool,
    loses_acknowledgments: usize,
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
    closed: Arc<AtomicBool>,
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
        let closed = Arc::new(AtomicBool::new(false));
        let desk = Self(Arc::new(Inner {
            config,
            state: Mutex::default(),
            closed: Arc::clone(&closed),
        }));
        if let Some((out, _)) = desk.0.config.folders.clone() {
            let inner = Arc::downgrade(&desk.0);
            thread::spawn(move || {
                while !closed.load(Ordering::Relaxed) {
                    let Some(inner) = inner.upgrade() else { return };
                    // A folder that is not there yet is looked at again.
                    let _ = Desk(inner).look(&out);
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
        desk
    }

    /// What the bureau has of the account, by record family and key.
    #[must_use]
    pub fn account(&self, family: &str, key: &str) -> Option<BureauAccount> {
        let at = (family.to_owned(), key.to_owned());
        self.state().database.accounts.get(&at).cloned()
    }

    /// How many accounts of a family the bureau has.
    #[must_use]
    pub fn accounts(&self, family: &str) -> usize {
        let state = self.state();
        state
            .database
            .accounts
            .keys()
            .filter(|(of, _)| of == family)
            .count()
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

    fn look(&self, out: &Path) -> io::Result<()> {
        if self.state().away {
            return Ok(());
        }
        for entry in fs::read_dir(out)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Some(name) = name
                .strip_suffix(".enc")
                .filter(|name| !name.starts_with('.'))
            else {
                continue;
            };
            let sealed = fs::read(&path)?;
            let said = self.receive(name, &sealed);
            fs::remove_file(&path)?;
            if let Some((_, inside)) = &self.0.config.folders {
                match said {
                    Said::Received(digest) => {
                        put(
                            inside,
                            &format!("{name}.ack"),
                            format!("{digest}\n").as_bytes(),
                        )?;
                    }
                    Said::ReceivedBefore => put(inside, &format!("{name}.nak"), b"ABF009\n")?,
                    Said::Nothing => {}
                }
            }
        }
        Ok(())
    }

    /// Takes a file in.
    pub(crate) fn receive(&self, name: &str, sealed: &[u8]) -> Said {
        let digest: String = Sha256::digest(sealed)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut guard = self.state();
        let state = &mut *guard;
        let file = state.files.entry(name.to_owned()).or_default();
        file.arrivals += 1;
        file.digests.push(digest.clone());
        if file.arrivals > 1 {
            return Said::ReceivedBefore;
        }
        let spite = std::mem::take(&mut state.spite);
        let mut left = spite.clone();
        let key = name.get(..14).and_then(|org| self.0.config.keys.get(org));
        let answer = match key.ok_or("").and_then(|key| seal::open(sealed, key)) {
            // ABN004: nobody of that name is registered.
            Err("") => Answer::Silent,
            Err(code) => Answer::Refused(code),
            Ok(text) => judge(name, &text, &mut state.database, &|record| {
                let keys = [
                    "AcctCode",
                    "ModRecCode",
                    "DelRecCode",
                    "OdBnesCode",
                    "InfSurcCode",
                ];
                let key = keys.iter().find_map(|tag| record.value(tag))?;
                spite.get(key).cloned()
            }),
        };
        if let Answer::Judged { accepted, rejected } = &answer {
            file.effects += 1;
            (file.accepted, file.rejected) = (*accepted, rejected.len());
            left.retain(|key, _| !rejected.iter().any(|it| it.record.contains(key.as_str())));
        }
        state.spite = left;
        if let Some((feedback, text)) = answer.file(name, (self.0.config.clock)()) {
            self.answer(state, feedback, text);
        }
        if state.loses_acknowledgments > 0 {
            state.loses_acknowledgments -= 1;
            return Said::Nothing;
        }
        Said::Received(digest)
    }

    fn answer(&self, state: &mut State, name: String, text: String) {
        let Some(key) = self.0.config.keys.get(&name[..14]) else {
            return;
        };
        let lie = (!state.lies.is_empty()).then(|| state.lies.remove(0));
        let mut sealed = seal::close(text.as_bytes(), key);
        match lie {
            Some(Lie::Cut) => sealed.truncate(sealed.len() / 2),
            Some(Lie::Garbage) => sealed = b"not a feedback file".to_vec(),
            Some(Lie::OtherFile) => {
                let other = text.replacen(&name[..29], &format!("{}9", &name[..28]), 1);
                sealed = seal::close(other.as_bytes(), key);
            }
            Some(Lie::Twice) => {
                let all = format!("{}1", &name[..29]);
                let header = format!("A0722.0.0{all}{}{:07}{:07}\r\n", &text[39..58], 1, 0);
                let second = seal::close(header.as_bytes(), key);
                self.hand_out(state, all, second);
            }
            Some(Lie::WrongLines) => {
                sealed = seal::close(moved(&text).as_bytes(), key);
            }
            None => {}
        }
        self.hand_out(state, name, sealed);
    }

    fn hand_out(&self, state: &mut State, name: String, sealed: Vec<u8>) {
        if state.withholds {
            state.withheld.insert(name, sealed);
        } else {
            self.give(state, name, sealed);
        }
    }

    fn give(&self, state: &mut State, name: String, sealed: Vec<u8>) {
        if let Some((_, inside)) = &self.0.config.folders {
            // A folder that went away is the test's own doing.
            let _ = put(inside, &format!("{name}.enc"), &sealed);
        }
        state.feedback.insert(name, sealed);
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

impl Drop for Inner {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

/// Every line number one too many.
fn moved(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive("</ErrRecId>") {
        match part.split_once("<ErrRecId>") {
            Some((before, number)) => {
                let number = number.trim_end_matches("</ErrRecId>");
                let number = number.parse::<usize>().unwrap_or_default() + 1;
                out.push_str(&format!("{before}<ErrRecId>{number}</ErrRecId>"));
            }
            None => out.push_str(part),
        }
    }
    out
}

/// Puts a file where the other side finds it whole or not at all.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!(".{name}.part"));
    fs::write(&part, bytes)?;
    fs::rename(part, folder.join(name))
}
