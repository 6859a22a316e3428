//! Files that are whole or not there, also after a power cut. All of it blocks.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};

/// Length and SHA-256 of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileFacts {
    /// Length.
    pub size_bytes: u64,
    /// SHA-256.
    pub sha256: [u8; 32],
}

impl FileFacts {
    /// Reads a file for them.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut sum = Sum::new();
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(sum.facts()),
                read => sum.add(&buffer[..read]),
            }
        }
    }
}

/// Counts and digests what passes.
pub(in crate::bureaus) struct Sum {
    context: Context,
    size_bytes: u64,
}

impl Sum {
    pub(in crate::bureaus) fn new() -> Self {
        Self {
            context: Context::new(&SHA256),
            size_bytes: 0,
        }
    }

    pub(in crate::bureaus) fn add(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.size_bytes += bytes.len() as u64;
    }

    pub(super) fn facts(self) -> FileFacts {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.context.finish().as_ref());
        FileFacts {
            size_bytes: self.size_bytes,
            sha256,
        }
    }
}

/// A file under a temporary name, `.<name>.part`, until it is committed.
/// Dropped before, it is removed.
pub(super) struct Pending {
    path: PathBuf,
    draft: PathBuf,
    committed: bool,
}

/// Where a commit failed.
#[derive(Debug)]
pub(super) enum NotCommitted {
    /// Before the file could have its name.
    Before(io::Error),
    /// It may have its name, and may lose it in a power cut.
    Perhaps(io::Error),
}

impl Pending {
    /// Opens the temporary file with this mode, empty: what an earlier attempt
    /// left there is gone.
    pub(super) fn create(path: &Path, mode: u32) -> io::Result<(Self, File)> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or(io::ErrorKind::InvalidFilename)?;
        let pending = Self {
            path: path.to_owned(),
            draft: path.with_file_name(format!(".{name}.part")),
            committed: false,
        };
        match fs::remove_file(&pending.draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&pending.draft)?;
        Ok((pending, file))
    }

    /// Where it is written.
    pub(super) fn draft(&self) -> &Path {
        &self.draft
    }

    /// Makes it durable, then gives it its name, durably.
    pub(super) fn commit(mut self, file: &File) -> Result<(), NotCommitted> {
        file.sync_all().map_err(NotCommitted::Before)?;
        fs::rename(&self.draft, &self.path).map_err(NotCommitted::Before)?;
        self.committed = true;
        sync_folder(&self.path).map_err(NotCommitted::Perhaps)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.committed {
            // It may never have been made; the next attempt removes it, too.
            let _ = fs::remove_file(&self.draft);
        }
    }
}

impl From<NotCommitted> for io::Error {
    fn from(error: NotCommitted) -> Self {
        match error {
            NotCommitted::Before(error) | NotCommitted::Perhaps(error) => error,
        }
    }
}

/// Makes the name of a file durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
