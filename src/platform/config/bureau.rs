//! A bureau and the line to it, as configuration names them.

mod hours;
mod limits;
mod submission;
mod validate;

use std::{collections::BTreeMap, path::PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::signer::SignerConfig;
use crate::platform::secret::SecretSource;

pub use hours::{HoursConfig, Window};
pub use limits::{BreakerConfig, LimitsConfig, RetryConfig, ScopeLimits, TimeoutsConfig};
pub use submission::{FileTransport, ReporterConfig, SealConfig, SubmissionConfig};
pub use validate::authority;

/// A bureau: what it is, how it is reached, and what it may be asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BureauConfig {
    /// Our identifier of it: lower-case letters, digits and `-`.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// The dialect it speaks, by name of the adapter: `pboc`.
    pub adapter: String,
    /// Where to connect: `host:port`, also `[v6]:port`.
    pub address: String,
    /// Path before every path of the dialect; empty or `/…` without a last `/`.
    #[serde(default)]
    pub base_path: String,
    /// How the way is protected.
    pub transport: Transport,
    /// Whether it is a mock; a production profile refuses it.
    #[serde(default)]
    pub mock: bool,
    /// Under which title it does credit reporting (QR-06).
    pub licence: LicenceConfig,
    /// When it answers; always, unless said otherwise.
    #[serde(default)]
    pub hours: HoursConfig,
    /// How much it may be asked.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// When to stop asking a line that fails.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// Repetition of what provably was not sent.
    #[serde(default)]
    pub retry: RetryConfig,
    /// How long to wait for what.
    #[serde(default)]
    pub timeouts: TimeoutsConfig,
    /// What the contract with the bureau says of a product, by our name of it,
    /// where it differs from what the dialect takes for granted.
    #[serde(default)]
    pub products: BTreeMap<String, ProductConfig>,
    /// The institutions that may ask it, each with its credentials.
    #[serde(default)]
    pub members: Vec<MemberConfig>,
    /// How submission files reach it, if any do.
    #[serde(default)]
    pub submission: Option<SubmissionConfig>,
}

/// How the way to a bureau is protected.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transport {
    /// TLS, both ends show a certificate.
    Mtls {
        /// The name that the bureau's certificate must carry, whatever the address.
        server_name: String,
        /// PEM file of the only authorities trusted for this bureau.
        ca: PathBuf,
        /// PEM file of our certificate and those between it and its authority.
        certificate: PathBuf,
        /// PEM file of its private key.
        key: PathBuf,
    },
    /// No TLS, inside a private network. An exception with an owner and an end.
    PlainInVpn {
        /// Why there is no TLS.
        reason: String,
        /// Who answers for it.
        owner: String,
        /// The last day on which it may be used.
        #[serde(deserialize_with = "date")]
        until: Date,
    },
    /// TLS, only the bureau shows a certificate.
    Tls {
        /// The name that the bureau's certificate must carry, whatever the address.
        server_name: String,
        /// PEM file of the only authorities trusted for this bureau.
        ca: PathBuf,
    },
}

impl Transport {
    /// Its name in configuration and status.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mtls { .. } => "mtls",
            Self::PlainInVpn { .. } => "plain_in_vpn",
            Self::Tls { .. } => "tls",
        }
    }
}

/// Under which title a bureau does credit reporting (征信业务管理办法 Art. 5: no
/// credit reporting without one).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LicenceConfig {
    /// The kind of title.
    pub kind: LicenceKind,
    /// Its number; the state's own database has none.
    #[serde(default)]
    pub number: String,
    /// The first day of its validity.
    #[serde(deserialize_with = "date")]
    pub valid_from: Date,
    /// The last day of its validity, if it has one.
    #[serde(default, deserialize_with = "optional_date")]
    pub valid_until: Option<Date>,
    /// The day from which it is revoked.
    #[serde(default, deserialize_with = "optional_date")]
    pub revoked_on: Option<Date>,
}

/// The kinds of title.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LicenceKind {
    /// Filing of an enterprise credit bureau (企业征信机构备案; 征信业管理条例 Art. 10).
    EnterpriseFiling,
    /// Licence of a personal credit bureau (个人征信业务经营许可证; Art. 7).
    PersonalLicence,
    /// The state's own database (金融信用信息基础数据库; Art. 27).
    Statutory,
}

impl LicenceKind {
    /// Its name in configuration, database and status.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EnterpriseFiling => "enterprise_filing",
            Self::PersonalLicence => "personal_licence",
            Self::Statutory => "statutory",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::EnterpriseFiling,
            Self::PersonalLicence,
            Self::Statutory,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// What the contract with a bureau says of a product.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ProductConfig {
    /// The list that reasons are numbered by, where several circulate.
    #[serde(default)]
    pub reasons: Option<String>,
    /// The bureau's code of the service.
    #[serde(default)]
    pub service: Option<String>,
}

/// An institution's credentials at a bureau.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberConfig {
    /// The institution, by our identifier.
    pub institution: String,
    /// Its code at the bureau, 14 characters at the PBOC.
    pub institution_code: String,
    /// The code of the member on whose behalf it asks; its own unless given.
    #[serde(default)]
    pub originator_code: Option<String>,
    /// Its user at the bureau.
    pub user: String,
    /// That user's password.
    pub password: SecretSource,
    /// A file with the password that shall follow; `creditgate bureaus password`
    /// tells it to the bureau, and then puts it in the place of `password`,
    /// which must be a file too.
    #[serde(default)]
    pub next_password: Option<PathBuf>,
    /// For how many days the bureau lets a password hold, by what it told the
    /// institution: no published text says so. Without it nothing warns.
    #[serde(default)]
    pub password_days: Option<u16>,
    /// The day on which the password was set, where that was not done by this
    /// gateway.
    #[serde(default, deserialize_with = "optional_date")]
    pub password_set_on: Option<Date>,
    /// How it signs its messages, where the dialect wants signatures.
    #[serde(default)]
    pub signer: Option<SignerConfig>,
    /// Operators and clients, by our identifier, that have a user of their own
    /// at the bureau; all others ask as `user`.
    #[serde(default)]
    pub users: BTreeMap<String, String>,
}

fn date<'de, D: Deserializer<'de>>(input: D) -> Result<Date, D::Error> {
    String::deserialize(input)?.parse().map_err(|_| {
        serde::de::Error::custom("a day is written \"2026-01-31\", in quotation marks")
    })
}

fn optional_date<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Date>, D::Error> {
    date(input).map(Some)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A bureau without TLS and limits, for tests that change what they are about.
    pub(crate) fn plain() -> BureauConfig {
        toml::from_str(PLAIN).unwrap()
    }

    const PLAIN: &str = r#"
        id = "pboc"
        name = "金融信用信息基础数据库"
        adapter = "pboc"
        address = "127.0.0.1:9"
        transport = { kind = "plain_in_vpn", reason = "test", owner = "test", until = "2030-01-01" }
        licence = { kind = "statutory", valid_from = "2013-03-15" }
        [[members]]
        institution = "demo-bank"
        institution_code = "Z99990000H0001"
        user = "demo"
        password = { value = "p4ssword" }
        users = { "operator-1" = "demo-1" }
    "#;

    #[test]
    fn the_defaults_are_complete() {
        let bureau = plain();
        assert_eq!(bureau.validate(), []);
        assert_eq!(bureau.hours.week(), [&[Window::DAY][..]; 7]);
        assert!(!format!("{bureau:?}").contains("p4ssword"));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = PLAIN.replace("name =", "nmae =");
        assert!(toml::from_str::<BureauConfig>(&text).is_err());
    }
}
