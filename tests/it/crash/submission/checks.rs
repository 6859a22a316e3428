//! What must hold in the end, however often the process died.

mod disk;
mod log;

use std::collections::{BTreeMap, BTreeSet};

use creditgate::{
    args,
    submissions::FileState::{Answered, Refused},
};
use serde_json::Value;

use super::{
    super::site::Site,
    stage::{File, Handed, Stage},
};

/// What the lists say of everything that was handed in.
pub(super) struct Listed {
    files: Vec<File>,
    submissions: Vec<Told>,
}

/// A submission with its records, as listed.
struct Told {
    handed: Handed,
    records: Vec<Value>,
}

/// Reads the lists: each record is there once, in one state that it explains.
pub(super) async fn listed(stage: &Stage<'_>) -> Listed {
    let name = stage.name;
    let mut submissions = Vec::new();
    for handed in stage.handed().into_values() {
        let path = format!("/v1/submissions/{}", handed.id);
        let shown = stage.get(&path).await.unwrap();
        assert_eq!(shown["state"], "taken", "{name}: {shown}");
        assert_eq!(shown["taken"], handed.lines.len(), "{name}: {shown}");
        let mut page = stage
            .get(&format!("{path}/records?limit=500"))
            .await
            .unwrap();
        let records = std::mem::take(page["records"].as_array_mut().unwrap());
        let places: Vec<_> = records.iter().map(|it| it["seq"].as_u64()).collect();
        let all: Vec<_> = (1..=handed.lines.len() as u64).map(Some).collect();
        assert_eq!(places, all, "{name}");
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for record in &records {
            explained(name, record);
            *counts.entry(record["state"].as_str().unwrap()).or_default() += 1;
        }
        let told = shown["records"].as_array().unwrap();
        let told = told
            .iter()
            .map(|it| (it["state"].as_str().unwrap(), it["count"].as_u64().unwrap()));
        assert_eq!(told.collect::<BTreeMap<_, _>>(), counts, "{name}");
        submissions.push(Told { handed, records });
    }
    Listed {
        files: stage.files().await.unwrap(),
        submissions,
    }
}

/// A record says why it is where it is.
fn explained(name: &str, record: &Value) {
    let state = record["state"].as_str().unwrap();
    let says = |list: &str| !record[list].as_array().unwrap().is_empty();
    let line = record["line"].as_i64().is_some_and(|line| line > 1);
    let why = match state {
        "set_aside" => says("findings") && !line,
        "held" => says("holds") && !line,
        "accepted" => line && !says("answer"),
        "rejected" => line && record["answer"][0]["code"] == "BLR024",
        "replaced" => line && says("answer"),
        _ => false,
    };
    assert!(why, "{name}: {record}");
}

/// What a row of a record says.
type Row = (i64, i64, String, Option<i64>, Option<i64>, Option<i64>);

/// A row of a file: number, identifier, name.
type FileNamed = (i64, String, String);

/// Holds the lists against the tables, the bureau, the log and the disk.
pub(super) async fn settled(name: &str, site: &Site, listed: &Listed) {
    let db = site.read().await;
    let sql = "SELECT submission, seq, state, file, line, account FROM submission_records \
               ORDER BY submission, seq";
    let rows: Vec<Row> = db.all(sql, args![]).await.unwrap();
    let handed: usize = listed.submissions.iter().map(|it| it.records.len()).sum();
    assert_eq!(rows.len(), handed, "{name}: {rows:?}");
    let sql = "SELECT no, id, name FROM submission_files ORDER BY no";
    let files: Vec<FileNamed> = db.all(sql, args![]).await.unwrap();
    assert_eq!(files.len(), listed.files.len(), "{name}");
    for ((no, id, _), file) in files.iter().zip(&listed.files) {
        assert_eq!(*id, file.id, "{name}");
        once_at_the_bureau(name, site, file);
        lines_are_whole(name, file, *no, &rows);
    }
    let ours: BTreeSet<&String> = files.iter().map(|(_, _, name)| name).collect();
    let theirs = site.house.desk.files();
    assert!(theirs.keys().all(|it| ours.contains(it)), "{name}");
    accounts_agree(name, site, listed);
    ledger_agrees(name, site, &rows).await;
    log::explains(name, &db, listed).await;
    disk::holds_nothing_clear(name, site, listed);
}

/// A file has taken effect once, or, where it was refused, not at all; the bytes
/// were always the same.
fn once_at_the_bureau(name: &str, site: &Site, file: &File) {
    let name = format!("{name}: {file:?}");
    let received = site.house.desk.files().remove(&file.name);
    let received = received.unwrap_or_default();
    let counts = (received.accepted as i64, received.rejected as i64);
    match file.state {
        Answered => {
            assert_eq!(received.effects, 1, "{name}");
            assert_eq!(file.accepted.zip(file.rejected), Some(counts), "{name}");
            assert_eq!(counts.0 + counts.1, file.records, "{name}");
            let frozen = file.sealed_sha256.as_ref().unwrap();
            let same = received.digests.iter().all(|it| it == frozen);
            assert!(same, "{name}: {received:?}");
        }
        Refused => {
            assert_eq!(received.effects, 0, "{name}");
            assert!(file.cause.is_some(), "{name}");
        }
        _ => panic!("{name}: it is not settled"),
    }
}

/// The lines of an answered file are its records, each once, all answered; what
/// was refused has none any more.
fn lines_are_whole(name: &str, file: &File, no: i64, rows: &[Row]) {
    let of = rows.iter().filter(|(_, _, _, of, ..)| *of == Some(no));
    let mut lines: Vec<i64> = of
        .clone()
        .filter_map(|(_, _, _, _, line, _)| *line)
        .collect();
    lines.sort_unstable();
    let whole: Vec<i64> = match file.state {
        Answered => (2..=file.records + 1).collect(),
        _ => Vec::new(),
    };
    assert_eq!(lines, whole, "{name}: {file:?}");
    let count = |states: &[&str]| {
        let of = of
            .clone()
            .filter(|(_, _, state, ..)| states.contains(&state.as_str()));
        of.count() as i64
    };
    let counts = (count(&["accepted"]), count(&["rejected", "replaced"]));
    let told = (file.accepted.unwrap_or(0), file.rejected.unwrap_or(0));
    assert_eq!(counts, told, "{name}: {file:?}");
}

/// The bureau took every accepted record once, in whichever file, and no other.
fn accounts_agree(name: &str, site: &Site, listed: &Listed) {
    let mut accepted: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for told in &listed.submissions {
        for (line, record) in told.handed.lines.iter().zip(&told.records) {
            let taken = accepted.entry(account(line)).or_default();
            *taken += usize::from(record["state"] == "accepted");
        }
    }
    let desk = &site.house.desk;
    for ((family, key), count) in &accepted {
        let account = desk.account(family, key);
        let taken = account.map_or(0, |account| account.taken.len());
        assert_eq!(taken, *count, "{name}: {family} {key}");
    }
    for family in ["110", "210"] {
        let known = accepted
            .iter()
            .filter(|((of, _), count)| *of == family && **count > 0);
        assert_eq!(desk.accounts(family), known.count(), "{name}: {family}");
    }
}

/// Family and key of the account of a record, as the bureau knows it.
fn account(line: &Value) -> (&'static str, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    if line["record"] == "110" {
        let base = &line["data"]["BsSgmt"];
        let parts = ["Name", "IDType", "IDNum", "InfSurcCode"].map(|tag| text(&base[tag]));
        return ("110", parts.join("|"));
    }
    ("210", text(&line["data"]["AcctBsSgmt"]["AcctCode"]))
}

/// The ledger names the last accepted record of each account, and nothing of it
/// is under way but what waits.
async fn ledger_agrees(name: &str, site: &Site, rows: &[Row]) {
    type Ledger = (
        i64,
        String,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<i64>,
    );
    let sql = "SELECT id, state, accepted_submission, accepted_seq, pending_submission, \
               pending_seq FROM accounts";
    let accounts: Vec<Ledger> = site.read().await.all(sql, args![]).await.unwrap();
    for (id, state, submission, seq, pending_submission, pending_seq) in accounts {
        let name = format!("{name}: account {id}");
        let of = || {
            rows.iter()
                .filter(move |(.., account)| *account == Some(id))
        };
        let accepted = of().filter(|(_, _, state, ..)| state == "accepted");
        let last = accepted
            .map(|(submission, seq, ..)| (*submission, *seq))
            .max();
        assert_eq!(submission.zip(seq), last, "{name}");
        assert_eq!(state == "new", last.is_none(), "{name}: {state}");
        let waits = |state: &str| matches!(state, "held" | "rejected");
        let waiting = of().find(|(_, _, state, ..)| waits(state));
        let waiting = waiting.map(|(submission, seq, ..)| (*submission, *seq));
        assert_eq!(pending_submission.zip(pending_seq), waiting, "{name}");
    }
}
