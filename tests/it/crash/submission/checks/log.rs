//! What the log says of submissions and files.

use creditgate::{
    args,
    platform::db::Db,
    submissions::FileState::{self, Answered, Reserved},
};
use serde_json::Value;

use super::{Listed, Told};
use crate::crash::submission::stage::File;

/// Records in a chunk.
const CHUNK: usize = 250;

/// Every file and every submission is told of from beginning to end.
pub(super) async fn explains(name: &str, db: &Db, listed: &Listed) {
    for file in &listed.files {
        let entries = about(db, &file.id).await;
        tells_of_a_file(&format!("{name}: {file:?}"), file, &entries);
    }
    for told in &listed.submissions {
        tells_of_a_submission(name, db, told).await;
    }
}

/// It came along the edges to where it stands, with an entry for each state.
fn tells_of_a_file(name: &str, file: &File, entries: &[Value]) {
    let (mut at, mut attempts, mut outcome) = (None, 0, None);
    for body in entries {
        let data = &body["data"];
        let kind = body["kind"].as_str().unwrap();
        if kind == "file.feedback" {
            outcome = data["outcome"].as_str();
        }
        let state = kind.strip_prefix("file.").and_then(FileState::named);
        // Others tell of feedback, and of answers.
        let Some(next) = state else { continue };
        match at {
            None => assert_eq!(next, Reserved, "{name}"),
            Some(at) => assert!(
                at == next || FileState::may_become(at, next),
                "{name}: {at:?} to {next:?}"
            ),
        }
        attempts = data["attempts"].as_i64().unwrap();
        at = Some(next);
    }
    assert_eq!(at, Some(file.state), "{name}");
    assert_eq!(attempts, file.attempts, "{name}");
    if file.state == Answered {
        assert_eq!(outcome, Some("taken"), "{name}");
    }
}

/// It began once, was taken in without a gap, and ended once.
async fn tells_of_a_submission(name: &str, db: &Db, told: &Told) {
    let id = &told.handed.id;
    let entries = about(db, id).await;
    let kinds = entries.iter().filter_map(|body| body["kind"].as_str());
    let kinds: Vec<_> = kinds.collect();
    let count = |kind| kinds.iter().filter(|it| **it == kind).count();
    assert_eq!(kinds.first(), Some(&"submission.receiving"), "{name}");
    let ends = (count("submission.receiving"), count("submission.taken"));
    assert_eq!(ends, (1, 1), "{name}: {kinds:?}");
    let mut read = 0;
    for first in (1..=told.records.len()).step_by(CHUNK) {
        let chunks = about(db, &format!("{first}.{id}")).await;
        assert_eq!(chunks.len(), 1, "{name}: {chunks:?}");
        read += 1;
    }
    let sql = "SELECT COUNT(*) FROM audit_entries WHERE about LIKE $1";
    let all: Option<(i64,)> = db.first(sql, args![format!("%.{id}")]).await.unwrap();
    assert_eq!(all, Some((read,)), "{name}");
}

/// The entries about something, in their order.
async fn about(db: &Db, what: &str) -> Vec<Value> {
    let sql = "SELECT body FROM audit_entries WHERE about = $1 ORDER BY idx";
    let rows: Vec<(Vec<u8>,)> = db.all(sql, args![what]).await.unwrap();
    let read = |(body,): &(Vec<u8>,)| serde_json::from_slice(body).unwrap();
    rows.iter().map(read).collect()
}
