//! Submission files as a test makes them, and feedback files as it reads them.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sm4::{
    Sm4,
    cipher::{Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};

pub(crate) const KEY: [u8; 16] = *b"demo0123456789ab";
pub(crate) const ORG: &str = "T99999999H0001";

/// The name of a file of that record type on June 1, 2026.
pub(crate) fn name(record: &str, serial: u32) -> String {
    format!("{ORG}20260601{record}0{serial:03}0")
}

/// A file of these records, sealed.
pub(crate) fn sealed(record: &str, lines: &[String]) -> Vec<u8> {
    let template = if record == "110" { "10" } else { "  " };
    let count = lines.len();
    let mut text = format!("A050{record}2.0.0{template}{ORG}202606011000000{count:07}\r\n");
    for line in lines {
        text.push_str(line.trim());
        text.push_str("\r\n");
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let cipher = Sm4::new(&Array(KEY));
    let mut sealed = Vec::new();
    for chunk in packed.chunks(524_288) {
        let mut bytes = chunk.to_vec();
        let pad = 16 - bytes.len() % 16;
        bytes.resize(bytes.len() + pad, pad as u8);
        for block in bytes.chunks(16) {
            let mut one = Array([0; 16]);
            one.copy_from_slice(block);
            cipher.encrypt_block(&mut one);
            sealed.extend_from_slice(&one);
        }
    }
    sealed
}

/// The text of a sealed file.
pub(crate) fn opened(sealed: &[u8]) -> String {
    let cipher = Sm4::new(&Array(KEY));
    let mut packed = Vec::new();
    for chunk in sealed.chunks(524_304) {
        let mut bytes = chunk.to_vec();
        for block in bytes.chunks_mut(16) {
            let mut one = Array([0; 16]);
            one.copy_from_slice(block);
            cipher.decrypt_block(&mut one);
            block.copy_from_slice(&one);
        }
        let pad = usize::from(bytes[bytes.len() - 1]);
        packed.extend_from_slice(&bytes[..bytes.len() - pad]);
    }
    let mut text = String::new();
    GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// A new loan, with its own account.
pub(crate) fn loan(number: u32) -> String {
    let sample = include_str!("../../../schemas/testdata/pboc-submit-personal/210.xml");
    sample.replace("DK2024000001", &format!("DK{number:010}"))
}
