//! What a bureau's configuration must not say.

use std::collections::HashSet;

use super::{BureauConfig, FileTransport, LicenceKind, Transport};

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
        check_transport("transport", &self.transport, &self.address, &mut find);
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
        if let Some(submission) = &self.submission {
            submission.check(&mut |at, what| find(&format!("submission.{at}"), what));
            if let FileTransport::Https {
                address,
                protection: Some(protection),
                ..
            } = &submission.transport
            {
                let address = address.as_ref().unwrap_or(&self.address);
                let at = "submission.transport.protection";
                check_transport(at, protection, address, &mut find);
            }
        }
        findings
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

/// Defects of a protection at `at`, for a line to `address`.
fn check_transport(
    at: &str,
    transport: &Transport,
    address: &str,
    find: &mut impl FnMut(&str, &str),
) {
    match transport {
        Transport::Mtls { server_name, .. } | Transport::Tls { server_name, .. } => {
            let at = format!("{at}.server_name");
            match rustls::pki_types::ServerName::try_from(server_name.as_str()) {
                Err(_) => find(&at, "not a host name or address"),
                Ok(rustls::pki_types::ServerName::IpAddress(_))
                    if authority(address).is_none_or(|(host, _)| host != server_name) =>
                {
                    find(
                        &at,
                        "a certificate for an address needs the same address to connect to",
                    );
                }
                Ok(_) => {}
            }
        }
        Transport::PlainInVpn { reason, owner, .. } => {
            if reason.trim().is_empty() {
                find(&format!("{at}.reason"), "say why there is no TLS");
            }
            if owner.trim().is_empty() {
                find(&format!("{at}.owner"), "say who answers for it");
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

#[cfg(test)]
mod tests {
    use super::{
        super::{Window, tests::plain},
        *,
    };

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
