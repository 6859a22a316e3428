//! How files lie on the way: GZIP, then SM4 in chunks. Written from the
//! published description alone, so that the gateway's own reading meets another.
//! Both ways a chunk at a time, so that a file of a million records fits.

use std::io::{self, Read, Write};

use flate2::{Compression, write::GzEncoder};
use sm4::{
    Sm4,
    cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};

const CHUNK: usize = 524_288;
const BLOCK: usize = 16;

/// The key of an organization's files.
pub(crate) type Key = [u8; BLOCK];

/// Reads what a sealed file packs.
pub(crate) struct Opening<R> {
    sealed: R,
    cipher: Sm4,
    plain: Vec<u8>,
    given: usize,
    /// A chunk did not decrypt: ABF000 and not ABF001.
    pub(crate) broken: bool,
}

impl<R: Read> Opening<R> {
    pub(crate) fn new(sealed: R, key: &Key) -> Self {
        Self {
            sealed,
            cipher: Sm4::new(&Array(*key)),
            plain: Vec::new(),
            given: 0,
            broken: false,
        }
    }

    /// Decrypts the next chunk, if there is one.
    fn chunk(&mut self) -> io::Result<()> {
        self.given = 0;
        self.plain.clear();
        let whole = (CHUNK + BLOCK) as u64;
        (&mut self.sealed)
            .take(whole)
            .read_to_end(&mut self.plain)?;
        if self.plain.is_empty() {
            return Ok(());
        }
        for block in self.plain.chunks_exact_mut(BLOCK) {
            let mut bytes = Array([0; BLOCK]);
            bytes.copy_from_slice(block);
            self.cipher.decrypt_block(&mut bytes);
            block.copy_from_slice(&bytes);
        }
        let pad = self.plain.last().copied().map_or(0, usize::from);
        let end = self.plain.len().checked_sub(pad);
        match end {
            Some(end)
                if self.plain.len().is_multiple_of(BLOCK)
                    && (1..=BLOCK).contains(&pad)
                    && self.plain[end..].iter().all(|b| usize::from(*b) == pad) =>
            {
                self.plain.truncate(end);
                Ok(())
            }
            _ => {
                self.broken = true;
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.plain.len() {
            self.chunk()?;
        }
        let read = (&self.plain[self.given..]).read(into)?;
        self.given += read;
        Ok(read)
    }
}

/// Packs and seals what `write` writes.
pub(crate) fn close(
    key: &Key,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let closing = Closing {
        cipher: Sm4::new(&Array(*key)),
        plain: Vec::new(),
        sealed: Vec::new(),
    };
    let mut encoder = GzEncoder::new(closing, Compression::default());
    write(&mut encoder)?;
    let mut closing = encoder.finish()?;
    closing.chunk();
    Ok(closing.sealed)
}

struct Closing {
    cipher: Sm4,
    /// Less than a chunk.
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

impl Closing {
    fn chunk(&mut self) {
        if self.plain.is_empty() {
            return;
        }
        let pad = BLOCK - self.plain.len() % BLOCK;
        let padded = self.plain.len() + pad;
        self.plain.resize(padded, pad as u8);
        for block in self.plain.chunks_exact(BLOCK) {
            let mut bytes = Array([0; BLOCK]);
            bytes.copy_from_slice(block);
            self.cipher.encrypt_block(&mut bytes);
            self.sealed.extend_from_slice(&bytes);
        }
        self.plain.clear();
    }
}

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.plain.len());
        self.plain.extend_from_slice(&bytes[..taken]);
        if self.plain.len() == CHUNK {
            self.chunk();
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &Key = b"0123456789abcdef";

    fn open(sealed: &[u8], key: &Key) -> Option<Vec<u8>> {
        let mut packed = Vec::new();
        let mut opening = Opening::new(sealed, key);
        let read = opening.read_to_end(&mut packed);
        assert_eq!(read.is_err(), opening.broken);
        read.ok()?;
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&packed[..])
            .read_to_end(&mut text)
            .ok()?;
        Some(text)
    }

    #[test]
    fn what_is_closed_opens_under_its_key_only() {
        let text = b"A050".repeat(1000);
        let sealed = close(KEY, |to| to.write_all(&text)).unwrap();
        assert_eq!(open(&sealed, KEY).unwrap(), text);
        assert_eq!(open(&sealed, b"0123456789abcdeX"), None);
        assert_eq!(open(&sealed[..sealed.len() - 1], KEY), None);
    }

    #[test]
    fn every_chunk_is_padded_on_its_own() {
        // What does not compress: 600,000 bytes and more make two chunks.
        let mut state = 1_u64;
        let noise = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        let text: Vec<u8> = (0..600_000).map(noise).collect();
        let sealed = close(KEY, |to| to.write_all(&text)).unwrap();
        assert!(sealed.len() > CHUNK + BLOCK);
        assert_eq!(open(&sealed, KEY).unwrap(), text);
        assert_eq!(open(&sealed[..CHUNK], KEY), None, "half a chunk");
    }
}
