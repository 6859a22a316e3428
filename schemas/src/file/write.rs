//! A submission file, written line by line.

use std::io::Write;

use super::check::Check;
use super::{FileError, Header, LINE_END, MOST_CHARACTERS};

/// Writes a submission file whose number of records is known.
pub struct FileWriter<W> {
    out: W,
    count: u32,
    written: u32,
}

impl<W: Write> FileWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    ///
    /// That it cannot be written.
    pub fn begin(header: &Header, mut out: W) -> Result<Self, FileError> {
        out.write_all(header.to_string().as_bytes())?;
        out.write_all(LINE_END)?;
        Ok(Self {
            out,
            count: header.count,
            written: 0,
        })
    }

    /// Writes a record and tells its line number; the header is line 1.
    ///
    /// # Errors
    ///
    /// A line that is too long or broken, or one more than the header says; nothing is written
    /// then. Or that it cannot be written.
    pub fn line(&mut self, line: &[u8]) -> Result<u32, FileError> {
        let mut findings = Vec::new();
        let text = std::str::from_utf8(line);
        Check::FileEncoding.unless(text.is_ok(), &mut findings);
        let characters = text.map_or(0, |text| {
            if line.len() > MOST_CHARACTERS {
                text.chars().count()
            } else {
                line.len()
            }
        });
        Check::LineLength.unless(characters <= MOST_CHARACTERS, &mut findings);
        Check::LineBlank.unless(!line.trim_ascii().is_empty(), &mut findings);
        Check::LineEnd.unless(
            !line.contains(&b'\r') && !line.contains(&b'\n'),
            &mut findings,
        );
        Check::HeaderCountTrue.unless(self.written < self.count, &mut findings);
        if !findings.is_empty() {
            return Err(FileError::Findings(findings));
        }
        self.out.write_all(line)?;
        self.out.write_all(LINE_END)?;
        self.written += 1;
        Ok(self.written + 1)
    }

    /// Ends the file and gives the writer back.
    ///
    /// # Errors
    ///
    /// Fewer lines than the header says.
    pub fn finish(self) -> Result<W, FileError> {
        if self.written < self.count {
            return Err(FileError::Findings(vec![Check::HeaderCountTrue.finding()]));
        }
        Ok(self.out)
    }
}
