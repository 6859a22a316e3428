//! Signatures over messages to a bureau: SM2 with SM3 (GB/T 32918.2).
//!
//! # Promise
//!
//! A [`Signer`] gets the bytes to be covered, not their digest, and knows its own
//! algorithm. The key may be in a file, or with a program that shows it to nobody.
//!
//! # What is not here
//!
//! What is signed, and where the signature stands, is the adapter's knowledge;
//! the key of the audit log is `crate::audit`'s.
//!
//! # Failure
//!
//! [`SignerError`] holds no key, message or signature. Nothing is tried twice.

use std::{fmt, path::Path, time::Duration};

use sm2::{
    SecretKey,
    dsa::{Signature, SigningKey, signature::Signer as _},
    pkcs8::DecodePrivateKey as _,
};

use super::{
    command::{self, CommandError},
    db::BoxFuture,
    secret::{self, SecretError},
};

/// The signer's distinguishing identifier where no other is agreed
/// (GB/T 35276-2017, 10).
pub const DEFAULT_ID: &str = "1234567812345678";

/// Signs bytes.
pub trait Signer: Send + Sync + fmt::Debug {
    /// Signs `bytes`, in the form that the bureau wants.
    ///
    /// # Errors
    ///
    /// See [`SignerError`]; nothing has been signed then.
    fn sign<'s>(&'s self, bytes: &'s [u8]) -> BoxFuture<'s, Result<Vec<u8>, SignerError>>;
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureForm {
    /// SEQUENCE { r, s }, as OpenSSL writes it.
    Der,
    /// r and s, 32 bytes each.
    #[default]
    Raw,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The signing program failed.
    #[error("the signing command gave no signature")]
    Command(#[from] CommandError),
    /// Neither PKCS#8 in PEM, nor the bare number, of an SM2 key.
    #[error("not an SM2 private key: PKCS#8 in PEM, or 64 hexadecimal digits")]
    Key,
    /// The key file cannot be read, or is open to others.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The command's output is no signature in the form that was asked for.
    #[error("the signing command wrote something that is no signature")]
    Signature,
}

/// Signs with a key in memory.
pub struct Sm2Signer {
    form: SignatureForm,
    key: SigningKey,
}

impl Sm2Signer {
    /// Reads a private key: PKCS#8 in PEM, or 32 bytes in hexadecimal or Base64.
    ///
    /// # Errors
    ///
    /// [`SignerError::Key`].
    pub fn parse(text: &[u8], form: SignatureForm) -> Result<Self, SignerError> {
        let text = text.trim_ascii();
        let secret = if text.starts_with(b"-----BEGIN") {
            let pem = std::str::from_utf8(text).map_err(|_| SignerError::Key)?;
            SecretKey::from_pkcs8_pem(pem).map_err(|_| SignerError::Key)?
        } else {
            let bytes = secret::key_bytes(text).ok_or(SignerError::Key)?;
            SecretKey::from_slice(&bytes[..]).map_err(|_| SignerError::Key)?
        };
        let key = SigningKey::new(DEFAULT_ID, &secret).map_err(|_| SignerError::Key)?;
        Ok(Self { form, key })
    }

    /// Reads a private key from a file that only its owner can read.
    ///
    /// # Errors
    ///
    /// [`SignerError::Secret`] or [`SignerError::Key`].
    pub fn load(path: &Path, form: SignatureForm) -> Result<Self, SignerError> {
        Self::parse(&secret::read_private(path)?, form)
    }
}

impl Signer for Sm2Signer {
    fn sign<'s>(&'s self, bytes: &'s [u8]) -> BoxFuture<'s, Result<Vec<u8>, SignerError>> {
        Box::pin(async move {
            let signature: Signature = self.key.try_sign(bytes).map_err(|_| SignerError::Key)?;
            Ok(match self.form {
                SignatureForm::Der => signature.to_der().as_ref().to_vec(),
                SignatureForm::Raw => signature.to_bytes().to_vec(),
            })
        })
    }
}

impl fmt::Debug for Sm2Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sm2Signer").finish_non_exhaustive()
    }
}

/// Signs by a program: the bytes on its standard input, the signature, raw or
/// DER, on its standard output.
#[derive(Debug)]
pub struct CommandSigner {
    /// Program and arguments.
    pub command: Vec<String>,
    /// The form that the bureau wants; the program may write the other.
    pub form: SignatureForm,
    /// How long it may take.
    pub timeout: Duration,
}

impl Signer for CommandSigner {
    fn sign<'s>(&'s self, bytes: &'s [u8]) -> BoxFuture<'s, Result<Vec<u8>, SignerError>> {
        Box::pin(async move {
            let output = command::run(&self.command, bytes, self.timeout).await?;
            // DER of 64 bytes would need numbers of 29 bytes: not in this life.
            let signature = match output.len() {
                64 => Signature::from_slice(&output),
                _ => Signature::from_der(&output),
            }
            .map_err(|_| SignerError::Signature)?;
            Ok(match self.form {
                SignatureForm::Der => signature.to_der().as_ref().to_vec(),
                SignatureForm::Raw => signature.to_bytes().to_vec(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

    use super::*;
    use crate::platform::certs::{Existing, Sm2KeyPair, write_secret};

    const MESSAGE: &[u8] = "报文 <Document/>".as_bytes();

    /// OpenSSL's judgment of a DER signature.
    fn openssl_accepts(folder: &Path, message: &[u8], signature: &[u8]) -> bool {
        let (text, sig) = (folder.join("message"), folder.join("signature"));
        fs::write(&text, message).unwrap();
        fs::write(&sig, signature).unwrap();
        let run = Command::new("openssl")
            .args(["pkeyutl", "-verify", "-rawin", "-digest", "sm3"])
            .args(["-pkeyopt", &format!("distid:{DEFAULT_ID}")])
            .arg("-pubin")
            .arg("-inkey")
            .arg(folder.join("public.pem"))
            .arg("-in")
            .arg(text)
            .arg("-sigfile")
            .arg(sig)
            .output()
            .expect("openssl is needed for this test");
        run.status.success()
    }

    fn pair(folder: &Path) {
        let pair = Sm2KeyPair::generate().unwrap();
        fs::write(folder.join("public.pem"), &pair.public_pem).unwrap();
        let key = folder.join("private.pem");
        write_secret(&key, pair.private_pem.as_bytes(), Existing::Keep).unwrap();
    }

    #[tokio::test]
    async fn openssl_accepts_what_a_key_file_signs() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        pair(folder);
        let path = folder.join("private.pem");
        let der = Sm2Signer::load(&path, SignatureForm::Der).unwrap();
        let signature = der.sign(MESSAGE).await.unwrap();
        assert!(openssl_accepts(folder, MESSAGE, &signature));
        assert!(!openssl_accepts(folder, b"another", &signature));

        let raw = Sm2Signer::load(&path, SignatureForm::Raw).unwrap();
        let raw = raw.sign(MESSAGE).await.unwrap();
        assert_eq!(raw.len(), 64);
        let der = Signature::from_slice(&raw).unwrap().to_der();
        assert!(openssl_accepts(folder, MESSAGE, der.as_ref()));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let open = Sm2Signer::load(&path, SignatureForm::Raw);
        assert!(matches!(
            open,
            Err(SignerError::Secret(SecretError::Mode(_)))
        ));
    }

    #[tokio::test]
    async fn a_program_may_sign_and_its_words_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        pair(folder);
        let key = folder.join("private.pem");
        // pkeyutl needs a file that it can measure.
        let script = format!(
            "cat > {0}/in && openssl pkeyutl -sign -rawin -digest sm3 \
             -pkeyopt distid:{DEFAULT_ID} -inkey {1} -in {0}/in",
            folder.display(),
            key.display()
        );
        let signer = |script: &str, form| CommandSigner {
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            form,
            timeout: Duration::from_secs(60),
        };
        let der = signer(&script, SignatureForm::Der)
            .sign(MESSAGE)
            .await
            .unwrap();
        assert!(openssl_accepts(folder, MESSAGE, &der));
        let raw = signer(&script, SignatureForm::Raw)
            .sign(MESSAGE)
            .await
            .unwrap();
        let der = Signature::from_slice(&raw).unwrap().to_der();
        assert!(openssl_accepts(folder, MESSAGE, der.as_ref()));
        for wrong in ["echo no signature", "true", "false", "head -c 64 /dev/zero"] {
            assert!(
                signer(wrong, SignatureForm::Raw)
                    .sign(MESSAGE)
                    .await
                    .is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_key_is_pem_or_hexadecimal_and_never_shown() {
        let hex = "11".repeat(32);
        let key = Sm2Signer::parse(format!("{hex}\n").as_bytes(), SignatureForm::Raw).unwrap();
        assert!(!format!("{key:?}").contains("11"));
        let beyond_the_order = "ff".repeat(32);
        for wrong in [
            "",
            "11",
            &beyond_the_order,
            &"00".repeat(32),
            "-----BEGIN x",
        ] {
            assert!(
                Sm2Signer::parse(wrong.as_bytes(), SignatureForm::Raw).is_err(),
                "{wrong}"
            );
        }
    }
}
