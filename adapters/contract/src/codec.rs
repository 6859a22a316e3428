//! The form of a file on the way: packed and sealed, as streams.

use std::{
    fmt,
    io::{self, Read, Write},
};

/// Packs and seals under one key, which it holds and never shows.
pub trait Codec: Send + Sync + fmt::Debug {
    /// Packs what is written into `out`; whole only after [`Packing::finish`].
    fn pack<'o>(&self, out: Box<dyn Write + Send + 'o>) -> Box<dyn Packing + 'o>;

    /// Opens what comes from `sealed`. A defect of its bytes, another key
    /// included, is an error of kind [`io::ErrorKind::InvalidData`].
    fn unpack<'i>(&self, sealed: Box<dyn Read + Send + 'i>) -> Box<dyn Read + Send + 'i>;

    /// The bureau's code for a defect of the bytes.
    fn defect(&self, error: &io::Error) -> Option<&'static str>;
}

/// A file being packed.
pub trait Packing: Write + Send {
    /// Writes what is left. Dropped without it, the file is not whole.
    ///
    /// # Errors
    ///
    /// Those of writing.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Why there is no codec.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The dialect seals no files.
    #[error("this dialect seals no files")]
    Absent,
    /// What should be the key has another form.
    #[error("the key is not as the bureau gives it: {0}")]
    Key(&'static str),
}
