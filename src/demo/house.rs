//! Certificates, keys, one configuration, and the mock bureau.

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use mocks::{Desk, DeskConfig, Encoding, Member, MockBureau, MockConfig, MutualTls, User};
use ring::rand::SystemRandom;
use secrecy::ExposeSecret as _;

use crate::{
    audit::key::LogKey,
    platform::{
        certs::{
            CertError, CertificateAuthority, Existing, Identity, Sm2KeyPair, Validity, write_secret,
        },
        clock::Clock,
        config::{DEMO_AUTHORITY, DEMO_FILE_KEY},
        vault::{MasterError, MasterKey},
    },
};

/// The mock bureau's identifier, as the configuration names it.
pub const BUREAU: &str = "pboc";

/// The name that the mock's certificate carries.
const BUREAU_NAME: &str = "bureau.demo.invalid";

/// Members of the mock: institution, its code and user there, and the reporting
/// organization that its files come from.
const MEMBERS: [(&str, &str, &str, &str); 2] = [
    ("demo-bank", "Z99990000H0001", "demobank", "T99999999H0001"),
    (
        "demo-platform",
        "Z99990000H0002",
        "demoplat",
        "T99999999H0002",
    ),
];

/// Keys of submission files, by reporting organization.
type FileKeys = BTreeMap<String, [u8; 16]>;

/// Why a house cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HouseError {
    /// A certificate or key cannot be made.
    #[error("cannot make a certificate")]
    Cert(#[from] CertError),
    /// A file cannot be written.
    #[error("cannot write into {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// The log's key cannot be made.
    #[error("cannot make the log's key")]
    LogKey(#[from] crate::audit::note::NoteError),
    /// A master key cannot be made.
    #[error("cannot make a master key")]
    Master(#[from] MasterError),
    /// The mock does not start.
    #[error("the mock bureau does not start")]
    Mock(#[from] mocks::StartError),
}

/// What a house is built from; the default is the demo's.
#[derive(Clone)]
pub struct Plan {
    /// Ports of the machines', people's and operations' listener; 0 takes free ones.
    pub ports: [u16; 3],
    /// Database address; `None` is SQLite in the folder.
    pub database: Option<String>,
    /// Port of the mock; 0 takes a free one.
    pub bureau_port: u16,
    /// How the mock puts reports into answers.
    pub encoding: Encoding,
    /// Reports have at least so many bytes.
    pub least_report_bytes: usize,
    /// Replacements in the text of the configuration, for what a test changes.
    pub edits: Vec<(String, String)>,
    /// The mock's clock, and the start of the certificates' validity.
    pub clock: Clock,
}

impl Plan {
    /// A house on free ports.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            ports: [0; 3],
            database: None,
            bureau_port: 0,
            encoding: Encoding::Alternating,
            least_report_bytes: 0,
            edits: Vec::new(),
            clock,
        }
    }

    /// Replaces a text of the configuration.
    #[must_use]
    pub fn edit(mut self, from: &str, to: &str) -> Self {
        self.edits.push((from.to_owned(), to.to_owned()));
        self
    }
}

/// A built house with its bureau running.
pub struct House {
    /// Its folder.
    pub folder: PathBuf,
    /// The mock bureau.
    pub bureau: MockBureau,
    /// Its desk for submission files: at its door, and by `exchange/`.
    pub desk: Desk,
    /// The authority of all its certificates.
    pub authority: CertificateAuthority,
}

impl House {
    /// Makes certificates, keys and `creditgate.toml` in an empty folder, and
    /// starts the mock.
    ///
    /// # Errors
    ///
    /// See [`HouseError`].
    pub async fn build(folder: &Path, plan: &Plan) -> Result<Self, HouseError> {
        for name in [
            "certs",
            "keys",
            "data",
            "outside",
            "exchange/out",
            "exchange/in",
        ] {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(|error| HouseError::Io(path.clone(), error))?;
        }
        let now = plan.clock.now();
        let validity = Validity {
            from: now - SignedDuration::from_hours(1),
            until: year_after(now),
        };
        let authority = CertificateAuthority::generate(DEMO_AUTHORITY, validity)?;
        let house = Builder {
            folder,
            authority: &authority,
            validity,
        };
        house.certificate(
            "gateway",
            &authority.server(&["127.0.0.1", "localhost"], validity)?,
        )?;
        house.certificate("line", &authority.client("demo line", validity)?)?;
        house.text("certs/ca.pem", authority.certificate_pem())?;
        house.secret(
            "keys/master-1.key",
            MasterKey::generate()?.to_text().as_bytes(),
        )?;
        let (_, log_key) = LogKey::generate("creditgate.demo.invalid", &SystemRandom::new())?;
        house.secret("keys/log.key", log_key.expose_secret().as_bytes())?;
        let (members, keys) = house.members()?;
        let exchange = folder.join("exchange");
        let clock = plan.clock.clone();
        let desk = Desk::open(DeskConfig {
            keys,
            folders: Some((exchange.join("out"), exchange.join("in"))),
            clock: Arc::new(move || clock.now()),
        });
        let bureau = house.bureau(plan, members, desk.clone()).await?;
        house.configuration(plan, bureau.address())?;
        Ok(Self {
            folder: folder.to_owned(),
            bureau,
            desk,
            authority,
        })
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.join("creditgate.toml")
    }
}

struct Builder<'b> {
    folder: &'b Path,
    authority: &'b CertificateAuthority,
    validity: Validity,
}

impl Builder<'_> {
    fn certificate(&self, name: &str, identity: &Identity) -> Result<(), HouseError> {
        let certs = self.folder.join("certs");
        let (certificate, key) = (
            certs.join(format!("{name}.pem")),
            certs.join(format!("{name}-key.pem")),
        );
        Ok(identity.write(&certificate, &key, Existing::Replace)?)
    }

    fn secret(&self, name: &str, bytes: &[u8]) -> Result<(), HouseError> {
        Ok(write_secret(
            &self.folder.join(name),
            bytes,
            Existing::Replace,
        )?)
    }

    fn text(&self, name: &str, text: &str) -> Result<(), HouseError> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|error| HouseError::Io(path.clone(), error))
    }

    /// Passwords and signing keys of the members, and what the bureau knows of them.
    fn members(&self) -> Result<(Vec<Member>, FileKeys), HouseError> {
        let (mut members, mut file_keys) = (Vec::new(), FileKeys::new());
        for (institution, code, user, organization) in MEMBERS {
            let password = MasterKey::generate()?.to_text()[..16].to_owned();
            let keys = Sm2KeyPair::generate()?;
            self.secret(&format!("keys/{institution}.password"), password.as_bytes())?;
            self.secret(
                &format!("keys/{institution}-sm2.pem"),
                keys.private_pem.as_bytes(),
            )?;
            let random = MasterKey::generate()?.to_text();
            let file_key = format!("{DEMO_FILE_KEY}{}", &random[..12]);
            self.secret(&format!("keys/{institution}-file.key"), file_key.as_bytes())?;
            if let Ok(key) = file_key.as_bytes().try_into() {
                file_keys.insert(organization.to_owned(), key);
            }
            members.push(Member {
                code: code.to_owned(),
                users: vec![User {
                    code: user.to_owned(),
                    password,
                }],
                signing_key_pem: Some(keys.public_pem),
                acts_for: Vec::new(),
            });
        }
        Ok((members, file_keys))
    }

    async fn bureau(
        &self,
        plan: &Plan,
        members: Vec<Member>,
        desk: Desk,
    ) -> Result<MockBureau, HouseError> {
        let identity = |identity: &Identity| mocks::Identity {
            certificate_pem: identity.certificate_pem.clone(),
            key_pem: identity.key_pem.to_string(),
        };
        let now = plan.clock.now();
        let past = Validity {
            from: now - SignedDuration::from_hours(48),
            until: now - SignedDuration::from_hours(24),
        };
        let stranger = CertificateAuthority::generate("stranger", self.validity)?;
        let clock = plan.clock.clone();
        let config = MockConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], plan.bureau_port)),
            tls: Some(MutualTls {
                identity: identity(&self.authority.server(&[BUREAU_NAME], self.validity)?),
                client_roots_pem: self.authority.certificate_pem().to_owned(),
                expired: Some(identity(&self.authority.server(&[BUREAU_NAME], past)?)),
                wrong_authority: Some(identity(&stranger.server(&[BUREAU_NAME], self.validity)?)),
                wrong_name: Some(identity(
                    &self
                        .authority
                        .server(&["other.demo.invalid"], self.validity)?,
                )),
            }),
            members,
            encoding: plan.encoding,
            least_report_bytes: plan.least_report_bytes,
            desk: Some(desk),
            ..MockConfig::new(Arc::new(move || clock.now()))
        };
        Ok(MockBureau::start(config).await?)
    }

    fn configuration(&self, plan: &Plan, bureau: SocketAddr) -> Result<(), HouseError> {
        let mut text = include_str!("../../config/demo.toml")
            .replace("127.0.0.1:8443", &format!("127.0.0.1:{}", plan.ports[0]))
            .replace("127.0.0.1:8444", &format!("127.0.0.1:{}", plan.ports[1]))
            .replace("127.0.0.1:9470", &format!("127.0.0.1:{}", plan.ports[2]))
            .replace("127.0.0.1:9443", &bureau.to_string());
        if let Some(database) = &plan.database {
            text = text.replace("sqlite:data/creditgate.db", database);
        }
        for (from, to) in &plan.edits {
            text = text.replace(from, to);
        }
        self.text("creditgate.toml", &text)
    }
}

fn year_after(now: Timestamp) -> Timestamp {
    now.checked_add((365 * 24).hours())
        .unwrap_or(Timestamp::MAX)
}
