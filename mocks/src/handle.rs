//! The hands on a running bureau: its owner's, and the admin port's.

use std::{fmt, net::SocketAddr, sync::Arc};

use jiff::Timestamp;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::{
    bureau::Bureau,
    config::{MockConfig, StartError},
    desk::Desk,
    doors::{self, LINGER},
    faults::{Fault, FaultError, FaultRule},
    inbox::Received,
    tls::FaultKey,
};

/// A running bureau; it stops when this is dropped, and forgets everything.
pub struct MockBureau {
    bureau: Arc<Bureau>,
    address: SocketAddr,
    listening: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl MockBureau {
    /// Starts it; on return it listens.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn start(config: MockConfig) -> Result<Self, StartError> {
        let bureau = Arc::new(Bureau::new(config)?);
        let doors = doors::open(bureau.clone()).map_err(StartError::Listen)?;
        let (address, listening) = (doors.address, doors.listening);
        Ok(Self {
            bureau,
            address,
            listening,
            task: tokio::spawn(doors.task),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets a fault; on return the next connection or request meets it. Idle
    /// connections end if the fault is one that strikes connections.
    ///
    /// # Errors
    ///
    /// [`FaultError`]; nothing is set then.
    pub async fn set_fault(&self, rule: FaultRule) -> Result<(), FaultError> {
        self.control().set_fault(rule).await
    }

    /// Clears all faults; on return the bureau listens again.
    pub async fn clear_faults(&self) {
        self.control().clear_faults().await;
    }

    /// Everything received so far, whole or not, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.bureau.inbox.all()
    }

    /// How many requests arrived whole.
    #[must_use]
    pub fn count(&self) -> usize {
        self.control().count(|_| true)
    }

    /// How many whole requests were about this ID number.
    #[must_use]
    pub fn count_for(&self, id_number: &str) -> usize {
        self.control().count_for(id_number)
    }

    /// The inquiry list from `from` to before `until`, as CSV.
    #[must_use]
    pub fn inquiry_list(&self, from: Timestamp, until: Timestamp) -> String {
        self.bureau.inbox.list(from, until)
    }

    /// What the admin port drives.
    pub(crate) fn control(&self) -> Control {
        Control {
            bureau: self.bureau.clone(),
            listening: self.listening.clone(),
        }
    }
}

impl Drop for MockBureau {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for MockBureau {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockBureau")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A second hand on the switches of a running bureau.
#[derive(Clone)]
pub(crate) struct Control {
    bureau: Arc<Bureau>,
    listening: watch::Receiver<bool>,
}

impl Control {
    pub(crate) fn desk(&self) -> Option<&Desk> {
        self.bureau.config.desk.as_ref()
    }

    pub(crate) async fn set_fault(&self, rule: FaultRule) -> Result<(), FaultError> {
        if let Some(key) = FaultKey::of(rule.fault())
            && !self
                .bureau
                .acceptors
                .as_ref()
                .is_some_and(|all| all.contains_key(&Some(key)))
        {
            return Err(FaultError::NoSuchCertificate);
        }
        let closes = rule.fault() == Fault::RefuseConnection;
        let before = self.bureau.switchboard.set(rule)?;
        if let Some(mut before) = before {
            // A client that asks on a connection which is just being closed
            // would meet a fault that nobody set.
            let _ = timeout(LINGER, before.recv()).await;
        }
        if closes {
            self.wait(false).await;
        }
        Ok(())
    }

    pub(crate) async fn clear_faults(&self) {
        self.bureau.switchboard.clear();
        self.wait(true).await;
    }

    pub(crate) fn count(&self, fits: impl Fn(&Received) -> bool) -> usize {
        self.bureau
            .inbox
            .count(|received| received.whole && fits(received))
    }

    pub(crate) fn count_for(&self, id_number: &str) -> usize {
        self.count(|received| {
            received
                .inquiry
                .as_ref()
                .is_some_and(|inquiry| inquiry.id_number == id_number)
        })
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.bureau.inbox.all()
    }

    pub(crate) fn inquiry_list(&self, from: Timestamp, until: Timestamp) -> String {
        self.bureau.inbox.list(from, until)
    }

    async fn wait(&self, listening: bool) {
        // An error means that the bureau has stopped: then nothing listens, for good.
        let _ = self
            .listening
            .clone()
            .wait_for(|now| *now == listening)
            .await;
    }
}
