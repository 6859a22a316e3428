//! Changes of tokens and machine clients, each with its audit entry.

use jiff::Timestamp;
use ring::rand::SecureRandom;

use super::{
    Caller, OperatorError, Role, Token,
    administration::{append, change, draft, known_institution, lock_operator, new_id, taken},
};
use crate::{
    args,
    audit::entry::Kind,
    platform::{
        db::Db,
        ids::{ClientId, OperatorId},
    },
};

/// A machine to be let in.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// SHA-256 of its public key (`SubjectPublicKeyInfo`).
    pub key_sha256: [u8; 32],
    /// What people call it.
    pub label: String,
    /// Its one role.
    pub role: Role,
}

/// Makes a bearer token for an operator. Show it once; it is not kept. The text
/// beside it names the token for [`revoke_token`].
///
/// # Errors
///
/// See [`OperatorError`].
pub async fn issue_token(
    db: &Db,
    by: &Caller,
    operator: &OperatorId,
    expires_at: Timestamp,
    random: &(dyn SecureRandom + Sync),
    now: Timestamp,
) -> Result<(String, Token), OperatorError> {
    let token = Token::generate(random)?;
    let (operator, sha256) = (operator.clone(), token.sha256());
    let id = change(db, by.clone(), now, move |tx, by| {
        Box::pin(async move {
            lock_operator(tx, by, &operator).await?;
            let id = new_id();
            tx.execute(
                "INSERT INTO tokens (id, operator, sha256, issued_by, issued_at, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                args![&id, &operator, sha256, by.actor.stored(), now, expires_at],
            )
            .await?;
            let entry = draft(TOKEN_ISSUED, by, now).about(&operator);
            append(tx, entry.word("token", &id).time("expires", expires_at))?;
            Ok(id)
        })
    })
    .await?;
    Ok((id, token))
}

/// Makes a token worthless.
///
/// # Errors
///
/// See [`OperatorError`].
pub async fn revoke_token(
    db: &Db,
    by: &Caller,
    token: &str,
    now: Timestamp,
) -> Result<(), OperatorError> {
    let token = token.to_owned();
    change(db, by.clone(), now, move |tx, by| {
        Box::pin(async move {
            let changed = tx
                .execute(
                    "UPDATE tokens SET revoked_at = $3 WHERE id = $1 AND revoked_at IS NULL \
                     AND operator IN (SELECT id FROM operators WHERE institution = $2)",
                    args![&token, &by.institution, now],
                )
                .await?;
            if changed == 0 {
                return Err(OperatorError::Unknown("token"));
            }
            append(tx, draft(TOKEN_REVOKED, by, now).word("token", &token))
        })
    })
    .await
}

/// Lets a machine in.
///
/// # Errors
///
/// [`OperatorError::Taken`] for a key that was ever registered, also by another
/// institution: a machine acts for one.
pub async fn register_client(
    db: &Db,
    by: &Caller,
    new: NewClient,
    now: Timestamp,
) -> Result<ClientId, OperatorError> {
    change(db, by.clone(), now, move |tx, by| {
        Box::pin(async move {
            known_institution(tx, by).await?;
            let id = ClientId::new();
            tx.execute(
                "INSERT INTO clients \
                 (id, institution, label, role, key_sha256, registered_by, registered_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                args![
                    &id,
                    &by.institution,
                    new.label,
                    new.role.name(),
                    new.key_sha256,
                    by.actor.stored(),
                    now
                ],
            )
            .await
            .map_err(|error| taken(error, "key"))?;
            let entry = draft(CLIENT_REGISTERED, by, now).about(&id);
            let entry = entry.code("role", new.role.name());
            append(tx, entry.digest("key", &new.key_sha256))?;
            Ok(id)
        })
    })
    .await
}

/// Shuts a machine out, from its next request on, also on an open connection.
///
/// # Errors
///
/// See [`OperatorError`].
pub async fn revoke_client(
    db: &Db,
    by: &Caller,
    client: &ClientId,
    now: Timestamp,
) -> Result<(), OperatorError> {
    let client = client.clone();
    change(db, by.clone(), now, move |tx, by| {
        Box::pin(async move {
            let changed = tx
                .execute(
                    "UPDATE clients SET revoked_by = $3, revoked_at = $4 \
                     WHERE id = $1 AND institution = $2 AND revoked_at IS NULL",
                    args![&client, &by.institution, by.actor.stored(), now],
                )
                .await?;
            if changed == 0 {
                return Err(OperatorError::Unknown("client"));
            }
            append(tx, draft(CLIENT_REVOKED, by, now).about(&client))
        })
    })
    .await
}

const CLIENT_REGISTERED: Kind = Kind::new("client.registered");
const CLIENT_REVOKED: Kind = Kind::new("client.revoked");
const TOKEN_ISSUED: Kind = Kind::new("token.issued");
const TOKEN_REVOKED: Kind = Kind::new("token.revoked");
