//! `kill -9` from outside, at moments that nobody chose, under load.

use std::time::Duration;

use mocks::{Fault, FaultRule};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::sleep;

use super::site::{Engine, Site, generous, subject};
use crate::support::inquiry;

/// Inquiries of a round.
const INQUIRIES: u32 = 20;

/// The latest moment of a kill after the first request.
const LATEST_MS: u64 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_under_load_nobody_is_asked_about_twice() {
    for (engine, rounds) in Engine::all().into_iter().zip([6, 3]) {
        let people: Vec<u32> = (1..=rounds * INQUIRIES).collect();
        let site = Site::prepare(engine, generous(), &people).await;
        let slow = Fault::Slow {
            before_ms: 40,
            each_kib_ms: 0,
        };
        site.house
            .bureau
            .set_fault(FaultRule::always(slow))
            .await
            .unwrap();
        for people in people.chunks(INQUIRIES as usize) {
            round(&site, people).await;
        }
        let server = site.start(None).await.unwrap();
        server.stop().await;
        site.verify();
        let told: Vec<_> = site
            .rows()
            .await
            .into_iter()
            .map(|(_, state, ..)| state)
            .collect();
        assert_eq!(told.len(), people.len());
        assert!(
            told.iter()
                .all(|state| state == "answered" || state == "unknown"),
            "{told:?}"
        );
    }
}

/// Asks about everybody at once, kills, restarts, and asks again with the same keys.
async fn round(site: &Site, people: &[u32]) {
    let mut random = [0; 8];
    SystemRandom::new().fill(&mut random).unwrap();
    let moment = u64::from_le_bytes(random) % LATEST_MS;
    let server = site.start(None).await.unwrap();
    let mut asking = tokio::task::JoinSet::new();
    for seq in people.iter().copied() {
        let officer = server.officer.clone();
        asking.spawn(async move { drop(officer.inquire(&body(seq), &key(seq), 20).await) });
    }
    sleep(Duration::from_millis(moment)).await;
    server.kill().await;
    asking.join_all().await;
    let server = site.start(None).await.unwrap();
    for seq in people.iter().copied() {
        let again = server
            .officer
            .inquire(&body(seq), &key(seq), 20)
            .await
            .unwrap();
        let (state, marks) = (again.body["state"].as_str(), site.marks(seq));
        let name = format!("killed after {moment} ms, {seq}: {marks} marks, {state:?}");
        assert_eq!(again.status, 200, "{name}");
        assert!(marks <= 1, "{name}");
        match state {
            Some("answered") => assert_eq!(marks, 1, "{name}"),
            // Its bytes may have been on the way, or not yet.
            Some("unknown") => {}
            _ => panic!("{name}"),
        }
    }
    server.stop().await;
}

fn body(seq: u32) -> serde_json::Value {
    inquiry(&subject(seq), "loan_approval")
}

fn key(seq: u32) -> String {
    format!("load-{seq}")
}
