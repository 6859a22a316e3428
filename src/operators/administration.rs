//! Changes of institutions, operators and roles, each with its audit entry.
//!
//! The caller is read again in the transaction of the change, so that a revoked
//! administrator changes nothing.

use jiff::Timestamp;

use super::{Caller, Forbidden, PersonKey, Role, TokenError, confirm};
use crate::{
    args,
    audit::entry::{Draft, EntryError, Kind},
    platform::{
        db::{Db, DbError, Tx, Urgency},
        ids::OperatorId,
    },
};

/// Why a change of operators did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The database's own error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// No audit entry can be made of it.
    #[error("the change cannot be written to the audit log")]
    Entry(#[from] EntryError),
    /// UR-01: the person holds a role that excludes the one asked for.
    #[error("one person cannot be {} and {} (UR-01)", .held.name(), .asked.name())]
    Exclusive {
        /// What would be granted.
        asked: Role,
        /// What the person holds, under whichever account.
        held: Role,
    },
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A person's key that is none.
    #[error(transparent)]
    PersonKey(#[from] super::PersonKeyError),
    /// A label or key that is taken already, also by something revoked.
    #[error("the {0} is taken")]
    Taken(&'static str),
    /// No random bytes.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There is no such thing in this institution.
    #[error("there is no such {0} in this institution")]
    Unknown(&'static str),
}

/// An account to be made for a person.
#[derive(Clone, Debug)]
pub struct NewOperator {
    /// Login name, unique in the institution.
    pub label: String,
    /// The human.
    pub person: PersonKey,
    /// From when it may act.
    pub since: Timestamp,
    /// The first moment at which it may not any more.
    pub until: Option<Timestamp>,
}

/// Whether an operator may act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// May act, within its time.
    Active,
    /// Left or moved for good: tokens are revoked too (UR-02).
    Ended,
    /// Away for a while.
    Suspended,
}

/// Records the caller's institution, or its new name and profile; true if that
/// changed anything.
///
/// # Errors
///
/// See [`OperatorError`].
pub async fn record_institution(
    db: &Db,
    by: &Caller,
    name: &str,
    profile: &str,
    now: Timestamp,
) -> Result<bool, OperatorError> {
    let (by, name, profile) = (by.clone(), name.to_owned(), profile.to_owned());
    change(db, by, now, move |tx, by| {
        Box::pin(async move {
            let changed = tx
                .execute(
                    "INSERT INTO institutions (id, name, profile, since) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (id) DO UPDATE SET name = $2, profile = $3 \
                     WHERE institutions.name <> $2 OR institutions.profile <> $3",
                    args![&by.institution, name, profile, now],
                )
                .await?;
            if changed > 0 {
                append(tx, draft(INSTITUTION_RECORDED, by, now))?;
            }
            Ok(changed > 0)
        })
    })
    .await
}

/// Makes an account, without any role.
///
/// # Errors
///
/// See [`OperatorError`].
pub async fn register_operator(
    db: &Db,
    by: &Caller,
    new: NewOperator,
    now: Timestamp,
) -> Result<OperatorId, OperatorError> {
    change(db, by.clone(), now, move |tx, by| {
        Box::pin(async move {
            known_institution(tx, by).await?;
            let id = OperatorId::new();
            tx.execute(
                "INSERT INTO people (person) VALUES ($1) ON CONFLICT (person) DO NOTHING",
                args![new.person.as_str()],
            )
            .await?;
            tx.execute(
                "INSERT INTO operators (id, institution, person, label, active, since, ends) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                args![
                    &id,
                    &by.institution,
                    new.person.as_str(),
                    new.label,
                    true,
                    new.since,
                    new.until
                ],
            )
            .await
            .map_err(|error| taken(error, "label"))?;
            append(tx, draft(OPERATOR_REGISTERED, by, now).about(&id))?;
            Ok(id)
        })
    })
    .await
}

/// Lets an operator act, or not. A revoked token does not come back with it.
///
/// # Errors
///
/// See [`OperatorError`].
pub async fn set_standing(
    db: &Db,
    by: &Caller,
    operator: &OperatorId,
    standing: Standing,
    now: Timestamp,
) -> Result<(), OperatorError> {
    let operator = operator.clone();
    change(db, by.clone(), now, move |tx, by| {
        Box::pin(async move {
            lock_operator(tx, by, &operator).await?;
            let (active, word) = match standing {
                Standing::Active => (true, "active"),
                Standing::Ended => (false, "ended"),
                Standing::Suspended => (false, "suspended"),
            };
            tx.execute(
                "UPDATE operators SET active = $2 WHERE id = $1",
                args![&operator, active],
            )
            .await?;
            if standing == Standing::Ended {
                tx.execute(
                    "UPDATE operators SET ends = $2 \
                     WHERE id = $1 AND (ends IS NULL OR ends > $2)",
                    args![&operator, now],
                )
                .await?;
                tx.execute(
                    "UPDATE tokens SET revoked_at = $2 WHERE operator = $1 AND revoked_at IS NULL",
                    args![&operator, now],
                )
                .await?;
            }
            let entry = draft(OPERATOR_STANDING, by, now).about(&operator);
            append(tx, entry.code("standing", word))
        })
    })
    .await
}

/// Grants a role; nothing happens where it is held already.
///
/// # Errors
///
/// [`OperatorError::Exclusive`] where the person, under any account, holds a
/// role that excludes it. A role counts until revoked, also of an account that
/// may not act.
pub async fn grant(
    db: &Db,
    by: &Caller,
    operator: &OperatorId,
    role: Role,
    now: Timestamp,
) -> Result<(), OperatorError> {
    let operator = operator.clone();
    change(db, by.clone(), now, move |tx, by| {
        Box::pin(async move {
            let (person,) = lock_operator(tx, by, &operator).await?;
            tx.first_locked::<(String,)>(
                "SELECT person FROM people WHERE person = $1",
                args![&person],
            )
            .await?;
            let held: Vec<(String, String)> = tx
                .all(
                    "SELECT g.operator, g.role FROM grants g JOIN operators o ON o.id = g.operator \
                     WHERE o.person = $1 AND g.revoked_at IS NULL ORDER BY g.role",
                    args![&person],
                )
                .await?;
            if held
                .iter()
                .any(|(id, name)| id == operator.as_str() && name == role.name())
            {
                return Ok(());
            }
            let held = held.iter().filter_map(|(_, name)| Role::named(name));
            if let Some(held) = held.into_iter().find(|held| held.excludes(role)) {
                return Err(OperatorError::Exclusive { asked: role, held });
            }
            tx.execute(
                "INSERT INTO grants (id, operator, role, granted_by, granted_at) \
                 VALUES ($1, $2, $3, $4, $5)",
                args![new_id(), &operator, role.name(), by.actor.stored(), now],
            )
            .await?;
            let entry = draft(ROLE_GRANTED, by, now).about(&operator);
            append(tx, entry.code("role", role.name()))
        })
    })
    .await
}

/// Takes a role back, from the next request on.
///
/// # Errors
///
/// See [`OperatorError`].
pub async fn revoke(
    db: &Db,
    by: &Caller,
    operator: &OperatorId,
    role: Role,
    now: Timestamp,
) -> Result<(), OperatorError> {
    let operator = operator.clone();
    change(db, by.clone(), now, move |tx, by| {
        Box::pin(async move {
            lock_operator(tx, by, &operator).await?;
            let changed = tx
                .execute(
                    "UPDATE grants SET revoked_by = $3, revoked_at = $4 \
                     WHERE operator = $1 AND role = $2 AND revoked_at IS NULL",
                    args![&operator, role.name(), by.actor.stored(), now],
                )
                .await?;
            if changed == 0 {
                return Err(OperatorError::Unknown("grant"));
            }
            let entry = draft(ROLE_REVOKED, by, now).about(&operator);
            append(tx, entry.code("role", role.name()))
        })
    })
    .await
}

const INSTITUTION_RECORDED: Kind = Kind::new("institution.recorded");
const OPERATOR_REGISTERED: Kind = Kind::new("operator.registered");
const OPERATOR_STANDING: Kind = Kind::new("operator.standing");
const ROLE_GRANTED: Kind = Kind::new("role.granted");
const ROLE_REVOKED: Kind = Kind::new("role.revoked");

/// What a change does in its transaction.
pub(super) type Change<'t, T> = crate::platform::db::BoxFuture<'t, Result<T, OperatorError>>;

/// Runs a change as an administrator who still is one.
pub(super) async fn change<T, F>(
    db: &Db,
    by: Caller,
    now: Timestamp,
    work: F,
) -> Result<T, OperatorError>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx<'_>, &'t Caller) -> Change<'t, T> + Send + 'static,
{
    by.require(Role::Administrator)?;
    db.write(Urgency::Urgent, move |tx| {
        Box::pin(async move {
            let by: Caller = confirm::<OperatorError>(tx, &by, &[Role::Administrator], now).await?;
            work(tx, &by).await
        })
    })
    .await
}

/// Locks an operator of the caller's institution; gives the person.
pub(super) async fn lock_operator(
    tx: &mut Tx<'_>,
    by: &Caller,
    operator: &OperatorId,
) -> Result<(String,), OperatorError> {
    tx.first_locked(
        "SELECT person FROM operators WHERE id = $1 AND institution = $2",
        args![operator, &by.institution],
    )
    .await?
    .ok_or(OperatorError::Unknown("operator"))
}

pub(super) async fn known_institution(tx: &mut Tx<'_>, by: &Caller) -> Result<(), OperatorError> {
    tx.first::<(String,)>(
        "SELECT id FROM institutions WHERE id = $1",
        args![&by.institution],
    )
    .await?
    .map(|_| ())
    .ok_or(OperatorError::Unknown("institution"))
}

pub(super) fn draft(kind: Kind, by: &Caller, now: Timestamp) -> Draft {
    Draft::new(kind, &by.institution, now).actor(&by.actor)
}

pub(super) fn append(tx: &mut Tx<'_>, draft: Draft) -> Result<(), OperatorError> {
    tx.append(draft.finish()?.into());
    Ok(())
}

pub(super) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

pub(super) fn taken(error: DbError, what: &'static str) -> OperatorError {
    if error.is_unique_violation() {
        OperatorError::Taken(what)
    } else {
        error.into()
    }
}
