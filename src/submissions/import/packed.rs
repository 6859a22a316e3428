//! A file of the bureau's in whichever packing it is.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use ring::digest::{Context, SHA256};

use crate::bureaus::Seal;

/// The largest text of a file; deflate grows a thousand times at most.
const LARGEST: u64 = 64 << 30;

/// Opens a file: the text as it is, compressed (a GZIP stream, whatever its
/// ending says), or sealed. It blocks.
pub(super) fn open(path: &Path, seal: Option<&Seal>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut head)?;
    let text: Box<dyn Read + Send> = match &head[..] {
        // Mark and length of the header: of a file, of a feedback.
        b"A050" | b"A072" => Box::new(File::open(path)?),
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(File::open(path)?)),
        _ => match seal {
            Some(seal) => Box::new(seal.open(path)?),
            None => return Err(io::ErrorKind::InvalidData.into()),
        },
    };
    Ok(Box::new(text.take(LARGEST)))
}

/// SHA-256 of all that is read.
pub(super) fn digest(mut text: impl Read) -> io::Result<[u8; 32]> {
    let mut context = Context::new(&SHA256);
    let mut part = vec![0; 1 << 16];
    loop {
        match text.read(&mut part) {
            Ok(0) => break,
            Ok(read) => context.update(&part[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut sum = [0; 32];
    sum.copy_from_slice(context.finish().as_ref());
    Ok(sum)
}
