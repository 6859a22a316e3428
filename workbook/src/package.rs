//! The parts of a workbook file, inflated within limits.

use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::BookError;
use crate::xml::Xml;

/// How much a workbook may ask of its reader. What it says of its own size is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of the file.
    pub file: u64,
    /// Parts in it.
    pub parts: u64,
    /// Bytes that all parts read inflate to.
    pub inflated: u64,
    /// Bytes of the texts that cells share.
    pub strings: u64,
    /// Cells with content.
    pub cells: u64,
    /// Bytes of their content.
    pub text: u64,
}

impl Default for Limits {
    /// 50,000 records of 60 items several times over, and under 512 MB in all.
    fn default() -> Self {
        Self {
            file: 64 << 20,
            parts: 2_000,
            inflated: 1 << 30,
            strings: 96 << 20,
            cells: 10_000_000,
            text: 128 << 20,
        }
    }
}

/// Anything a workbook can be read from.
pub(crate) trait Input: Read + Seek {}

impl<I: Read + Seek> Input for I {}

/// The file, open.
pub(crate) struct Package<'i> {
    archive: ZipArchive<Box<dyn Input + 'i>>,
    pub(crate) limits: Limits,
    /// Bytes that may still be inflated.
    left: Rc<Cell<u64>>,
}

/// Stops reading where the limits do.
pub(crate) struct Metered<R> {
    input: R,
    left: Rc<Cell<u64>>,
    /// Bytes that one token of XML may still take.
    token: Rc<Cell<u64>>,
}

/// Says that it was a limit, and not the file.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a limit")]
pub(crate) struct Limit;

/// The longest piece of XML: a text of Excel has 32,767 characters at most.
pub(crate) const TOKEN: u64 = 4 << 20;

impl<'i> Package<'i> {
    pub(crate) fn open(mut input: Box<dyn Input + 'i>, limits: Limits) -> Result<Self, BookError> {
        let size = input.seek(SeekFrom::End(0)).map_err(BookError::Io)?;
        if size > limits.file {
            return Err(BookError::TooLarge {
                what: "bytes of the file",
                limit: limits.file,
            });
        }
        let mut head = [0; 8];
        input.rewind().map_err(BookError::Io)?;
        let read = read_full(&mut input, &mut head).map_err(BookError::Io)?;
        if head[..read].starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(BookError::Compound);
        }
        few_parts(&mut input, size, limits.parts)?;
        input.rewind().map_err(BookError::Io)?;
        let archive = ZipArchive::new(input).map_err(|error| of_zip("the file", error))?;
        Ok(Self {
            archive,
            limits,
            left: Rc::new(Cell::new(limits.inflated)),
        })
    }

    /// The part of this name, as XML; `None` where there is none.
    pub(crate) fn part(
        &mut self,
        name: &str,
    ) -> Result<Option<Xml<BufReader<Metered<impl Read + use<'_, 'i>>>>>, BookError> {
        let file = match self.archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(of_zip(name, error)),
        };
        let token = Rc::new(Cell::new(TOKEN));
        let input = Metered {
            input: file,
            left: Rc::clone(&self.left),
            token: Rc::clone(&token),
        };
        let input = BufReader::with_capacity(1 << 15, input);
        Ok(Some(Xml::new(input, name, token, self.limits.inflated)))
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.left.get().min(self.token.get());
        if most == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, Limit));
        }
        let most = usize::try_from(most)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.input.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - read as u64);
        self.token.set(self.token.get() - read as u64);
        Ok(read)
    }
}

/// Refuses a list of parts that would fill the memory before any is opened: its end says how many
/// there are (APPNOTE.TXT of ZIP, 4.3.16), and a larger list has a form that no workbook needs.
fn few_parts(input: &mut Box<dyn Input + '_>, size: u64, most: u64) -> Result<(), BookError> {
    let tail = size.min(66_000);
    input
        .seek(SeekFrom::Start(size - tail))
        .map_err(BookError::Io)?;
    let mut bytes = Vec::with_capacity(tail as usize);
    input
        .take(tail)
        .read_to_end(&mut bytes)
        .map_err(BookError::Io)?;
    for (at, _) in bytes
        .windows(4)
        .enumerate()
        .filter(|(_, it)| it == b"PK\x05\x06")
    {
        let count = |at: usize| {
            Some(u64::from(u16::from_le_bytes([
                *bytes.get(at)?,
                *bytes.get(at + 1)?,
            ])))
        };
        if count(at + 10).is_some_and(|parts| parts > most) {
            return Err(BookError::TooLarge {
                what: "parts of the file",
                limit: most,
            });
        }
    }
    Ok(())
}

fn of_zip(part: &str, error: ZipError) -> BookError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => BookError::Io(error),
        ZipError::UnsupportedArchive(_) => {
            BookError::broken(part, "it is packed in a way that workbooks are not")
        }
        _ => BookError::broken(part, "it is no sound ZIP file"),
    }
}

fn read_full(input: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < into.len() {
        match input.read(&mut into[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
