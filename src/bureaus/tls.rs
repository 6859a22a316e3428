//! What protects a line, read from its files and read again when they change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use zeroize::Zeroizing;

use crate::platform::{
    certs,
    config::bureau::Transport,
    secret::{self, SecretError},
};

/// Why a line cannot be protected as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file holds no certificate, or one that nobody can trust.
    #[error("no usable certificate in {}", .0.display())]
    Certificate(PathBuf),
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A file holds no private key.
    #[error("no private key in {}", .0.display())]
    Key(PathBuf),
    /// The certificate is for another key.
    #[error("{} does not belong to {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// A private key that cannot be read, or that others can read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The provider knows no version of TLS.
    #[error("no version of TLS can be spoken")]
    Versions(#[source] rustls::Error),
}

/// Files, as they were read together.
pub(super) struct Material {
    /// None without TLS.
    ca: Option<Zeroizing<Vec<u8>>>,
    /// Certificate and key.
    own: Option<[Zeroizing<Vec<u8>>; 2]>,
    /// Of all of them; a change of any byte changes it.
    pub(super) digest: [u8; 32],
}

/// What a line uses: made from files of one digest.
pub(super) struct Protection {
    pub(super) config: ClientConfig,
    pub(super) digest: [u8; 32],
    /// The last moment of our certificate, where we show one.
    pub(super) expires_at: Option<Timestamp>,
}

impl Material {
    /// Reads the files of a transport, if it has any; blocks.
    pub(super) fn read(transport: &Transport) -> Result<Self, TlsError> {
        let (ca, own) = paths(transport);
        let ca = ca.map(read).transpose()?;
        let own = match own {
            Some([certificate, key]) => Some([read(certificate)?, secret::read_private(key)?]),
            None => None,
        };
        let mut context = Context::new(&SHA256);
        for file in ca.iter().chain(own.iter().flatten()) {
            context.update(&(file.len() as u64).to_be_bytes());
            context.update(file);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        Ok(Self { ca, own, digest })
    }
}

impl Protection {
    /// Makes a TLS configuration that trusts the given authorities only; without
    /// TLS, nobody.
    pub(super) fn new(transport: &Transport, material: &Material) -> Result<Self, TlsError> {
        let (ca, own) = paths(transport);
        let mut roots = RootCertStore::empty();
        if let (Some(path), Some(pem)) = (ca, &material.ca) {
            let bad = || TlsError::Certificate(path.to_owned());
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots
                    .add(certificate.map_err(|_| bad())?)
                    .map_err(|_| bad())?;
            }
            if roots.is_empty() {
                return Err(bad());
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Versions)?
            .with_root_certificates(roots);
        let (mut config, expires_at) = match (own, &material.own) {
            (Some([certificate, key]), Some([certificate_pem, key_pem])) => {
                let bad = || TlsError::Certificate(certificate.to_owned());
                let chain = CertificateDer::pem_slice_iter(certificate_pem)
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|_| bad())?;
                let expires_at = certs::expiry(certificate_pem).map_err(|_| bad())?;
                let private = PrivateKeyDer::from_pem_slice(key_pem)
                    .map_err(|_| TlsError::Key(key.to_owned()))?;
                let config = builder.with_client_auth_cert(chain, private).map_err(|_| {
                    TlsError::Mismatch {
                        certificate: certificate.to_owned(),
                        key: key.to_owned(),
                    }
                })?;
                (config, Some(expires_at))
            }
            _ => (builder.with_no_client_auth(), None),
        };
        // Every connection proves both ends anew, and sends nothing before.
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config,
            digest: material.digest,
            expires_at,
        })
    }
}

/// The authorities of a transport; our certificate and its key.
fn paths(transport: &Transport) -> (Option<&Path>, Option<[&Path; 2]>) {
    match transport {
        Transport::Mtls {
            ca,
            certificate,
            key,
            ..
        } => (Some(ca), Some([certificate, key])),
        Transport::PlainInVpn { .. } => (None, None),
        Transport::Tls { ca, .. } => (Some(ca), None),
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|source| TlsError::File {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::platform::certs::{CertificateAuthority, Existing, Validity};

    /// An authority, a bureau `bureau.test` and our certificate, in files.
    pub(crate) struct Pki {
        pub(crate) ca: CertificateAuthority,
        pub(crate) folder: tempfile::TempDir,
    }

    impl Pki {
        pub(crate) fn new() -> Self {
            let pki = Self {
                ca: CertificateAuthority::generate("test root", validity("2099-01-01T00:00:00Z"))
                    .unwrap(),
                folder: tempfile::tempdir().unwrap(),
            };
            fs::write(pki.path("ca.pem"), pki.ca.certificate_pem()).unwrap();
            pki.renew("2098-01-01T00:00:00Z");
            pki
        }

        /// Puts a new certificate with a new key in place.
        pub(crate) fn renew(&self, until: &str) {
            let client = self.ca.client("gateway", validity(until)).unwrap();
            client
                .write(
                    &self.path("client.pem"),
                    &self.path("client.key"),
                    Existing::Replace,
                )
                .unwrap();
        }

        pub(crate) fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        pub(crate) fn mtls(&self) -> Transport {
            Transport::Mtls {
                server_name: "bureau.test".to_owned(),
                ca: self.path("ca.pem"),
                certificate: self.path("client.pem"),
                key: self.path("client.key"),
            }
        }
    }

    pub(crate) fn validity(until: &str) -> Validity {
        Validity {
            from: "2020-01-01T00:00:00Z".parse().unwrap(),
            until: until.parse().unwrap(),
        }
    }

    fn load(transport: &Transport) -> Result<Protection, TlsError> {
        Protection::new(transport, &Material::read(transport)?)
    }

    #[test]
    fn a_change_of_any_file_is_seen_and_expiry_is_that_of_our_certificate() {
        let pki = Pki::new();
        let first = load(&pki.mtls()).unwrap();
        assert_eq!(
            first.expires_at,
            Some("2098-01-01T00:00:00Z".parse().unwrap())
        );
        assert_eq!(load(&pki.mtls()).unwrap().digest, first.digest);
        pki.renew("2097-01-01T00:00:00Z");
        assert_ne!(load(&pki.mtls()).unwrap().digest, first.digest);
    }

    #[test]
    fn what_does_not_fit_together_is_refused_by_name() {
        let pki = Pki::new();
        let other = pki
            .ca
            .client("other", validity("2098-01-01T00:00:00Z"))
            .unwrap();
        for (case, file, text, expected) in [
            (
                "another key",
                "client.key",
                other.key_pem.as_str(),
                "does not belong to",
            ),
            ("no key", "client.key", "", "no private key in"),
            (
                "no certificate",
                "client.pem",
                "",
                "no usable certificate in",
            ),
            ("no authority", "ca.pem", "", "no usable certificate in"),
        ] {
            let whole = fs::read(pki.path(file)).unwrap();
            fs::write(pki.path(file), text).unwrap();
            let error = load(&pki.mtls()).err().unwrap();
            assert!(error.to_string().contains(expected), "{case}: {error}");
            fs::write(pki.path(file), whole).unwrap();
        }
        fs::remove_file(pki.path("ca.pem")).unwrap();
        assert!(matches!(load(&pki.mtls()), Err(TlsError::File { .. })));
    }
}
