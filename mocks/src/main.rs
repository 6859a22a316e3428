//! `mock-bureau`: the mock as a process of its own.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};
use jiff::Timestamp;
use mocks::{
    Admin, Desk, DeskConfig, Encoding, Identity, Member, MockBureau, MockConfig, MutualTls,
};

/// A mock of the PBOC query interface. Never use it with real people: it
/// refuses every resident ID number that is not synthetic.
///
/// Prints `bureau=ADDRESS` and `admin=ADDRESS`, a line each, once it listens.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where the bureau listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Where the admin port listens, on loopback.
    #[arg(long, default_value = "127.0.0.1:0")]
    admin: SocketAddr,

    /// The bureau's certificate, PEM.
    #[arg(long, requires_all = ["key", "client_ca"], required_unless_present = "plain")]
    cert: Option<PathBuf>,

    /// Its key, PEM.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,

    /// Root of the client certificates that are let in, PEM.
    #[arg(long, requires = "cert")]
    client_ca: Option<PathBuf>,

    /// Speak plain HTTP.
    #[arg(long, conflicts_with = "cert")]
    plain: bool,

    /// Certificate and key for the fault `expired_certificate`.
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"], requires = "cert")]
    expired: Vec<PathBuf>,

    /// Certificate and key for the fault `wrong_authority`.
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"], requires = "cert")]
    wrong_authority: Vec<PathBuf>,

    /// Certificate and key for the fault `wrong_name`.
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"], requires = "cert")]
    wrong_name: Vec<PathBuf>,

    /// Members of the bureau with users and SM2 signing keys, JSON; without it
    /// every institution is known and signatures are not verified.
    #[arg(long)]
    members: Option<PathBuf>,

    /// A reporting organization, the key of its files (16 characters), and the
    /// folders `out` and `in` that it uses; files come by the door, too.
    #[arg(long, num_args = 4, value_names = ["ORG", "KEY", "OUT", "IN"])]
    desk: Vec<String>,

    /// How reports are put into answers.
    #[arg(long, value_enum, default_value_t = EncodingName::Base64Gzip)]
    encoding: EncodingName,

    /// Fill every report up to at least so many bytes.
    #[arg(long, default_value_t = 0)]
    least_report_bytes: usize,

    /// Pause before every answer, in milliseconds.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EncodingName {
    Alternating,
    Base64,
    Base64Gzip,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let bureau = MockBureau::start(config(&arguments)?).await?;
    let admin = Admin::listen(&bureau, arguments.admin)
        .await
        .context("the admin port")?;
    println!("bureau={}\nadmin={}", bureau.address(), admin.address()?);
    admin.serve().await?;
    Ok(())
}

fn config(arguments: &Arguments) -> Result<MockConfig> {
    // The mock is a process of its own here, so this is its only clock.
    #[allow(
        clippy::disallowed_methods,
        reason = "the binary is where the clock comes from"
    )]
    let clock = Arc::new(Timestamp::now);
    let members: Vec<Member> = match &arguments.members {
        Some(path) => serde_json::from_str(&read(path)?).context("the members' file")?,
        None => Vec::new(),
    };
    let desk = match &arguments.desk[..] {
        [org, key, out, inside] => Some(Desk::open(DeskConfig {
            keys: [(
                org.clone(),
                key.as_bytes()
                    .try_into()
                    .context("the key of files has 16 characters")?,
            )]
            .into(),
            folders: Some((out.into(), inside.into())),
            clock: clock.clone(),
        })),
        _ => None,
    };
    Ok(MockConfig {
        desk,
        listen: arguments.listen,
        tls: tls(arguments)?,
        members,
        encoding: match arguments.encoding {
            EncodingName::Alternating => Encoding::Alternating,
            EncodingName::Base64 => Encoding::Base64,
            EncodingName::Base64Gzip => Encoding::Base64Gzip,
        },
        least_report_bytes: arguments.least_report_bytes,
        latency: Duration::from_millis(arguments.latency_ms),
        ..MockConfig::new(clock)
    })
}

fn tls(arguments: &Arguments) -> Result<Option<MutualTls>> {
    let (Some(cert), Some(key), Some(roots)) =
        (&arguments.cert, &arguments.key, &arguments.client_ca)
    else {
        return Ok(None);
    };
    Ok(Some(MutualTls {
        identity: identity(cert, key)?,
        client_roots_pem: read(roots)?,
        expired: pair(&arguments.expired)?,
        wrong_authority: pair(&arguments.wrong_authority)?,
        wrong_name: pair(&arguments.wrong_name)?,
    }))
}

fn pair(paths: &[PathBuf]) -> Result<Option<Identity>> {
    let [cert, key] = paths else {
        ensure!(paths.is_empty(), "a certificate and its key are two files");
        return Ok(None);
    };
    identity(cert, key).map(Some)
}

fn identity(cert: &PathBuf, key: &PathBuf) -> Result<Identity> {
    Ok(Identity {
        certificate_pem: read(cert)?,
        key_pem: read(key)?,
    })
}

fn read(path: &PathBuf) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
