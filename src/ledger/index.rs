//! How accounts are found: by a keyed digest of what their records name them by.
//!
//! # Promise
//!
//! One key is one account of an institution at a bureau, also when two
//! transactions look for it at once and while the blind key rotates: who makes
//! an account holds the keys ([`Vault::blind_held`]) and looks under all of them.
//! The key in clear stands nowhere; sealed under the subject's key it stays with
//! the account, so that the digest can be made anew.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::{
    args,
    platform::{
        db::{Arg, Args, BoxFuture, DbError, Kind, Tx},
        ids::{BureauId, InstitutionId, SubjectId},
        vault::{Blind, Blinded, Place, SubjectKeys, Vault, VaultError},
    },
};

/// How many digests one statement looks for.
const ASKED: usize = 1000;

/// How many accounts one statement inserts, and of how many arguments.
const INSERTED: usize = 500;
const COLUMNS: usize = 9;

/// How many accounts share a transaction of a rotation.
const BATCH: i64 = 500;

/// The advisory lock of PostgreSQL under which accounts get their numbers:
/// "accounts".
const LOCK: i64 = i64::from_be_bytes(*b"accounts");

/// What names an account.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct AccountName {
    /// Whose reports.
    pub institution: InstitutionId,
    /// At which bureau.
    pub bureau: BureauId,
    /// The type of its normal record: `210`.
    pub family: String,
    /// Its key, as [`schemas::role::Role::key`] gives it. Never shown.
    pub key: String,
}

impl AccountName {
    /// What the digest is made of.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let Self {
            institution,
            bureau,
            family,
            key,
        } = self;
        format!("account\n{institution}\n{bureau}\n{family}\n{key}").into_bytes()
    }
}

impl std::fmt::Debug for AccountName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountName({} {}, masked)", self.bureau, self.family)
    }
}

/// Where the key of an account is sealed; the row is its number.
#[must_use]
pub fn code_place(id: &str) -> Place<'_> {
    Place {
        table: "accounts",
        column: "code",
        row: id,
    }
}

/// Number and subject of an account, under whichever key it is found.
///
/// # Errors
///
/// Those of the database.
pub async fn find(
    tx: &mut Tx<'_>,
    blind: &Blind,
    name: &AccountName,
) -> Result<Option<(i64, SubjectId)>, DbError> {
    for digest in blind.all(&name.text()) {
        let found: Option<(i64, SubjectId)> = tx
            .first(
                "SELECT id, subject FROM accounts WHERE institution = $1 AND bureau = $2 \
                 AND family = $3 AND blind = $4",
                args![&name.institution, &name.bureau, &name.family, digest],
            )
            .await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Number and subject of many accounts of one institution at one bureau, in the
/// order asked for, in a few statements.
///
/// # Errors
///
/// Those of the database.
pub async fn find_many(
    tx: &mut Tx<'_>,
    blind: &Blind,
    names: &[&AccountName],
) -> Result<Vec<Option<(i64, SubjectId)>>, DbError> {
    type Found = (String, Vec<u8>, i64, SubjectId);
    let texts: Vec<Vec<u8>> = names.iter().map(|name| name.text()).collect();
    let digests: Vec<Vec<[u8; 32]>> = texts.iter().map(|it| blind.all(it).collect()).collect();
    let all: Vec<&[u8; 32]> = digests.iter().flatten().collect();
    let mut found = HashMap::with_capacity(names.len());
    let Some(first) = names.first() else {
        return Ok(Vec::new());
    };
    for some in all.chunks(ASKED) {
        let holes: Vec<String> = (3..3 + some.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT family, blind, id, subject FROM accounts \
             WHERE institution = $1 AND bureau = $2 AND blind IN ({})",
            holes.join(", ")
        );
        let mut args = args![&first.institution, &first.bureau];
        args.0.extend(some.iter().map(|digest| Arg::from(**digest)));
        let rows: Vec<Found> = tx.all(sqlx::AssertSqlSafe(sql), args).await?;
        let entry = |(family, blind, id, subject)| ((family, blind), (id, subject));
        found.extend(rows.into_iter().map(entry));
    }
    let of = |(name, digests): (&&AccountName, &Vec<[u8; 32]>)| {
        let mut each = digests.iter();
        each.find_map(|digest| found.get(&(name.family.clone(), digest.to_vec())).cloned())
    };
    Ok(names.iter().zip(&digests).map(of).collect())
}

/// Finds an account, or makes it as one that the bureau has nothing of. `blind`
/// must be held by this transaction.
///
/// # Errors
///
/// Those of the vault and the database.
pub async fn take(
    tx: &mut Tx<'_>,
    vault: &Vault,
    blind: &Blind,
    name: &AccountName,
    subject: &SubjectId,
    at: i64,
) -> Result<(i64, SubjectId), VaultError> {
    if let Some(found) = find(tx, blind, name).await? {
        return Ok(found);
    }
    let keys = HashMap::from([(subject.clone(), vault.keys(tx, subject).await?)]);
    let wanted = [(name, subject)];
    let taken = take_many(tx, blind, &wanted, &keys, at).await?;
    taken.into_iter().next().ok_or(VaultError::Unknown)
}

/// Finds accounts of one institution at one bureau, or makes them, in a few
/// statements; in the order asked for. `blind` must be held by this transaction,
/// and `keys` hold those of all subjects. Whose an account is may be another
/// than asked for, where it was there before: the caller looks.
///
/// # Errors
///
/// [`VaultError::Unknown`] where the keys of a subject are missing, else those
/// of the vault and the database.
pub async fn take_many(
    tx: &mut Tx<'_>,
    blind: &Blind,
    wanted: &[(&AccountName, &SubjectId)],
    keys: &HashMap<SubjectId, SubjectKeys>,
    at: i64,
) -> Result<Vec<(i64, SubjectId)>, VaultError> {
    let names: Vec<&AccountName> = wanted.iter().map(|(name, _)| *name).collect();
    let known = find_many(tx, blind, &names).await?;
    if known.iter().all(Option::is_some) {
        return Ok(known.into_iter().flatten().collect());
    }
    let mut next = next_id(tx).await?;
    // Another transaction may have been first, and has committed by now.
    let known = find_many(tx, blind, &names).await?;
    let mut new = Vec::new();
    let mut made: HashMap<Vec<u8>, (i64, SubjectId)> = HashMap::new();
    let mut all = Vec::with_capacity(wanted.len());
    for ((name, subject), known) in wanted.iter().zip(known) {
        if let Some(known) = known {
            all.push(known);
            continue;
        }
        let text = name.text();
        if let Some(made) = made.get(&text) {
            all.push(made.clone());
            continue;
        }
        let (blind_key, digest) = blind.newest(&text).ok_or(VaultError::Unknown)?;
        let own = keys.get(subject).ok_or(VaultError::Unknown)?;
        let code = own.seal(&code_place(&next.to_string()), name.key.as_bytes())?;
        new.extend(
            args![
                next,
                &name.institution,
                &name.bureau,
                &name.family,
                digest,
                blind_key,
                code,
                *subject,
                at
            ]
            .0,
        );
        made.insert(text, (next, (*subject).clone()));
        all.push((next, (*subject).clone()));
        next += 1;
    }
    for some in new.chunks(COLUMNS * INSERTED) {
        let rows: Vec<String> = (0..some.len() / COLUMNS)
            .map(|row| {
                let holes: Vec<String> = (1..=COLUMNS)
                    .map(|hole| format!("${}", row * COLUMNS + hole))
                    .collect();
                format!("({}, 'new')", holes.join(", "))
            })
            .collect();
        let sql = format!(
            "INSERT INTO accounts (id, institution, bureau, family, blind, blind_key, code, \
             subject, changed_at, state) VALUES {}",
            rows.join(", ")
        );
        tx.execute(sqlx::AssertSqlSafe(sql), Args(some.to_vec()))
            .await?;
    }
    Ok(all)
}

/// The number of the next account. Whoever asks is alone until its transaction
/// ends.
///
/// # Errors
///
/// Those of the database.
pub async fn next_id(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    // On SQLite there is but one writer.
    if tx.kind() == Kind::Postgres {
        tx.execute("SELECT pg_advisory_xact_lock($1)", args![LOCK])
            .await?;
    }
    let last: Option<(Option<i64>,)> = tx.first("SELECT MAX(id) FROM accounts", args![]).await?;
    Ok(last.and_then(|(id,)| id).unwrap_or(0) + 1)
}

/// The accounts of a database, as the rotation of the blind key moves them.
pub struct Accounts(pub Vault);

impl Blinded for Accounts {
    fn follow<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        newest: &'t Blind,
    ) -> BoxFuture<'t, Result<u64, VaultError>> {
        Box::pin(async move {
            let (key, _) = newest.newest(b"").ok_or(VaultError::Unknown)?;
            let rows: Vec<Row> = tx
                .all(
                    "SELECT id, institution, bureau, family, blind, code, subject FROM accounts \
                     WHERE blind_key < $1 ORDER BY blind_key, id LIMIT $2",
                    args![key, BATCH],
                )
                .await?;
            let count = rows.len() as u64;
            for row in rows {
                row.follow(tx, &self.0, newest).await?;
            }
            Ok(count)
        })
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    institution: InstitutionId,
    bureau: BureauId,
    family: String,
    blind: Vec<u8>,
    code: Vec<u8>,
    subject: SubjectId,
}

impl Row {
    async fn follow(
        self,
        tx: &mut Tx<'_>,
        vault: &Vault,
        newest: &Blind,
    ) -> Result<(), VaultError> {
        let unreadable = || VaultError::Unreadable {
            table: "accounts",
            row: self.id.to_string(),
        };
        let keys = match vault.keys(tx, &self.subject).await {
            // Erased meanwhile: nothing is found by its digest any more.
            Err(VaultError::Erased) => return Ok(()),
            keys => keys?,
        };
        let key = keys
            .open(&code_place(&self.id.to_string()), &self.code)
            .map_err(|_| unreadable())?;
        let name = AccountName {
            institution: self.institution.clone(),
            bureau: self.bureau.clone(),
            family: self.family.clone(),
            key: String::from_utf8(key.to_vec()).map_err(|_| unreadable())?,
        };
        let (blind_key, digest) = newest.newest(&name.text()).ok_or_else(unreadable)?;
        // Not where another key was given to it meanwhile, or its subject erased.
        tx.execute(
            "UPDATE accounts SET blind = $1, blind_key = $2 WHERE id = $3 AND blind = $4",
            args![digest, blind_key, self.id, self.blind],
        )
        .await?;
        Ok(())
    }
}
