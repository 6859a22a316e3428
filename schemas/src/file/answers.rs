//! A feedback file, read line by line.

use std::io::BufRead;

use super::check::Check;
use super::read::{Ended, next_line};
use super::{FeedbackHeader, FeedbackLine, FeedbackName, FileError, Flag};

/// Reads a feedback file.
pub struct FeedbackReader<R> {
    input: R,
    header: FeedbackHeader,
    sent: Option<u32>,
    lines: u32,
    /// The lines that were answered, one bit each: told twice is wrong.
    seen: Vec<u64>,
    buffer: Vec<u8>,
}

impl<R: BufRead> FeedbackReader<R> {
    /// Reads the header. `sent` is how many records the file held, where that is known.
    ///
    /// # Errors
    ///
    /// All that is wrong with the header, or that it cannot be read.
    pub fn open(name: &FeedbackName, sent: Option<u32>, mut input: R) -> Result<Self, FileError> {
        let mut buffer = Vec::new();
        let ended = next_line(&mut input, &mut buffer)?;
        let text = std::str::from_utf8(&buffer).unwrap_or_default();
        if ended != Ended::Whole {
            return Err(FileError::Findings(vec![Check::FbHeader.finding()]));
        }
        let header = FeedbackHeader::parse(text).map_err(FileError::Findings)?;
        let findings = header.check(name, sent);
        if !findings.is_empty() {
            return Err(FileError::Findings(findings));
        }
        Ok(Self {
            input,
            header,
            sent,
            lines: 0,
            seen: Vec::new(),
            buffer,
        })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &FeedbackHeader {
        &self.header
    }

    /// The next line; `None` at the end, where the file has as many lines as its header says.
    ///
    /// # Errors
    ///
    /// All that is wrong with a line or the end of the file, or that it cannot be read.
    pub fn read(&mut self) -> Result<Option<FeedbackLine>, FileError> {
        let ended = next_line(&mut self.input, &mut self.buffer)?;
        let mut findings = Vec::new();
        match ended {
            Ended::Empty if self.lines == self.header.lines() => return Ok(None),
            Ended::Whole if self.lines < self.header.lines() => {}
            Ended::Empty | Ended::Whole => {
                let check = match self.header.flag {
                    Flag::Accepted => Check::FbFlag1,
                    Flag::Refused => Check::FbFlag2,
                    Flag::Rejected => Check::FbFlag3,
                };
                return Err(FileError::Findings(vec![check.finding()]));
            }
            Ended::Cut => Check::FileLastLine.unless(false, &mut findings),
            Ended::TooLong => Check::LineLength.unless(false, &mut findings),
        }
        self.lines += 1;
        if !findings.is_empty() {
            return Err(FileError::Findings(findings));
        }
        let line = FeedbackLine::parse(&self.buffer).map_err(FileError::Findings)?;
        Check::FbLineId.unless(self.is_its_place(line.line), &mut findings);
        if findings.is_empty() {
            Ok(Some(line))
        } else {
            Err(FileError::Findings(findings))
        }
    }

    /// Whether a line number can stand here: a record line of the file, told once; none where the
    /// whole file is refused.
    fn is_its_place(&mut self, line: Option<u32>) -> bool {
        let Some(line) = line else {
            return self.header.flag == Flag::Refused;
        };
        let last = self
            .sent
            .unwrap_or(self.header.accepted + self.header.rejected)
            + 1;
        if self.header.flag == Flag::Refused || line < 2 || line > last {
            return false;
        }
        let (word, bit) = (line as usize / 64, 1_u64 << (line % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let first = self.seen[word] & bit == 0;
        self.seen[word] |= bit;
        first
    }
}
