//! What people do with a submission. Everything may be done again after a crash;
//! once the process is dead, every act is nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use creditgate::{
    demo::{Client, Plan, Reply, loans::Loan},
    submissions::FileState,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::super::site::{PATIENCE, Server, Site, generous};

/// How often it is looked whether something came.
const PACE: Duration = Duration::from_millis(200);

/// A process that serves, and what was handed in to it.
pub(super) struct Stage<'s> {
    pub(super) site: &'s Site,
    /// What is tried, for whoever reads that it failed.
    pub(super) name: &'s str,
    submitter: Client,
    handed: Mutex<BTreeMap<String, Handed>>,
}

/// A submission that was acknowledged.
#[derive(Clone)]
pub(super) struct Handed {
    pub(super) id: String,
    pub(super) lines: Vec<Value>,
}

/// A file, as the list shows it.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) state: FileState,
    pub(super) records: i64,
    pub(super) accepted: Option<i64>,
    pub(super) rejected: Option<i64>,
    pub(super) attempts: i64,
    pub(super) cause: Option<String>,
    pub(super) sealed_sha256: Option<String>,
}

impl<'s> Stage<'s> {
    pub(super) fn new(name: &'s str, site: &'s Site, server: &Server) -> Self {
        Self {
            site,
            name,
            submitter: server.client(&site.staff.submitter.1),
            handed: Mutex::default(),
        }
    }

    /// What was handed in, by key.
    pub(super) fn handed(&self) -> BTreeMap<String, Handed> {
        let handed = self.handed.lock();
        handed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hands records in under a key; the same again after a cut.
    pub(super) async fn hand_in(&self, key: &str, lines: Vec<Value>) -> Option<String> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let reply = self.submitter.submit(text, key).await.ok()?;
        let name = self.name;
        assert_eq!(reply.status, 201, "{name}: {reply:?}");
        assert_eq!(reply.body["state"], "taken", "{name}: {reply:?}");
        assert_eq!(reply.body["taken"], lines.len(), "{name}: {reply:?}");
        let id = reply.body["id"].as_str().unwrap().to_owned();
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        let id_of = id.clone();
        handed.insert(key.to_owned(), Handed { id: id_of, lines });
        Some(id)
    }

    /// Reads a resource.
    pub(super) async fn get(&self, path: &str) -> Option<Value> {
        let Reply { status, body } = self.submitter.get(path).await.ok()?;
        assert_eq!(status, 200, "{}: {path}: {body}", self.name);
        Some(body)
    }

    /// All files, the oldest first.
    pub(super) async fn files(&self) -> Option<Vec<File>> {
        let mut page = self.get("/v1/files?limit=500").await?;
        let mut files: Vec<File> = serde_json::from_value(page["files"].take()).unwrap();
        files.reverse();
        Some(files)
    }

    /// Waits until the files are as they should be.
    pub(super) async fn until(&self, wanted: fn(&[File]) -> bool) -> Option<Vec<File>> {
        let begun = Instant::now();
        loop {
            let files = self.files().await?;
            if wanted(&files) {
                return Some(files);
            }
            assert!(begun.elapsed() < PATIENCE, "{}: {files:#?}", self.name);
            sleep(PACE).await;
        }
    }

    /// Waits until all that may go of a submission was answered, so many records
    /// wait, and no file is under way.
    pub(super) async fn settled(&self, id: &str, waiting: i64) -> Option<()> {
        let begun = Instant::now();
        loop {
            let shown = self.get(&format!("/v1/submissions/{id}")).await?;
            let under_way = count(&shown, "ready") + count(&shown, "filed");
            let files = self.files().await?;
            let over = |file: &File| matches!(file.state, FileState::Answered | FileState::Refused);
            if under_way == 0 && count(&shown, "held") == waiting && files.iter().all(over) {
                return Some(());
            }
            let name = self.name;
            assert!(begun.elapsed() < PATIENCE, "{name}: {shown:#}: {files:#?}");
            sleep(PACE).await;
        }
    }

    /// The first record of a submission in a state, if there is one.
    pub(super) async fn first(&self, id: &str, state: &str) -> Option<Option<u64>> {
        let path = format!("/v1/submissions/{id}/records?state={state}&limit=1");
        let page = self.get(&path).await?;
        Some(page["records"][0]["seq"].as_u64())
    }

    /// The states of the records of a submission, in their order.
    pub(super) async fn states(&self, id: &str) -> Option<Vec<String>> {
        let path = format!("/v1/submissions/{id}/records?limit=500");
        let page = self.get(&path).await?;
        let records = page["records"].as_array().into_iter().flatten();
        Some(
            records
                .filter_map(|it| Some(it["state"].as_str()?.to_owned()))
                .collect(),
        )
    }

    /// Records the notice that a record of an overdue loan waits for.
    pub(super) async fn notify(&self, loan: &Loan) -> Option<()> {
        let delivered = loan.month_end.first_of_month();
        let body = json!({
            "subject": {
                "kind": "person", "id_type": "10",
                "id_number": loan.borrower.0, "name": loan.borrower.1,
            },
            "account": {"bureau": "pboc", "record": "210", "key": [loan.code()]},
            "due_period": loan.month_end.strftime("%Y-%m").to_string(), "channel": "sms",
            "delivered_at": format!("{delivered}T09:30:00+08:00"),
            "proof": STANDARD.encode("synthetic delivery report"),
        });
        let reply = self.submitter.post("/v1/notices", &body).await.ok()?;
        assert!(reply.status.is_success(), "{}: {reply:?}", self.name);
        Some(())
    }

    /// Decides about a file.
    pub(super) async fn decide(&self, file: &File, decision: &str) -> Option<()> {
        let path = format!("/v1/files/{}/decide", file.id);
        let body = json!({ "decision": decision });
        let reply = self.submitter.post(&path, &body).await.ok()?;
        assert_eq!(
            reply.status, 204,
            "{}: {decision}, {file:?}: {reply:?}",
            self.name
        );
        Some(())
    }
}

/// A house whose files go by the bureau's own door.
pub(super) fn https() -> Plan {
    generous().edit(
        "{ kind = \"exchange\", out = \"exchange/out\", in = \"exchange/in\" }",
        "{ kind = \"https\", base_path = \"/creditreference\" }",
    )
}

/// How many records of a submission are in a state.
fn count(shown: &Value, state: &str) -> i64 {
    let counts = shown["records"].as_array().into_iter().flatten();
    let of = counts.filter(|it| it["state"] == state);
    of.filter_map(|it| it["count"].as_i64()).sum()
}
