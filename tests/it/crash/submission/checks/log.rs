//! What the log says of submissions and files.

use creditgate::{
    args,
    platform::db::Db,
    submissions::FileState::{self, Reserved},
};
use serde_json::Value;

use super::Listed;

/// Records in a chunk.
const CHUNK: usize = 250;

/// Every file came along the edges to where it stands, with an entry for each
/// state; every submission began once, was taken in without a gap, and ended once.
pub(super) async fn explains(name: &str, db: &Db, listed: &Listed) {
    for file in &listed.files {
        let name = format!("{name}: {file:?}");
        let mut at = None;
        let mut attempts = 0;
        for body in entries(
            db,
            "SELECT body FROM audit_entries WHERE about = $1 ORDER BY idx",
            &file.id,
        )
        .await
        {
            let kind = body["kind"].as_str().unwrap();
            let state = kind.strip_prefix("file.").and_then(FileState::named);
            // Others tell of feedback, and of answers.
            let Some(next) = state else { continue };
            match at {
                None => assert_eq!(next, Reserved, "{name}"),
                Some(at) => assert!(at == next || may(at, next), "{name}: {at:?} to {next:?}"),
            }
            attempts = number(&body, "attempts");
            at = Some(next);
        }
        assert_eq!(at, Some(file.state), "{name}");
        assert_eq!(attempts, file.attempts, "{name}");
    }
    for told in &listed.submissions {
        let id = &told.handed.id;
        let sql = "SELECT body FROM audit_entries WHERE about = $1 ORDER BY idx";
        let of = entries(db, sql, id).await;
        let kinds: Vec<_> = of.iter().filter_map(|body| body["kind"].as_str()).collect();
        let count = |kind| kinds.iter().filter(|it| **it == kind).count();
        assert_eq!(kinds.first(), Some(&"submission.receiving"), "{name}");
        let ends = (count("submission.receiving"), count("submission.taken"));
        assert_eq!(ends, (1, 1), "{name}: {kinds:?}");
        let sql = "SELECT body FROM audit_entries WHERE about LIKE $1 ORDER BY idx";
        let chunks = entries(db, sql, &format!("%.{id}")).await;
        let firsts: Vec<i64> = chunks.iter().map(|body| number(body, "first")).collect();
        let all = (1..=told.records.len() as i64).step_by(CHUNK);
        assert_eq!(firsts, all.collect::<Vec<_>>(), "{name}");
    }
}

/// By a machine or by a person.
fn may(at: FileState, next: FileState) -> bool {
    at.may_become(next)
}

async fn entries(db: &Db, sql: &'static str, about: &str) -> Vec<Value> {
    let rows: Vec<(Vec<u8>,)> = db.all(sql, args![about]).await.unwrap();
    let read = |(body,): &(Vec<u8>,)| serde_json::from_slice(body).unwrap();
    rows.iter().map(read).collect()
}

/// A number in an entry, wherever it stands.
fn number(body: &Value, name: &str) -> i64 {
    let found = match body {
        Value::Object(members) => members.get(name).and_then(Value::as_i64).or_else(|| {
            members
                .values()
                .find_map(|inner| inner.get(name).and_then(Value::as_i64))
        }),
        _ => None,
    };
    found.unwrap_or_else(|| panic!("no {name} in {body}"))
}
