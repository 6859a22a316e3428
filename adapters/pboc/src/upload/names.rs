//! Names of files, and the words of an acknowledgment.

/// The feedback files among names, without their ending; in order, each once.
/// An ending may be missing. Anything else in the folder is none of ours.
pub(super) fn feedback(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = (names.into_iter())
        .filter_map(|name| {
            let bare = name.strip_suffix(".enc").unwrap_or(&name);
            is_feedback(bare).then(|| bare.to_owned())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Whether it is the name of a feedback file: 14 letters or digits of the
/// organization, the day, the record type, `0`, a serial number, and the flag
/// 1, 2 or 3. So it holds no separator and no dot.
pub(super) fn is_feedback(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() == 30
        && bytes[..14].iter().all(u8::is_ascii_alphanumeric)
        && bytes[14..].iter().all(u8::is_ascii_digit)
        && bytes[25] == b'0'
        && (b'1'..=b'3').contains(&bytes[29])
}

/// The SHA-256 that a text spells in 64 hexadecimal digits.
pub(super) fn digest(text: &[u8]) -> Option<[u8; 32]> {
    let text = text.trim_ascii_end();
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(digest)
}

/// A code of the centre: six capital letters and digits.
pub(super) fn code(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text.trim_ascii_end()).ok()?;
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    (text.len() == 6 && text.bytes().all(plain)).then_some(text)
}
