//! What goes on by itself: one step after another, from the last durable one.

use std::time::Duration;

use tokio::sync::watch;

use super::{
    FileState, Submissions, SubmitError,
    deliver::Patience,
    entries,
    feedback::{AGAIN, RESENT},
    store::{
        files::{self, FileRow},
        records,
    },
};
use crate::{
    operators::{Caller, Role},
    platform::{clock::micros, db::Urgency, fault::Commit},
};

/// How often it is looked for something to do.
const PACE: Duration = Duration::from_secs(2);

/// Held records are looked at again after so many turns even if nobody said that
/// something happened: what they wait for may have come another way.
const LOOK_AGAIN: u32 = 15;

/// What a person decides about a file that stopped or was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Give the name up: its records go into another file.
    GiveUp,
    /// Look at the feedback again.
    LookAgain,
    /// Deliver the same bytes again, and look at what the bureau answers now.
    Resend,
}

impl Submissions {
    /// Looks at what an earlier start left. Every state is one that goes on from
    /// where it is: a file that is being sent is delivered again, the same bytes.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn recover(&self) -> Result<(), SubmitError> {
        for state in [
            FileState::Reserved,
            FileState::Written,
            FileState::Sending,
            FileState::Stopped,
        ] {
            let files = files::in_state(self.db(), state).await?;
            if !files.is_empty() {
                tracing::info!(
                    state = state.name(),
                    files = files.len(),
                    "files of an earlier start"
                );
            }
        }
        self.forget_spools().await?;
        self.stir();
        Ok(())
    }

    /// Goes on with everything once: feedback, held records, files, deliveries.
    ///
    /// # Errors
    ///
    /// The first; what was done before it stays.
    pub async fn sweep(&self) -> Result<(), SubmitError> {
        self.sweep_with(&mut Patience::new()).await
    }

    async fn sweep_with(&self, patience: &mut Patience) -> Result<(), SubmitError> {
        let _turn = self.0.turn.lock().await;
        if self.0.is_closing() {
            return Ok(());
        }
        self.go_on_with_feedback().await?;
        for no in files::giving_up(self.db()).await? {
            self.unfile(no).await?;
        }
        // What one step cannot do must not keep the others from going on.
        let feedback = self.collect_feedback().await;
        let released = self.release().await;
        let written = self.write_files().await;
        let delivered = self.deliver_files(patience).await;
        feedback.and(released).and(written).and(delivered)
    }

    /// Sweeps until `stop` becomes true.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut patience = Patience::new();
        let mut turn = 0_u32;
        loop {
            turn = turn.wrapping_add(1);
            if turn.is_multiple_of(LOOK_AGAIN) {
                self.stir();
            }
            if let Err(error) = self.sweep_with(&mut patience).await {
                tracing::error!(error = %error, "submissions cannot go on");
            }
            tokio::select! {
                () = tokio::time::sleep(PACE) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Does what a person decides about a file that stopped or was refused.
    ///
    /// # Errors
    ///
    /// See [`SubmitError`].
    pub async fn decide(
        &self,
        caller: &Caller,
        file: &str,
        decision: Decision,
    ) -> Result<(), SubmitError> {
        caller.require_any(&[Role::Compliance, Role::Submitter])?;
        let _turn = self.0.turn.lock().await;
        let before = self.file(&caller.institution, file).await?;
        let before = before.ok_or(SubmitError::NotFound)?;
        let at = self.0.parts.clock.now();
        let state = before.state();
        if (decision, state) == (Decision::LookAgain, FileState::Arrived) {
            // The bureau may have repeated a feedback that disagreed.
            return self.look_again(caller, before).await;
        }
        let to = match (decision, state) {
            // Where it lies for the bureau, its acknowledgment may be lost.
            (Decision::Resend, FileState::Stopped | FileState::Delivered) => FileState::Sending,
            (Decision::LookAgain, FileState::Stopped) => FileState::Arrived,
            (Decision::GiveUp, FileState::Stopped | FileState::Refused) => FileState::Refused,
            _ => return Err(SubmitError::WrongFileState(state)),
        };
        let mut after = before.clone();
        to.name().clone_into(&mut after.state);
        match to {
            FileState::Refused => after.answered_at = after.answered_at.or(Some(micros(at))),
            _ => after.cause = None,
        }
        let no = before.no;
        if decision == Decision::GiveUp {
            // In one transaction with it: what is cut then goes on by itself.
            return self.give_up(caller, before, after).await;
        }
        // Before it goes on: where this is the last durable step, nothing is looked
        // at while it stands stopped. What the bureau answers to a second delivery
        // has the name of the first answer.
        let outcome = match decision {
            Decision::Resend => RESENT,
            _ => AGAIN,
        };
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move { files::look_again(tx, no, outcome).await })
        });
        write.await.map_err(SubmitError::Db)?;
        let draft = entries::of_file(&after, Some(&caller.actor), at);
        self.change_file(before, after, draft).await?;
        Ok(())
    }

    /// Gives a name up, and says in the same transaction that its records are on
    /// their way out: what is cut then goes on by itself.
    async fn give_up(
        &self,
        caller: &Caller,
        before: FileRow,
        mut after: FileRow,
    ) -> Result<(), SubmitError> {
        let at = self.0.parts.clock.now();
        let draft = entries::of_file(&after, Some(&caller.actor), at);
        let (entry, receipt) = entries::finish(draft)?;
        after.receipt = receipt;
        let (no, from, to) = (before.no, before.state(), after.state());
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                files::change(tx, &before, &after).await?;
                files::give_up(tx, no, true).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(())
            })
        });
        write.await?;
        from.passes(to, Commit::After);
        self.unfile(no).await
    }

    /// The records of a file whose name was given up may go into another.
    async fn unfile(&self, no: i64) -> Result<(), SubmitError> {
        while !self.0.is_closing() {
            let write = self.db().write(Urgency::Bulk, move |tx| {
                Box::pin(async move {
                    let gone = records::unfile(tx, no, 250).await?;
                    if gone == 0 {
                        files::give_up(tx, no, false).await?;
                    }
                    Ok(gone)
                })
            });
            if write.await.map_err(SubmitError::Db)? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Lets feedback be fetched again that was looked at before.
    async fn look_again(&self, caller: &Caller, file: FileRow) -> Result<(), SubmitError> {
        let at = self.0.parts.clock.now();
        let draft = entries::about_file(entries::FEEDBACK, &file, at)
            .actor(&caller.actor)
            .code("outcome", "again");
        let (entry, _) = entries::finish(draft)?;
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                files::look_again(tx, file.no, AGAIN).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(())
            })
        });
        write.await
    }
}
