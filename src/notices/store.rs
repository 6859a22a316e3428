//! Rows of notices, for the gate and for those who look.

use std::collections::HashMap;

use super::{Listed, NewNotice, NoticeError, Notices, READERS};
use crate::{
    args,
    ledger::Notice,
    operators::Caller,
    platform::{
        clock::from_micros,
        db::{Arg, Args, DbError, Tx},
        ids::SubjectId,
    },
};

/// How many accounts one statement asks for.
const ASKED: usize = 1000;

impl Notices {
    /// A notice of the caller's institution.
    ///
    /// # Errors
    ///
    /// [`NoticeError::Unknown`] where there is none.
    pub async fn get(&self, by: &Caller, id: &str) -> Result<Listed, NoticeError> {
        by.require_any(READERS)?;
        let row: Option<ListedRow> = self
            .db
            .first(
                "SELECT id, subject, account, due_period, channel, delivered_at, run, \
                 recorded_at, proof IS NOT NULL AS has_proof FROM notices \
                 WHERE id = $1 AND institution = $2",
                args![id, &by.institution],
            )
            .await?;
        row.map(Listed::from).ok_or(NoticeError::Unknown("notice"))
    }

    /// The notices of these accounts, in a few statements; accounts without any
    /// are absent.
    ///
    /// # Errors
    ///
    /// Those of the database, and [`NoticeError::Unreadable`].
    pub async fn of_accounts(
        &self,
        accounts: impl IntoIterator<Item = i64>,
    ) -> Result<HashMap<i64, Vec<Notice>>, NoticeError> {
        let mut accounts: Vec<i64> = accounts.into_iter().collect();
        accounts.sort_unstable();
        accounts.dedup();
        let mut found: HashMap<i64, Vec<Notice>> = HashMap::new();
        for some in accounts.chunks(ASKED) {
            let holes: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT id, subject, account, due_period, delivered_at, run FROM notices \
                 WHERE account IN ({}) ORDER BY delivered_at, id",
                holes.join(", ")
            );
            let args = Args(some.iter().map(|id| Arg::from(*id)).collect());
            let rows: Vec<Row> = self.db.all(sqlx::AssertSqlSafe(sql), args).await?;
            for row in rows {
                let notice = row.read()?;
                found.entry(notice.account).or_default().push(notice);
            }
        }
        Ok(found)
    }
}

/// Marks notices with the runs that they serve, each once. Gives how many were
/// free: fewer than asked for, and the caller must give the transaction up.
///
/// # Errors
///
/// Those of the database.
pub async fn serve(tx: &mut Tx<'_>, served: &[(String, String)]) -> Result<u64, DbError> {
    let mut count = 0;
    for (id, run) in served {
        count += tx
            .execute(
                "UPDATE notices SET run = $2 WHERE id = $1 AND run IS NULL",
                args![id, run],
            )
            .await?;
    }
    Ok(count)
}

/// The notice that says the same, if it is recorded.
pub(super) async fn same(
    tx: &mut Tx<'_>,
    account: i64,
    new: &NewNotice,
) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = tx
        .first(
            "SELECT id FROM notices WHERE account = $1 AND due_period = $2 AND channel = $3 \
             AND delivered_at = $4 ORDER BY id LIMIT 1",
            args![
                account,
                new.due.to_string(),
                new.channel.name(),
                new.delivered_at
            ],
        )
        .await?;
    Ok(row.map(|(id,)| id))
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    subject: SubjectId,
    account: i64,
    due_period: String,
    delivered_at: i64,
    run: Option<String>,
}

impl Row {
    fn read(self) -> Result<Notice, NoticeError> {
        let Ok(due) = self.due_period.parse() else {
            return Err(NoticeError::Unreadable(self.id));
        };
        Ok(Notice {
            due,
            id: self.id,
            subject: self.subject,
            account: self.account,
            delivered_at: from_micros(self.delivered_at),
            run: self.run,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    id: String,
    subject: String,
    account: i64,
    due_period: String,
    channel: String,
    delivered_at: i64,
    run: Option<String>,
    recorded_at: i64,
    has_proof: bool,
}

impl From<ListedRow> for Listed {
    fn from(row: ListedRow) -> Self {
        Self {
            id: row.id,
            subject: row.subject,
            account: row.account,
            due: row.due_period,
            channel: row.channel,
            delivered_at: from_micros(row.delivered_at),
            has_proof: row.has_proof,
            run: row.run,
            recorded_at: from_micros(row.recorded_at),
        }
    }
}
