//! A feedback file that a person brings, had from the bureau another way.
//!
//! It is held to the same checks as one that was fetched, and leaves the same
//! entries. One that is wrong is refused and changes nothing: unlike one that
//! the bureau sent, it stops no file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use schemas::file::{FeedbackHeader, FeedbackName};
use uuid::Uuid;

use super::{
    FileState, Input, Submissions, SubmitError, entries,
    feedback::{Checked, TAKEN},
    store::{
        answers::{self, Answered, Heard},
        files::{self, FileRow},
    },
    write::blocking,
};
use crate::{
    bureaus::{FileFacts, Seal},
    operators::{Caller, Role},
    platform::{
        db::Urgency,
        ids::{BureauId, InstitutionId},
    },
};

/// Every feedback file begins so once it is opened: the mark and the length of
/// its header. A sealed one does so by chance once in four billion.
const OPENED: &[u8] = b"A072";

/// Names of files on their way into the inbox begin so.
const SPOOL: &str = ".given-";

/// The longest header that is looked at.
const HEADER: u64 = 1024;

/// Why a file stopped that its feedback alone does not set going again: a person
/// decides about that first.
const DECIDED_FIRST: [&str; 3] = ["answered_before_sent", "bytes_differ", "name_used"];

/// A file on its way into the inbox, removed unless it got there.
struct Spool(PathBuf);

impl Drop for Spool {
    fn drop(&mut self) {
        // It may have its name by now; the next start removes it, too.
        let _ = fs::remove_file(&self.0);
    }
}

impl Submissions {
    /// A file of an institution, by its identifier or its mandated name.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn file_or_named(
        &self,
        institution: &InstitutionId,
        id: &str,
    ) -> Result<Option<FileRow>, SubmitError> {
        if let Some(found) = self.file(institution, id).await? {
            return Ok(Some(found));
        }
        let named = files::by_name(self.db(), id).await?;
        Ok(named.filter(|file| file.institution == *institution))
    }

    /// What the bureau said of a file: the feedback files that were looked at,
    /// and the records that it rejected, after the line `after`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn feedback_of(
        &self,
        file: &FileRow,
        after: i64,
        limit: i64,
    ) -> Result<(Vec<Heard>, Vec<Answered>), SubmitError> {
        let heard = answers::heard(self.db(), file.no).await?;
        let rejected = answers::rejected(self.db(), file.no, after, limit).await?;
        Ok((heard, rejected))
    }

    /// Takes a feedback file, sealed or opened, for the file that it answers;
    /// the same one again changes nothing.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`]; one that is wrong changes nothing.
    pub async fn give_feedback(
        &self,
        caller: &Caller,
        file: &str,
        input: Input,
    ) -> Result<FileRow, SubmitError> {
        caller.require_any(&[Role::Compliance, Role::Submitter])?;
        let of = self.file_or_named(&caller.institution, file).await?;
        let of = of.ok_or(SubmitError::NotFound)?;
        let (seal, inbox) = (self.seal(&of)?, self.0.inbox());
        let spooled = blocking(move || spool(&seal, &inbox, input)).await?;
        let (spool, facts, header) = spooled;
        let _turn = self.0.turn.lock().await;
        // It may have been answered meanwhile.
        let before = self.file(&caller.institution, &of.id).await?;
        let before = before.ok_or(SubmitError::NotFound)?;
        let name = answering(&before, &header)?;
        let known = files::feedback_named(self.db(), &name.to_string()).await?;
        let taken =
            |(digest, outcome): &(Vec<u8>, String)| digest[..] == facts.sha256 && outcome == TAKEN;
        if known.iter().any(taken) {
            return Ok(before);
        }
        let decided_first = |cause: &str| DECIDED_FIRST.contains(&cause);
        let is_open = match before.state() {
            FileState::Sending | FileState::Delivered | FileState::Arrived => true,
            FileState::Stopped => !before.cause.as_deref().is_some_and(decided_first),
            _ => false,
        };
        if !is_open {
            return Err(SubmitError::WrongFileState(before.state()));
        }
        if let Checked::Disagrees(cause) = self.check(&before, &name, spool.0.clone()).await? {
            return Err(SubmitError::FeedbackDisagrees(cause));
        }
        let path = self.0.inbox().join(format!("{name}.enc"));
        let kept = path.clone();
        blocking(move || keep(&spool, &kept).map_err(SubmitError::Io)).await?;
        let bureau = BureauId::from(before.bureau.as_str());
        let name = name.to_string();
        self.note_given(caller, before, facts.sha256).await?;
        self.take_feedback(&bureau, &name, facts.sha256, path)
            .await?;
        let after = self.file(&caller.institution, &of.id).await?;
        after.ok_or(SubmitError::NotFound)
    }

    /// Who gave it; a file that stopped goes on by that.
    async fn note_given(
        &self,
        caller: &Caller,
        before: FileRow,
        sha256: [u8; 32],
    ) -> Result<(), SubmitError> {
        let at = self.0.parts.clock.now();
        let given = entries::about_file(entries::FEEDBACK_GIVEN, &before, at)
            .actor(&caller.actor)
            .digest("feedback_sha256", &sha256);
        let (given, _) = entries::finish(given)?;
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                tx.append(given.into());
                Ok::<_, SubmitError>(())
            })
        });
        write.await?;
        if before.state() == FileState::Stopped {
            let mut after = before.clone();
            FileState::Arrived.name().clone_into(&mut after.state);
            after.cause = None;
            let draft = entries::of_file(&after, Some(&caller.actor), at);
            self.change_file(before, after, draft).await?;
        }
        Ok(())
    }

    /// Goes on with feedback that a stop cut while it was applied: the bureau
    /// may not have it to be fetched any more.
    pub(super) async fn go_on_with_feedback(&self) -> Result<(), SubmitError> {
        for (name, sha256, bureau) in answers::under_way(self.db()).await? {
            let path = self.0.inbox().join(format!("{name}.enc"));
            let known = path.clone();
            let facts = blocking(move || match FileFacts::of(&known) {
                Ok(facts) => Ok(Some(facts)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(SubmitError::Io(error)),
            });
            let facts = facts.await?;
            if let Some(facts) = facts.filter(|facts| facts.sha256[..] == sha256[..]) {
                self.take_feedback(&BureauId::from(bureau), &name, facts.sha256, path)
                    .await?;
            }
        }
        Ok(())
    }

    /// Removes what an earlier start left on its way into the inbox.
    pub(super) async fn forget_spools(&self) -> Result<(), SubmitError> {
        let inbox = self.0.inbox();
        blocking(move || {
            let Ok(found) = fs::read_dir(&inbox) else {
                return Ok(());
            };
            for entry in found.flatten() {
                if entry.file_name().to_string_lossy().starts_with(SPOOL) {
                    // Another try at the next start.
                    let _ = fs::remove_file(entry.path());
                }
            }
            Ok(())
        })
        .await
    }
}

/// The name under which the feedback answers that file.
fn answering(file: &FileRow, header: &FeedbackHeader) -> Result<FeedbackName, SubmitError> {
    let stem = file.name.get(..29).unwrap_or_default();
    if header.original != stem {
        return Err(SubmitError::FeedbackOfAnother);
    }
    FeedbackName::parse(&format!("{stem}{}", header.flag.character()))
        .map_err(|_| SubmitError::FeedbackDisagrees("fb-name".to_owned()))
}

/// Writes the input into the inbox, sealed whichever way it came, and reads the
/// header that it has.
fn spool(
    seal: &Seal,
    inbox: &Path,
    mut input: Input,
) -> Result<(Spool, FileFacts, FeedbackHeader), SubmitError> {
    fs::create_dir_all(inbox).map_err(SubmitError::Io)?;
    let path = inbox.join(format!("{SPOOL}{}", Uuid::now_v7().simple()));
    let spool = Spool(path.clone());
    let mut head = Vec::with_capacity(OPENED.len());
    let count = OPENED.len() as u64;
    let read = (&mut input).take(count).read_to_end(&mut head);
    read.map_err(SubmitError::Input)?;
    if head == OPENED {
        // Nothing clear lies on the disk.
        let mut sealing = seal.begin(&path).map_err(SubmitError::Io)?;
        sealing.write_all(&head).map_err(SubmitError::Io)?;
        copy(&mut input, &mut sealing)?;
        sealing.finish().map_err(SubmitError::Io)?;
    } else {
        let mut options = OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut out = options.open(&path).map_err(SubmitError::Io)?;
        out.write_all(&head).map_err(SubmitError::Io)?;
        copy(&mut input, &mut out)?;
        out.sync_all().map_err(SubmitError::Io)?;
    }
    let facts = FileFacts::of(&path).map_err(SubmitError::Io)?;
    let unread = |error: io::Error| {
        let cause = seal.defect(&error).unwrap_or("unreadable");
        SubmitError::FeedbackDisagrees(cause.to_owned())
    };
    let opened = seal.open(&path).map_err(unread)?;
    let mut line = String::new();
    let mut text = BufReader::new(opened.take(HEADER));
    match text.read_line(&mut line) {
        Ok(_) => {}
        // Another key or other bytes: what comes out is no text.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(unread(error)),
        Err(error) => return Err(SubmitError::Io(error)),
    }
    let header = FeedbackHeader::parse(line.trim_end_matches(['\r', '\n']));
    let header = header.map_err(|findings| {
        let rule = findings.into_iter().next().map(|it| it.rule);
        SubmitError::FeedbackDisagrees(rule.unwrap_or_else(|| "fb-header".to_owned()))
    })?;
    Ok((spool, facts, header))
}

/// Copies to the end; an error of the input is not one of the output.
fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<(), SubmitError> {
    let mut part = vec![0; 1 << 16];
    loop {
        match from.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(read) => to.write_all(&part[..read]).map_err(SubmitError::Io)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SubmitError::Input(error)),
        }
    }
}

/// Gives a spooled file its name, durably.
fn keep(spool: &Spool, path: &Path) -> io::Result<()> {
    fs::rename(&spool.0, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
