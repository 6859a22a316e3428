//! A gateway in this process, on free ports, over a house of its own.

use std::time::Duration;

use creditgate::{
    authorizations::Purpose,
    demo::{Client, House, Plan, Reply, Staff, authorization, person},
    gateway::{Addresses, Gateway, serve, vocabulary},
    platform::{
        clock::Clock,
        config::{self, Depth},
        db::Urgency,
        identity::{Identity, SubjectKind},
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};

mod flow;

pub(crate) use flow::{databases, id, local, names, reason, until};

/// A running gateway.
pub(crate) struct TestGateway {
    pub(crate) house: House,
    pub(crate) gateway: Gateway,
    pub(crate) staff: Staff,
    pub(crate) addresses: Addresses,
    pub(crate) officer: Client,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    folder: TempDir,
    clock: Clock,
}

impl TestGateway {
    pub(crate) async fn start() -> Self {
        Self::start_with(Plan::new(Clock::system())).await
    }

    pub(crate) async fn start_with(plan: Plan) -> Self {
        // It fails only where another test was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let house = House::build(folder.path(), &plan).await.unwrap();
        let gateway = open(&house, &plan.clock).await;
        Staff::publish_policy(&gateway).await.unwrap();
        let staff = Staff::hire(&gateway).await.unwrap();
        let rest = Rest {
            folder,
            house,
            staff,
            clock: plan.clock,
        };
        Self::serve(gateway, rest).await
    }

    /// Opens what a stopped gateway left.
    pub(crate) async fn again(rest: Rest) -> Self {
        let gateway = open(&rest.house, &rest.clock).await;
        Self::serve(gateway, rest).await
    }

    async fn serve(gateway: Gateway, rest: Rest) -> Self {
        let Rest {
            folder,
            house,
            staff,
            clock,
        } = rest;
        let (stop, stopped) = watch::channel(false);
        let (tell, listening) = tokio::sync::oneshot::channel();
        let served = gateway.clone();
        let serving = tokio::spawn(async move {
            serve(served, stopped, |addresses| tell.send(addresses).unwrap())
                .await
                .unwrap();
        });
        let addresses = listening.await.unwrap();
        let ca = house.authority.certificate_pem();
        let officer = Client::new(ca, addresses.people, staff.officer.1.clone()).unwrap();
        Self {
            house,
            gateway,
            staff,
            addresses,
            officer,
            stop,
            serving,
            folder,
            clock,
        }
    }

    pub(crate) fn client(&self, token: &secrecy::SecretString) -> Client {
        self.officer.with(token)
    }

    /// Records a paper of a synthetic person.
    pub(crate) async fn authorize(&self, subject: &Identity, purposes: &[Purpose]) -> String {
        let now = self.gateway.clock().now();
        let by = creditgate::operators::Caller::local(
            creditgate::demo::INSTITUTION.into(),
            [creditgate::operators::Role::Compliance],
        );
        let new = authorization(subject, purposes, now);
        let recorded = self
            .gateway
            .authorizations()
            .record(&by, new, Urgency::Urgent, now)
            .await
            .unwrap();
        match recorded {
            creditgate::authorizations::Recorded::New(id)
            | creditgate::authorizations::Recorded::Already(id) => id.to_string(),
        }
    }

    pub(crate) fn person(&self, name: &str, id_number: &str) -> Identity {
        person(name, id_number, self.gateway.clock().now()).unwrap()
    }

    /// Goes down in order.
    pub(crate) async fn stop(self) -> Rest {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(30), self.serving)
            .await
            .unwrap()
            .unwrap();
        // The database is free once the last handle is gone.
        drop(self.gateway);
        let Self {
            folder,
            house,
            staff,
            clock,
            ..
        } = self;
        Rest {
            folder,
            house,
            staff,
            clock,
        }
    }
}

/// What a stopped gateway leaves.
pub(crate) struct Rest {
    pub(crate) folder: TempDir,
    pub(crate) house: House,
    pub(crate) staff: Staff,
    pub(crate) clock: Clock,
}

/// Opens the gateway of a house.
pub(crate) async fn open(house: &House, clock: &Clock) -> Gateway {
    let config = config::check(&house.config(), Depth::Files, &vocabulary(), clock.now()).unwrap();
    Gateway::open(config, clock.clone(), None).await.unwrap()
}

/// The body of an inquiry, for the report of the subject's kind.
pub(crate) fn inquiry(subject: &Identity, purpose: &str) -> Value {
    json!({
        "subject": {
            "kind": subject.kind().as_str(),
            "id_type": subject.id_type(),
            "id_number": subject.expose_number(),
            "name": subject.expose_name(),
        },
        "bureau": "pboc",
        "product": match subject.kind() {
            SubjectKind::Enterprise => "enterprise_report",
            SubjectKind::Person => "personal_report",
        },
        "purpose": purpose,
        "business_ref": "LOAN-1",
    })
}

/// A fresh idempotency key.
pub(crate) fn key() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The state in a reply.
pub(crate) fn state(reply: &Reply) -> &str {
    reply.body["state"]
        .as_str()
        .unwrap_or_else(|| panic!("no state: {reply:?}"))
}

/// A fresh database on the PostgreSQL server that `DATABASE_URL` names. Without
/// it PostgreSQL is left out loudly, and in CI that is a failure.
pub(crate) async fn postgres_database() -> Option<String> {
    use sqlx::{Connection as _, PgConnection};
    let Ok(server) = std::env::var("DATABASE_URL") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must test on PostgreSQL too"
        );
        eprintln!("PostgreSQL NOT TESTED: set DATABASE_URL (tests/run does)");
        return None;
    };
    let name = format!("creditgate_{}", uuid::Uuid::now_v7().simple());
    let mut conn = PgConnection::connect(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut conn)
        .await
        .unwrap();
    let (front, _) = server.rsplit_once('/').unwrap();
    Some(format!("{front}/{name}"))
}
