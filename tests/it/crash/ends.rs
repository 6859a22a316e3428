//! The way down in order, and a disk that takes no more.

use std::fs;

use creditgate::args;
use mocks::{Fault, FaultRule};
use tokio::process::Command;

use super::site::{Engine, SUBJECT, Site, generous, subject};
use crate::support::{inquiry, state};

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_waits_for_the_exchange_keeps_the_answer_and_signs_the_log() {
    for engine in Engine::all() {
        let site = Site::prepare(engine, generous(), &[SUBJECT]).await;
        let slow = Fault::Slow {
            before_ms: 1500,
            each_kib_ms: 0,
        };
        site.house
            .bureau
            .set_fault(FaultRule::once(slow))
            .await
            .unwrap();
        let server = site.start(None).await.unwrap();
        let body = inquiry(&subject(SUBJECT), "loan_approval");
        // The client does not wait: only the gateway knows of the exchange.
        let asked = server.officer.inquire(&body, "slow", 0).await.unwrap();
        assert_eq!((asked.status.as_u16(), state(&asked)), (202, "dispatched"));
        server.stop().await;
        let rows = site.rows().await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].1, "answered", "{engine:?}");
        assert_eq!(site.marks(SUBJECT), 1);
        let db = site.read().await;
        let sql = "SELECT (SELECT COUNT(*) FROM audit_entries), \
                   (SELECT MAX(size) FROM audit_checkpoints)";
        let (entries, signed): (i64, i64) = db.first(sql, args![]).await.unwrap().unwrap();
        assert_eq!(
            entries, signed,
            "{engine:?}: the last checkpoint covers all"
        );
        let outside = site.house.folder.join("outside/checkpoint");
        let outside = fs::read_to_string(outside).unwrap();
        assert_eq!(outside.lines().nth(1), Some(signed.to_string().as_str()));
        site.verify();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_does_not_leave() {
    let people: Vec<u32> = (1..=60).collect();
    let site = Site::prepare(Engine::Sqlite, generous(), &people).await;
    // No file grows beyond: as a full disk, but for this process only.
    let mut limited = Command::new("bash");
    site.meddle("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let database = fs::metadata(site.house.folder.join("data/creditgate.db")).unwrap();
    // A start must fit, and some inquiries; the write-ahead log is what grows.
    let kilobytes = database.len() / 1024 + 256;
    limited
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$@\""))
        .arg("-");
    limited.arg(env!("CARGO_BIN_EXE_creditgate"));
    let server = site.start_as(limited).await.unwrap();
    let key = |seq: u32| format!("full-{seq}");
    let mut unwritten = Vec::new();
    for seq in people {
        let body = inquiry(&subject(seq), "loan_approval");
        let asked = server.officer.inquire(&body, &key(seq), 1).await.unwrap();
        if asked.status.is_server_error() {
            assert_eq!(site.marks(seq), 0, "{seq}: it left without an intent");
            unwritten.push(seq);
        }
        if unwritten.len() == 3 {
            break;
        }
    }
    assert_eq!(unwritten.len(), 3, "the disk did not fill");
    server.kill().await;
    let server = site.start(None).await.unwrap();
    for seq in unwritten {
        assert_eq!(site.marks(seq), 0);
        let body = inquiry(&subject(seq), "loan_approval");
        let asked = server.officer.inquire(&body, &key(seq), 20).await.unwrap();
        assert_eq!(state(&asked), "answered");
        assert_eq!(site.marks(seq), 1);
    }
    server.stop().await;
    site.verify();
}
