//! A submission file, read line by line.

use std::io::{BufRead, Read as _};

use super::check::Check;
use super::{FileError, FileName, Header, LINE_END, MOST_CHARACTERS, MOST_RECORDS};
use crate::validate::Finding;

/// Reads a submission file.
pub struct FileReader<R> {
    input: R,
    header: Header,
    /// The line read last; the header is line 1.
    line: u32,
    buffer: Vec<u8>,
    whole: bool,
}

/// One record line.
#[derive(Debug)]
pub struct Line<'b> {
    /// Its number; the header is line 1.
    pub number: u32,
    /// What stands in it, without its line end.
    pub bytes: &'b [u8],
    /// What is wrong with it before anyone looks at the record.
    pub findings: Vec<Finding>,
}

impl<R: BufRead> FileReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// All that is wrong with the header, or that it cannot be read.
    pub fn open(name: &FileName, mut input: R) -> Result<Self, FileError> {
        let mut buffer = Vec::new();
        let ended = next_line(&mut input, &mut buffer)?;
        let text = std::str::from_utf8(&buffer).unwrap_or_default();
        if ended != Ended::Whole {
            return Err(FileError::Findings(vec![Check::HeaderLine.finding()]));
        }
        let header = Header::parse(text).map_err(FileError::Findings)?;
        let findings = header.check(name);
        if !findings.is_empty() {
            return Err(FileError::Findings(findings));
        }
        Ok(Self {
            input,
            header,
            line: 1,
            buffer,
            whole: true,
        })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next line.
    ///
    /// # Errors
    ///
    /// That the file cannot be read.
    pub fn read(&mut self) -> Result<Option<Line<'_>>, FileError> {
        let ended = next_line(&mut self.input, &mut self.buffer)?;
        let mut findings = Vec::new();
        match ended {
            Ended::Empty => return Ok(None),
            Ended::Whole => {}
            Ended::Cut => self.whole = false,
            Ended::TooLong => self.whole = skip_line(&mut self.input, &self.buffer)?,
        }
        self.line += 1;
        if ended == Ended::TooLong {
            findings.push(Check::LineLength.finding());
        } else {
            judge(&self.buffer, &mut findings);
        }
        Ok(Some(Line {
            number: self.line,
            bytes: &self.buffer,
            findings,
        }))
    }

    /// What is wrong with the file as a whole, after its last line.
    #[must_use]
    pub fn end(&self) -> Vec<Finding> {
        let records = self.line - 1;
        let mut findings = Vec::new();
        Check::FileLastLine.unless(self.whole, &mut findings);
        Check::FileSize.unless(records <= MOST_RECORDS, &mut findings);
        Check::FileEmptyBody.unless(records > 0, &mut findings);
        Check::HeaderCountTrue.unless(records == self.header.count, &mut findings);
        findings
    }
}

/// What a line must be whatever record it holds.
pub(super) fn judge(line: &[u8], findings: &mut Vec<Finding>) {
    let Ok(text) = std::str::from_utf8(line) else {
        findings.push(Check::FileEncoding.finding());
        return;
    };
    if text.bytes().all(|b| matches!(b, b' ' | b'\t')) {
        findings.push(Check::LineBlank.finding());
        return;
    }
    // A character has at least one byte.
    let short = line.len() <= MOST_CHARACTERS || text.chars().count() <= MOST_CHARACTERS;
    Check::LineLength.unless(short, findings);
    Check::LineEnd.unless(!line.contains(&b'\r') && !line.contains(&b'\n'), findings);
    let body = text.strip_prefix("<Document>");
    let body = body.and_then(|body| body.strip_suffix("</Document>"));
    let framed = body.is_some_and(|body| {
        body.starts_with('<') && body.ends_with('>') && !body.contains("</Document>")
    });
    Check::LineFrame.unless(framed, findings);
    let odd = ["<!", "<?", "/>"].iter().any(|odd| text.contains(odd));
    Check::LinePlain.unless(!odd, findings);
}

/// How a line ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// Without CR LF, at the end of the file.
    Cut,
    /// There was nothing more.
    Empty,
    /// Beyond all limits; the rest of the line was not read.
    TooLong,
    /// With CR LF.
    Whole,
}

/// Four bytes for each character that a line may have, and its end.
pub(super) const MOST_BYTES: u64 = MOST_CHARACTERS as u64 * 4 + 2;

/// Reads up to CR LF, which is taken off: a lone LF stands within a line, as the bureau sees it.
pub(super) fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Ended> {
    line.clear();
    append_line(input, line, MOST_BYTES)
}

/// As [`next_line`], behind what stands in `lines`, and of so many bytes at most.
pub(super) fn append_line(
    input: &mut impl BufRead,
    lines: &mut Vec<u8>,
    most: u64,
) -> std::io::Result<Ended> {
    let start = lines.len();
    loop {
        let room = most.saturating_sub((lines.len() - start) as u64);
        let read = input.take(room).read_until(b'\n', lines)?;
        if lines[start..].ends_with(LINE_END) {
            lines.truncate(lines.len() - LINE_END.len());
            return Ok(Ended::Whole);
        }
        if read == 0 {
            return Ok(if lines.len() == start {
                Ended::Empty
            } else if room == 0 {
                Ended::TooLong
            } else {
                Ended::Cut
            });
        }
    }
}

/// Reads the rest of a line that began with `begun`, keeps nothing of it, and tells whether it ended
/// with CR LF.
pub(super) fn skip_line(input: &mut impl BufRead, begun: &[u8]) -> std::io::Result<bool> {
    let mut after_cr = begun.ends_with(b"\r");
    let mut part = Vec::new();
    loop {
        part.clear();
        if input.take(PART_BYTES).read_until(b'\n', &mut part)? == 0 {
            return Ok(false);
        }
        if part.ends_with(LINE_END) || (after_cr && part == b"\n") {
            return Ok(true);
        }
        after_cr = part.ends_with(b"\r");
    }
}

/// Bytes of a line beyond all limits that are in memory at once.
const PART_BYTES: u64 = 1 << 16;
