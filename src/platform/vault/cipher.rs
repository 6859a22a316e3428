//! Authenticated encryption of one field.
//!
//! # Promise
//!
//! What is sealed opens under the same key, at the same [`Place`], and nowhere
//! else. The first six bytes of a sealed field say how: format, algorithm, key
//! version (big endian); then come the nonce, the ciphertext and its tag. All
//! of the head and the place are authenticated.
//!
//! Nonces are 96 random bits. A collision under one key stays less likely than
//! 2^-32 up to 2^32 fields (NIST SP 800-38D, 8.3), which no key here nears: each
//! subject has one of its own.
//!
//! # Failure
//!
//! [`CipherError::Unreadable`] tells nothing apart: wrong key, wrong place,
//! changed bytes.

use std::fmt;

use aes_gcm::{
    AesGcm,
    aead::{AeadInOut as _, KeyInit as _, consts::U12},
};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use sm4::Sm4;
use zeroize::Zeroizing;

/// The cipher of new fields; old ones are opened by what their head says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cipher {
    /// AES-256-GCM.
    #[default]
    Aes256Gcm,
    /// SM4-GCM (GB/T 32907, RFC 8998), where national algorithms are asked for.
    /// In software, by table: slower, and with no promise of constant time.
    Sm4Gcm,
}

/// Where a field stands: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// Its column.
    pub column: &'static str,
    /// The primary key of its row.
    pub row: &'a str,
}

/// Why a field cannot be sealed or opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CipherError {
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// Wrong key, wrong place, or changed bytes.
    #[error("a sealed field cannot be opened: wrong key, wrong place or changed bytes")]
    Unreadable,
}

/// A key of 256 random bits, wiped when dropped.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; 32]>);

const FORMAT: u8 = 1;
const HEAD: usize = 6;
const NONCE: usize = 12;
const TAG: usize = 16;

impl Key {
    /// A new random one.
    pub(super) fn random() -> Result<Self, CipherError> {
        let mut key = Zeroizing::new([0; 32]);
        SystemRandom::new()
            .fill(key.as_mut())
            .map_err(|_| CipherError::Random)?;
        Ok(Self(key))
    }

    /// The key that these bytes are; `None` unless 32.
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        (bytes.len() == key.len()).then(|| key.copy_from_slice(bytes))?;
        Some(Self(key))
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA-256 under this key.
    pub(super) fn mac(&self, bytes: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0[..]);
        let mut mac = [0; 32];
        mac.copy_from_slice(hmac::sign(&key, bytes).as_ref());
        mac
    }

    /// Seals `plain` for its place; `version` is that of this key.
    pub(super) fn seal(
        &self,
        cipher: Cipher,
        version: u32,
        place: &Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        let mut head = [0; HEAD];
        head[0] = FORMAT;
        head[1] = cipher.code();
        head[2..].copy_from_slice(&version.to_be_bytes());
        let mut nonce = [0; NONCE];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| CipherError::Random)?;
        // Room for all: plain bytes are overwritten in place, never moved.
        let mut sealed = Vec::with_capacity(HEAD + NONCE + plain.len() + TAG);
        sealed.extend_from_slice(&head);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = self.encrypt(
            cipher,
            nonce,
            &associated(&head, place),
            &mut sealed[HEAD + NONCE..],
        )?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what was sealed for `place`.
    pub(super) fn open(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let (head, rest) = sealed
            .split_at_checked(HEAD)
            .ok_or(CipherError::Unreadable)?;
        let (nonce, rest) = rest
            .split_at_checked(NONCE)
            .ok_or(CipherError::Unreadable)?;
        let cipher = match head {
            [FORMAT, code, ..] => Cipher::of_code(*code),
            _ => None,
        }
        .ok_or(CipherError::Unreadable)?;
        let nonce = nonce.try_into().map_err(|_| CipherError::Unreadable)?;
        let mut bytes = Zeroizing::new(rest.to_vec());
        let length = self.decrypt(cipher, nonce, &associated(head, place), &mut bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    fn encrypt(
        &self,
        cipher: Cipher,
        nonce: [u8; NONCE],
        associated: &[u8],
        bytes: &mut [u8],
    ) -> Result<[u8; TAG], CipherError> {
        let mut out = [0; TAG];
        match cipher {
            Cipher::Aes256Gcm => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                let tag = self
                    .aes()?
                    .seal_in_place_separate_tag(nonce, Aad::from(associated), bytes)
                    .map_err(|_| CipherError::Unreadable)?;
                out.copy_from_slice(tag.as_ref());
            }
            Cipher::Sm4Gcm => {
                let tag = self
                    .sm4()
                    .encrypt_inout_detached(&nonce.into(), associated, bytes.into())
                    .map_err(|_| CipherError::Unreadable)?;
                out.copy_from_slice(&tag);
            }
        }
        Ok(out)
    }

    /// The length of the plain bytes, which then stand at the beginning.
    fn decrypt(
        &self,
        cipher: Cipher,
        nonce: [u8; NONCE],
        associated: &[u8],
        bytes: &mut [u8],
    ) -> Result<usize, CipherError> {
        match cipher {
            Cipher::Aes256Gcm => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                let plain = self
                    .aes()?
                    .open_in_place(nonce, Aad::from(associated), bytes)
                    .map_err(|_| CipherError::Unreadable)?;
                Ok(plain.len())
            }
            Cipher::Sm4Gcm => {
                let length = bytes
                    .len()
                    .checked_sub(TAG)
                    .ok_or(CipherError::Unreadable)?;
                let (body, tag) = bytes.split_at_mut(length);
                let tag: [u8; TAG] = (&*tag).try_into().map_err(|_| CipherError::Unreadable)?;
                self.sm4()
                    .decrypt_inout_detached(&nonce.into(), associated, body.into(), &tag.into())
                    .map_err(|_| CipherError::Unreadable)?;
                Ok(length)
            }
        }
    }

    fn aes(&self) -> Result<LessSafeKey, CipherError> {
        let key =
            UnboundKey::new(&AES_256_GCM, &self.0[..]).map_err(|_| CipherError::Unreadable)?;
        Ok(LessSafeKey::new(key))
    }

    /// SM4 has keys of 128 bits, and no key serves two algorithms: its key is
    /// the first half of an HMAC under this one.
    fn sm4(&self) -> AesGcm<Sm4, U12> {
        let derived = Zeroizing::new(self.mac(b"creditgate sm4-gcm"));
        let mut half = Zeroizing::new([0; 16]);
        half.copy_from_slice(&derived[..16]);
        AesGcm::new(&(*half).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(masked)")
    }
}

impl Cipher {
    fn code(self) -> u8 {
        match self {
            Self::Aes256Gcm => 1,
            Self::Sm4Gcm => 2,
        }
    }

    fn of_code(code: u8) -> Option<Self> {
        [Self::Aes256Gcm, Self::Sm4Gcm]
            .into_iter()
            .find(|cipher| cipher.code() == code)
    }
}

/// The key version in the head of a sealed field.
pub(super) fn version(sealed: &[u8]) -> Option<u32> {
    let bytes = sealed.get(2..HEAD)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Head and place. Names of tables and columns hold no zero byte.
fn associated(head: &[u8], place: &Place<'_>) -> Vec<u8> {
    let mut bytes = head.to_vec();
    for name in [place.table, place.column] {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
    }
    bytes.extend_from_slice(place.row.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HERE: Place<'static> = Place {
        table: "answers",
        column: "sealed",
        row: "1",
    };
    const CIPHERS: [Cipher; 2] = [Cipher::Aes256Gcm, Cipher::Sm4Gcm];

    proptest! {
        #[test]
        fn what_is_sealed_opens(plain: Vec<u8>, sm4: bool, version: u32) {
            let key = Key::random().unwrap();
            let sealed = key.seal(CIPHERS[usize::from(sm4)], version, &HERE, &plain).unwrap();
            prop_assert_eq!(super::version(&sealed), Some(version));
            prop_assert_eq!(&*key.open(&HERE, &sealed).unwrap(), &plain);
        }

        #[test]
        fn a_changed_bit_opens_nothing(sm4: bool, at in 0usize..43, bit in 0u8..8) {
            let key = Key::random().unwrap();
            let mut sealed = key.seal(CIPHERS[usize::from(sm4)], 7, &HERE, b"123456789").unwrap();
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(key.open(&HERE, &sealed).err(), Some(CipherError::Unreadable));
            prop_assert_eq!(key.open(&HERE, &sealed[..at]).err(), Some(CipherError::Unreadable));
        }
    }

    #[test]
    fn a_field_opens_at_its_own_place_only() {
        let cases = [
            ("another row", Place { row: "2", ..HERE }),
            ("a longer row", Place { row: "11", ..HERE }),
            (
                "another column",
                Place {
                    column: "other",
                    ..HERE
                },
            ),
            (
                "another table",
                Place {
                    table: "other",
                    ..HERE
                },
            ),
            (
                "names run together",
                Place {
                    table: "answerss",
                    column: "ealed",
                    row: "1",
                },
            ),
        ];
        for cipher in CIPHERS {
            let key = Key::random().unwrap();
            let sealed = key.seal(cipher, 1, &HERE, b"x").unwrap();
            assert!(key.open(&HERE, &sealed).is_ok());
            for (name, place) in &cases {
                assert!(key.open(place, &sealed).is_err(), "{cipher:?}: {name}");
            }
            let other = Key::random().unwrap();
            assert!(other.open(&HERE, &sealed).is_err(), "{cipher:?}: other key");
        }
    }

    #[test]
    fn two_seals_of_one_text_differ() {
        let key = Key::random().unwrap();
        let seal = || key.seal(Cipher::Aes256Gcm, 1, &HERE, b"x").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn sm4_gcm_agrees_with_rfc_8998_appendix_a_1() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
                .collect()
        };
        let key: [u8; 16] = hex("0123456789ABCDEFFEDCBA9876543210").try_into().unwrap();
        let nonce: [u8; 12] = hex("00001234567800000000ABCD").try_into().unwrap();
        let associated = hex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2");
        let mut bytes = hex(concat!(
            "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD",
            "EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"
        ));
        let cipher = AesGcm::<Sm4, U12>::new(&key.into());
        let tag = cipher
            .encrypt_inout_detached(&nonce.into(), &associated, bytes.as_mut_slice().into())
            .unwrap();
        assert_eq!(
            bytes,
            hex(concat!(
                "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735",
                "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
            ))
        );
        assert_eq!(tag.to_vec(), hex("83DE3541E4C2B58177E065A9BF7B62EC"));
    }
}
