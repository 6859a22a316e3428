//! The opening state (期初) of an institution that has reported before: its
//! earlier files with the bureau's feedback, and a stock (存量) of its accounts.
//!
//! # Promise
//!
//! Only what the bureau accepted enters the ledger, matched as feedback always
//! is: by line number and by bytes. Everything is looked at first; nothing is
//! written where anything is wrong, unless what is wrong may be left out. What
//! is written goes in short transactions, each with the entry that binds its
//! records; stopped anywhere, the same call goes on, and done again it changes
//! nothing. What the ledger has that is later is never overwritten.
//!
//! # What is not here
//!
//! Nothing is sent, and no record is judged again that the bureau has accepted.
//! Memory grows with the number of accounts, by some hundred bytes each.
//!
//! # Failure
//!
//! [`ImportFinding`] for what is wrong with the input; [`SubmitError`] for what
//! is wrong with the house.

mod begin;
mod findings;
mod judge;
mod packed;
mod prepare;
mod read;
mod row;
mod source;
#[cfg(test)]
mod tests;
mod write;

use std::path::PathBuf;

use serde::Serialize;

pub use findings::{CODES, ImportFinding};
pub use source::StockFiles;

use self::{findings::NAME_TAKEN, judge::Seen, read::Part, source::Source};
use super::{SubmissionState, SubmitError};
use crate::{
    bureaus::Seal,
    platform::{
        clock::{Clock, china_date},
        db::Db,
        ids::{BureauId, InstitutionId},
        vault::Vault,
    },
};

/// Under which client the submissions stand that an import makes; others are
/// named `operator/…` and `client/…`.
const CLIENT: &str = "import";

/// What an import needs.
pub struct Importer {
    /// The clock.
    pub clock: Clock,
    /// The database, which the caller owns.
    pub db: Db,
    /// The vault.
    pub vault: Vault,
    /// Whose accounts.
    pub institution: InstitutionId,
    /// At which bureau.
    pub bureau: BureauId,
    /// The institution's code as a data provider: names of its files begin so.
    pub organization: String,
    /// What opens sealed files; without it only opened ones can be read.
    pub seal: Option<Seal>,
}

/// What to import, and how.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Earlier submission files, opened, compressed or sealed.
    pub files: Vec<PathBuf>,
    /// The feedback to them, in any of these forms.
    pub feedback: Vec<PathBuf>,
    /// The state of accounts, as records of their normal type.
    pub stock: Vec<StockFiles>,
    /// Take a file without feedback as accepted whole.
    pub assume_accepted: bool,
    /// Leave out what is wrong, and take the rest.
    pub skip_invalid: bool,
    /// Look only.
    pub dry_run: bool,
}

/// What became of one input.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Taken {
    /// The name of the file.
    pub file: String,
    /// `earlier` or `stock`.
    pub kind: &'static str,
    /// It was imported before: nothing of it was taken again.
    pub before: bool,
    /// No feedback was there, and it was taken as accepted whole.
    pub assumed: bool,
    /// Records that entered the ledger, or in a dry run would.
    pub taken: u64,
    /// Records that the bureau rejected.
    pub rejected: u64,
    /// Accounts of a stock that the ledger had as of the same day already.
    pub known: u64,
    /// Records with findings.
    pub wrong: u64,
}

/// What became of an import.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ImportReport {
    /// Every input, in the order of time.
    pub inputs: Vec<Taken>,
    /// How many findings there are.
    pub findings: u64,
    /// Whether anything was written, or all of it had been before.
    pub written: bool,
}

/// Whom to tell of findings.
pub type Tell<'t> = &'t mut (dyn FnMut(ImportFinding) + Send);

impl Importer {
    /// Looks at everything, then writes it.
    ///
    /// # Errors
    ///
    /// Those of the database, the vault and of files of ours; what was durable
    /// before stays, and the same call goes on.
    pub async fn run(&self, wanted: &Wanted, tell: Tell<'_>) -> Result<ImportReport, SubmitError> {
        let mut found = 0_u64;
        let mut count = |finding: ImportFinding| {
            found += 1;
            tell(finding);
        };
        let mut sources = self.prepare(wanted, &mut count).await?;
        let (looked, _) = self.pass(&mut sources, false, &mut count).await?;
        if wanted.dry_run || (found > 0 && !wanted.skip_invalid) {
            return Ok(ImportReport {
                inputs: looked,
                findings: found,
                written: false,
            });
        }
        // What is wrong was told; without leave to leave it out there was nothing.
        let mut unexpected = |finding: ImportFinding| {
            if !wanted.skip_invalid {
                found += 1;
                tell(finding);
            }
        };
        let (inputs, late) = self.pass(&mut sources, true, &mut unexpected).await?;
        for finding in late {
            found += 1;
            tell(finding);
        }
        Ok(ImportReport {
            inputs,
            findings: found,
            written: true,
        })
    }

    /// Goes through all inputs in their order, to look or to write; what became
    /// of each, and what only writing found.
    async fn pass(
        &self,
        sources: &mut [Source],
        write: bool,
        tell: Tell<'_>,
    ) -> Result<(Vec<Taken>, Vec<ImportFinding>), SubmitError> {
        let mut seen = Seen::default();
        let mut all = Vec::with_capacity(sources.len());
        let mut late = Vec::new();
        for (index, source) in sources.iter_mut().enumerate() {
            let mut taken = source.begun();
            if !source.is_done() && !source.bad {
                let one = (index as u32, &mut *source);
                let found = self.one(one, write, &mut seen, &mut taken, tell).await?;
                late.extend(found);
            }
            all.push(taken);
        }
        Ok((all, late))
    }

    /// Goes through one input; what only writing found.
    async fn one(
        &self,
        (index, source): (u32, &mut Source),
        write: bool,
        seen: &mut Seen,
        taken: &mut Taken,
        tell: Tell<'_>,
    ) -> Result<Vec<ImportFinding>, SubmitError> {
        let mut submission = match (&source.known, write) {
            (Some(known), _) => Some(known.clone()),
            (None, true) => Some(self.begin(source).await?),
            (None, false) => None,
        };
        let after = match &submission {
            Some(submission) => self.last_place(submission).await?,
            None => 0,
        };
        taken.taken += submission.as_ref().map_or(0, |it| it.taken as u64);
        let today = china_date(self.clock.now());
        let mut parts = source.read(self, after, today).await?;
        let mut late = Vec::new();
        while let Some(part) = parts.recv().await {
            let mut rows = match part? {
                Part::Broken(findings) => {
                    source.bad = true;
                    findings.into_iter().for_each(&mut *tell);
                    continue;
                }
                Part::Rejected(count) => {
                    taken.rejected += count;
                    continue;
                }
                Part::Rows(rows) => rows,
            };
            self.judge(seen, (index, source), &mut rows).await?;
            for row in &mut rows {
                taken.known += u64::from(row.is_known);
                if row.findings.is_empty() {
                    continue;
                }
                taken.wrong += 1;
                let place = Some(row.place);
                for finding in row.findings.drain(..) {
                    tell(ImportFinding::of_record(&source.name, place, finding));
                }
                row.good = None;
            }
            rows.retain(|row| row.good.is_some() && !row.is_known);
            match &submission {
                Some(before) if write => {
                    let written = self.write(before.clone(), source, rows).await?;
                    taken.taken += (written.after.taken - before.taken) as u64;
                    let places = written.name_taken.into_iter();
                    late.extend(
                        places.map(|place| {
                            ImportFinding::ours(&source.name, Some(place), NAME_TAKEN)
                        }),
                    );
                    submission = Some(written.after);
                }
                _ => taken.taken += rows.len() as u64,
            }
        }
        if source.bad {
            // Nothing of it counts: that is what its finding says.
            taken.taken = 0;
        } else if let Some(submission) = submission.filter(|_| write) {
            self.end(submission, source, taken.wrong).await?;
        }
        Ok(late)
    }
}

impl Source {
    /// All of it was imported before.
    fn is_done(&self) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|known| known.state() == SubmissionState::Taken)
    }

    fn begun(&self) -> Taken {
        Taken {
            file: self.name.clone(),
            kind: self.kind(),
            before: self.is_done(),
            assumed: self.is_assumed(),
            ..Taken::default()
        }
    }
}
