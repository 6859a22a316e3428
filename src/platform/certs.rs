//! A small certificate authority, SM2 signing keys, and facts about certificates.
//!
//! # Promise
//!
//! Certificates carry only what their use needs: a server's its names, a
//! client's its common name, each for one direction of TLS. Times are arguments,
//! so an expired certificate can be made as easily as a valid one. A secret file
//! appears whole, with mode 0600 from its first byte, or not at all.
//!
//! # What is not here
//!
//! No clock, no revocation, no SM2 certificates: the private network of a bureau
//! brings its own authority, this one serves the demo, tests and small houses.
//!
//! # Failure
//!
//! [`CertError`] names the step and never holds key material.

mod facts;
mod files;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use sm2::{
    SecretKey,
    elliptic_curve::Generate as _,
    pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding},
};
use zeroize::Zeroizing;

pub use self::{
    facts::{expiry, spki_sha256, spki_sha256_hex},
    files::{Existing, write_secret},
};

/// Why a certificate or key could not be made, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertError {
    /// A file could not be written; what stood there before still stands.
    #[error("cannot write {}", path.display())]
    File {
        /// The file that was to be written.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The names, the validity or the authority do not make a certificate.
    #[error("cannot issue the certificate")]
    Issue(#[from] rcgen::Error),
    /// The text is no certificate in PEM or DER.
    #[error("not an X.509 certificate")]
    NotACertificate,
    /// The system gave no random bytes, or the key could not be encoded.
    #[error("cannot generate an SM2 key")]
    Sm2Key,
    /// A validity that ends before it starts, or lies outside 1970 to 9999.
    #[error("the validity ends before it starts or lies outside 1970 to 9999")]
    Validity,
}

/// From when until when a certificate is valid, both included, to the second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// First moment.
    pub from: Timestamp,
    /// Last moment.
    pub until: Timestamp,
}

/// A root of trust that issues certificates for both ends of mutual TLS.
pub struct CertificateAuthority {
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// Makes a root with a fresh P-256 key; `name` becomes its common name.
    ///
    /// # Errors
    ///
    /// [`CertError::Validity`], or [`CertError::Issue`] for a name that no
    /// certificate can carry.
    pub fn generate(name: &str, validity: Validity) -> Result<Self, CertError> {
        let mut params = params(&[], name, validity)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate_pem = params.self_signed(&key)?.pem();
        Ok(Self {
            certificate_pem,
            issuer: Issuer::new(params, key),
        })
    }

    /// Takes up an authority that was written to disk earlier.
    ///
    /// # Errors
    ///
    /// [`CertError::Issue`] if one of the two is not readable.
    pub fn load(certificate_pem: &str, key_pem: &str) -> Result<Self, CertError> {
        let key = KeyPair::from_pem(key_pem)?;
        Ok(Self {
            certificate_pem: certificate_pem.to_owned(),
            issuer: Issuer::from_ca_cert_pem(certificate_pem, key)?,
        })
    }

    /// The root certificate, for the trust store of the other end.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Root certificate and key, to be written by [`Identity::write`].
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            certificate_pem: self.certificate_pem.clone(),
            key_pem: Zeroizing::new(self.issuer.key().serialize_pem()),
        }
    }

    /// Issues a certificate for a server that is reached under `names`, which
    /// are DNS names or IP addresses; the first is also its common name.
    ///
    /// # Errors
    ///
    /// [`CertError::Validity`], or [`CertError::Issue`] for a name that is
    /// neither.
    pub fn server(&self, names: &[&str], validity: Validity) -> Result<Identity, CertError> {
        let common_name = names.first().copied().unwrap_or_default();
        self.issue(
            names,
            common_name,
            ExtendedKeyUsagePurpose::ServerAuth,
            validity,
        )
    }

    /// Issues a certificate for a client.
    ///
    /// # Errors
    ///
    /// As [`CertificateAuthority::generate`].
    pub fn client(&self, common_name: &str, validity: Validity) -> Result<Identity, CertError> {
        self.issue(
            &[],
            common_name,
            ExtendedKeyUsagePurpose::ClientAuth,
            validity,
        )
    }

    fn issue(
        &self,
        names: &[&str],
        common_name: &str,
        usage: ExtendedKeyUsagePurpose,
        validity: Validity,
    ) -> Result<Identity, CertError> {
        let mut params = params(names, common_name, validity)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate()?;
        let certificate_pem = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity {
            certificate_pem,
            key_pem: Zeroizing::new(key.serialize_pem()),
        })
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority")
            .finish_non_exhaustive()
    }
}

/// A certificate and its private key, both PEM.
pub struct Identity {
    /// The certificate, without the root.
    pub certificate_pem: String,
    /// The private key, PKCS#8.
    pub key_pem: Zeroizing<String>,
}

impl Identity {
    /// Writes certificate and key to two files, the key first and for its owner only.
    ///
    /// # Errors
    ///
    /// [`CertError::File`]; after a failure the key may stand without its certificate.
    pub fn write(
        &self,
        certificate: &Path,
        key: &Path,
        existing: Existing,
    ) -> Result<(), CertError> {
        files::write_secret(key, self.key_pem.as_bytes(), existing)?;
        files::write_public(certificate, self.certificate_pem.as_bytes(), existing)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// A key pair for the signature over a bureau message (GB/T 32918).
pub struct Sm2KeyPair {
    /// The private key, PKCS#8 PEM; OpenSSL 3 reads it.
    pub private_pem: Zeroizing<String>,
    /// The public key, `SubjectPublicKeyInfo` PEM, for the bureau.
    pub public_pem: String,
}

impl Sm2KeyPair {
    /// Makes a fresh pair.
    ///
    /// # Errors
    ///
    /// [`CertError::Sm2Key`] if the system gives no random bytes.
    pub fn generate() -> Result<Self, CertError> {
        let secret = SecretKey::try_generate().map_err(|_| CertError::Sm2Key)?;
        let private_pem = secret
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| CertError::Sm2Key)?;
        let public_pem = secret
            .public_key()
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| CertError::Sm2Key)?;
        Ok(Self {
            private_pem,
            public_pem,
        })
    }

    /// Writes both to two files, as [`Identity::write`] does.
    ///
    /// # Errors
    ///
    /// [`CertError::File`]; after a failure the private key may stand alone.
    pub fn write(
        &self,
        public: &Path,
        private: &Path,
        existing: Existing,
    ) -> Result<(), CertError> {
        files::write_secret(private, self.private_pem.as_bytes(), existing)?;
        files::write_public(public, self.public_pem.as_bytes(), existing)
    }
}

impl fmt::Debug for Sm2KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sm2KeyPair").finish_non_exhaustive()
    }
}

fn params(
    names: &[&str],
    common_name: &str,
    validity: Validity,
) -> Result<CertificateParams, CertError> {
    if validity.until < validity.from {
        return Err(CertError::Validity);
    }
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(validity.from)?;
    params.not_after = epoch + since_epoch(validity.until)?;
    Ok(params)
}

fn since_epoch(at: Timestamp) -> Result<Duration, CertError> {
    u64::try_from(at.as_second())
        .map(Duration::from_secs)
        .map_err(|_| CertError::Validity)
}

#[cfg(test)]
mod tests {
    use rustls::{
        RootCertStore,
        client::WebPkiServerVerifier,
        client::danger::ServerCertVerifier as _,
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    };

    use super::*;

    pub(super) fn validity(from: &str, until: &str) -> Validity {
        Validity {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        }
    }

    pub(super) fn year() -> Validity {
        validity("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    }

    fn accepts(root: &str, server: &Identity, name: &str, at: &str) -> bool {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap())
            .unwrap();
        let verifier = WebPkiServerVerifier::builder_with_provider(
            roots.into(),
            rustls::crypto::ring::default_provider().into(),
        )
        .build()
        .unwrap();
        let certificate =
            CertificateDer::from_pem_slice(server.certificate_pem.as_bytes()).unwrap();
        let at: Timestamp = at.parse().unwrap();
        let now = UnixTime::since_unix_epoch(since_epoch(at).unwrap());
        let name = ServerName::try_from(name).unwrap();
        verifier
            .verify_server_cert(&certificate, &[], &name, &[], now)
            .is_ok()
    }

    #[test]
    fn a_server_is_trusted_under_its_names_root_and_time_only() {
        let ours = CertificateAuthority::generate("root", year()).unwrap();
        let other = CertificateAuthority::generate("other root", year()).unwrap();
        let server = ours.server(&["bureau.test", "127.0.0.1"], year()).unwrap();
        let (inside, outside) = ("2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z");
        let cases = [
            ("its name", &ours, "bureau.test", inside, true),
            ("its address", &ours, "127.0.0.1", inside, true),
            ("another name", &ours, "other.test", inside, false),
            ("another root", &other, "bureau.test", inside, false),
            ("expired", &ours, "bureau.test", outside, false),
        ];
        for (case, root, name, at, expected) in cases {
            assert_eq!(
                accepts(root.certificate_pem(), &server, name, at),
                expected,
                "{case}"
            );
        }
        let client = ours.client("bureau.test", year()).unwrap();
        assert!(
            !accepts(ours.certificate_pem(), &client, "bureau.test", inside),
            "client use"
        );
    }

    #[test]
    fn an_authority_read_back_issues_under_the_same_root() {
        let first = CertificateAuthority::generate("root", year()).unwrap();
        let identity = first.identity();
        let again =
            CertificateAuthority::load(&identity.certificate_pem, &identity.key_pem).unwrap();
        let server = again.server(&["bureau.test"], year()).unwrap();
        assert!(accepts(
            first.certificate_pem(),
            &server,
            "bureau.test",
            "2026-06-01T00:00:00Z"
        ));
    }

    #[test]
    fn a_validity_must_run_forward_from_1970() {
        for (from, until) in [
            ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("1969-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ] {
            let refused = CertificateAuthority::generate("root", validity(from, until));
            assert!(
                matches!(refused, Err(CertError::Validity)),
                "{from} to {until}"
            );
        }
    }

    #[test]
    fn an_sm2_pair_belongs_together() {
        use sm2::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};

        let pair = Sm2KeyPair::generate().unwrap();
        let secret = SecretKey::from_pkcs8_pem(&pair.private_pem).unwrap();
        let public = sm2::PublicKey::from_public_key_pem(&pair.public_pem).unwrap();
        assert_eq!(secret.public_key(), public);
    }
}
