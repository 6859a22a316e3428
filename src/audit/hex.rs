//! Hashes as lower-case hexadecimal text, for messages and for JSON.

use std::fmt;

use super::merkle::Hash;

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
    bytes_from_hex(text)?.try_into().ok()
}

/// Reads lower-case hexadecimal digits, two a byte; anything else is `None`.
#[must_use]
pub fn bytes_from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
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
    use crate::audit::merkle::HASH_BYTES;

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
