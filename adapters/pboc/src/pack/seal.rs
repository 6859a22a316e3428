//! SM4 over chunks, as streams.

use std::io::{self, BufRead, Read, Write};

use sm4::{
    Sm4,
    cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, consts::U16},
};
use zeroize::Zeroizing;

use super::{CHUNK_BYTES, FileKey, PackError, SEALED_CHUNK_BYTES};

/// Bytes of an SM4 block.
const BLOCK: usize = 16;

/// Seals what is written to it, chunk by chunk.
pub struct Sealer<W> {
    out: W,
    cipher: Sm4,
    chunk: Zeroizing<Vec<u8>>,
    /// A chunk has gone out.
    begun: bool,
    /// A write failed: what is below ends somewhere inside a chunk.
    broken: bool,
}

impl<W: Write> Sealer<W> {
    /// Seals into `out`.
    pub fn new(out: W, key: &FileKey) -> Self {
        Self {
            out,
            cipher: key.cipher(),
            chunk: Zeroizing::new(Vec::with_capacity(SEALED_CHUNK_BYTES)),
            begun: false,
            broken: false,
        }
    }

    /// Seals what is left and hands back what it was written to, flushed. Of
    /// nothing at all, one chunk of padding is made, as by an ordinary call.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.chunk.is_empty() || !self.begun {
            self.emit()?;
        }
        self.out.flush()?;
        Ok(self.out)
    }

    fn emit(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier write failed"));
        }
        let padding = BLOCK - self.chunk.len() % BLOCK;
        let padded = self.chunk.len() + padding;
        // At most a block, so it fits a byte.
        #[expect(clippy::cast_possible_truncation)]
        self.chunk.resize(padded, padding as u8);
        self.cipher.encrypt_blocks(blocks(&mut self.chunk));
        self.broken = true;
        self.out.write_all(&self.chunk)?;
        self.broken = false;
        self.begun = true;
        self.chunk.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK_BYTES {
            self.emit()?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Does nothing: a chunk leaves when it is full, or at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what it reads from, chunk by chunk.
pub struct Opener<R> {
    input: R,
    cipher: Sm4,
    chunk: Zeroizing<Vec<u8>>,
    /// How much of the chunk was taken.
    taken: usize,
    state: State,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    /// Nothing was read.
    New,
    /// The last chunk was a full one.
    Going,
    /// No chunk can follow.
    Ended,
    /// It failed; nothing more comes out.
    Failed,
}

impl<R: Read> Opener<R> {
    /// Opens what comes from `input`.
    pub fn new(input: R, key: &FileKey) -> Self {
        Self {
            input,
            cipher: key.cipher(),
            chunk: Zeroizing::new(vec![0; SEALED_CHUNK_BYTES]),
            taken: SEALED_CHUNK_BYTES,
            state: State::New,
        }
    }

    /// Whether an error came from here.
    pub(super) fn failed(&self) -> bool {
        self.state == State::Failed
    }

    /// Reads and opens the next chunk; an empty one at the end.
    fn advance(&mut self) -> io::Result<()> {
        let before = std::mem::replace(&mut self.state, State::Failed);
        if before == State::Failed {
            return Err(io::Error::other("an earlier read failed"));
        }
        self.taken = 0;
        if before == State::Ended {
            self.chunk.clear();
            self.state = before;
            return Ok(());
        }
        self.chunk.resize(SEALED_CHUNK_BYTES, 0);
        let read = fill(&mut self.input, &mut self.chunk)?;
        self.chunk.truncate(read);
        if read % BLOCK != 0 || (read == 0 && before == State::New) {
            return Err(PackError::Cut.into());
        }
        self.cipher.decrypt_blocks(blocks(&mut self.chunk));
        if let Some(&last) = self.chunk.last() {
            let plain = read.saturating_sub(usize::from(last));
            let padding = &self.chunk[plain..];
            let whole = (1..=BLOCK).contains(&usize::from(last))
                && padding.iter().all(|byte| *byte == last)
                && plain <= CHUNK_BYTES;
            if !whole {
                return Err(PackError::Padding.into());
            }
            self.chunk.truncate(plain);
        }
        self.state = if read == SEALED_CHUNK_BYTES {
            State::Going
        } else {
            State::Ended
        };
        Ok(())
    }
}

impl<R: Read> BufRead for Opener<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken >= self.chunk.len() {
            self.advance()?;
        }
        Ok(&self.chunk[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken = (self.taken + amount).min(self.chunk.len());
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let here = self.fill_buf()?;
        let read = here.len().min(into.len());
        into[..read].copy_from_slice(&here[..read]);
        self.consume(read);
        Ok(read)
    }
}

/// Reads until `into` is full or the input ends.
fn fill(input: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match input.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Whole blocks of bytes whose number is a multiple of a block's.
fn blocks(bytes: &mut [u8]) -> &mut [Array<u8, U16>] {
    Array::slice_as_chunks_mut(bytes).0
}
