//! Transactions, against both databases.

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

#[tokio::test]
async fn the_log_of_sqlite_stays_short_also_where_somebody_always_reads() {
    let test = databases(Arc::new(Forget)).await.remove(0);
    let db = &test.db;
    probe_table(db).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    // Two readers, of whom one is in the log at any time.
    let readers = [0, 1].map(|_| {
        let (db, stopped) = (db.clone(), stopped.clone());
        tokio::spawn(async move {
            let slow = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c \
                        WHERE n < 4000) SELECT COUNT(*) FROM c, (SELECT COUNT(*) FROM probe)";
            while !*stopped.borrow() {
                let _: Vec<(i64,)> = db.all(slow, args![]).await.unwrap();
            }
        })
    });
    let log = test.address.trim_start_matches("sqlite:").to_owned() + "-wal";
    let mut longest = 0;
    for n in 0..640 {
        db.write::<_, DbError, _>(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                tx.execute(
                    "INSERT INTO probe (k, v) VALUES ($1, $2)",
                    args![n.to_string(), vec![7_u8; 20_000]],
                )
                .await
            })
        })
        .await
        .unwrap();
        longest = longest.max(std::fs::metadata(&log).map_or(0, |it| it.len()));
    }
    stop.send(true).unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
    // It was written thirteen times over: 640 commits of five pages and more.
    assert!(longest < 6 << 20, "{longest} bytes");
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
