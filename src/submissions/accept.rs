//! What acceptance makes of accounts.

use std::collections::HashMap;

use schemas::edition::Edition;

use super::{
    Submissions, SubmitError, entries,
    gate::{self, Bearing},
    lines,
    store::{
        accounts::{self, Moved, Renamed},
        files::FileRow,
        records::{self, Kept},
    },
    take::account_text,
    write::blocking,
};
use crate::{
    ledger::{Account, RecordRef, index::code_place},
    platform::{
        clock::{from_micros, micros},
        db::Urgency,
        fault,
        ids::SubjectId,
        vault::SubjectKeys,
    },
};

/// An accepted record, opened.
struct Opened {
    account: Account,
    bearing: Bearing,
    record: RecordRef,
    renamed: Option<Renamed>,
}

impl Submissions {
    /// Takes some lines of a file as accepted, and moves their accounts.
    pub(super) async fn accept(
        &self,
        file: &FileRow,
        rows: Vec<Kept>,
        edition: &'static Edition,
    ) -> Result<(), SubmitError> {
        let settled: Vec<(i64, i64)> = rows.iter().map(|row| (row.submission, row.seq)).collect();
        let opened = self.open_accepted(file, rows, edition).await?;
        let asked: Vec<gate::Asked<'_>> = opened
            .iter()
            .map(|it| gate::Asked {
                account: &it.account,
                bearing: &it.bearing,
            })
            .collect();
        // A notice serves that was delivered before the file was sent.
        let sent = from_micros(file.sent_at.unwrap_or(file.reserved_at));
        let judged = gate::judge(self, &file.institution, &file.bureau, &asked, sent).await?;
        drop(asked);
        let moved: Vec<Moved> = opened
            .into_iter()
            .zip(judged)
            .map(|(it, judged)| Moved {
                next: it.account.after(&it.bearing.told, it.record),
                record: it.record,
                renamed: it.renamed,
                notice: judged.notice,
            })
            .collect();
        let at = self.0.parts.clock.now();
        let draft = entries::about_file(entries::ANSWERS, file, at)
            .number("accepted", settled.len() as u64);
        let (entry, _) = entries::finish(draft)?;
        let write = self.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                records::accept(tx, &settled).await?;
                accounts::accept(tx, &moved, micros(at)).await?;
                tx.append(entry.into());
                fault::submission_point("submission.answers.before");
                Ok::<_, SubmitError>(())
            })
        });
        write.await?;
        fault::submission_point("submission.answers.after");
        Ok(())
    }

    async fn open_accepted(
        &self,
        file: &FileRow,
        rows: Vec<Kept>,
        edition: &'static Edition,
    ) -> Result<Vec<Opened>, SubmitError> {
        let vault = &self.0.parts.vault;
        let keys = vault
            .keys_of(rows.iter().filter_map(|row| row.subject.as_ref()))
            .await?;
        let known = accounts::by_ids(self.db(), rows.iter().filter_map(|row| row.account)).await?;
        let (house, blind) = (vault.house_keys(), vault.blind().await?);
        let (institution, bureau) = (file.institution.clone(), file.bureau.clone());
        blocking(move || {
            let mut opened = Vec::with_capacity(rows.len());
            for row in &rows {
                let Some(account) = row.account.and_then(|id| known.get(&id)) else {
                    continue;
                };
                let text = lines::open(row, &house, &keys)?;
                let (record, plan, role) = lines::record(row, edition, &text)?;
                let known_type = account.account_type.as_deref();
                let mark = row.dispute.clone();
                let bearing = Bearing::of(role, plan, &record, known_type, mark, None);
                let renamed = match (role.new_key(plan, &record), own(&keys, account)) {
                    (Some(key), Some(own)) => {
                        let text = account_text(&institution, &bureau, role.family(), &key);
                        let id = account.id.to_string();
                        match blind.newest(&text) {
                            Some((blind_key, digest)) => Some(Renamed {
                                blind_key,
                                blind: digest,
                                code: own.seal(&code_place(&id), key.as_bytes())?,
                            }),
                            None => None,
                        }
                    }
                    _ => None,
                };
                let (submission, seq) = (row.submission, row.seq);
                opened.push(Opened {
                    account: account.clone(),
                    bearing,
                    record: RecordRef { submission, seq },
                    renamed,
                });
            }
            Ok(opened)
        })
        .await
    }
}

fn own<'k>(
    keys: &'k HashMap<SubjectId, SubjectKeys>,
    account: &Account,
) -> Option<&'k SubjectKeys> {
    keys.get(account.subject.as_ref()?)
}
