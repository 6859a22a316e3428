//! The files that a configuration names: where they are, and what they must be.

use std::{fs, io, os::unix::fs::PermissionsExt as _, path::PathBuf};

use jiff::Timestamp;
use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use secrecy::ExposeSecret as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{
    Config, Profile,
    bureau::{FileTransport, SealConfig, Transport},
    rules::Judge,
    signer::SignerConfig,
};
use crate::platform::{
    calendar::Calendar,
    secret::{self, SecretSource},
    signer::{SignatureForm, Sm2Signer},
    vault::MasterKey,
};

/// The common name of every authority that `demo` makes begins so.
pub const DEMO_AUTHORITY: &str = "creditgate demo";

/// Every file key that `demo` makes begins so.
pub const DEMO_FILE_KEY: &str = "demo";

/// Passwords that everybody tries first.
const DEFAULT_PASSWORDS: [&str; 10] = [
    "123456",
    "12345678",
    "admin",
    "changeit",
    "changeme",
    "creditgate",
    "demo",
    "password",
    "postgres",
    "secret",
];

/// A file that the configuration names.
pub(super) struct Named<'c> {
    /// Where in the configuration.
    pub(super) path: String,
    pub(super) file: &'c mut PathBuf,
    kind: Kind,
}

/// What a file must be.
enum Kind {
    /// Certificates that we trust.
    Authority,
    /// A folder of calendars, a file a year.
    Calendars,
    /// A password that is not needed yet, and so need not be there.
    Coming,
    /// Our certificate.
    Certificate,
    /// A folder that the bureau shares with us.
    Exchange,
    /// The key of an institution's submission files.
    FileKey,
    /// A folder that exists.
    Folder,
    /// A log's private key.
    LogKey,
    /// A master key.
    MasterKey,
    /// A password.
    Password,
    /// The private key of the certificate before it in the list.
    PrivateKey,
    /// An SM2 private key.
    Sm2Key,
}

/// Every file, a certificate right before its key.
pub(super) fn named(config: &mut Config) -> Vec<Named<'_>> {
    let mut all = Vec::new();
    let mut name = |path: String, file, kind| all.push(Named { path, file, kind });
    if let Some(SecretSource::File(file)) = &mut config.database.password {
        name("database.password.file".into(), file, Kind::Password);
    }
    for (n, key) in config.vault.master_keys.iter_mut().enumerate() {
        if let Some(file) = &mut key.file {
            name(
                format!("vault.master_keys[{n}].file"),
                file,
                Kind::MasterKey,
            );
        }
    }
    name("audit.key".into(), &mut config.audit.key, Kind::LogKey);
    for (n, sink) in config.audit.sinks.iter_mut().enumerate() {
        name(
            format!("audit.sinks[{n}].folder"),
            &mut sink.folder,
            Kind::Folder,
        );
    }
    let listeners = &mut config.listeners;
    let (machines, people) = (&mut listeners.machines, &mut listeners.people);
    for (at, certificate, key) in [
        ("machines", &mut machines.certificate, &mut machines.key),
        ("people", &mut people.certificate, &mut people.key),
    ] {
        let base = format!("listeners.{at}");
        name(
            format!("{base}.certificate"),
            certificate,
            Kind::Certificate,
        );
        name(format!("{base}.key"), key, Kind::PrivateKey);
    }
    name(
        "listeners.machines.client_ca".into(),
        &mut machines.client_ca,
        Kind::Authority,
    );
    if let Some(folder) = &mut config.calendar.folder {
        name("calendar.folder".into(), folder, Kind::Calendars);
    }
    if let Some(client) = &mut config.client {
        name("client.ca".into(), &mut client.ca, Kind::Authority);
    }
    for (n, bureau) in config.bureaus.iter_mut().enumerate() {
        let base = format!("bureaus[{n}]");
        let mut protect = |at: String, transport| match transport {
            &mut Transport::Mtls {
                ref mut ca,
                ref mut certificate,
                ref mut key,
                ..
            } => {
                name(format!("{at}.ca"), ca, Kind::Authority);
                name(format!("{at}.certificate"), certificate, Kind::Certificate);
                name(format!("{at}.key"), key, Kind::PrivateKey);
            }
            Transport::Tls { ca, .. } => name(format!("{at}.ca"), ca, Kind::Authority),
            Transport::PlainInVpn { .. } => {}
        };
        protect(format!("{base}.transport"), &mut bureau.transport);
        if let Some(submission) = &mut bureau.submission {
            let at = format!("{base}.submission");
            match &mut submission.transport {
                FileTransport::Exchange { out, r#in } => {
                    name(format!("{at}.transport.out"), out, Kind::Exchange);
                    name(format!("{at}.transport.in"), r#in, Kind::Exchange);
                }
                FileTransport::Https {
                    protection: Some(protection),
                    ..
                } => protect(format!("{at}.transport.protection"), protection),
                FileTransport::Https { .. } => {}
            }
            for (m, member) in submission.members.iter_mut().enumerate() {
                if let SealConfig::File { file } = &mut member.seal {
                    name(format!("{at}.members[{m}].seal.file"), file, Kind::FileKey);
                }
            }
        }
        for (m, member) in bureau.members.iter_mut().enumerate() {
            let at = format!("{base}.members[{m}]");
            if let SecretSource::File(file) = &mut member.password {
                name(format!("{at}.password.file"), file, Kind::Password);
            }
            if let Some(file) = &mut member.next_password {
                name(format!("{at}.next_password"), file, Kind::Coming);
            }
            if let Some(SignerConfig::File { file, .. }) = &mut member.signer {
                name(format!("{at}.signer.file"), file, Kind::Sm2Key);
            }
        }
    }
    all
}

/// Judges every file, and the passwords that are kept elsewhere.
pub(super) fn check(config: &mut Config, now: Timestamp, judge: &mut Judge<'_, '_>) {
    let production = config.profile == Profile::Production;
    let data = config
        .data_folder()
        .and_then(|path| path.canonicalize().ok());
    passwords(config, production, judge);
    let mut certificate = None;
    for named in named(config) {
        let path = named.path.as_str();
        let Some(bytes) = content(&named, judge) else {
            certificate = None;
            continue;
        };
        let inside = data.as_ref().is_some_and(|data| {
            named
                .file
                .canonicalize()
                .is_ok_and(|file| file.starts_with(data))
        });
        if production && inside && named.kind.leaves_the_data() {
            judge.find(
                path,
                "in_data_folder",
                "it lies in the data folder, and goes wherever a copy of the data goes",
                "keep it elsewhere, on another disk or with a key service",
            );
        }
        match named.kind {
            Kind::Authority => {
                certificates(path, &bytes, production, now, judge);
            }
            Kind::Calendars => {
                if let Err(error) = Calendar::load(named.file) {
                    let right = "as config/calendar/2026.toml of the project";
                    wrong(path, judge, error.to_string(), right);
                }
            }
            Kind::Certificate => {
                certificate = certificates(path, &bytes, production, now, judge);
            }
            Kind::PrivateKey => private_key(path, &bytes, certificate.take(), judge),
            Kind::LogKey if !bytes.starts_with(b"PRIVATE+KEY+") => wrong(
                path,
                judge,
                "not a log's private key",
                "it begins with PRIVATE+KEY+",
            ),
            Kind::MasterKey if MasterKey::parse(&bytes).is_err() => wrong(
                path,
                judge,
                "not a master key",
                "32 bytes, as 64 hexadecimal digits or as Base64",
            ),
            Kind::Sm2Key if Sm2Signer::parse(&bytes, SignatureForm::Raw).is_err() => wrong(
                path,
                judge,
                "not an SM2 private key",
                "PKCS#8 in PEM, or 64 hexadecimal digits",
            ),
            Kind::Exchange => exchange(&named, production, judge),
            Kind::FileKey => file_key(path, &bytes, production, judge),
            Kind::Coming
            | Kind::Folder
            | Kind::LogKey
            | Kind::MasterKey
            | Kind::Password
            | Kind::Sm2Key => {}
        }
    }
}

impl Kind {
    /// Whether only its owner may read it.
    fn is_secret(&self) -> bool {
        !matches!(
            self,
            Self::Authority | Self::Calendars | Self::Certificate | Self::Exchange | Self::Folder
        )
    }

    /// Whether it must not be copied together with the data.
    fn leaves_the_data(&self) -> bool {
        self.is_secret() || matches!(self, Self::Folder)
    }
}

/// The bytes of a file, empty for a folder; `None` where there is none to judge.
fn content(named: &Named<'_>, judge: &mut Judge<'_, '_>) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let path = named.path.as_str();
    let facts = fs::metadata(&*named.file);
    if let (Kind::Calendars | Kind::Exchange | Kind::Folder, Ok(facts)) = (&named.kind, &facts) {
        if facts.is_dir() {
            return Some(zeroize::Zeroizing::default());
        }
        wrong(path, judge, "not a folder", "name a folder that exists");
        return None;
    }
    if named.kind.is_secret() && facts.is_ok_and(|facts| facts.permissions().mode() & 0o077 != 0) {
        judge.find(
            path,
            "file_mode",
            "others than its owner may read it",
            format!("chmod 600 {}", named.file.display()),
        );
    }
    match fs::read(&*named.file) {
        Ok(bytes) => Some(zeroize::Zeroizing::new(bytes)),
        Err(error)
            if error.kind() == io::ErrorKind::NotFound && matches!(named.kind, Kind::Coming) =>
        {
            None
        }
        Err(error) => {
            judge.find(
                path,
                "unreadable",
                format!("cannot read {}: {error}", named.file.display()),
                "correct the name, or make it readable for the user of the gateway",
            );
            None
        }
    }
}

/// The chain, if every certificate can be read; findings for those out of date.
fn certificates(
    path: &str,
    bytes: &[u8],
    production: bool,
    now: Timestamp,
    judge: &mut Judge<'_, '_>,
) -> Option<Vec<CertificateDer<'static>>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let parsed: Option<Vec<_>> = chain.as_ref().and_then(|chain| {
        chain
            .iter()
            .map(|der| Some(X509Certificate::from_der(der).ok()?.1))
            .collect()
    });
    let Some(parsed) = parsed else {
        wrong(
            path,
            judge,
            "no certificates in PEM",
            "name a PEM file of certificates",
        );
        return None;
    };
    for certificate in &parsed {
        let validity = certificate.validity();
        let now = now.as_second();
        let matter = if validity.not_after.timestamp() < now {
            "a certificate has expired"
        } else if validity.not_before.timestamp() > now {
            "a certificate is not valid yet"
        } else {
            continue;
        };
        judge.find(
            path,
            "out_of_date",
            matter,
            "renew it, or set the clock right",
        );
    }
    let demo = parsed.iter().any(|certificate| {
        let mut names = certificate.issuer().iter_common_name();
        names.any(|name| {
            name.as_str()
                .is_ok_and(|name| name.starts_with(DEMO_AUTHORITY))
        })
    });
    if production && demo {
        judge.find(
            path,
            "demo_key",
            "a certificate of the demo",
            "use certificates of your own authority",
        );
    }
    chain
}

fn private_key(
    path: &str,
    bytes: &[u8],
    chain: Option<Vec<CertificateDer<'static>>>,
    judge: &mut Judge<'_, '_>,
) {
    let key = PrivateKeyDer::from_pem_slice(bytes).ok();
    let Some(key) = key.and_then(|key| any_supported_type(&key).ok()) else {
        wrong(
            path,
            judge,
            "no private key in PEM",
            "name a PEM file of a private key",
        );
        return;
    };
    if let Some(chain) = chain
        && CertifiedKey::new(chain, key).keys_match().is_err()
    {
        judge.find(
            path,
            "key_mismatch",
            "the key is not that of the certificate",
            "name the key that the certificate was issued for",
        );
    }
}

/// Whoever writes there can speak for the bureau, or in our name.
fn exchange(named: &Named<'_>, production: bool, judge: &mut Judge<'_, '_>) {
    let open =
        fs::metadata(&*named.file).is_ok_and(|facts| facts.permissions().mode() & 0o002 != 0);
    if production && open {
        judge.find(
            named.path.as_str(),
            "file_mode",
            "everybody may write there",
            format!("chmod o-w {}", named.file.display()),
        );
    }
}

/// 16 visible characters, as the centre gives them (`pboc::pack::FileKey`).
fn file_key(path: &str, bytes: &[u8], production: bool, judge: &mut Judge<'_, '_>) {
    let key = bytes.trim_ascii_end();
    if key.len() != 16 || !key.iter().all(u8::is_ascii_graphic) {
        wrong(
            path,
            judge,
            "not a key of submission files",
            "16 characters, as the bureau gave them",
        );
    } else if production && is_demo_key(key) {
        judge.find(
            path,
            "demo_key",
            "a file key of the demo, or one that everybody tries first",
            "use the key that the bureau gave",
        );
    }
}

/// Whether a file key is none that a bureau gave: made by `demo`, or one of
/// those that stand in public test code.
#[must_use]
pub fn is_demo_key(key: &[u8]) -> bool {
    let lower = key.to_ascii_lowercase();
    let repeats = |period: usize| {
        lower
            .iter()
            .skip(period)
            .eq(lower.iter().take(lower.len().saturating_sub(period)))
    };
    lower.starts_with(DEMO_FILE_KEY.as_bytes())
        || [1, 8, 10].into_iter().any(repeats)
        || lower == b"0123456789abcdef"
}

fn passwords(config: &Config, production: bool, judge: &mut Judge<'_, '_>) {
    let mut all = Vec::new();
    if let Some(source) = &config.database.password {
        all.push(("database.password".to_owned(), source));
    }
    for (n, bureau) in config.bureaus.iter().enumerate() {
        for (m, member) in bureau.members.iter().enumerate() {
            all.push((
                format!("bureaus[{n}].members[{m}].password"),
                &member.password,
            ));
        }
    }
    for (path, source) in all {
        match source.read() {
            // Said of the file already.
            Err(secret::SecretError::File { .. } | secret::SecretError::Mode(_)) => {}
            Err(error) => wrong(&path, judge, error.to_string(), "put the password there"),
            Ok(password) => {
                let word = password.expose_secret().to_ascii_lowercase();
                if production && DEFAULT_PASSWORDS.contains(&word.as_str()) {
                    judge.find(
                        path,
                        "default_password",
                        "a password that everybody tries first",
                        "change it at the bureau, then here",
                    );
                }
            }
        }
    }
}

fn wrong(path: &str, judge: &mut Judge<'_, '_>, message: impl Into<String>, cure: &str) {
    judge.find(path, "wrong_file", message, cure);
}
