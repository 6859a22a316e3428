//! What a submission or feedback file is on the way: GZIP, then SM4 in chunks.
//!
//! # Promise
//!
//! [`Packer`] takes the text and writes what may lie on a disk; [`Unpacker`]
//! reads it back. Neither holds more than one chunk. The same text under the
//! same key gives the same bytes, as long as the deflate library is the same.
//!
//! The form (PT, section "Files" of `README.md`; medium): one GZIP member (RFC 1952) without name and time; cut into chunks of
//! [`CHUNK_BYTES`], each encrypted on its own with SM4 in ECB mode and PKCS#7
//! padding, so that a full chunk grows by 16 bytes. No header, no checksum, no
//! initial vector. Where the packed bytes are a multiple of the chunk, no empty
//! chunk follows; the reader accepts one (no source says which; low).
//!
//! # What is not here
//!
//! No name, no header line, no record: those are `schemas::file`'s. Whoever
//! reads sets the limit on how much: deflate grows 1,032 times at most.
//!
//! # Failure
//!
//! An I/O error of the stream below comes out as it is; a defect of the bytes
//! as an `io::Error` that holds a [`PackError`], see [`PackError::of`].

mod key;
mod seal;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead as _, Read, Write};

use contract::{Codec, Packing};
use flate2::{Compression, GzBuilder, bufread::GzDecoder, write::GzEncoder};

pub use key::{FileKey, KeyError};
pub use seal::{Opener, Sealer};

/// Bytes of a full chunk before it is sealed.
pub const CHUNK_BYTES: usize = 524_288;

/// Bytes of a full chunk after it is sealed.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + 16;

/// Bytes that are no sealed file under this key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The sealed bytes end inside a block or before the first.
    #[error("the sealed file is cut short")]
    Cut,
    /// Decrypted, it is no GZIP stream, or one that is damaged or cut short.
    #[error("the opened file is no whole GZIP stream")]
    Gzip,
    /// The padding of a chunk is wrong: another key, or damaged bytes.
    #[error("the sealed file does not open under this key")]
    Padding,
    /// Something follows the GZIP stream.
    #[error("something follows the GZIP stream")]
    Trailing,
}

impl PackError {
    /// The defect inside an error of [`Opener`] or [`Unpacker`], if it is one.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// The code under which the centre reports it (`rules.tsv`).
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Cut | Self::Padding => "ABF000",
            Self::Gzip | Self::Trailing => "ABF001",
        }
    }
}

impl From<PackError> for io::Error {
    fn from(error: PackError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Packs and seals what is written to it.
pub struct Packer<W: Write>(GzEncoder<Sealer<W>>);

impl<W: Write> Packer<W> {
    /// Packs into `out`, which gets large writes only.
    pub fn new(out: W, key: &FileKey) -> Self {
        Self::with_level(out, key, Compression::default().level())
    }

    /// As [`Packer::new`], at a level of deflate from 0 (none) to 9.
    pub fn with_level(out: W, key: &FileKey, level: u32) -> Self {
        let level = Compression::new(level.min(9));
        let sealer = Sealer::new(out, key);
        Self(GzBuilder::new().mtime(0).write(sealer, level))
    }

    /// Ends the stream and hands back what it was written to, flushed.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()?.finish()
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Does nothing: only whole chunks leave, and the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens and unpacks what it reads from.
pub struct Unpacker<R: Read>(GzDecoder<Opener<R>>);

/// Reads a sealed file; `input` gets large reads only.
pub fn unpack<R: Read>(input: R, key: &FileKey) -> Unpacker<R> {
    Unpacker(GzDecoder::new(Opener::new(input, key)))
}

impl<R: Read> Read for Unpacker<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into) {
            Ok(0) if !into.is_empty() => {
                // One member, and nothing behind it.
                if self.0.get_mut().fill_buf()?.is_empty() {
                    Ok(0)
                } else {
                    Err(PackError::Trailing.into())
                }
            }
            Ok(read) => Ok(read),
            // What the layer below said stays as it is; the rest is deflate's.
            Err(error) if self.0.get_ref().failed() => Err(error),
            Err(_) => Err(PackError::Gzip.into()),
        }
    }
}

impl<W: Write + Send> Packing for Packer<W> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        (*self).finish().map(drop)
    }
}

impl Codec for FileKey {
    fn pack<'o>(&self, out: Box<dyn Write + Send + 'o>) -> Box<dyn Packing + 'o> {
        Box::new(Packer::new(out, self))
    }

    fn unpack<'i>(&self, sealed: Box<dyn Read + Send + 'i>) -> Box<dyn Read + Send + 'i> {
        Box::new(unpack(sealed, self))
    }

    fn defect(&self, error: &io::Error) -> Option<&'static str> {
        PackError::of(error).map(PackError::code)
    }
}
