//! Places outside the database that remember how far the log had come.
//!
//! A restored backup or a rewritten history is noticed only by somebody who
//! remembers; a sink is that memory. It must not share the database's disk or
//! its backups.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::error::AuditError;
use super::key::VerifierKey;
use super::note::Note;
use super::reader::Reader;
use crate::platform::db::{BoxFuture, Db};

/// A memory of checkpoints.
pub trait Sink: Send + Sync {
    /// How messages call it.
    fn name(&self) -> &str;

    /// The largest checkpoint that it holds.
    ///
    /// # Errors
    ///
    /// When that cannot be known.
    fn latest(&self) -> BoxFuture<'_, Result<Option<Note>, AuditError>>;

    /// Remembers a checkpoint; it is durable when this returns.
    ///
    /// # Errors
    ///
    /// When it may not be durable.
    fn deliver<'s>(&'s self, size: u64, note: &'s Note) -> BoxFuture<'s, Result<(), AuditError>>;
}

/// Refuses a database that is older than what a sink remembers, or different.
///
/// # Errors
///
/// [`AuditError::Ahead`], [`AuditError::Rewritten`], or that a sink cannot be read.
pub async fn check_sinks(
    db: &Db,
    key: &VerifierKey,
    sinks: &[std::sync::Arc<dyn Sink>],
) -> Result<(), AuditError> {
    let reader = Reader::new(db);
    let ours = reader.head().await?.size;
    for sink in sinks {
        let name = || sink.name().to_owned();
        let failed = |source| AuditError::Sink {
            sink: name(),
            source: Box::new(source),
        };
        let Some(note) = sink.latest().await.map_err(failed)? else {
            continue;
        };
        let theirs = Checkpoint::open(&note, key).map_err(|error| failed(error.into()))?;
        if theirs.size > ours {
            return Err(AuditError::Ahead {
                sink: name(),
                theirs: theirs.size,
                ours,
            });
        }
        if reader.root_at(theirs.size).await? != theirs.root {
            return Err(AuditError::Rewritten {
                place: name(),
                size: theirs.size,
            });
        }
    }
    Ok(())
}

/// A folder: `checkpoint`, and every one before it as `checkpoints/<size>`.
#[derive(Clone, Debug)]
pub struct FolderSink {
    folder: PathBuf,
    name: String,
}

impl FolderSink {
    /// Uses a folder, which is made when it does not exist.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            name: folder.display().to_string(),
            folder,
        }
    }
}

impl Sink for FolderSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn latest(&self) -> BoxFuture<'_, Result<Option<Note>, AuditError>> {
        let folder = self.folder.clone();
        Box::pin(blocking(move || latest_in(&folder)))
    }

    fn deliver<'s>(&'s self, size: u64, note: &'s Note) -> BoxFuture<'s, Result<(), AuditError>> {
        let (folder, text) = (self.folder.clone(), note.to_string());
        Box::pin(blocking(move || {
            write_durably(
                &folder.join("checkpoints").join(size.to_string()),
                text.as_bytes(),
            )?;
            write_durably(&folder.join("checkpoint"), text.as_bytes())?;
            Ok(())
        }))
    }
}

/// The largest of the checkpoints, so that an old `checkpoint` put back hides nothing.
fn latest_in(folder: &Path) -> Result<Option<Note>, AuditError> {
    let mut names = vec![folder.join("checkpoint")];
    let all = match fs::read_dir(folder.join("checkpoints")) {
        Ok(files) => files.collect::<Result<Vec<_>, _>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let size = |file: &fs::DirEntry| file.file_name().to_str()?.parse::<u64>().ok();
    names.extend(
        all.iter()
            .filter_map(|file| Some((size(file)?, file.path())))
            .max()
            .map(|f| f.1),
    );
    let mut largest: Option<(u64, Note)> = None;
    for name in names {
        let text = match fs::read_to_string(name) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        let note: Note = text.parse()?;
        let size = Checkpoint::unverified(&note)?.size;
        if largest.as_ref().is_none_or(|(known, _)| size > *known) {
            largest = Some((size, note));
        }
    }
    Ok(largest.map(|(_, note)| note))
}

/// Writes a file so that after a crash it is there whole, or as it was before.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    fs::File::open(folder)?.sync_all()
}

/// Does file work off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AuditError> + Send + 'static,
) -> Result<T, AuditError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error).into()),
    }
}
