//! At every fault point: kill, restart, go on to the end, and hold what is found
//! against the bureau, the lists and the log.

use std::sync::Arc;

use creditgate::{
    platform::fault::{self, Commit},
    submissions::{
        FILE_EDGES,
        FileState::{self, Arrived, Delivered, Refused, Sending, Stopped},
    },
};
use tokio::{
    sync::Semaphore,
    task::{JoinSet, LocalSet},
    time::timeout,
};

use super::{
    super::site::{Engine, PATIENCE, Site},
    checks, input,
    scripts::{self, Script},
    stage::Stage,
};

/// Processes at a time: most of them wait for their next turn.
const AT_ONCE: usize = 10;

/// The points of a script, as `CREDITGATE_FAULT` names them.
fn points(script: &Script) -> Vec<String> {
    let edges = script.edges.iter().flat_map(|(from, to)| {
        [Commit::Before, Commit::After].map(|side| fault::edge_name(from.point(), to.point(), side))
    });
    edges
        .chain(script.points.iter().map(|&point| point.to_owned()))
        .collect()
}

/// Edges that only a person passes. They have scripts as well: whoever decided and
/// heard nothing decides again.
const BY_PERSONS: [(FileState, FileState); 4] = [
    (Delivered, Sending),
    (Stopped, Sending),
    (Stopped, Arrived),
    (Stopped, Refused),
];

#[test]
fn every_edge_and_every_point_has_a_script() {
    for edge in FILE_EDGES {
        assert!(
            scripts::all().any(|script| script.edges.contains(edge)),
            "{edge:?}"
        );
    }
    // All others are a machine's, and nothing leads out of a file that stopped.
    for edge in FILE_EDGES {
        assert!(edge.0 != Stopped || BY_PERSONS.contains(edge), "{edge:?}");
    }
    for point in fault::SUBMISSION_POINTS {
        let passes = |script: &Script| {
            script
                .points
                .iter()
                .any(|p| p.split('#').next() == Some(point))
        };
        assert!(scripts::all().any(passes), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_each_file_takes_effect_once_and_the_lists_explain_it() {
    LocalSet::new().run_until(every_case()).await;
}

async fn every_case() {
    let mut all = JoinSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    // Whoever looks for a cause names a case.
    let only = std::env::var("CREDITGATE_CASE").unwrap_or_default();
    for engine in Engine::all() {
        for script in scripts::all() {
            for point in points(script) {
                let case = Case {
                    engine,
                    script,
                    point,
                };
                if case.is_wanted() && case.name().contains(&only) {
                    let places = Arc::clone(&places);
                    all.spawn_local(async move {
                        let _place = places.acquire_owned().await.unwrap();
                        case.run().await;
                    });
                }
            }
        }
    }
    let mut failed = 0;
    while let Some(done) = all.join_next().await {
        failed += usize::from(done.is_err());
    }
    assert_eq!(failed, 0, "cases failed; each said why");
}

struct Case {
    engine: Engine,
    script: &'static Script,
    point: String,
}

impl Case {
    fn name(&self) -> String {
        let Self {
            engine,
            script,
            point,
        } = self;
        format!("{} at {point} on {engine:?}", script.name)
    }

    /// PostgreSQL is tried where a commit and the world outside meet.
    fn is_wanted(&self) -> bool {
        let commits = ["chunk", "assigned", "answers", "kept", "sending"];
        match self.engine {
            Engine::Postgres => {
                self.script.postgres && commits.iter().any(|it| self.point.contains(it))
            }
            Engine::Sqlite => true,
        }
    }

    async fn run(&self) {
        let name = self.name();
        let site = Site::furnish(self.engine, (self.script.plan)(), input::papers()).await;
        (self.script.before)(&site);
        if let Some(first) = self.script.first {
            self.die(&site, first).await;
        }
        (self.script.between)(&site);
        self.die(&site, &self.point).await;
        let server = site
            .start(None)
            .await
            .unwrap_or_else(|died| panic!("{name}: {died:?}"));
        let stage = Stage::new(&name, &site, &server);
        let played = (self.script.play)(&stage).await;
        assert!(played.is_some(), "{name}: it died again");
        let listed = checks::listed(&stage).await;
        server.stop().await;
        site.verify();
        checks::settled(&name, &site, &listed).await;
    }

    /// Plays until the process dies at a point.
    async fn die(&self, site: &Site, point: &str) {
        let name = self.name();
        let died = match site.start(Some(point)).await {
            Ok(server) => {
                let stage = Stage::new(&name, site, &server);
                let played = (self.script.play)(&stage).await;
                assert!(played.is_none(), "{name}: it did not pass {point}");
                let died = timeout(PATIENCE, server.ended()).await;
                died.unwrap_or_else(|_| panic!("{name}: it does not end"))
            }
            Err(died) => died,
        };
        assert_eq!(died.code, None, "{name}: {}", died.said);
    }
}
