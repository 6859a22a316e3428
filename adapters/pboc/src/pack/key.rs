//! The key of a file.

use std::fmt;

use sm4::{Sm4, cipher::KeyInit as _};
use zeroize::Zeroizing;

/// The key that the centre gave to an institution: 16 characters, used directly
/// as the 128 bits of SM4 (PT; medium). Wiped on drop, never shown.
#[derive(Clone)]
pub struct FileKey(Zeroizing<[u8; 16]>);

/// A text that is no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a file key is 16 characters of ASCII, without spaces")]
pub struct KeyError;

impl FileKey {
    /// Takes a key; line ends behind it do not count.
    ///
    /// # Errors
    ///
    /// Anything but 16 visible characters of ASCII.
    pub fn parse(text: &[u8]) -> Result<Self, KeyError> {
        let end = text.iter().rposition(|byte| !b"\r\n".contains(byte));
        let text = &text[..end.map_or(0, |last| last + 1)];
        let mut key = Zeroizing::new([0; 16]);
        if text.len() != key.len() || !text.iter().all(u8::is_ascii_graphic) {
            return Err(KeyError);
        }
        key.copy_from_slice(text);
        Ok(Self(key))
    }

    pub(super) fn cipher(&self) -> Sm4 {
        Sm4::new(&(*self.0).into())
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(masked)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sixteen_visible_characters_and_does_not_show() {
        for (text, good) in [
            (&b"0123456789abcdeF"[..], true),
            (b"0123456789abcdeF\r\n", true),
            (b"0123456789abcde", false),
            (b"0123456789abcdeFG", false),
            (b"0123456789 bcdeF", false),
            (b" 123456789abcdeF", false),
            (b"\n", false),
            (b"", false),
            ("012345678测试".as_bytes(), false),
        ] {
            let key = FileKey::parse(text);
            assert_eq!(key.is_ok(), good, "{text:?}");
            if let Ok(key) = key {
                assert!(!format!("{key:?}").contains("abc"));
            }
        }
    }
}
