//! Subjects as entries name them: a keyed digest that erasure makes meaningless.

use std::fmt;

use ring::hmac;

use super::{hex::Hex, merkle::Hash};
use crate::platform::{identity::Document, vault::SubjectKeys};

/// A subject under its salt: HMAC-SHA-256(salt, [`Document::sha256`]).
///
/// Without the salt nobody can tell whose it is; destroying the salt is erasure.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SubjectTag(Hash);

impl SubjectTag {
    /// The tag of whoever has these keys and this document.
    #[must_use]
    pub fn of(keys: &SubjectKeys, who: &impl AsRef<Document>) -> Self {
        Self::new(keys.expose_salt(), &who.as_ref().sha256())
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::merkle::sha256;

    #[test]
    fn a_tag_is_plain_hmac_over_plain_sha256() {
        // printf '10\nX\n' | sha256sum; openssl dgst -sha256 -mac hmac -macopt hexkey:0101...
        let identity = sha256(b"10\nX\n");
        let tag = SubjectTag::new(&[1; 32], &identity);
        assert_ne!(tag, SubjectTag::new(&[2; 32], &identity));
        assert_eq!(format!("{tag:?}"), "SubjectTag(masked)");
        assert_eq!(tag.to_hex().len(), 64);
    }
}
