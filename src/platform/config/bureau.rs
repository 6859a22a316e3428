//! A bureau and the line to it, as configuration names them.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    path::PathBuf,
};

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::signer::SignerConfig;
use crate::platform::secret::SecretSource;

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
    /// The institutions that may ask it, each with its credentials.
    #[serde(default)]
    pub members: Vec<MemberConfig>,
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

/// Opening windows of each weekday, wall time at +08:00: `["08:00-12:00", "13:00-22:00"]`.
/// One that passes midnight is written as two.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HoursConfig {
    /// Mondays.
    pub monday: Vec<Window>,
    /// Tuesdays.
    pub tuesday: Vec<Window>,
    /// Wednesdays.
    pub wednesday: Vec<Window>,
    /// Thursdays.
    pub thursday: Vec<Window>,
    /// Fridays.
    pub friday: Vec<Window>,
    /// Saturdays.
    pub saturday: Vec<Window>,
    /// Sundays.
    pub sunday: Vec<Window>,
    /// Days on which it does not open at all: `["2026-10-01"]`.
    #[serde(deserialize_with = "dates")]
    pub closed_on: Vec<Date>,
}

impl Default for HoursConfig {
    fn default() -> Self {
        let all = || vec![Window::DAY];
        Self {
            monday: all(),
            tuesday: all(),
            wednesday: all(),
            thursday: all(),
            friday: all(),
            saturday: all(),
            sunday: all(),
            closed_on: Vec::new(),
        }
    }
}

impl HoursConfig {
    /// The windows of the week, Monday first.
    #[must_use]
    pub fn week(&self) -> [&[Window]; 7] {
        [
            &self.monday,
            &self.tuesday,
            &self.wednesday,
            &self.thursday,
            &self.friday,
            &self.saturday,
            &self.sunday,
        ]
    }
}

/// From one minute of a day until another, the last not included.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct Window {
    /// First minute of the day, 0 to 1439.
    pub from: u16,
    /// The minute at which it ends, 1 to 1440.
    pub until: u16,
}

impl Window {
    /// The whole day.
    pub const DAY: Self = Self {
        from: 0,
        until: 24 * 60,
    };
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            until / 60,
            until % 60
        )
    }
}

impl TryFrom<String> for Window {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const FORM: &str =
            "a window is written 08:00-22:00, and ends after it begins, at 24:00 at the latest";
        let minute = |text: &str| {
            let (hours, minutes) = text.split_once(':')?;
            let digits = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
            if !digits(hours) || !digits(minutes) {
                return None;
            }
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (minutes < 60).then_some(hours * 60 + minutes)
        };
        let (from, until) = text.split_once('-').ok_or(FORM)?;
        match (minute(from), minute(until)) {
            (Some(from), Some(until)) if from < until && until <= 24 * 60 => {
                Ok(Self { from, until })
            }
            _ => Err(FORM),
        }
    }
}

/// How much a bureau may be asked. Rates are kept in memory, quotas of a day in
/// the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Inquiries on the line at a time.
    pub concurrency: u16,
    /// For all institutions together.
    pub bureau: ScopeLimits,
    /// For each institution.
    pub institution: ScopeLimits,
    /// For each operator or machine client.
    pub operator: ScopeLimits,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            concurrency: 8,
            bureau: ScopeLimits::default(),
            institution: ScopeLimits::default(),
            operator: ScopeLimits::default(),
        }
    }
}

/// Limits of one scope; what is not given is not limited.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeLimits {
    /// Inquiries a minute, evenly spread.
    pub per_minute: Option<u32>,
    /// How many may come at once before they are spread; 1 unless given.
    pub burst: Option<u32>,
    /// Inquiries a day at +08:00.
    pub per_day: Option<u32>,
}

/// When to stop asking a line that fails.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// So many failures in a row open it.
    pub failures_in_a_row: u32,
    /// The last so many exchanges are counted for the share.
    pub window: u16,
    /// This share of failures in a full window opens it.
    pub failure_percent: u8,
    /// After so many seconds one exchange probes the line.
    pub open_seconds: u64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures_in_a_row: 5,
            window: 20,
            failure_percent: 50,
            open_seconds: 30,
        }
    }
}

/// Repetition of what provably was not sent; each one is decided again.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Repetitions of one inquiry at most (QR-30 allows two).
    pub attempts: u32,
    /// Delay before the first one, in milliseconds.
    pub first_delay_ms: u64,
    /// No delay is longer, in milliseconds.
    pub longest_delay_ms: u64,
    /// Repetitions at most, as a share of all exchanges of the line.
    pub budget_percent: u8,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 2,
            first_delay_ms: 500,
            longest_delay_ms: 10_000,
            budget_percent: 10,
        }
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutsConfig {
    /// Until name, connection and TLS stand, in seconds.
    pub connect_seconds: u64,
    /// Until the whole answer is there, connecting included, in seconds.
    pub answer_seconds: u64,
    /// A connection that rests longer is not used again, in seconds. Keep it
    /// below what the bureau waits: a connection that dies under a request
    /// leaves its fate unknown.
    pub idle_seconds: u64,
}

impl Default for TimeoutsConfig {
    fn default() -> Self {
        Self {
            connect_seconds: 10,
            answer_seconds: 60,
            idle_seconds: 10,
        }
    }
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
    /// How it signs its messages, where the dialect wants signatures.
    #[serde(default)]
    pub signer: Option<SignerConfig>,
    /// Operators and clients, by our identifier, that have a user of their own
    /// at the bureau; all others ask as `user`.
    #[serde(default)]
    pub users: BTreeMap<String, String>,
}

impl BureauConfig {
    /// Every defect, as place and sentence; empty is good.
    #[must_use]
    pub fn validate(&self) -> Vec<(String, String)> {
        let mut findings = Vec::new();
        let mut find = |at: &str, what: &str| findings.push((at.to_owned(), what.to_owned()));
        let word = |text: &str| {
            !text.is_empty()
                && text.len() <= 32
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !word(&self.id) {
            find(
                "id",
                "write it in at most 32 lower-case letters, digits and -",
            );
        }
        if authority(&self.address).is_none() {
            find("address", "write it as host:port");
        }
        if !self.base_path.is_empty()
            && (!self.base_path.starts_with('/') || self.base_path.ends_with('/'))
        {
            find("base_path", "begin it with / and end it without");
        }
        self.check_transport(&mut find);
        let licence = &self.licence;
        if licence
            .valid_until
            .is_some_and(|until| until < licence.valid_from)
        {
            find("licence.valid_until", "it ends before it begins");
        }
        if licence.kind != LicenceKind::Statutory && licence.number.is_empty() {
            find("licence.number", "a licence or filing has a number");
        }
        for (day, windows) in WEEKDAYS.iter().zip(self.hours.week()) {
            let mut sorted = windows.to_vec();
            sorted.sort();
            if sorted.windows(2).any(|pair| pair[1].from < pair[0].until) {
                find(&format!("hours.{day}"), "two windows overlap");
            }
        }
        if self.hours.week().iter().all(|windows| windows.is_empty()) {
            find("hours", "it never opens");
        }
        self.check_numbers(&mut find);
        self.check_members(&mut find);
        findings
    }

    fn check_transport(&self, find: &mut impl FnMut(&str, &str)) {
        match &self.transport {
            Transport::Mtls { server_name, .. } | Transport::Tls { server_name, .. } => {
                match rustls::pki_types::ServerName::try_from(server_name.as_str()) {
                    Err(_) => find("transport.server_name", "not a host name or address"),
                    Ok(rustls::pki_types::ServerName::IpAddress(_))
                        if authority(&self.address).is_none_or(|(host, _)| host != server_name) =>
                    {
                        find(
                            "transport.server_name",
                            "a certificate for an address needs the same address to connect to",
                        );
                    }
                    Ok(_) => {}
                }
            }
            Transport::PlainInVpn { reason, owner, .. } => {
                if reason.trim().is_empty() {
                    find("transport.reason", "say why there is no TLS");
                }
                if owner.trim().is_empty() {
                    find("transport.owner", "say who answers for it");
                }
            }
        }
    }

    fn check_numbers(&self, find: &mut impl FnMut(&str, &str)) {
        if self.limits.concurrency == 0 {
            find("limits.concurrency", "at least 1");
        }
        let scopes = [
            ("bureau", self.limits.bureau),
            ("institution", self.limits.institution),
            ("operator", self.limits.operator),
        ];
        for (scope, limits) in scopes {
            if limits.per_minute == Some(0) || limits.burst == Some(0) {
                find(
                    &format!("limits.{scope}"),
                    "a rate and a burst are at least 1",
                );
            }
            if limits.burst.is_some() && limits.per_minute.is_none() {
                find(&format!("limits.{scope}.burst"), "a burst needs a rate");
            }
        }
        let breaker = self.breaker;
        if breaker.failures_in_a_row == 0 || breaker.window == 0 || breaker.open_seconds == 0 {
            find("breaker", "its counts and times are at least 1");
        }
        if !(1..=100).contains(&breaker.failure_percent) {
            find("breaker.failure_percent", "from 1 to 100");
        }
        if self.retry.attempts > 2 {
            find("retry.attempts", "QR-30 allows two repetitions at most");
        }
        if self.retry.first_delay_ms == 0 || self.retry.first_delay_ms > self.retry.longest_delay_ms
        {
            find(
                "retry.first_delay_ms",
                "at least 1, and not above longest_delay_ms",
            );
        }
        if self.retry.budget_percent > 100 {
            find("retry.budget_percent", "from 0 to 100");
        }
        let times = self.timeouts;
        if times.connect_seconds == 0 || times.connect_seconds >= times.answer_seconds {
            find(
                "timeouts.connect_seconds",
                "at least 1, and below answer_seconds",
            );
        }
    }

    fn check_members(&self, find: &mut impl FnMut(&str, &str)) {
        let mut seen = HashSet::new();
        for (n, member) in self.members.iter().enumerate() {
            if !seen.insert(&member.institution) {
                find(
                    &format!("members[{n}].institution"),
                    "it is a member already",
                );
            }
            if member.institution_code.is_empty() || member.user.is_empty() {
                find(
                    &format!("members[{n}]"),
                    "it needs an institution code and a user",
                );
            }
        }
    }
}

/// Host and port of `host:port`; the host of `[v6]:port` without its brackets.
#[must_use]
pub fn authority(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty() && host.bytes().all(plain)).then_some((host, port))
}

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

fn date<'de, D: Deserializer<'de>>(input: D) -> Result<Date, D::Error> {
    String::deserialize(input)?.parse().map_err(|_| {
        serde::de::Error::custom("a day is written \"2026-01-31\", in quotation marks")
    })
}

fn optional_date<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Date>, D::Error> {
    date(input).map(Some)
}

fn dates<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Date>, D::Error> {
    let days = Vec::<String>::deserialize(input)?;
    days.into_iter()
        .map(|day| date(serde::de::value::StringDeserializer::new(day)))
        .collect()
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
    fn every_defect_is_found_at_once() {
        let mut bureau = plain();
        bureau.id = "PBOC".to_owned();
        bureau.address = "nowhere".to_owned();
        bureau.base_path = "ws/".to_owned();
        bureau.hours.monday.push(Window {
            from: 60,
            until: 120,
        });
        bureau.limits.concurrency = 0;
        bureau.limits.operator.burst = Some(5);
        bureau.retry.attempts = 3;
        bureau.timeouts.connect_seconds = 60;
        bureau.licence.kind = LicenceKind::PersonalLicence;
        bureau.members.push(bureau.members[0].clone());
        let findings = bureau.validate();
        let places: Vec<_> = findings.iter().map(|(at, _)| at.as_str()).collect();
        assert_eq!(
            places,
            [
                "id",
                "address",
                "base_path",
                "licence.number",
                "hours.monday",
                "limits.concurrency",
                "limits.operator.burst",
                "retry.attempts",
                "timeouts.connect_seconds",
                "members[1].institution",
            ]
        );
    }

    #[test]
    fn windows_are_read_as_they_are_written() {
        for (text, good) in [
            ("08:00-22:00", true),
            ("00:00-24:00", true),
            ("22:00-06:00", false),
            ("08:00-24:01", false),
            ("8:00-22:00", false),
            ("08:60-22:00", false),
            ("08:00", false),
            ("+8:00-22:00", false),
        ] {
            let window = Window::try_from(text.to_owned());
            assert_eq!(window.is_ok(), good, "{text}");
            if let Ok(window) = window {
                assert_eq!(window.to_string(), text);
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = PLAIN.replace("name =", "nmae =");
        assert!(toml::from_str::<BureauConfig>(&text).is_err());
    }

    #[test]
    fn an_address_names_host_and_port() {
        for (text, expected) in [
            ("bureau.test:8443", Some(("bureau.test", 8443))),
            ("[::1]:8443", Some(("::1", 8443))),
            ("::1:8443", None),
            ("bureau.test", None),
            ("bureau.test:0", None),
            ("https://bureau.test:8443", None),
            ("user@bureau.test:1", None),
        ] {
            assert_eq!(authority(text), expected, "{text}");
        }
    }
}
