//! A house for a gateway that runs as a process of its own and may die; the
//! mock bureau lives in the test and survives it.

use std::{process::Stdio, sync::Arc, time::Duration};

use creditgate::{
    args,
    audit::Appender,
    authorizations::{NewAuthorization, Purpose, Recorded},
    demo::{Client, House, INSTITUTION, Plan, Staff, authorization, person},
    operators::{Caller, Role},
    platform::{clock::Clock, db::Db, db::Urgency, identity::Identity},
};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::{cli::creditgate, support::open};

/// Longer than anything here takes on a loaded machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The subject of most tests.
pub(super) const SUBJECT: u32 = 41;

/// Where the gateway keeps its state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Engine {
    Postgres,
    Sqlite,
}

impl Engine {
    /// Both, where this machine has both.
    pub(super) fn all() -> Vec<Self> {
        if std::env::var_os("DATABASE_URL").is_some() {
            return vec![Self::Sqlite, Self::Postgres];
        }
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must test on PostgreSQL too"
        );
        eprintln!("PostgreSQL NOT TESTED: set DATABASE_URL (tests/run does)");
        vec![Self::Sqlite]
    }
}

/// A prepared house: operators, papers of `people` subjects, nobody serving.
pub(super) struct Site {
    pub(super) house: House,
    pub(super) staff: Staff,
    pub(super) database: String,
    folder: TempDir,
}

impl Site {
    pub(super) async fn prepare(engine: Engine, plan: Plan, people: &[u32]) -> Self {
        let now = plan.clock.now();
        let purposes = [Purpose::GuarantorCheck, Purpose::LoanApproval];
        let papers = people
            .iter()
            .map(|seq| authorization(&subject(*seq), &purposes, now));
        Self::furnish(engine, plan, papers.collect()).await
    }

    /// The same with papers of any kind.
    pub(super) async fn furnish(engine: Engine, plan: Plan, papers: Vec<NewAuthorization>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Postgres => fresh_postgres().await,
            Engine::Sqlite => format!(
                "sqlite:{}",
                folder.path().join("data/creditgate.db").display()
            ),
        };
        let plan = Plan {
            database: Some(database.clone()),
            ..plan
        };
        let house = House::build(folder.path(), &plan).await.unwrap();
        let gateway = open(&house, &plan.clock).await;
        Staff::publish_policy(&gateway).await.unwrap();
        let staff = Staff::hire(&gateway).await.unwrap();
        for paper in papers {
            let now = gateway.clock().now();
            let by = Caller::local(INSTITUTION.into(), [Role::Compliance]);
            let recorded = gateway
                .authorizations()
                .record(&by, paper, Urgency::Bulk, now)
                .await;
            assert!(matches!(recorded, Ok(Recorded::New(_))), "{recorded:?}");
        }
        Self {
            house,
            staff,
            database,
            folder,
        }
    }

    /// Starts `creditgate serve`, to die at a point if one is named.
    pub(super) async fn start(&self, fault: Option<&str>) -> Result<Server, Died> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creditgate"));
        if let Some(fault) = fault {
            command.env("CREDITGATE_FAULT", fault);
        }
        self.start_as(command).await
    }

    /// Starts `creditgate serve` after the words of `command`. Whoever was
    /// killed a moment ago may still own a PostgreSQL database: it is waited for.
    pub(super) async fn start_as(&self, mut command: Command) -> Result<Server, Died> {
        command
            .args(["serve", "--config"])
            .arg(self.house.config())
            .kill_on_drop(true);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let begun = tokio::time::Instant::now();
        loop {
            match Server::spawn(&mut command, self).await {
                Err(died)
                    if died.said.contains("another creditgate")
                        && begun.elapsed() < Duration::from_secs(5) =>
                {
                    sleep(Duration::from_millis(50)).await;
                }
                other => return other,
            }
        }
    }

    /// Reads the database, whoever serves it.
    pub(super) async fn read(&self) -> Db {
        Db::open_to_read(&self.database, Arc::new(Appender))
            .await
            .unwrap()
    }

    /// Every inquiry: identifier, state, cause, attempts.
    pub(super) async fn rows(&self) -> Vec<(String, String, Option<String>, i64)> {
        let sql = "SELECT id, state, cause, attempts FROM inquiries ORDER BY id";
        self.read().await.all(sql, args![]).await.unwrap()
    }

    /// Changes the database behind the gateway's back.
    pub(super) async fn meddle(&self, sql: &'static str) {
        match self.database.strip_prefix("sqlite:") {
            Some(path) => {
                let mut conn = SqliteConnection::connect(path).await.unwrap();
                sqlx::query(sql).execute(&mut conn).await.unwrap();
            }
            None => {
                let mut conn = PgConnection::connect(&self.database).await.unwrap();
                sqlx::query(sql).execute(&mut conn).await.unwrap();
            }
        }
    }

    /// `audit verify` of the log, and of its growth since what the sink outside
    /// remembers.
    pub(super) fn verify(&self) {
        let output = creditgate(
            self.folder.path(),
            &["audit", "verify", "--since", "outside"],
        );
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }

    /// How often the bureau was asked about a subject.
    pub(super) fn marks(&self, seq: u32) -> usize {
        self.house.bureau.count_for(subject(seq).expose_number())
    }
}

/// A running process and a client of it.
pub(super) struct Server {
    child: Child,
    said: oneshot::Receiver<String>,
    pub(super) officer: Client,
}

/// A process that ended, and what it said.
#[derive(Debug)]
pub(super) struct Died {
    /// Its exit code; none where a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) said: String,
}

impl Server {
    async fn spawn(command: &mut Command, site: &Site) -> Result<Self, Died> {
        let mut child = command.spawn().unwrap();
        let (tell, listening) = oneshot::channel();
        let (end, said) = oneshot::channel();
        let errors = child.stderr.take().unwrap();
        tokio::spawn(listen(errors, tell, end));
        match timeout(PATIENCE, listening)
            .await
            .expect("it listens or dies")
        {
            Ok(people) => {
                let token = site.staff.officer.1.clone();
                let ca = site.house.authority.certificate_pem();
                let officer = Client::new(ca, people.parse().unwrap(), token).unwrap();
                Ok(Self {
                    child,
                    said,
                    officer,
                })
            }
            Err(_) => {
                let code = timeout(PATIENCE, child.wait())
                    .await
                    .unwrap()
                    .unwrap()
                    .code();
                Err(Died {
                    code,
                    said: said.await.unwrap(),
                })
            }
        }
    }

    pub(super) fn client(&self, whose: &SecretString) -> Client {
        self.officer.with(whose)
    }

    /// Kills it as `kill -9` does.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends SIGTERM.
    pub(super) async fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        let killed = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .unwrap();
        assert!(killed.success());
    }

    /// Waits until it ends by itself.
    pub(super) async fn ended(mut self) -> Died {
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .expect("it ends")
            .unwrap();
        Died {
            code: status.code(),
            said: self.said.await.unwrap(),
        }
    }

    /// Asks it to go down, and expects that it does so in order.
    pub(super) async fn stop(self) {
        self.terminate().await;
        let died = self.ended().await;
        assert_eq!(died.code, Some(0), "{}", died.said);
    }
}

/// Reads all that a process says, and tells where it listens for people.
async fn listen(
    errors: impl AsyncRead + Unpin,
    tell: oneshot::Sender<String>,
    end: oneshot::Sender<String>,
) {
    let mut lines = BufReader::new(errors).lines();
    let (mut tell, mut said) = (Some(tell), String::new());
    while let Ok(Some(line)) = lines.next_line().await {
        let people = line
            .strip_prefix("listening: ")
            .and_then(|l| l.split(' ').find_map(|part| part.strip_prefix("people=")));
        if let (Some(people), Some(tell)) = (people, tell.take_if(|_| people.is_some())) {
            let _ = tell.send(people.to_owned());
        }
        said.push_str(&line);
        said.push('\n');
    }
    let _ = end.send(said);
}

/// The synthetic person of a number.
pub(super) fn subject(seq: u32) -> Identity {
    person(
        "测试甲",
        &mocks::synthetic_resident_id(seq),
        Clock::system().now(),
    )
    .unwrap()
}

/// A house whose limits stand in nobody's way.
pub(super) fn generous() -> Plan {
    let mut plan =
        Plan::new(Clock::system()).edit("checkpoint_seconds = 5", "checkpoint_seconds = 1");
    for (scope, rest) in [
        ("bureau", ""),
        ("institution", ", per_day = 10000"),
        ("operator", ", per_day = 500"),
    ] {
        let (minute, burst) = match scope {
            "bureau" => (600, 50),
            "institution" => (300, 50),
            _ => (60, 20),
        };
        plan = plan.edit(
            &format!("{scope} = {{ per_minute = {minute}, burst = {burst}{rest} }}"),
            &format!("{scope} = {{ per_minute = 60000, burst = 1000 }}"),
        );
    }
    plan
}

/// One inquiry a minute reaches the bureau; the next waits.
pub(super) fn one_a_minute() -> Plan {
    generous().edit(
        "bureau = { per_minute = 60000, burst = 1000 }",
        "bureau = { per_minute = 1, burst = 1 }",
    )
}

async fn fresh_postgres() -> String {
    let server = std::env::var("DATABASE_URL").unwrap();
    let name = format!("creditgate_{}", uuid::Uuid::now_v7().simple());
    let mut conn = PgConnection::connect(&server).await.unwrap();
    let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(sql).execute(&mut conn).await.unwrap();
    let (front, _) = server.rsplit_once('/').unwrap();
    format!("{front}/{name}")
}
