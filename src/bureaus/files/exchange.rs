//! Two folders that both sides see. All of it blocks.
//!
//! # Promise
//!
//! A file gets its name only when it is whole and durable. A name that stands
//! there already with the same bytes is as good as put; with others, nothing is
//! done. What we read is never removed: the folder is the bureau's.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use contract::{
    Failure, FileHappened,
    files::{Folder, Keep},
};
use zeroize::Zeroizing;

use super::durable::{FileFacts, NotCommitted, Pending, Sum, sync_folder};

/// The two folders.
pub(super) struct Exchange {
    pub(super) outgoing: PathBuf,
    pub(super) incoming: PathBuf,
}

impl Exchange {
    fn at(&self, folder: Folder, name: &str) -> Option<PathBuf> {
        // The adapter checks names; this is where a mistake would cost most.
        let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
        let folder = match folder {
            Folder::In => &self.incoming,
            Folder::Out => &self.outgoing,
        };
        plain.then(|| folder.join(name))
    }

    /// Puts `source` there.
    pub(super) fn put(&self, folder: Folder, name: &str, source: &Path) -> FileHappened {
        let not_sent = |cause| FileHappened::Failed(Failure::NotSent { cause });
        let Some(path) = self.at(folder, name) else {
            return not_sent("name");
        };
        match stands(&path, source) {
            Ok(Some(true)) => match sync_folder(&path) {
                Ok(()) => return FileHappened::Put,
                Err(error) => return unknown(&error),
            },
            Ok(Some(false)) => return not_sent("name_taken"),
            Ok(None) => {}
            Err(error) => return failed(&error, not_sent("folder")),
        }
        let placed = Pending::create(&path, 0o640).and_then(|(pending, mut draft)| {
            io::copy(&mut File::open(source)?, &mut draft)?;
            Ok((pending, draft))
        });
        match placed.map(|(pending, draft)| pending.commit(&draft)) {
            Ok(Ok(())) => FileHappened::Put,
            Ok(Err(NotCommitted::Perhaps(error))) => unknown(&error),
            Ok(Err(NotCommitted::Before(error))) | Err(error) => failed(&error, not_sent("folder")),
        }
    }

    /// Reads a file; `to` is where [`Keep::Disk`] keeps it, with its facts.
    pub(super) fn get(
        &self,
        folder: Folder,
        name: &str,
        limit_bytes: u64,
        keep: Keep,
        to: Option<&Path>,
    ) -> (FileHappened, Option<FileFacts>) {
        let path = match self.at(folder, name) {
            Some(path) => path,
            None => return (FileHappened::Missing, None),
        };
        match (keep, to) {
            (Keep::Memory, _) => (in_memory(&path, limit_bytes), None),
            (Keep::Disk, Some(to)) => match on_disk(&path, limit_bytes, to) {
                Ok(Ok(facts)) => (FileHappened::Got(Zeroizing::default()), Some(facts)),
                Ok(Err(happened)) => (happened, None),
                Err(error) => (unknown(&error), None),
            },
            (Keep::Disk, None) => (
                FileHappened::Failed(Failure::NotSent { cause: "no_place" }),
                None,
            ),
        }
    }

    /// Names in a folder, but for those that begin with a dot: they are being
    /// written.
    pub(super) fn list(&self, folder: Folder) -> FileHappened {
        let folder = match folder {
            Folder::In => &self.incoming,
            Folder::Out => &self.outgoing,
        };
        let names = fs::read_dir(folder).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name().into_string().ok()))
                .filter_map(Result::transpose)
                .filter(|name| !name.as_ref().is_ok_and(|name| name.starts_with('.')))
                .collect::<io::Result<Vec<_>>>()
        });
        match names {
            Ok(names) => FileHappened::Listed(names),
            Err(error) => unknown(&error),
        }
    }
}

/// Whether a file of this name stands there, and has the bytes of `source`.
fn stands(path: &Path, source: &Path) -> io::Result<Option<bool>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(facts) if !facts.is_file() => Ok(Some(false)),
        Ok(_) => match FileFacts::of(path) {
            Ok(facts) => Ok(Some(facts == FileFacts::of(source)?)),
            // The bureau has just taken it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        },
    }
}

/// An ordinary file, or why there is none. A link leads who knows where.
fn open(path: &Path) -> io::Result<Option<File>> {
    let found = fs::symlink_metadata(path).and_then(|facts| match facts.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("not an ordinary file")),
    });
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn in_memory(path: &Path, limit_bytes: u64) -> FileHappened {
    let read = open(path).and_then(|file| {
        let Some(file) = file else {
            return Ok(None);
        };
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(limit_bytes + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    });
    match read {
        Ok(None) => FileHappened::Missing,
        Ok(Some(bytes)) if bytes.len() as u64 > limit_bytes => over_limit(),
        Ok(Some(bytes)) => FileHappened::Got(bytes),
        Err(error) => unknown(&error),
    }
}

fn on_disk(
    path: &Path,
    limit_bytes: u64,
    to: &Path,
) -> io::Result<Result<FileFacts, FileHappened>> {
    let Some(mut file) = open(path)? else {
        return Ok(Err(FileHappened::Missing));
    };
    let before = file.metadata()?;
    let (pending, mut draft) = Pending::create(to, 0o600)?;
    let mut sum = Sum::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut left = limit_bytes;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        let Some(rest) = left.checked_sub(read as u64) else {
            return Ok(Err(over_limit()));
        };
        left = rest;
        sum.add(&buffer[..read]);
        io::Write::write_all(&mut draft, &buffer[..read])?;
    }
    let after = fs::symlink_metadata(path)?;
    let facts = sum.facts();
    if facts.size_bytes != after.len() || before.modified()? != after.modified()? {
        // Somebody writes it under its name: another time.
        let failure = Failure::Unknown { cause: "changing" };
        return Ok(Err(FileHappened::Failed(failure)));
    }
    pending.commit(&draft)?;
    Ok(Ok(facts))
}

fn over_limit() -> FileHappened {
    FileHappened::Failed(Failure::Unknown {
        cause: "reply_over_limit",
    })
}

fn unknown(error: &io::Error) -> FileHappened {
    failed(
        error,
        FileHappened::Failed(Failure::Unknown { cause: "folder" }),
    )
}

fn failed(error: &io::Error, happened: FileHappened) -> FileHappened {
    tracing::warn!(%error, "an exchange folder cannot be used");
    happened
}
