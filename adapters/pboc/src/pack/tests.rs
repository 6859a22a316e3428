//! Other eyes than ours: openssl opens what is sealed here, chunk by chunk, and
//! gzip unpacks it; and the other way about.

use std::{
    io::{Cursor, Read as _, Write as _},
    process::{Command, Stdio},
};

use proptest::prelude::*;

use super::*;

const KEY: &[u8; 16] = b"demo-0123456789k";

fn key() -> FileKey {
    FileKey::parse(KEY).unwrap()
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        })
        .collect()
}

fn program(name: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name} is needed for this test: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let write = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    write.join().unwrap().unwrap();
    assert!(
        output.status.success(),
        "{name} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn openssl(direction: &str, input: &[u8]) -> Vec<u8> {
    let hex: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    program(
        "openssl",
        &["enc", direction, "-sm4-ecb", "-K", &hex],
        input,
    )
}

/// As the centre's reader is described: 524,304 bytes at a time.
fn openssl_opens(sealed: &[u8]) -> Vec<u8> {
    sealed
        .chunks(524_304)
        .flat_map(|chunk| openssl("-d", chunk))
        .collect()
}

fn seal(plain: &[u8]) -> Vec<u8> {
    let mut sealer = Sealer::new(Vec::new(), &key());
    sealer.write_all(plain).unwrap();
    sealer.finish().unwrap()
}

fn open(sealed: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    Opener::new(sealed, &key()).read_to_end(&mut plain)?;
    Ok(plain)
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new(), &key());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn unpacked(sealed: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    unpack(sealed, &key()).read_to_end(&mut text)?;
    Ok(text)
}

fn defect<T: std::fmt::Debug>(result: io::Result<T>) -> Option<PackError> {
    PackError::of(&result.unwrap_err())
}

#[test]
fn openssl_opens_what_is_sealed_and_seals_what_opens() {
    for (length, sealed_length) in [
        (0, 16),
        (1, 16),
        (15, 16),
        (16, 32),
        (CHUNK_BYTES - 1, CHUNK_BYTES),
        (CHUNK_BYTES, CHUNK_BYTES + 16),
        (CHUNK_BYTES + 1, CHUNK_BYTES + 32),
        (600_000, 600_032),
        (2 * CHUNK_BYTES, 2 * SEALED_CHUNK_BYTES),
    ] {
        let plain = noise(length);
        let sealed = seal(&plain);
        assert_eq!(sealed.len(), sealed_length, "{length}");
        assert!(openssl_opens(&sealed) == plain, "{length}");
        let theirs: Vec<u8> = match length {
            0 => openssl("-e", b""),
            _ => plain
                .chunks(CHUNK_BYTES)
                .flat_map(|chunk| openssl("-e", chunk))
                .collect(),
        };
        assert!(theirs == sealed, "{length}");
        assert!(open(&theirs).unwrap() == plain, "{length}");
    }
}

#[test]
fn gzip_unpacks_what_openssl_opened() {
    let text = "<Document>测试甲</Document>\r\n"
        .repeat(50_000)
        .into_bytes();
    let sealed = pack(&text);
    let packed = openssl_opens(&sealed);
    assert_eq!(packed[..2], [0x1f, 0x8b]);
    // RFC 1952, 2.3.1: no flags (so no name), no time.
    assert_eq!(packed[3..8], [0; 5]);
    assert!(program("gzip", &["-dc"], &packed) == text);
    let theirs = program("gzip", &["-nc"], &text);
    assert!(unpacked(&seal(&theirs)).unwrap() == text);
}

#[test]
fn the_same_text_gives_the_same_bytes_however_it_is_written() {
    let text = noise(3 * CHUNK_BYTES / 2);
    let whole = pack(&text);
    let mut packer = Packer::new(Vec::new(), &key());
    for part in text.chunks(777) {
        packer.write_all(part).unwrap();
        packer.flush().unwrap();
    }
    assert!(packer.finish().unwrap() == whole);
    assert!(unpacked(&whole).unwrap() == text);
}

#[test]
fn an_empty_chunk_at_the_end_is_accepted() {
    let plain = noise(CHUNK_BYTES);
    let mut sealed = seal(&plain);
    sealed.extend(openssl("-e", b""));
    assert!(open(&sealed).unwrap() == plain);
}

#[test]
fn what_is_damaged_is_named() {
    let text = noise(CHUNK_BYTES + 1000);
    let sealed = pack(&text);
    let mut packed = openssl_opens(&sealed);
    let other = FileKey::parse(b"demo-another-key").unwrap();
    let mut nothing = Vec::new();
    let read = unpack(&sealed[..], &other).read_to_end(&mut nothing);
    assert_eq!(defect(read), Some(PackError::Padding));
    assert_eq!(defect(unpacked(b"")), Some(PackError::Cut));
    for (cut, expected) in [
        (1, PackError::Cut),
        // A block less: what is now last is no padding.
        (16, PackError::Padding),
        // The second chunk is gone.
        (sealed.len() - SEALED_CHUNK_BYTES, PackError::Gzip),
    ] {
        let short = &sealed[..sealed.len() - cut];
        assert_eq!(defect(unpacked(short)), Some(expected), "{cut}");
    }
    let mut damaged = sealed.clone();
    damaged[1000] ^= 1;
    assert_eq!(defect(unpacked(&damaged)), Some(PackError::Gzip));
    assert_eq!(defect(unpacked(&seal(&text))), Some(PackError::Gzip));
    assert_eq!(defect(unpacked(&seal(b""))), Some(PackError::Gzip));
    packed.push(0);
    assert_eq!(defect(unpacked(&seal(&packed))), Some(PackError::Trailing));
    assert_eq!(PackError::Padding.code(), "ABF000");
    assert_eq!(PackError::Trailing.code(), "ABF001");
}

/// One call over everything is not the mandated form beyond one chunk.
#[test]
fn an_ordinary_call_over_several_chunks_does_not_open() {
    let sealed = openssl("-e", &noise(2 * CHUNK_BYTES));
    assert_eq!(defect(open(&sealed)), Some(PackError::Padding));
}

#[test]
fn an_error_of_the_stream_below_comes_out_as_it_is() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let sealed = pack(&noise(2 * CHUNK_BYTES));
    let half = Cursor::new(&sealed[..SEALED_CHUNK_BYTES]).chain(Broken);
    let error = unpack(half, &key()).read_to_end(&mut Vec::new());
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::PermissionDenied);

    struct Full(usize);
    impl io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sealer = Sealer::new(Full(1), &key());
    let error = sealer.write_all(&noise(3 * CHUNK_BYTES)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(sealer.finish().is_err(), "it goes on after a failed write");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_packed_unpacks(text: Vec<u8>) {
        prop_assert_eq!(unpacked(&pack(&text)).unwrap(), text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = unpacked(&bytes);
        let _ = unpacked(&seal(&bytes));
    }

    #[test]
    fn a_changed_byte_gives_no_text(at: prop::sample::Index, change in 1u8..) {
        let text = noise(5000);
        let mut sealed = pack(&text);
        let at = at.index(sealed.len());
        sealed[at] ^= change;
        // Time, flags and system of the GZIP header lie under no checksum.
        prop_assert!(unpacked(&sealed).map_or(true, |read| at < 16 && read == text));
    }
}
