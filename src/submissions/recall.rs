//! What the bureau last accepted of accounts, for the events that go on from it.

use std::collections::HashMap;

use schemas::record::Record;

use super::{
    Submissions, SubmitError, candidate::Candidate, lines, service::Inner, store::records,
    write::blocking,
};

impl Submissions {
    /// Gives candidates of events the state of their accounts: the records that were
    /// accepted, folded. Of what was imported into the ledger, only the state in few words
    /// is known, and nothing here.
    pub(super) async fn recall(&self, candidates: &mut [Candidate]) -> Result<(), SubmitError> {
        let mut wanted: Vec<i64> = candidates
            .iter()
            .filter(|it| it.reported.is_some())
            .filter_map(|it| it.account.as_ref())
            .filter(|account| account.standing.is_accepted())
            .map(|account| account.id)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut states = HashMap::new();
        for id in wanted {
            if let Some(state) = self.state_of(id).await? {
                states.insert(id, state);
            }
        }
        let edition = Inner::edition(self.today())?;
        for candidate in candidates.iter_mut().filter(|it| it.reported.is_some()) {
            let id = candidate.account.as_ref().map(|account| account.id);
            let state = id.and_then(|id| states.get(&id)).cloned();
            let family = edition.role(&candidate.record).map(|role| role.family());
            let plan = family.and_then(|family| edition.plan(family));
            candidate.state = plan.map(|plan| &**plan).zip(state);
        }
        Ok(())
    }

    /// The records that were accepted of an account, folded in their order.
    async fn state_of(&self, account: i64) -> Result<Option<Record>, SubmitError> {
        let rows = records::accepted(self.db(), account).await?;
        let vault = &self.0.parts.vault;
        let keys = vault
            .keys_of(rows.iter().filter_map(|row| row.subject.as_ref()))
            .await?;
        let (house, edition) = (vault.house_keys(), Inner::edition(self.today())?);
        blocking(move || {
            let mut state: Option<Record> = None;
            for row in &rows {
                let text = lines::open(row, &house, &keys)?;
                let (record, plan, _) = lines::record(row, edition, &text)?;
                match edition.fold(state.as_ref(), plan, &record) {
                    Ok(next) => state = next,
                    // What it changes was accepted before this gateway knew the account.
                    Err(_) => return Ok(None),
                }
            }
            Ok(state)
        })
        .await
    }
}
