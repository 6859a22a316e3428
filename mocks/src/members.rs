//! The institutions that the bureau knows.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use sm2::{PublicKey, dsa::VerifyingKey, pkcs8::DecodePublicKey as _};
use sm3::{Digest as _, Sm3};

/// An institution with its users. `Debug` shows the code only.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Institution code, 14 characters.
    pub code: String,
    /// Its users at the bureau.
    pub users: Vec<User>,
    /// SM2 public key, `SubjectPublicKeyInfo` PEM, against which its messages
    /// are verified; without it a signature must be there but may be any.
    #[serde(default)]
    pub signing_key_pem: Option<String>,
    /// Codes of the institutions for which it may ask.
    #[serde(default)]
    pub acts_for: Vec<String>,
}

/// A user of an institution at the bureau.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its code.
    pub code: String,
    /// Its password, in clear.
    pub password: String,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// The register of members; an empty one knows everybody.
pub(crate) struct Members {
    all: Vec<(Member, Option<VerifyingKey>)>,
    /// Passwords that were changed, by institution and user.
    changed: Mutex<BTreeMap<(String, String), String>>,
}

impl Members {
    /// `None` if a key is not readable.
    pub(crate) fn new(members: Vec<Member>) -> Option<Self> {
        let with_key = |member: Member| {
            let key = match &member.signing_key_pem {
                Some(pem) => {
                    let key = PublicKey::from_public_key_pem(pem).ok()?;
                    Some(VerifyingKey::new(DISTINGUISHED_ID, key).ok()?)
                }
                None => None,
            };
            Some((member, key))
        };
        Some(Self {
            all: members.into_iter().map(with_key).collect::<Option<_>>()?,
            changed: Mutex::default(),
        })
    }

    /// The password that holds now.
    fn password(&self, code: &str, user: &str) -> Option<String> {
        let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = changed.get(&(code.to_owned(), user.to_owned())).cloned();
        known.or_else(|| Some(self.user(code, user)?.password.clone()))
    }

    /// Whether that is the user's password.
    pub(crate) fn holds(&self, code: &str, user: &str, password: &str) -> bool {
        self.all.is_empty() || self.password(code, user).is_some_and(|it| it == password)
    }

    /// From now on that is the user's password.
    pub(crate) fn change(&self, code: &str, user: &str, password: &str) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.insert((code.to_owned(), user.to_owned()), password.to_owned());
    }

    pub(crate) fn key(&self, code: &str) -> Option<&VerifyingKey> {
        self.find(code)?.1.as_ref()
    }

    pub(crate) fn knows(&self, code: &str) -> bool {
        self.all.is_empty() || self.find(code).is_some()
    }

    pub(crate) fn knows_user(&self, code: &str, user: &str) -> bool {
        self.all.is_empty() || self.user(code, user).is_some()
    }

    /// `digest` is the SM3 of the user's password in hexadecimal, of either case.
    pub(crate) fn admits(&self, code: &str, user: &str, digest: &str) -> bool {
        self.all.is_empty()
            || self.password(code, user).is_some_and(|password| {
                let expected = Sm3::digest(password.as_bytes());
                let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
                digest.eq_ignore_ascii_case(&expected)
            })
    }

    pub(crate) fn may_ask_for(&self, code: &str, originator: &str) -> bool {
        self.all.is_empty()
            || code == originator
            || self
                .find(code)
                .is_some_and(|(member, _)| member.acts_for.iter().any(|other| other == originator))
    }

    fn find(&self, code: &str) -> Option<&(Member, Option<VerifyingKey>)> {
        self.all.iter().find(|(member, _)| member.code == code)
    }

    fn user(&self, code: &str, user: &str) -> Option<&User> {
        self.find(code)?.0.users.iter().find(|one| one.code == user)
    }
}

/// The signer's identifier that GB/T 32918 signatures use by default (GM/T 0009).
const DISTINGUISHED_ID: &str = "1234567812345678";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_comes_as_its_sm3_in_hexadecimal() {
        let user = User {
            code: "user".to_owned(),
            password: "口令".to_owned(),
        };
        let member = Member {
            code: "Z99990000H0001".to_owned(),
            users: vec![user],
            signing_key_pem: None,
            acts_for: Vec::new(),
        };
        let members = Members::new(vec![member]).unwrap();
        // printf 口令 | openssl dgst -sm3
        let digest = "0d13e6a7ace9bc8fe218517b4b527151c41f7b76d8d4182f0b1402720f4ba3d2";
        let admits = |digest: &str| members.admits("Z99990000H0001", "user", digest);
        assert!(admits(digest) && admits(&digest.to_uppercase()));
        assert!(!admits("口令") && !admits(&digest[1..]));
    }

    #[test]
    fn a_key_that_is_none_stops_the_start() {
        let member = Member {
            code: "Z99990000H0001".to_owned(),
            users: Vec::new(),
            signing_key_pem: Some("no key".to_owned()),
            acts_for: Vec::new(),
        };
        assert!(Members::new(vec![member]).is_none());
    }
}
