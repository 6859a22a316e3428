//! The other end of the exchange folder, by programs that know nothing of the
//! gateway: `openssl` for SM4, gzip for the text.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use super::site::Site;

/// A chunk of a sealed file; one of them is enough here.
const CHUNK: usize = 524_288;

/// Opens a sealed file of one chunk: its text.
pub(super) fn open(key: &[u8], sealed: &[u8]) -> String {
    assert!(sealed.len() <= CHUNK);
    let packed = sm4("-d", key, sealed);
    let mut text = String::new();
    let mut unpacking = GzDecoder::new(&packed[..]);
    unpacking.read_to_string(&mut text).unwrap();
    text
}

/// Seals a text that fits into one chunk.
pub(super) fn close(key: &[u8], text: &str) -> Vec<u8> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::default());
    packing.write_all(text.as_bytes()).unwrap();
    let packed = packing.finish().unwrap();
    assert!(packed.len() < CHUNK);
    sm4("-e", key, &packed)
}

/// `openssl enc`, whose padding is that of one chunk.
fn sm4(direction: &str, key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut openssl = Command::new("openssl")
        .args(["enc", "-sm4-ecb", direction, "-K", &hex])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = openssl.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writing = std::thread::spawn(move || input.write_all(&bytes).unwrap());
    let output = openssl.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success());
    output.stdout
}

impl Site {
    /// The key of the institution's files.
    pub(super) fn key(&self) -> Vec<u8> {
        let path = self.test.house.folder.join("keys/demo-bank-file.key");
        fs::read_to_string(path).unwrap().trim().as_bytes().to_vec()
    }

    /// Where the gateway puts a file.
    pub(super) fn out(&self, name: &str) -> PathBuf {
        let folder = self.test.house.folder.join("exchange/out");
        folder.join(format!("{name}.enc"))
    }

    /// Puts a feedback file out that answers the file `name`: flag, counts, and
    /// its lines.
    pub(super) fn answer(&self, name: &str, flag: u8, counts: (u32, u32), lines: &[String]) {
        let stem = &name[..29];
        let (accepted, rejected) = counts;
        let mut text =
            format!("A0722.0.0{stem}{flag}2.0.020261124120000{accepted:07}{rejected:07}\r\n");
        for line in lines {
            text.push_str(&format!("{line}\r\n"));
        }
        self.put(&format!("{stem}{flag}.enc"), &close(&self.key(), &text));
    }

    /// Puts bytes where the bureau puts its feedback.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let folder = self.test.house.folder.join("exchange/in");
        let part = folder.join(format!(".{name}.part"));
        fs::write(&part, bytes).unwrap();
        fs::rename(part, folder.join(name)).unwrap();
    }
}

/// A line of feedback on a line of a file.
pub(super) fn rejected(number: u32, code: &str, record: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!(
        "<Document><FbInf><ErrRecId>{number}</ErrRecId><FbErrNum>1</FbErrNum><ErrInf>\
         <FbCode>{code}</FbCode><FbMsg>0000</FbMsg></ErrInf><ErrRec>{}</ErrRec></FbInf></Document>",
        STANDARD.encode(record)
    )
}
