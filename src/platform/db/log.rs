//! SQLite's write-ahead log, kept short.
//!
//! SQLite copies the log into the database within a commit, by default: a write
//! transaction then lasts as long as that, and everybody waits. Here a task of its
//! own copies it, on a connection of its own. SQLite begins the log anew only where
//! no reader is in it, and under load one always is: where it has grown long,
//! readers are waited for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::mpsc;

/// For the writer's connection: it leaves the log to the task.
pub(super) const LEFT_ALONE: (&str, &str) = ("wal_autocheckpoint", "0");

/// After so many commits the log is copied.
const COPIED: u32 = 16;

/// The log may grow to so many pages of 4 KiB: 64 MiB.
const PAGES: i64 = if cfg!(test) { 256 } else { 16_384 };

/// After which a setting that was refused is set again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long readers are waited for, and how long another process's lock.
const READERS: &str = "PRAGMA busy_timeout = 15";
const OTHERS: &str = "PRAGMA busy_timeout = 5000";

/// What the writer knows of the log.
pub(super) struct Log {
    commits: u32,
    copy: mpsc::Sender<()>,
    /// How long it was when it was last copied.
    pages: Arc<AtomicI64>,
}

impl Log {
    /// Starts the task, which ends with the writer.
    pub(super) fn start(conn: SqliteConnection) -> Self {
        let (copy, asked) = mpsc::channel(1);
        let pages = Arc::new(AtomicI64::new(0));
        tokio::spawn(work(conn, asked, Arc::clone(&pages)));
        Self {
            commits: 0,
            copy,
            pages,
        }
    }

    /// After a commit: has the log copied now and then, and begun anew where it
    /// is long.
    pub(super) async fn committed(&mut self, writer: &mut SqliteConnection) {
        self.commits = self.commits.wrapping_add(1);
        if !self.commits.is_multiple_of(COPIED) {
            return;
        }
        if self.pages.load(Ordering::Relaxed) >= PAGES {
            self.pages.store(0, Ordering::Relaxed);
            if let Err(error) = begin_anew(writer).await {
                tracing::warn!(%error, "the write-ahead log cannot be begun anew");
            }
        }
        // Where it is being copied, the next time does.
        let _ = self.copy.try_send(());
    }
}

async fn work(mut conn: SqliteConnection, mut asked: mpsc::Receiver<()>, pages: Arc<AtomicI64>) {
    while asked.recv().await.is_some() {
        match copy(&mut conn, "PRAGMA wal_checkpoint(PASSIVE)").await {
            Ok(now) => pages.store(now, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the write-ahead log cannot be copied"),
        }
    }
    // The writer has ended: nobody is left to hear of an error.
    let _ = conn.close().await;
}

async fn begin_anew(writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query(READERS).execute(&mut *writer).await?;
    let begun = copy(writer, "PRAGMA wal_checkpoint(RESTART)").await;
    // The writer's patience must not stay short.
    while let Err(error) = sqlx::query(OTHERS).execute(&mut *writer).await {
        tracing::error!(%error, "the writer cannot be made patient again");
        tokio::time::sleep(AGAIN).await;
    }
    begun.map(|_| ())
}

/// Copies the log; the pages in it.
async fn copy(conn: &mut SqliteConnection, how: &'static str) -> Result<i64, sqlx::Error> {
    let (_, pages, _): (i64, i64, i64) = sqlx::query_as(how).fetch_one(conn).await?;
    Ok(pages)
}
