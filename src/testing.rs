//! What unit tests share: databases of both kinds.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use sqlx::{Connection, PgConnection};

use crate::platform::{
    clock::Clock,
    db::{BoxFuture, Db, DbError, NewEntry, Sealer, Tx},
    vault::{Cipher, MasterKey, MasterKeys, Vault},
};

/// A sealer that forgets: for tests that are not about the audit log.
pub(crate) struct Forget;

impl Sealer for Forget {
    fn seal<'t>(
        &'t self,
        _: &'t mut Tx<'_>,
        _: Vec<NewEntry>,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        Box::pin(async { Ok(()) })
    }
}

/// A sealer that remembers the entries, as text.
#[derive(Default)]
pub(crate) struct Remember(Mutex<Vec<String>>);

impl Remember {
    /// The entries since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Sealer for Remember {
    fn seal<'t>(
        &'t self,
        _: &'t mut Tx<'_>,
        entries: Vec<NewEntry>,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        let texts = entries
            .into_iter()
            .map(|it| String::from_utf8(it.body).unwrap());
        self.0.lock().unwrap().extend(texts);
        Box::pin(async { Ok(()) })
    }
}

thread_local! {
    /// Statements that SQLite was given on this thread, since somebody listens.
    static HEARD: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

/// Notes a statement, where a test of this thread listens.
pub(crate) fn hear(sql: &str) {
    HEARD.with_borrow_mut(|heard| {
        if let Some(heard) = heard {
            heard.insert(sql.to_owned());
        }
    });
}

/// Listens to the statements of a test that runs on one thread.
pub(crate) fn listen() -> Listening {
    HEARD.set(Some(BTreeSet::new()));
    Listening(())
}

/// Until it ends, statements are noted.
pub(crate) struct Listening(());

impl Listening {
    /// The statements that were heard, each once.
    pub(crate) fn end(self) -> BTreeSet<String> {
        HEARD.take().unwrap_or_default()
    }
}

/// A fresh database; its file, if any, lives as long as this.
pub(crate) struct TestDb {
    pub(crate) db: Db,
    pub(crate) address: String,
    pub(crate) name: &'static str,
    _folder: Option<tempfile::TempDir>,
}

/// A vault on a database, under a random master key.
pub(crate) async fn vault(db: &Db, clock: Clock) -> Vault {
    let masters = MasterKeys::new([(1, MasterKey::generate().unwrap())]).unwrap();
    Vault::open(db.clone(), masters, Cipher::default(), clock)
        .await
        .unwrap()
}

/// A fresh database of each kind that this machine has. Without `DATABASE_URL`
/// PostgreSQL is left out loudly, and in CI that is a failure.
pub(crate) async fn databases(sealer: Arc<dyn Sealer>) -> Vec<TestDb> {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("test.db").display());
    let db = Db::open(&address, Arc::clone(&sealer)).await.unwrap();
    let mut all = vec![TestDb {
        db,
        address,
        name: "sqlite",
        _folder: Some(folder),
    }];
    match std::env::var("DATABASE_URL") {
        Ok(server) => {
            let name = format!("creditgate_{}", uuid::Uuid::now_v7().simple());
            let mut conn = PgConnection::connect(&server).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
                .execute(&mut conn)
                .await
                .unwrap();
            let (front, _) = server.rsplit_once('/').unwrap();
            let address = format!("{front}/{name}");
            let db = Db::open(&address, sealer).await.unwrap();
            all.push(TestDb {
                db,
                address,
                name: "postgres",
                _folder: None,
            });
        }
        Err(_) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI must test on PostgreSQL too"
            );
            eprintln!("PostgreSQL NOT TESTED: set DATABASE_URL (tests/run does)");
        }
    }
    all
}
