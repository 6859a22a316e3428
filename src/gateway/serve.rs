//! The running gateway: listeners, the log's upkeep, and the way down.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use axum_server::{Handle, tls_rustls::RustlsConfig};
use tokio::{sync::watch, task::JoinSet};

use super::Gateway;
use crate::{
    api::{
        self,
        listen::{TlsError, serve_plain, serve_tls, server_config},
        who::Listener,
    },
    inquiries::AskError,
    platform::db::DbError,
};

/// How long the way down may take: an exchange that is under way is waited for.
const DRAIN: Duration = Duration::from_secs(60);

/// How often certificates on disk are looked at, and old holds ended.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why it cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// An address is taken or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {file}")]
    File {
        /// The file.
        file: String,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// What an earlier start left permitted cannot go on.
    #[error("the inquiries of an earlier start")]
    Inquiries(#[from] AskError),
    /// The session that owned the database was lost while it served.
    #[error("the ownership of the database was lost; another server may have it")]
    Ownership(#[source] DbError),
    /// Certificates that cannot be used.
    #[error("the certificates of the listener for {listener}")]
    Tls {
        /// Which listener.
        listener: &'static str,
        /// What is wrong.
        #[source]
        source: TlsError,
    },
}

/// Where it listens, once it does.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// For machine clients.
    pub machines: SocketAddr,
    /// For people.
    pub people: SocketAddr,
    /// For operations.
    pub operations: SocketAddr,
}

/// Serves until `stop` becomes true, then drains: no new request is taken, what
/// was dispatched is answered and kept, a last checkpoint is signed.
///
/// # Errors
///
/// See [`ServeError`]: before anything was served, or, where the ownership of
/// the database is lost, after it was drained.
pub async fn serve(
    gateway: Gateway,
    mut stop: watch::Receiver<bool>,
    listening: impl FnOnce(Addresses),
) -> Result<(), ServeError> {
    let listeners = &gateway.config().listeners;
    let (machines, machines_at) = bind(listeners.machines.address)?;
    let (people, people_at) = bind(listeners.people.address)?;
    let (operations, operations_at) = bind(listeners.operations.address)?;
    let machines_tls = Certificates {
        listener: "machines",
        chain: &listeners.machines.certificate,
        key: &listeners.machines.key,
        client_ca: Some(&listeners.machines.client_ca),
    };
    let people_tls = Certificates {
        listener: "people",
        chain: &listeners.people.certificate,
        key: &listeners.people.key,
        client_ca: None,
    };
    let (machines_config, people_config) = (machines_tls.load()?, people_tls.load()?);
    gateway.inquiries().go_on().await?;
    let handle = Handle::new();
    let mut tasks = JoinSet::new();
    let router = |listener| api::router::router(gateway.clone(), listener);
    tasks.spawn(serve_tls(
        machines,
        machines_config.clone(),
        router(Listener::Machines),
        handle.clone(),
    ));
    tasks.spawn(serve_tls(
        people,
        people_config.clone(),
        router(Listener::People),
        handle.clone(),
    ));
    tasks.spawn(serve_plain(
        operations,
        api::ops::router(gateway.clone()),
        handle.clone(),
    ));
    let (log_stop, mut log_stopped) = watch::channel(false);
    let log_gateway = gateway.clone();
    let interval = Duration::from_secs(gateway.config().audit.checkpoint_seconds.into());
    let log = tokio::spawn(async move {
        log_gateway
            .log()
            .run(interval, stopped(&mut log_stopped))
            .await;
    });
    let submissions = tokio::spawn({
        let (submissions, stop) = (gateway.submissions().clone(), stop.clone());
        async move { submissions.run(stop).await }
    });
    let clocks = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.watch_clocks().await }
    });
    listening(Addresses {
        machines: machines_at,
        people: people_at,
        operations: operations_at,
    });

    let mut upkeep = tokio::time::interval(UPKEEP);
    upkeep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let end = loop {
        tokio::select! {
            () = stopped(&mut stop) => break Ok(()),
            _ = upkeep.tick() => {
                if let Err(error) = gateway.owned().await {
                    tracing::error!(error = %error, "the ownership of the database is lost");
                    break Err(ServeError::Ownership(error));
                }
                machines_tls.reload(&machines_config);
                people_tls.reload(&people_config);
                if let Err(error) = gateway.inquiries().sweep().await {
                    tracing::error!(error = %error, "what waits cannot be looked after");
                }
            }
        }
    };
    tracing::info!("going down");
    handle.graceful_shutdown(Some(DRAIN));
    gateway.inquiries().drain(DRAIN).await;
    // A file that is under way is carried to its end; the rest goes on later.
    if tokio::time::timeout(DRAIN, gateway.submissions().drain())
        .await
        .is_err()
    {
        tracing::warn!("stopped while a file was under way; it goes again");
    }
    clocks.abort();
    submissions.abort();
    while tasks.join_next().await.is_some() {}
    log_stop.send_replace(true);
    if let Err(error) = log.await {
        tracing::error!(error = %error, "the log's upkeep failed");
    }
    end
}

/// Waits for the stop; that nobody can give it any more is one too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        Ok((listener, at))
    });
    bound.map_err(|source| ServeError::Bind { address, source })
}

/// The files of a listener.
struct Certificates<'c> {
    listener: &'static str,
    chain: &'c Path,
    key: &'c Path,
    client_ca: Option<&'c Path>,
}

impl Certificates<'_> {
    fn load(&self) -> Result<RustlsConfig, ServeError> {
        Ok(RustlsConfig::from_config(self.config()?.into()))
    }

    /// Takes what is on disk now; what cannot be used leaves the old in place.
    fn reload(&self, running: &RustlsConfig) {
        match self.config() {
            Ok(config) => running.reload_from_config(config.into()),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "certificates on disk cannot be used; the old ones stay"
            ),
        }
    }

    fn config(&self) -> Result<rustls::ServerConfig, ServeError> {
        let chain = read(self.chain)?;
        let key = zeroize::Zeroizing::new(read(self.key)?);
        let client_ca = self.client_ca.map(read).transpose()?;
        server_config(&chain, &key, client_ca.as_deref()).map_err(|source| ServeError::Tls {
            listener: self.listener,
            source,
        })
    }
}

fn read(file: &Path) -> Result<Vec<u8>, ServeError> {
    std::fs::read(file).map_err(|source| ServeError::File {
        file: file.display().to_string(),
        source,
    })
}
