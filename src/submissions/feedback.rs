//! Feedback (反馈): what the bureau says became of each record.
//!
//! A feedback file is read twice: first everything in it must agree with what
//! was sent, line number and bytes, then it is applied, chunk by chunk. What
//! disagrees stops the file for a person, and nothing of it is applied.

use std::{
    collections::HashMap,
    io::{BufReader, Read as _},
    path::PathBuf,
};

use schemas::{
    file::{
        FeedbackHeader, FeedbackLine, FeedbackName, FeedbackReader, FileError, Flag,
        RECEIVED_BEFORE,
    },
    role::Does,
};
use tokio::sync::mpsc;

use super::{
    FileState, Submissions, SubmitError, entries, lines,
    service::Inner,
    store::{
        files::{self, FileRow},
        names,
        records::{self, Kept},
    },
    view::Answer,
    write::blocking,
};
use crate::{
    bureaus::Seal,
    ledger::RecordRef,
    platform::{clock::micros, db::Urgency, fault},
};

/// Lines of a feedback file that are looked at together.
const STEP: usize = 250;

/// The largest text of a feedback file; deflate grows a thousand times at most.
const LARGEST: u64 = 64 << 30;

/// What a feedback file was found to be.
pub(super) enum Checked {
    /// All of it agrees with what was sent.
    Agrees(FeedbackHeader),
    /// It does not: the check that it breaks, or our word for it.
    Disagrees(String),
    /// The bureau loaded nothing of the file; its first code.
    RefusesAll(String),
}

impl Submissions {
    /// Fetches the feedback files of all lines that were not looked at yet.
    pub(super) async fn collect_feedback(&self) -> Result<(), SubmitError> {
        let lines: Vec<_> = self.0.parts.lines.iter().cloned().collect();
        let mut failed = Ok(());
        for line in lines {
            let Some(way) = line.files() else { continue };
            let mut names = match way.feedback().await {
                Ok(names) => names,
                Err(failure) => {
                    tracing::warn!(bureau = %line.id(), cause = ?failure, "no list of feedback");
                    continue;
                }
            };
            names.sort();
            // Nothing goes from a folder that is the bureau's.
            let settled = files::settled_feedback(self.db(), [TAKING, AGAIN, RESENT]).await?;
            names.retain(|name| !settled.contains(name));
            for name in names {
                if self.0.is_closing() {
                    return failed;
                }
                // It waits for a person; what comes meanwhile is fetched then.
                if self.is_stopped(&name).await? {
                    continue;
                }
                let path = self.0.inbox().join(format!("{name}.enc"));
                let folder = self.0.inbox();
                blocking(move || std::fs::create_dir_all(folder).map_err(SubmitError::Io)).await?;
                match way.fetch(&name, &path).await {
                    Ok(Some(facts)) => {
                        // One that cannot be taken must not keep the others waiting.
                        let taken = self.take_feedback(line.id(), &name, facts.sha256, path);
                        failed = failed.and(taken.await.map(drop));
                    }
                    Ok(None) => {}
                    Err(failure) => {
                        tracing::warn!(cause = ?failure, "a feedback file cannot be had");
                    }
                }
            }
        }
        failed
    }

    /// Whether the file stopped that a feedback file of this name answers.
    async fn is_stopped(&self, feedback: &str) -> Result<bool, SubmitError> {
        let Ok(parsed) = FeedbackName::parse(feedback) else {
            return Ok(false);
        };
        let file = files::by_name(self.db(), &format!("{}0", parsed.stem())).await?;
        Ok(file.is_some_and(|file| file.state() == FileState::Stopped))
    }

    /// Takes a fetched feedback file as far as it goes; tells what became of it.
    pub(super) async fn take_feedback(
        &self,
        bureau: &crate::platform::ids::BureauId,
        name: &str,
        sha256: [u8; 32],
        path: PathBuf,
    ) -> Result<&'static str, SubmitError> {
        let parsed = FeedbackName::parse(name).ok();
        let file = match &parsed {
            Some(parsed) => files::by_name(self.db(), &format!("{}0", parsed.stem())).await?,
            None => None,
        };
        let file = file.filter(|file| file.bureau == *bureau);
        let (Some(parsed), Some(file)) = (parsed, file) else {
            tracing::error!("a feedback file answers no file of ours");
            self.note(name, sha256, None, "unknown_file").await?;
            return Ok("unknown_file");
        };
        if self.was_found(name, &sha256, RESENT).await? {
            return Ok(RESENT);
        }
        let file = match file.state() {
            FileState::Sending | FileState::Delivered => self.has_arrived(file).await?,
            FileState::Arrived => file,
            FileState::Written => {
                let file = self.stop_file(file, "answered_before_sent").await?;
                self.note(name, sha256, Some(&file), "not_sent").await?;
                return Ok("not_sent");
            }
            FileState::Stopped => return Ok(STOPPED),
            _ => {
                let outcome = match self.was_found(name, &sha256, TAKING).await? {
                    true => TAKEN,
                    false => LATE,
                };
                self.note(name, sha256, Some(&file), outcome).await?;
                return Ok(outcome);
            }
        };
        self.note(name, sha256, Some(&file), TAKING).await?;
        fault::submission_point("submission.feedback_kept");
        let outcome = match self.check(&file, &parsed, path.clone()).await? {
            Checked::Agrees(header) => {
                self.apply(&file, &parsed, path).await?;
                self.answered(file.clone(), &header).await?;
                TAKEN
            }
            // A second delivery is refused where the first arrived: the answer to
            // that is still to come.
            Checked::RefusesAll(code) if code == RECEIVED_BEFORE && file.attempts > 1 => {
                self.may_count_again(&file).await?;
                REPEATED
            }
            Checked::RefusesAll(code) if code == RECEIVED_BEFORE => {
                self.stop_file(file.clone(), "name_used").await?;
                DISAGREES
            }
            Checked::RefusesAll(code) => {
                self.refused(file.clone(), code).await?;
                TAKEN
            }
            Checked::Disagrees(cause) => {
                self.stop_file(file.clone(), &cause).await?;
                DISAGREES
            }
        };
        self.note(name, sha256, Some(&file), outcome).await?;
        Ok(outcome)
    }

    /// An answer shows that the file arrived.
    async fn has_arrived(&self, file: FileRow) -> Result<FileRow, SubmitError> {
        let at = self.0.parts.clock.now();
        let mut after = file.clone();
        FileState::Arrived.name().clone_into(&mut after.state);
        after.arrived_at = Some(micros(at));
        let draft = entries::of_file(&after, None, at);
        self.change_file(file, after, draft).await
    }

    /// What a file was answered before it was sent again may be the answer.
    async fn may_count_again(&self, file: &FileRow) -> Result<(), SubmitError> {
        let no = file.no;
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move { files::count_again(tx, no, RESENT, AGAIN).await })
        });
        Ok(write.await?)
    }

    /// Whether that is the last thing that was noted of this feedback. `taking` of
    /// a file that went on: the note of its end was cut off.
    async fn was_found(
        &self,
        name: &str,
        sha256: &[u8; 32],
        outcome: &str,
    ) -> Result<bool, SubmitError> {
        let known = files::feedback_named(self.db(), name).await?;
        Ok((known.iter()).any(|(of, noted)| of == sha256 && noted == outcome))
    }

    async fn note(
        &self,
        name: &str,
        sha256: [u8; 32],
        file: Option<&FileRow>,
        outcome: &'static str,
    ) -> Result<(), SubmitError> {
        let at = self.0.parts.clock.now();
        let entry = match file {
            Some(file) => {
                let draft = entries::about_file(entries::FEEDBACK, file, at)
                    .digest("feedback_sha256", &sha256)
                    .code("outcome", outcome);
                Some(entries::finish(draft)?.0)
            }
            None => None,
        };
        let (name, no) = (name.to_owned(), file.map(|file| file.no));
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                files::note_feedback(tx, &name, &sha256, no, outcome, micros(at)).await?;
                if let Some(entry) = entry {
                    tx.append(entry.into());
                }
                Ok::<_, SubmitError>(())
            })
        });
        write.await
    }

    /// Reads all of a feedback file and holds it against what was sent.
    pub(super) async fn check(
        &self,
        file: &FileRow,
        name: &FeedbackName,
        path: PathBuf,
    ) -> Result<Checked, SubmitError> {
        let mut told = self.read(file, name, path)?;
        let mut header = None;
        let mut refused = None;
        while let Some(part) = told.recv().await {
            match part {
                Part::Header(read) => header = Some(read),
                Part::Broken(cause) => return Ok(Checked::Disagrees(cause)),
                Part::Lines(lines) => {
                    if name.flag() == Flag::Refused {
                        let fault = lines.first().and_then(|line| line.faults.first());
                        refused = fault.map(|fault| fault.code.clone());
                    } else if let Some(cause) = self.differs(file, lines).await? {
                        return Ok(Checked::Disagrees(cause));
                    }
                }
            }
        }
        Ok(match (header, refused) {
            (_, Some(code)) => Checked::RefusesAll(code),
            (Some(header), None) => Checked::Agrees(header),
            (None, None) => Checked::Disagrees("fb-header".to_owned()),
        })
    }

    /// Whether lines name records that are not those that were sent.
    async fn differs(
        &self,
        file: &FileRow,
        lines: Vec<FeedbackLine>,
    ) -> Result<Option<String>, SubmitError> {
        let rows = self.rows_of(file, &lines).await?;
        let vault = &self.0.parts.vault;
        let keys = vault
            .keys_of(rows.values().filter_map(|row| row.subject.as_ref()))
            .await?;
        let house = vault.house_keys();
        blocking(move || {
            for line in &lines {
                let row = line.line.and_then(|number| rows.get(&i64::from(number)));
                let Some(row) = row else {
                    return Ok(Some("fb-line-id".to_owned()));
                };
                let sent = lines::open(row, &house, &keys)?;
                if let Some(finding) = line.check_record(&sent) {
                    return Ok(Some(finding.rule));
                }
            }
            Ok(None)
        })
        .await
    }

    async fn rows_of(
        &self,
        file: &FileRow,
        lines: &[FeedbackLine],
    ) -> Result<HashMap<i64, Kept>, SubmitError> {
        let numbers: Vec<i64> = lines
            .iter()
            .filter_map(|line| line.line.map(i64::from))
            .collect();
        let rows = records::at_lines(self.db(), file.no, &numbers).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.line?, row)))
            .collect())
    }

    /// Applies a feedback file that agrees: first what was rejected, then all
    /// the rest is accepted. Doing it again changes nothing more.
    async fn apply(
        &self,
        file: &FileRow,
        name: &FeedbackName,
        path: PathBuf,
    ) -> Result<(), SubmitError> {
        let mut told = self.read(file, name, path)?;
        while let Some(part) = told.recv().await {
            match part {
                Part::Header(_) => {}
                Part::Lines(lines) => self.reject(file, lines).await?,
                Part::Broken(cause) => {
                    return Err(SubmitError::Damaged {
                        what: "a feedback file",
                        row: file.id.clone(),
                        why: cause,
                    });
                }
            }
        }
        let edition = Inner::edition(self.today())?;
        loop {
            let rows = records::unanswered(self.db(), file.no, STEP as i64).await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.accept(file, rows, edition).await?;
        }
    }

    async fn reject(&self, file: &FileRow, lines: Vec<FeedbackLine>) -> Result<(), SubmitError> {
        let rows = self.rows_of(file, &lines).await?;
        let role = Inner::edition(self.today())?.role(&file.record);
        let renames = role.is_some_and(|role| role.does() == Does::Rename);
        let (mut answers, mut renamed) = (Vec::new(), Vec::new());
        for line in &lines {
            let row = line.line.and_then(|number| rows.get(&i64::from(number)));
            let Some(row) = row.filter(|row| row.state == "filed") else {
                continue;
            };
            let told = |fault: &schemas::file::Fault| Answer {
                code: fault.code.clone(),
                tag: fault.tag_in(&row.record).to_owned(),
                zh: None,
                en: None,
            };
            let answer: Vec<Answer> = line.faults.iter().map(told).collect();
            // Codes and tags only: writing them does not fail.
            let json = serde_json::to_string(&answer).unwrap_or_default();
            let (submission, seq) = (row.submission, row.seq);
            answers.push(((submission, seq), json));
            let account = row.account.filter(|_| renames);
            renamed.extend(account.map(|it| (it, RecordRef { submission, seq })));
        }
        if answers.is_empty() {
            return Ok(());
        }
        let draft = entries::about_file(entries::ANSWERS, file, self.0.parts.clock.now())
            .number("rejected", answers.len() as u64);
        let (entry, _) = entries::finish(draft)?;
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                names::give_up_all(tx, &renamed).await?;
                for (key, answer) in &answers {
                    records::reject(tx, *key, answer).await?;
                }
                tx.append(entry.into());
                fault::submission_point("submission.answers.before");
                Ok::<_, SubmitError>(())
            })
        });
        write.await?;
        fault::submission_point("submission.answers.after");
        Ok(())
    }

    async fn answered(&self, file: FileRow, header: &FeedbackHeader) -> Result<(), SubmitError> {
        let at = self.0.parts.clock.now();
        let mut after = file.clone();
        FileState::Answered.name().clone_into(&mut after.state);
        after.answered_at = Some(micros(at));
        after.accepted = Some(header.accepted.into());
        after.rejected = Some(header.rejected.into());
        let draft = entries::of_file(&after, None, at)
            .number("accepted", header.accepted)
            .number("rejected", header.rejected);
        self.change_file(file, after, draft).await?;
        self.stir();
        Ok(())
    }

    async fn refused(&self, file: FileRow, code: String) -> Result<(), SubmitError> {
        tracing::error!(file.id = %file.id, code = entries::word(&code), "the bureau refused a file");
        let at = self.0.parts.clock.now();
        let mut after = file.clone();
        FileState::Refused.name().clone_into(&mut after.state);
        after.answered_at = Some(micros(at));
        after.cause = Some(code);
        let draft = entries::of_file(&after, None, at);
        self.change_file(file, after, draft).await?;
        Ok(())
    }

    /// Reads a feedback file on a thread of its own.
    fn read(
        &self,
        file: &FileRow,
        name: &FeedbackName,
        path: PathBuf,
    ) -> Result<mpsc::Receiver<Part>, SubmitError> {
        let seal = self.seal(file)?;
        let sent = u32::try_from(file.records).unwrap_or(u32::MAX);
        let (to, from) = mpsc::channel(2);
        let name = name.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(cause) = read_parts(&seal, &name, sent, &path, &to) {
                // Nobody being there any more is an end, too.
                let _ = to.blocking_send(Part::Broken(cause));
            }
        });
        Ok(from)
    }
}

/// Part of a feedback file.
enum Part {
    Broken(String),
    Header(FeedbackHeader),
    Lines(Vec<FeedbackLine>),
}

/// It may be looked at again: a person said so.
pub(super) const AGAIN: &str = "again";
/// Its file was delivered again since: only another answer counts.
pub(super) const RESENT: &str = "resent";
const DISAGREES: &str = "disagrees";
const LATE: &str = "late";
const REPEATED: &str = "repeated";
const STOPPED: &str = "stopped";
pub(super) const TAKEN: &str = "taken";
const TAKING: &str = "taking";

fn read_parts(
    seal: &Seal,
    name: &FeedbackName,
    sent: u32,
    path: &std::path::Path,
    to: &mpsc::Sender<Part>,
) -> Result<(), String> {
    let broken = |error: FileError| match error {
        FileError::Findings(findings) => findings
            .into_iter()
            .next()
            .map_or_else(|| "fb-header".to_owned(), |finding| finding.rule),
        FileError::Io(error) => seal.defect(&error).unwrap_or("unreadable").to_owned(),
        _ => "unreadable".to_owned(),
    };
    let opened = seal.open(path).map_err(|error| broken(error.into()))?;
    let input = BufReader::new(opened.take(LARGEST));
    let mut reader = FeedbackReader::open(name, Some(sent), input).map_err(broken)?;
    if to
        .blocking_send(Part::Header(reader.header().clone()))
        .is_err()
    {
        return Ok(());
    }
    let mut lines = Vec::new();
    while let Some(line) = reader.read().map_err(broken)? {
        lines.push(line);
        if lines.len() == STEP
            && to
                .blocking_send(Part::Lines(std::mem::take(&mut lines)))
                .is_err()
        {
            return Ok(());
        }
    }
    if !lines.is_empty() {
        // Nobody being there any more is an end, too.
        let _ = to.blocking_send(Part::Lines(lines));
    }
    Ok(())
}
