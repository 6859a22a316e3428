//! The text of a submission file, in whichever packing it lies there.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::GzDecoder;
use pboc::pack::{FileKey, PackError, unpack};
use zeroize::Zeroizing;

use super::super::super::CliError;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

/// Reads a file key.
pub(super) fn key(path: &Path) -> Result<FileKey, CliError> {
    let read = |source| CliError::Read {
        path: path.to_owned(),
        source,
    };
    let text = Zeroizing::new(fs::read(path).map_err(read)?);
    FileKey::parse(&text).map_err(|error| read(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// The text of a file: as it is, compressed (a GZIP stream, whatever its ending
/// says), or sealed.
pub(super) fn text(path: &Path, key: Option<&FileKey>) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    let is_sealed = path.extension().is_some_and(|it| it == "enc");
    let is_packed = !is_sealed && file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(match key {
        _ if is_packed => {
            let packed = Packed(GzDecoder::new(file));
            Box::new(BufReader::with_capacity(BUFFER, packed))
        }
        Some(key) if is_sealed => Box::new(BufReader::with_capacity(BUFFER, unpack(file, key))),
        None if is_sealed => {
            let why = "it is sealed, and --key was not given";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        _ => Box::new(file),
    })
}

/// The check that a file breaks whose bytes do not open.
pub(super) fn defect(error: &io::Error) -> Option<&'static str> {
    PackError::of(error).map(|error| match error.code() {
        "ABF000" => "pack-sm4",
        _ => "pack-gzip",
    })
}

/// One GZIP member, and nothing behind it.
struct Packed(GzDecoder<BufReader<File>>);

impl Read for Packed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into) {
            Ok(0) if !into.is_empty() && !self.0.get_mut().fill_buf()?.is_empty() => {
                Err(PackError::Trailing.into())
            }
            Ok(read) => Ok(read),
            // These kinds are deflate's own words.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidData
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Err(PackError::Gzip.into())
            }
            Err(error) => Err(error),
        }
    }
}
