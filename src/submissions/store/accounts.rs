//! Accounts, as far as submissions move them.

use std::collections::HashMap;

use schemas::role::Does;
use sqlx::{AssertSqlSafe, FromRow};

use super::{holes, list};
use crate::{
    args,
    platform::{
        db::{Arg, Args, Db, DbError, Tx},
        ids::{BureauId, InstitutionId, SubjectId},
    },
    submissions::judge::Told,
};

/// What a bureau last accepted of an account, in few words.
#[derive(Clone, Debug, FromRow)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub subject: SubjectId,
    /// `new`, `open`, `closed`, `deleted`.
    pub state: String,
    /// Its type, as the records name it.
    pub account_type: Option<String>,
    /// The day of the record that opened it.
    pub opened_on: Option<String>,
    /// The latest report date that was accepted.
    pub reported_on: Option<String>,
    /// The latest month that was accepted.
    pub month: Option<String>,
    /// The record that stands for its state at the bureau.
    pub accepted_submission: Option<i64>,
    /// See `accepted_submission`.
    pub accepted_seq: Option<i64>,
    /// The record under way.
    pub pending_submission: Option<i64>,
    /// See `pending_submission`.
    pub pending_seq: Option<i64>,
}

const COLUMNS: &str = "id, subject, state, account_type, opened_on, reported_on, month, \
    accepted_submission, accepted_seq, pending_submission, pending_seq";

/// One account to be found or made.
pub(crate) struct Sought {
    pub(crate) family: String,
    pub(crate) digests: Vec<[u8; 32]>,
}

impl Account {
    /// The record under way, if any.
    #[must_use]
    pub fn pending(&self) -> Option<(i64, i64)> {
        self.pending_submission.zip(self.pending_seq)
    }
}

/// The accounts with these digests, in the order asked for.
pub(crate) async fn find(
    db: &Db,
    institution: &InstitutionId,
    bureau: &BureauId,
    sought: &[Sought],
) -> Result<Vec<Option<Account>>, DbError> {
    #[derive(FromRow)]
    struct Row {
        family: String,
        blind: Vec<u8>,
        #[sqlx(flatten)]
        account: Account,
    }

    let digests: Vec<&[u8]> = sought
        .iter()
        .flat_map(|one| one.digests.iter().map(<[u8; 32]>::as_slice))
        .collect();
    let mut found: HashMap<(String, Vec<u8>), Account> = HashMap::new();
    for some in digests.chunks(1000) {
        let sql = format!(
            "SELECT family, blind, {COLUMNS} FROM accounts \
             WHERE institution = $1 AND bureau = $2 AND blind IN ({})",
            list(3, some.len())
        );
        let mut args = args![institution, bureau];
        args.0.extend(some.iter().map(|digest| Arg::from(*digest)));
        let rows: Vec<Row> = db.all(AssertSqlSafe(sql), args).await?;
        found.extend(
            rows.into_iter()
                .map(|row| ((row.family, row.blind), row.account)),
        );
    }
    let of = |one: &Sought| {
        let mut each = one.digests.iter();
        each.find_map(|digest| found.get(&(one.family.clone(), digest.to_vec())).cloned())
    };
    Ok(sought.iter().map(of).collect())
}

/// The accounts with these numbers.
pub(crate) async fn by_ids(
    db: &Db,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Account>, DbError> {
    let mut ids: Vec<i64> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::with_capacity(ids.len());
    for some in ids.chunks(1000) {
        let sql = format!(
            "SELECT {COLUMNS} FROM accounts WHERE id IN ({})",
            list(1, some.len())
        );
        let args = Args(some.iter().map(|id| Arg::from(*id)).collect());
        let rows: Vec<Account> = db.all(AssertSqlSafe(sql), args).await?;
        found.extend(rows.into_iter().map(|account| (account.id, account)));
    }
    Ok(found)
}

/// An account that is not known yet.
pub(crate) struct NewAccount {
    pub(crate) family: String,
    pub(crate) blind_key: i64,
    pub(crate) blind: [u8; 32],
    pub(crate) subject: SubjectId,
    pub(crate) code: Vec<u8>,
}

/// The number of the next account. Only one at a time may ask.
pub(crate) async fn next_id(db: &Db) -> Result<i64, DbError> {
    let last: Option<(Option<i64>,)> = db.first("SELECT MAX(id) FROM accounts", args![]).await?;
    Ok(last.and_then(|(id,)| id).unwrap_or(0) + 1)
}

/// Inserts new accounts under numbers from `first` on.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    institution: &InstitutionId,
    bureau: &BureauId,
    first: i64,
    new: &[NewAccount],
    at: i64,
) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO accounts (id, institution, bureau, family, blind, blind_key, code, subject, \
         state, changed_at) VALUES {}",
        holes(new.len(), 10)
    );
    let mut args = Args::default();
    for (n, account) in new.iter().enumerate() {
        args.0.extend(
            args![
                first + n as i64,
                institution,
                bureau,
                &account.family,
                &account.blind[..],
                account.blind_key,
                account.code.clone(),
                &account.subject,
                "new",
                at
            ]
            .0,
        );
    }
    tx.execute(AssertSqlSafe(sql), args).await?;
    Ok(())
}

/// Marks records of a submission as those under way of their accounts: what has
/// none under way, or one that these correct.
pub(crate) async fn set_pending(
    tx: &mut Tx<'_>,
    submission: i64,
    pending: &[(i64, i64)],
) -> Result<u64, DbError> {
    let mut changed = 0;
    for some in pending.chunks(500) {
        let sql = format!(
            "WITH v(account, seq) AS (VALUES {}) \
             UPDATE accounts SET pending_submission = $1, pending_seq = v.seq \
             FROM v WHERE accounts.id = v.account",
            literals(some)
        );
        changed += tx.execute(AssertSqlSafe(sql), args![submission]).await?;
    }
    Ok(changed)
}

/// `(1, 2), (3, 4)`.
pub(crate) fn literals(pairs: &[(i64, i64)]) -> String {
    let rows: Vec<String> = pairs
        .iter()
        .map(|(one, two)| format!("({one}, {two})"))
        .collect();
    rows.join(", ")
}

/// What acceptance makes of an account.
pub(crate) struct Moved {
    id: i64,
    state: &'static str,
    account_type: Option<String>,
    opened_on: Option<String>,
    reported_on: Option<String>,
    month: Option<String>,
    renamed: Option<Renamed>,
    record: (i64, i64),
}

/// What an account is found by from now on.
pub(crate) struct Renamed {
    pub(crate) blind_key: i64,
    pub(crate) blind: [u8; 32],
    pub(crate) code: Vec<u8>,
}

impl Moved {
    /// What the acceptance of `record`, which told this, makes of the account.
    pub(crate) fn of(
        account: &Account,
        told: &Told,
        renamed: Option<Renamed>,
        record: (i64, i64),
    ) -> Self {
        let normal = told.does == Does::Normal;
        let day = told.report_date.map(|day| day.to_string());
        let opens = normal && matches!(account.state_now(), "new" | "deleted");
        Self {
            id: account.id,
            state: told.next_state(account.state_now()),
            account_type: told.account_type.clone().filter(|_| normal),
            opened_on: day.clone().filter(|_| opens),
            reported_on: day.filter(|_| normal),
            month: told.month.clone().filter(|_| normal),
            renamed: renamed.filter(|_| told.does == Does::Rename),
            record,
        }
    }
}

/// Moves accounts on: what these records say was accepted, and nothing of them
/// is under way any more.
pub(crate) async fn accept(tx: &mut Tx<'_>, moved: &[Moved], at: i64) -> Result<(), DbError> {
    for one in moved {
        let (submission, seq) = one.record;
        tx.execute(
            "UPDATE accounts SET state = $1, account_type = COALESCE($2, account_type), \
             opened_on = COALESCE(opened_on, $3), reported_on = COALESCE($4, reported_on), \
             month = COALESCE($5, month), accepted_submission = $6, accepted_seq = $7, \
             pending_submission = NULL, pending_seq = NULL, changed_at = $8 \
             WHERE id = $9 AND pending_submission = $6 AND pending_seq = $7",
            args![
                one.state,
                one.account_type.clone(),
                one.opened_on.clone(),
                one.reported_on.clone(),
                one.month.clone(),
                submission,
                seq,
                at,
                one.id
            ],
        )
        .await?;
        if let Some(renamed) = &one.renamed {
            tx.execute(
                "UPDATE accounts SET blind = $1, blind_key = $2, code = $3 WHERE id = $4",
                args![
                    renamed.blind,
                    renamed.blind_key,
                    renamed.code.clone(),
                    one.id
                ],
            )
            .await?;
        }
    }
    Ok(())
}

/// Nothing of the account of this record is under way any more.
pub(crate) async fn free(
    tx: &mut Tx<'_>,
    account: i64,
    (submission, seq): (i64, i64),
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE accounts SET pending_submission = NULL, pending_seq = NULL \
         WHERE id = $1 AND pending_submission = $2 AND pending_seq = $3",
        args![account, submission, seq],
    )
    .await?;
    Ok(())
}
