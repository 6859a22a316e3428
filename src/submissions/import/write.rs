//! Records that the bureau accepted, into the ledger: a chunk is a transaction.

use std::collections::HashMap;

use schemas::role::Does;

use super::super::{
    RecordState, SubmitError, entries,
    lines::{self, Keys},
    store::{
        accounts::{self, Moved, Renamed, Sought},
        files, imports, names,
        records::{self, NewRow},
        submissions::{self, Submission},
    },
    take::{account_text, digests},
    write::blocking,
};
use super::{
    Importer,
    begin::ASSUMED,
    row::Row,
    source::{Source, What},
};
use crate::{
    ledger::{
        Account, RecordRef, Standing, Told,
        index::{AccountName, code_place, take_many},
    },
    platform::{
        clock::micros,
        db::Urgency,
        fault,
        identity::Identity,
        ids::{BureauId, InstitutionId, SubjectId},
        vault::{Blind, SubjectKeys},
    },
};

/// What a chunk will be.
struct Chunk {
    rows: Vec<NewRow>,
    /// Records and their lines.
    places: Vec<(i64, i64)>,
    /// In the order of the records: a name is given up before another takes it.
    moved: Vec<Moved>,
}

/// A chunk that was taken in.
pub(super) struct Written {
    pub(super) after: Submission,
    /// The places of records whose account could not get its new name.
    pub(super) name_taken: Vec<i64>,
}

impl Importer {
    /// Takes in a chunk, durably.
    pub(super) async fn write(
        &self,
        before: Submission,
        source: &Source,
        rows: Vec<Row>,
    ) -> Result<Written, SubmitError> {
        if rows.is_empty() {
            return Ok(Written {
                after: before,
                name_taken: Vec::new(),
            });
        }
        // Subjects and accounts may be there without their records, and then are
        // new to the bureau: the same call goes on.
        let ids = self.accounts(&rows).await?;
        fault::submission_point("submission.enrolled");
        let known = accounts::by_ids(&self.db, ids.iter().copied()).await?;
        let subjects = known
            .values()
            .filter_map(|account| account.subject.as_ref());
        let keys = self.vault.keys_of(subjects).await?;
        let blind = self.vault.blind().await?;
        let file = match &source.what {
            What::Earlier(_) => files::by_name(&self.db, &source.key).await?,
            What::Stock(_) => None,
        };
        let file = file.map(|file| file.no);
        let at = self.clock.now();
        let making = Making {
            submission: before.no,
            first: before.taken + 1,
            names: (self.institution.clone(), self.bureau.clone()),
            blind,
            keys,
            known,
        };
        let chunk = blocking(move || making.chunk(rows, &ids)).await?;
        let mut after = before.clone();
        after.taken += chunk.rows.len() as i64;
        let sealed = chunk.rows.iter().map(|row| row.sealed_sha256);
        let batch = entries::batch(before.no, before.taken + 1, sealed);
        let draft = entries::chunk(&before, before.taken + 1, &batch, at)
            .word("origin", source.kind())
            .flag(ASSUMED, source.is_assumed());
        let (entry, receipt) = entries::finish(draft)?;
        after.receipt = receipt;
        let write = self.db.write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                submissions::advance(tx, &before, &after).await?;
                records::insert(tx, before.no, &chunk.rows).await?;
                imports::place(tx, before.no, file, &chunk.places).await?;
                let mut name_taken = Vec::new();
                for moved in &chunk.moved {
                    if !accounts::stand(tx, moved, None, micros(at)).await? {
                        return Err(SubmitError::Busy);
                    }
                    if let Some(renamed) = &moved.renamed
                        && !names::rename(tx, moved.next.id, moved.record, renamed).await?
                    {
                        let seq = moved.record.seq;
                        let of = chunk.places.iter().find(|(it, _)| *it == seq);
                        name_taken.extend(of.map(|(_, place)| *place));
                    }
                }
                tx.append(entry.into());
                fault::submission_point("submission.chunk.before");
                Ok::<_, SubmitError>(Written { after, name_taken })
            })
        });
        let written = write.await?;
        fault::submission_point("submission.chunk.after");
        Ok(written)
    }

    /// Finds or makes subjects and accounts; the number of each record's.
    async fn accounts(&self, rows: &[Row]) -> Result<Vec<i64>, SubmitError> {
        let goods: Vec<_> = rows.iter().filter_map(|row| row.good.as_deref()).collect();
        let named: Vec<usize> = (0..goods.len())
            .filter(|n| goods[*n].identity.is_some())
            .collect();
        let identities: Vec<Identity> = named
            .iter()
            .filter_map(|n| goods[*n].identity.clone())
            .collect();
        let vault = self.vault.clone();
        let write = self.db.write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let enrolled = vault.enroll_many(tx, &identities).await?;
                // Who is known under another name was left out before.
                let enrolled: Result<Vec<SubjectId>, _> = enrolled.into_iter().collect();
                Ok::<_, SubmitError>(enrolled?)
            })
        });
        let subjects = write.await?;
        let keys = self.vault.keys_of(subjects.iter()).await?;
        let name = |n: &usize| AccountName {
            institution: self.institution.clone(),
            bureau: self.bureau.clone(),
            family: goods[*n].role.family().to_owned(),
            key: goods[*n].key.clone(),
        };
        let wanted: Vec<(AccountName, SubjectId)> =
            named.iter().map(name).zip(subjects.clone()).collect();
        let (vault, at) = (self.vault.clone(), micros(self.clock.now()));
        let write = self.db.write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let blind = vault.blind_held(tx).await?;
                let wanted: Vec<(&AccountName, &SubjectId)> = wanted
                    .iter()
                    .map(|(name, subject)| (name, subject))
                    .collect();
                take_many(tx, &blind, &wanted, &keys, at)
                    .await
                    .map_err(SubmitError::Vault)
            })
        });
        let mut ids = vec![0; goods.len()];
        for ((n, (id, owner)), subject) in named.iter().zip(write.await?).zip(&subjects) {
            if owner != *subject {
                return Err(lost("its account is another subject's"));
            }
            ids[*n] = id;
        }
        let blind = self.vault.blind().await?;
        let others: Vec<usize> = (0..goods.len()).filter(|n| ids[*n] == 0).collect();
        let sought: Vec<Sought> = others
            .iter()
            .map(|n| Sought {
                family: goods[*n].role.family().to_owned(),
                digests: digests(
                    &blind,
                    &self.institution,
                    &self.bureau,
                    goods[*n].role.family(),
                    &goods[*n].key,
                ),
            })
            .collect();
        let found = accounts::find(&self.db, &self.institution, &self.bureau, &sought).await?;
        // A name that a record of this chunk gives or gives up.
        let mut renamed: HashMap<(&str, &str), Option<i64>> = HashMap::new();
        for (n, account) in others.into_iter().zip(found) {
            let good = goods[n];
            let name = |key| (good.role.family(), key);
            let known = account.map(|found| found.account.id);
            let known = renamed.get(&name(&*good.key)).copied().unwrap_or(known);
            ids[n] = known.ok_or_else(|| lost("its account is gone"))?;
            if let Some(new_key) = &good.new_key {
                renamed.insert(name(&*good.key), None);
                renamed.insert(name(&**new_key), Some(ids[n]));
            }
        }
        Ok(ids)
    }
}

/// Makes a chunk of records, on a thread that may take its time.
struct Making {
    submission: i64,
    first: i64,
    names: (InstitutionId, BureauId),
    blind: Blind,
    keys: HashMap<SubjectId, SubjectKeys>,
    known: HashMap<i64, Account>,
}

impl Making {
    fn chunk(mut self, rows: Vec<Row>, ids: &[i64]) -> Result<Chunk, SubmitError> {
        let mut chunk = Chunk {
            rows: Vec::with_capacity(rows.len()),
            places: Vec::with_capacity(rows.len()),
            moved: Vec::new(),
        };
        let mut last: HashMap<i64, i64> = HashMap::new();
        for ((row, id), seq) in rows.into_iter().zip(ids).zip(self.first..) {
            let Some(good) = row.good else { continue };
            let account = self.known.remove(id);
            let mut account = account.ok_or_else(|| lost("its account is gone"))?;
            let own = account.subject.as_ref().and_then(|it| self.keys.get(it));
            let own = own.ok_or_else(|| lost("its subject was erased"))?;
            let (role, plan) = (good.role, good.plan);
            let known_type = account.account_type.as_deref();
            let told = Told::of(role, plan, &good.record, known_type)
                .showing(&plan.negative(&good.record));
            if !account.standing.is_accepted() && !matches!(told.does, Does::Normal | Does::Delete)
            {
                // What the bureau accepted of it before was not imported.
                account.standing = Standing::Open;
            }
            let record = RecordRef {
                submission: self.submission,
                seq,
            };
            let next = account.after(&told, record);
            let renamed = match &good.new_key {
                Some(key) => self.renamed(role.family(), *id, key, own)?,
                None => None,
            };
            let name = format!("{}.{seq}", self.submission);
            let (sealed, sealed_sha256) = lines::seal(&Keys::Subject(own), &name, &good.line)?;
            chunk.places.push((seq, row.place));
            chunk.rows.push(NewRow {
                is_assumed: false,
                is_reserved: false,
                reserves: None,
                accepted: None,
                seq,
                record: row.record,
                account: Some(*id),
                subject: account.subject.clone(),
                state: RecordState::Accepted,
                report_date: told.report_date.map(|day| day.to_string()),
                holds: None,
                needs: None,
                findings: None,
                sealed,
                sealed_sha256,
                corrects: None,
                dispute: good.dispute,
            });
            chunk.moved.push(Moved {
                next: next.clone(),
                record,
                renamed,
                notice: None,
            });
            last.insert(*id, seq);
            self.known.insert(*id, next);
        }
        let is_last = |it: &Moved| last.get(&it.next.id) == Some(&it.record.seq);
        (chunk.moved).retain(|it| it.renamed.is_some() || is_last(it));
        Ok(chunk)
    }

    /// What an account is found by from now on.
    fn renamed(
        &self,
        family: &str,
        id: i64,
        key: &str,
        own: &SubjectKeys,
    ) -> Result<Option<Renamed>, SubmitError> {
        let text = account_text(&self.names.0, &self.names.1, family, key);
        let Some((blind_key, digest)) = self.blind.newest(&text) else {
            return Ok(None);
        };
        Ok(Some(Renamed {
            blind_key,
            blind: digest,
            code: own.seal(&code_place(&id.to_string()), key.as_bytes())?,
        }))
    }
}

/// Something that was there a moment ago.
fn lost(why: &str) -> SubmitError {
    SubmitError::Damaged {
        what: "a record",
        row: "an import".to_owned(),
        why: why.to_owned(),
    }
}
