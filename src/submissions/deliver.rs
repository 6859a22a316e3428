//! Delivery: the intent first, then the transport; again and again the same
//! bytes, until the bureau has them.

use std::collections::HashMap;

use contract::{Delivery, FileToSend};
use jiff::{SignedDuration, Timestamp};

use super::{
    FileState, Submissions, SubmitError, entries,
    store::files::{self, FileRow},
};
use crate::{
    bureaus::FileLine,
    platform::{clock::micros, fault},
};

/// The least and the most time between two deliveries of a file.
const AGAIN: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(5), SignedDuration::from_mins(15));

/// When to try files again, by their number. It lives in memory: after a start
/// each is tried at once.
pub(super) type Patience = HashMap<i64, Timestamp>;

impl Submissions {
    /// Delivers what is written, and again what may not have arrived; asks for
    /// what was put where the bureau takes it.
    pub(super) async fn deliver_files(&self, patience: &mut Patience) -> Result<(), SubmitError> {
        let mut failed = Ok(());
        for state in [FileState::Written, FileState::Sending] {
            for file in files::in_state(self.db(), state).await? {
                if self.0.is_closing() {
                    return failed;
                }
                let now = self.0.parts.clock.now();
                if patience.get(&file.no).is_some_and(|at| now < *at) {
                    continue;
                }
                let no = file.no;
                let attempts = file.attempts;
                // One that cannot be delivered must not keep the others waiting.
                let settled = match self.deliver(file).await {
                    Ok(settled) => settled,
                    Err(error) => {
                        failed = failed.and(Err(error));
                        false
                    }
                };
                if settled {
                    patience.remove(&no);
                } else {
                    let factor = 1_i32 << attempts.clamp(0, 10);
                    let wait = (AGAIN.0 * factor).min(AGAIN.1);
                    patience.insert(no, now.checked_add(wait).unwrap_or(Timestamp::MAX));
                }
            }
        }
        for file in files::in_state(self.db(), FileState::Delivered).await? {
            failed = failed.and(self.ask(file).await);
        }
        failed
    }

    /// Makes the intent durable and delivers; false where it must go again.
    async fn deliver(&self, file: FileRow) -> Result<bool, SubmitError> {
        let Some(line) = self.0.parts.lines.line(&file.bureau).cloned() else {
            return Ok(false);
        };
        let Some(way) = line.files() else {
            return Ok(false);
        };
        if !self.ensure_bytes(&file).await? {
            self.stop_file(file, "bytes_differ").await?;
            return Ok(true);
        }
        let at = self.0.parts.clock.now();
        let mut sending = file.clone();
        FileState::Sending.name().clone_into(&mut sending.state);
        sending.attempts += 1;
        sending.sent_at = sending.sent_at.or(Some(micros(at)));
        sending.cause = None;
        let draft = entries::of_file(&sending, None, at);
        let sending = self.change_file(file, sending, draft).await?;
        let delivery = way
            .deliver(&to_send(&sending), &self.sealed_path(&sending))
            .await;
        fault::submission_point("submission.carried");
        self.heard(sending, delivery).await
    }

    /// Asks whether a file that lies for the bureau has been taken.
    async fn ask(&self, file: FileRow) -> Result<(), SubmitError> {
        let Some(line) = self.0.parts.lines.line(&file.bureau).cloned() else {
            return Ok(());
        };
        let Some(way): Option<&FileLine> = line.files() else {
            return Ok(());
        };
        match way.arrived(&to_send(&file)).await {
            Ok(Some(delivery)) => {
                self.heard(file, delivery).await?;
            }
            Ok(None) => {}
            Err(failure) => {
                tracing::warn!(file.id = %file.id, cause = ?failure, "cannot ask for a file");
            }
        }
        Ok(())
    }

    /// Settles what became of a delivery; false where it must go again.
    async fn heard(&self, file: FileRow, delivery: Delivery) -> Result<bool, SubmitError> {
        let at = self.0.parts.clock.now();
        let mut after = file.clone();
        let to = match delivery {
            // What was delivered once cannot have been received before: another
            // file of this name is not ours.
            Delivery::AlreadyReceived
                if file.attempts == 1
                    && matches!(file.state(), FileState::Sending | FileState::Delivered) =>
            {
                after.cause = Some("name_used".to_owned());
                FileState::Stopped
            }
            Delivery::AlreadyReceived | Delivery::Arrived => {
                after.arrived_at = Some(micros(at));
                FileState::Arrived
            }
            Delivery::Placed if file.state() == FileState::Sending => FileState::Delivered,
            Delivery::Placed => return Ok(true),
            Delivery::Refused { code } => {
                after.answered_at = Some(micros(at));
                after.cause = Some(code);
                FileState::Refused
            }
            Delivery::NotSent { cause } | Delivery::Unknown { cause } => {
                tracing::warn!(
                    file.id = %file.id, cause, attempts = file.attempts,
                    "a file may not have arrived; it goes again"
                );
                return Ok(false);
            }
            _ => return Ok(false),
        };
        to.name().clone_into(&mut after.state);
        let draft = entries::of_file(&after, None, at);
        self.change_file(file, after, draft).await?;
        Ok(true)
    }

    /// Stops a file for a person.
    pub(super) async fn stop_file(
        &self,
        file: FileRow,
        cause: &str,
    ) -> Result<FileRow, SubmitError> {
        tracing::error!(file.id = %file.id, cause, "a file stopped; a person must look");
        let at = self.0.parts.clock.now();
        let mut after = file.clone();
        FileState::Stopped.name().clone_into(&mut after.state);
        after.cause = Some(cause.to_owned());
        let draft = entries::of_file(&after, None, at);
        self.change_file(file, after, draft).await
    }
}

fn to_send(file: &FileRow) -> FileToSend {
    FileToSend {
        name: file.name.clone(),
        size_bytes: file.sealed_bytes.unwrap_or_default() as u64,
        sha256: file
            .sealed_sha256
            .as_deref()
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or_default(),
    }
}
