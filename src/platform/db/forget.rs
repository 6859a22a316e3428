//! Leaving nothing of deleted bytes in SQLite's log.

use std::time::{Duration, Instant};

use sqlx::{ConnectOptions, Connection};

use super::{Db, DbError, Engine};

/// How long readers and the writer may keep the log busy. Writers wait as long:
/// it must stay below their own patience (5 s).
const PATIENCE: Duration = Duration::from_secs(2);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

impl Db {
    /// On SQLite moves the write-ahead log into the file, whose freed bytes are
    /// overwritten (`secure_delete`), and empties it. To be called after an
    /// erasure or a rotation of keys, outside any transaction.
    ///
    /// On PostgreSQL it does nothing: old row versions go with `VACUUM (FULL)`
    /// of the table, the server's log with its recycling, backups when they
    /// end; `docs/OPERATIONS.md` has the steps.
    ///
    /// # Errors
    ///
    /// [`DbError::Refused`] where a long transaction keeps the log: to be called
    /// again later.
    pub async fn forget_wal(&self) -> Result<(), DbError> {
        let Engine::Lite { read, .. } = &self.engine else {
            return Ok(());
        };
        let options = (*read.connect_options()).clone();
        let mut conn = options
            .read_only(false)
            .busy_timeout(PATIENCE)
            .connect()
            .await?;
        let began = Instant::now();
        let emptied = loop {
            let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&mut conn)
                .await?;
            if busy == 0 || began.elapsed() > PATIENCE {
                break busy == 0;
            }
            // While another connection copies the log, SQLite does not wait.
            tokio::time::sleep(PAUSE).await;
        };
        conn.close().await?;
        if emptied {
            Ok(())
        } else {
            Err(DbError::Refused(
                "a long transaction keeps the write-ahead log".into(),
            ))
        }
    }
}
