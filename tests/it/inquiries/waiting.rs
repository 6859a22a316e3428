//! What waits is decided again before it leaves: nothing that was taken back
//! while it waited reaches the bureau.

use creditgate::{
    demo::Plan,
    inquiries::State,
    operators::{self, Role},
    platform::{
        clock::{Clock, china_date, china_midnight},
        identity::Identity,
    },
};
use jiff::{SignedDuration, Timestamp};
use mocks::{Fault, FaultRule};
use serde_json::json;

use crate::support::{TestGateway, databases, local, names, state};

/// What keeps an inquiry of a subject waiting for the line.
#[derive(Clone, Copy, Debug)]
enum Obstacle {
    Breaker,
    Busy,
    Closed,
    Rate,
}

const OBSTACLES: [Obstacle; 4] = [
    Obstacle::Breaker,
    Obstacle::Busy,
    Obstacle::Closed,
    Obstacle::Rate,
];

/// Just before midnight in China, when a bureau that closed at 22:00 opens.
fn late_evening() -> Timestamp {
    china_midnight(china_date(Clock::system().now())) - SignedDuration::from_millis(200)
}

impl Obstacle {
    fn plan(self, database: Option<String>) -> Plan {
        let clock = match self {
            Self::Closed => Clock::standing(late_evening()),
            _ => Clock::system(),
        };
        let plan = Plan {
            database,
            ..Plan::new(clock)
        };
        match self {
            Self::Breaker => plan
                .edit("failures_in_a_row = 5", "failures_in_a_row = 1")
                .edit("open_seconds = 5", "open_seconds = 2")
                .edit("attempts = 2", "attempts = 0"),
            Self::Busy => plan.edit("concurrency = 8", "concurrency = 1"),
            Self::Closed => {
                let day = |day: &str| format!("{day} = [\"00:00-22:00\"]\n");
                let days = [
                    "monday",
                    "tuesday",
                    "wednesday",
                    "thursday",
                    "friday",
                    "saturday",
                ];
                let week: String = days.into_iter().chain(["sunday"]).map(day).collect();
                plan.edit("closed_on = []", &week)
            }
            Self::Rate => plan.edit(
                "operator = { per_minute = 60, burst = 20",
                "operator = { per_minute = 30, burst = 1",
            ),
        }
    }

    /// Puts itself in the way.
    async fn rise(self, test: &TestGateway) {
        let (other, _) = test.subject(1).await;
        match self {
            Self::Breaker => {
                test.fault(FaultRule::always(Fault::RefuseConnection)).await;
                let reply = test.ask(&other).await;
                assert_eq!(state(&reply), "unsent", "{reply:?}");
                test.house.bureau.clear_faults().await;
            }
            Self::Busy => {
                let slow = Fault::Slow {
                    before_ms: 3000,
                    each_kib_ms: 0,
                };
                test.fault(FaultRule::always(slow).for_subject(other.expose_number()))
                    .await;
                let id = test.begin(&other).await;
                test.reaches(&id, State::Dispatched).await;
            }
            Self::Closed => {}
            Self::Rate => {
                let reply = test.ask(&other).await;
                assert_eq!(state(&reply), "answered", "{reply:?}");
            }
        }
    }

    /// Goes out of the way; the others do so by themselves.
    fn fall(self, test: &TestGateway) {
        if let Self::Closed = self {
            test.gateway
                .clock()
                .set(late_evening() + SignedDuration::from_mins(1));
        }
    }
}

/// Lets an inquiry wait behind each obstacle, changes something meanwhile, and
/// lets it go on: it ends there, and the bureau was not asked.
async fn taken_back_while_waiting(
    end: State,
    change: impl AsyncFn(&TestGateway, &Identity, &str, &str),
    code: Option<&str>,
) {
    for database in databases().await {
        for obstacle in OBSTACLES {
            if database.is_some() && !matches!(obstacle, Obstacle::Closed) {
                continue;
            }
            let test = TestGateway::start_with(obstacle.plan(database.clone())).await;
            let (subject, paper) = test.subject(2).await;
            obstacle.rise(&test).await;
            let id = test.begin(&subject).await;
            test.reaches(&id, State::Permitted).await;
            change(&test, &subject, &paper, &id).await;
            obstacle.fall(&test);
            test.rests(&id).await;
            let view = test.show(&id).await;
            assert_eq!(view["state"], end.name(), "{obstacle:?} {view}");
            assert!(
                code.is_none_or(|code| names(&view, code)),
                "{obstacle:?} {view}"
            );
            assert_eq!(test.count(&subject), 0, "{obstacle:?}");
            test.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_withdrawn_while_waiting_for_the_line_refuses() {
    let withdraw = async |test: &TestGateway, _: &Identity, paper: &str, _: &str| {
        test.withdraw_paper(paper).await;
    };
    taken_back_while_waiting(State::Refused, withdraw, Some("QR-03")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inquiry_withdrawn_while_waiting_for_the_line_never_leaves() {
    let withdraw = async |test: &TestGateway, _: &Identity, _: &str, id: &str| {
        let reply = test.act(&test.officer, id, "withdraw", &json!({})).await;
        assert_eq!(
            (reply.status.as_u16(), state(&reply)),
            (200, "withdrawn"),
            "{reply:?}"
        );
        let again = test.act(&test.officer, id, "withdraw", &json!({})).await;
        assert_eq!(
            (again.status.as_u16(), &again.body["code"]),
            (409, &json!("wrong_state"))
        );
    };
    taken_back_while_waiting(State::Withdrawn, withdraw, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_who_lost_the_role_while_waiting_is_refused() {
    let revoke = async |test: &TestGateway, _: &Identity, _: &str, _: &str| {
        let (db, now) = (test.gateway.db(), test.gateway.clock().now());
        let by = local(Role::Administrator);
        operators::revoke(db, &by, &test.staff.officer.0, Role::Officer, now)
            .await
            .unwrap();
        // Who sees the end must still be allowed to look.
        operators::grant(db, &by, &test.staff.officer.0, Role::Regulator, now)
            .await
            .unwrap();
    };
    taken_back_while_waiting(State::Refused, revoke, Some("QR-24")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_goes_out_once_when_the_line_is_free() {
    for obstacle in OBSTACLES {
        let test = TestGateway::start_with(obstacle.plan(None)).await;
        let (subject, _) = test.subject(2).await;
        obstacle.rise(&test).await;
        let id = test.begin(&subject).await;
        test.reaches(&id, State::Permitted).await;
        obstacle.fall(&test);
        test.rests(&id).await;
        let view = test.show(&id).await;
        assert_eq!(view["state"], "answered", "{obstacle:?} {view}");
        assert_eq!(test.count(&subject), 1, "{obstacle:?}");
        test.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_line_goes_on_after_a_restart() {
    for database in databases().await {
        let test = TestGateway::start_with(Obstacle::Closed.plan(database)).await;
        let (subject, _) = test.subject(2).await;
        let (other, paper) = test.subject(3).await;
        let (kept, refused) = (test.begin(&subject).await, test.begin(&other).await);
        test.reaches(&kept, State::Permitted).await;
        test.reaches(&refused, State::Permitted).await;
        let test = test.restart().await;
        test.withdraw_paper(&paper).await;
        Obstacle::Closed.fall(&test);
        test.reaches(&kept, State::Answered).await;
        test.reaches(&refused, State::Refused).await;
        assert_eq!((test.count(&subject), test.count(&other)), (1, 0));
        test.stop().await;
    }
}
