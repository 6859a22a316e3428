//! From a credential, or a stored actor, to a caller: as things stand now.

use jiff::Timestamp;
use sqlx::FromRow;

use super::{Actor, Caller, Forbidden, PersonKey, Role, token::sha256};
use crate::{
    args,
    platform::{
        db::{Db, DbError, Tx},
        ids::{ClientId, InstitutionId, OperatorId},
    },
};

/// The caller behind a bearer token, if it is good for one at `now`.
///
/// # Errors
///
/// Those of the database.
pub async fn by_token(db: &Db, presented: &str, now: Timestamp) -> Result<Option<Caller>, DbError> {
    let rows: Vec<OperatorRole> = db
        .all(
            "SELECT o.id, o.institution, o.person, g.role FROM tokens t \
             JOIN operators o ON o.id = t.operator \
             LEFT JOIN grants g ON g.operator = o.id AND g.revoked_at IS NULL \
             WHERE t.sha256 = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 \
             AND o.active AND o.since <= $2 AND (o.ends IS NULL OR o.ends > $2)",
            args![sha256(presented), now],
        )
        .await?;
    Ok(operator(rows))
}

/// The machine behind a certificate whose public key has that SHA-256. One read
/// by unique key: meant for every request.
///
/// # Errors
///
/// Those of the database.
pub async fn by_certificate(db: &Db, spki_sha256: [u8; 32]) -> Result<Option<Caller>, DbError> {
    let row: Option<ClientRow> = db
        .first(
            "SELECT id, institution, role FROM clients \
             WHERE key_sha256 = $1 AND revoked_at IS NULL",
            args![spki_sha256],
        )
        .await?;
    Ok(row.map(client))
}

/// Reads an actor again inside a transaction and holds it still until the end:
/// a revocation comes before, and is seen, or waits. `None` is QR-24: the
/// operator is no longer entitled, or the client revoked.
///
/// Of [`Actor::Local`] nothing is kept, so it is never found here.
///
/// # Errors
///
/// Those of the database.
pub async fn reload(
    tx: &mut Tx<'_>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<Caller>, DbError> {
    match actor {
        Actor::Local => Ok(None),
        Actor::Client(id) => {
            let rows: Vec<ClientRow> = tx
                .all_shared(
                    "SELECT id, institution, role FROM clients \
                     WHERE id = $1 AND revoked_at IS NULL",
                    args![id],
                )
                .await?;
            Ok(rows.into_iter().next().map(client))
        }
        Actor::Operator(id) => {
            // Grants change only under a lock of the operator's row.
            let held: Vec<(String,)> = tx
                .all_shared(
                    "SELECT id FROM operators WHERE id = $1 AND active AND since <= $2 \
                     AND (ends IS NULL OR ends > $2)",
                    args![id, now],
                )
                .await?;
            if held.is_empty() {
                return Ok(None);
            }
            let rows = tx
                .all(
                    "SELECT o.id, o.institution, o.person, g.role FROM operators o \
                     LEFT JOIN grants g ON g.operator = o.id AND g.revoked_at IS NULL \
                     WHERE o.id = $1",
                    args![id],
                )
                .await?;
            Ok(operator(rows))
        }
    }
}

/// Reads the caller again inside a transaction, as [`reload`], and goes on only
/// with one of these roles. Someone at the shell is taken as they come.
///
/// # Errors
///
/// [`Forbidden`], or those of the database.
pub async fn confirm<E: From<DbError> + From<Forbidden>>(
    tx: &mut Tx<'_>,
    by: &Caller,
    roles: &[Role],
    now: Timestamp,
) -> Result<Caller, E> {
    by.require_any(roles)?;
    if by.actor == Actor::Local {
        return Ok(by.clone());
    }
    let nobody = Caller::local(by.institution.clone(), []);
    let by = reload(tx, &by.actor, now).await?.unwrap_or(nobody);
    by.require_any(roles)?;
    Ok(by)
}

/// An operator with one of its roles, if it has any.
#[derive(FromRow)]
struct OperatorRole {
    id: OperatorId,
    institution: InstitutionId,
    person: PersonKey,
    role: Option<String>,
}

fn operator(rows: Vec<OperatorRole>) -> Option<Caller> {
    let mut caller: Option<Caller> = None;
    for row in rows {
        let caller = caller.get_or_insert_with(|| Caller {
            institution: row.institution,
            actor: Actor::Operator(row.id),
            person: Some(row.person),
            roles: Default::default(),
        });
        // A name that this version does not know grants nothing.
        caller
            .roles
            .extend(row.role.as_deref().and_then(Role::named));
    }
    caller
}

#[derive(FromRow)]
struct ClientRow {
    id: ClientId,
    institution: InstitutionId,
    role: String,
}

fn client(row: ClientRow) -> Caller {
    Caller {
        institution: row.institution,
        actor: Actor::Client(row.id),
        person: None,
        roles: Role::named(&row.role).into_iter().collect(),
    }
}
