//! The lines to all bureaus, made from configuration.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use contract::{Adapter, Terms, TermsError};

use super::{
    Hours,
    client::{Client, ClientError},
    credentials::{Credentials, Member, MemberError},
    files::{self, FileLine, FileLineError},
    gate::Gate,
    registry,
    schedule::Schedule,
    serial::Serials,
};
use crate::platform::{
    clock::Clock,
    config::bureau::{BureauConfig, ProductConfig},
    db::{Db, DbError, Epoch},
    ids::{BureauId, InstitutionId},
};

/// Why the lines cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinesError {
    /// No adapter has that name.
    #[error("bureau {bureau}: there is no adapter {adapter}")]
    Adapter {
        /// The bureau.
        bureau: String,
        /// The name.
        adapter: String,
    },
    /// The way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The way of its files.
    #[error("bureau {0}: submission")]
    Files(String, #[source] FileLineError),
    /// The registry could not be written.
    #[error("the registry of bureaus cannot be written")]
    Db(#[from] DbError),
    /// Credentials of a member.
    #[error("bureau {bureau}, member {member}")]
    Member {
        /// The bureau.
        bureau: String,
        /// The institution.
        member: String,
        /// What is wrong.
        #[source]
        source: MemberError,
    },
    /// What the contract with a bureau says of a product is not known to its
    /// dialect.
    #[error("bureau {0}: products")]
    Terms(String, #[source] TermsError),
    /// Two bureaus have the same identifier.
    #[error("bureau {0} is configured twice")]
    Twice(String),
}

/// What lines are made of, beside their configuration.
pub struct Fittings {
    /// The dialects.
    pub adapters: Vec<Arc<dyn Adapter>>,
    /// The clock.
    pub clock: Clock,
    /// The database of quotas, serials and intents.
    pub db: Db,
    /// This start of the server.
    pub epoch: Epoch,
}

/// The lines to all bureaus.
#[derive(Clone)]
pub struct Lines(pub(super) Arc<BTreeMap<BureauId, Arc<Line>>>);

/// The line to one bureau.
pub struct Line {
    pub(super) id: BureauId,
    pub(super) config: BureauConfig,
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) db: Db,
    pub(super) epoch: Epoch,
    pub(super) files: Option<FileLine>,
    pub(super) gate: Arc<Gate>,
    pub(super) hours: Hours,
    pub(super) members: HashMap<InstitutionId, Member>,
    pub(super) schedule: Schedule,
    pub(super) serials: Serials,
}

impl Lines {
    /// Makes all lines, and brings the registry to what configuration says.
    ///
    /// # Errors
    ///
    /// The first thing that is not as configured: an adapter, a file, a
    /// password, the database.
    pub async fn open(configs: Vec<BureauConfig>, fittings: Fittings) -> Result<Self, LinesError> {
        registry::load(&fittings.db, &configs, fittings.clock.now()).await?;
        files::register(&fittings.db, &configs, fittings.clock.now()).await?;
        let fittings = Arc::new(fittings);
        let mut lines = BTreeMap::new();
        for config in configs {
            let id = config.id.clone();
            let fittings = Arc::clone(&fittings);
            let adapter = adapter(&config, &fittings)?;
            let files = FileLine::open(&config, &adapter, &fittings.clock).await;
            let files = files.map_err(|error| LinesError::Files(id.clone(), error))?;
            // It reads files of keys and passwords.
            let make = move || Line::new(config, adapter, files, &fittings);
            let line = match tokio::task::spawn_blocking(make).await {
                Ok(line) => line?,
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            };
            if lines.insert(line.id.clone(), Arc::new(line)).is_some() {
                return Err(LinesError::Twice(id));
            }
        }
        let lines = Self(Arc::new(lines));
        tokio::spawn(lines.inspect_from_time_to_time());
        Ok(lines)
    }

    /// The line to a bureau.
    #[must_use]
    pub fn line(&self, bureau: &BureauId) -> Option<&Arc<Line>> {
        self.0.get(bureau)
    }

    /// All lines, by bureau.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Line>> {
        self.0.values()
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The dialect that configuration names.
fn adapter(config: &BureauConfig, fittings: &Fittings) -> Result<Arc<dyn Adapter>, LinesError> {
    let mut known = fittings.adapters.iter();
    let adapter = known.find(|adapter| adapter.name() == config.adapter);
    let adapter = adapter.ok_or_else(|| LinesError::Adapter {
        bureau: config.id.clone(),
        adapter: config.adapter.clone(),
    })?;
    let terms = |product: &ProductConfig| Terms {
        reasons: product.reasons.clone(),
        service: product.service.clone(),
    };
    let products = config.products.iter();
    let terms = products
        .map(|(name, it)| (name.clone(), terms(it)))
        .collect();
    let under = adapter.under(&terms);
    let under = under.map_err(|error| LinesError::Terms(config.id.clone(), error))?;
    Ok(under.unwrap_or_else(|| Arc::clone(adapter)))
}

impl Line {
    fn new(
        config: BureauConfig,
        adapter: Arc<dyn Adapter>,
        files: Option<FileLine>,
        fittings: &Fittings,
    ) -> Result<Self, LinesError> {
        let mut members = HashMap::new();
        for member in &config.members {
            let loaded = Member::load(member).map_err(|source| LinesError::Member {
                bureau: config.id.clone(),
                member: member.institution.clone(),
                source,
            })?;
            members.insert(member.institution.as_str().into(), loaded);
        }
        Ok(Self {
            id: config.id.as_str().into(),
            adapter,
            client: Client::new(&config)?,
            clock: fittings.clock.clone(),
            db: fittings.db.clone(),
            epoch: fittings.epoch,
            files,
            gate: Arc::new(Gate::new(&config)),
            hours: Hours::new(&config.hours),
            members,
            schedule: Schedule::new(config.retry),
            serials: Serials::new(config.id.as_str().into()),
            config,
        })
    }

    /// The bureau.
    #[must_use]
    pub fn id(&self) -> &BureauId {
        &self.id
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The dialect: products, dictionaries, reason codes.
    #[must_use]
    pub fn adapter(&self) -> &dyn Adapter {
        &*self.adapter
    }

    /// The way of submission files, if configuration names one.
    #[must_use]
    pub fn files(&self) -> Option<&FileLine> {
        self.files.as_ref()
    }

    /// The credentials for a message of an operator or machine client; `None`
    /// where the institution is no member.
    #[must_use]
    pub fn credentials(&self, institution: &InstitutionId, operator: &str) -> Option<Credentials> {
        Some(self.members.get(institution)?.credentials(operator))
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&self.id).finish()
    }
}
