//! `creditgate certs`: a small certificate authority in files.
//!
//! Every call makes a pair: `NAME.pem`, which others may read, and
//! `NAME-key.pem`, which only its owner may.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;

use super::{CliError, Common, Exit, out};
use crate::platform::certs::{
    CertificateAuthority, Existing, Identity, Sm2KeyPair, Validity, spki_sha256_hex,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a root authority
    Ca {
        /// Its name, as certificates show it.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        valid: Valid,
        #[command(flatten)]
        to: To,
    },
    /// Make a client's certificate
    Client {
        /// The client's name, as the certificate shows it.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        valid: Valid,
        #[command(flatten)]
        to: To,
    },
    /// Make a server's certificate
    Server {
        /// A host name or address under which it is reached; may be repeated.
        #[arg(long = "name", value_name = "HOST", required = true)]
        names: Vec<String>,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        valid: Valid,
        #[command(flatten)]
        to: To,
    },
    /// Make an SM2 key pair for signing messages
    Sm2 {
        #[command(flatten)]
        to: To,
    },
}

/// Which authority signs.
#[derive(Debug, clap::Args)]
pub(super) struct By {
    /// The authority, by the name its files were made under: `pki/ca`.
    #[arg(long, value_name = "NAME")]
    ca: PathBuf,
}

/// How long it is valid.
#[derive(Debug, clap::Args)]
pub(super) struct Valid {
    /// Days from now.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

/// Where it goes.
#[derive(Debug, clap::Args)]
pub(super) struct To {
    /// Makes NAME.pem and NAME-key.pem.
    #[arg(long, value_name = "NAME")]
    out: PathBuf,
    /// Put them in the place of files that stand there.
    #[arg(long)]
    replace: bool,
}

/// What was made.
#[derive(Serialize)]
struct Made {
    public: PathBuf,
    private: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    /// What a machine client is registered by.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_sha256: Option<String>,
}

pub(super) fn run(common: &Common, command: &Command, now: Timestamp) -> Result<Exit, CliError> {
    let made = match command {
        Command::Ca { name, valid, to } => {
            let validity = valid.from(now);
            let authority = CertificateAuthority::generate(name, validity)?;
            to.write(&authority.identity(), validity)?
        }
        Command::Client {
            name,
            by,
            valid,
            to,
        } => {
            let validity = valid.from(now);
            to.write(&by.load()?.client(name, validity)?, validity)?
        }
        Command::Server {
            names,
            by,
            valid,
            to,
        } => {
            let validity = valid.from(now);
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            to.write(&by.load()?.server(&names, validity)?, validity)?
        }
        Command::Sm2 { to } => {
            let (public, private) = to.files();
            Sm2KeyPair::generate()?.write(&public, &private, to.existing())?;
            Made {
                public,
                private,
                valid_until: None,
                key_sha256: None,
            }
        }
    };
    print(common, &made)?;
    Ok(Exit::Done)
}

fn print(common: &Common, made: &Made) -> Result<(), CliError> {
    if common.json {
        return out::json(made);
    }
    let mut lines = vec![
        made.public.display().to_string(),
        format!("{} (keep it secret)", made.private.display()),
    ];
    lines.extend(
        made.valid_until
            .iter()
            .map(|at| format!("valid until {at}")),
    );
    lines.extend(
        made.key_sha256
            .iter()
            .map(|key| format!("public key sha256 {key}")),
    );
    out::text(&lines.join("\n"))
}

impl By {
    fn load(&self) -> Result<CertificateAuthority, CliError> {
        let read = |path: PathBuf| {
            fs::read_to_string(&path).map_err(|source| CliError::Read { path, source })
        };
        let key = zeroize::Zeroizing::new(read(private(&self.ca))?);
        Ok(CertificateAuthority::load(&read(public(&self.ca))?, &key)?)
    }
}

impl Valid {
    fn from(&self, now: Timestamp) -> Validity {
        let days = Duration::from_secs(u64::from(self.days) * 24 * 60 * 60);
        Validity {
            from: now,
            until: now.checked_add(days).unwrap_or(Timestamp::MAX),
        }
    }
}

impl To {
    fn existing(&self) -> Existing {
        if self.replace {
            Existing::Replace
        } else {
            Existing::Keep
        }
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        (public(&self.out), private(&self.out))
    }

    fn write(&self, identity: &Identity, validity: Validity) -> Result<Made, CliError> {
        let (public, private) = self.files();
        identity.write(&public, &private, self.existing())?;
        Ok(Made {
            public,
            private,
            valid_until: Some(validity.until.to_string()),
            key_sha256: Some(spki_sha256_hex(identity.certificate_pem.as_bytes())?),
        })
    }
}

fn public(name: &Path) -> PathBuf {
    with_ending(name, ".pem")
}

fn private(name: &Path) -> PathBuf {
    with_ending(name, "-key.pem")
}

/// Adds to the name as it is: `bank.test` has no extension to replace.
fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
