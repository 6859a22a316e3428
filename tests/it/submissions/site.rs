//! A gateway that reports to a mock desk, and what stories of it do again and
//! again.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use creditgate::{
    demo::{
        Client, INSTITUTION, Plan, Reply, consent_to_provide,
        loans::{Loan, Standing},
    },
    operators::{Caller, Role},
    platform::{clock::Clock, clock::china_date, db::Urgency},
};
use jiff::{Span, Timestamp, ToSpan as _, civil::Date};
use mocks::Desk;
use serde_json::{Value, json};

use super::forms::{account, subject, text};
use crate::support::{TestGateway, key};

/// Nothing here takes so long.
const DEADLINE: Duration = Duration::from_secs(30);

/// The way of files, as the configuration of the demo says it, and another.
const EXCHANGE: &str =
    r#"transport = { kind = "exchange", out = "exchange/out", in = "exchange/in" }"#;
const HTTPS: &str = r#"transport = { kind = "https" }"#;

/// A running gateway whose files the desk takes.
pub(super) struct Site {
    pub(super) test: TestGateway,
    pub(super) submitter: Client,
    clock: Clock,
}

impl Site {
    /// Files go by the exchange folder, and time passes.
    pub(super) async fn start() -> Self {
        Self::start_with(Plan::new(Clock::system())).await
    }

    /// On that database.
    pub(super) async fn on(database: Option<String>) -> Self {
        let plan = Plan::new(Clock::system());
        Self::start_with(Plan { database, ..plan }).await
    }

    /// Time stands still unless the story moves it.
    pub(super) async fn standing() -> Self {
        Self::start_with(Plan::new(Clock::standing(Clock::system().now()))).await
    }

    /// Files go to the bureau's own door, over mutual TLS.
    pub(super) async fn by_https() -> Self {
        Self::start_with(Plan::new(Clock::system()).edit(EXCHANGE, HTTPS)).await
    }

    pub(super) async fn start_with(plan: Plan) -> Self {
        let clock = plan.clock.clone();
        let test = TestGateway::start_with(plan).await;
        let submitter = test.client(&test.staff.submitter.1);
        Self {
            test,
            submitter,
            clock,
        }
    }

    pub(super) async fn stop(self) {
        self.test.stop().await;
    }

    pub(super) fn desk(&self) -> &Desk {
        &self.test.house.desk
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves a standing clock.
    pub(super) fn pass(&self, span: Span) {
        self.clock.set(self.clock.now() + span);
    }

    /// The last day of the month so many months ago.
    pub(super) fn month_end(&self, months_ago: i64) -> Date {
        let this_month = china_date(self.now()).first_of_month();
        this_month
            .saturating_sub((months_ago - 1).months())
            .saturating_sub(1.day())
    }

    /// A loan as it stood three months ago, of a borrower of its own.
    pub(super) fn loan(&self, number: u32) -> Loan {
        Loan {
            number,
            borrower: (mocks::synthetic_resident_id(number), "测试甲".to_owned()),
            month_end: self.month_end(3),
            standing: Standing::Normal,
        }
    }

    /// The same loan as it stood so many months ago.
    pub(super) fn later(&self, loan: &Loan, months_ago: i64, standing: Standing) -> Loan {
        Loan {
            month_end: self.month_end(months_ago),
            standing,
            ..loan.clone()
        }
    }

    /// Its borrower lets the institution provide, for a year.
    pub(super) async fn consent(&self, loan: &Loan) {
        let now = self.now();
        let (number, name) = &loan.borrower;
        let paper = consent_to_provide(&self.test.person(name, number), now);
        let by = Caller::local(INSTITUTION.into(), [Role::Compliance]);
        let papers = self.test.gateway.authorizations();
        papers
            .record(&by, paper, Urgency::Urgent, now)
            .await
            .unwrap();
        self.test.gateway.submissions().stir();
    }

    /// Hands lines in, and expects that all of them are taken.
    pub(super) async fn hand_in(&self, lines: &[Value]) -> String {
        let reply = self.submitter.submit(text(lines), &key()).await.unwrap();
        assert_eq!(reply.status, 201, "{reply:?}");
        assert_eq!(reply.body["state"], "taken", "{reply:?}");
        assert_eq!(reply.body["taken"], lines.len(), "{reply:?}");
        crate::support::id(&reply)
    }

    /// Opens accounts, until the bureau has accepted them.
    pub(super) async fn open(&self, loans: &[&Loan]) -> String {
        for loan in loans {
            self.consent(loan).await;
        }
        let lines: Vec<Value> = loans.iter().map(|loan| loan.record()).collect();
        let id = self.hand_in(&lines).await;
        self.all(&id, "accepted").await;
        id
    }

    /// The records of a submission, as they stand.
    pub(super) async fn records(&self, id: &str) -> Vec<Value> {
        let path = format!("/v1/submissions/{id}/records?limit=500");
        let reply = self.submitter.get(&path).await.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["records"].as_array().unwrap().clone()
    }

    /// The only record of a submission.
    pub(super) async fn record(&self, id: &str) -> Value {
        let mut records = self.records(id).await;
        assert_eq!(records.len(), 1);
        records.remove(0)
    }

    /// Waits until all records of a submission are in a state.
    pub(super) async fn all(&self, id: &str, state: &str) -> Vec<Value> {
        self.until(state, async || {
            let records = self.records(id).await;
            records.iter().all(|it| it["state"] == state)
        })
        .await;
        self.records(id).await
    }

    /// Files, the oldest first.
    pub(super) async fn files(&self) -> Vec<Value> {
        let reply = self.submitter.get("/v1/files").await.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        let mut files = reply.body["files"].as_array().unwrap().clone();
        files.reverse();
        files
    }

    /// Waits until the last file is in a state, and gives it.
    pub(super) async fn last_file(&self, state: &str) -> Value {
        self.until(state, async || {
            let files = self.files().await;
            files.last().is_some_and(|file| file["state"] == state)
        })
        .await;
        self.files().await.pop().unwrap()
    }

    /// Goes on with everything once.
    pub(super) async fn sweep(&self) {
        self.test.gateway.submissions().sweep().await.unwrap();
    }

    /// Goes on with everything until a condition holds.
    pub(super) async fn until<F: Future<Output = bool>>(
        &self,
        what: &str,
        mut holds: impl FnMut() -> F,
    ) {
        let going_on = async {
            loop {
                self.sweep().await;
                if holds().await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(DEADLINE, going_on).await.is_err() {
            panic!("never: {what}; files {:?}", self.files().await);
        }
    }

    /// Goes on for some turns, in which something could go wrong.
    pub(super) async fn turns(&self) {
        for _ in 0..5 {
            self.sweep().await;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Records a notice of a loan that was delivered so many hours ago.
    pub(super) async fn notice(&self, loan: &Loan, hours: i64) -> Reply {
        let body = self.notice_body(loan, hours);
        let reply = self.submitter.post("/v1/notices", &body).await.unwrap();
        assert_eq!(reply.status, 201, "{reply:?}");
        reply
    }

    /// A notice of the month of a loan.
    pub(super) fn notice_body(&self, loan: &Loan, hours: i64) -> Value {
        let delivered = self.now() - hours.hours();
        json!({
            "subject": subject(loan), "account": account(loan),
            "due_period": loan.month_end.strftime("%Y-%m").to_string(), "channel": "sms",
            "delivered_at": delivered.to_string(), "proof": STANDARD.encode("synthetic report"),
        })
    }

    /// A client of another institution, in a role.
    pub(super) async fn stranger(&self, role: Role) -> Client {
        self.test
            .hire_at("demo-platform", "platform.1", role)
            .await
            .1
    }
}
