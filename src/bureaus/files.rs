//! Submission files to a bureau and its feedback files back.
//!
//! # Promise
//!
//! A file goes out as the bytes that were frozen, under its one name, and
//! streams: nothing of it is held in memory. Delivering again is the same name
//! and the same bytes, and what became of it is told as `sent` tells it: not
//! sent only where that is proven. A file that is fetched is whole and durable
//! before it has its name.
//!
//! # What is not here
//!
//! No state of a file and no repetition: `submissions` makes the intent durable
//! first, delivers, and decides again. No meaning of a feedback file.
//!
//! # Failure
//!
//! [`Delivery`] and [`Failure`] name a cause by a stable code. Dropping a
//! delivery cuts it, and leaves its fate unknown.

mod durable;
mod exchange;
mod registry;
mod run;
mod seal;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc, time::Duration};

use contract::{Adapter, Delivery, Failure, FileOutcome, FileTask, FileToSend, Way};
use jiff::civil::Date;

pub use durable::FileFacts;
pub use seal::{Opened, Seal, SealError, Sealing};

pub(super) use self::{durable::Sum, registry::load as register};

use self::{exchange::Exchange, run::Run};
use super::client::{Client, ClientError};
use crate::platform::{
    clock::{Clock, china_date},
    config::bureau::{BureauConfig, FileTransport, ReporterConfig, Transport},
    ids::InstitutionId,
};

/// The way of files to and from one bureau.
pub struct FileLine {
    bureau: String,
    clock: Clock,
    /// The last day on which it may go without TLS.
    until: Option<Date>,
    adapter: Arc<dyn Adapter>,
    carrier: Carrier,
    reporters: BTreeMap<InstitutionId, Reporter>,
}

/// An institution that reports.
struct Reporter {
    organization_code: String,
    seal: Seal,
}

enum Carrier {
    Exchange(Arc<Exchange>),
    Https(Box<Client>, Duration),
}

/// Why there is no way for files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileLineError {
    /// The line.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The seal of a member.
    #[error("member {member}: its seal")]
    Seal {
        /// The institution.
        member: String,
        /// What is wrong.
        #[source]
        source: SealError,
    },
    /// The dialect does not know this way.
    #[error("the dialect takes no files this way")]
    Way,
}

impl FileLine {
    /// Makes the way, if configuration names one; reads the keys.
    pub(super) async fn open(
        config: &BureauConfig,
        adapter: &Arc<dyn Adapter>,
        clock: &Clock,
    ) -> Result<Option<Self>, FileLineError> {
        let Some(submission) = &config.submission else {
            return Ok(None);
        };
        let mut until = None;
        let (way, carrier) = match &submission.transport {
            FileTransport::Exchange { out, r#in } => {
                let exchange = Exchange {
                    outgoing: out.clone(),
                    incoming: r#in.clone(),
                };
                (Way::Exchange, Carrier::Exchange(Arc::new(exchange)))
            }
            FileTransport::Https {
                address,
                base_path,
                protection,
            } => {
                let mut line = config.clone();
                line.base_path.clone_from(base_path);
                if let Some(address) = address {
                    line.address.clone_from(address);
                }
                if let Some(protection) = protection {
                    line.transport.clone_from(protection);
                }
                if let Transport::PlainInVpn { until: last, .. } = &line.transport {
                    until = Some(*last);
                }
                // It reads files of keys.
                let client = match tokio::task::spawn_blocking(move || Client::new(&line)).await {
                    Ok(client) => client?,
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                };
                let time = Duration::from_secs(submission.transfer_seconds);
                (Way::Https, Carrier::Https(Box::new(client), time))
            }
        };
        if !adapter.capabilities().files.contains(&way) {
            return Err(FileLineError::Way);
        }
        let mut reporters = BTreeMap::new();
        for member in &submission.members {
            let (institution, reporter) = reporter(member, &**adapter).await?;
            reporters.insert(institution, reporter);
        }
        Ok(Some(Self {
            bureau: config.id.clone(),
            clock: clock.clone(),
            until,
            adapter: Arc::clone(adapter),
            carrier,
            reporters,
        }))
    }

    /// The way of its files.
    #[must_use]
    pub fn way(&self) -> Way {
        match self.carrier {
            Carrier::Exchange(_) => Way::Exchange,
            Carrier::Https(..) => Way::Https,
        }
    }

    /// Its own client, where files go by HTTPS.
    pub(super) fn client(&self) -> Option<&Client> {
        match &self.carrier {
            Carrier::Exchange(_) => None,
            Carrier::Https(client, _) => Some(client),
        }
    }

    /// Whether it may be used today: an exception from TLS ends.
    fn is_allowed(&self) -> bool {
        (self.until).is_none_or(|last| china_date(self.clock.now()) <= last)
    }

    /// The institutions that report.
    pub fn reporters(&self) -> impl Iterator<Item = &InstitutionId> {
        self.reporters.keys()
    }

    /// An institution's code as a data provider, with which the names of its
    /// files begin; `None` where it does not report here.
    #[must_use]
    pub fn organization_code(&self, institution: &InstitutionId) -> Option<&str> {
        let reporter = self.reporters.get(institution)?;
        Some(&reporter.organization_code)
    }

    /// The institution that reports under this code.
    #[must_use]
    pub fn reporter(&self, organization_code: &str) -> Option<&InstitutionId> {
        self.reporters
            .iter()
            .find(|(_, reporter)| reporter.organization_code == organization_code)
            .map(|(institution, _)| institution)
    }

    /// What seals an institution's files.
    #[must_use]
    pub fn seal(&self, institution: &InstitutionId) -> Option<&Seal> {
        Some(&self.reporters.get(institution)?.seal)
    }

    /// Delivers the sealed file at `path`, for the first time or again; its
    /// bytes must be the frozen ones.
    pub async fn deliver(&self, file: &FileToSend, path: &Path) -> Delivery {
        if let Err(cause) = frozen(file, path).await {
            return Delivery::NotSent { cause };
        }
        let mut run = Run::new(self, Some((path, file.size_bytes)), None);
        let outcome = run.task(FileTask::Deliver(file.clone())).await;
        match (outcome, run.lost) {
            // What was lost stays unknown, whatever the adapter makes of it.
            (FileOutcome::Delivery(Delivery::NotSent { .. }), Some(cause)) => {
                Delivery::Unknown { cause }
            }
            (FileOutcome::Delivery(delivery), _) => delivery,
            (FileOutcome::Failed(failure), None) => failure.into(),
            (_, lost) => Delivery::Unknown {
                cause: lost.unwrap_or("out_of_turn"),
            },
        }
    }

    /// The bureau's word on a file that was delivered; `None` while there is
    /// none, also where only delivering again tells.
    ///
    /// # Errors
    ///
    /// The question could not be asked.
    pub async fn arrived(&self, file: &FileToSend) -> Result<Option<Delivery>, Failure> {
        let mut run = Run::new(self, None, None);
        match run.task(FileTask::Ask(file.clone())).await {
            FileOutcome::Absent => Ok(None),
            FileOutcome::Delivery(delivery) => Ok(Some(delivery)),
            other => Err(failure(other)),
        }
    }

    /// Names of the feedback files that wait, of the institutions that report
    /// here; those that were fetched before among them.
    ///
    /// # Errors
    ///
    /// The list could not be had.
    pub async fn feedback(&self) -> Result<Vec<String>, Failure> {
        let ours =
            |name: &String| (name.get(..14)).is_some_and(|code| self.reporter(code).is_some());
        match Run::new(self, None, None).task(FileTask::List).await {
            FileOutcome::Listed(names) => Ok(names.into_iter().filter(ours).collect()),
            other => Err(failure(other)),
        }
    }

    /// Fetches a feedback file into `to`, which replaces what is there; `None`
    /// where it is not there any more.
    ///
    /// # Errors
    ///
    /// It could not be had; `to` is as before.
    pub async fn fetch(&self, name: &str, to: &Path) -> Result<Option<FileFacts>, Failure> {
        let mut run = Run::new(self, None, Some(to));
        match run.task(FileTask::Fetch(name.to_owned())).await {
            FileOutcome::Absent => Ok(None),
            FileOutcome::Fetched => match run.fetched {
                Some(facts) => Ok(Some(facts)),
                None => Err(failure(FileOutcome::Fetched)),
            },
            other => Err(failure(other)),
        }
    }
}

impl fmt::Debug for FileLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLine")
            .field("bureau", &self.bureau)
            .field("way", &self.way())
            .finish_non_exhaustive()
    }
}

async fn reporter(
    member: &ReporterConfig,
    adapter: &dyn Adapter,
) -> Result<(InstitutionId, Reporter), FileLineError> {
    let seal = Seal::load(&member.seal, adapter).await;
    let seal = seal.map_err(|source| FileLineError::Seal {
        member: member.institution.clone(),
        source,
    })?;
    let reporter = Reporter {
        organization_code: member.organization_code.clone(),
        seal,
    };
    Ok((member.institution.as_str().into(), reporter))
}

/// Whether the bytes on the disk are those that were frozen.
async fn frozen(file: &FileToSend, path: &Path) -> Result<(), &'static str> {
    let path = path.to_owned();
    let facts = blocking(move || FileFacts::of(&path)).await;
    let facts = facts.map_err(|error| {
        tracing::error!(%error, "a file to be sent cannot be read");
        "file_unreadable"
    })?;
    if (facts.size_bytes, facts.sha256) == (file.size_bytes, file.sha256) {
        Ok(())
    } else {
        Err("file_changed")
    }
}

/// The failure that an outcome stands for.
fn failure(outcome: FileOutcome) -> Failure {
    match outcome {
        FileOutcome::Failed(failure) => failure,
        _ => Failure::Unknown {
            cause: "out_of_turn",
        },
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
