//! The feedback file that the centre would answer with.

use std::io::{self, Seek, SeekFrom, Write};

use jiff::civil::DateTime;

use super::header::VERSION;
use super::{
    Examined, Fault, FeedbackHeader, FeedbackLine, FeedbackName, Flag, LINE_END, MOST_FAULTS, Told,
};
use crate::validate::Finding;

/// Writes a feedback file from what an examination tells.
///
/// Its first line is written last: only the end knows the counts.
pub struct FeedbackWriter<W> {
    out: W,
    /// What the file as a whole is refused for.
    faults: Vec<Fault>,
    line: Vec<u8>,
}

/// Characters of the header (check `fb-header`).
const HEADER: usize = 72;

impl<W: Write + Seek> FeedbackWriter<W> {
    /// Begins with room for the header.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(&[b' '; HEADER])?;
        out.write_all(LINE_END)?;
        Ok(Self {
            out,
            faults: Vec::new(),
            line: Vec::new(),
        })
    }

    /// Writes what it was told, if the centre refuses it.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn tell(&mut self, told: &Told<'_>) -> io::Result<()> {
        let faults = faults(told.errors());
        let Some(number) = told.record else {
            self.faults.extend(faults);
            return Ok(());
        };
        // A file that is refused as a whole has no other lines.
        if faults.is_empty() || !self.faults.is_empty() {
            return Ok(());
        }
        let line = FeedbackLine {
            // The header is line 1.
            line: Some(number.saturating_add(1)),
            faults,
            record: Some(told.line.to_vec()),
        };
        self.put(&line)
    }

    /// Ends the file, made at this Chinese time, and gives its name; `None` where the centre
    /// answers without a feedback file: what was written is none then.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn finish(
        mut self,
        examined: &Examined,
        time: DateTime,
    ) -> io::Result<Option<(FeedbackName, W)>> {
        let (Some(flag), Some(stem)) = (examined.flag, &examined.stem) else {
            return Ok(None);
        };
        let (accepted, rejected) = match flag {
            Flag::Refused => (0, 1),
            _ => (examined.records - examined.rejected, examined.rejected),
        };
        if flag == Flag::Refused {
            self.faults.truncate(MOST_FAULTS);
            let line = FeedbackLine {
                line: None,
                faults: std::mem::take(&mut self.faults),
                record: None,
            };
            self.put(&line)?;
        }
        let header = FeedbackHeader {
            version: VERSION.to_owned(),
            original: stem.clone(),
            flag,
            file_version: examined.version.clone(),
            time,
            accepted,
            rejected,
        };
        let header = header.to_string();
        if header.chars().count() != HEADER {
            return Err(io::Error::other("a count has more than seven digits"));
        }
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(header.as_bytes())?;
        self.out.flush()?;
        Ok(Some((FeedbackName::of(stem, flag), self.out)))
    }

    fn put(&mut self, line: &FeedbackLine) -> io::Result<()> {
        self.line.clear();
        line.write(&mut self.line);
        self.out.write_all(&self.line)
    }
}

/// The first five faults, each once.
fn faults<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for finding in findings {
        let fault = Fault::told(finding);
        if faults.len() < MOST_FAULTS && !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}
