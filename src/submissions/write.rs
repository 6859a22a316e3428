//! Pass two: from ready records to sealed files.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use jiff::civil::DateTime;
use ring::digest::{Context, SHA256};
use schemas::file::{FileError, FileName, FileWriter, Header, MOST_RECORDS};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    FileState, Submissions, SubmitError, entries,
    lines::{self, Keys},
    store::{
        files::{self, FileRow},
        records::{self, FileLine},
    },
};
use crate::{
    audit::{BatchRoot, Commitment, batch::record_place},
    bureaus::{FileFacts, Seal, Sealing},
    platform::{
        clock::{china, micros},
        db::Urgency,
        fault::{self, Commit},
        ids::{BureauId, InstitutionId},
        vault::Vault,
    },
};

/// Records that are read at once.
const STEP: i64 = 250;

/// Serials of files have three digits (`name-serial`).
const LAST_SERIAL: i64 = 999;

/// What writing a file gave.
pub(super) struct Built {
    pub(super) plain_sha256: [u8; 32],
    pub(super) facts: FileFacts,
    batch: BatchRoot,
}

impl Submissions {
    /// Reserves files for the records that are ready, and writes those that are
    /// reserved.
    pub(super) async fn write_files(&self) -> Result<(), SubmitError> {
        // What one file lacks must not keep the others from being written.
        let mut failed = Ok(());
        for (institution, bureau, record) in records::waiting(self.db()).await? {
            let (institution, bureau) = (institution.into(), bureau.into());
            // An institution may have left the configuration: its records wait.
            if self.0.reporter(&institution, &bureau).is_err() || self.0.is_closing() {
                continue;
            }
            let open = files::in_state(self.db(), FileState::Reserved).await?;
            let reserved = |file: &FileRow| {
                file.institution == institution && file.bureau == bureau && file.record == record
            };
            if !open.iter().any(reserved) {
                let reserved = self.reserve(&institution, &bureau, &record).await;
                failed = failed.and(reserved);
            }
        }
        for file in files::in_state(self.db(), FileState::Reserved).await? {
            if self.0.is_closing() {
                return failed;
            }
            failed = failed.and(self.write_file(file).await);
        }
        failed
    }

    /// Gives a file its name and serial, the count of its records being known.
    async fn reserve(
        &self,
        institution: &InstitutionId,
        bureau: &BureauId,
        record: &str,
    ) -> Result<(), SubmitError> {
        let most = i64::from(MOST_RECORDS);
        let count = records::count_ready(self.db(), institution, bureau, record, most).await?;
        if count == 0 {
            return Ok(());
        }
        let organization = self
            .0
            .reporter(institution, bureau)?
            .organization_code
            .clone();
        let at = self.0.parts.clock.now();
        let local = china(at).datetime();
        let mut file = FileRow {
            no: 0,
            id: Uuid::now_v7().to_string(),
            institution: institution.clone(),
            bureau: bureau.clone(),
            record: record.to_owned(),
            day: local.date().strftime("%Y%m%d").to_string(),
            created: local.strftime("%Y%m%d%H%M%S").to_string(),
            serial: 0,
            name: String::new(),
            state: FileState::Reserved.name().to_owned(),
            records: count,
            plain_sha256: None,
            sealed_sha256: None,
            sealed_bytes: None,
            attempts: 0,
            reserved_at: micros(at),
            sent_at: None,
            arrived_at: None,
            answered_at: None,
            cause: None,
            accepted: None,
            rejected: None,
            receipt: String::new(),
        };
        let _numbers = self.0.numbers.lock().await;
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let (institution, bureau) = (&file.institution, &file.bureau);
                (file.no, file.serial) =
                    files::next(tx, institution, bureau, &file.record, &file.day).await?;
                if file.serial > LAST_SERIAL {
                    return Err(SubmitError::Serials);
                }
                let name = FileName::new(
                    &organization,
                    local.date(),
                    &file.record,
                    file.serial as u16,
                );
                file.name = name.map_err(|_| SubmitError::NoSuchBureau)?.to_string();
                let (entry, receipt) = entries::finish(entries::of_file(&file, None, at))?;
                file.receipt = receipt;
                files::insert(tx, &file).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(())
            })
        });
        write.await
    }

    /// Gives a reserved file its lines and writes it. While some lines are given,
    /// those before them are written.
    async fn write_file(&self, before: FileRow) -> Result<(), SubmitError> {
        let (steps, assigned) = watch::channel(());
        let (count, built) = tokio::join!(
            self.assign(&before, steps),
            self.build(&before, Some(assigned))
        );
        let mut after = before.clone();
        after.records = count?;
        if after.records == 0 {
            // What was ready was taken back; the name waits for the next records.
            return Ok(());
        }
        let at = self.0.parts.clock.now();
        let built = match built? {
            Some(built) => built,
            // Some wait again: the header says fewer.
            None => self.whole(&after).await?,
        };
        fault::submission_point("submission.on_disk");
        FileState::Written.name().clone_into(&mut after.state);
        after.plain_sha256 = Some(built.plain_sha256.to_vec());
        after.sealed_sha256 = Some(built.facts.sha256.to_vec());
        after.sealed_bytes = i64::try_from(built.facts.size_bytes).ok();
        let draft = entries::of_file(&after, None, at).batch(&built.batch);
        self.change_file(before, after, draft).await?;
        Ok(())
    }

    /// Changes a file with its entry.
    pub(super) async fn change_file(
        &self,
        before: FileRow,
        mut after: FileRow,
        draft: crate::audit::Draft,
    ) -> Result<FileRow, SubmitError> {
        let (entry, receipt) = entries::finish(draft)?;
        after.receipt = receipt;
        let (from, to) = (before.state(), after.state());
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                files::change(tx, &before, &after).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(after)
            })
        });
        let after = write.await?;
        from.passes(to, Commit::After);
        Ok(after)
    }

    /// Where the sealed bytes of a file are.
    pub(super) fn sealed_path(&self, file: &FileRow) -> PathBuf {
        self.0.outbox().join(format!("{}.enc", file.name))
    }

    /// What seals and opens an institution's files.
    pub(super) fn seal(&self, file: &FileRow) -> Result<Seal, SubmitError> {
        let line = self.0.parts.lines.line(&file.bureau);
        let files = line.and_then(|line| line.files());
        let seal = files.and_then(|files| files.seal(&file.institution));
        seal.cloned().ok_or(SubmitError::NoSuchBureau)
    }

    /// Writes the sealed bytes of a file whose lines are all given.
    async fn whole(&self, file: &FileRow) -> Result<Built, SubmitError> {
        let built = self.build(file, None).await?;
        built.ok_or_else(|| SubmitError::Damaged {
            what: "the count of records",
            row: file.id.clone(),
            why: "it has other lines".to_owned(),
        })
    }

    /// Writes the sealed bytes of a file from its records; always the same. Where
    /// lines are still being given, `assigned` tells of each step until it ends.
    /// Nothing is written where they are not as many as the file says.
    async fn build(
        &self,
        file: &FileRow,
        mut assigned: Option<watch::Receiver<()>>,
    ) -> Result<Option<Built>, SubmitError> {
        let header = header(file)?;
        let (seal, path, folder) = (self.seal(file)?, self.sealed_path(file), self.0.outbox());
        let begin = move || {
            std::fs::create_dir_all(&folder).map_err(SubmitError::Io)?;
            let sealing = seal.begin(&path).map_err(SubmitError::Io)?;
            FileWriter::begin(&header, Summed::new(sealing)).map_err(unwritten)
        };
        let mut writer = blocking(begin).await?;
        let mut batch = BatchRoot::default();
        // While some lines are compressed, the next ones are read.
        let mut rows = self.next_lines(file, 1, &mut assigned).await?;
        while let Some(last) = rows.last().map(|row| row.line) {
            let some = SomeLines {
                vault: self.0.parts.vault.clone(),
                rows,
            };
            let written = blocking(move || some.write(writer, batch));
            let next = self.next_lines(file, last, &mut assigned);
            let (written, next) = tokio::join!(written, next);
            (writer, batch) = written?;
            rows = next?;
        }
        if batch.count() as i64 != file.records {
            return Ok(None);
        }
        blocking(move || {
            let summed = writer.finish().map_err(unwritten)?;
            let (sealing, plain_sha256) = summed.end();
            let facts = sealing.finish().map_err(SubmitError::Io)?;
            Ok(Some(Built {
                plain_sha256,
                facts,
                batch,
            }))
        })
        .await
    }

    /// Lines of a file after the line `after`; none at its end.
    async fn next_lines(
        &self,
        file: &FileRow,
        after: i64,
        assigned: &mut Option<watch::Receiver<()>>,
    ) -> Result<Vec<FileLine>, SubmitError> {
        loop {
            // Looked at before the lines: what is given after that is seen then.
            let ended = match assigned {
                Some(assigned) => assigned.has_changed().is_err(),
                None => true,
            };
            let rows = records::lines(self.db(), file.no, after, STEP).await?;
            if ended || !rows.is_empty() {
                return Ok(rows);
            }
            if let Some(assigned) = assigned {
                // An error is the end, too.
                let _ = assigned.changed().await;
            }
        }
    }

    /// Makes sure that the frozen bytes of a file lie where they should; writes
    /// them again where they do not. False where they came out other.
    pub(super) async fn ensure_bytes(&self, file: &FileRow) -> Result<bool, SubmitError> {
        let path = self.sealed_path(file);
        let facts = blocking(move || match FileFacts::of(&path) {
            Ok(facts) => Ok(Some(facts)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SubmitError::Io(error)),
        })
        .await?;
        let frozen = |facts: &FileFacts| Some(&facts.sha256[..]) == file.sealed_sha256.as_deref();
        if facts.as_ref().is_some_and(frozen) {
            return Ok(true);
        }
        tracing::warn!(file.id = %file.id, "the sealed bytes are lost or changed; writing them again");
        let built = self.build(file, None).await?;
        Ok(built.is_some_and(|built| frozen(&built.facts)))
    }
}

/// Some lines of a file, as they are stored.
struct SomeLines {
    vault: Vault,
    rows: Vec<FileLine>,
}

impl SomeLines {
    /// Opens them and writes them on.
    fn write(
        self,
        mut writer: FileWriter<Summed<Sealing>>,
        mut batch: BatchRoot,
    ) -> Result<(FileWriter<Summed<Sealing>>, BatchRoot), SubmitError> {
        let house = self.vault.house_keys();
        for row in self.rows {
            let name = format!("{}.{}", row.submission, row.seq);
            let own = match &row.subject {
                Some(subject) => Some(self.vault.unwrap_stored(subject, row.keys)?),
                None => None,
            };
            let keys = own.as_ref().map_or(Keys::House(&house), Keys::Subject);
            let text = lines::open_with(&keys, &name, &row.sealed)?;
            let line = writer.line(&text).map_err(unwritten)?;
            if row.line != i64::from(line) {
                return Err(SubmitError::Damaged {
                    what: "the line number",
                    row: name,
                    why: format!("it should be {line}"),
                });
            }
            batch.push(&Commitment {
                place: record_place(row.submission, row.seq),
                sha256: digest(&row.sealed_sha256),
                line: Some(line),
            });
        }
        Ok((writer, batch))
    }
}

/// The header of a file, as it was reserved.
pub(super) fn header(file: &FileRow) -> Result<Header, SubmitError> {
    let damaged = |why: &str| SubmitError::Damaged {
        what: "the header",
        row: file.id.clone(),
        why: why.to_owned(),
    };
    let name = FileName::parse(&file.name).map_err(|_| damaged("its name"))?;
    let time =
        DateTime::strptime("%Y%m%d%H%M%S", &file.created).map_err(|_| damaged("its time"))?;
    let count = u32::try_from(file.records).map_err(|_| damaged("its count"))?;
    Header::new(&name, time, count).map_err(|_| damaged("its parts"))
}

/// A digest of the database; one of a wrong length is none that any file has.
fn digest(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().unwrap_or_default()
}

pub(super) fn unwritten(error: FileError) -> SubmitError {
    match error {
        FileError::Io(error) => SubmitError::Io(error),
        other => SubmitError::Io(io::Error::other(other.to_string())),
    }
}

/// Runs what blocks on a thread for that.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SubmitError> + Send + 'static,
) -> Result<T, SubmitError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Digests what is written through it.
struct Summed<W> {
    out: W,
    context: Context,
}

impl<W: Write> Summed<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            context: Context::new(&SHA256),
        }
    }

    fn end(self) -> (W, [u8; 32]) {
        let mut sum = [0; 32];
        sum.copy_from_slice(self.context.finish().as_ref());
        (self.out, sum)
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.context.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
