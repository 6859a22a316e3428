//! The log as a running gateway uses it: signs, delivers, proves.
//!
//! # Promise
//!
//! Only a committed head is signed, and only after the last signed one was
//! found in the same tree. [`Log::open`] does not return while a sink outside
//! is ahead of the database or disagrees with it.
//!
//! # Failure
//!
//! A sink that fails is reported and tried again with the next checkpoint; it
//! does not stop the log.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::appender;
use super::checkpoint::Checkpoint;
use super::error::AuditError;
use super::hex::Hex;
use super::key::LogKey;
use super::note::Note;
use super::reader::{Reader, StoredEntry};
use super::sink::{Sink, check_sinks};
use crate::args;
use crate::platform::db::{Db, DbError, Urgency};
use crate::platform::fault;

/// How often waiting entries get their index on PostgreSQL.
const SEQUENCE_EVERY: Duration = Duration::from_millis(50);

/// A log that may sign.
pub struct Log {
    db: Db,
    key: LogKey,
    sinks: Vec<Arc<dyn Sink>>,
    epoch: i64,
    /// One checkpoint at a time, so that sinks never go back.
    signing: Mutex<()>,
}

/// Where an entry stands in the log: the answer to a receipt.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
pub struct Proven {
    /// The entry's id.
    pub entry: String,
    /// Its RFC 6962 leaf hash, hexadecimal.
    pub leaf: String,
    /// Its index in the log.
    pub index: u64,
    /// The RFC 6962 audit path from leaf to root, hexadecimal.
    pub proof: Vec<String>,
    /// The signed checkpoint that the path leads to.
    pub checkpoint: String,
}

impl Log {
    /// Takes over a log, if its key, its database and its sinks agree.
    ///
    /// # Errors
    ///
    /// [`AuditError::Key`], [`AuditError::Ahead`], [`AuditError::Rewritten`], or
    /// that a sink or the database cannot be read. The gateway must not start.
    pub async fn open(db: Db, key: LogKey, sinks: Vec<Arc<dyn Sink>>) -> Result<Self, AuditError> {
        let vkey = key.verifier().to_string();
        let known = Reader::new(&db).head().await?.vkey;
        if known.as_ref().is_some_and(|known| *known != vkey) {
            return Err(AuditError::Key);
        }
        check_sinks(&db, key.verifier(), &sinks).await?;
        let epoch = appender::take_lease(&db).await?;
        if known.is_none() {
            db.write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    tx.execute("UPDATE audit_head SET vkey = $1 WHERE id = 1", args![vkey])
                        .await
                })
            })
            .await?;
        }
        Ok(Self {
            db,
            key,
            sinks,
            epoch,
            signing: Mutex::new(()),
        })
    }

    /// Reads the log.
    #[must_use]
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(&self.db)
    }

    /// The public key, in the note format.
    #[must_use]
    pub fn vkey(&self) -> String {
        self.key.verifier().to_string()
    }

    /// Signs the committed head, or finds that it is signed already.
    ///
    /// # Errors
    ///
    /// [`AuditError::Rewritten`] when the last checkpoint is not in this tree;
    /// [`AuditError::LeaseLost`]; those of the database.
    pub async fn sign(&self) -> Result<(Checkpoint, Note), AuditError> {
        let _alone = self.signing.lock().await;
        self.sign_alone().await
    }

    /// Signs the committed head and delivers the checkpoint to every sink.
    ///
    /// # Errors
    ///
    /// Those of [`Log::sign`]; [`AuditError::Sink`] for the first sink that
    /// failed, after all others were served.
    pub async fn publish(&self) -> Result<Checkpoint, AuditError> {
        let _alone = self.signing.lock().await;
        let (checkpoint, note) = self.sign_alone().await?;
        let mut failure = None;
        for sink in &self.sinks {
            if let Err(source) = sink.deliver(checkpoint.size, &note).await {
                let sink = sink.name().to_owned();
                failure.get_or_insert(AuditError::Sink {
                    sink,
                    source: Box::new(source),
                });
            }
        }
        fault::point("log.delivered");
        failure.map_or(Ok(checkpoint), Err)
    }

    /// Gives waiting entries their index and publishes a checkpoint at every
    /// `interval` in which the log grew, until `shutdown`; then once more.
    pub async fn run(&self, interval: Duration, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut sequence = tokio::time::interval(SEQUENCE_EVERY);
        sequence.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut publish = tokio::time::interval(interval);
        publish.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut published = None;
        loop {
            let (publish_now, last) = tokio::select! {
                () = &mut shutdown => (true, true),
                _ = publish.tick() => (true, false),
                _ = sequence.tick() => (false, false),
            };
            if let Err(error) = appender::sequence(&self.db, self.epoch).await {
                tracing::error!(%error, "entries wait for their place in the audit log");
            }
            if publish_now {
                published = self.publish_after(published).await;
            }
            if last {
                return;
            }
        }
    }

    /// Where the entry of a receipt stands, with its proof; `None` when there
    /// is no such entry.
    ///
    /// # Errors
    ///
    /// Those of [`Log::sign`].
    pub async fn receipt(&self, id: &str) -> Result<Option<Proven>, AuditError> {
        let Some(entry) = self.reader().entry(id).await? else {
            return Ok(None);
        };
        let last = self.reader().last_checkpoint().await?;
        let covered = |size: u64| entry.index.is_some_and(|index| index < size);
        let (checkpoint, note) = match last {
            Some((checkpoint, note)) if covered(checkpoint.size) => (checkpoint, note),
            _ => self.sign().await?,
        };
        let entry = match entry.index {
            Some(_) => Some(entry),
            None => self.reader().entry(id).await?,
        };
        let Some(StoredEntry {
            index: Some(index),
            leaf,
            ..
        }) = entry
        else {
            return Err(AuditError::Damaged("entries"));
        };
        let proof = self.reader().inclusion(index, checkpoint.size).await?;
        Ok(Some(Proven {
            entry: id.to_owned(),
            leaf: Hex(&leaf).to_string(),
            index,
            proof: proof.iter().map(|hash| Hex(hash).to_string()).collect(),
            checkpoint: note.to_string(),
        }))
    }

    async fn sign_alone(&self) -> Result<(Checkpoint, Note), AuditError> {
        appender::sequence(&self.db, self.epoch).await?;
        let head = self.reader().head().await?;
        if let Some((last, note)) = self.reader().last_checkpoint().await? {
            let same_tree =
                last.size <= head.size && self.reader().root_at(last.size).await? == last.root;
            if !same_tree {
                let place = "this database".to_owned();
                return Err(AuditError::Rewritten {
                    place,
                    size: last.size,
                });
            }
            if last.size == head.size {
                return Ok((last, note));
            }
        }
        if self.reader().root_at(head.size).await? != head.root {
            return Err(AuditError::Damaged("head"));
        }
        let note = Checkpoint::sign(&self.key, head.size, &head.root)?;
        let (size, text) = (head.size as i64, note.to_string());
        self.db
            .write(Urgency::Urgent, move |tx| {
                Box::pin(async move {
                    let sql = "INSERT INTO audit_checkpoints (size, note) VALUES ($1, $2)";
                    tx.execute(sql, args![size, text]).await?;
                    Ok::<_, DbError>(())
                })
            })
            .await?;
        fault::point("log.signed");
        Ok((Checkpoint::unverified(&note)?, note))
    }

    /// Publishes unless every sink already has the size `published`.
    async fn publish_after(&self, published: Option<u64>) -> Option<u64> {
        match self.reader().head().await {
            Ok(head) if published == Some(head.size) => return published,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "the audit log cannot be read");
                return published;
            }
        }
        match self.publish().await {
            Ok(checkpoint) => Some(checkpoint.size),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "no checkpoint was published");
                published
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::appender::Appender;
    use crate::audit::hex::hash_from_hex;
    use crate::audit::key::VerifierKey;
    use crate::audit::merkle::Hash;
    use crate::audit::proof::{verify_consistency, verify_inclusion};
    use crate::audit::sink::FolderSink;
    use crate::audit::testing::{append_many, key};
    use crate::testing::databases;

    fn hashes(texts: &[String]) -> Vec<Hash> {
        texts
            .iter()
            .map(|text| hash_from_hex(text).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_receipt_leads_to_a_proof_that_the_key_alone_verifies() {
        for test in databases(Arc::new(Appender)).await {
            let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
            let vkey: VerifierKey = log.vkey().parse().unwrap();
            let receipts = append_many(&test.db, 300).await;
            let mut before: Option<Checkpoint> = None;
            for receipt in [&receipts[0], &receipts[299]] {
                let proven = log.receipt(&receipt.entry).await.unwrap().unwrap();
                let note: Note = proven.checkpoint.parse().unwrap();
                let checkpoint = Checkpoint::open(&note, &vkey).unwrap();
                let leaf = hash_from_hex(&receipt.leaf).unwrap();
                let (proof, size) = (hashes(&proven.proof), checkpoint.size);
                let verdict = verify_inclusion(&leaf, proven.index, size, &proof, &checkpoint.root);
                assert_eq!(verdict, Ok(()), "{}", test.name);
                append_many(&test.db, 50).await;
                let (later, _) = log.sign().await.unwrap();
                let proof = log.reader().consistency(size, later.size).await.unwrap();
                let (old, new) = (&checkpoint.root, &later.root);
                assert_eq!(
                    verify_consistency(size, old, later.size, new, &proof),
                    Ok(())
                );
                before = Some(checkpoint);
            }
            assert_eq!(
                before.map(|checkpoint| checkpoint.size),
                Some(350),
                "the newest is used"
            );
            assert_eq!(log.receipt("no-such-entry").await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn a_database_older_than_its_sink_or_different_does_not_open() {
        for test in databases(Arc::new(Appender)).await {
            let folder = tempfile::tempdir().unwrap();
            let sink: Arc<dyn Sink> = Arc::new(FolderSink::new(folder.path()));
            let sinks = || vec![Arc::clone(&sink)];
            let log = Log::open(test.db.clone(), key(1), sinks()).await.unwrap();
            append_many(&test.db, 5).await;
            log.publish().await.unwrap();
            append_many(&test.db, 5).await;
            assert_eq!(log.publish().await.unwrap().size, 10);
            assert!(Log::open(test.db.clone(), key(1), sinks()).await.is_ok());
            let other = Log::open(test.db.clone(), key(2), sinks()).await;
            assert!(matches!(other.err(), Some(AuditError::Key)));

            // An old `checkpoint` put back does not hide the larger one.
            let old = std::fs::read(folder.path().join("checkpoints/5")).unwrap();
            std::fs::write(folder.path().join("checkpoint"), old).unwrap();

            for (count, name) in [(3, "an older copy"), (12, "another history")] {
                for copy in databases(Arc::new(Appender)).await {
                    append_many(&copy.db, count).await;
                    let epoch = appender::take_lease(&copy.db).await.unwrap();
                    appender::sequence(&copy.db, epoch).await.unwrap();
                    let error = Log::open(copy.db.clone(), key(1), sinks()).await.err();
                    let expected = match &error {
                        Some(AuditError::Ahead {
                            theirs: 10,
                            ours: 3,
                            ..
                        }) => count == 3,
                        Some(AuditError::Rewritten { size: 10, .. }) => count == 12,
                        _ => false,
                    };
                    assert!(expected, "{name} on {}: {error:?}", copy.name);
                }
            }
        }
    }

    #[tokio::test]
    async fn a_head_that_does_not_fit_its_tree_is_not_signed() {
        for test in databases(Arc::new(Appender)).await {
            let log = Log::open(test.db.clone(), key(1), vec![]).await.unwrap();
            append_many(&test.db, 5).await;
            let (checkpoint, _) = log.sign().await.unwrap();
            assert_eq!(log.sign().await.unwrap().0, checkpoint, "signed once");
            append_many(&test.db, 1).await;
            appender::sequence(&test.db, log.epoch).await.unwrap();
            let change = |sql: &'static str| {
                test.db.write(Urgency::Urgent, move |tx| {
                    Box::pin(async move { tx.execute(sql, args![]).await })
                })
            };
            change("UPDATE audit_head SET root = REPLACE(root, SUBSTR(root, 1, 1), 'x')")
                .await
                .unwrap();
            assert!(
                matches!(log.sign().await, Err(AuditError::Damaged("head"))),
                "{}",
                test.name
            );
        }
    }

    #[tokio::test]
    async fn a_log_that_runs_publishes_until_it_is_told_to_stop() {
        for test in databases(Arc::new(Appender)).await {
            let folder = tempfile::tempdir().unwrap();
            let sink: Arc<dyn Sink> = Arc::new(FolderSink::new(folder.path()));
            let log = Log::open(test.db.clone(), key(1), vec![Arc::clone(&sink)])
                .await
                .unwrap();
            append_many(&test.db, 7).await;
            log.run(Duration::from_secs(3600), async {}).await;
            let note = sink.latest().await.unwrap().unwrap();
            let last = Checkpoint::open(&note, key(1).verifier()).unwrap();
            assert_eq!(
                last.size, 7,
                "{}: the last entries are published at the end",
                test.name
            );
        }
    }
}
