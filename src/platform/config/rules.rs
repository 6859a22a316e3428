//! What a configuration must mean, beyond its form.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::{
    Config, Profile, Vocabulary,
    bureau::{BureauConfig, FileTransport, Transport, authority},
    finding::ConfigFinding,
    form::Document,
    signer::SignerConfig,
};
use crate::platform::{clock::china_date, secret::SecretSource, telemetry};

/// Gathers findings, but none about a placeholder.
pub(super) struct Judge<'d, 't> {
    document: &'d Document<'t>,
    findings: Vec<ConfigFinding>,
    mended: &'d BTreeSet<String>,
}

impl<'d, 't> Judge<'d, 't> {
    pub(super) fn new(document: &'d Document<'t>, mended: &'d BTreeSet<String>) -> Self {
        Self {
            document,
            findings: Vec::new(),
            mended,
        }
    }

    pub(super) fn into_findings(self) -> Vec<ConfigFinding> {
        self.findings
    }

    pub(super) fn find(
        &mut self,
        path: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) {
        let path = path.into();
        let below = |place: &String| {
            path.strip_prefix(place.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if self.mended.iter().any(below) {
            return;
        }
        self.findings.push(ConfigFinding {
            line: self.document.line(&path),
            path,
            code,
            message: message.into(),
            cure: cure.into(),
        });
    }

    /// The same value must not stand twice.
    fn once<T: Eq + std::hash::Hash>(&mut self, values: impl Iterator<Item = (String, T)>) {
        let mut seen = HashSet::new();
        for (path, value) in values {
            if !seen.insert(value) {
                self.find(path, "twice", "it stands there twice", "give it another");
            }
        }
    }
}

/// Judges everything that needs no file.
pub(super) fn check(
    config: &Config,
    words: &Vocabulary<'_>,
    now: Timestamp,
    judge: &mut Judge<'_, '_>,
) {
    database(config, judge);
    vault(config, judge);
    audit(config, judge);
    listeners(config, judge);
    institutions(config, judge);
    for (n, bureau) in config.bureaus.iter().enumerate() {
        bureau_rules(config, words, now, n, bureau, judge);
    }
    judge.once(
        (config.bureaus.iter().enumerate())
            .map(|(n, bureau)| (format!("bureaus[{n}].id"), &bureau.id)),
    );
    inquiries(config, words, judge);
    if !(1..=12).contains(&config.calendar.next_year_from_month) {
        judge.find(
            "calendar.next_year_from_month",
            "range",
            "not a month",
            "write 1 to 12, such as 11",
        );
    }
    if telemetry::parse_filter(&config.logging.filter).is_err() {
        judge.find(
            "logging.filter",
            "filter",
            "not a log filter",
            "write a level, or target=level with commas between",
        );
    }
}

fn database(config: &Config, judge: &mut Judge<'_, '_>) {
    let database = &config.database;
    let Some(authority) = database.postgres_authority() else {
        match database.sqlite_path() {
            Some(_) if database.password.is_some() => judge.find(
                "database.password",
                "password",
                "SQLite knows no password",
                "remove it",
            ),
            Some(_) => {}
            None => judge.find(
                "database.address",
                "address",
                "neither SQLite nor PostgreSQL",
                "write sqlite:PATH or postgres://user@host/name",
            ),
        }
        return;
    };
    let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let query = database
        .address
        .split_once('?')
        .map_or("", |(_, query)| query);
    if user.contains(':') || query.contains("password=") {
        judge.find(
            "database.address",
            "password_in_address",
            "it holds a password",
            "move it to database.password = { file = \"…\" }",
        );
    }
    let safe = query.split('&').any(|part| part == "sslmode=verify-full");
    if config.profile == Profile::Production && !safe && !is_local(host(place)) {
        judge.find(
            "database.address",
            "plain_transport",
            "the way to the database is not protected",
            "add ?sslmode=verify-full&sslrootcert=FILE",
        );
    }
}

fn vault(config: &Config, judge: &mut Judge<'_, '_>) {
    let keys = &config.vault.master_keys;
    if keys.is_empty() {
        judge.find(
            "vault.master_keys",
            "master_key",
            "there is no master key",
            "make one, and name its file and version",
        );
    }
    for (n, key) in keys.iter().enumerate() {
        let path = format!("vault.master_keys[{n}]");
        if key.source().is_none() {
            judge.find(
                path,
                "master_key",
                "a master key comes from one place",
                "give it either a file or a command",
            );
        } else if key.command.as_ref().is_some_and(Vec::is_empty) {
            judge.find(
                format!("{path}.command"),
                "command",
                "the command is empty",
                "write the program, then its arguments",
            );
        }
    }
    judge.once(
        keys.iter()
            .enumerate()
            .map(|(n, key)| (format!("vault.master_keys[{n}].version"), key.version)),
    );
}

fn audit(config: &Config, judge: &mut Judge<'_, '_>) {
    let audit = &config.audit;
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if audit.origin.is_empty() || audit.origin.contains(odd) {
        judge.find(
            "audit.origin",
            "origin",
            "not a name for a log",
            "write it without spaces and +, like a web address without https://",
        );
    }
    if audit.checkpoint_seconds == 0 {
        judge.find(
            "audit.checkpoint_seconds",
            "range",
            "at least 1",
            "write 60",
        );
    }
    judge.once(
        (audit.sinks.iter().enumerate())
            .map(|(n, sink)| (format!("audit.sinks[{n}].name"), &sink.name)),
    );
    if config.profile != Profile::Production {
        return;
    }
    if audit.sinks.is_empty() {
        judge.find(
            "audit.sinks",
            "no_sink",
            "nobody outside remembers the log: a restored backup would go unnoticed",
            "name a folder on another machine",
        );
    }
    let host = audit.origin.split('/').next().unwrap_or_default();
    if is_reserved(host) {
        judge.find(
            "audit.origin",
            "demo_name",
            "a name that is reserved for tests",
            "use a name of your house",
        );
    }
}

fn listeners(config: &Config, judge: &mut Judge<'_, '_>) {
    let listeners = &config.listeners;
    let addresses = [
        ("machines", listeners.machines.address),
        ("people", listeners.people.address),
        ("operations", listeners.operations.address),
    ];
    judge.once(
        addresses
            .into_iter()
            .filter(|(_, address)| address.port() != 0)
            .map(|(name, address)| (format!("listeners.{name}.address"), address)),
    );
    let operations = listeners.operations.address.ip();
    if config.profile == Profile::Production && !operations.is_loopback() {
        judge.find(
            "listeners.operations.address",
            "plain_transport",
            "health and metrics are served in clear",
            "listen on 127.0.0.1 and let an agent fetch them there",
        );
    }
}

fn institutions(config: &Config, judge: &mut Judge<'_, '_>) {
    let all = &config.institutions;
    if all.is_empty() {
        judge.find(
            "institutions",
            "no_institution",
            "there is no institution",
            "add [[institutions]]",
        );
    }
    for (n, institution) in all.iter().enumerate() {
        let id = institution.id.as_bytes();
        let narrow = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        if id.is_empty() || id.len() > 32 || !id.iter().all(narrow) {
            judge.find(
                format!("institutions[{n}].id"),
                "identifier",
                "not an identifier",
                "write it in at most 32 lower-case letters, digits and -",
            );
        }
    }
    judge.once(
        all.iter()
            .enumerate()
            .map(|(n, one)| (format!("institutions[{n}].id"), &one.id)),
    );
}

fn bureau_rules(
    config: &Config,
    words: &Vocabulary<'_>,
    now: Timestamp,
    n: usize,
    bureau: &BureauConfig,
    judge: &mut Judge<'_, '_>,
) {
    let base = format!("bureaus[{n}]");
    for (place, message) in bureau.validate() {
        judge.find(
            format!("{base}.{place}"),
            "bureau",
            message,
            "write it as the message says",
        );
    }
    if !words.adapters.contains(&bureau.adapter.as_str()) {
        judge.find(
            format!("{base}.adapter"),
            "unknown_adapter",
            "there is no such dialect",
            format!("write one of: {}", words.adapters.join(", ")),
        );
    }
    exception(format!("{base}.transport"), &bureau.transport, now, judge);
    if config.profile == Profile::Production {
        address(&base, &bureau.address, bureau.mock, judge);
    }
    if let Some(submission) = &bureau.submission {
        let base = format!("{base}.submission");
        if let FileTransport::Https {
            address: own,
            protection,
            ..
        } = &submission.transport
        {
            if let Some(protection) = protection {
                exception(
                    format!("{base}.transport.protection"),
                    protection,
                    now,
                    judge,
                );
            }
            if let (Profile::Production, Some(own)) = (config.profile, own) {
                address(&format!("{base}.transport"), own, false, judge);
            }
        }
        for (m, member) in submission.members.iter().enumerate() {
            known_institution(
                config,
                format!("{base}.members[{m}].institution"),
                &member.institution,
                judge,
            );
        }
    }
    for (m, member) in bureau.members.iter().enumerate() {
        let at = format!("{base}.members[{m}]");
        known_institution(
            config,
            format!("{at}.institution"),
            &member.institution,
            judge,
        );
        if config.profile == Profile::Production
            && matches!(member.password, SecretSource::Value(_))
        {
            judge.find(
                format!("{at}.password"),
                "secret_in_place",
                "the password stands in the configuration",
                "write { file = \"…\" } or { env = \"…\" }",
            );
        }
        if let Some(SignerConfig::Command { command, .. }) = &member.signer
            && command.is_empty()
        {
            judge.find(
                format!("{at}.signer"),
                "command",
                "the command is empty",
                "write the program, then its arguments",
            );
        }
    }
}

/// An exception from TLS must not have ended.
fn exception(path: String, transport: &Transport, now: Timestamp, judge: &mut Judge<'_, '_>) {
    if let Transport::PlainInVpn { until, .. } = transport
        && *until < china_date(now)
    {
        judge.find(
            path,
            "plain_transport",
            "the exception from TLS has ended",
            "use mtls or tls, or let its owner decide anew",
        );
    }
}

/// In production, a bureau's address is that of a bureau.
fn address(base: &str, address: &str, mock: bool, judge: &mut Judge<'_, '_>) {
    let place = authority(address).map_or("", |(host, _)| host);
    if mock || is_local(place) || is_reserved(place) {
        judge.find(
            format!("{base}.address"),
            "mock",
            "a mock bureau, or a host for tests",
            "name the bureau's own address",
        );
    }
}

fn known_institution(config: &Config, path: String, id: &str, judge: &mut Judge<'_, '_>) {
    if !(config.institutions.iter()).any(|known| known.id == id) {
        judge.find(
            path,
            "unknown_institution",
            "there is no such institution",
            "write the id of one under [[institutions]]",
        );
    }
}

fn inquiries(config: &Config, words: &Vocabulary<'_>, judge: &mut Judge<'_, '_>) {
    let inquiries = &config.inquiries;
    for (n, purpose) in inquiries.checker_purposes.iter().enumerate() {
        if !words.purposes.contains(&purpose.as_str()) {
            judge.find(
                format!("inquiries.checker_purposes[{n}]"),
                "unknown_purpose",
                "there is no such purpose",
                format!("write one of: {}", words.purposes.join(", ")),
            );
        }
    }
    let numbers = [
        ("checker_hours", inquiries.checker_hours),
        ("wait_seconds", inquiries.wait_seconds),
        ("unknown_alarm_hours", inquiries.unknown_alarm_hours),
    ];
    for (name, number) in numbers {
        if number == 0 {
            judge.find(
                format!("inquiries.{name}"),
                "range",
                "at least 1",
                "raise it",
            );
        }
    }
    if inquiries.wait_seconds > inquiries.longest_wait_seconds {
        judge.find(
            "inquiries.wait_seconds",
            "range",
            "above longest_wait_seconds",
            "lower it",
        );
    }
}

/// The host of `host:port`, `[v6]:port` or a host alone.
fn host(place: &str) -> &str {
    match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((v6, _)) => v6,
        None => place.split(':').next().unwrap_or_default(),
    }
}

/// This machine, or no host at all (a socket).
fn is_local(host: &str) -> bool {
    host.is_empty()
        || host == "localhost"
        || host
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// RFC 2606 and RFC 6761: names that can be nobody's.
fn is_reserved(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    ["example", "invalid", "localhost", "test"].contains(&last)
        || ["example.com", "example.net", "example.org"]
            .iter()
            .any(|name| host == *name || host.ends_with(&format!(".{name}")))
}
