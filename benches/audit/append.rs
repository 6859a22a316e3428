//! Appends through `Db::write`, and bare inserts.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use creditgate::{
    audit::{Appender, Log},
    platform::db::{Db, DbError, NewEntry, Urgency},
};
use sqlx::{
    Connection as _, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::{sync::oneshot, task::JoinSet};

use crate::{
    entries,
    support::{Database, Table, Times, grouped, ms, size},
};

/// Callers, and how many entries all of them append in one round.
const LOADS: [(usize, usize); 3] = [(1, 2_000), (16, 16_000), (256, 32_000)];

/// Rounds of each, in turns; the median counts.
const ROUNDS: usize = 3;

/// Measures both ways into a database each.
pub(crate) async fn measure(
    ours: &Database,
    bare: &Database,
    table: &mut Table,
) -> anyhow::Result<()> {
    let db = Db::open(&ours.address, Arc::new(Appender)).await?;
    let log = Log::open(db.clone(), crate::key()?, Vec::new()).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    // Numbers and signs beside the callers, as in the gateway.
    let running = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        log.run(Duration::from_secs(5), stopped).await;
    });
    // Makes the tables; the rows go in past it.
    drop(Db::open(&bare.address, Arc::new(Appender)).await?);
    let mut raw = Raw::open(&bare.address).await?;
    for (callers, count) in LOADS {
        let count = size(count, callers * 4);
        let (mut ours_took, mut bare_took, mut times) =
            (Times::default(), Times::default(), Times::default());
        for _ in 0..ROUNDS {
            let (took, each) = appended(&db, callers, entries(count)?).await?;
            ours_took.push(took);
            times.extend(each);
            bare_took.push(raw.insert(callers, entries(count)?).await?);
        }
        let speed = |times: &Times| count as f64 / times.p50().as_secs_f64();
        table.row([
            ours.name.to_owned(),
            callers.to_string(),
            grouped(speed(&ours_took) as u64),
            ms(times.p50()),
            ms(times.p99()),
            grouped(speed(&bare_took) as u64),
            format!("{:.0} %", 100.0 * speed(&ours_took) / speed(&bare_took)),
        ]);
    }
    drop(stop);
    Ok(running.await?)
}

/// Each caller appends its share, one entry a transaction.
async fn appended(
    db: &Db,
    callers: usize,
    entries: Vec<NewEntry>,
) -> anyhow::Result<(Duration, Times)> {
    let shares: Vec<_> = entries
        .chunks(entries.len().div_ceil(callers))
        .map(<[_]>::to_vec)
        .collect();
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for share in shares {
        let db = db.clone();
        tasks.spawn(async move {
            let mut times = Times::default();
            for entry in share {
                let began = Instant::now();
                db.write(Urgency::Urgent, move |tx| {
                    Box::pin(async move {
                        tx.append(entry);
                        Ok::<_, DbError>(())
                    })
                })
                .await?;
                times.push(began.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut all = Times::default();
    while let Some(times) = tasks.join_next().await {
        all.extend(times??);
    }
    Ok((began.elapsed(), all))
}

/// A connection that inserts rows and does nothing else; its rows get their
/// place in advance, and no tree grows over them.
struct Raw {
    conn: Conn,
    next: i64,
}

enum Conn {
    Lite(SqliteConnection),
    Pg(PgConnection),
}

impl Raw {
    async fn open(address: &str) -> anyhow::Result<Self> {
        let conn = match address.strip_prefix("sqlite:") {
            Some(path) => {
                // As durable as the gateway's own writer.
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .pragma("secure_delete", "ON");
                Conn::Lite(SqliteConnection::connect_with(&options).await?)
            }
            None => Conn::Pg(PgConnection::connect(address).await?),
        };
        Ok(Self { conn, next: 0 })
    }

    async fn insert(&mut self, batch: usize, entries: Vec<NewEntry>) -> anyhow::Result<Duration> {
        let began = Instant::now();
        for rows in entries.chunks(batch) {
            let first = self.next;
            self.next += i64::try_from(rows.len())?;
            match &mut self.conn {
                Conn::Lite(conn) => insert_sqlite(conn, first, rows).await?,
                Conn::Pg(conn) => insert_postgres(conn, first, rows).await?,
            }
        }
        Ok(began.elapsed())
    }
}

async fn insert_sqlite(
    conn: &mut SqliteConnection,
    first: i64,
    rows: &[NewEntry],
) -> sqlx::Result<()> {
    let mut transaction = conn.begin().await?;
    for (index, row) in (first..).zip(rows) {
        sqlx::query(
            "INSERT INTO audit_entries (id, idx, leaf, body, about) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&row.id)
        .bind(index)
        .bind(&row.leaf[..])
        .bind(&row.body)
        .bind(&row.id)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}

async fn insert_postgres(
    conn: &mut PgConnection,
    first: i64,
    rows: &[NewEntry],
) -> sqlx::Result<()> {
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    let indexes: Vec<_> = (first..).take(rows.len()).collect();
    let leaves: Vec<_> = rows.iter().map(|row| row.leaf.to_vec()).collect();
    let bodies: Vec<_> = rows.iter().map(|row| row.body.clone()).collect();
    sqlx::query(
        "INSERT INTO audit_entries (id, idx, leaf, body, about)
         SELECT id, idx, leaf, body, id
         FROM UNNEST($1::text[], $2::bigint[], $3::bytea[], $4::bytea[]) AS t (id, idx, leaf, body)",
    )
    .bind(ids)
    .bind(indexes)
    .bind(leaves)
    .bind(bodies)
    .execute(conn)
    .await
    .map(drop)
}
