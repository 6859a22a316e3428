//! How files lie on the way: GZIP, then SM4 in chunks. Written from the
//! published description alone, so that the gateway's own reading meets another.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sm4::{
    Sm4,
    cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};

const CHUNK: usize = 524_288;
const BLOCK: usize = 16;

/// Seals a text.
pub(crate) fn close(text: &[u8], key: &[u8; BLOCK]) -> Vec<u8> {
    let cipher = Sm4::new(&Array(*key));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(text);
    let packed = encoder.finish().unwrap_or_default();
    let mut sealed = Vec::with_capacity(packed.len() + BLOCK);
    for chunk in packed.chunks(CHUNK) {
        let pad = BLOCK - chunk.len() % BLOCK;
        let mut plain = chunk.to_vec();
        plain.resize(chunk.len() + pad, pad as u8);
        for block in plain.chunks(BLOCK) {
            let mut bytes = Array([0; BLOCK]);
            bytes.copy_from_slice(block);
            cipher.encrypt_block(&mut bytes);
            sealed.extend_from_slice(&bytes);
        }
    }
    sealed
}

/// Opens a file, or gives the code that the centre would: ABF000 where it does
/// not decrypt, ABF001 where it does not unpack.
pub(crate) fn open(sealed: &[u8], key: &[u8; BLOCK]) -> Result<Vec<u8>, &'static str> {
    let cipher = Sm4::new(&Array(*key));
    let mut packed = Vec::with_capacity(sealed.len());
    for chunk in sealed.chunks(CHUNK + BLOCK) {
        if chunk.len() % BLOCK != 0 {
            return Err("ABF000");
        }
        let start = packed.len();
        for block in chunk.chunks(BLOCK) {
            let mut bytes = Array([0; BLOCK]);
            bytes.copy_from_slice(block);
            cipher.decrypt_block(&mut bytes);
            packed.extend_from_slice(&bytes);
        }
        let pad = packed.last().copied().map_or(0, usize::from);
        let end = packed.len().checked_sub(pad).filter(|end| *end >= start);
        match end {
            Some(end)
                if (1..=BLOCK).contains(&pad)
                    && packed[end..].iter().all(|b| usize::from(*b) == pad) =>
            {
                packed.truncate(end);
            }
            _ => return Err("ABF000"),
        }
    }
    let mut text = Vec::new();
    GzDecoder::new(&packed[..])
        .read_to_end(&mut text)
        .map_err(|_| "ABF001")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8; BLOCK] = b"0123456789abcdef";

    #[test]
    fn what_is_closed_opens_under_its_key_only() {
        let text = b"A050".repeat(1000);
        let sealed = close(&text, KEY);
        assert_eq!(open(&sealed, KEY).unwrap(), text);
        assert!(open(&sealed, b"0123456789abcdeX").is_err());
        assert_eq!(open(&sealed[..sealed.len() - 1], KEY), Err("ABF000"));
    }
}
