//! The inquiries of this process: who may ask, what runs, what waits.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::{Notify, watch};

use super::{
    AskError, State,
    request::Request,
    store::{self, Record},
};
use crate::{
    authorizations::Authorizations,
    bureaus::Lines,
    operators::Caller,
    platform::{
        clock::Clock,
        config::inquiries::InquiriesConfig,
        db::{Db, Epoch},
        ids::{InquiryId, InstitutionId},
        vault::{Vault, VaultError},
    },
};

/// The service; clones share it.
#[derive(Clone)]
pub struct Inquiries(pub(super) Arc<Inner>);

/// What the steps need.
pub(super) struct Inner {
    pub(super) authorizations: Authorizations,
    pub(super) clock: Clock,
    pub(super) config: InquiriesConfig,
    pub(super) db: Db,
    pub(super) epoch: Epoch,
    pub(super) lines: Lines,
    pub(super) vault: Vault,
    /// Digests of requests that run are keyed by this, and die with it.
    process_salt: [u8; 32],
    running: Mutex<Running>,
    closing: AtomicBool,
    /// Inquiries that were unknown for too long at the last look.
    pub(super) overdue: AtomicI64,
}

/// Tasks of this process.
#[derive(Default)]
struct Running {
    by_id: HashMap<InquiryId, Task>,
    by_key: HashMap<Key, ([u8; 32], InquiryId)>,
}

/// A key of a client of an institution.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(super) struct Key {
    pub(super) institution: InstitutionId,
    pub(super) client: String,
    pub(super) key: String,
}

#[derive(Clone)]
struct Task {
    progress: watch::Receiver<Progress>,
    withdrawn: Arc<Notify>,
}

/// How far a task came.
#[derive(Clone, Debug)]
pub(super) enum Progress {
    /// Nothing to tell yet.
    Working,
    /// Its inquiry is stored and waits for a person, the line or the bureau.
    Waiting,
    /// There is no more to come.
    Ended,
    /// No inquiry came of it.
    Failed(Arc<AskError>),
}

/// An inquiry that was asked for; its task goes on whoever waits for it.
pub struct Asked {
    /// Its identifier.
    pub id: InquiryId,
    task: Option<Task>,
}

impl Asked {
    /// Waits until it ends, is put on hold, or `patience` is over.
    ///
    /// # Errors
    ///
    /// That of its task, where no inquiry came of it.
    pub async fn wait(&mut self, patience: Duration) -> Result<(), Arc<AskError>> {
        let Some(task) = &mut self.task else {
            return Ok(());
        };
        let ended = task
            .progress
            .wait_for(|p| matches!(p, Progress::Ended | Progress::Failed(_)));
        // The time being over, or the task being gone, is no failure: the state
        // in the database tells.
        let _ = tokio::time::timeout(patience, ended).await;
        self.failure()
    }

    /// Waits until the inquiry is stored, however long that takes: some
    /// milliseconds, unless the database fails.
    ///
    /// # Errors
    ///
    /// That of its task, where no inquiry came of it.
    pub async fn stored(&mut self) -> Result<(), Arc<AskError>> {
        let Some(task) = &mut self.task else {
            return Ok(());
        };
        let _ = task
            .progress
            .wait_for(|p| !matches!(p, Progress::Working))
            .await;
        self.failure()
    }

    fn failure(&self) -> Result<(), Arc<AskError>> {
        match self
            .task
            .as_ref()
            .map(|task| task.progress.borrow().clone())
        {
            Some(Progress::Failed(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

/// The task's side of a claim; dropped at its end, which tells everyone.
pub(super) struct Claim {
    inner: Arc<Inner>,
    pub(super) id: InquiryId,
    key: Option<Key>,
    progress: watch::Sender<Progress>,
    pub(super) withdrawn: Arc<Notify>,
}

impl Claim {
    pub(super) fn tell(&self, progress: Progress) {
        self.progress.send_replace(progress);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut running = self.inner.running();
        running.by_id.remove(&self.id);
        if let Some(key) = &self.key {
            running.by_key.remove(key);
        }
        drop(running);
        self.progress.send_if_modified(|progress| {
            let open = matches!(progress, Progress::Working | Progress::Waiting);
            if open {
                *progress = Progress::Ended;
            }
            open
        });
    }
}

impl Inquiries {
    /// Puts the service together; [`Inquiries::recover`] must run before the
    /// first inquiry is taken.
    ///
    /// # Panics
    ///
    /// Where the system has no random numbers.
    #[must_use]
    pub fn new(
        authorizations: Authorizations,
        clock: Clock,
        config: InquiriesConfig,
        db: Db,
        epoch: Epoch,
        lines: Lines,
        vault: Vault,
    ) -> Self {
        let mut process_salt = [0; 32];
        // Without random numbers no TLS session can be made either.
        SystemRandom::new()
            .fill(&mut process_salt)
            .expect("the system has random numbers");
        Self(Arc::new(Inner {
            authorizations,
            clock,
            config,
            db,
            epoch,
            lines,
            vault,
            process_salt,
            running: Mutex::default(),
            closing: AtomicBool::new(false),
            overdue: AtomicI64::new(0),
        }))
    }

    /// Asks: decides, and where that permits it, dispatches in a task that the
    /// gateway owns. The same key with the same request is the same inquiry.
    ///
    /// # Errors
    ///
    /// See [`AskError`]; more may come from [`Asked::wait`].
    pub async fn ask(
        &self,
        caller: &Caller,
        request: Request,
        key: &str,
    ) -> Result<Asked, AskError> {
        let key = Key {
            institution: caller.institution.clone(),
            client: caller.actor.stored(),
            key: key.to_owned(),
        };
        if let Some(known) = self.known(&key, &request).await? {
            return Ok(known);
        }
        let digest = request.digest(&self.0.process_salt);
        let claim = match self.0.claim_key(key.clone(), digest)? {
            Ok(claim) => claim,
            Err(running) => return Ok(running),
        };
        // It may have been stored, and its task have ended, since the first look.
        if let Some(known) = self.known(&key, &request).await? {
            return Ok(known);
        }
        let asked = self.0.asked(&claim.id);
        let (inquiries, caller) = (self.clone(), caller.clone());
        tokio::spawn(async move {
            if let Err(error) = inquiries.take_in(&claim, &caller, request, &key.key).await {
                claim.tell(Progress::Failed(Arc::new(error)));
            }
        });
        Ok(asked)
    }

    /// The inquiry that a key stands for in the database.
    async fn known(&self, key: &Key, request: &Request) -> Result<Option<Asked>, AskError> {
        let inner = &self.0;
        let found = store::key(&inner.db, &key.institution, &key.client, &key.key).await?;
        let Some((digest, id)) = found else {
            return Ok(None);
        };
        let record = store::find(&inner.db, &key.institution, &id)
            .await?
            .ok_or(AskError::KeyReused)?;
        // Erased since: whether it was the same request cannot be told.
        let keys = inner
            .vault
            .keys_read(&record.subject)
            .await
            .map_err(|error| match error {
                VaultError::Erased | VaultError::Unknown => AskError::KeyReused,
                // To call it reused would invite a new key for the same inquiry.
                error => error.into(),
            })?;
        if digest != request.digest(keys.expose_salt()) {
            return Err(AskError::KeyReused);
        }
        Ok(Some(inner.asked(&id)))
    }

    /// An inquiry of an institution.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn find(
        &self,
        institution: &InstitutionId,
        id: &InquiryId,
    ) -> Result<Option<Record>, AskError> {
        Ok(store::find(&self.0.db, institution, id).await?)
    }

    /// Joins an inquiry whose task may be running.
    #[must_use]
    pub fn join(&self, id: &InquiryId) -> Asked {
        self.0.asked(id)
    }

    /// The latest inquiry of an institution that was answered with a report.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn any_answered(
        &self,
        institution: &InstitutionId,
    ) -> Result<Option<Record>, AskError> {
        Ok(store::last_report(&self.0.db, institution).await?)
    }

    /// Takes no more, and waits until what was dispatched has been answered and
    /// kept, or `limit` is over. What waits for the line stays permitted.
    pub async fn drain(&self, limit: Duration) {
        self.0.closing.store(true, Ordering::SeqCst);
        let tasks: Vec<Task> = self.0.running().by_id.values().cloned().collect();
        for task in &tasks {
            task.withdrawn.notify_one();
        }
        let all = async {
            for mut task in tasks {
                let _ = task
                    .progress
                    .wait_for(|p| !matches!(p, Progress::Working | Progress::Waiting))
                    .await;
            }
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("stopped before every exchange had ended; those will be unknown");
        }
    }
}

impl Inner {
    fn running(&self) -> std::sync::MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Joins the task of an inquiry, where one runs.
    pub(super) fn asked(&self, id: &InquiryId) -> Asked {
        Asked {
            id: id.clone(),
            task: self.running().by_id.get(id).cloned(),
        }
    }

    /// Wakes the task of an inquiry that was withdrawn.
    pub(super) fn wake(&self, id: &InquiryId) {
        if let Some(task) = self.running().by_id.get(id) {
            task.withdrawn.notify_one();
        }
    }

    /// Claims a key for a new inquiry, or joins the one that has it.
    fn claim_key(
        self: &Arc<Self>,
        key: Key,
        digest: [u8; 32],
    ) -> Result<Result<Claim, Asked>, AskError> {
        let mut running = self.running();
        if let Some((theirs, id)) = running.by_key.get(&key) {
            if *theirs != digest {
                return Err(AskError::KeyReused);
            }
            let task = running.by_id.get(id).cloned();
            return Ok(Err(Asked {
                id: id.clone(),
                task,
            }));
        }
        if self.is_closing() {
            return Err(AskError::Closing);
        }
        let id = InquiryId::new();
        running.by_key.insert(key.clone(), (digest, id.clone()));
        Ok(Ok(self.claim_in(&mut running, id, Some(key))))
    }

    /// Claims a stored inquiry for a task; `None` where one runs already, or
    /// the gateway is closing.
    pub(super) fn claim(self: &Arc<Self>, id: &InquiryId) -> Option<Claim> {
        let mut running = self.running();
        if self.is_closing() || running.by_id.contains_key(id) {
            return None;
        }
        Some(self.claim_in(&mut running, id.clone(), None))
    }

    fn claim_in(self: &Arc<Self>, running: &mut Running, id: InquiryId, key: Option<Key>) -> Claim {
        let (progress, receiver) = watch::channel(Progress::Working);
        let withdrawn = Arc::new(Notify::new());
        let task = Task {
            progress: receiver,
            withdrawn: Arc::clone(&withdrawn),
        };
        running.by_id.insert(id.clone(), task);
        Claim {
            inner: Arc::clone(self),
            id,
            key,
            progress,
            withdrawn,
        }
    }
}

impl State {
    /// Whether it waits for a person or for the line.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::OnHold | Self::Permitted)
    }
}
