//! Hashes as lower-case hexadecimal text, for messages and for JSON.

use std::fmt;

use super::merkle::{HASH_BYTES, Hash};

/// Bytes shown as lower-case hexadecimal text.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Reads the 64 lower-case hexadecimal digits of one hash; anything else is `None`.
#[must_use]
pub fn hash_from_hex(text: &str) -> Option<Hash> {
    let digits = text.as_bytes().as_chunks::<2>();
    if !digits.1.is_empty() || digits.0.len() != HASH_BYTES {
        return None;
    }
    let mut hash = [0; HASH_BYTES];
    for (byte, [high, low]) in hash.iter_mut().zip(digits.0) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(hash)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_back_only_in_its_one_form() {
        let hash = [0x5a; HASH_BYTES];
        let text = Hex(&hash).to_string();
        assert_eq!(hash_from_hex(&text), Some(hash));
        for wrong in [&text[1..], &text.to_uppercase(), &format!("{text}0"), ""] {
            assert_eq!(hash_from_hex(wrong), None, "{wrong}");
        }
    }
}
