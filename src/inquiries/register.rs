//! The register (查询登记簿): searching all inquiries of an institution.
//!
//! # Promise
//!
//! Every search is an entry of the audit log before anybody sees what it
//! found. A full identifier finds its subject through the vault's blind index
//! and goes no further: entries say that a subject was searched for, under its
//! tag. Pages go from the newest to the oldest; what comes in meanwhile moves
//! none of them.

mod cursor;
mod export;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use sqlx::AssertSqlSafe;

pub use cursor::{Cursor, CursorError};
pub use export::MAX_EXPORTED;

use super::{Inquiries, Record, State};
use crate::{
    args,
    audit::{
        entry::{Draft, EntryError, Kind},
        merkle::sha256,
        subject::SubjectTag,
    },
    authorizations::Purpose,
    operators::{Caller, Forbidden, Role},
    platform::{
        db::{Arg, Args, DbError, Urgency},
        identity::Document,
        ids::{BureauId, SubjectId},
        vault::VaultError,
    },
};

/// The largest page.
pub const MAX_PAGE: u32 = 500;

/// What an answered or reconciled inquiry may have come to.
pub const OUTCOMES: [&str; 5] = ["hit", "no_hit", "not_recorded", "partial", "recorded"];

/// Who may search: officers only their own inquiries, the others all of their
/// institution.
pub const SEARCHERS: &[Role] = &[Role::Officer, Role::Compliance, Role::Regulator];

const SEARCHED: Kind = Kind::new("register.searched");

/// Which inquiries; what is absent limits nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Came at or after this.
    pub from: Option<jiff::Timestamp>,
    /// Came before this.
    pub until: Option<jiff::Timestamp>,
    /// Operator or machine client, as inquiries name it: `operator/…`, `client/…`.
    pub requester: Option<String>,
    /// The purpose.
    pub purpose: Option<Purpose>,
    /// The bureau asked.
    pub bureau: Option<BureauId>,
    /// Whom it is about.
    pub subject: Option<Document>,
    /// In one of these states.
    pub states: Vec<State>,
    /// One of [`OUTCOMES`].
    pub outcome: Option<&'static str>,
    /// The business it serves.
    pub business_ref: Option<String>,
}

/// Some inquiries, the newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The inquiries.
    pub records: Vec<Record>,
    /// Where the next page begins, if there is more.
    pub next: Option<Cursor>,
}

/// Why a search was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The database's error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No audit entry can be made of it, so nothing is shown.
    #[error("the search cannot be written to the audit log")]
    Entry(#[from] EntryError),
    /// The file cannot be written.
    #[error("the file cannot be written")]
    File(#[from] csv::Error),
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// An officer asked for another's inquiries.
    #[error("an officer sees only their own inquiries")]
    OwnOnly,
    /// More than one file holds.
    #[error("more than {MAX_EXPORTED} inquiries fit; narrow the filter")]
    TooMany,
    /// The vault's error.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Inquiries {
    /// One page of the register; at most [`MAX_PAGE`].
    ///
    /// # Errors
    ///
    /// See [`RegisterError`].
    pub async fn search(
        &self,
        caller: &Caller,
        filter: &Filter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, RegisterError> {
        let subject = self.searched(caller, filter).await?;
        let limit = limit.clamp(1, MAX_PAGE);
        let page = self.page(caller, filter, &subject, after, limit).await?;
        self.note_search(caller, filter, subject, "page", page.records.len())
            .await?;
        Ok(page)
    }

    /// Whom a search is about, after checking that the caller may make it.
    async fn searched(&self, caller: &Caller, filter: &Filter) -> Result<Whom, RegisterError> {
        caller.require_any(SEARCHERS)?;
        let own = caller.actor.stored();
        if own_only(caller) && filter.requester.as_ref().is_some_and(|who| *who != own) {
            return Err(RegisterError::OwnOnly);
        }
        Ok(match &filter.subject {
            None => Whom::Anyone,
            Some(document) => match self.0.vault.find(document).await? {
                None => Whom::Nobody,
                Some(id) => Whom::Subject(id, document.clone()),
            },
        })
    }

    async fn page(
        &self,
        caller: &Caller,
        filter: &Filter,
        whom: &Whom,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page, RegisterError> {
        let subject = match whom {
            Whom::Anyone => None,
            Whom::Nobody => {
                return Ok(Page {
                    records: Vec::new(),
                    next: None,
                });
            }
            Whom::Subject(id, _) => Some(id),
        };
        let mut query = Query::new(caller, filter, subject);
        if let Some(cursor) = after {
            query.before(cursor);
        }
        // One more than wanted tells whether there are more.
        let (sql, args) = query.finish(i64::from(limit) + 1);
        let mut records: Vec<Record> = self.0.db.all(AssertSqlSafe(sql), args).await?;
        let more = records.len() > limit as usize;
        records.truncate(limit as usize);
        let next = records.last().filter(|_| more).map(Cursor::at);
        Ok(Page { records, next })
    }

    /// Makes the entry of a search, before anybody sees what it found.
    async fn note_search(
        &self,
        caller: &Caller,
        filter: &Filter,
        whom: Whom,
        form: &'static str,
        count: usize,
    ) -> Result<(), RegisterError> {
        let draft = Draft::new(SEARCHED, &caller.institution, self.0.clock.now())
            .actor(&caller.actor)
            .code("form", form)
            .words("filters", filter.names())
            .number("count", count);
        let vault = self.0.vault.clone();
        let write = self.0.db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                let draft = match whom {
                    Whom::Subject(id, document) => match vault.keys(tx, &id).await {
                        Ok(keys) => {
                            let digest = sha256(&document.canonical());
                            draft.subject(&SubjectTag::new(keys.expose_salt(), &digest))
                        }
                        // Erased since: nothing may name it any more.
                        Err(VaultError::Erased) => draft,
                        Err(error) => return Err(error.into()),
                    },
                    Whom::Anyone | Whom::Nobody => draft,
                };
                tx.append(draft.finish()?.into());
                Ok(())
            })
        });
        write.await
    }
}

/// Whom a search is about.
enum Whom {
    Anyone,
    /// A document that nobody here has.
    Nobody,
    Subject(SubjectId, Document),
}

fn own_only(caller: &Caller) -> bool {
    caller
        .require_any(&[Role::Compliance, Role::Regulator])
        .is_err()
}

impl Filter {
    /// Which filters are set, as entries name them.
    fn names(&self) -> Vec<&'static str> {
        let set = [
            ("bureau", self.bureau.is_some()),
            ("business_ref", self.business_ref.is_some()),
            ("from", self.from.is_some()),
            ("outcome", self.outcome.is_some()),
            ("purpose", self.purpose.is_some()),
            ("requester", self.requester.is_some()),
            ("states", !self.states.is_empty()),
            ("subject", self.subject.is_some()),
            ("until", self.until.is_some()),
        ];
        set.into_iter()
            .filter(|(_, is_set)| *is_set)
            .map(|(name, _)| name)
            .collect()
    }
}

/// A statement in the making. Its text is made of literals and of the numbers
/// of its arguments; every value is an argument.
struct Query {
    sql: String,
    args: Args,
}

impl Query {
    fn new(caller: &Caller, filter: &Filter, subject: Option<&SubjectId>) -> Self {
        let mut query = Self {
            sql: "SELECT * FROM inquiries WHERE institution = $1".to_owned(),
            args: args![&caller.institution],
        };
        if own_only(caller) {
            query.and("requester =", caller.actor.stored());
        } else if let Some(requester) = &filter.requester {
            query.and("requester =", requester);
        }
        if let Some(subject) = subject {
            query.and("subject =", subject);
        }
        if let Some(from) = filter.from {
            query.and("received_at >=", from);
        }
        if let Some(until) = filter.until {
            query.and("received_at <", until);
        }
        if let Some(purpose) = filter.purpose {
            query.and("purpose =", purpose.name());
        }
        if let Some(bureau) = &filter.bureau {
            query.and("bureau =", bureau);
        }
        if let Some(outcome) = filter.outcome {
            query.and("outcome =", outcome);
        }
        if let Some(business_ref) = &filter.business_ref {
            query.and("business_ref =", business_ref);
        }
        if !filter.states.is_empty() {
            let numbers: Vec<_> = filter
                .states
                .iter()
                .map(|it| query.arg(it.name()))
                .collect();
            query.push(format_args!(" AND state IN ({})", numbers.join(", ")));
        }
        query
    }

    fn before(&mut self, cursor: &Cursor) {
        let (time, id) = (self.arg(cursor.received_at), self.arg(&cursor.id));
        self.push(format_args!(" AND (received_at, id) < ({time}, {id})"));
    }

    fn finish(mut self, limit: i64) -> (String, Args) {
        let limit = self.arg(limit);
        self.push(format_args!(
            " ORDER BY received_at DESC, id DESC LIMIT {limit}"
        ));
        (self.sql, self.args)
    }

    fn and(&mut self, compared: &'static str, value: impl Into<Arg>) {
        let number = self.arg(value);
        self.push(format_args!(" AND {compared} {number}"));
    }

    fn arg(&mut self, value: impl Into<Arg>) -> String {
        self.args.0.push(value.into());
        format!("${}", self.args.0.len())
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.sql.write_fmt(text);
    }
}
