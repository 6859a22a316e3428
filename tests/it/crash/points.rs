//! At every fault point: kill, restart, and hold what is found against the log
//! and the bureau.

use std::{collections::HashMap, sync::Arc};

use creditgate::{
    args,
    inquiries::{EDGES, State},
    platform::fault::{self, Commit},
};
use tokio::{
    sync::Semaphore,
    task::{JoinSet, LocalSet},
    time::timeout,
};

use super::{
    scripts::{ALL, Asked, FIRST, REACHED, REJECTED, SEQUENCED, Script, Stage},
    site::{Engine, PATIENCE, SUBJECT, Server, Site},
};

/// Processes at a time.
const AT_ONCE: usize = 3;

/// The points of a script, as `CREDITGATE_FAULT` names them.
fn points(script: &Script) -> Vec<String> {
    let edges = script.edges.iter().flat_map(|(from, to)| {
        [Commit::Before, Commit::After].map(|side| fault::edge_name(from.name(), to.name(), side))
    });
    edges
        .chain(script.points.iter().map(|&point| point.to_owned()))
        .collect()
}

#[test]
fn every_edge_and_every_point_has_a_script() {
    let scripts = || ALL.iter().chain([&SEQUENCED]);
    for edge in EDGES {
        assert!(
            scripts().any(|script| script.edges.contains(edge)),
            "{edge:?}"
        );
    }
    for point in fault::POINTS {
        let passes = |script: &Script| {
            script
                .points
                .iter()
                .any(|p| p.split('#').next() == Some(point))
        };
        assert!(scripts().any(passes), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_nothing_is_asked_twice_and_the_log_explains_it() {
    LocalSet::new().run_until(every_case()).await;
}

async fn every_case() {
    let mut all = JoinSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    for engine in Engine::all() {
        for script in ALL.iter().chain([&SEQUENCED]) {
            for point in points(script) {
                let wanted = match engine {
                    Engine::Postgres => point.contains("dispatched") || !point.contains('>'),
                    Engine::Sqlite => !point.contains("sequenced"),
                };
                if wanted {
                    let places = Arc::clone(&places);
                    all.spawn_local(async move {
                        let _place = places.acquire_owned().await.unwrap();
                        Case {
                            engine,
                            script,
                            point,
                        }
                        .run()
                        .await;
                    });
                }
            }
        }
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

struct Case {
    engine: Engine,
    script: &'static Script,
    point: String,
}

impl Case {
    fn name(&self) -> String {
        format!(
            "{} at {} on {:?}",
            self.script.name, self.point, self.engine
        )
    }

    async fn run(&self) {
        let people = [SUBJECT, FIRST, REJECTED];
        let site = Site::prepare(self.engine, (self.script.plan)(), &people).await;
        let mut asked = Vec::new();
        if let Some(first) = self.script.first {
            asked = self.die(&site, first).await;
        }
        asked.extend(self.die(&site, &self.point).await);
        let before: HashMap<_, _> = site
            .rows()
            .await
            .into_iter()
            .map(|(id, state, ..)| (id, state))
            .collect();
        site.house.bureau.clear_faults().await;
        let server = site
            .start(None)
            .await
            .unwrap_or_else(|died| panic!("{}: {died:?}", self.name()));
        self.settled(&site).await;
        self.explained(&site, &before).await;
        self.asked_again(&site, &server, &asked).await;
        self.settled(&site).await;
        for asked in &asked {
            let marks = site.marks(asked.seq);
            assert!(
                marks <= self.script.most,
                "{}: asked {marks} times",
                self.name()
            );
        }
        server.stop().await;
        site.verify();
        if !self.script.meddled {
            self.logged(&site).await;
        }
    }

    /// Plays until the process dies at a point; gives what was asked of it.
    async fn die(&self, site: &Site, point: &str) -> Vec<Asked> {
        let server = match site.start(Some(point)).await {
            Ok(server) => server,
            Err(died) => {
                assert_eq!(died.code, None, "{}: {}", self.name(), died.said);
                return Vec::new();
            }
        };
        let mut stage = Stage {
            site,
            server: &server,
            asked: Vec::new(),
        };
        (self.script.play)(&mut stage).await;
        let asked = stage.asked;
        let died = timeout(REACHED, server.ended()).await;
        let died = died.unwrap_or_else(|_| panic!("{}: it did not pass the point", self.name()));
        assert_eq!(died.code, None, "{}: {}", self.name(), died.said);
        asked
    }

    /// Waits until nothing is on its way any more.
    async fn settled(&self, site: &Site) {
        let moving = async {
            while site
                .rows()
                .await
                .iter()
                .any(|(_, state, ..)| state == "permitted" || state == "dispatched")
            {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        assert!(
            timeout(PATIENCE, moving).await.is_ok(),
            "{}: {:?}",
            self.name(),
            site.rows().await
        );
    }

    /// What the kill left is what a start may make of it.
    async fn explained(&self, site: &Site, before: &HashMap<String, String>) {
        let after = site.rows().await;
        assert_eq!(after.len(), before.len(), "{}", self.name());
        for (id, state, cause, _) in after {
            let name = format!("{}: was {}, is {state}", self.name(), before[&id]);
            match before[&id].as_str() {
                "dispatched" => {
                    assert_eq!(
                        (state.as_str(), cause.as_deref()),
                        ("unknown", Some("restart")),
                        "{name}"
                    );
                }
                "permitted" => assert!(
                    ["answered", "refused", "unsent"].contains(&state.as_str()),
                    "{name}"
                ),
                // Nobody checked it: the sweep may have come by again.
                "on_hold" => assert!(["on_hold", "refused"].contains(&state.as_str()), "{name}"),
                other => assert_eq!(state, other, "{name}"),
            }
        }
    }

    /// A client that heard nothing posts again.
    async fn asked_again(&self, site: &Site, server: &Server, asked: &[Asked]) {
        let sql = "SELECT idempotency_key, inquiry FROM idempotency_keys";
        let rows: Vec<(String, String)> = site.read().await.all(sql, args![]).await.unwrap();
        let stored: HashMap<String, String> = rows.into_iter().collect();
        for asked in asked {
            let marks = site.marks(asked.seq);
            let again = server
                .officer
                .inquire(&asked.body, &asked.key, 20)
                .await
                .unwrap();
            assert!(again.status.is_success(), "{}: {again:?}", self.name());
            if let Some(id) = stored.get(&asked.key) {
                assert_eq!(again.body["id"], id.as_str(), "{}", self.name());
                assert_eq!(site.marks(asked.seq), marks, "{}", self.name());
            }
        }
    }

    /// The entries of every inquiry are a way along the edges to where it stands.
    async fn logged(&self, site: &Site) {
        let db = site.read().await;
        for (id, state, ..) in site.rows().await {
            let sql = "SELECT body FROM audit_entries WHERE about = $1 ORDER BY idx";
            let entries: Vec<(Vec<u8>,)> = db.all(sql, args![id]).await.unwrap();
            let mut at = State::Received;
            for (body,) in entries {
                let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
                let kind = body["kind"].as_str().unwrap();
                let next = kind.strip_prefix("inquiry.").and_then(State::named);
                if let Some(next) = next {
                    assert!(at.may_become(next), "{}: {at:?} -> {next:?}", self.name());
                    at = next;
                }
            }
            assert_eq!(at.name(), state, "{}", self.name());
        }
    }
}
