//! Subjects as entries name them: a keyed digest that erasure makes meaningless.

use std::fmt;

use ring::hmac;

use super::hex::Hex;
use super::merkle::{Hash, sha256};

/// A subject under its salt: HMAC-SHA-256(salt, identity digest).
///
/// Without the salt nobody can tell whose it is; destroying the salt is erasure.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SubjectTag(Hash);

impl SubjectTag {
    /// The tag of an identity under the subject's own random salt.
    #[must_use]
    pub fn new(salt: &[u8; 32], identity: &Hash) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&key, identity).as_ref());
        Self(tag)
    }

    /// As entries spell it.
    #[must_use]
    pub fn to_hex(&self) -> String {
        Hex(&self.0).to_string()
    }
}

impl fmt::Debug for SubjectTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectTag(masked)")
    }
}

/// The digest of an identity: SHA-256 over its normalized parts, each followed
/// by a line feed. It can be guessed from a list of people, so it is personal.
#[must_use]
pub fn identity_digest(parts: &[&str]) -> Hash {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    for part in parts {
        bytes.extend_from_slice(part.as_bytes());
        bytes.push(b'\n');
    }
    sha256(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_plain_hmac_over_plain_sha256() {
        // printf '10\nX\n' | sha256sum; openssl dgst -sha256 -mac hmac -macopt hexkey:0101...
        let identity = identity_digest(&["10", "X"]);
        assert_eq!(identity, sha256(b"10\nX\n"));
        let tag = SubjectTag::new(&[1; 32], &identity);
        assert_ne!(tag, SubjectTag::new(&[2; 32], &identity));
        assert_eq!(format!("{tag:?}"), "SubjectTag(masked)");
        assert_eq!(tag.to_hex().len(), 64);
    }

    #[test]
    fn parts_cannot_be_moved_between_one_another() {
        assert_ne!(identity_digest(&["1", "0X"]), identity_digest(&["10", "X"]));
    }
}
