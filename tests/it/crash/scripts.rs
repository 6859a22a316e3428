//! What is played until the process dies: between them, the scripts pass every
//! edge and every other point.

use std::time::Duration;

use creditgate::{
    demo::{Client, Plan, Reply},
    inquiries::State::{
        self, Answered, AnsweredUnreadable, Dispatched, OnHold, Permitted, Received, Reconciled,
        Refused, Rejected, Unknown, Unsent, Withdrawn,
    },
    platform::{
        clock::{Clock, china_date},
        db::BoxFuture,
    },
};
use jiff::{SignedDuration, Timestamp};
use mocks::{Fault, FaultRule};
use serde_json::{Value, json};

use super::site::{SUBJECT, Server, Site, generous, one_a_minute, subject};
use crate::support::inquiry;

/// Another one, who goes first where somebody must wait.
pub(super) const FIRST: u32 = 42;
/// One whom the bureau refuses.
pub(super) const REJECTED: u32 = 905;
/// One who signed nothing.
const STRANGER: u32 = 43;

/// A scripted way of an inquiry.
pub(super) struct Script {
    pub(super) name: &'static str,
    /// The edges that it passes.
    pub(super) edges: &'static [(State, State)],
    /// Other points that it passes, written as `CREDITGATE_FAULT` is.
    pub(super) points: &'static [&'static str],
    /// Where an earlier process dies in the same script.
    pub(super) first: Option<&'static str>,
    pub(super) plan: fn() -> Plan,
    pub(super) play: for<'p> fn(&'p mut Stage<'_>) -> BoxFuture<'p, ()>,
    /// How many marks the bureau may hold of a subject.
    pub(super) most: usize,
    /// Whether the state is changed behind the gateway's back.
    pub(super) meddled: bool,
}

const PLAIN: Script = Script {
    name: "",
    edges: &[],
    points: &[],
    first: None,
    plan: generous,
    play: |_| Box::pin(async {}),
    most: 1,
    meddled: false,
};

/// All of them.
pub(super) const ALL: &[Script] = &[
    Script {
        name: "answered",
        edges: &[(Received, Dispatched), (Dispatched, Answered)],
        points: &[
            "dispatch.replied",
            "exchange.ended",
            "log.delivered#2",
            "log.signed#2",
        ],
        play: |stage| Box::pin(async move { _ = stage.ask(SUBJECT, "loan_approval").await }),
        ..PLAIN
    },
    Script {
        name: "refused",
        edges: &[(Received, Refused)],
        play: |stage| Box::pin(async move { _ = stage.ask(STRANGER, "loan_approval").await }),
        ..PLAIN
    },
    Script {
        name: "released",
        edges: &[
            (Received, OnHold),
            (OnHold, Permitted),
            (Permitted, Dispatched),
        ],
        play: |stage| Box::pin(async move { _ = stage.held("release", Value::Null).await }),
        ..PLAIN
    },
    Script {
        name: "declined",
        edges: &[(OnHold, Refused)],
        play: |stage| {
            Box::pin(async move { _ = stage.held("decline", json!({"reason": "business"})).await })
        },
        ..PLAIN
    },
    Script {
        name: "withdrawn on hold",
        edges: &[(OnHold, Withdrawn)],
        play: |stage| Box::pin(async move { _ = stage.held("withdraw", Value::Null).await }),
        ..PLAIN
    },
    Script {
        name: "not checked in time",
        edges: &[(OnHold, Refused)],
        play: |stage| {
            Box::pin(async move {
                stage.ask(SUBJECT, "guarantor_check").await;
                let day = "UPDATE inquiries SET received_at = received_at - 172800000000";
                stage.site.meddle(day).await;
            })
        },
        ..PLAIN
    },
    Script {
        name: "released without an authorization",
        edges: &[(Permitted, Refused)],
        play: |stage| Box::pin(async move { _ = stage.unauthorized().await }),
        ..PLAIN
    },
    Script {
        name: "closed",
        edges: &[(Received, Permitted), (Permitted, Unsent)],
        plan: closed,
        play: |stage| Box::pin(async move { _ = stage.ask(SUBJECT, "loan_approval").await }),
        ..PLAIN
    },
    Script {
        name: "withdrawn in the queue",
        edges: &[(Received, Permitted), (Permitted, Withdrawn)],
        plan: one_a_minute,
        play: |stage| {
            Box::pin(async move {
                stage.ask(FIRST, "loan_approval").await;
                let asked = stage.ask_and_wait(SUBJECT, "loan_approval", 0).await;
                stage.act(asked, "withdraw", Value::Null).await;
            })
        },
        ..PLAIN
    },
    Script {
        name: "nobody listens",
        edges: &[
            (Dispatched, Permitted),
            (Permitted, Dispatched),
            (Dispatched, Unsent),
        ],
        play: |stage| {
            Box::pin(async move {
                let refuse = FaultRule::always(Fault::RefuseConnection);
                stage.site.house.bureau.set_fault(refuse).await.unwrap();
                stage.ask(SUBJECT, "loan_approval").await;
            })
        },
        ..PLAIN
    },
    Script {
        name: "cut and reconciled",
        edges: &[(Dispatched, Unknown), (Unknown, Reconciled)],
        play: |stage| Box::pin(async move { _ = stage.reconciled().await }),
        ..PLAIN
    },
    Script {
        name: "cut and asked again",
        edges: &[(Received, Permitted), (Permitted, Dispatched)],
        play: |stage| Box::pin(async move { _ = stage.asked_again().await }),
        most: 2,
        ..PLAIN
    },
    Script {
        name: "garbage",
        edges: &[(Dispatched, AnsweredUnreadable)],
        play: |stage| {
            Box::pin(async move {
                stage.fault(Fault::Garbage).await;
                stage.ask(SUBJECT, "loan_approval").await;
            })
        },
        ..PLAIN
    },
    Script {
        name: "read again",
        edges: &[(AnsweredUnreadable, Answered)],
        play: |stage| {
            Box::pin(async move {
                let asked = stage.ask(SUBJECT, "loan_approval").await;
                // As a reader with a defect would have left it.
                let sql = "UPDATE inquiries SET state = 'answered_unreadable'";
                stage.site.meddle(sql).await;
                stage.act(asked, "reread", Value::Null).await;
            })
        },
        meddled: true,
        ..PLAIN
    },
    Script {
        name: "rejected",
        edges: &[(Dispatched, Rejected)],
        play: |stage| Box::pin(async move { _ = stage.ask(REJECTED, "loan_approval").await }),
        ..PLAIN
    },
    Script {
        name: "started after a kill",
        edges: &[(Dispatched, Unknown)],
        points: &["start.owned", "start.recovered"],
        first: Some("received>dispatched.after"),
        play: |stage| Box::pin(async move { _ = stage.ask(SUBJECT, "loan_approval").await }),
        ..PLAIN
    },
];

/// Only PostgreSQL numbers its entries afterwards.
pub(super) const SEQUENCED: Script = Script {
    name: "numbered",
    points: &["log.sequenced#2"],
    play: |stage| Box::pin(async move { _ = stage.ask(SUBJECT, "loan_approval").await }),
    ..PLAIN
};

fn closed() -> Plan {
    let today = china_date(Clock::system().now());
    let tomorrow = today.tomorrow().unwrap();
    let days = format!("closed_on = [\"{today}\", \"{tomorrow}\"]");
    generous().edit("closed_on = []", &days)
}

/// A process, and what was asked of it. Once it is dead, every act is nothing.
pub(super) struct Stage<'s> {
    pub(super) site: &'s Site,
    pub(super) server: &'s Server,
    pub(super) asked: Vec<Asked>,
}

/// A request that a client will post again after a crash.
pub(super) struct Asked {
    pub(super) key: String,
    pub(super) body: Value,
    pub(super) seq: u32,
}

impl Stage<'_> {
    async fn ask(&mut self, seq: u32, purpose: &str) -> Option<String> {
        self.ask_and_wait(seq, purpose, 20).await
    }

    /// Asks under a key of the subject's own; gives the inquiry's identifier.
    async fn ask_and_wait(&mut self, seq: u32, purpose: &str, wait: u32) -> Option<String> {
        let (body, key) = (inquiry(&subject(seq), purpose), format!("key-{seq}"));
        let known = self.asked.iter().any(|asked| asked.seq == seq);
        if !known {
            self.asked.push(Asked {
                key: key.clone(),
                body: body.clone(),
                seq,
            });
        }
        let reply = self.server.officer.inquire(&body, &key, wait).await.ok()?;
        reply.body["id"].as_str().map(str::to_owned)
    }

    async fn act(&self, id: Option<String>, what: &str, body: Value) -> Option<Reply> {
        let staff = &self.site.staff;
        let whose = match what {
            "release" | "decline" | "second-ask/agree" => &staff.checker.1,
            "reread" => &staff.compliance.1,
            _ => &staff.officer.1,
        };
        let client: Client = self.server.client(whose);
        client
            .post(&format!("/v1/inquiries/{}/{what}", id?), &body)
            .await
            .ok()
    }

    async fn held(&mut self, what: &str, body: Value) -> Option<Reply> {
        let asked = self.ask_and_wait(SUBJECT, "guarantor_check", 0).await;
        self.act(asked, what, body).await
    }

    async fn unauthorized(&mut self) -> Option<()> {
        let asked = self.ask_and_wait(SUBJECT, "guarantor_check", 0).await?;
        let shown = self
            .server
            .officer
            .get(&format!("/v1/inquiries/{asked}"))
            .await
            .ok()?;
        let paper = shown.body["authorization"].as_str()?.to_owned();
        let compliance = self.server.client(&self.site.staff.compliance.1);
        let path = format!("/v1/authorizations/{paper}/withdraw");
        let withdrawn = compliance.post(&path, &Value::Null).await.ok()?;
        assert_eq!(withdrawn.status, 200, "{withdrawn:?}");
        self.act(Some(asked), "release", Value::Null)
            .await
            .map(drop)
    }

    async fn fault(&self, fault: Fault) {
        self.site
            .house
            .bureau
            .set_fault(FaultRule::once(fault))
            .await
            .unwrap();
    }

    async fn reconciled(&mut self) -> Option<()> {
        self.fault(Fault::AcceptThenCut).await;
        self.ask(SUBJECT, "loan_approval").await?;
        let now: Timestamp = Clock::system().now();
        let hour = SignedDuration::from_hours(1);
        let list = self.site.house.bureau.inquiry_list(now - hour, now + hour);
        let path = format!(
            "/v1/bureaus/pboc/inquiry-list?from={}&until={}",
            now - hour,
            now + hour
        );
        self.server
            .client(&self.site.staff.compliance.1)
            .post_csv(&path, list)
            .await
            .ok()
            .map(drop)
    }

    async fn asked_again(&mut self) -> Option<()> {
        self.fault(Fault::AcceptThenCut).await;
        let lost = self.ask(SUBJECT, "loan_approval").await;
        self.act(
            lost.clone(),
            "second-ask",
            json!({"reason_ref": "DECISION-1"}),
        )
        .await?;
        self.act(lost, "second-ask/agree", Value::Null)
            .await
            .map(drop)
    }
}

/// How long a point may take to be reached after the last act: the upkeep looks
/// every five seconds.
pub(super) const REACHED: Duration = Duration::from_secs(30);
