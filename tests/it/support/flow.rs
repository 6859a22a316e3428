//! What tests of inquiries do again and again: ask, wait for a state, withdraw.

use std::time::Duration;

use creditgate::{
    args,
    authorizations::Purpose,
    demo::{BUREAU, Client, INSTITUTION, Reply},
    inquiries::State,
    operators::{self, Caller, NewOperator, PersonKey, Role},
    platform::{identity::Identity, ids::OperatorId},
};
use jiff::{SignedDuration, Timestamp};
use mocks::{Fault, FaultRule};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::{TestGateway, inquiry, key};

/// Nothing in a test takes so long.
const DEADLINE: Duration = Duration::from_secs(30);

/// The databases of this machine, as a plan names them: SQLite, and a fresh one
/// of PostgreSQL. Without `DATABASE_URL` that is left out loudly, and in CI that
/// is a failure.
pub(crate) async fn databases() -> Vec<Option<String>> {
    let Ok(server) = std::env::var("DATABASE_URL") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must test on PostgreSQL too"
        );
        eprintln!("PostgreSQL NOT TESTED: set DATABASE_URL (tests/run does)");
        return vec![None];
    };
    let name = format!("creditgate_{}", uuid::Uuid::now_v7().simple());
    let mut server_connection = sqlx::PgConnection::connect(&server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(create)
        .execute(&mut server_connection)
        .await
        .unwrap();
    let (front, _) = server.rsplit_once('/').unwrap();
    vec![None, Some(format!("{front}/{name}"))]
}

/// Somebody at the shell, in a role.
pub(crate) fn local(role: Role) -> Caller {
    Caller::local(INSTITUTION.into(), [role])
}

/// Waits until a condition holds; it is asked again and again.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let asking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// The identifier in a reply.
pub(crate) fn id(reply: &Reply) -> String {
    reply.body["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {reply:?}"))
        .to_owned()
}

/// Whether the reasons of an inquiry name a rule or code.
pub(crate) fn names(view: &Value, code: &str) -> bool {
    let reasons = view["reasons"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    reasons
        .iter()
        .any(|reason| reason["rule"] == code || reason["code"] == code)
}

impl TestGateway {
    /// Goes down in order, and comes up again over the same house and bureau.
    pub(crate) async fn restart(self) -> Self {
        Self::again(self.stop().await).await
    }

    /// A person whom the mock answers by the last three digits of `seq`, with a
    /// paper for loan approval and the purpose that needs a checker.
    pub(crate) async fn subject(&self, seq: u32) -> (Identity, String) {
        let subject = self.person("测试甲", &mocks::synthetic_resident_id(seq));
        let purposes = [Purpose::LoanApproval, Purpose::GuarantorCheck];
        let authorization = self.authorize(&subject, &purposes).await;
        (subject, authorization)
    }

    /// Asks for loan approval, and waits for the end.
    pub(crate) async fn ask(&self, subject: &Identity) -> Reply {
        self.officer
            .inquire(&inquiry(subject, "loan_approval"), &key(), 30)
            .await
            .unwrap()
    }

    /// Asks for loan approval, and gives the identifier without waiting.
    pub(crate) async fn begin(&self, subject: &Identity) -> String {
        self.begin_for(subject, "loan_approval").await
    }

    /// Asks for a purpose, and gives the identifier without waiting.
    pub(crate) async fn begin_for(&self, subject: &Identity, purpose: &str) -> String {
        id(&self
            .officer
            .inquire(&inquiry(subject, purpose), &key(), 0)
            .await
            .unwrap())
    }

    /// An inquiry as it stands.
    pub(crate) async fn show(&self, id: &str) -> Value {
        self.officer
            .get(&format!("/v1/inquiries/{id}"))
            .await
            .unwrap()
            .body
    }

    /// Waits until an inquiry stands at `state`.
    pub(crate) async fn reaches(&self, id: &str, state: State) -> Value {
        until(state.name(), async || {
            self.show(id).await["state"] == state.name()
        })
        .await;
        self.show(id).await
    }

    /// Waits until no task of the gateway carries the inquiry any more.
    pub(crate) async fn rests(&self, id: &str) {
        self.gateway
            .inquiries()
            .join(&id.into())
            .wait(DEADLINE)
            .await
            .unwrap();
    }

    /// Acts on an inquiry as `who`.
    pub(crate) async fn act(&self, who: &Client, id: &str, action: &str, body: &Value) -> Reply {
        who.post(&format!("/v1/inquiries/{id}/{action}"), body)
            .await
            .unwrap()
    }

    /// The subject takes its authorization back.
    pub(crate) async fn withdraw_paper(&self, authorization: &str) {
        let now = self.gateway.clock().now();
        let papers = self.gateway.authorizations();
        let by = local(Role::Compliance);
        assert!(
            papers
                .withdraw(&by, &authorization.into(), now)
                .await
                .unwrap()
        );
    }

    /// A new account of a person, with its client.
    pub(crate) async fn hire(&self, person: &str, role: Role) -> (OperatorId, Client) {
        self.hire_at(INSTITUTION, person, role).await
    }

    /// A new account of a person of an institution, with its client.
    pub(crate) async fn hire_at(
        &self,
        institution: &str,
        person: &str,
        role: Role,
    ) -> (OperatorId, Client) {
        let (db, now) = (self.gateway.db(), self.gateway.clock().now());
        let by = Caller::local(institution.into(), [Role::Administrator]);
        let new = NewOperator {
            label: format!("{person}-{}", key()),
            person: PersonKey::parse(person).unwrap(),
            since: now - SignedDuration::from_hours(1),
            until: None,
        };
        let id = operators::register_operator(db, &by, new, now)
            .await
            .unwrap();
        operators::grant(db, &by, &id, role, now).await.unwrap();
        let expires = now + SignedDuration::from_hours(24);
        let (_, token) = operators::issue_token(db, &by, &id, expires, &SystemRandom::new(), now)
            .await
            .unwrap();
        (id, self.client(&token.expose().to_owned().into()))
    }

    pub(crate) fn checker(&self) -> Client {
        self.client(&self.staff.checker.1)
    }

    pub(crate) fn compliance(&self) -> Client {
        self.client(&self.staff.compliance.1)
    }

    pub(crate) async fn fault(&self, rule: FaultRule) {
        self.house.bureau.set_fault(rule).await.unwrap();
    }

    /// How often the bureau was asked about a subject.
    pub(crate) fn count(&self, subject: &Identity) -> usize {
        self.house.bureau.count_for(subject.expose_number())
    }

    /// An inquiry whose answer was lost after the bureau had read it.
    pub(crate) async fn lost(&self, subject: &Identity, unlisted: bool) -> String {
        let rule = FaultRule::once(Fault::AcceptThenCut).for_subject(subject.expose_number());
        self.fault(if unlisted { rule.unlisted() } else { rule })
            .await;
        let reply = self.ask(subject).await;
        assert_eq!(super::state(&reply), "unknown", "{reply:?}");
        assert_eq!(self.count(subject), 1);
        id(&reply)
    }

    /// Holds a list of the bureau against the register.
    pub(crate) async fn reconcile(&self, period: (Timestamp, Timestamp), csv: String) -> Reply {
        let path = format!(
            "/v1/bureaus/{BUREAU}/inquiry-list?from={}&until={}",
            period.0, period.1
        );
        self.compliance().post_csv(&path, csv).await.unwrap()
    }

    /// Kinds of the audit entries about an inquiry, in the order of the log.
    pub(crate) async fn entries(&self, id: &str) -> Vec<String> {
        let rows: Vec<(Vec<u8>,)> = self
            .gateway
            .db()
            .all(
                "SELECT body FROM audit_entries WHERE about = $1 ORDER BY id",
                args![id],
            )
            .await
            .unwrap();
        let kind = |body: &[u8]| {
            let entry: Value = serde_json::from_slice(body).unwrap();
            entry["kind"]
                .as_str()
                .unwrap_or_else(|| panic!("no kind: {entry}"))
                .to_owned()
        };
        rows.iter().map(|(body,)| kind(body)).collect()
    }
}

/// The body of a proposal to ask again.
pub(crate) fn reason() -> Value {
    json!({ "reason_ref": "FILE-1" })
}
