//! Accounts, as far as submissions move them.

use std::collections::{HashMap, HashSet};

use sqlx::{AssertSqlSafe, FromRow};

use super::{list, names, numbers};
use crate::{
    args,
    ledger::{Account, RecordRef, Standing, gate::Notice},
    platform::{
        clock::from_micros,
        db::{Arg, Args, Db, DbError, Kind, Tx},
        ids::{BureauId, InstitutionId, SubjectId},
        vault::StoredSubject,
    },
};

/// An account as the database keeps it.
#[derive(Clone, FromRow)]
struct Row {
    id: i64,
    subject: SubjectId,
    state: String,
    account_type: Option<String>,
    opened_on: Option<String>,
    reported_on: Option<String>,
    month: Option<String>,
    month_on: Option<String>,
    clean_month: Option<String>,
    negative_run: Option<String>,
    accepted_submission: Option<i64>,
    accepted_seq: Option<i64>,
    pending_submission: Option<i64>,
    pending_seq: Option<i64>,
    reserved_for: Option<i64>,
    became: Option<i64>,
}

const COLUMNS: &str = "id, subject, state, account_type, opened_on, reported_on, month, month_on, \
    clean_month, negative_run, accepted_submission, accepted_seq, pending_submission, pending_seq, \
    reserved_for, became";

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        fn read<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
            text?.parse().ok()
        }
        let record = |submission: Option<i64>, seq: Option<i64>| {
            let (submission, seq) = submission.zip(seq)?;
            Some(RecordRef { submission, seq })
        };
        Self {
            id: row.id,
            subject: Some(row.subject),
            standing: Standing::named(&row.state).unwrap_or_default(),
            account_type: row.account_type,
            opened_on: read(row.opened_on),
            reported_on: read(row.reported_on),
            month: read(row.month),
            month_on: read(row.month_on),
            clean_month: read(row.clean_month),
            negative_run: row.negative_run,
            accepted: record(row.accepted_submission, row.accepted_seq),
            pending: record(row.pending_submission, row.pending_seq),
            reserved_for: row.reserved_for,
            became: row.became,
        }
    }
}

/// One account to be found or made.
pub(crate) struct Sought {
    pub(crate) family: String,
    pub(crate) digests: Vec<[u8; 32]>,
}

/// An account, and what its subject is stored as.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) account: Account,
    pub(crate) subject: StoredSubject,
}

/// The accounts with these digests, in the order asked for.
pub(crate) async fn find(
    db: &Db,
    institution: &InstitutionId,
    bureau: &BureauId,
    sought: &[Sought],
) -> Result<Vec<Option<Found>>, DbError> {
    #[derive(FromRow)]
    struct FoundRow {
        family: String,
        blind: Vec<u8>,
        #[sqlx(flatten)]
        account: Row,
        keys: Option<Vec<u8>>,
        identity: Option<Vec<u8>>,
    }

    let digests: Vec<&[u8]> = sought
        .iter()
        .flat_map(|one| one.digests.iter().map(<[u8; 32]>::as_slice))
        .collect();
    let mut found: HashMap<(String, Vec<u8>), Found> = HashMap::new();
    let columns = COLUMNS.replace(", ", ", a.");
    for some in digests.chunks(1000) {
        let sql = format!(
            "SELECT a.family, a.blind, a.{columns}, s.keys, s.identity FROM accounts a \
             JOIN subjects s ON s.id = a.subject \
             WHERE a.institution = $1 AND a.bureau = $2 AND a.blind IN ({})",
            list(3, some.len())
        );
        let mut args = args![institution, bureau];
        args.0.extend(some.iter().map(|digest| Arg::from(*digest)));
        let rows: Vec<FoundRow> = db.many(AssertSqlSafe(sql), args).await?;
        found.extend(rows.into_iter().map(|row| {
            let of = Found {
                subject: StoredSubject {
                    id: row.account.subject.clone(),
                    keys: row.keys,
                    identity: row.identity,
                },
                account: Account::from(row.account),
            };
            ((row.family, row.blind), of)
        }));
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
    let ids = distinct(ids);
    let mut found = HashMap::with_capacity(ids.len());
    for some in ids.chunks(1000) {
        let sql = format!(
            "SELECT {COLUMNS} FROM accounts WHERE id IN ({})",
            list(1, some.len())
        );
        let rows: Vec<Row> = db.all(AssertSqlSafe(sql), numbers_of(some)).await?;
        found.extend(rows.into_iter().map(|row| (row.id, Account::from(row))));
    }
    Ok(found)
}

/// A record that would be the one under way of its account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taking {
    pub(crate) account: i64,
    pub(crate) seq: i64,
    /// The record in whose place it would go.
    pub(crate) corrects: Option<(i64, i64)>,
    /// The record that stood for the account at the bureau when it was judged.
    pub(crate) accepted: Option<(i64, i64)>,
}

/// Makes records of a submission those under way of their accounts, where none
/// is, or the one that they correct, and where the account is as they were judged
/// by; the accounts of which it is so now.
pub(crate) async fn take_place(
    tx: &mut Tx<'_>,
    submission: i64,
    wanted: &[Taking],
) -> Result<HashSet<i64>, DbError> {
    let mut taken = HashSet::with_capacity(wanted.len());
    for some in wanted.chunks(250) {
        // Differences, not equations: by more equations than that of the number
        // SQLite goes through all accounts and looks each up in the list.
        let sql = format!(
            "WITH v(account, seq, was_submission, was_seq, accepted, accepted_seq) \
             AS (VALUES {}) \
             UPDATE accounts SET pending_submission = ${1}, pending_seq = v.seq FROM v \
             WHERE accounts.id = v.account AND (accounts.pending_submission IS NULL \
             OR (accounts.pending_submission = v.was_submission \
             AND accounts.pending_seq = v.was_seq)) \
             AND COALESCE(accounts.accepted_submission, -1) - v.accepted = 0 \
             AND COALESCE(accounts.accepted_seq, -1) - v.accepted_seq = 0",
            numbers(some.len(), 6),
            some.len() * 6 + 1
        );
        let mut args = Args::default();
        for it in some {
            // No record has such a number.
            let (was_submission, was_seq) = it.corrects.unwrap_or((-1, -1));
            let (accepted, accepted_seq) = it.accepted.unwrap_or((-1, -1));
            let row = args![
                it.account,
                it.seq,
                was_submission,
                was_seq,
                accepted,
                accepted_seq
            ];
            args.0.extend(row.0);
        }
        args.0.push(Arg::from(submission));
        let changed = tx.execute(AssertSqlSafe(sql), args).await?;
        if changed == some.len() as u64 {
            taken.extend(some.iter().map(|it| it.account));
        } else {
            taken.extend(under_way(tx, submission, some).await?);
        }
    }
    Ok(taken)
}

/// The accounts of which these records are under way.
async fn under_way(
    tx: &mut Tx<'_>,
    submission: i64,
    wanted: &[Taking],
) -> Result<Vec<i64>, DbError> {
    let sql = format!(
        "SELECT id, pending_seq FROM accounts WHERE pending_submission = $1 AND id IN ({})",
        list(2, wanted.len())
    );
    let mut args = args![submission];
    args.0.extend(wanted.iter().map(|it| Arg::from(it.account)));
    let rows: Vec<(i64, i64)> = tx.all(AssertSqlSafe(sql), args).await?;
    let rows: HashSet<(i64, i64)> = rows.into_iter().collect();
    let taken = wanted.iter().map(|it| (it.account, it.seq));
    Ok(taken
        .filter(|it| rows.contains(it))
        .map(|it| it.0)
        .collect())
}

/// Holds accounts, and those of the names that are reserved for them, until the
/// transaction ends, in one order, so that two transactions cannot wait for each
/// other; on SQLite there is but one writer.
pub(crate) async fn hold(
    tx: &mut Tx<'_>,
    ids: impl IntoIterator<Item = i64>,
) -> Result<(), DbError> {
    if tx.kind() == Kind::Sqlite {
        return Ok(());
    }
    for some in distinct(ids).chunks(1000) {
        let sql = format!(
            "SELECT id FROM accounts WHERE id IN ({0}) OR reserved_for IN ({0}) \
             ORDER BY id FOR UPDATE",
            list(1, some.len())
        );
        let _: Vec<(i64,)> = tx.all(AssertSqlSafe(sql), numbers_of(some)).await?;
    }
    Ok(())
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
    /// The account after it.
    pub(crate) next: Account,
    /// The record that was accepted.
    pub(crate) record: RecordRef,
    /// What it is found by from now on, where the record renames it.
    pub(crate) renamed: Option<Renamed>,
    /// The notice that serves the run that began with the record.
    pub(crate) notice: Option<String>,
}

/// What an account is found by from now on.
pub(crate) struct Renamed {
    pub(crate) blind_key: i64,
    pub(crate) blind: [u8; 32],
    pub(crate) code: Vec<u8>,
}

/// Moves accounts on: what these records say was accepted, and nothing of them
/// is under way any more.
pub(crate) async fn accept(tx: &mut Tx<'_>, moved: &[Moved], at: i64) -> Result<(), DbError> {
    hold(tx, moved.iter().map(|it| it.next.id)).await?;
    for one in moved {
        stand(tx, one, Some(one.record), at).await?;
        if let Some(renamed) = &one.renamed
            && !names::rename(tx, one.next.id, one.record, renamed).await?
        {
            tracing::error!(
                account = one.next.id,
                "a renamed account has the name of another"
            );
        }
        if let Some(notice) = &one.notice {
            tx.execute(
                "UPDATE notices SET run = $1 WHERE id = $2 AND run IS NULL",
                // A correction of the past begins a run that does not go on.
                args![one.record.to_string(), notice],
            )
            .await?;
        }
    }
    Ok(())
}

/// Lets an account stand as the bureau accepted it, with nothing under way; false,
/// and nothing changes, where another record than `under_way` is.
pub(crate) async fn stand(
    tx: &mut Tx<'_>,
    moved: &Moved,
    under_way: Option<RecordRef>,
    at: i64,
) -> Result<bool, DbError> {
    fn text<T: ToString>(value: Option<T>) -> Option<String> {
        value.map(|value| value.to_string())
    }
    let Moved { next, record, .. } = moved;
    // No record has such a number.
    let (submission, seq) = under_way.map_or((-1, -1), |it| (it.submission, it.seq));
    let changed = tx
        .execute(
            "UPDATE accounts SET state = $1, account_type = $2, opened_on = $3, \
             reported_on = $4, month = $5, month_on = $6, clean_month = $7, negative_run = $8, \
             accepted_submission = $9, accepted_seq = $10, \
             pending_submission = NULL, pending_seq = NULL, changed_at = $11 \
             WHERE id = $12 AND COALESCE(pending_submission, -1) = $13 \
             AND COALESCE(pending_seq, -1) = $14",
            args![
                next.standing.name(),
                next.account_type.clone(),
                text(next.opened_on),
                text(next.reported_on),
                text(next.month),
                text(next.month_on),
                text(next.clean_month),
                next.negative_run.clone(),
                record.submission,
                record.seq,
                at,
                next.id,
                submission,
                seq
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// The notices of these accounts.
pub(crate) async fn notices(
    db: &Db,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Vec<Notice>>, DbError> {
    type NoticeRow = (String, SubjectId, i64, String, i64, Option<String>);
    let mut notices: HashMap<i64, Vec<Notice>> = HashMap::new();
    for some in distinct(ids).chunks(1000) {
        let sql = format!(
            "SELECT id, subject, account, due_period, delivered_at, run FROM notices \
             WHERE account IN ({}) ORDER BY delivered_at, id",
            list(1, some.len())
        );
        let rows: Vec<NoticeRow> = db.all(AssertSqlSafe(sql), numbers_of(some)).await?;
        for (id, subject, account, due, delivered_at, run) in rows {
            // One whose month cannot be read serves nothing.
            let Ok(due) = due.parse() else { continue };
            notices.entry(account).or_default().push(Notice {
                id,
                subject,
                account,
                due,
                delivered_at: from_micros(delivered_at),
                run,
            });
        }
    }
    Ok(notices)
}

/// The numbers of open disputes, by account.
pub(crate) async fn open_disputes(
    db: &Db,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Vec<String>>, DbError> {
    let mut disputes = HashMap::new();
    for some in distinct(ids).chunks(1000) {
        let sql = AssertSqlSafe(open_disputes_sql(some.len()));
        by_account(&mut disputes, db.all(sql, numbers_of(some)).await?);
    }
    Ok(disputes)
}

/// As [`open_disputes`], in a transaction.
pub(crate) async fn open_disputes_in(
    tx: &mut Tx<'_>,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Vec<String>>, DbError> {
    let mut disputes = HashMap::new();
    for some in distinct(ids).chunks(1000) {
        let sql = AssertSqlSafe(open_disputes_sql(some.len()));
        by_account(&mut disputes, tx.all(sql, numbers_of(some)).await?);
    }
    Ok(disputes)
}

fn open_disputes_sql(count: usize) -> String {
    format!(
        "SELECT number, account FROM disputes WHERE closed_at IS NULL AND account IN ({})",
        list(1, count)
    )
}

fn by_account(disputes: &mut HashMap<i64, Vec<String>>, rows: Vec<(String, i64)>) {
    for (number, account) in rows {
        disputes.entry(account).or_default().push(number);
    }
}

fn distinct(ids: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn numbers_of(ids: &[i64]) -> Args {
    Args(ids.iter().map(|id| Arg::from(*id)).collect())
}

/// Nothing of the account of this record is under way any more, and no name is
/// reserved by it.
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
    names::give_up(tx, account, RecordRef { submission, seq }).await
}
