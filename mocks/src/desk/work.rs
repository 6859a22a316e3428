//! What the desk does with a file: takes it, acknowledges it, looks at it in its
//! turn, and gives the feedback out.

use std::{
    fs, io,
    path::Path,
    sync::{
        Weak,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use super::{
    Desk, Inner, Lie, Said, State,
    answer::{self, Answer},
    line::Record,
    seal,
    text::{self, Parcel, Refusal},
};

/// A file that waits for its turn.
pub(super) struct Job {
    name: String,
    parcel: Parcel,
    done: Sender<()>,
}

/// Judges files one after the other, until the desk is gone.
pub(super) fn judge(jobs: &Receiver<Job>, desk: &Weak<Inner>) {
    for Job { name, parcel, done } in jobs {
        let Some(inner) = desk.upgrade() else { return };
        let desk = Desk(inner);
        // Reading what was just written fails only if somebody took it away: it
        // is then as if it had never been readable.
        let _ = desk.process(&name, &parcel);
        if let Parcel::Disk(path) = &parcel {
            let _ = fs::remove_file(path);
        }
        // Whoever handed it in may have stopped waiting.
        let _ = done.send(());
    }
}

/// Looks into the folder, again and again, until the desk is gone.
pub(super) fn watch(out: &Path, desk: &Weak<Inner>) {
    while let Some(inner) = desk.upgrade() {
        // A folder that is not there yet is looked at again.
        let _ = Desk(inner).look(out);
        thread::sleep(EACH_LOOK);
    }
}

impl Desk {
    fn look(&self, out: &Path) -> io::Result<()> {
        if self.state().away {
            return Ok(());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(out)? {
            let file = entry?.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".enc"));
            names.extend(
                name.filter(|name| !name.starts_with('.'))
                    .map(str::to_owned),
            );
        }
        names.sort();
        for name in names {
            let taken = out.join(format!(".{name}.enc.taken"));
            fs::rename(out.join(format!("{name}.enc")), &taken)?;
            let said = self.receive(&name, Parcel::Disk(taken))?;
            let Some((_, inside)) = &self.0.config.folders else {
                continue;
            };
            match said {
                Said::Received(digest) => {
                    let digest = format!("{digest}\n");
                    put(inside, &format!("{name}.ack"), digest.as_bytes())?;
                }
                Said::ReceivedBefore => put(inside, &format!("{name}.nak"), b"ABF009\n")?,
                Said::Nothing => {}
            }
        }
        Ok(())
    }

    /// Takes a file in. It is looked at before this returns, if that is soon.
    pub(crate) fn receive(&self, name: &str, parcel: Parcel) -> io::Result<Said> {
        let digest: String = parcel
            .digest()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let lost = {
            let mut state = self.state();
            let file = state.files.entry(name.to_owned()).or_default();
            file.arrivals += 1;
            file.digests.push(digest.clone());
            if file.arrivals > 1 {
                if let Parcel::Disk(path) = &parcel {
                    fs::remove_file(path)?;
                }
                return Ok(Said::ReceivedBefore);
            }
            let lost = state.loses_acknowledgments > 0;
            state.loses_acknowledgments -= usize::from(lost);
            lost
        };
        let (done, wait) = channel();
        let job = Job {
            name: name.to_owned(),
            parcel,
            done,
        };
        self.0
            .jobs
            .send(job)
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        // A large file is acknowledged before all its records were looked at.
        let _ = wait.recv_timeout(SOON);
        Ok(if lost {
            Said::Nothing
        } else {
            Said::Received(digest)
        })
    }

    /// Looks at a file, takes its records in, and answers.
    fn process(&self, name: &str, parcel: &Parcel) -> io::Result<()> {
        let key = name.get(..14).and_then(|org| self.0.config.keys.get(org));
        // ABN004: nobody of that name is registered.
        let Some(key) = key else { return Ok(()) };
        let (mut spite, lie, refuses) = {
            let mut state = self.state();
            let refuses = state.refuses_whole > 0;
            state.refuses_whole -= usize::from(refuses);
            (state.spite.clone(), state.lies.first().copied(), refuses)
        };
        let judged = text::form(name, parcel, key).and_then(|form| {
            if refuses {
                return Err(Refusal::Told("ABF007"));
            }
            let mut struck = Vec::new();
            let mut strike = |record: &Record| {
                let (key, code) = spite.remove_entry(key_of(record)?)?;
                struck.push(key);
                Some(code)
            };
            let answer = answer::judge(&form, parcel, key, &mut self.database(), &mut strike, lie)?;
            let mut state = self.state();
            for key in struck {
                state.spite.remove(&key);
            }
            let file = state.files.entry(name.to_owned()).or_default();
            file.effects += 1;
            (file.accepted, file.rejected) = (answer.accepted, answer.rejected);
            Ok(answer)
        });
        let answer = match judged {
            Ok(answer) => answer,
            Err(Refusal::Silent) => return Ok(()),
            Err(Refusal::Told(code)) => Answer::refused(code)?,
        };
        self.answer(&name[..29], answer, key)
    }

    /// Seals the feedback file, tells a lie if it is time for one, and gives out.
    fn answer(&self, first: &str, mut answer: Answer, key: &seal::Key) -> io::Result<()> {
        let lie = {
            let mut state = self.state();
            (!state.lies.is_empty()).then(|| state.lies.remove(0))
        };
        let at = (self.0.config.clock)();
        let total = answer.accepted + answer.rejected;
        answer.accepted += usize::from(lie == Some(Lie::WrongCounts));
        let other = format!("{}9", &first[..28]);
        let says = match lie {
            Some(Lie::OtherFile) => &other,
            _ => first,
        };
        let (name, mut sealed) = answer.sealed(first, says, at, key)?;
        let mut state = self.state();
        if matches!(lie, Some(Lie::Cut | Lie::Garbage)) {
            state.unbroken.insert(name.clone(), sealed.clone());
        }
        match lie {
            Some(Lie::Cut) => sealed.truncate(sealed.len() / 2),
            Some(Lie::Garbage) => sealed = b"not a feedback file".to_vec(),
            _ => {}
        }
        if lie == Some(Lie::Twice) {
            let header = answer::header(first, 1, at, total, 0);
            let second = seal::close(key, |to| to.write_all(header.as_bytes()))?;
            self.hand_out(&mut state, format!("{first}1"), second);
        }
        self.hand_out(&mut state, name, sealed);
        Ok(())
    }

    pub(super) fn hand_out(&self, state: &mut State, name: String, sealed: Vec<u8>) {
        if state.withholds {
            state.withheld.insert(name, sealed);
        } else {
            self.give(state, name, sealed);
        }
    }

    pub(super) fn give(&self, state: &mut State, name: String, sealed: Vec<u8>) {
        if let Some((_, inside)) = &self.0.config.folders {
            // A folder that went away is the test's own doing.
            let _ = put(inside, &format!("{name}.enc"), &sealed);
        }
        state.feedback.insert(name, sealed);
    }
}

/// The key of the account that a record is about, as [`Desk::spite`] takes it.
fn key_of(record: &Record) -> Option<&str> {
    let tags = [
        "AcctCode",
        "ModRecCode",
        "DelRecCode",
        "OdBnesCode",
        "ContractCode",
        "InfSurcCode",
    ];
    tags.into_iter().find_map(|tag| record.value(tag))
}

/// Puts a file where the other side finds it whole or not at all.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!(".{name}.part"));
    fs::write(&part, bytes)?;
    fs::rename(part, folder.join(name))
}

const EACH_LOOK: Duration = Duration::from_millis(20);
const SOON: Duration = Duration::from_secs(2);
