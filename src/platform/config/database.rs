//! Where the database is.

use std::fmt::Write as _;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::platform::secret::{SecretError, SecretSource};

/// The database, as configuration names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:PATH`, or `postgres://user@host:port/name?sslmode=verify-full`.
    pub address: String,
    /// The password of the PostgreSQL user.
    #[serde(default)]
    pub password: Option<SecretSource>,
}

impl DatabaseConfig {
    /// The address with its password, for `Db::open`.
    ///
    /// # Errors
    ///
    /// See [`SecretError`].
    pub fn full_address(&self) -> Result<SecretString, SecretError> {
        let Some(source) = &self.password else {
            return Ok(self.address.clone().into());
        };
        let password = source.read()?;
        let mark = if self.address.contains('?') { '&' } else { '?' };
        let mut address = zeroize::Zeroizing::new(format!("{}{mark}password=", self.address));
        for byte in password.expose_secret().bytes() {
            // Writing to a String does not fail.
            let _ = write!(address, "%{byte:02X}");
        }
        Ok(SecretString::from(address.as_str()))
    }

    /// The path of a SQLite database.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&str> {
        self.address.strip_prefix("sqlite:")
    }

    /// The part of a PostgreSQL address between `//` and the path.
    pub(super) fn postgres_authority(&self) -> Option<&str> {
        let (scheme, rest) = self.address.split_once("://")?;
        let rest = matches!(scheme, "postgres" | "postgresql").then_some(rest)?;
        rest.split(['/', '?']).next()
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

    use super::*;

    #[test]
    fn a_password_of_any_characters_is_carried_in_the_address() {
        for address in ["postgres://u@h:1/n", "postgres://u@h:1/n?sslmode=disable"] {
            let config = DatabaseConfig {
                address: address.to_owned(),
                password: Some(SecretSource::Value("p&%=密 /?#".into())),
            };
            let full = config.full_address().unwrap();
            let options: PgConnectOptions = full.expose_secret().parse().unwrap();
            let again = options.to_url_lossy();
            let plain: PgConnectOptions = address.parse().unwrap();
            let plain = plain.password("p&%=密 /?#").to_url_lossy();
            assert_eq!(again, plain);
            assert!(!format!("{config:?}").contains("p&"));
        }
    }
}
