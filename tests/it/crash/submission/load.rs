//! `kill -9` from outside, at moments that nobody chose, again and again during
//! one submission.

use std::time::Duration;

use mocks::{Fault, FaultRule};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::{
    task::{JoinSet, LocalSet},
    time::sleep,
};

use super::{
    super::site::{Engine, Site, generous},
    checks,
    input::{self, REJECTED},
    stage::{Stage, https},
};

/// Records handed in.
const RECORDS: u32 = 300;

/// How many of them wait for a notice in the end.
const WAITING: i64 = 10;

/// How often the process is killed.
const KILLS: u32 = 5;

/// The latest moment of a kill after the start.
const LATEST_MS: u64 = 5000;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_each_file_takes_effect_once() {
    let mut all = JoinSet::new();
    let local = LocalSet::new();
    for engine in Engine::all() {
        all.spawn_local_on(killed_on(engine), &local);
    }
    local
        .run_until(async {
            while let Some(done) = all.join_next().await {
                done.unwrap();
            }
        })
        .await;
}

async fn killed_on(engine: Engine) {
    let plan = match engine {
        Engine::Postgres => https(),
        Engine::Sqlite => generous(),
    };
    let site = Site::furnish(engine, plan, input::papers()).await;
    let code = input::loan(REJECTED).code();
    site.house.desk.spite(&code, "BLR024");
    // At the door, so that more kills fall between the intent and the reply.
    let slow = Fault::Slow {
        before_ms: 700,
        each_kib_ms: 0,
    };
    let bureau = &site.house.bureau;
    bureau.set_fault(FaultRule::always(slow)).await.unwrap();
    let mut moments = Vec::new();
    for _ in 0..KILLS {
        let mut random = [0; 8];
        SystemRandom::new().fill(&mut random).unwrap();
        let moment = u64::from_le_bytes(random) % LATEST_MS;
        moments.push(moment);
        let server = site.start(None).await.unwrap();
        let name = format!("killed after {moments:?} ms on {engine:?}");
        let stage = Stage::new(&name, &site, &server);
        let killed = async {
            sleep(Duration::from_millis(moment)).await;
            server.kill().await;
        };
        tokio::join!(stage.hand_in("month", input::many(RECORDS)), killed);
    }
    let name = format!("killed after {moments:?} ms on {engine:?}");
    let server = site.start(None).await.unwrap();
    let stage = Stage::new(&name, &site, &server);
    let id = stage.hand_in("month", input::many(RECORDS)).await.unwrap();
    stage.settled(&id, WAITING).await.unwrap();
    let listed = checks::listed(&stage).await;
    server.stop().await;
    site.verify();
    checks::settled(&name, &site, &listed).await;
}
