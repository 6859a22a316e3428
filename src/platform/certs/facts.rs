//! What a certificate says.

use jiff::Timestamp;
use x509_parser::{
    pem::parse_x509_pem,
    prelude::{FromDer as _, X509Certificate},
};

use super::CertError;
use crate::platform::digest::sha256;

/// The last moment of the first certificate in `pem`.
///
/// # Errors
///
/// [`CertError::NotACertificate`].
pub fn expiry(pem: &[u8]) -> Result<Timestamp, CertError> {
    let (_, block) = parse_x509_pem(pem).map_err(|_| CertError::NotACertificate)?;
    let certificate = block.parse_x509().map_err(|_| CertError::NotACertificate)?;
    Timestamp::from_second(certificate.validity().not_after.timestamp())
        .map_err(|_| CertError::NotACertificate)
}

/// SHA-256 of the `SubjectPublicKeyInfo` of a DER certificate: what a machine
/// client is known by, so that a renewed certificate on the same key stays the
/// same client.
///
/// # Errors
///
/// [`CertError::NotACertificate`].
pub fn spki_sha256(certificate_der: &[u8]) -> Result<[u8; 32], CertError> {
    let (_, certificate) =
        X509Certificate::from_der(certificate_der).map_err(|_| CertError::NotACertificate)?;
    Ok(sha256(certificate.public_key().raw))
}

/// [`spki_sha256`] of the first certificate in `pem`, as 64 lower-case hexadecimal digits.
///
/// # Errors
///
/// [`CertError::NotACertificate`].
pub fn spki_sha256_hex(pem: &[u8]) -> Result<String, CertError> {
    let (_, block) = parse_x509_pem(pem).map_err(|_| CertError::NotACertificate)?;
    let bytes = spki_sha256(&block.contents)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            CertificateAuthority, Identity, params,
            tests::{validity, year},
        },
        *,
    };

    #[test]
    fn expiry_is_the_last_moment_to_the_second() {
        let authority = CertificateAuthority::generate("root", year()).unwrap();
        let until = "2026-03-16T10:05:00Z";
        let client = authority
            .client("gateway", validity("2026-01-01T00:00:00Z", until))
            .unwrap();
        let read = expiry(client.certificate_pem.as_bytes()).unwrap();
        assert_eq!(read, until.parse::<Timestamp>().unwrap());
        assert!(matches!(
            expiry(b"nothing"),
            Err(CertError::NotACertificate)
        ));
    }

    #[test]
    fn the_key_digest_is_of_the_key_and_not_of_the_certificate() {
        let authority = CertificateAuthority::generate("root", year()).unwrap();
        let (one, two) = (authority.client("a", year()), authority.client("a", year()));
        let digest =
            |identity: &Identity| spki_sha256_hex(identity.certificate_pem.as_bytes()).unwrap();
        let (one, two) = (digest(&one.unwrap()), digest(&two.unwrap()));
        assert_ne!(one, two);
        assert_eq!(one.len(), 64);

        // The same key under another validity is the same client.
        let renewed = params(
            &[],
            "root",
            validity("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
        )
        .unwrap()
        .self_signed(authority.issuer.key())
        .unwrap()
        .pem();
        assert_eq!(
            spki_sha256_hex(renewed.as_bytes()).unwrap(),
            spki_sha256_hex(authority.certificate_pem().as_bytes()).unwrap()
        );
    }
}
