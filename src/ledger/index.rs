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

use crate::{
    args,
    audit::hex::Hex,
    platform::{
        db::{BoxFuture, DbError, Kind, Tx},
        ids::{BureauId, InstitutionId, SubjectId},
        vault::{Blind, Blinded, Place, Vault, VaultError},
    },
};

/// How many accounts share a transaction of a rotation.
const BATCH: i64 = 500;

/// The advisory lock of PostgreSQL under which accounts get their numbers:
/// "accounts".
const LOCK: i64 = i64::from_be_bytes(*b"accounts");

/// What names an account.
#[derive(Clone)]
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

/// Where the key of an account is sealed; the row is the digest, in hexadecimal,
/// that it is found by.
#[must_use]
pub fn code_place(digest: &str) -> Place<'_> {
    Place {
        table: "accounts",
        column: "code",
        row: digest,
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
    let id = next_id(tx).await?;
    // Another transaction may have been first, and has committed by now.
    if let Some(found) = find(tx, blind, name).await? {
        return Ok(found);
    }
    let (blind_key, digest) = blind.newest(&name.text()).ok_or(VaultError::Unknown)?;
    let keys = vault.keys(tx, subject).await?;
    let code = keys.seal(&code_place(&Hex(&digest).to_string()), name.key.as_bytes())?;
    tx.execute(
        "INSERT INTO accounts (id, institution, bureau, family, blind, blind_key, code, subject, \
         state, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'new', $9)",
        args![
            id,
            &name.institution,
            &name.bureau,
            &name.family,
            digest,
            blind_key,
            code,
            subject,
            at
        ],
    )
    .await?;
    Ok((id, subject.clone()))
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
        let place = Hex(&self.blind).to_string();
        let key = keys
            .open(&code_place(&place), &self.code)
            .map_err(|_| unreadable())?;
        let name = AccountName {
            institution: self.institution.clone(),
            bureau: self.bureau.clone(),
            family: self.family.clone(),
            key: String::from_utf8(key.to_vec()).map_err(|_| unreadable())?,
        };
        let (blind_key, digest) = newest.newest(&name.text()).ok_or_else(unreadable)?;
        let place = Hex(&digest).to_string();
        let code = keys.seal(&code_place(&place), name.key.as_bytes())?;
        tx.execute(
            "UPDATE accounts SET blind = $1, blind_key = $2, code = $3 \
             WHERE id = $4 AND blind IS NOT NULL",
            args![digest, blind_key, code, self.id],
        )
        .await?;
        Ok(())
    }
}
