//! What goes on by itself: one step after another, from the last durable one.

use std::time::Duration;

use tokio::sync::watch;

use super::{
    FileState, Submissions, SubmitError,
    deliver::Patience,
    entries,
    store::{files, records},
};
use crate::{
    operators::{Caller, Role},
    platform::{clock::micros, db::Urgency},
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
    /// Deliver the same bytes again.
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
        self.collect_feedback().await?;
        self.release().await?;
        self.write_files().await?;
        self.deliver_files(patience).await
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
        let to = match (decision, state) {
            (Decision::Resend, FileState::Stopped) => FileState::Sending,
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
        let draft = entries::of_file(&after, Some(&caller.actor), at);
        let after = self.change_file(before, after, draft).await?;
        match decision {
            Decision::GiveUp => loop {
                let no = after.no;
                let write = self.db().write(Urgency::Bulk, move |tx| {
                    Box::pin(async move { records::unfile(tx, no, 250).await })
                });
                if write.await.map_err(SubmitError::Db)? == 0 {
                    break;
                }
            },
            Decision::LookAgain => {
                let write = self.db().write(Urgency::Bulk, move |tx| {
                    Box::pin(async move { files::look_again(tx, after.no).await })
                });
                write.await.map_err(SubmitError::Db)?;
            }
            Decision::Resend => {}
        }
        Ok(())
    }
}
