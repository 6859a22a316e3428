//! The one task that writes to SQLite, and its group commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{BoxFuture, Conn, DbError, Sealer, Tx, Urgency};

/// How many closures share a commit at most.
const GROUP: usize = 256;

/// How long a group may take in more closures, so that no write transaction
/// lasts long.
const GROUP_TIME: Duration = Duration::from_millis(10);

/// The write-ahead log may grow to so many pages of 4 KiB. SQLite begins it anew
/// only where no reader is in it, and under load one always is: then readers are
/// waited for.
const LOG_PAGES: i64 = if cfg!(test) { 256 } else { 16_384 };

/// How long readers are waited for, and how long another process's lock.
const READERS: &str = "PRAGMA busy_timeout = 15";
const OTHERS: &str = "PRAGMA busy_timeout = 5000";

/// After so many commits it is looked how long the log is.
const LOOK: u32 = 64;

/// How many closures may wait, of each urgency; beyond, callers wait to send.
const QUEUE: usize = 1024;

/// A handle to the writer task; the task ends with the last handle.
#[derive(Clone)]
pub(super) struct Writer {
    bulk: mpsc::Sender<Box<dyn Job>>,
    urgent: mpsc::Sender<Box<dyn Job>>,
}

/// What the caller hears once it is known whether the group was committed.
type Reply = Box<dyn FnOnce(Option<Arc<sqlx::Error>>) + Send>;

/// A closure with its type erased. A job that is dropped tells its caller
/// [`DbError::NotTaken`].
trait Job: Send {
    /// Runs it; tells whether its doings stand, and how to reply.
    fn run<'t>(self: Box<Self>, tx: &'t mut Tx<'_>) -> BoxFuture<'t, (bool, Reply)>;
}

struct Change<T, E, F> {
    change: F,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Change<T, E, F>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    fn run<'t>(self: Box<Self>, tx: &'t mut Tx<'_>) -> BoxFuture<'t, (bool, Reply)> {
        Box::pin(async move {
            let Self { change, reply } = *self;
            let result = change(tx).await;
            let stands = result.is_ok();
            let tell: Reply = Box::new(move |failure| {
                let result = match (result, failure) {
                    (Ok(_), Some(cause)) => Err(DbError::InDoubt(cause).into()),
                    (result, _) => result,
                };
                // The caller may have gone away; what is committed stays.
                let _ = reply.send(result);
            });
            (stands, tell)
        })
    }
}

impl Writer {
    /// Starts the task on its connection.
    pub(super) fn start(conn: SqliteConnection, sealer: Arc<dyn Sealer>) -> Self {
        let (urgent, urgent_jobs) = mpsc::channel(QUEUE);
        let (bulk, bulk_jobs) = mpsc::channel(QUEUE);
        tokio::spawn(work(conn, sealer, urgent_jobs, bulk_jobs));
        Self { bulk, urgent }
    }

    pub(super) async fn write<T, E, F>(&self, urgency: Urgency, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let queue = match urgency {
            Urgency::Bulk => &self.bulk,
            Urgency::Urgent => &self.urgent,
        };
        queue
            .send(Box::new(Change { change, reply }))
            .await
            .map_err(|_| DbError::NotTaken)?;
        result.await.map_err(|_| E::from(DbError::NotTaken))?
    }
}

/// Takes groups of jobs until all handles are gone.
async fn work(
    mut conn: SqliteConnection,
    sealer: Arc<dyn Sealer>,
    mut urgent: mpsc::Receiver<Box<dyn Job>>,
    mut bulk: mpsc::Receiver<Box<dyn Job>>,
) {
    let mut commits = 0_u32;
    loop {
        commits = commits.wrapping_add(1);
        if commits.is_multiple_of(LOOK)
            && let Err(error) = shorten_log(&mut conn).await
        {
            tracing::warn!(error = %error, "the write-ahead log cannot be shortened");
        }
        let first = tokio::select! {
            biased;
            Some(job) = urgent.recv() => job,
            Some(job) = bulk.recv() => job,
            else => break,
        };
        let mut replies = Vec::new();
        let outcome = group(
            &mut conn,
            &*sealer,
            first,
            &mut urgent,
            &mut bulk,
            &mut replies,
        )
        .await;
        let failure = outcome.err().map(Arc::new);
        if let Some(cause) = &failure {
            tracing::error!(error = %cause, closures = replies.len(), "a group commit failed");
            // Whatever is left of the transaction must not leak into the next;
            // where none is open, SQLite says so and nothing is lost.
            let _ = sqlx::query("ROLLBACK").execute(&mut conn).await;
        }
        for reply in replies {
            reply(failure.clone());
        }
    }
    // The last handle is gone: nobody is left to hear of an error.
    let _ = conn.close().await;
}

/// Begins the write-ahead log anew, where it is long.
async fn shorten_log(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let (_, pages, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)")
        .fetch_one(&mut *conn)
        .await?;
    if pages < LOG_PAGES {
        return Ok(());
    }
    sqlx::query(READERS).execute(&mut *conn).await?;
    let restarted = sqlx::query("PRAGMA wal_checkpoint(RESTART)")
        .execute(&mut *conn)
        .await;
    sqlx::query(OTHERS).execute(&mut *conn).await?;
    restarted.map(|_| ())
}

/// A future whose panic becomes `None`.
struct Caught<'t, T>(BoxFuture<'t, T>);

impl<T> Future for Caught<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let inner = self.0.as_mut();
        // What the closure leaves half done is rolled back with its savepoint.
        match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}

/// One commit. Every job that was run has its reply in `replies`, also on error.
async fn group(
    conn: &mut SqliteConnection,
    sealer: &dyn Sealer,
    first: Box<dyn Job>,
    urgent: &mut mpsc::Receiver<Box<dyn Job>>,
    bulk: &mut mpsc::Receiver<Box<dyn Job>>,
    replies: &mut Vec<Reply>,
) -> Result<(), sqlx::Error> {
    let started = Instant::now();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
    let mut next = Some(first);
    let mut entries = Vec::new();
    while let Some(job) = next.take() {
        sqlx::query("SAVEPOINT job").execute(&mut *conn).await?;
        let mut tx = Tx::new(Conn::Lite(&mut *conn));
        let ran = Caught(job.run(&mut tx)).await;
        let made = std::mem::take(&mut tx.entries);
        let stands = match ran {
            Some((stands, reply)) => {
                replies.push(reply);
                stands
            }
            // Its caller hears that it was not taken; the others go on.
            None => {
                tracing::error!("a closure panicked in a transaction; it is rolled back");
                false
            }
        };
        if stands {
            entries.extend(made);
        } else {
            sqlx::query("ROLLBACK TO job").execute(&mut *conn).await?;
        }
        sqlx::query("RELEASE job").execute(&mut *conn).await?;
        if replies.len() < GROUP && started.elapsed() < GROUP_TIME {
            next = urgent.try_recv().or_else(|_| bulk.try_recv()).ok();
        }
    }
    if !entries.is_empty() {
        let mut tx = Tx::new(Conn::Lite(&mut *conn));
        sealer
            .seal(&mut tx, entries)
            .await
            .map_err(|error| match error {
                DbError::Sql(error) => error,
                other => sqlx::Error::Protocol(other.to_string()),
            })?;
    }
    sqlx::query("COMMIT").execute(&mut *conn).await?;
    metrics::histogram!("database_write_seconds").record(started.elapsed());
    Ok(())
}
