//! Bearer tokens of people.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::SecureRandom;
use zeroize::Zeroizing;

use crate::platform::digest;

/// Random bytes in a token: 256 bits, so that its plain SHA-256 can be kept.
const BYTES: usize = 32;

/// A bearer token: 43 characters of URL-safe Base64. Wiped on drop.
pub struct Token(Zeroizing<String>);

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the system gave no random bytes for a token")]
pub struct TokenError;

impl Token {
    /// A new token.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, TokenError> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        random.fill(&mut *bytes).map_err(|_| TokenError)?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))))
    }

    /// The text, for the one time that it is shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(masked)")
    }
}

/// The digest under which a token that somebody presents would be kept.
pub(super) fn sha256(presented: &str) -> [u8; 32] {
    digest::sha256(presented.as_bytes())
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    #[test]
    fn a_token_holds_256_random_bits_and_shows_none_of_them() {
        let token = Token::generate(&SystemRandom::new()).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(token.expose()).unwrap().len(), BYTES);
        assert_eq!(format!("{token:?}"), "Token(masked)");
        let other = Token::generate(&SystemRandom::new()).unwrap();
        assert_ne!(token.sha256(), other.sha256());
    }
}
