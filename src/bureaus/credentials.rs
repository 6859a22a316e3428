//! Under which codes, users and passwords an institution asks at a bureau.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use jiff::civil::Date;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::platform::{
    config::bureau::MemberConfig,
    secret::{SecretError, SecretSource},
    signer::{Signer, SignerError},
};

/// What one message of an operator carries, in the bureau's own codes.
/// The password prints as `[REDACTED]`.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The institution's code at the bureau.
    pub institution_code: String,
    /// The code of the member on whose behalf it asks.
    pub originator_code: String,
    /// The institution's user.
    pub user: String,
    /// That user's password.
    pub password: SecretString,
    /// The user that stands for the operator.
    pub originator_user: String,
}

/// An institution's credentials, all of its users.
pub(super) struct Member {
    common: Credentials,
    /// The password that holds now: it changes while the line is open.
    password: ArcSwap<SecretString>,
    /// Held while it changes, so that one change is over before the next.
    pub(super) changing: Mutex<()>,
    /// Where the password stands, and the one that shall follow it.
    pub(super) files: Option<(PathBuf, PathBuf)>,
    /// For how many days a password holds, and since when the configured one.
    pub(super) lasts: Option<u16>,
    pub(super) set_on: Option<Date>,
    users: BTreeMap<String, String>,
    signer: Option<Arc<dyn Signer>>,
}

/// Why the credentials of a member cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// Its password at the bureau.
    #[error("its password")]
    Password(#[from] SecretError),
    /// Its signing key.
    #[error("its signing key")]
    Signer(#[from] SignerError),
}

impl Member {
    /// Reads password and signing key from where they stand; blocks for a moment.
    pub(super) fn load(config: &MemberConfig) -> Result<Self, MemberError> {
        let originator = config
            .originator_code
            .as_ref()
            .unwrap_or(&config.institution_code);
        let password = config.password.read()?;
        let files = match (&config.password, &config.next_password) {
            (SecretSource::File(now), Some(next)) => Some((now.clone(), next.clone())),
            _ => None,
        };
        let common = Credentials {
            institution_code: config.institution_code.clone(),
            originator_code: originator.clone(),
            user: config.user.clone(),
            password: password.clone(),
            originator_user: config.user.clone(),
        };
        Ok(Self {
            common,
            password: ArcSwap::from_pointee(password),
            changing: Mutex::default(),
            files,
            lasts: config.password_days,
            set_on: config.password_set_on,
            users: config.users.clone(),
            signer: config
                .signer
                .as_ref()
                .map(|signer| signer.load())
                .transpose()?,
        })
    }

    /// The credentials for a message of an operator or machine client.
    pub(super) fn credentials(&self, operator: &str) -> Credentials {
        let mut credentials = self.common.clone();
        credentials.password = SecretString::clone(&self.password.load());
        if let Some(user) = self.users.get(operator) {
            credentials.originator_user.clone_from(user);
        }
        credentials
    }

    /// From now on messages carry that password.
    pub(super) fn take_up(&self, password: SecretString) {
        self.password.store(Arc::new(password));
    }

    /// What signs its messages, if anything does.
    pub(super) fn signer(&self) -> Option<&dyn Signer> {
        self.signer.as_deref()
    }

    /// Its code at the bureau.
    pub(super) fn institution_code(&self) -> &str {
        &self.common.institution_code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::bureau::tests::plain;

    #[test]
    fn an_operator_asks_as_its_own_user_where_it_has_one() {
        let member = Member::load(&plain().members[0]).unwrap();
        let (one, other) = (
            member.credentials("operator-1"),
            member.credentials("operator-2"),
        );
        assert_eq!(
            (one.user.as_str(), one.originator_user.as_str()),
            ("demo", "demo-1")
        );
        assert_eq!(other.originator_user, "demo");
        assert_eq!(one.originator_code, one.institution_code);
        assert!(!format!("{one:?}").contains("p4ssword"));
    }
}
