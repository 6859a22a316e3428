//! A gateway over the demo's house, with nothing in its way.

// Each bench uses its part of it.
#![allow(dead_code)]

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use creditgate::submissions::FileRow;
use creditgate::{
    authorizations::Purpose,
    demo::{Client, House, INSTITUTION, Plan, Staff, authorization, person},
    gateway::{Addresses, Gateway, serve, vocabulary},
    operators::{Caller, Role},
    platform::{
        clock::Clock,
        config::{self, Depth},
        db::Urgency,
        identity::Identity,
    },
};
use mocks::{Encoding, synthetic_resident_id};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
};

use crate::{direct::Direct, support::Database};

/// Papers that are recorded at once.
const RECORDERS: usize = 64;

/// The folder of delivered submission files.
const ELSEWHERE: &str = "elsewhere";

/// How large a report is; the mock tells by the subject's number.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    order: u32,
}

impl Size {
    pub(crate) const FOUR_KB: Self = Self {
        name: "4 KB",
        order: 907,
    };
    pub(crate) const HUNDRED_FIFTY_KB: Self = Self {
        name: "150 KB",
        order: 906,
    };
}

/// Everything that takes part.
pub(crate) struct Stage {
    pub(crate) direct: Direct,
    gateway: Gateway,
    house: House,
    officer: Client,
    serving: JoinHandle<()>,
    stop: watch::Sender<bool>,
    _folder: TempDir,
}

impl Stage {
    pub(crate) async fn set(database: &Database) -> anyhow::Result<Self> {
        let folder = crate::support::folder()?;
        let clock = Clock::system();
        let plan = Plan {
            database: Some(database.address.clone()),
            encoding: Encoding::Base64,
            ..unlimited(Plan::new(clock.clone()))
                .edit("out = \"exchange/out\"", &format!("out = \"{ELSEWHERE}\""))
        };
        // Files go to where no desk reads them.
        std::fs::create_dir(folder.path().join(ELSEWHERE))?;
        let house = House::build(folder.path(), &plan).await?;
        let config = config::check(&house.config(), Depth::Files, &vocabulary(), clock.now())
            .map_err(|findings| anyhow::anyhow!("the configuration: {findings:?}"))?;
        let gateway = Gateway::open(config, clock.clone(), None).await?;
        Staff::publish_policy(&gateway).await?;
        let staff = Staff::hire(&gateway).await?;
        let (stop, stopped) = watch::channel(false);
        let (tell, listening) = oneshot::channel::<Addresses>();
        let served = gateway.clone();
        let serving = tokio::spawn(async move {
            let told = |addresses| {
                // Nobody listens only where this bench has failed already.
                let _ = tell.send(addresses);
            };
            if let Err(error) = serve(served, stopped, told).await {
                eprintln!("the gateway: {error}");
            }
        });
        let officer = Client::new(
            house.authority.certificate_pem(),
            listening.await?.people,
            staff.officer.1.clone(),
        )?;
        Ok(Self {
            direct: Direct::new(&house, clock)?,
            gateway,
            house,
            officer,
            serving,
            stop,
            _folder: folder,
        })
    }

    /// A subject of its own for each number.
    pub(crate) fn subject(&self, report: Size, number: usize) -> anyhow::Result<Identity> {
        let id_number = synthetic_resident_id(u32::try_from(number)? * 1000 + report.order);
        person("测试样本", &id_number, self.gateway.clock().now()).context("not synthetic")
    }

    /// Records a paper of each of the first `count` subjects.
    pub(crate) async fn authorize(&self, report: Size, count: usize) -> anyhow::Result<()> {
        let mut recorders = JoinSet::new();
        for number in 0..count {
            if recorders.len() == RECORDERS {
                recorders.join_next().await.context("no recorder")???;
            }
            let (gateway, subject) = (self.gateway.clone(), self.subject(report, number)?);
            recorders.spawn(async move {
                let now = gateway.clock().now();
                let by = Caller::local(INSTITUTION.into(), [Role::Compliance]);
                let mut paper = authorization(&subject, &[Purpose::LoanApproval], now);
                // The demo's own is random, and one in some ten thousand looks
                // like a telephone number, which is refused.
                paper.external_ref = format!("bench-{}-{number}", report.order);
                let papers = gateway.authorizations();
                papers.record(&by, paper, Urgency::Bulk, now).await?;
                anyhow::Ok(())
            });
        }
        while let Some(recorded) = recorders.join_next().await {
            recorded??;
        }
        Ok(())
    }

    /// One inquiry through the API, waited for until it is answered and kept.
    pub(crate) async fn inquire(&self, subject: &Identity) -> anyhow::Result<()> {
        let body = json!({
            "subject": {
                "kind": "person",
                "id_type": subject.id_type(),
                "id_number": subject.expose_number(),
                "name": subject.expose_name(),
            },
            "bureau": "pboc",
            "product": "personal_report",
            "purpose": "loan_approval",
            "business_ref": "LOAN-1",
        });
        let key = uuid::Uuid::now_v7().to_string();
        let reply = self.officer.inquire(&body, &key, 30).await?;
        ensure!(reply.body["outcome"] == "hit", "not answered: {reply:?}");
        Ok(())
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Where a submission file lies once it is delivered.
    pub(crate) fn delivered(&self, file: &FileRow) -> PathBuf {
        let name = format!("{}.enc", file.name);
        self.house.folder.join(ELSEWHERE).join(name)
    }

    /// How many requests the mock has seen.
    pub(crate) fn received(&self) -> usize {
        self.house.bureau.count()
    }

    /// Goes down in order.
    pub(crate) async fn strike(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        drop(self.officer);
        Ok(self.serving.await?)
    }
}

/// Limits so wide that they are not what is measured.
fn unlimited(plan: Plan) -> Plan {
    let wide = "per_minute = 10000000, burst = 1000000";
    plan.edit("concurrency = 8", "concurrency = 64")
        .edit("per_minute = 600, burst = 50", wide)
        .edit(
            "per_minute = 300, burst = 50, per_day = 10000",
            &format!("{wide}, per_day = 10000000"),
        )
        .edit(
            "per_minute = 60, burst = 20, per_day = 500",
            &format!("{wide}, per_day = 10000000"),
        )
}
