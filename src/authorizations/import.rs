//! Authorizations in bulk, from CSV with a folder of originals.
//!
//! # Promise
//!
//! Good rows are recorded, bad ones are set aside with all that is wrong with
//! them, in the order of the file. The same file again changes nothing. Memory
//! does not grow with the file: a few rows are on their way at a time.
//!
//! # Failure
//!
//! Where the database fails or the file cannot be read, rows before that stay
//! recorded; importing the file again goes on.

mod finding;
mod row;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    fs, io,
    io::Read as _,
    path::{Component, Path, PathBuf},
};

use csv::ByteRecord;
use jiff::Timestamp;
use serde::Serialize;
use tokio::task::JoinSet;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{
    AuthorizationError, Authorizations, MAX_EVIDENCE_BYTES, NewAuthorization, Recorded,
    service::KEEPERS,
};
use crate::{args, operators::Caller, platform::db::Urgency};

pub use finding::{Finding, FindingsFile};
pub use row::COLUMNS;

use row::{Columns, Policies, Reading, problem};

/// How many rows are on their way to the database at a time; on SQLite they
/// share commits.
const BATCH: usize = 64;

/// Where the originals of an import are.
pub trait Originals: Send + Sync {
    /// The bytes of one; at most [`MAX_EVIDENCE_BYTES`] and one more need come.
    ///
    /// # Errors
    ///
    /// It is not there, cannot be read, or lies outside.
    fn read(&self, name: &str) -> io::Result<Zeroizing<Vec<u8>>>;
}

/// Originals as files of one folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// That folder.
    ///
    /// # Errors
    ///
    /// It does not exist.
    pub fn new(path: &Path) -> io::Result<Self> {
        fs::canonicalize(path).map(Self)
    }
}

impl Originals for Folder {
    fn read(&self, name: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        let outside = || io::Error::from(io::ErrorKind::PermissionDenied);
        let plain = |part| matches!(part, Component::Normal(_));
        if !Path::new(name).components().all(plain) {
            return Err(outside());
        }
        // A link may lead out of the folder.
        let path = fs::canonicalize(self.0.join(name))?;
        if !path.starts_with(&self.0) {
            return Err(outside());
        }
        let file = fs::File::open(path)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let limit = MAX_EVIDENCE_BYTES + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.min(limit)));
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// What became of an import.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, ToSchema)]
pub struct Imported {
    /// Rows of the file, without the header.
    pub rows: u64,
    /// Rows recorded now.
    pub recorded: u64,
    /// Rows that had been recorded before.
    pub already: u64,
    /// Rows with findings.
    pub set_aside: u64,
}

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Something that is no fault of a row.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// The header is not that of the template: see the findings.
    #[error("the header is not that of the template")]
    Header,
    /// The file cannot be read, or a finding not be written.
    #[error("the import file or the findings file failed")]
    Io(#[from] io::Error),
}

impl Authorizations {
    /// Imports rows of the columns [`COLUMNS`] for the caller's institution;
    /// each finding goes to `found` as soon as its row is done.
    ///
    /// # Errors
    ///
    /// See [`ImportError`].
    pub async fn import(
        &self,
        by: &Caller,
        file: impl io::Read,
        originals: &dyn Originals,
        now: Timestamp,
        mut found: impl FnMut(Finding) -> io::Result<()>,
    ) -> Result<Imported, ImportError> {
        by.require_any(KEEPERS).map_err(AuthorizationError::from)?;
        let policies = self.policies(by).await?;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let header = reader.byte_headers().map_err(io::Error::from)?.clone();
        let columns = match Columns::read(&header) {
            Ok(columns) => columns,
            Err(findings) => {
                findings.into_iter().try_for_each(found)?;
                return Err(ImportError::Header);
            }
        };
        let reading = Reading {
            columns: &columns,
            policies: &policies,
            originals,
            now,
        };
        let mut told = Imported::default();
        let mut batch = Vec::with_capacity(BATCH);
        let mut references = HashSet::new();
        let mut record = ByteRecord::new();
        while reader
            .read_byte_record(&mut record)
            .map_err(io::Error::from)?
        {
            told.rows += 1;
            let line = record.position().map_or(0, csv::Position::line);
            let row = reading.row(line, &record);
            // Two rows of one reference are recorded in their order.
            let twice = match &row {
                Ok(new) => !references.insert(new.external_ref.clone()),
                Err(_) => false,
            };
            if twice || batch.len() == BATCH {
                self.settle(by, &mut batch, now, &mut told, &mut found)
                    .await?;
                references.clear();
                references.extend(row.as_ref().ok().map(|new| new.external_ref.clone()));
            }
            batch.push((line, row));
        }
        self.settle(by, &mut batch, now, &mut told, &mut found)
            .await?;
        Ok(told)
    }

    /// Records a batch at once and tells what was found, in order.
    async fn settle(
        &self,
        by: &Caller,
        batch: &mut Vec<(u64, Result<NewAuthorization, Vec<Finding>>)>,
        now: Timestamp,
        told: &mut Imported,
        found: &mut impl FnMut(Finding) -> io::Result<()>,
    ) -> Result<(), ImportError> {
        let mut tasks = JoinSet::new();
        let mut results = Vec::with_capacity(batch.len());
        for (place, (line, row)) in batch.drain(..).enumerate() {
            match row {
                Err(findings) => results.push((place, Err(findings))),
                Ok(new) => {
                    let (all, by) = (self.clone(), by.clone());
                    tasks.spawn(async move {
                        (place, line, all.record(&by, new, Urgency::Bulk, now).await)
                    });
                }
            }
        }
        while let Some(done) = tasks.join_next().await {
            let (place, line, result) = done.map_err(io::Error::from)?;
            let result = match result {
                Err(AuthorizationError::Conflict(_)) => {
                    Err(vec![problem(line, "external_ref", &finding::CONFLICT)])
                }
                result => Ok(result?),
            };
            results.push((place, result));
        }
        results.sort_by_key(|(place, _)| *place);
        for (_, result) in results {
            match result {
                Ok(Recorded::New(_)) => told.recorded += 1,
                Ok(Recorded::Already(_)) => told.already += 1,
                Err(findings) => {
                    told.set_aside += 1;
                    findings.into_iter().try_for_each(&mut *found)?;
                }
            }
        }
        Ok(())
    }

    async fn policies(&self, by: &Caller) -> Result<Policies, AuthorizationError> {
        let rows: Vec<(String, String, String)> = self
            .db
            .all(
                "SELECT policy, version, first_day FROM policy_versions WHERE institution = $1",
                args![&by.institution],
            )
            .await?;
        // A day that cannot be read makes its version unknown.
        let readable = |(policy, version, day): (String, String, String)| {
            Some(((policy, version), day.parse().ok()?))
        };
        Ok(rows.into_iter().filter_map(readable).collect())
    }
}
