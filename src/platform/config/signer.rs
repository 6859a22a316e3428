//! How an institution signs messages to a bureau.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::Deserialize;

use crate::platform::signer::{CommandSigner, SignatureForm, Signer, SignerError, Sm2Signer};

/// A signing key in a file, or a program that signs.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SignerConfig {
    /// A program: the bytes on its standard input, the signature on its output.
    Command {
        /// Program and arguments.
        command: Vec<String>,
        /// How the bureau wants signatures written.
        #[serde(default)]
        form: SignatureForm,
        /// How long it may take, in seconds.
        #[serde(default = "ten")]
        timeout_seconds: u32,
    },
    /// A file with an SM2 private key, mode 0600.
    File {
        /// The file.
        file: PathBuf,
        /// How the bureau wants signatures written.
        #[serde(default)]
        form: SignatureForm,
    },
}

impl SignerConfig {
    /// Makes the signer.
    ///
    /// # Errors
    ///
    /// Those of reading the key file.
    pub fn load(&self) -> Result<Arc<dyn Signer>, SignerError> {
        Ok(match self {
            Self::Command {
                command,
                form,
                timeout_seconds,
            } => Arc::new(CommandSigner {
                command: command.clone(),
                form: *form,
                timeout: Duration::from_secs((*timeout_seconds).into()),
            }),
            Self::File { file, form } => Arc::new(Sm2Signer::load(file, *form)?),
        })
    }
}

fn ten() -> u32 {
    10
}
