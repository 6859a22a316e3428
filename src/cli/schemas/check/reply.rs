//! The feedback file beside a submission file: under a draft's name until it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use jiff::civil::DateTime;
use schemas::file::{Examined, FeedbackWriter, Told};

use super::super::super::CliError;

/// A feedback file that is being written; a draft that is given up goes away.
pub(super) struct Reply {
    draft: Draft,
    writer: FeedbackWriter<BufWriter<File>>,
}

struct Draft(PathBuf);

impl Reply {
    /// Begins the answer to a file. Only its owner may read it: it holds whole records.
    pub(super) fn begin(of: &Path) -> Result<Self, CliError> {
        let name = of.file_name().unwrap_or_default().to_string_lossy();
        let draft = Draft(of.with_file_name(format!(".{name}.feedback")));
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let begun =
            { options.open(&draft.0) }.and_then(|file| FeedbackWriter::begin(BufWriter::new(file)));
        match begun {
            Ok(writer) => Ok(Self { draft, writer }),
            Err(error) => Err(draft.unwritten(error)),
        }
    }

    pub(super) fn tell(&mut self, told: &Told<'_>) -> Result<(), CliError> {
        let Self { draft, writer } = self;
        writer.tell(told).map_err(|error| draft.unwritten(error))
    }

    /// Ends it and gives its path; none where the centre answers without a feedback file.
    pub(super) fn finish(
        self,
        examined: &Examined,
        time: DateTime,
    ) -> Result<Option<PathBuf>, CliError> {
        let Self { draft, writer } = self;
        let finished = { writer.finish(examined, time) }.and_then(|done| {
            let Some((name, _)) = done else {
                return Ok(None);
            };
            let path = draft.0.with_file_name(format!("{name}.txt"));
            fs::rename(&draft.0, &path)?;
            Ok(Some(path))
        });
        finished.map_err(|error| draft.unwritten(error))
    }
}

impl Draft {
    fn unwritten(&self, source: io::Error) -> CliError {
        CliError::Write {
            path: self.0.clone(),
            source,
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is there no more where it became the feedback file.
        let _ = fs::remove_file(&self.0);
    }
}
