//! The server's TLS configurations: the right one, and one for each fault of a
//! certificate.

use std::{collections::HashMap, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use tokio_rustls::TlsAcceptor;

use crate::{config::StartError, faults::Fault};

/// A certificate and its key, both PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate, then its intermediates if any.
    pub certificate_pem: String,
    /// The key.
    pub key_pem: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Mutual TLS: who the bureau is, and whom it lets in.
#[derive(Clone, Debug)]
pub struct MutualTls {
    /// The bureau's certificate.
    pub identity: Identity,
    /// Roots of the client certificates that it lets in, PEM.
    pub client_roots_pem: String,
    /// What it shows under [`Fault::ExpiredCertificate`].
    pub expired: Option<Identity>,
    /// What it shows under [`Fault::WrongAuthority`].
    pub wrong_authority: Option<Identity>,
    /// What it shows under [`Fault::WrongName`].
    pub wrong_name: Option<Identity>,
}

/// The acceptors, by fault; `None` is the right one.
pub(crate) type Acceptors = HashMap<Option<FaultKey>, TlsAcceptor>;

/// A fault that a handshake of its own plays.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum FaultKey {
    Expired,
    RefuseClient,
    WrongAuthority,
    WrongName,
}

impl FaultKey {
    pub(crate) fn of(fault: Fault) -> Option<Self> {
        match fault {
            Fault::ExpiredCertificate => Some(Self::Expired),
            Fault::RefuseCertificate => Some(Self::RefuseClient),
            Fault::WrongAuthority => Some(Self::WrongAuthority),
            Fault::WrongName => Some(Self::WrongName),
            _ => None,
        }
    }
}

pub(crate) fn acceptors(tls: &MutualTls) -> Result<Acceptors, StartError> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(tls.client_roots_pem.as_bytes()) {
        roots.add(root.map_err(|_| StartError::Pem)?)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map_err(|_| StartError::ClientRoots)?;
    let refuser = Arc::new(RefuseAll(verifier.clone()));

    let acceptor = |identity: &Identity, verifier: Arc<dyn ClientCertVerifier>| {
        let config = config(&provider, identity, verifier)?;
        Ok::<_, StartError>(TlsAcceptor::from(Arc::new(config)))
    };
    let mut acceptors = HashMap::from([
        (None, acceptor(&tls.identity, verifier.clone())?),
        (
            Some(FaultKey::RefuseClient),
            acceptor(&tls.identity, refuser)?,
        ),
    ]);
    for (key, identity) in [
        (FaultKey::Expired, &tls.expired),
        (FaultKey::WrongAuthority, &tls.wrong_authority),
        (FaultKey::WrongName, &tls.wrong_name),
    ] {
        if let Some(identity) = identity {
            acceptors.insert(Some(key), acceptor(identity, verifier.clone())?);
        }
    }
    Ok(acceptors)
}

fn config(
    provider: &Arc<CryptoProvider>,
    identity: &Identity,
    verifier: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, StartError> {
    let chain = CertificateDer::pem_slice_iter(identity.certificate_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| StartError::Pem)?;
    let key =
        PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).map_err(|_| StartError::Pem)?;
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Finds every client certificate revoked, after the client has finished its
/// side of a TLS 1.3 handshake: it learns of it only from its first read.
#[derive(Debug)]
struct RefuseAll(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for RefuseAll {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Err(CertificateError::Revoked.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
