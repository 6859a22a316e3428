//! The keys that seal: one set for each subject, one for what has no subject.

use std::fmt;

use zeroize::Zeroizing;

use super::cipher::{Cipher, CipherError, Key, Place};

/// The data key and the salt of one subject. Lives as short as may be: while
/// one exists in memory, an erased subject's fields can still be opened.
#[derive(Clone)]
pub struct SubjectKeys {
    cipher: Cipher,
    data: Key,
    salt: Key,
}

/// The version of every data key: a subject has but one in its life.
const DATA_VERSION: u32 = 1;

impl SubjectKeys {
    pub(super) fn random(cipher: Cipher) -> Result<Self, CipherError> {
        Ok(Self {
            cipher,
            data: Key::random()?,
            salt: Key::random()?,
        })
    }

    /// What is wrapped under the master key.
    pub(super) fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut bytes = Zeroizing::new([0; 64]);
        bytes[..32].copy_from_slice(self.data.expose());
        bytes[32..].copy_from_slice(self.salt.expose());
        bytes
    }

    pub(super) fn from_bytes(cipher: Cipher, bytes: &[u8]) -> Option<Self> {
        let (data, salt) = bytes.split_at_checked(32)?;
        Some(Self {
            cipher,
            data: Key::from_slice(data)?,
            salt: Key::from_slice(salt)?,
        })
    }

    /// Seals a field for its place.
    ///
    /// # Errors
    ///
    /// [`CipherError::Random`].
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        self.data.seal(self.cipher, DATA_VERSION, place, plain)
    }

    /// Opens a field of this subject at its place.
    ///
    /// # Errors
    ///
    /// [`CipherError::Unreadable`].
    pub fn open(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        self.data.open(place, sealed)
    }

    /// The salt, for an evidence bundle whose reader may know whom it is about.
    #[must_use]
    pub fn expose_salt(&self) -> &[u8; 32] {
        self.salt.expose()
    }

    /// The data key, for an evidence bundle whose reader may read the payload.
    /// It opens everything that is sealed for this subject.
    #[must_use]
    pub fn expose_data_key(&self) -> &[u8; 32] {
        self.data.expose()
    }
}

impl fmt::Debug for SubjectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKeys(masked)")
    }
}

/// The key of what has no subject: lists of a bureau, texts of policies.
#[derive(Clone)]
pub struct HouseKeys {
    cipher: Cipher,
    key: Key,
}

impl HouseKeys {
    pub(super) fn new(cipher: Cipher, key: Key) -> Self {
        Self { cipher, key }
    }

    /// Seals a field for its place.
    ///
    /// # Errors
    ///
    /// [`CipherError::Random`].
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        self.key.seal(self.cipher, DATA_VERSION, place, plain)
    }

    /// Opens a field at its place.
    ///
    /// # Errors
    ///
    /// [`CipherError::Unreadable`].
    pub fn open(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        self.key.open(place, sealed)
    }
}

impl fmt::Debug for HouseKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HouseKeys(masked)")
    }
}
