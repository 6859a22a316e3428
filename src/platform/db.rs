//! One SQL path for two databases.
//!
//! # Promise
//!
//! [`Db::write`] runs a closure in a transaction together with the audit
//! entries that it appends: both are durable when it returns `Ok`, neither is
//! when it returns an error. On SQLite one writer task runs all closures, a
//! savepoint each, and commits them in groups, urgent ones first; on PostgreSQL
//! each closure has a transaction of its own. SQL is written once, with `$1`,
//! in types that both know: TEXT, BIGINT, BOOLEAN, BYTEA, DOUBLE PRECISION.
//!
//! # What is not here
//!
//! What an audit entry is: a [`Sealer`] gets the entries of a transaction
//! before it commits (`crate::audit` is the one).
//!
//! # Failure
//!
//! Nothing here retries. After [`DbError::InDoubt`] the caller must read again
//! what became of its change.

mod args;
mod epoch;
mod forget;
mod holes;
mod log;
mod open;
mod rounds;
#[cfg(test)]
mod tests;
mod writer;

use std::{future::Future, pin::Pin, sync::Arc};

use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr, SqlStr, SqlitePool};

pub use args::{Arg, Args, Row};
pub use epoch::Epoch;
pub use open::{OpenError, Ownership, own};

use writer::Writer;

/// A future that a closure returns: `Box::pin(async move { … })`.
pub type BoxFuture<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    sealer: Arc<dyn Sealer>,
}

#[derive(Clone)]
enum Engine {
    Lite { read: SqlitePool, writer: Writer },
    Pg(PgPool),
}

/// Which database it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// Whose turn it is at the SQLite writer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Urgency {
    /// Batches: after everything urgent.
    Bulk,
    /// Inquiries, and whatever a person waits for.
    Urgent,
}

/// An audit entry on its way into the log: canonical bytes and their leaf hash.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Identifier, also inside the body.
    pub id: String,
    /// RFC 6962 leaf hash of the body.
    pub leaf: [u8; 32],
    /// Canonical JSON.
    pub body: Vec<u8>,
}

/// Puts the entries of a transaction into it, before it commits.
pub trait Sealer: Send + Sync {
    /// Called once a commit, with the entries in the order of their appending.
    /// On SQLite they are those of a whole group.
    ///
    /// # Errors
    ///
    /// Any error rolls the whole commit back.
    fn seal<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        entries: Vec<NewEntry>,
    ) -> BoxFuture<'t, Result<(), DbError>>;
}

/// A transaction.
pub struct Tx<'c> {
    conn: Conn<'c>,
    entries: Vec<NewEntry>,
}

enum Conn<'c> {
    Lite(&'c mut sqlx::SqliteConnection),
    Pg(&'c mut sqlx::PgConnection),
}

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The connection broke while committing: it may or may not have happened.
    #[error("the database connection broke during a commit; the change must be read again")]
    InDoubt(#[source] Arc<sqlx::Error>),
    /// A closure could not go on, for a reason of its own.
    #[error("a transaction was given up: {0}")]
    Refused(String),
    /// The change was not begun: the writer has ended, or could not begin.
    #[error("the database did not take the change")]
    NotTaken,
    /// The database's own error.
    #[error("database error")]
    Sql(#[from] sqlx::Error),
}

impl DbError {
    /// Whether a UNIQUE constraint stood in the way.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sql(error)
            if error.as_database_error().is_some_and(|e| e.is_unique_violation()))
    }
}

/// The statement as SQLite takes it fastest.
fn lite(sql: impl SqlSafeStr, args: &Args) -> SqlStr {
    let sql = sql.into_sql_str();
    #[cfg(test)]
    crate::testing::hear(sql.as_str());
    match holes::nameless(sql.as_str(), args.0.len()) {
        Some(nameless) => AssertSqlSafe(nameless).into_sql_str(),
        None => sql,
    }
}

/// Runs the same query on either connection.
macro_rules! run {
    ($make:expr, $args:expr, $conn:expr, $call:ident) => {{
        let mut query = $make;
        for arg in $args.0 {
            query = match arg {
                Arg::Bool(value) => query.bind(value),
                Arg::Bytes(value) => query.bind(value),
                Arg::Int(value) => query.bind(value),
                Arg::Real(value) => query.bind(value),
                Arg::Text(value) => query.bind(value),
            };
        }
        query.$call($conn).await
    }};
}

impl Db {
    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.engine {
            Engine::Lite { .. } => Kind::Sqlite,
            Engine::Pg(_) => Kind::Postgres,
        }
    }

    /// Runs `change` in a transaction and commits it with its audit entries.
    ///
    /// An error of `change` rolls back its own doings only.
    ///
    /// # Errors
    ///
    /// That of `change`, or of the database.
    pub async fn write<T, E, F>(&self, urgency: Urgency, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.engine {
            Engine::Lite { writer, .. } => writer.write(urgency, change).await,
            Engine::Pg(pool) => {
                let mut transaction = pool.begin().await.map_err(DbError::from)?;
                let value = {
                    let mut tx = Tx::new(Conn::Pg(&mut transaction));
                    let value = change(&mut tx).await?;
                    let entries = std::mem::take(&mut tx.entries);
                    if !entries.is_empty() {
                        self.sealer.seal(&mut tx, entries).await?;
                    }
                    value
                };
                transaction
                    .commit()
                    .await
                    .map_err(|error| DbError::InDoubt(Arc::new(error)))?;
                Ok(value)
            }
        }
    }

    /// All rows of a query, outside any transaction.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn all<T: Row>(&self, sql: impl SqlSafeStr, args: Args) -> Result<Vec<T>, DbError> {
        Ok(match &self.engine {
            Engine::Lite { read, .. } => {
                run!(sqlx::query_as(lite(sql, &args)), args, read, fetch_all)
            }
            Engine::Pg(pool) => run!(sqlx::query_as(sql), args, pool, fetch_all),
        }?)
    }

    /// As [`Db::all`], where hundreds of rows are expected.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn many<T: Row>(&self, sql: impl SqlSafeStr, args: Args) -> Result<Vec<T>, DbError> {
        match &self.engine {
            Engine::Lite { .. } => rounds::in_rounds(self.all(sql, args)).await,
            Engine::Pg(_) => self.all(sql, args).await,
        }
    }

    /// The first row of a query, outside any transaction.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn first<T: Row>(
        &self,
        sql: impl SqlSafeStr,
        args: Args,
    ) -> Result<Option<T>, DbError> {
        Ok(match &self.engine {
            Engine::Lite { read, .. } => {
                run!(sqlx::query_as(lite(sql, &args)), args, read, fetch_optional)
            }
            Engine::Pg(pool) => run!(sqlx::query_as(sql), args, pool, fetch_optional),
        }?)
    }

    /// The PostgreSQL pool, where it is PostgreSQL: for leases and bulk inserts.
    #[must_use]
    pub fn postgres(&self) -> Option<&PgPool> {
        match &self.engine {
            Engine::Lite { .. } => None,
            Engine::Pg(pool) => Some(pool),
        }
    }
}

impl<'c> Tx<'c> {
    fn new(conn: Conn<'c>) -> Self {
        Self {
            conn,
            entries: Vec::new(),
        }
    }

    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.conn {
            Conn::Lite(_) => Kind::Sqlite,
            Conn::Pg(_) => Kind::Postgres,
        }
    }

    /// Takes an entry along: it becomes durable with this transaction.
    pub fn append(&mut self, entry: NewEntry) {
        self.entries.push(entry);
    }

    /// Runs a statement; returns the count of rows that it changed.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn execute(&mut self, sql: impl SqlSafeStr, args: Args) -> Result<u64, DbError> {
        Ok(match &mut self.conn {
            Conn::Lite(conn) => {
                run!(sqlx::query(lite(sql, &args)), args, &mut **conn, execute)?.rows_affected()
            }
            Conn::Pg(conn) => run!(sqlx::query(sql), args, &mut **conn, execute)?.rows_affected(),
        })
    }

    /// All rows of a query.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn all<T: Row>(
        &mut self,
        sql: impl SqlSafeStr,
        args: Args,
    ) -> Result<Vec<T>, DbError> {
        Ok(match &mut self.conn {
            Conn::Lite(conn) => run!(
                sqlx::query_as(lite(sql, &args)),
                args,
                &mut **conn,
                fetch_all
            ),
            Conn::Pg(conn) => run!(sqlx::query_as(sql), args, &mut **conn, fetch_all),
        }?)
    }

    /// The first row of a query.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn first<T: Row>(
        &mut self,
        sql: impl SqlSafeStr,
        args: Args,
    ) -> Result<Option<T>, DbError> {
        Ok(match &mut self.conn {
            Conn::Lite(conn) => run!(
                sqlx::query_as(lite(sql, &args)),
                args,
                &mut **conn,
                fetch_optional
            ),
            Conn::Pg(conn) => run!(sqlx::query_as(sql), args, &mut **conn, fetch_optional),
        }?)
    }

    /// The first row, locked until the end of the transaction: on PostgreSQL
    /// with `FOR UPDATE`; on SQLite there is but one writer.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn first_locked<T: Row>(
        &mut self,
        sql: &'static str,
        args: Args,
    ) -> Result<Option<T>, DbError> {
        match self.kind() {
            Kind::Sqlite => self.first(sql, args).await,
            Kind::Postgres => {
                self.first(sqlx::AssertSqlSafe(format!("{sql} FOR UPDATE")), args)
                    .await
            }
        }
    }

    /// All rows, held unchanged until the end of the transaction, while others
    /// may read and hold them too: on PostgreSQL with `FOR SHARE`; on SQLite
    /// there is but one writer.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn all_shared<T: Row>(
        &mut self,
        sql: &'static str,
        args: Args,
    ) -> Result<Vec<T>, DbError> {
        match self.kind() {
            Kind::Sqlite => self.all(sql, args).await,
            Kind::Postgres => {
                self.all(sqlx::AssertSqlSafe(format!("{sql} FOR SHARE")), args)
                    .await
            }
        }
    }

    /// The PostgreSQL connection, where it is PostgreSQL: for `UNNEST` inserts.
    pub fn postgres(&mut self) -> Option<&mut sqlx::PgConnection> {
        match &mut self.conn {
            Conn::Lite(_) => None,
            Conn::Pg(conn) => Some(conn),
        }
    }
}
