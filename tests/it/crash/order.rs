//! The order of system calls: durable first, then the bureau.

use std::{fs, path::Path};

use creditgate::demo::Plan;
use tokio::process::Command;

use super::site::{Engine, SUBJECT, Site, generous, subject};
use crate::support::{inquiry, state};

#[tokio::test(flavor = "multi_thread")]
async fn the_intent_is_synced_before_the_first_byte_to_the_bureau() {
    if !can_trace().await {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must trace system calls"
        );
        eprintln!("ORDER OF SYSTEM CALLS NOT TESTED: strace is missing or may not trace");
        return;
    }
    let plan: Plan = generous();
    let site = Site::prepare(Engine::Sqlite, plan, &[SUBJECT]).await;
    let trace = site.house.folder.join("trace");
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-yy", "-s", "65536", "-e"])
        .arg("trace=fsync,fdatasync,write,pwrite64,writev,pwritev,sendto,sendmsg,connect")
        .arg("-o")
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_creditgate"));
    let server = site.start_as(strace).await.unwrap();
    let body = inquiry(&subject(SUBJECT), "loan_approval");
    let asked = server.officer.inquire(&body, "traced", 60).await.unwrap();
    assert_eq!(state(&asked), "answered");
    server.kill().await;
    assert_eq!(site.marks(SUBJECT), 1);
    judge(&trace, site.house.bureau.address().port());
}

/// Holds the calls against each other; a call counts when it has returned, one
/// to the bureau when it begins.
fn judge(trace: &Path, bureau: u16) {
    let text = fs::read_to_string(trace).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let to_bureau = |line: &str| {
        line.contains(&format!("->127.0.0.1:{bureau}"))
            || line.contains(&format!("htons({bureau})"))
    };
    let first_byte = lines
        .iter()
        .position(|line| to_bureau(line))
        .expect("the bureau was asked");
    // Its first writing: a later commit may write the same page again.
    let intent = lines
        .iter()
        .position(|line| {
            line.contains("write") && line.contains("-wal>") && line.contains("inquiry.dispatched")
        })
        .expect("the intent was written to the log of the database");
    // The commit is whole with the last page of its group.
    let before = &lines[..first_byte];
    let written = before
        .iter()
        .rposition(|line| line.contains("write") && line.contains("-wal>"))
        .expect("the intent was written");
    assert!(
        intent <= written,
        "the intent was written after the bureau was asked"
    );
    let synced = before[written..]
        .iter()
        .any(|line| returned(line, &before[written..]));
    assert!(
        synced,
        "no sync between the intent and the first byte: {:#?}",
        names(&before[written..])
    );
}

/// Whether a line is the good end of a sync of the write-ahead log.
fn returned(line: &str, among: &[&str]) -> bool {
    let Some((pid, rest)) = line.split_once(' ') else {
        return false;
    };
    let syncs = |line: &str| line.contains("sync(") && line.contains("-wal>");
    let resumed = rest.contains("sync resumed>")
        && among
            .iter()
            .any(|line| line.starts_with(pid) && syncs(line));
    rest.ends_with("= 0") && (resumed || syncs(rest))
}

/// The calls without what they carried.
fn names<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    lines
        .iter()
        .map(|line| line.split('"').next().unwrap_or_default())
        .collect()
}

async fn can_trace() -> bool {
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output()
        .await;
    tried.is_ok_and(|output| output.status.success())
}
