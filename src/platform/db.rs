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
mod open;
mod writer;

use std::{future::Future, pin::Pin, sync::Arc};

use sqlx::{PgPool, SqlSafeStr, SqlitePool};

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
            Engine::Lite { read, .. } => run!(sqlx::query_as(sql), args, read, fetch_all),
            Engine::Pg(pool) => run!(sqlx::query_as(sql), args, pool, fetch_all),
        }?)
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
            Engine::Lite { read, .. } => run!(sqlx::query_as(sql), args, read, fetch_optional),
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
            Conn::Lite(conn) => run!(sqlx::query(sql), args, &mut **conn, execute)?.rows_affected(),
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
            Conn::Lite(conn) => run!(sqlx::query_as(sql), args, &mut **conn, fetch_all),
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
            Conn::Lite(conn) => run!(sqlx::query_as(sql), args, &mut **conn, fetch_optional),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        args,
        testing::{Forget, databases},
    };

    async fn count(db: &Db) -> i64 {
        let (count,) = db
            .first::<(i64,)>("SELECT COUNT(*) FROM probe", args![])
            .await
            .unwrap()
            .unwrap();
        count
    }

    async fn probe_table(db: &Db) {
        db.write(Urgency::Urgent, |tx| {
            Box::pin(async move {
                tx.execute(
                    "CREATE TABLE probe (k TEXT PRIMARY KEY, v BYTEA, n BIGINT)",
                    args![],
                )
                .await
            })
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_database_opened_to_read_cannot_be_written() {
        for test in databases(Arc::new(Forget)).await {
            probe_table(&test.db).await;
            let _owned = own(&test.address).await.unwrap();
            let reader = Db::open_to_read(&test.address, Arc::new(Forget));
            let reader = reader.await.unwrap();
            let refused = reader.write::<_, DbError, _>(Urgency::Urgent, |tx| {
                Box::pin(async move {
                    tx.execute("INSERT INTO probe (k) VALUES ('a')", args![])
                        .await
                })
            });
            assert!(refused.await.is_err(), "{}", test.name);
            assert_eq!(count(&reader).await, 0, "{}", test.name);
        }
    }

    #[tokio::test]
    async fn a_failed_closure_takes_back_its_own_doings_only() {
        for test in databases(Arc::new(Forget)).await {
            let db = &test.db;
            probe_table(db).await;
            let writes = (0..50i64).map(|n| {
                let db = db.clone();
                async move {
                    db.write(Urgency::Bulk, move |tx| {
                        Box::pin(async move {
                            tx.execute(
                                "INSERT INTO probe (k, v, n) VALUES ($1, $2, $3)",
                                args![format!("key {n}"), vec![1u8, 2], n],
                            )
                            .await?;
                            if n % 2 == 0 {
                                Ok(n)
                            } else {
                                Err(DbError::Refused("odd".into()))
                            }
                        })
                    })
                    .await
                }
            });
            let results = join(writes).await;
            assert_eq!(
                results.iter().filter(|r| r.is_ok()).count(),
                25,
                "{}",
                test.name
            );
            assert_eq!(count(db).await, 25, "{}", test.name);
        }
    }

    #[tokio::test]
    async fn a_closure_that_panics_harms_nobody_else() {
        for test in databases(Arc::new(Forget)).await {
            let db = test.db.clone();
            probe_table(&db).await;
            let panicking = tokio::spawn({
                let db = db.clone();
                async move {
                    db.write::<(), DbError, _>(Urgency::Urgent, |tx| {
                        Box::pin(async move {
                            tx.execute("INSERT INTO probe (k) VALUES ('lost')", args![])
                                .await?;
                            panic!("on purpose");
                        })
                    })
                    .await
                }
            });
            assert!(!matches!(panicking.await, Ok(Ok(()))), "{}", test.name);
            db.write::<_, DbError, _>(Urgency::Urgent, |tx| {
                Box::pin(async move {
                    tx.execute("INSERT INTO probe (k) VALUES ('kept')", args![])
                        .await
                })
            })
            .await
            .unwrap();
            assert_eq!(count(&db).await, 1, "{}", test.name);
        }
    }

    #[tokio::test]
    async fn a_second_key_is_a_unique_violation() {
        for test in databases(Arc::new(Forget)).await {
            probe_table(&test.db).await;
            let mut last = Ok(0);
            for _ in 0..2 {
                last = test
                    .db
                    .write(Urgency::Urgent, |tx| {
                        Box::pin(async move {
                            tx.execute(
                                "INSERT INTO probe (k, v, n) VALUES ($1, $2, $3)",
                                args!["one", None::<Vec<u8>>, None::<i64>],
                            )
                            .await
                        })
                    })
                    .await;
            }
            assert!(last.unwrap_err().is_unique_violation(), "{}", test.name);
        }
    }

    #[tokio::test]
    async fn a_second_owner_is_refused_until_the_first_is_gone() {
        for test in databases(Arc::new(Forget)).await {
            let first = own(&test.address).await.unwrap();
            assert!(
                matches!(own(&test.address).await, Err(OpenError::Owned)),
                "{}",
                test.name
            );
            drop(first);
            // The server notices the end of a session a moment later.
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
            while own(&test.address).await.is_err() {
                assert!(std::time::Instant::now() < deadline, "{}", test.name);
                tokio::task::yield_now().await;
            }
        }
    }

    async fn join<T: Send + 'static>(
        futures: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
    ) -> Vec<T> {
        let tasks: Vec<_> = futures.map(tokio::spawn).collect();
        let mut all = Vec::new();
        for task in tasks {
            all.push(task.await.unwrap());
        }
        all
    }
}
