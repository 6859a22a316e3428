//! What `serve` refuses to start on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::site::{Engine, SUBJECT, Server, Site, generous, one_a_minute, subject};
use crate::support::{inquiry, state};

/// Another subject, who goes first where somebody must wait.
const FIRST: u32 = 42;

#[track_caller]
fn refused(started: Result<Server, super::site::Died>, words: &str) {
    let died = started.err().expect("it does not start");
    assert_eq!(died.code, Some(1), "{}", died.said);
    assert!(died.said.contains(words), "{}", died.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_serve_on_one_database_is_refused() {
    for engine in Engine::all() {
        let site = Site::prepare(engine, generous(), &[]).await;
        let server = site.start(None).await.unwrap();
        refused(
            site.start(None).await,
            "another creditgate serves this database; stop it first",
        );
        let alive = server.officer.get("/v1/inquiries/none").await.unwrap();
        assert_eq!(alive.status, 404);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_may_lose_a_commit_is_refused() {
    if !Engine::all().contains(&Engine::Postgres) {
        return;
    }
    let site = Site::prepare(Engine::Postgres, generous(), &[]).await;
    let (_, name) = site.database.rsplit_once('/').unwrap();
    let mut conn = PgConnection::connect(&site.database).await.unwrap();
    let off = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    sqlx::query(AssertSqlSafe(off))
        .execute(&mut conn)
        .await
        .unwrap();
    let words =
        "PostgreSQL runs with synchronous_commit = off: an acknowledged intent could be lost";
    refused(site.start(None).await, words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_without_fsync_is_refused() {
    let Some(server) = Careless::start() else {
        eprintln!("PostgreSQL WITHOUT FSYNC NOT TESTED: no initdb on this machine");
        return;
    };
    let site = Site::prepare(Engine::Sqlite, generous(), &[]).await;
    let config = fs::read_to_string(site.house.config()).unwrap();
    let config = config.replace(&site.database, &server.address);
    fs::write(site.house.config(), config).unwrap();
    refused(site.start(None).await, "PostgreSQL runs with fsync = off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_is_refused_and_sends_nothing_again() {
    let site = Site::prepare(Engine::Sqlite, one_a_minute(), &[FIRST, SUBJECT]).await;
    let server = site.start(None).await.unwrap();
    let ask = async |server: &Server, seq, wait| {
        let body = inquiry(&subject(seq), "loan_approval");
        server
            .officer
            .inquire(&body, &format!("key-{seq}"), wait)
            .await
            .unwrap()
    };
    ask(&server, FIRST, 20).await;
    assert_eq!(state(&ask(&server, SUBJECT, 0).await), "permitted");
    server.stop().await;
    let backup = site.house.folder.join("backup");
    copy(&site.house.folder.join("data"), &backup);
    // What waited goes out after the backup was made.
    let server = site.start(None).await.unwrap();
    assert_eq!(state(&ask(&server, SUBJECT, 20).await), "answered");
    server.stop().await;
    assert_eq!(site.marks(SUBJECT), 1);
    let data = site.house.folder.join("data");
    fs::remove_dir_all(&data).unwrap();
    copy(&backup, &data);
    refused(site.start(None).await, "outside");
    assert_eq!(site.marks(SUBJECT), 1);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A PostgreSQL of our own that does not sync.
struct Careless {
    address: String,
    bin: PathBuf,
    folder: tempfile::TempDir,
}

impl Careless {
    fn start() -> Option<Self> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let bin = versions
            .flatten()
            .map(|v| v.path().join("bin"))
            .find(|b| b.join("initdb").exists())?;
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            // PostgreSQL refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let place = folder.path().display();
        let options = format!("-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off");
        let address = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let server = Self {
            address,
            bin,
            folder,
        };
        let data = server.folder.path().join("db");
        run(server
            .command("initdb")
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"])
            .arg(&data));
        let log = server.folder.path().join("log");
        run(server
            .command("pg_ctl")
            .args(["-w", "-o", &options, "-D"])
            .arg(&data)
            .arg("-l")
            .arg(log)
            .arg("start"));
        Some(server)
    }

    fn command(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Careless {
    fn drop(&mut self) {
        let data = self.folder.path().join("db");
        run(self
            .command("pg_ctl")
            .args(["-m", "immediate", "-D"])
            .arg(data)
            .arg("stop"));
    }
}

fn run(command: &mut Command) {
    // Not piped: the server inherits its parent's output and would hold it open.
    let status = command
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{command:?}");
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}
