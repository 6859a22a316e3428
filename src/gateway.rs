//! The gateway, put together: everything that faces need, opened in the order
//! in which each thing may refuse.

mod clocks;
mod payloads;
mod record_bundle;
mod serve;

use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

pub use payloads::SealedPayloads;
pub use serve::{Addresses, ServeError, serve};

use crate::{
    audit::{
        self, Appender, AuditError, Disclosure, Draft, FolderSink, Kind, Log, Sink, key::LogKey,
    },
    authorizations::{Authorizations, Purpose},
    bureaus::{Fittings, Lines, LinesError},
    disputes::Disputes,
    inquiries::{AskError, Inquiries, Record},
    notices::Notices,
    operators::{self, Caller, OperatorError, Role},
    platform::{
        calendar::{Calendar, CalendarError},
        clock::Clock,
        config::{Config, Vocabulary},
        db::{self, Db, DbError, Epoch, OpenError, Ownership, Urgency},
        fault,
        secret::{self, SecretError},
        vault::{MasterError, MasterKeys, Vault, VaultError},
    },
    submissions::{self, Submissions, SubmitError},
};

/// Somebody took the evidence of an inquiry.
const DISCLOSED: Kind = Kind::new("evidence.disclosed");

/// A bundle links to so many of the latest checkpoints: a reader may have kept
/// any of them.
const LINKED: usize = 64;

/// An open gateway; clones share it.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Gateway").field(&self.0.db.kind()).finish()
    }
}

struct Parts {
    authorizations: Authorizations,
    calendar: Calendar,
    clock: Clock,
    config: Config,
    db: Db,
    disputes: Disputes,
    inquiries: Inquiries,
    lines: Lines,
    log: Log,
    metrics: Option<PrometheusHandle>,
    notices: Notices,
    ownership: Mutex<Ownership>,
    submissions: Submissions,
    vault: Vault,
}

/// Why it cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The audit log refuses.
    #[error("the audit log")]
    Audit(#[from] AuditError),
    /// A calendar of working days cannot be read.
    #[error("the calendar")]
    Calendar(#[from] CalendarError),
    /// The database's error.
    #[error("the database")]
    Db(#[from] DbError),
    /// A bureau's line cannot be made.
    #[error("the line to a bureau")]
    Lines(#[from] LinesError),
    /// The log's key cannot be read.
    #[error("the key of the audit log")]
    LogKey(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The vault's master keys cannot be read.
    #[error("the master keys")]
    Masters(#[from] MasterError),
    /// The database cannot be opened.
    #[error("the database")]
    Open(#[from] OpenError),
    /// An institution cannot be recorded.
    #[error("the institutions")]
    Operators(#[from] OperatorError),
    /// What an earlier start left cannot be settled.
    #[error("the inquiries of an earlier start")]
    Recover(#[from] AskError),
    /// A secret cannot be read.
    #[error("a secret")]
    Secret(#[from] SecretError),
    /// What an earlier start left of submissions cannot be read.
    #[error("the submissions of an earlier start")]
    Submissions(#[from] SubmitError),
    /// The vault does not open.
    #[error("the vault")]
    Vault(#[from] VaultError),
}

/// Names that configuration may use.
#[must_use]
pub fn vocabulary() -> Vocabulary<'static> {
    static PURPOSES: LazyLock<Vec<&str>> =
        LazyLock::new(|| Purpose::ALL.iter().map(|purpose| purpose.name()).collect());
    Vocabulary {
        adapters: &["pboc"],
        purposes: &PURPOSES,
    }
}

impl Gateway {
    /// Opens everything, takes sole ownership of the database, and settles what
    /// an earlier start left. Nothing listens and nothing is sent yet.
    ///
    /// # Errors
    ///
    /// See [`GatewayError`]: another owner, a sink that is ahead of the
    /// database, a volatile PostgreSQL, keys that are not those of the database.
    pub async fn open(
        config: Config,
        clock: Clock,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, GatewayError> {
        let calendar = Calendar::of(&config.calendar)?;
        let address = config.database.full_address()?;
        let ownership = db::own(address.expose_secret()).await?;
        let db = Db::open(address.expose_secret(), Arc::new(Appender)).await?;
        let sinks = config
            .audit
            .sinks
            .iter()
            .map(|sink| Arc::new(FolderSink::new(&sink.folder)) as Arc<dyn Sink>)
            .collect();
        // Before anything is written: a restored backup must stay as it is.
        let log = Log::open(db.clone(), log_key(&config)?, sinks).await?;
        let epoch = Epoch::take(&db, &clock).await?;
        fault::point("start.owned");
        let masters = MasterKeys::load(config.vault.sources()).await?;
        let vault = Vault::open(db.clone(), masters, config.vault.cipher, clock.clone()).await?;
        for institution in &config.institutions {
            let by = Caller::local(institution.id.as_str().into(), [Role::Administrator]);
            let (name, profile) = (&institution.name, &institution.profile);
            operators::record_institution(&db, &by, name, profile, clock.now()).await?;
        }
        let fittings = Fittings {
            adapters: vec![Arc::new(pboc::Pboc::new())],
            clock: clock.clone(),
            db: db.clone(),
            epoch,
        };
        let lines = Lines::open(config.bureaus.clone(), fittings).await?;
        let authorizations = Authorizations::new(db.clone(), vault.clone());
        let inquiries = Inquiries::new(
            authorizations.clone(),
            clock.clone(),
            config.inquiries.clone(),
            db.clone(),
            epoch,
            lines.clone(),
            vault.clone(),
        );
        inquiries.recover().await?;
        let submissions = Submissions::new(submissions::Parts {
            authorizations: authorizations.clone(),
            bureaus: config.bureaus.clone(),
            clock: clock.clone(),
            db: db.clone(),
            folder: config.submissions.folder.clone().unwrap_or_default(),
            lines: lines.clone(),
            notice_lead: SignedDuration::from_hours(
                24 * i64::from(config.submissions.notice_lead_days),
            ),
            vault: vault.clone(),
        });
        submissions.recover().await?;
        let ownership = Mutex::new(ownership);
        Ok(Self(Arc::new(Parts {
            authorizations,
            calendar,
            clock,
            config,
            disputes: Disputes::new(db.clone(), vault.clone()),
            notices: Notices::new(db.clone(), vault.clone()),
            db,
            inquiries,
            lines,
            log,
            metrics,
            ownership,
            submissions,
            vault,
        })))
    }

    /// The authorizations.
    #[must_use]
    pub fn authorizations(&self) -> &Authorizations {
        &self.0.authorizations
    }

    /// Working days.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.0.calendar
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The configuration it was opened with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The disputes.
    #[must_use]
    pub fn disputes(&self) -> &Disputes {
        &self.0.disputes
    }

    /// The inquiries.
    #[must_use]
    pub fn inquiries(&self) -> &Inquiries {
        &self.0.inquiries
    }

    /// The lines to bureaus.
    #[must_use]
    pub fn lines(&self) -> &Lines {
        &self.0.lines
    }

    /// The audit log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// The submissions.
    #[must_use]
    pub fn submissions(&self) -> &Submissions {
        &self.0.submissions
    }

    /// The notices.
    #[must_use]
    pub fn notices(&self) -> &Notices {
        &self.0.notices
    }

    /// The vault.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// Metrics in the text form of Prometheus; empty where none are recorded.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.0
            .metrics
            .as_ref()
            .map(PrometheusHandle::render)
            .unwrap_or_default()
    }

    /// Whether it still owns the database.
    ///
    /// # Errors
    ///
    /// That it is lost: then another may own it, and this one must go down.
    pub async fn owned(&self) -> Result<(), DbError> {
        self.0.ownership.lock().await.check().await
    }

    /// Whether it can take work.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub async fn ready(&self) -> Result<(), &'static str> {
        if self.owned().await.is_err() {
            return Err("the ownership of the database is lost\n");
        }
        let asked: Result<Option<(i64,)>, _> = self
            .0
            .db
            .first("SELECT epoch FROM ownership WHERE id = 1", crate::args![])
            .await;
        match asked {
            Ok(_) => Ok(()),
            Err(_) => Err("the database does not answer\n"),
        }
    }

    /// The evidence of an inquiry, with the subject's salt and the sealed
    /// answer: for compliance and regulators. Who took it is an entry, and the
    /// last one in the bundle.
    ///
    /// # Errors
    ///
    /// Those of the log and the vault.
    pub async fn bundle(&self, by: &Caller, record: &Record) -> Result<Vec<u8>, GatewayError> {
        let entry = Draft::new(DISCLOSED, &record.institution, self.0.clock.now())
            .actor(&by.actor)
            .about(&record.id)
            .finish()
            .map_err(AuditError::from)?;
        self.0
            .db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    tx.append(entry.into());
                    Ok::<_, DbError>(())
                })
            })
            .await?;
        let mut disclosure = Disclosure::default();
        if let Ok(identity) = self.0.vault.identity_read(&record.subject).await {
            let keys = self.0.vault.keys_read(&record.subject).await?;
            let digest = identity.document().sha256();
            disclosure.subject = Some((Zeroizing::new(*keys.expose_salt()), digest));
        }
        let sealed: Option<(Vec<u8>,)> = self
            .0
            .db
            .first(
                "SELECT sealed FROM answers WHERE inquiry = $1",
                crate::args![&record.id],
            )
            .await?;
        if let Some((sealed,)) = sealed {
            let place = audit::Place {
                table: "answers".to_owned(),
                column: "sealed".to_owned(),
                row: record.id.to_string(),
            };
            disclosure.payloads.push((place, sealed));
        }
        let kept = self.0.log.reader().all_checkpoints().await?;
        let since: Vec<u64> = kept
            .iter()
            .rev()
            .take(LINKED)
            .map(|(size, _)| *size)
            .collect();
        let evidence = self
            .0
            .log
            .evidence(record.id.as_str(), disclosure, &since)
            .await?;
        // Structs of texts and numbers: writing them does not fail.
        Ok(evidence
            .map(|e| serde_json::to_vec_pretty(&e).unwrap_or_default())
            .unwrap_or_default())
    }

    /// Today in China, for faces that parse identifiers.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

fn log_key(config: &Config) -> Result<LogKey, GatewayError> {
    let text = secret::read_private(&config.audit.key)?;
    let text = String::from_utf8(text.to_vec())
        .map_err(|error| GatewayError::LogKey(Box::new(error.utf8_error())))?;
    LogKey::parse(&SecretString::from(text)).map_err(|error| GatewayError::LogKey(Box::new(error)))
}
