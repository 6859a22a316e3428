//! Opening a database: settings that durability needs, migrations, and the
//! refusal of a second owner.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, SqlitePool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Db, DbError, Engine, Sealer,
    log::{self, Log},
    writer::Writer,
};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The advisory lock that the owner of a PostgreSQL database holds: "creditga".
const OWNER_LOCK: i64 = i64::from_be_bytes(*b"creditga");

/// How long a connection waits for another one's lock.
const BUSY: Duration = Duration::from_secs(5);

/// What SQLite connections keep in memory, in KiB below zero. The writer's stays
/// from one transaction to the next; a reader's goes when anything is written.
const WRITER_CACHE: &str = "-16000";
const READER_CACHE: &str = "-4000";

/// How long the session that owns a PostgreSQL database may be silent.
const ALIVE: Duration = Duration::from_secs(20);

/// A PostgreSQL connection that rested for longer is asked whether it still
/// stands before it is used: servers and networks drop what is silent.
const RESTED: Duration = Duration::from_secs(1);

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is neither a file nor a PostgreSQL one.
    #[error("not a database address: begin with sqlite: or postgres:")]
    Address,
    /// The lock file cannot be made.
    #[error("cannot lock {}", .0.display())]
    Lock(PathBuf, #[source] std::io::Error),
    /// The migrations failed.
    #[error("cannot bring the database to this version")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Another process owns it.
    #[error("another creditgate serves this database; stop it first")]
    Owned,
    /// The database's own error.
    #[error("cannot open the database")]
    Sql(#[from] sqlx::Error),
    /// The server would acknowledge what it may lose.
    #[error(
        "PostgreSQL runs with {setting} = {value}: an acknowledged intent could be lost; set it to on"
    )]
    Volatile {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
}

/// Sole ownership of a database, given up when dropped (or by the end of the
/// process).
pub struct Ownership(Lock);

enum Lock {
    Lite(#[expect(dead_code, reason = "held, not read")] File),
    Pg(PgConnection),
}

impl Db {
    /// Opens `sqlite:PATH` or `postgres://…`, and brings its tables to this
    /// version.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. PostgreSQL with `fsync` or `synchronous_commit` off is
    /// refused.
    pub async fn open(address: &str, sealer: Arc<dyn Sealer>) -> Result<Self, OpenError> {
        let engine = if let Some(path) = sqlite_path(address) {
            open_sqlite(path, Arc::clone(&sealer)).await?
        } else if is_postgres(address) {
            open_postgres(address).await?
        } else {
            return Err(OpenError::Address);
        };
        Ok(Self { engine, sealer })
    }

    /// Opens a database to read only: nothing is made, migrated or changed,
    /// and a write fails. Who owns it does not matter.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub async fn open_to_read(address: &str, sealer: Arc<dyn Sealer>) -> Result<Self, OpenError> {
        let engine = if let Some(path) = sqlite_path(address) {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .read_only(true)
                .busy_timeout(BUSY)
                .disable_statement_logging();
            let conn = options.clone().connect().await?;
            let read = sqlite_readers().connect_with(options).await?;
            let writer = Writer::start(conn, Arc::clone(&sealer), None);
            Engine::Lite { read, writer }
        } else if is_postgres(address) {
            let options = PgConnectOptions::from_str(address)?
                .options([("default_transaction_read_only", "on")])
                .disable_statement_logging();
            Engine::Pg(postgres_pool(4).connect_with(options).await?)
        } else {
            return Err(OpenError::Address);
        };
        Ok(Self { engine, sealer })
    }
}

/// Takes sole ownership of the database at `address`; `serve` and every other
/// command that writes holds it.
///
/// # Errors
///
/// [`OpenError::Owned`] where another process has it.
pub async fn own(address: &str) -> Result<Ownership, OpenError> {
    if let Some(path) = sqlite_path(address) {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(|error| OpenError::Lock(name.clone(), error))?;
        return match file.try_lock() {
            Ok(()) => Ok(Ownership(Lock::Lite(file))),
            Err(TryLockError::WouldBlock) => Err(OpenError::Owned),
            Err(TryLockError::Error(error)) => Err(OpenError::Lock(name, error)),
        };
    }
    if !is_postgres(address) {
        return Err(OpenError::Address);
    }
    let mut conn = PgConnection::connect(address).await?;
    let (taken,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_lock($1)")
        .bind(OWNER_LOCK)
        .fetch_one(&mut conn)
        .await?;
    if taken {
        Ok(Ownership(Lock::Pg(conn)))
    } else {
        Err(OpenError::Owned)
    }
}

impl Ownership {
    /// Whether it still holds: a PostgreSQL session may have been lost. One that
    /// does not answer counts as lost, since its server may be another by now.
    ///
    /// # Errors
    ///
    /// That of the lost session; the holder must stop writing.
    pub async fn check(&mut self) -> Result<(), DbError> {
        match &mut self.0 {
            Lock::Lite(_) => Ok(()),
            Lock::Pg(conn) => match tokio::time::timeout(ALIVE, conn.ping()).await {
                Ok(answer) => Ok(answer?),
                Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into()),
            },
        }
    }
}

fn sqlite_path(address: &str) -> Option<&Path> {
    address.strip_prefix("sqlite:").map(Path::new)
}

fn is_postgres(address: &str) -> bool {
    address.starts_with("postgres:") || address.starts_with("postgresql:")
}

fn sqlite_readers() -> SqlitePoolOptions {
    // There is no server that could have gone away.
    SqlitePoolOptions::new()
        .max_connections(4)
        .test_before_acquire(false)
}

/// A pool that asks for a sign of life after a rest, and not before every
/// statement: that would double the round trips of most reads.
fn postgres_pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for > RESTED {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
}

async fn open_sqlite(path: &Path, sealer: Arc<dyn Sealer>) -> Result<Engine, OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("secure_delete", "ON")
        .pragma("cache_size", WRITER_CACHE)
        .pragma(log::LEFT_ALONE.0, log::LEFT_ALONE.1)
        .disable_statement_logging();
    let mut conn = options.clone().connect().await?;
    MIGRATIONS.run(&mut conn).await?;
    let log = options.clone().pragma("cache_size", READER_CACHE);
    let log = Log::start(log.connect().await?);
    let read: SqlitePool = sqlite_readers()
        .connect_with(
            options
                .read_only(true)
                .create_if_missing(false)
                .pragma("cache_size", READER_CACHE)
                // Rows that wait for their reader: else both wait in turns.
                .row_buffer_size(1024),
        )
        .await?;
    Ok(Engine::Lite {
        read,
        writer: Writer::start(conn, sealer, Some(log)),
    })
}

/// The setting, if any, by which a server acknowledges what it may lose.
async fn volatile(conn: &mut PgConnection) -> Result<Option<&'static str>, sqlx::Error> {
    for setting in ["fsync", "synchronous_commit"] {
        let (value,): (String,) = sqlx::query_as("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut *conn)
            .await?;
        if value == "off" {
            return Ok(Some(setting));
        }
    }
    Ok(None)
}

async fn open_postgres(address: &str) -> Result<Engine, OpenError> {
    let options = PgConnectOptions::from_str(address)?.disable_statement_logging();
    let mut first = options.clone().connect().await?;
    if let Some(setting) = volatile(&mut first).await? {
        let value = "off".to_owned();
        return Err(OpenError::Volatile { setting, value });
    }
    // It may be set for the database or the role while we run.
    let pool: PgPool = postgres_pool(16)
        .after_connect(|conn, _| {
            Box::pin(async move {
                match volatile(conn).await? {
                    Some(setting) => Err(sqlx::Error::Configuration(
                        format!("PostgreSQL runs with {setting} = off").into(),
                    )),
                    None => Ok(()),
                }
            })
        })
        .connect_with(options)
        .await?;
    MIGRATIONS.run(&pool).await?;
    Ok(Engine::Pg(pool))
}
